//! Running the program, and reading run directories.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use wowflow::dataset::LabeledDataset;
use wowflow_data::{LoadOptions, load};

/// A small flow of drawn letters into drawn digits, of unequal class sizes.
pub(crate) const SMALL: [&str; 7] =
    ["flow", "--source", "glyphs:letters:6", "--target", "glyphs:digits:5", "--directions", "64"];

/// Whether these tests were started in the background of a shell: the program would leave Ctrl-C ignored, as it should.
fn interrupts_are_ignored() -> bool {
    const INTERRUPT: u64 = 1 << 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & INTERRUPT != 0)
}

/// The program, with nothing of the user's surroundings.
pub(crate) fn program() -> Command {
    let mut command = if interrupts_are_ignored() {
        let mut env = Command::new("env");
        env.args(["--default-signal=INT", env!("CARGO_BIN_EXE_wowflow")]);
        env
    } else {
        Command::new(env!("CARGO_BIN_EXE_wowflow"))
    };
    for name in ["WOWFLOW_DATA", "XDG_CACHE_HOME", "HOME", "LOCALAPPDATA", "https_proxy", "HTTPS_PROXY"] {
        command.env_remove(name);
    }
    for name in ["all_proxy", "ALL_PROXY", "RUST_BACKTRACE", "WOWFLOW_HEARTBEAT"] {
        command.env_remove(name);
    }
    command
}

/// What a run of the program left on its channels.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Asserts success.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that it ends with an error of one line that contains `text`, and silence on standard
    /// output.
    #[track_caller]
    pub(crate) fn refused(self, text: &str) {
        assert_eq!(self.stdout, "");
        self.fails(text);
    }

    /// The same of a command that has said something already.
    #[track_caller]
    pub(crate) fn fails(self, text: &str) {
        assert_eq!(self.code, Some(1), "{}{}", self.stdout, self.stderr);
        let line = self.stderr.lines().last().unwrap();
        assert!(
            line.starts_with("error: ") && self.stderr.matches("error: ").count() == 1,
            "{}",
            self.stderr
        );
        assert!(line.contains(text), "{line}");
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// Runs the program to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    program().args(args).stdin(Stdio::null()).output().unwrap().into()
}

/// Runs a flow into `out`, expecting success.
#[track_caller]
pub(crate) fn flow(args: &[&str], out: &Path) -> Ran {
    run(args.iter().map(OsStr::new).chain(["--out".as_ref(), out.as_os_str()])).ok()
}

/// An empty folder that goes away with the value.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes a file and returns its path as text.
pub(crate) fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Paths of all files below a folder, relative to it.
pub(crate) fn tree(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
    found
}

/// A JSON file of a run.
#[track_caller]
pub(crate) fn json(path: impl AsRef<Path>) -> Value {
    let path = path.as_ref();
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}: {text}", path.display()))
}

/// Changes a JSON file of a run as the program would: with a checksum that fits.
#[track_caller]
pub(crate) fn resealed(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = json(path);
    let fields = value.as_object_mut().unwrap();
    assert!(fields.shift_remove("sha256").is_some(), "{}", path.display());
    change(&mut value);
    value["sha256"] = wowflow_data::sha256_hex(value.to_string().as_bytes()).into();
    fs::write(path, value.to_string()).unwrap();
}

/// The summary of a run, checked to hold numbers where it has to.
#[track_caller]
pub(crate) fn summary(out: &Path) -> Value {
    let summary = json(out.join("summary.json"));
    for key in ["value_initial", "value_final", "wow2_initial", "wow2_final", "seconds"] {
        let value = summary[key].as_f64().unwrap_or_else(|| panic!("{key}: {summary}"));
        assert!(value.is_finite() && value >= 0.0, "{key}: {summary}");
    }
    assert!(summary["steps"].is_u64() && summary["stop_reason"].is_string(), "{summary}");
    summary
}

/// A number of a summary.
#[track_caller]
pub(crate) fn number(summary: &Value, key: &str) -> f64 {
    summary[key].as_f64().unwrap()
}

/// The lines of `metrics.jsonl` as texts without their clock, so that every bit is compared.
pub(crate) fn metrics(out: &Path) -> Vec<String> {
    let text = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let without_clock = |line: &str| {
        let (head, tail) = line.split_once(",\"seconds\":").unwrap();
        let rest = tail.trim_start_matches(|c: char| c.is_ascii_digit() || ".e-".contains(c));
        assert!(rest == "}" || rest.starts_with(",\""), "{line}");
        format!("{head}{rest}")
    };
    text.lines().map(without_clock).collect()
}

/// The flowed dataset of a run, as anyone would read it.
pub(crate) fn flowed(out: &Path) -> LabeledDataset {
    let path = out.join("flowed.npz");
    load(&path.to_str().unwrap().parse().unwrap(), &LoadOptions::default()).unwrap().dataset
}

/// Everything of two runs that must agree bit for bit.
#[track_caller]
pub(crate) fn assert_same_run(expected: &Path, found: &Path) {
    assert_eq!(metrics(expected), metrics(found));
    for name in ["flowed.npz", "images.png", "flow.gif", "loss.png"] {
        let read = |out: &Path| fs::read(out.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(read(expected) == read(found), "{name} differs");
    }
    // The metrics have a clock, and so their checksum differs.
    let index = |out: &Path| {
        let mut index = json(out.join("frames/frames.json"));
        index["seal"]["metrics"].take();
        index["sha256"].take();
        index
    };
    assert_eq!(index(expected), index(found));
    let frames = |out: &Path| tree(&out.join("frames"));
    assert_eq!(frames(expected), frames(found));
    let (mut expected, mut found) = (summary(expected), summary(found));
    for summary in [&mut expected, &mut found] {
        summary["seconds"].take();
        summary["sha256"].take();
    }
    assert_eq!(expected, found);
}

/// Says that a test is skipped, past the capture of the tests' output.
pub(crate) fn skipping(reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

/// Says that a test is skipped for lack of data; a failure where `WOWFLOW_REQUIRE_DATA` is set.
#[track_caller]
pub(crate) fn without_data(missing: &str) {
    let required =
        std::env::var("WOWFLOW_REQUIRE_DATA").is_ok_and(|value| !["", "0"].contains(&value.as_str()));
    assert!(
        !required,
        "expected {missing}, as WOWFLOW_REQUIRE_DATA is set: put it there, or unset the variable"
    );
    skipping(&format!("no {missing}"));
}
