//! Waiting with open eyes: lines without a terminal, what a long run will cost, an answer to Ctrl-C.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Ran, SMALL, folder, program};

/// The program with so many seconds between lines.
fn beating(seconds: &str) -> Command {
    let mut command = program();
    command.env("WOWFLOW_HEARTBEAT", seconds).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn flow(seconds: &str, steps: &str, out: &Path) -> Ran {
    let mut command = beating(seconds);
    command.args(SMALL).args(["--steps", steps, "--out"]).arg(out).output().unwrap().into()
}

#[test]
fn without_a_terminal_a_line_says_how_far_a_run_is() {
    let folder = folder();
    let ran = flow("0.05", "300", &folder.path().join("run")).ok();
    let lines: Vec<&str> = ran.stderr.lines().filter(|line| line.contains(" of 300 steps, ")).collect();
    assert!(!lines.is_empty(), "{ran:?}");
    for line in &lines {
        let known = line.contains(" left: MMD^2 ");
        assert!(known || line.contains("time left unknown until the first step is done"), "{line}");
        assert!(line.contains(" gone") && !line.contains(" 0.0 ms left"), "{line}");
    }
    // So short a run says nothing by itself.
    let ran = flow("30", "300", &folder.path().join("silent")).ok();
    assert!(ran.stderr.is_empty() && !ran.stdout.contains("cost less"), "{ran:?}");
}

#[test]
fn a_long_run_says_once_what_it_will_cost_and_what_costs_less() {
    let folder = folder();
    let ran = flow("0.01", "200", &folder.path().join("run")).ok();
    let told: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("about ")).collect();
    let line = told.iter().find(|line| line.contains(" more steps at ")).unwrap_or_else(|| panic!("{ran:?}"));
    assert!(line.contains(" each") && line.ends_with("such as mnist[train]:100, would cost less"), "{line}");
    if cfg!(target_os = "linux") {
        assert!(line.contains(" MB of memory so far; "), "{line}");
    }
    assert_eq!(told.iter().filter(|line| line.contains(" more steps ")).count(), 1, "{told:?}");
}

#[test]
fn exact_transports_are_counted() {
    let commands = [
        &["distance", "glyphs:letters:60", "glyphs:digits:60"][..],
        &["geodesic", "glyphs:letters:60", "glyphs:digits:60", "--times", "2", "--no-check"],
    ];
    let folder = folder();
    for args in commands {
        let mut command = beating("0.01");
        command.args(args);
        if args[0] == "geodesic" {
            command.arg("--out").arg(folder.path().join("run"));
        }
        let ran: Ran = command.output().unwrap().into();
        let ran = ran.ok();
        assert!(ran.stderr.contains(" of 100 exact transports, "), "{ran:?}");
    }
}

/// Starts a command, sends it a signal once it has said these words, and returns what it said.
#[cfg(unix)]
fn interrupted(mut command: Command, after: &str, times: usize) -> (Ran, Duration) {
    use std::io::{BufRead, BufReader, Read};
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut stdout = String::new();
    while !stdout.contains(after) {
        assert!(said.read_line(&mut stdout).unwrap() > 0, "{stdout}");
    }
    let since = Instant::now();
    for time in 0..times {
        if time > 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
    said.read_to_string(&mut stdout).unwrap();
    let mut ran = Ran::from(child.wait_with_output().unwrap());
    ran.stdout = stdout;
    (ran, since.elapsed())
}

#[cfg(unix)]
#[test]
fn ctrl_c_is_answered_at_once() {
    let folder = folder();
    // A step of these takes a while.
    let slow = ["flow", "--source", "glyphs:letters:300", "--target", "glyphs:digits:300", "--steps", "50"];
    for times in [1, 2] {
        let mut command = beating("30");
        let out = folder.path().join(times.to_string());
        command.args(slow).args(["--directions", "20000", "--threads", "1", "--out"]).arg(&out);
        let (ran, took) = interrupted(command, "flowing ", times);
        assert_eq!(ran.code, Some(130), "{ran:?}");
        assert_eq!(
            ran.stderr.lines().next().map(|line| line.contains("; Ctrl-C again ends at once")),
            Some(true)
        );
        if times == 1 {
            assert!(ran.stdout.contains("interrupted at step "), "{ran:?}");
        } else {
            assert!(took < Duration::from_secs(2), "{took:?}: {ran:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_geodesic_at_once_and_leaves_nothing() {
    let folder = folder();
    let out = folder.path().join("run");
    let solving = ["geodesic", "glyphs:letters:150", "glyphs:digits:150", "--threads", "1", "--out"];
    let mut command = beating("30");
    command.args(solving).arg(&out);
    let (ran, took) = interrupted(command, "solving ", 1);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(130), "interrupted; nothing was written\n"), "{ran:?}");
    assert!(took < Duration::from_secs(2) && !out.exists(), "{took:?}");
}

#[test]
fn steps_without_end_are_counted_and_stopped() {
    let folder = folder();
    let most = u64::MAX.to_string();
    for (command, word) in [("flow", "flowing "), ("rings", "")] {
        let mut process = beating("0.02");
        let out = folder.path().join(command);
        process.args([command, "--steps", &most, "--out"]).arg(&out);
        if command == "flow" {
            process.args(["--source", "noise:3:9", "--target", "noise:3:8", "--directions", "64"]);
        }
        let mut child = process.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(400));
        let running = child.try_wait().unwrap();
        #[cfg(unix)]
        drop(Command::new("kill").args(["-INT", &child.id().to_string()]).status());
        #[cfg(not(unix))]
        child.kill().unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(running, None, "{ran:?}");
        assert!(!ran.stderr.contains("fault") && ran.stdout.contains(word), "{ran:?}");
        if cfg!(unix) {
            assert_eq!(ran.code, Some(130), "{ran:?}");
            assert!(ran.stderr.contains(&format!(" of {most} steps, ")), "{ran:?}");
        }
    }
}
