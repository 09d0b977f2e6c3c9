//! Processes that are started at once into one folder, and with names by default.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::chance::{Counts, cases};
use crate::damage::{State, lay};
use crate::subject::{ALL, Subject, assert_decent};
use crate::support::{Ran, folder, program, tree};

/// Runs commands at once, to their ends.
fn at_once(commands: impl Iterator<Item = Command>) -> Vec<Ran> {
    let children: Vec<_> = commands.map(|mut command| command.spawn().unwrap()).collect();
    let ran = children.into_iter().map(|child| Ran::from(child.wait_with_output().unwrap()));
    ran.inspect(|ran| assert_decent(ran)).collect()
}

/// Exactly one wins, and the other is refused.
#[track_caller]
fn assert_one_wins(subject: Subject, out: &Path, ran: &[Ran], words: &[&str]) {
    let (won, lost): (Vec<&Ran>, Vec<&Ran>) = ran.iter().partition(|ran| ran.code == Some(0));
    assert_eq!((won.len(), lost.len()), (1, 1), "{subject:?}: {ran:?}");
    assert!(words.iter().any(|words| lost[0].stderr.contains(words)), "{subject:?}: {ran:?}");
    subject.assert_same(out, "two at once");
}

#[test]
fn of_two_at_once_exactly_one_works_in_a_folder() {
    let mut counts = Counts::default();
    for case in 0..cases(12) {
        let subject = ALL[case % ALL.len()];
        let folder = folder();
        let out = folder.path().join("run");
        let ran = at_once((0..2).map(|_| subject.start(program(), &out)));
        assert_one_wins(subject, &out, &ran, &["with content", "found another wowflow at work there"]);
        counts.add("started");
        let out = folder.path().join("again");
        lay(subject, State::Interrupted, &out);
        let ran = at_once((0..2).map(|_| subject.resume(program(), &out)));
        let words = ["found another wowflow at work there", "expected an unfinished run"];
        assert_one_wins(subject, &out, &ran, &words);
        counts.add("gone on with");
    }
    counts.say("two at once in a folder");
}

#[test]
fn two_at_once_get_folders_of_their_own() {
    for case in 0..cases(6) {
        let subject = ALL[case % ALL.len()];
        let folder = folder();
        let command = |_| {
            let mut command = program();
            command.args(subject.args()).current_dir(folder.path()).stdin(Stdio::null());
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command
        };
        at_once((0..2).map(command)).into_iter().for_each(|ran| drop(ran.ok()));
        let runs = folder.path().join("runs");
        let names: Vec<String> = tree(&runs).into_iter().filter(|name| !name.contains('/')).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        names.iter().for_each(|name| subject.assert_same(&runs.join(name), "names by default"));
    }
}
