//! Runs that are killed, and runs that are stopped by signals.

use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::chance::{Chance, Counts, cases};
use crate::subject::{ALL, Subject, assert_decent};
use crate::support::{Ran, folder, program};

/// Starts a command, and sends it a signal at a moment by chance.
fn disturbed(mut command: Command, subject: Subject, signal: Signal, chance: &mut Chance) -> Ran {
    let child: Child = command.spawn().unwrap();
    // Most of the time goes into pictures: what comes before is looked at more.
    let share = chance.share();
    sleep(subject.whole().time.mul_f64(1.1 * share.powi(3)));
    // It may have ended by itself.
    let _ = kill(Pid::from_raw(child.id() as i32), signal);
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_decent(&ran);
    ran
}

/// Where a run stands.
fn standing(subject: Subject, out: &Path) -> &'static str {
    if out.join(subject.result()).exists() {
        "after the result"
    } else if out.join("config.json").exists() && !out.join(".wowflow-unfinished.tmp").exists() {
        "on the way"
    } else {
        "before the run began"
    }
}

#[test]
fn killed_at_any_moment_runs_go_on_to_the_same_bits() {
    let (mut chance, mut counts) = (Chance::of("kill"), Counts::default());
    for case in 0..cases(18) {
        let subject = ALL[case % ALL.len()];
        let folder = folder();
        let out = folder.path().join("run");
        let again = 1 + chance.below(3);
        for time in 0..again {
            let command =
                if time == 0 { subject.start(program(), &out) } else { subject.go_on(program(), &out) };
            disturbed(command, subject, Signal::SIGKILL, &mut chance);
        }
        counts.add(standing(subject, &out));
        subject.assert_ends_the_same(&out, &format!("kill, case {case}, {subject:?}, {again} times"));
    }
    counts.say("killed");
}

#[test]
fn stopped_at_any_moment_runs_go_on_to_the_same_bits() {
    let (mut chance, mut counts) = (Chance::of("stop"), Counts::default());
    for case in 0..cases(18) {
        let subject = ALL[case % ALL.len()];
        let signal = chance.one(&[Signal::SIGINT, Signal::SIGTERM]);
        let folder = folder();
        let out = folder.path().join("run");
        let ran = disturbed(subject.start(program(), &out), subject, signal, &mut chance);
        let case = format!("{signal}, case {case}, {subject:?}");
        match ran.code {
            // Before it listens, a signal ends it.
            None => counts.add("ended by the signal"),
            Some(130) => {
                assert!(
                    ran.stdout.contains("interrupted") || ran.stderr.contains("interrupted"),
                    "{case}: {ran:?}"
                );
                counts.add("interrupted");
            }
            Some(0) => counts.add("done before"),
            Some(_) => panic!("{case}: {ran:?}"),
        }
        subject.assert_ends_the_same(&out, &case);
    }
    counts.say("stopped");
}
