//! `cargo xtask ci`: every check of the repository, each by a name that can be given alone.

mod flow;
mod steps;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::root;
use steps::{STEPS, Step};

/// How a step ended, short of a failure.
enum Outcome {
    Passed,
    /// It could not be made here, for this reason.
    Skipped(String),
}

/// The checks as they run.
struct Ci {
    started: Instant,
    scratch: tempfile::TempDir,
}

/// Runs the named checks in their order, all without names; true when none failed. The first failure ends them.
pub(crate) fn run(names: &[&str]) -> Result<bool> {
    if names == ["--list"] {
        STEPS.iter().for_each(|step| println!("{:<12} {}", step.name, step.about));
        return Ok(true);
    }
    if let Some(name) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        bail!("expected checks out of {}, found `{name}`", known.join(", "));
    }
    let chosen: Vec<&Step> =
        STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)).collect();
    let ci = Ci { started: Instant::now(), scratch: tempfile::tempdir()? };
    let mut times = Vec::new();
    for step in chosen {
        let before = ci.started.elapsed();
        let outcome = (step.run)(&ci);
        let seconds = (ci.started.elapsed() - before).as_secs();
        match outcome {
            Ok(Outcome::Passed) => times.push(format!("{} {seconds} s", step.name)),
            Ok(Outcome::Skipped(reason)) => {
                println!("SKIPPED: {reason}");
                times.push(format!("{} skipped", step.name));
            }
            Err(error) => {
                println!("\n{}: {error:#}\nCI: FAILED after {} s", step.name, ci.seconds());
                return Ok(false);
            }
        }
    }
    println!("\n{}\nCI: passed in {} s", times.join(", "), ci.seconds());
    Ok(true)
}

impl Ci {
    fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// Opens a part of the record.
    fn say(&self, text: &str) {
        println!("\n== [{:>4}s] {text}", self.seconds());
    }

    /// Runs cargo with words that are parted by spaces.
    fn cargo(&self, words: &str) -> Result<()> {
        self.cargo_with(words, &[])
    }

    /// Runs cargo under more variables of the environment.
    fn cargo_with(&self, words: &str, variables: &[(&str, &str)]) -> Result<()> {
        let settings: String = variables.iter().map(|(name, value)| format!("{name}={value:?} ")).collect();
        self.say(&format!("{settings}cargo {words}"));
        let status = cargo().args(words.split_whitespace()).envs(variables.iter().copied()).status();
        ensure!(status.context("cannot run cargo")?.success(), "cargo {words} failed");
        Ok(())
    }

    /// Runs tests: snapshots are compared and never rewritten, and data that should be there must be.
    fn tests(&self, words: &str) -> Result<()> {
        let mut variables = vec![("INSTA_UPDATE", "no"), ("INSTA_FORCE_PASS", "0")];
        let found = data();
        if let Some(folder) = found.as_ref().and_then(|folder| folder.to_str()) {
            variables.push(("WOWFLOW_DATA", folder));
            if std::env::var_os("WOWFLOW_REQUIRE_DATA").is_none() {
                variables.push(("WOWFLOW_REQUIRE_DATA", "1"));
            }
        }
        self.cargo_with(words, &variables)
    }
}

/// Cargo, from the root of the repository.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Whether a command can be run and succeeds, in silence.
fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// The folder of the published datasets, where there is one.
fn data() -> Option<PathBuf> {
    let named: Option<OsString> = std::env::var_os("WOWFLOW_DATA");
    let folder = named.map_or_else(|| root().join("../shared/data"), PathBuf::from);
    folder.canonicalize().ok().filter(|folder| folder.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_checks_differ_and_unknown_ones_are_refused() {
        for (at, step) in STEPS.iter().enumerate() {
            assert!(STEPS[..at].iter().all(|other| other.name != step.name), "{}", step.name);
        }
        assert!(run(&["clipy"]).unwrap_err().to_string().contains("found `clipy`"));
    }
}
