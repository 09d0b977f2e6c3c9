//! Signals that must not end the program: those that whoever started it ignores, and the limit of the size of files.

/// Settles them for this thread and all that it starts.
///
/// A handler would take an ignored signal back (`nohup`, `trap '' INT`), and an unblocked `SIGXFSZ` would end the
/// program without a word; blocked, it lets the write fail, and that is reported.
#[cfg(unix)]
pub(crate) fn settle() {
    use nix::sys::signal::{SigSet, Signal};
    let mut blocked = SigSet::empty();
    blocked.add(Signal::SIGXFSZ);
    let ignored = ignored();
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
        if ignored & (1 << (signal as u32 - 1)) != 0 {
            blocked.add(signal);
        }
    }
    // It fails for no set that can be made.
    let _ = blocked.thread_block();
}

#[cfg(not(unix))]
pub(crate) fn settle() {}

/// The signals that are ignored, a bit each, as Linux tells them; elsewhere they cannot be asked for safely.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
