//! What commands print, word by word, for people and with `--json`: `snapshots/` has it without clocks and paths.
//!
//! Three digits of what is computed in double precision are the same on any processor. Networks are trained in single
//! precision, and a prediction may tip over: of their accuracies one digit is compared.

use std::path::Path;

use crate::snapshot::stable;
use crate::support::{file, folder, run};

/// Runs a command twice, once for each kind of output, each into a folder of its own where it takes one.
#[track_caller]
fn prints(name: &str, args: &[&str], folder: &Path, out: bool) {
    let digits = if ["adapt", "transfer", "distill"].contains(&name) { 1 } else { 3 };
    for (kind, json) in [("text", None), ("json", Some("--json"))] {
        let mut args: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
        args.extend(json.map(str::to_owned));
        if out {
            let place = folder.join(kind);
            args.extend(["--out".to_owned(), place.to_str().unwrap().to_owned()]);
        }
        let ran = run(&args).ok();
        insta::assert_snapshot!(format!("{name}-{kind}"), stable(&ran.stdout, folder, digits));
    }
}

#[cfg(feature = "learn")]
const CLOUD: &str = "gaussians:4";
const RINGS: &str = "rings:6";
const SOURCE: &str = "rings:source:5";

#[test]
fn flow() {
    let folder = folder();
    let args = [
        "flow",
        "--source",
        SOURCE,
        "--target",
        RINGS,
        "--steps",
        "5",
        "--directions",
        "16",
        "--precision",
        "f64",
    ];
    prints("flow", &args, folder.path(), true);
}

#[test]
fn distance() {
    let folder = folder();
    prints("distance", &["distance", SOURCE, RINGS, "--precision", "f64"], folder.path(), false);
    let sliced =
        ["distance", SOURCE, RINGS, "--method", "mmd-sw", "--directions", "20", "--precision", "f64"];
    prints("distance-mmd-sw", &sliced, folder.path(), false);
}

#[test]
fn pairwise() {
    let folder = folder();
    prints("pairwise", &["pairwise", SOURCE, RINGS, "rings:4", "--precision", "f64"], folder.path(), true);
}

#[test]
fn geodesic() {
    let folder = folder();
    prints("geodesic", &["geodesic", SOURCE, RINGS, "--times", "3"], folder.path(), true);
}

#[test]
fn barycenter() {
    let folder = folder();
    prints("barycenter", &["barycenter", SOURCE, RINGS], folder.path(), true);
}

#[test]
fn rings() {
    let folder = folder();
    prints("rings", &["rings", "--steps", "3", "--samples", "4"], folder.path(), true);
}

#[test]
fn info() {
    let folder = folder();
    prints("info", &["info", "glyphs:digits:2", "--no-sheet"], folder.path(), false);
}

#[test]
fn agreement() {
    let folder = folder();
    let content = r#"
title = "Tiny"
datasets = ["gaussians:9", "moons:9"]
seed = 3
directions = 40
references = ["wow"]

[pairs]
count = 4
classes = [1, 1]
samples = [2, 4]
same-set = "disjoint"

[[methods]]
method = "wow"

[[methods]]
method = "mmd-sw"
kernel = "gaussian"
bandwidth = 1
"#;
    let file = file(folder.path(), "tiny.toml", content);
    prints("agreement", &["agreement", &file], folder.path(), true);
}

#[cfg(feature = "learn")]
#[test]
fn reproduce() {
    let folder = folder();
    prints("reproduce", &["reproduce", "--list"], folder.path(), false);
}

#[cfg(feature = "learn")]
#[test]
fn transfer() {
    let folder = folder();
    let args = ["transfer", "--source", CLOUD, "--target", "gaussians:3", "--steps", "2"];
    prints("transfer", &[&args[..], &SHORT].concat(), folder.path(), true);
}

#[cfg(feature = "learn")]
#[test]
fn adapt() {
    let folder = folder();
    let args = ["adapt", "--source", CLOUD, "--target", "gaussians:3", "--steps", "2", "--tries", "1"];
    prints("adapt", &[&args[..], &["--training-steps", "40"]].concat(), folder.path(), true);
}

#[cfg(feature = "learn")]
#[test]
fn distill() {
    let folder = folder();
    let args = ["distill", "gaussians:9", "--per-class", "2", "--steps", "2"];
    prints("distill", &[&args[..], &SHORT].concat(), folder.path(), true);
}

/// Trainings of an instant.
#[cfg(feature = "learn")]
const SHORT: [&str; 6] = ["--tries", "1", "--trainings", "1", "--epochs", "10"];
