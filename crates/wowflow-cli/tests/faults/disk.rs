//! Disks that are full: a limit of file sizes, a small file system, a device that takes nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::chance::{Chance, Counts, cases};
use crate::limits::under;
use crate::subject::{ALL, Subject, assert_decent, content, ended};
use crate::support::{Ran, folder, program, skipping, tree};

/// A run that had too little disk: it failed in one line, or it had enough after all.
#[track_caller]
pub(crate) fn assert_failed(ran: &Ran, out: &Path, case: &str) {
    assert!(matches!(ran.code, Some(0 | 1)), "{case}: {ran:?}");
    let left: Vec<String> = if out.exists() { tree(out).into_iter().collect() } else { Vec::new() };
    assert!(left.iter().all(|name| !name.ends_with(".tmp")), "{case}: {left:?}");
}

#[test]
fn limits_of_file_sizes_lose_nothing() {
    if !under(&["--fsize=1000000"]).arg("--version").output().is_ok_and(|ran| ran.status.success()) {
        return skipping("no prlimit here");
    }
    let (mut chance, mut counts) = (Chance::of("fsize"), Counts::default());
    for case in 0..cases(18) {
        let subject = ALL[case % ALL.len()];
        let folder = folder();
        let out = folder.path().join("run");
        let limit = chance.between(16.0, 150_000.0);
        let case = format!("limit of {limit} bytes a file, case {case}, {subject:?}");
        let limited = || under(&[&format!("--fsize={limit}")]);
        let ran = ended(subject.start(limited(), &out));
        assert_failed(&ran, &out, &case);
        counts.add(if ran.code == Some(0) { "done" } else { "failed" });
        if chance.below(2) == 0 {
            // A disk that is still full changes nothing.
            let ran = ended(subject.go_on(limited(), &out));
            assert_failed(&ran, &out, &case);
        }
        subject.assert_ends_the_same(&out, &case);
    }
    counts.say("limits of file sizes");
}

/// Runs a command on a file system of so many kB, gives it more, ends the run, and copies it out.
const SMALL_DISK: &str = r#"
mount -t tmpfs -o size=${K}k wowflow "$D" || exit 99
"$W" "$@" --out "$D/run" >"$O/stdout" 2>"$O/stderr"
echo $? >"$O/code"
find "$D" -name '*.tmp' >"$O/left"
mount -o remount,size=64m "$D"
if [ -e "$D/run/config.json" ]; then "$W" "$1" --resume "$D/run"; else "$W" "$@" --out "$D/run"; fi >"$O/again" 2>&1
cp -r "$D/run" "$O/run"; umount "$D"
"#;

fn on_a_small_disk(subject: Subject, kilobytes: u64, place: &Path) -> Option<Ran> {
    let disk = place.join("disk");
    fs::create_dir(&disk).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "bash", "-c", SMALL_DISK, "bash"]);
    command.args(subject.args()).env("K", kilobytes.to_string()).env("D", disk).env("O", place);
    let status = command.env("W", env!("CARGO_BIN_EXE_wowflow")).output().ok()?.status;
    let read = |name: &str| fs::read_to_string(place.join(name)).unwrap_or_default();
    let code = read("code").trim().parse().ok();
    (status.code() != Some(99) && code.is_some()).then(|| Ran {
        code,
        stdout: read("stdout"),
        stderr: read("stderr"),
    })
}

#[test]
fn full_disks_lose_nothing() {
    let (mut chance, mut counts) = (Chance::of("disk"), Counts::default());
    for case in 0..cases(18) {
        let subject = ALL[case % ALL.len()];
        let folder = folder();
        let kilobytes = 4 * chance.between(1.0, 120.0);
        let Some(ran) = on_a_small_disk(subject, kilobytes, folder.path()) else {
            return skipping("no file systems can be mounted here");
        };
        let case = format!("disk of {kilobytes} kB, case {case}, {subject:?}");
        assert_decent(&ran);
        assert!(matches!(ran.code, Some(0 | 1)), "{case}: {ran:?}");
        assert_eq!(fs::read_to_string(folder.path().join("left")).unwrap(), "", "{case}");
        counts.add(if ran.code == Some(0) { "done" } else { "failed" });
        let again = fs::read_to_string(folder.path().join("again")).unwrap();
        let done = again.contains("expected an unfinished run");
        assert!(done == (ran.code == Some(0)), "{case}: {ran:?}: {again}");
        subject.assert_same(&folder.path().join("run"), &format!("{case}: {ran:?}: {again}"));
    }
    counts.say("full disks");
}

#[test]
fn a_full_disk_behind_standard_output_loses_no_run() {
    for subject in ALL {
        for more in [&[][..], &["--json"]] {
            let folder = folder();
            let out = folder.path().join("run");
            let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            let mut command = subject.start(program(), &out);
            let ran: Ran = command.args(more).stdout(full).output().unwrap().into();
            assert_eq!(ran.code, Some(1), "{subject:?}: {ran:?}");
            assert!(ran.stderr.contains("error: cannot write to standard output: "), "{ran:?}");
            assert_eq!(content(&out), subject.whole().content);
        }
    }
}
