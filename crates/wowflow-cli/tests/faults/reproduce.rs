//! Experiments whose repetitions are kept: the same command starts them and goes on with them.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::chance::{Chance, Counts, cases};
use crate::damage::damaged;
use crate::limits::under;
use crate::subject::{Content, assert_decent, content, ended};
use crate::support::{Ran, folder, program, tree};

const CONTENT: &str = r#"
title = "Tiny"
task = "transfer"
row-name = "k"
rows = ["1", "3"]
source = "gaussians:4"
target = "gaussians:{row}"
test = "gaussians:4"
network = "mlp"
tries = 2
trainings = 1
epochs = 1
methods = [{ method = "target-only" }, { method = "geodesic" }]
"#;

/// The command, in a folder that has the experiment: `results` and `runs` come to lie beside it.
fn command(folder: &Path, mut command: Command) -> Command {
    let file = folder.join("tiny.toml");
    if !file.exists() {
        fs::write(file, CONTENT).unwrap();
    }
    command.current_dir(folder).args(["reproduce", "tiny.toml"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What one that nobody disturbed leaves, and the time that it takes.
fn whole() -> (Content, Duration) {
    let folder = folder();
    let since = Instant::now();
    ended(command(folder.path(), program())).ok();
    (content(folder.path()), since.elapsed())
}

/// Takes it to its end, and compares it with the one that nobody disturbed.
#[track_caller]
fn assert_ends_the_same(folder: &Path, whole: &Content, case: &str) {
    let ran = ended(command(folder, program()));
    assert_eq!(ran.code, Some(0), "{case}: {ran:?}");
    assert_same(folder, whole, case);
}

#[track_caller]
fn assert_same(folder: &Path, whole: &Content, case: &str) {
    let found = content(folder);
    // Other experiments may be at work in the folder of results: what a kill leaves there, hidden, stays.
    let names = whole.keys().chain(found.keys()).filter(|name| !wowflow_data::atomic::is_temporary(name));
    let differs: Vec<&String> = names.filter(|name| whole.get(*name) != found.get(*name)).collect();
    assert!(differs.is_empty(), "{case}: {differs:?} differ");
}

#[test]
fn killed_and_stopped_at_any_moment_experiments_come_to_the_same() {
    let (mut chance, mut counts) = (Chance::of("reproduce"), Counts::default());
    let (whole, time) = whole();
    for case in 0..cases(18) {
        let signal = chance.one(&[Signal::SIGKILL, Signal::SIGINT, Signal::SIGTERM]);
        let folder = folder();
        for _ in 0..=chance.below(3) {
            let child: Child = command(folder.path(), program()).spawn().unwrap();
            sleep(time.mul_f64(1.1 * chance.share().powi(2)));
            let _ = kill(Pid::from_raw(child.id() as i32), signal);
            let ran: Ran = child.wait_with_output().unwrap().into();
            assert_decent(&ran);
            assert!(matches!(ran.code, None | Some(0 | 130)), "{signal}, case {case}: {ran:?}");
        }
        let log = folder.path().join("runs/reproduce/tiny/repetitions.jsonl");
        let found = fs::read_to_string(log).map_or(0, |text| text.lines().count());
        counts.add(match found {
            0 => "before a repetition",
            8.. => "after all repetitions",
            _ => "between repetitions",
        });
        assert_ends_the_same(folder.path(), &whole, &format!("{signal}, case {case}"));
    }
    counts.say("experiments disturbed");
}

#[test]
fn limits_of_file_sizes_lose_no_repetition() {
    if !under(&["--fsize=1000000"]).arg("--version").output().is_ok_and(|ran| ran.status.success()) {
        return crate::support::skipping("no prlimit here");
    }
    let (mut chance, mut counts) = (Chance::of("reproduce fsize"), Counts::default());
    let (whole, _) = whole();
    for case in 0..cases(18) {
        let folder = folder();
        let limit = chance.between(600.0, 60_000.0);
        let ran = ended(command(folder.path(), under(&[&format!("--fsize={limit}")])));
        let case = format!("limit of {limit} bytes a file, case {case}");
        assert!(matches!(ran.code, Some(0 | 1)), "{case}: {ran:?}");
        let left: Vec<String> =
            tree(folder.path()).into_iter().filter(|name| name.ends_with(".tmp")).collect();
        assert!(left.is_empty(), "{case}: {left:?}");
        counts.add(if ran.code == Some(0) { "done" } else { "failed" });
        assert_ends_the_same(folder.path(), &whole, &case);
    }
    counts.say("experiments short of disk");
}

#[test]
fn damaged_repetitions_are_refused_by_name_or_change_nothing() {
    let (mut chance, mut counts) = (Chance::of("reproduce damage"), Counts::default());
    let (whole, _) = whole();
    for case in 0..cases(40) {
        let folder = folder();
        let place = folder.path();
        ended(command(place, program())).ok();
        if chance.below(2) == 0 {
            // Half of them are to be made yet.
            let log = place.join("runs/reproduce/tiny/repetitions.jsonl");
            let text = fs::read_to_string(&log).unwrap();
            fs::write(log, text.split_inclusive('\n').take(4).collect::<String>()).unwrap();
            fs::remove_dir_all(place.join("results")).unwrap();
        }
        let files: Vec<String> = tree(place).into_iter().filter(|name| place.join(name).is_file()).collect();
        let kept: Vec<&String> = files.iter().filter(|name| name.starts_with("runs/")).collect();
        let name = chance.one(&kept);
        let Some(how) = damaged(&place.join(name), &mut chance) else { continue };
        let case = format!("case {case}: {name}: {how}");
        let ran = ended(command(place, program()));
        let named = ran.stderr.contains(Path::new(name).file_name().unwrap().to_str().unwrap());
        counts.add(match ran.code {
            Some(0) => {
                let found = content(place);
                let differs = whole.keys().find(|key| *key != name && whole.get(*key) != found.get(*key));
                assert_eq!(differs, None, "{case}: {ran:?}");
                "the same results"
            }
            Some(1) if named => "refused by name",
            // Without its configuration the folder may be anybody's.
            Some(1) if how == "removed" && ran.stderr.contains("runs/reproduce/tiny with content") => {
                "refused as another's folder"
            }
            _ => panic!("{case}: {ran:?}"),
        });
    }
    counts.say("damaged experiments");
}

#[test]
fn two_experiments_at_once_lose_nothing() {
    let (whole, _) = whole();
    for case in 0..cases(6) {
        let folder = folder();
        let children: Vec<Child> =
            (0..2).map(|_| command(folder.path(), program()).spawn().unwrap()).collect();
        let ran: Vec<Ran> =
            children.into_iter().map(|child| child.wait_with_output().unwrap().into()).collect();
        ran.iter().for_each(assert_decent);
        let refused =
            |ran: &&Ran| ran.code == Some(1) && ran.stderr.contains("another wowflow at work there");
        assert!(ran.iter().all(|ran| ran.code == Some(0) || refused(&ran)), "case {case}: {ran:?}");
        assert!(ran.iter().any(|ran| ran.code == Some(0)), "case {case}: {ran:?}");
        assert_ends_the_same(folder.path(), &whole, &format!("two at once, case {case}"));
    }
}
