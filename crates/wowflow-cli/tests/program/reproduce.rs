//! Experiments from files: run, killed, gone on with, refused.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use wowflow_data::{LoadOptions, load};

use crate::support::{Ran, file, folder, json, program, run};

const TINY: &str = r#"
title = "Letters to digits"
task = "transfer"
row-name = "k"
rows = ["1", "3"]
source = "glyphs:letters:3"
target = "glyphs:digits:{row}"
test = "glyphs:digits:4"
resize = "8x8"
network = "mlp"
tries = 2
trainings = 2
epochs = 2

[[methods]]
method = "target-only"
published = { 1 = [90.0, 1.0], 3 = [12.0, 50.0] }

[[methods]]
method = "mmd-sw"
name = "ours"
steps = 4
differs = "4 of 5,000 steps"
published = { 3 = [60.0, 2.0] }

[[methods]]
method = "geodesic"
rows = ["3"]

[quick]
rows = ["1"]
tries = 1
methods = ["target-only"]
"#;

/// Repetitions of all cells: two tries of five.
const ALL: usize = 10;

fn reproduce(folder: &Path, args: &[&str]) -> Ran {
    let mut command = program();
    command.current_dir(folder).arg("reproduce").args(args).stdin(Stdio::null());
    command.output().unwrap().into()
}

/// Results without what depends on the clock, and on the command that made them.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for key in ["move_seconds", "train_seconds", "seconds", "provenance", "sha256"] {
                fields.remove(key);
            }
            fields.values_mut().for_each(|field| *field = timeless(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = timeless(item.take())),
        _ => {}
    }
    value
}

fn results(folder: &Path) -> Value {
    timeless(json(folder.join("results/tiny.json")))
}

#[test]
fn repetitions_of_few_trainings_are_made_whole_later() {
    let folder = folder();
    let folder = folder.path();
    file(folder, "tiny.toml", TINY);
    let page = || fs::read_to_string(folder.join("results/tiny.md")).unwrap();
    reproduce(folder, &["tiny.toml", "--trainings", "1", "--tries", "1"]).ok();
    assert_eq!(page().matches(", 1 try, 1 training in all").count(), ALL / 2, "{}", page());
    let few = results(folder)["repetitions"].take();
    assert!(few.as_array().unwrap().iter().all(|r| r["accuracies"].as_array().unwrap().len() == 1));

    let ran = reproduce(folder, &["tiny.toml"]).ok();
    assert!(ran.stdout.contains("5 of 10 repetitions are there\n"), "{}", ran.stdout);
    assert!(!page().contains("in all"), "{}", page());
    let whole = results(folder)["repetitions"].take();
    assert_eq!(whole.as_array().unwrap().len(), ALL);
    for few in few.as_array().unwrap() {
        let place = |r: &&Value| ["row", "method", "attempt"].iter().all(|key| r[key] == few[key]);
        let found = whole.as_array().unwrap().iter().find(place).unwrap();
        assert_eq!(found["accuracies"].as_array().unwrap().len(), 2);
        assert_eq!((&found["accuracies"][0], &found["data"]), (&few["accuracies"][0], &few["data"]));
    }
    let ran = reproduce(folder, &["tiny.toml", "--trainings", "1"]).ok();
    assert!(ran.stdout.contains("10 of 10 repetitions are there: complete"), "{}", ran.stdout);
    assert_eq!(results(folder)["repetitions"].take(), whole);
}

