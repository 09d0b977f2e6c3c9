//! The checks in their order.

use std::env::consts::EXE_EXTENSION;
use std::process::Command;
use std::{env, fs, io};

use anyhow::{Context, Result, ensure};

use super::{Ci, Outcome, cargo, flow, succeeds};
use crate::{golden, layers, root, supply};

/// A check.
pub(super) struct Step {
    pub(super) name: &'static str,
    /// What it checks, in a line.
    pub(super) about: &'static str,
    pub(super) run: fn(&Ci) -> Result<Outcome>,
}

/// All of them: what is quick and fails most often comes first.
pub(super) const STEPS: [Step; 16] = [
    Step { name: "fmt", about: "the sources are formatted", run: fmt },
    Step {
        name: "layers",
        about: "imports run downwards, crates keep to their limits of lines",
        run: layers,
    },
    Step {
        name: "clippy",
        about: "no warnings, and nothing newer than the minimum Rust version",
        run: clippy,
    },
    Step { name: "docs", about: "the documentation builds without warnings", run: docs },
    Step {
        name: "msrv",
        about: "the minimum Rust version compiles the workspace, where rustup has it",
        run: msrv,
    },
    Step {
        name: "libraries",
        about: "tests of the libraries, with overflow checks and debug assertions",
        run: libraries,
    },
    Step { name: "program", about: "tests of the program and of xtask, as released", run: program },
    Step { name: "examples", about: "the examples of the libraries run", run: examples },
    Step { name: "small", about: "the program without its optional features", run: small },
    Step { name: "golden", about: "formulas against reference values", run: golden },
    Step {
        name: "differential",
        about: "files of pandas, numpy, scikit-learn and Pillow are read as written; where Python has these",
        run: differential,
    },
    Step {
        name: "flow",
        about: "one dataset flows into another, from the command line to the pictures",
        run: flow,
    },
    Step { name: "package", about: "every published crate makes a package", run: package },
    Step {
        name: "supply",
        about: "sources, checksums, licences and system libraries of dependencies are those that deny.toml allows",
        run: supply,
    },
    Step {
        name: "licences",
        about: "cargo-deny: licences, bans, sources; where it is installed",
        run: licences,
    },
    Step {
        name: "advisories",
        about: "cargo-deny: advisories; where their database can be reached",
        run: advisories,
    },
];

fn fmt(ci: &Ci) -> Result<Outcome> {
    ci.cargo("fmt --all --check")?;
    Ok(Outcome::Passed)
}

fn layers(ci: &Ci) -> Result<Outcome> {
    ci.say("cargo xtask layers");
    ensure!(layers::run()?, "expected no violation");
    Ok(Outcome::Passed)
}

fn clippy(ci: &Ci) -> Result<Outcome> {
    ci.cargo("clippy --workspace --all-targets --release --locked -- -D warnings")?;
    ci.cargo("clippy --workspace --no-default-features --all-targets --release --locked -- -D warnings")?;
    Ok(Outcome::Passed)
}

fn docs(ci: &Ci) -> Result<Outcome> {
    ci.cargo_with("doc --workspace --no-deps --release --locked", &[("RUSTDOCFLAGS", "-D warnings")])?;
    Ok(Outcome::Passed)
}

fn msrv(ci: &Ci) -> Result<Outcome> {
    let version = env!("CARGO_PKG_RUST_VERSION");
    ci.say(&format!("rustup run {version} cargo check --workspace --all-targets --locked"));
    if !succeeds(Command::new("rustup").args(["run", version, "rustc", "--version"])) {
        return Ok(Outcome::Skipped(format!(
            "rustup has no toolchain {version} here; clippy looked at the standard library"
        )));
    }
    // The toolchain of the cargo that runs this would win over the one that is asked for.
    let mut check = Command::new("rustup");
    check.args(["run", version, "cargo", "check", "--workspace", "--all-targets", "--locked"]);
    let status = check.current_dir(root()).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").status()?;
    ensure!(status.success(), "expected Rust {version} to compile the workspace");
    Ok(Outcome::Passed)
}

fn libraries(ci: &Ci) -> Result<Outcome> {
    ci.tests("test --profile checked --workspace --exclude wowflow-cli --exclude xtask --exclude wowflow-book --locked")?;
    Ok(Outcome::Passed)
}

