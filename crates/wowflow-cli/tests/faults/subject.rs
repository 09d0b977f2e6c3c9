//! The runs that are put to the test: tiny ones, and what must be the same of two of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Ran, folder, program, tree};

/// A command that can be gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Flow,
    Pairwise,
    Agreement,
    #[cfg(feature = "learn")]
    Transfer,
}

/// All of them.
pub(crate) const ALL: &[Subject] = &[
    Subject::Flow,
    Subject::Pairwise,
    Subject::Agreement,
    #[cfg(feature = "learn")]
    Subject::Transfer,
];

/// A run that nobody disturbed.
pub(crate) struct Whole {
    folder: tempfile::TempDir,
    pub(crate) content: Content,
    pub(crate) time: Duration,
}

impl Whole {
    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("run")
    }
}

/// What of a run must be the same, by the names of its files.
pub(crate) type Content = BTreeMap<String, Vec<u8>>;

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Pairwise => "pairwise",
            Self::Agreement => "agreement",
            #[cfg(feature = "learn")]
            Self::Transfer => "transfer",
        }
    }

    /// The command that starts it.
    pub(crate) fn args(self) -> Vec<&'static str> {
        let args = match self {
            Self::Flow => {
                "flow --source rings:source:3 --target rings:3 --steps 40 --directions 8 --checkpoint-every 7"
            }
            Self::Pairwise => "pairwise rings:3 rings:4 rings:5 rings:source:3 --method sw --directions 8",
            Self::Agreement => return vec!["agreement", experiment()],
            #[cfg(feature = "learn")]
            Self::Transfer => {
                "transfer --source gaussians:9 --target gaussians:3 --methods target-only,geodesic --epochs 1 \
                 --trainings 1 --tries 3"
            }
        };
        args.split_whitespace().collect()
    }

    /// The file with which it is done.
    pub(crate) fn result(self) -> &'static str {
        match self {
            Self::Flow | Self::Pairwise => "summary.json",
            Self::Agreement => "agreement.json",
            #[cfg(feature = "learn")]
            Self::Transfer => "results.json",
        }
    }

    pub(crate) fn start(self, command: Command, out: &Path) -> Command {
        let mut command = quiet(command);
        command.args(self.args()).arg("--out").arg(out);
        command
    }

    pub(crate) fn resume(self, command: Command, out: &Path) -> Command {
        let mut command = quiet(command);
        command.args([self.name(), "--resume"]).arg(out);
        command
    }

    /// The command that ends a run from wherever it stands.
    pub(crate) fn go_on(self, command: Command, out: &Path) -> Command {
        // A folder without a whole configuration was left before the run began.
        if out.join("config.json").exists() && !out.join(".wowflow-unfinished.tmp").exists() {
            self.resume(command, out)
        } else {
            self.start(command, out)
        }
    }

    /// The run that nobody disturbed, made once.
    pub(crate) fn whole(self) -> &'static Whole {
        static WHOLE: [OnceLock<Whole>; 4] = [const { OnceLock::new() }; 4];
        WHOLE[self as usize].get_or_init(|| {
            let folder = folder();
            let out = folder.path().join("run");
            let since = Instant::now();
            ended(self.start(program(), &out)).ok();
            Whole { content: content(&out), folder, time: since.elapsed() }
        })
    }

    /// Takes a run to its end from wherever it stands, and compares it with the one that nobody disturbed; whether it
    /// was done already.
    #[track_caller]
    pub(crate) fn assert_ends_the_same(self, out: &Path, case: &str) -> bool {
        let ran = ended(self.go_on(program(), out));
        let done = ran.stderr.contains("expected an unfinished run");
        assert!(ran.code == Some(0) || done, "{case}: {}{}", ran.stdout, ran.stderr);
        self.assert_same(out, case);
        done
    }

    #[track_caller]
    pub(crate) fn assert_same(self, out: &Path, case: &str) {
        if let Some(name) = self.difference(out) {
            panic!(
                "{case}: {name} of {} differs from that of {}",
                out.display(),
                self.whole().out().display()
            );
        }
    }

    /// A file that is not as in the run that nobody disturbed.
    pub(crate) fn difference(self, out: &Path) -> Option<String> {
        let (expected, found) = (&self.whole().content, content(out));
        let names = expected.keys().chain(found.keys());
        names.into_iter().find(|name| expected.get(*name) != found.get(*name)).cloned()
    }
}

