//! Memory that the system would still give, where it says so: on Linux.

use std::fs;

/// Bytes that are free, to this process: of the machine, its control groups and its own limits.
pub(crate) fn free_memory() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| kilobytes(&text, "MemAvailable:"));
    let process = read("/proc/self/limits").zip(read("/proc/self/status"));
    let process = process.and_then(|(limits, status)| of_process(&limits, &status));
    let groups = read("/proc/self/cgroup").and_then(|text| of_groups(&text, &read));
    [machine, process, groups].into_iter().flatten().min()
}

/// The number of a line such as `MemAvailable:  123 kB`, in bytes.
fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()?.saturating_mul(1024))
}

/// What a process may still take under its soft limits.
fn of_process(limits: &str, status: &str) -> Option<u64> {
    let left = |limit: &str, used: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(limit))?;
        let most = line.split_whitespace().next()?.parse::<u64>().ok()?;
        Some(most.saturating_sub(kilobytes(status, used)?))
    };
    [left("Max address space", "VmSize:"), left("Max data size", "VmData:")].into_iter().flatten().min()
}

/// What the groups of a process may still take, from its own up to the outermost.
fn of_groups(memberships: &str, read: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    let number = |path: String| read(&path)?.trim().parse::<u64>().ok();
    let left = |folder: &str, [limit, used, cache]: [&str; 3]| {
        let most = number(format!("{folder}/{limit}"))?;
        // What is cached of files makes room.
        let stat = read(&format!("{folder}/memory.stat")).unwrap_or_default();
        let cached = stat.lines().find_map(|line| line.strip_prefix(cache)?.trim().parse::<u64>().ok());
        let used = number(format!("{folder}/{used}"))?.saturating_sub(cached.unwrap_or(0));
        Some(most.saturating_sub(used))
    };
    let mut least = None;
    for line in memberships.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (root, names) = match parts.next()? {
            "" => ("/sys/fs/cgroup", ["memory.max", "memory.current", "inactive_file"]),
            kinds if kinds.split(',').any(|kind| kind == "memory") => {
                let names = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"];
                ("/sys/fs/cgroup/memory", names)
            }
            _ => continue,
        };
        let mut group = parts.next().unwrap_or_default();
        loop {
            let found = left(&format!("{root}{}", group.trim_end_matches('/')), names);
            least = [least, found].into_iter().flatten().min();
            match group.trim_end_matches('/').rsplit_once('/') {
                Some((outer, _)) => group = outer,
                None => break,
            }
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_all_limits_counts() {
        assert_eq!(kilobytes("MemTotal: 9 kB\nMemAvailable:   7 kB\n", "MemAvailable:"), Some(7 * 1024));
        let status = "VmSize:\t    100 kB\nVmData:\t 50 kB\n";
        let limits = "Max data size             unlimited            unlimited            bytes\n\
                      Max address space         1048576              unlimited            bytes\n";
        assert_eq!(of_process(limits, status), Some((1024 - 100) * 1024));
        assert_eq!(of_process("Max address space         unlimited", status), None);
        let files = |path: &str| {
            let text = match path {
                "/sys/fs/cgroup/a/b/memory.max" | "/sys/fs/cgroup/memory.max" => "max",
                "/sys/fs/cgroup/a/memory.max" => "1000\n",
                "/sys/fs/cgroup/a/memory.current" => "700\n",
                "/sys/fs/cgroup/a/memory.stat" => "anon 1\ninactive_file 200\n",
                "/sys/fs/cgroup/memory/c/memory.limit_in_bytes" => "600",
                "/sys/fs/cgroup/memory/c/memory.usage_in_bytes" => "650",
                _ => return None,
            };
            Some(text.to_owned())
        };
        assert_eq!(of_groups("0::/a/b\n", &files), Some(500));
        assert_eq!(of_groups("4:cpu,memory:/c\n0::/a/b\n", &files), Some(0));
        assert_eq!(of_groups("0::/\n", &files), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_some() {
        assert!(free_memory().is_some_and(|free| free > 1 << 20));
    }
}
