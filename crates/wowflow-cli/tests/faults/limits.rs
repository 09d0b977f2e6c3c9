//! Lowered limits: open files, threads, memory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::chance::{Chance, Counts, cases};
use crate::subject::{ALL, assert_decent};
use crate::support::{Ran, folder, skipping};

/// The program under limits, each as `--nofile=9`.
pub(crate) fn under(limits: &[&str]) -> Command {
    let mut command = Command::new("prlimit");
    command.args(limits).arg("--").arg(program_path()).env_remove("RUST_BACKTRACE");
    command
}

fn program_path() -> &'static str {
    env!("CARGO_BIN_EXE_wowflow")
}

/// The same as a user for whom the number of processes is limited: the superuser has no such limit.
fn as_somebody(limit: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65533", "--regid=65533", "--clear-groups", "prlimit", limit, "--"]);
    command.arg(program_path()).env_remove("RUST_BACKTRACE");
    command
}

#[test]
fn lowered_limits_lose_nothing() {
    let works =
        |mut command: Command| command.arg("--version").output().is_ok_and(|ran| ran.status.success());
    if !works(under(&["--nofile=64"])) {
        return skipping("no prlimit here");
    }
    let somebody = works(as_somebody("--nproc=8"));
    if !somebody {
        skipping("the number of threads cannot be limited here");
    }
    let (mut chance, mut counts) = (Chance::of("limits"), Counts::default());
    for case in 0..cases(18) {
        let subject = ALL[case % ALL.len()];
        let folder = folder();
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(folder.path(), open).unwrap();
        let out = folder.path().join("run");
        let (what, limit) = match chance.below(if somebody { 3 } else { 2 }) {
            0 => ("files", format!("--nofile={}", 3 + chance.below(20))),
            1 => ("memory", format!("--as={}", chance.between(2e7, 4e8))),
            _ => ("threads", format!("--nproc={}", chance.below(8))),
        };
        let command = if what == "threads" { as_somebody(&limit) } else { under(&[&limit]) };
        let ran: Ran = subject.start(command, &out).output().unwrap().into();
        let case = format!("{limit}, case {case}, {subject:?}");
        let how = match ran.code {
            Some(0) => "done",
            Some(1) => "refused",
            // The loader of the system did not come as far as the program, or memory ended: no more than a line.
            _ if what == "memory" || what == "files" => "ended by the system",
            _ => panic!("{case}: {ran:?}"),
        };
        assert_decent(&ran);
        // Of memory that ended, the language adds a hint of its own.
        let lines = ran.stderr.lines().filter(|line| !line.starts_with("note: run with `RUST_BACKTRACE"));
        assert!(lines.count() <= 1, "{case}: {ran:?}");
        counts.add(&format!("{what} {how}"));
        subject.assert_ends_the_same(&out, &format!("{case}: {ran:?}"));
    }
    counts.say("lowered limits");
}
