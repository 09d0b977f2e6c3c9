//! The programs that are run: our bench, a virtual environment, the scripts of `benches/peers`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::root;

/// What the scripts import.
const PACKAGES: [&str; 6] = ["numpy", "scipy", "pot", "jax", "ott-jax", "lapx"];

/// What takes some 5 GB on Linux, and is installed when asked for.
const TORCH: [&str; 2] = ["torch", "geomloss"];

/// A script of `benches/peers`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Peer {
    Numpy,
    Pot,
    Jax,
    Exact,
    Entropic,
}

impl Peer {
    pub(super) const ALL: [Self; 5] = [Self::Numpy, Self::Pot, Self::Jax, Self::Exact, Self::Entropic];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Numpy => "numpy",
            Self::Pot => "pot",
            Self::Jax => "jax",
            Self::Exact => "exact",
            Self::Entropic => "entropic",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Numpy => "numpy_matmul.py",
            Self::Pot => "pot_sliced.py",
            Self::Jax => "jax_step.py",
            Self::Exact => "exact.py",
            Self::Entropic => "entropic.py",
        }
    }

    /// Whether it solves the problems that our bench saved.
    fn reads_data(self) -> bool {
        matches!(self, Self::Exact | Self::Entropic)
    }
}

/// A folder for what is needed once, beside what cargo builds; removed when dropped.
pub(super) struct Environment {
    folder: PathBuf,
}

impl Drop for Environment {
    fn drop(&mut self) {
        // What stays behind is cleared by the next run.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Environment {
    /// A new virtual environment with the packages from PyPI.
    pub(super) fn create(python: &str, torch: bool) -> Result<Self> {
        let environment = Self { folder: scratch("peers-venv")? };
        let mut venv = Command::new(python);
        run("create a virtual environment", venv.args(["-m", "venv", "--clear"]).arg(&environment.folder))?;
        let mut pip = environment.python();
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES);
        if torch {
            pip.args(TORCH);
        }
        // Pip tells of trouble on standard error, which is passed on.
        run("install what the scripts import from PyPI", &mut pip)?;
        Ok(environment)
    }

    fn python(&self) -> Command {
        let python = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        let mut command = Command::new(self.folder.join(python));
        command.env_remove("PYTHONPATH").env("PYTHONNOUSERSITE", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Where our bench saves the problems that others solve too.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The JSON object that a script prints for these sizes.
    pub(super) fn measure(&self, peer: Peer, sizes: &[Vec<u64>], threads: u64, quick: bool) -> Result<Value> {
        let mut command = self.python();
        command.arg(root().join("benches/peers").join(peer.script()));
        command.arg("--threads").arg(threads.to_string());
        for size in sizes {
            let numbers: Vec<String> = size.iter().map(u64::to_string).collect();
            command.arg("--size").arg(numbers.join(","));
        }
        if quick {
            command.arg("--quick");
        }
        if peer.reads_data() {
            command.arg("--data").arg(self.data());
        }
        let step = format!("run {}", peer.script());
        let output = run(&step, command.stdout(Stdio::piped()))?;
        serde_json::from_slice(&output)
            .with_context(|| format!("step `{step}` failed: expected one JSON object on its standard output"))
    }
}

/// How long our benches take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    Whole,
    /// Few rounds, all sizes.
    Short,
    /// Small sizes: does it run at all?
    Quick,
}

/// What our benches write, as one JSON object: steps, steps of classes of unequal sizes, transport.
pub(crate) fn ours(pace: Pace, threads: Option<usize>, save: Option<&Path>) -> Result<Value> {
    let rounds = |rounds: &'static str| match pace {
        Pace::Whole => vec![],
        Pace::Short => vec!["--rounds", rounds],
        Pace::Quick => vec!["--quick"],
    };
    let mut found = bench("step", &rounds("7"), threads, None)?;
    for more in [
        bench("step", &[vec!["--ragged"], rounds("5")].concat(), threads, None)?,
        bench("transport", &rounds("3"), threads, save)?,
    ] {
        for (name, value) in more.as_object().into_iter().flatten() {
            if found.get(name).is_none() {
                found[name] = value.clone();
            }
        }
    }
    Ok(found)
}

/// The JSON object that one of our benches writes.
fn bench(name: &str, words: &[&str], threads: Option<usize>, save: Option<&Path>) -> Result<Value> {
    let step = format!("run our bench `{}`", [&[name], words].concat().join(" "));
    let file = scratch("bench-ours.json")?;
    if file.exists() {
        std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(["bench", "-p", "wowflow", "--bench", name, "--"]);
    command.args(words).arg("--json").arg(&file);
    if let Some(threads) = threads {
        command.arg("--threads").arg(threads.to_string());
    }
    if let Some(folder) = save {
        command.arg("--save").arg(folder);
    }
    run(&step, &mut command)?;
    let bytes = std::fs::read(&file)
        .with_context(|| format!("step `{step}` failed: expected it to write {}", file.display()))?;
    std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("step `{step}` failed: {} is not JSON", file.display()))
}

/// A path in the folder where cargo puts what it builds: above the one of this program.
fn scratch(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let target = program.ancestors().nth(2).with_context(|| {
        format!("expected this program in a folder of cargo's, found {}", program.display())
    })?;
    Ok(target.join(name))
}

/// Runs a program to its end; its standard output, where that is piped.
fn run(step: &str, command: &mut Command) -> Result<Vec<u8>> {
    eprintln!("== {step}");
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::null()).stderr(Stdio::inherit()).spawn();
    let output = child
        .and_then(std::process::Child::wait_with_output)
        .with_context(|| format!("step `{step}` failed: cannot run `{program}`"))?;
    ensure!(
        output.status.success(),
        "step `{step}` failed: expected success of `{program}`, found {}",
        output.status
    );
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named() {
        let message =
            run("look", &mut Command::new("no-such-program-here")).expect_err("missing").to_string();
        assert!(message.contains("step `look` failed: cannot run `no-such-program-here`"), "{message}");
    }

    #[test]
    fn every_script_is_there() {
        for peer in Peer::ALL {
            assert!(root().join("benches/peers").join(peer.script()).is_file(), "{}", peer.script());
        }
    }
}