fn program(ci: &Ci) -> Result<Outcome> {
    ci.tests("test --release -p wowflow-cli -p wowflow-book -p xtask --locked")?;
    Ok(Outcome::Passed)
}

fn examples(ci: &Ci) -> Result<Outcome> {
    ci.cargo("build --release --workspace --examples --locked")?;
    let mut examples: Vec<_> = fs::read_dir(root().join("crates"))?
        .filter_map(|folder| fs::read_dir(folder.ok()?.path().join("examples")).ok())
        .flatten()
        .collect::<io::Result<_>>()?;
    // They stand beside this program.
    let built = env::current_exe()?.with_file_name("examples");
    examples.sort_by_key(fs::DirEntry::path);
    ensure!(!examples.is_empty(), "expected examples in crates/*/examples, found none");
    for example in examples {
        let path = example.path();
        let name = path.file_stem().context("expected an example to have a name")?;
        let program = built.join(name).with_extension(EXE_EXTENSION);
        ci.say(&program.display().to_string());
        let status = Command::new(&program).current_dir(ci.scratch.path()).status()?;
        ensure!(status.success(), "expected {} to run", program.display());
    }
    Ok(Outcome::Passed)
}

fn small(ci: &Ci) -> Result<Outcome> {
    ci.tests("test --release -p wowflow-cli --no-default-features --locked --test program without_learn")?;
    Ok(Outcome::Passed)
}

fn golden(ci: &Ci) -> Result<Outcome> {
    ci.say("cargo xtask golden tests/golden");
    ensure!(golden::run(&root().join("tests/golden"))?, "expected no failure");
    Ok(Outcome::Passed)
}

fn differential(ci: &Ci) -> Result<Outcome> {
    let python = env::var_os("WOWFLOW_PYTHON").unwrap_or_else(|| "python3".into());
    let packages = "import numpy, pandas, PIL, scipy, sklearn";
    if !succeeds(Command::new(&python).args(["-c", packages])) {
        return Ok(Outcome::Skipped(format!(
            "differential tests ({} lacks numpy, pandas, pillow, scipy or scikit-learn; WOWFLOW_PYTHON names another)",
            python.display()
        )));
    }
    ci.cargo("build --release -p wowflow-data --example read_datasets --locked")?;
    let reader = env::current_exe()?.with_file_name("examples").join("read_datasets");
    for name in ["tables", "libsvm", "arrays", "images"] {
        let script = root().join("tests/differential").join(name).with_extension("py");
        ci.say(&script.display().to_string());
        let reader = reader.with_extension(EXE_EXTENSION);
        let status = Command::new(&python).arg(&script).env("READ_DATASETS", reader).status()?;
        ensure!(status.success(), "expected {name} to be read as they were written");
    }
    Ok(Outcome::Passed)
}

fn flow(ci: &Ci) -> Result<Outcome> {
    flow::check(ci)?;
    Ok(Outcome::Passed)
}

fn package(ci: &Ci) -> Result<Outcome> {
    ci.cargo(
        "package --workspace --exclude xtask --exclude wowflow-book --no-verify --allow-dirty --locked",
    )?;
    Ok(Outcome::Passed)
}

fn supply(ci: &Ci) -> Result<Outcome> {
    ci.say("cargo xtask supply");
    ensure!(supply::run()?, "expected dependencies that deny.toml allows");
    Ok(Outcome::Passed)
}

fn licences(ci: &Ci) -> Result<Outcome> {
    if !has_deny() {
        return Ok(Outcome::Skipped("licences, bans and sources (cargo-deny is not installed)".into()));
    }
    ci.cargo("deny --locked check --hide-inclusion-graph licenses bans sources")?;
    Ok(Outcome::Passed)
}

fn advisories(ci: &Ci) -> Result<Outcome> {
    if !has_deny() {
        return Ok(Outcome::Skipped("advisories (cargo-deny is not installed)".into()));
    }
    if !succeeds(cargo().args(["deny", "fetch", "db"])) {
        return Ok(Outcome::Skipped("advisories (their database cannot be reached)".into()));
    }
    ci.cargo("deny --locked check --hide-inclusion-graph advisories")?;
    Ok(Outcome::Passed)
}

/// Building cargo-deny takes longer than everything here: it runs where it is installed.
fn has_deny() -> bool {
    succeeds(cargo().args(["deny", "--version"]))
}
