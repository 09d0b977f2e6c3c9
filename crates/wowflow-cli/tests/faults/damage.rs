//! Files that were damaged: bits that flipped, ends that are missing, lines and files that are gone or there twice.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::chance::{Chance, Counts, cases};
use crate::limits::under;
use crate::subject::{ALL, Subject, content, ended};
use crate::support::{Ran, folder, program, resealed, run, tree};

/// Where a run stands when it is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Some of it is done.
    Interrupted,
    /// All but its pictures is there.
    Undrawn,
    Finished,
}

const STATES: [State; 3] = [State::Interrupted, State::Undrawn, State::Finished];

/// Lays a run that stands so into a new folder.
pub(crate) fn lay(subject: Subject, state: State, out: &Path) {
    copy(&subject.whole().out(), out);
    let remove = |ends: &[&str]| {
        for name in tree(out).iter().filter(|name| ends.iter().any(|end| name.ends_with(end))) {
            fs::remove_file(out.join(name)).unwrap();
        }
    };
    match state {
        State::Finished => {}
        State::Undrawn => {
            resealed(&out.join(subject.result()), |result| result["pictures"] = Value::Array(Vec::new()));
            remove(&[".png", ".gif"]);
        }
        State::Interrupted if subject == Subject::Flow => {
            fs::remove_dir_all(out).unwrap();
            copy(stopped_flow(), out);
        }
        State::Interrupted => {
            remove(&[".png", ".csv", ".md", subject.result(), "distances.json"]);
            let log = tree(out).into_iter().find(|name| name.ends_with(".jsonl")).unwrap();
            let text = fs::read_to_string(out.join(&log)).unwrap();
            let kept: String = text.split_inclusive('\n').take(4).collect();
            fs::write(out.join(log), kept).unwrap();
        }
    }
}

/// A flow that stopped between two checkpoints: its metrics came to a limit of file sizes.
fn stopped_flow() -> &'static Path {
    static STOPPED: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, out) = STOPPED.get_or_init(|| {
        let folder = folder();
        let out = folder.path().join("run");
        let mut command = under(&["--fsize=3400"]);
        command.args(Subject::Flow.args()).arg("--out").arg(&out);
        let ran: Ran = command.output().unwrap().into();
        assert!(ran.stderr.contains("go on with"), "{ran:?}");
        let found = tree(&out);
        assert!(found.iter().any(|name| name.starts_with("checkpoints/step-")), "{found:?}");
        (folder, out)
    });
    out
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in tree(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            fs::create_dir_all(to).unwrap();
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// Damages a file by chance, and says how; nothing where that changes nothing.
pub(crate) fn damaged(path: &Path, chance: &mut Chance) -> Option<String> {
    let mut bytes = fs::read(path).unwrap();
    let before = bytes.clone();
    let lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let line = chance.below(lines.len());
    let how = match chance.below(10) {
        0 => {
            fs::remove_file(path).unwrap();
            return Some("removed".to_owned());
        }
        1 => {
            bytes.truncate(chance.below(before.len()));
            format!("cut to {} of {} bytes", bytes.len(), before.len())
        }
        2 => {
            bytes =
                lines.iter().enumerate().filter(|(at, _)| *at != line).flat_map(|(_, l)| l.clone()).collect();
            format!("line {} removed", line + 1)
        }
        3 => {
            bytes = lines
                .iter()
                .enumerate()
                .flat_map(|(at, l)| l.repeat(if at == line { 2 } else { 1 }))
                .collect();
            format!("line {} doubled", line + 1)
        }
        _ => {
            let (at, bit) = (chance.below(bytes.len()), chance.below(8));
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
            format!("bit {bit} of byte {at} flipped")
        }
    };
    fs::write(path, &bytes).unwrap();
    (bytes != before).then_some(how)
}

/// What a dataset of a run holds, or why it cannot be read.
fn told(path: &Path) -> Ran {
    let mut command = program();
    command.args(["info", "--no-sheet", "--json"]).arg(path);
    ended(command)
}

/// What is the same of two files that hold the same dataset.
fn dataset(ran: &Ran) -> Value {
    let mut found = ran.json();
    for key in ["name", "files", "description", "spec"] {
        found[key].take();
    }
    found
}

#[test]
fn damaged_files_are_refused_by_name_or_change_nothing() {
    let (mut chance, mut counts) = (Chance::of("damage"), Counts::default());
    for subject in ALL {
        for state in STATES {
            // Undamaged it ends as the others do, so that what follows shows the damage alone.
            let folder = folder();
            let out = folder.path().join("run");
            lay(*subject, state, &out);
            assert_eq!(subject.assert_ends_the_same(&out, "undamaged"), state == State::Finished);
        }
    }
    for case in 0..cases(90) {
        let (subject, state) = (ALL[case % ALL.len()], STATES[case / ALL.len() % STATES.len()]);
        let folder = folder();
        let out = folder.path().join("run");
        lay(subject, state, &out);
        let files: Vec<String> = tree(&out).into_iter().filter(|name| out.join(name).is_file()).collect();
        let name = &files[chance.below(files.len())];
        let Some(how) = damaged(&out.join(name), &mut chance) else { continue };
        let case = format!("case {case}, {subject:?}, {state:?}: {name}: {how}");
        let before = content(&out);
        let ran = ended(subject.resume(program(), &out));
        let named = ran.stderr.contains(Path::new(name).file_name().unwrap().to_str().unwrap());
        let how = match ran.code {
            Some(0) => {
                subject.assert_same(&out, &case);
                "the same bits"
            }
            Some(1) if named => "refused by name",
            // Nothing is read then, and nothing written.
            Some(1) if ran.stderr.contains("expected an unfinished run") => {
                assert!(state == State::Finished && content(&out) == before, "{case}: {ran:?}");
                "finished, not gone on with"
            }
            _ => panic!("{case}: {ran:?}"),
        };
        counts.add(how);
        if name.ends_with(".npz") && out.join(name).exists() && !name.starts_with("checkpoints") {
            let ran = told(&out.join(name));
            if ran.code == Some(0) {
                let whole = told(&subject.whole().out().join(name));
                assert_eq!(dataset(&ran), dataset(&whole), "{case}");
                counts.add("datasets, the same");
            } else {
                assert!(ran.stderr.contains(name), "{case}: {ran:?}");
                counts.add("datasets, refused by name");
            }
        }
    }
    counts.say("damaged");
}

#[test]
fn what_an_earlier_version_began_is_gone_on_with() {
    for subject in ALL {
        let folder = folder();
        let out = folder.path().join("run");
        lay(*subject, State::Interrupted, &out);
        // As it was written before there were checksums, but for the checkpoint, which is of the same layout.
        let sealed = |name: &&String| name.ends_with(".json") || name.ends_with(".jsonl");
        for name in tree(&out).iter().filter(sealed) {
            let text = fs::read_to_string(out.join(name)).unwrap();
            let values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
            // The last line may be cut short.
            let plain = values.map_while(Result::ok).map(|mut value| {
                let fields = value.as_object_mut().unwrap();
                fields.shift_remove("sha256");
                fields.shift_remove("seal");
                format!("{value}\n")
            });
            fs::write(out.join(name), plain.collect::<String>()).unwrap();
        }
        let ran = run([subject.name().as_ref(), "--resume".as_ref(), out.as_os_str()]).ok();
        assert!(ran.stdout.contains("begun by an earlier version, without checksums"), "{ran:?}");
        let kept = subject.difference(&out);
        // Repetitions of an earlier version name no samples.
        assert!(kept.is_none() || subject.name() == "transfer", "{subject:?}: {kept:?}");
    }
}