/// Starts the experiment and kills it once its log has a line.
fn kill_early(folder: &Path, log: &Path) {
    let mut command = program();
    command.current_dir(folder).args(["reproduce", "tiny.toml"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while !fs::read(log).is_ok_and(|bytes| bytes.contains(&b'\n')) {
        assert!(start.elapsed() < Duration::from_secs(60), "no repetition after a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_experiment_comes_to_the_same() {
    let (whole, killed) = (folder(), folder());
    let (whole, killed) = (whole.path(), killed.path());
    for folder in [whole, killed] {
        file(folder, "tiny.toml", TINY);
    }
    let ran = reproduce(whole, &["tiny.toml", "--json"]).ok();
    let expected = results(whole);
    assert_eq!(timeless(ran.json()), expected);
    assert_eq!(expected["repetitions"].as_array().unwrap().len(), ALL);
    for record in expected["repetitions"].as_array().unwrap() {
        assert!(record["seed"].is_u64() && record["revision"].is_string() && record["machine"].is_string());
        assert_eq!(record["data"].as_array().unwrap().len(), 3, "{record}");
        assert_eq!((&record["tested"], record["accuracies"].as_array().unwrap().len()), (&40.into(), 2));
    }
    assert_eq!(expected["cells"][0]["against_published"]["significant"], true);
    assert_eq!(expected["cells"][3]["published"], serde_json::json!([60.0, 2.0]));
    assert!(expected["cells"][3]["against_published"].is_null(), "another protocol");
    // Two panels of 210 pixels and more, beside the names of the methods.
    assert!(image::open(whole.join("results/tiny-by-row.png")).unwrap().width() > 500);

    let log = killed.join("runs/reproduce/tiny/repetitions.jsonl");
    kill_early(killed, &log);
    // As if the kill came in the middle of a line.
    fs::OpenOptions::new().append(true).open(&log).unwrap().write_all(b"{\"row\":\"3\",\"met").unwrap();
    reproduce(killed, &["tiny.toml", "--rows", "1"]).ok();
    let page = fs::read_to_string(killed.join("results/tiny.md")).unwrap();
    for words in
        ["| 3 | not run (12 ± 50) | not run (60 ± 2) | not run |", "of 10 repetitions, made by wowflow"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    let ran = reproduce(killed, &["tiny.toml"]).ok();
    assert!(ran.stdout.contains("of 10 repetitions are there\n"), "{}", ran.stdout);
    assert_eq!(results(killed), expected);
    let page = fs::read_to_string(killed.join("results/tiny.md")).unwrap();
    assert!(
        page.contains("± 2 *)") && page.contains("not the published protocol, 4 of 5,000 steps"),
        "{page}"
    );
    assert!(
        reproduce(killed, &["tiny.toml"]).ok().stdout.contains("10 of 10 repetitions are there: complete")
    );

    // The results alone are enough to go on from.
    fs::remove_dir_all(killed.join("runs")).unwrap();
    assert!(reproduce(killed, &["tiny.toml"]).ok().stdout.contains(": complete"));
    assert_eq!(results(killed), expected);
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), ALL);
}

#[test]
fn results_are_not_lost_to_others() {
    let folder = folder();
    let folder = folder.path();
    file(folder, "tiny.toml", TINY);
    let still = ["tiny.toml", "--methods", "target-only,geodesic"];
    reproduce(folder, &still).ok();
    let before = fs::read(folder.join("results/tiny.json")).unwrap();
    let unchanged = || fs::read(folder.join("results/tiny.json")).unwrap() == before;

    reproduce(folder, &["tiny.toml", "--quick"]).ok();
    assert_eq!(json(folder.join("results/tiny-quick.json"))["repetitions"].as_array().unwrap().len(), 1);
    let page = fs::read_to_string(folder.join("results/tiny-quick.md")).unwrap();
    assert!(page.contains("(quick version)") && unchanged());

    // Another training: none of the repetitions is of this experiment any more.
    file(folder, "tiny.toml", TINY.replace("epochs = 2", "epochs = 1"));
    reproduce(folder, &still).refused("found 6 others");
    assert!(unchanged());
    reproduce(folder, &["tiny.toml", "--methods", "target-only", "--set-aside"]).ok();
    assert_eq!(results(folder)["repetitions"].as_array().unwrap().len(), 4);
    let aside = fs::read_to_string(folder.join("runs/reproduce/tiny/outdated.jsonl")).unwrap();
    assert_eq!(aside.lines().count(), 6);

    // Another method is no other experiment.
    let more = "[[methods]]\nmethod = \"mmd-sw\"\nname = \"published flow\"\npreset = \"published\"\ntau = 1.0\nsteps = 2\n[quick]";
    file(folder, "tiny.toml", TINY.replace("epochs = 2", "epochs = 1").replace("[quick]", more));
    let ran = reproduce(folder, &["tiny.toml", "--methods", "published flow"]).ok();
    assert!(ran.stdout.contains("4 of 14 repetitions are there\n"), "{}", ran.stdout);
    assert_eq!(results(folder)["repetitions"].as_array().unwrap().len(), 8);

    // Files that are no results of an experiment stay.
    file(folder, "other.toml", TINY);
    file(&folder.join("results"), "other.json", "{\"steps\": 3}");
    reproduce(folder, &["other.toml"])
        .refused("expected the results of an experiment in results/other.json, found missing field");
}

#[test]
fn the_few_are_enlarged_alone_and_only_the_tries_that_are_asked_for_are_run() {
    let folder = folder();
    let folder = folder.path();
    let more = "[[methods]]\nmethod = \"target-only\"\nname = \"enlarged\"\nenlarge = 9\n[quick]";
    file(folder, "tiny.toml", TINY.replace("[quick]", more));
    reproduce(folder, &["tiny.toml", "--methods", "target-only,enlarged", "--tries", "1"]).ok();
    let found = results(folder);
    let trained: Vec<(String, u64)> = found["repetitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["method"].as_str().unwrap().to_owned(), r["trained_on"].as_u64().unwrap()))
        .collect();
    let expected = [("target-only", 10), ("target-only", 30), ("enlarged", 90), ("enlarged", 90)];
    assert_eq!(trained.len(), 4);
    for (method, count) in expected {
        assert!(trained.contains(&(method.to_owned(), count)), "{method} {count}: {trained:?}");
    }
}

#[test]
fn curves_stand_beside_published_ones() {
    let folder = folder();
    let folder = folder.path();
    let text = r#"
        title = "Clouds"
        task = "adaptation"
        row-name = "source"
        rows = ["gaussians"]
        source = "{row}:6"
        target = "gaussians:5"
        network = "mlp"
        tries = 2
        training-steps = 300
        every = 2
        same-target = true
        curves = "theirs.json"
        methods = [{ method = "mmd-sw", name = "ours", steps = 5 }, { method = "geodesic" }]
    "#;
    file(folder, "tiny.toml", text);
    reproduce(folder, &["tiny.toml"]).refused("cannot read the published curves");
    let curve = r#"{ "row": "gaussians", "steps": [1, 800], "mean": [0.1, 1.0], "deviation": [0.1, 0.0] }"#;
    file(folder, "theirs.json", format!("{{ \"source\": \"S\", \"curves\": [{curve}] }}"));
    reproduce(folder, &["tiny.toml"]).ok();
    let found = results(folder);
    let reached = found["reached"].as_array().unwrap();
    assert_eq!(reached.len(), 6);
    assert!(reached.iter().all(|reach| reach["published_steps"] == 800.0), "{reached:?}");
    // Exact transport puts every sample on a sample of the target, or on the mean of a few.
    assert_eq!(reached[3]["steps"], 1.0, "{reached:?}");
    let page = fs::read_to_string(folder.join("results/tiny.md")).unwrap();
    assert!(
        page.contains("| gaussians | 95.0 % | 800 steps |") && page.contains("800 times fewer"),
        "{page}"
    );
    for name in ["tiny-steps.png", "tiny-seconds.png"] {
        assert!(image::open(folder.join("results").join(name)).is_ok(), "{name}");
    }
}

#[test]
fn every_experiment_of_the_repository_comes_with_the_program() {
    let listed = run(["reproduce", "--list"]).ok().stdout;
    let experiments = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wowflow-study/experiments");
    let mut count = 0;
    for entry in fs::read_dir(experiments).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // That of the distances is for `wowflow agreement`.
        if path.extension().is_some_and(|end| end == "toml") && name != "distances" {
            assert!(
                listed.lines().any(|line| line.split(' ').next() == Some(name.as_str())),
                "{name}: {listed}"
            );
            count += 1;
        }
    }
    assert_eq!(listed.lines().count(), count, "{listed}");
}

#[test]
fn what_cannot_be_reproduced_is_named() {
    let folder = folder();
    let folder = folder.path();
    file(folder, "tiny.toml", TINY);
    reproduce(folder, &["tiny.toml", "--rows", "1,7"]).refused("expected rows among 1, 3, found 7");
    reproduce(folder, &["tiny.toml", "--methods", "theirs"]).refused("found theirs");
    reproduce(folder, &["transfer-mnist"]).refused("expected one of transfer-mnist-fmnist, ");
    file(folder, "wrong.toml", TINY.replace("trainings", "training"));
    reproduce(folder, &["wrong.toml"]).refused("found on line 12: unknown field `training`");
    file(folder, "wrong.toml", TINY.split("[quick]").next().unwrap());
    reproduce(folder, &["wrong.toml", "--quick"]).refused("expected a [quick] table");
    assert!(!folder.join("results").exists() && !folder.join("runs").exists());
}

#[test]
fn distilled_images_are_clipped_unless_told_not_to() {
    const CLIPPED: &str = r#"
title = "Digits"
task = "distillation"
row-name = "p"
rows = ["2"]
target = "glyphs:digits:6"
test = "glyphs:digits:4"
resize = "8x8"
per-class = "{row}"
network = "mlp"
tries = 1
trainings = 1
epochs = 1

[[methods]]
method = "mean-matching"
name = "clipped"
steps = 3
tau = 40.0

[[methods]]
method = "mean-matching"
name = "as found"
steps = 3
tau = 40.0
clip = false
"#;
    let folder = folder();
    let folder = folder.path();
    file(folder, "digits.toml", CLIPPED);
    reproduce(folder, &["digits.toml"]).ok();
    let values = |name: &str| -> Vec<f32> {
        let path = folder.join(format!("runs/reproduce/digits/samples/2-{name}.npz"));
        let made = load(&path.to_str().unwrap().parse().unwrap(), &LoadOptions::default()).unwrap().dataset;
        made.points().to_vec(0..made.points().len())
    };
    let (clipped, found) = (values("clipped"), values("as-found"));
    assert!(found.iter().any(|x| *x > 1.01) && found.iter().any(|x| *x < -0.01));
    let expected: Vec<f32> = found.iter().map(|x| x.clamp(0.0, 1.0)).collect();
    assert_eq!(clipped, expected);
    let records = json(folder.join("results/digits.json"))["repetitions"].take();
    assert_ne!(records[0]["settings"], records[1]["settings"], "one does not stand in for the other");

    let bad = CLIPPED.replacen("method = \"mean-matching\"", "method = \"random\"", 1).replacen(
        "steps = 3\ntau = 40.0",
        "clip = true",
        1,
    );
    file(folder, "bad.toml", &bad);
    reproduce(folder, &["bad.toml"]).refused("expected clip with distillations that move samples only");
}
