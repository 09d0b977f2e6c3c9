//! What a result says of where and when it was measured.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::root;

/// The head of a record: when, where, and with which versions.
pub(crate) fn head() -> Value {
    json!({"date": now(), "machine": facts(), "versions": versions()})
}

/// Architecture, processor and number of cores.
fn facts() -> Value {
    let cpu = std::fs::read_to_string(Path::new("/proc/cpuinfo")).unwrap_or_default();
    let vectors: Vec<&str> = cpu_field(&cpu, "flags")
        .unwrap_or_default()
        .split_whitespace()
        .filter(|flag| ["avx2", "fma", "avx512f"].contains(flag))
        .collect();
    json!({
        "arch": std::env::consts::ARCH,
        "os": std::env::consts::OS,
        "cpu_model": cpu_field(&cpu, "model name"),
        "vector_instructions": vectors,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "load_average": load(),
    })
}

/// How many threads wanted a processor in the last minute, where the system tells.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// Versions of what our times depend on; null where it cannot be told.
fn versions() -> Value {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    json!({
        "wowflow": env!("CARGO_PKG_VERSION"),
        "wowflow_commit": output(Command::new("git").args(["rev-parse", "HEAD"])),
        "wowflow_changed_since_commit":
            output(Command::new("git").args(["status", "--porcelain", "--untracked-files=no"]))
                .map(|changes| !changes.is_empty()),
        "rustc": output(Command::new(rustc).arg("--version")),
    })
}

/// The first value of a field of `/proc/cpuinfo`.
fn cpu_field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(field, value)| (field.trim() == name).then_some(value.trim()))
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.current_dir(root()).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// Now, as `2025-01-31T12:00:00Z`.
fn now() -> String {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    date(elapsed.as_secs())
}

/// Seconds since 1970 in the Gregorian calendar, UTC.
fn date(seconds: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut days, of_day) = (seconds / 86400, seconds % 86400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year}-{:02}-{:02}T{hours:02}:{minutes:02}:{seconds:02}Z", month + 1, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_known_seconds() {
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(date(1_735_689_599), "2024-12-31T23:59:59Z");
        assert_eq!(date(4_107_542_400), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn fields_of_cpuinfo() {
        let text = "processor\t: 0\nmodel name\t: Some CPU: fast\n\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(cpu_field(text, "model name"), Some("Some CPU: fast"));
        assert_eq!(cpu_field(text, "flags"), None);
    }
}
