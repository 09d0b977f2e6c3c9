//! How much memory the program takes.

/// The most that it took so far, in bytes, as Linux tells it.
pub(crate) fn most() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Bytes for people.
pub(crate) fn amount(bytes: u64) -> String {
    match bytes as f64 / 1e6 {
        mega if mega < 1000.0 => format!("{mega:.0} MB"),
        mega => format!("{:.1} GB", mega / 1000.0),
    }
}