/// Without a terminal or input.
fn quiet(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A command at its end, which must be a decent one: no fault of the program, and errors of one line.
#[track_caller]
pub(crate) fn ended(mut command: Command) -> Ran {
    let ran: Ran = command.output().unwrap().into();
    assert_decent(&ran);
    ran
}

#[track_caller]
pub(crate) fn assert_decent(ran: &Ran) {
    let said = &ran.stderr;
    assert!(!said.contains("fault of the program") && !said.contains("panicked"), "{ran:?}");
    if ran.code == Some(1) {
        let errors = said.lines().filter(|line| line.starts_with("error: ")).count();
        assert!(errors == 1 && said.trim_end().lines().count() == 1, "{ran:?}");
    }
}

/// Everything in a folder that must be the same: clocks, the threads of the machine, and the way there are left out.
pub(crate) fn content(out: &Path) -> Content {
    let files = tree(out).into_iter().filter(|name| out.join(name).is_file());
    // A checkpoint has a clock in it.
    let files = files.filter(|name| !name.starts_with("checkpoints/"));
    files
        .map(|name| {
            let bytes = fs::read(out.join(&name)).unwrap();
            let bytes = match name.rsplit('.').next() {
                Some("json" | "jsonl") => without_clocks(&bytes),
                Some("md") => without_times(&bytes),
                Some("csv") if name == "agreement.csv" => without_seconds(&bytes),
                // Seconds are one of its axes.
                Some("png") if name == "agreement.png" => Vec::new(),
                _ => bytes,
            };
            (name, bytes)
        })
        .collect()
}

fn without_clocks(bytes: &[u8]) -> Vec<u8> {
    let values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let mut lines: Vec<String> = values
        .map(|value| {
            // What is no JSON is told as it is.
            let Ok(mut value) = value else { return String::from_utf8_lossy(bytes).into_owned() };
            strip(&mut value);
            value.to_string()
        })
        .collect();
    // Threads finish in any order.
    lines.sort_unstable();
    lines.join("\n").into_bytes()
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                let clock = name.contains("seconds") || name == "sha256" || name == "metrics";
                !clock && !["command", "threads", "machine", "pictures"].contains(&name.as_str())
            });
            fields.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

/// A page without its lines that tell seconds or the machine.
fn without_times(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let told = [" s, ", " s |", " s a pair", "made by"];
    let kept = text.lines().filter(|line| !told.iter().any(|told| line.contains(told)));
    kept.collect::<Vec<_>>().join("\n").into_bytes()
}

/// The columns before those of seconds.
fn without_seconds(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let count =
        text.lines().next().unwrap_or_default().split(',').take_while(|n| !n.starts_with("seconds")).count();
    let kept = text.lines().map(|line| line.split(',').take(count).collect::<Vec<_>>().join(","));
    kept.collect::<Vec<_>>().join("\n").into_bytes()
}

/// The file of an experiment with distances.
fn experiment() -> &'static str {
    const CONTENT: &str = r#"
title = "Tiny"
datasets = ["gaussians:9", "moons:9"]
seed = 3
directions = 8
references = ["wow"]
pairs = { count = 6, classes = [1, 1], samples = [2, 4], same-set = "disjoint" }
methods = [{ method = "wow" }, { method = "sw" }]
"#;
    static PLACE: OnceLock<(tempfile::TempDir, String)> = OnceLock::new();
    let place = PLACE.get_or_init(|| {
        let folder = folder();
        let path = folder.path().join("tiny.toml");
        fs::write(&path, CONTENT).unwrap();
        (folder, path.to_str().unwrap().to_owned())
    });
    &place.1
}
