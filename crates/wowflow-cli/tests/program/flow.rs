//! `wowflow flow` from end to end: what it writes, and what it does not depend on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use image::{AnimationDecoder, ImageFormat};
use wowflow::dataset::{Label, Points};
use wowflow::directions::Slicing;
use wowflow::functional::{Functional, MmdSw, SlicingPlan};
use wowflow::kernel::{Kernel, Riesz};
use wowflow::measure::MeasureOverMeasures;
use wowflow_data::npy::{NpyData, read_npy};
use wowflow_data::{LoadOptions, load};

use crate::support::{SMALL, flow, flowed, folder, json, metrics, number, run, summary, tree};

#[test]
fn a_flow_writes_everything_it_promises_and_nothing_else() {
    let folder = folder();
    let out = folder.path().join("deep/down/run");
    let ran = flow(&[&SMALL[..], &["--steps", "12", "--json"]].concat(), &out);
    let printed = ran.json();
    assert!(printed.is_object());
    assert!(ran.stderr.contains("flowing glyphs:letters:6 into glyphs:digits:5"), "{}", ran.stderr);
    let last = ran.stderr.lines().last().unwrap();
    assert_eq!(last, format!("open {}", out.join("images.png").display()));

    let summary = summary(&out);
    for (key, value) in summary.as_object().unwrap().iter().filter(|(key, _)| *key != "sha256") {
        assert_eq!(&printed[key], value, "{key}");
    }
    assert_eq!((summary["steps"].as_u64(), summary["stop_reason"].as_str()), (Some(12), Some("steps_done")));
    assert!(number(&summary, "value_final") < 0.95 * number(&summary, "value_initial"), "{summary}");
    assert!(number(&summary, "wow2_final") < number(&summary, "wow2_initial"), "{summary}");
    assert_eq!(summary["classes"].as_array().unwrap().len(), 10);
    let given: BTreeSet<&str> =
        summary["classes"].as_array().unwrap().iter().map(|c| c["target"].as_str().unwrap()).collect();
    assert_eq!(given, BTreeSet::from(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]));

    let frames = (0..=12).map(|step| format!("frames/step-{step:08}.npy"));
    let expected = "checkpoints checkpoints/step-00000012.npz config.json flow.gif flowed.npz frames \
        frames/frames.json frames/target.npy images.png loss.png metrics.jsonl provenance.json summary.json";
    let expected = expected.split_whitespace().map(str::to_owned).chain(frames).collect::<BTreeSet<_>>();
    assert_eq!(tree(&out), expected);

    let steps: Vec<u64> =
        fs::read_to_string(out.join("metrics.jsonl")).unwrap().lines().map(step_of).collect();
    assert_eq!(steps, (0..=12).collect::<Vec<u64>>());
    the_first_record_is_the_initial_state(&out);
    the_flowed_dataset_reads_back(&out);
    the_papers_are_complete(&out);
    pictures_decode(&out);
}

fn step_of(line: &str) -> u64 {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["step"].as_u64().unwrap()
}

fn the_first_record_is_the_initial_state(out: &Path) {
    let measure = |name: &str| {
        let loaded = load(&name.parse().unwrap(), &LoadOptions::default()).unwrap();
        MeasureOverMeasures::<f32>::from_dataset(&loaded.dataset).unwrap()
    };
    let (p, q) = (measure("glyphs:letters:6"), measure("glyphs:digits:5"));
    let plan = SlicingPlan { slicing: Slicing::Hadamard, count: 64, seed: 0 };
    let mut mmd = MmdSw::new(&p, &q, Kernel::from(Riesz::new(1.0, 0.0).unwrap()), plan).unwrap();
    let mut velocity = vec![0.0; p.points().len()];
    let expected = 2.0 * mmd.evaluate(&p, 0, &mut velocity).value;
    let text = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let found = first["value"].as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-9 * expected, "{found} {expected}");
    let error = first["value_standard_error"].as_f64().unwrap();
    assert!(error > 0.0 && error < 0.5 * found, "{error} {found}");

    let frame = read_npy(out.join("frames/step-00000000.npy")).unwrap();
    let NpyData::F32(frame) = frame.data else { panic!("{frame:?}") };
    assert_eq!(frame, p.points());
}

fn the_flowed_dataset_reads_back(out: &Path) {
    let data = flowed(out);
    assert_eq!((data.len(), data.dim(), data.class_count()), (60, 784, 10));
    assert_eq!(data.classes(), (0..10).map(Label::Int).collect::<Vec<_>>());
    assert!(matches!(data.points(), Points::F32(_)));
    assert!(data.image_shape().is_some() && data.sample_weights().is_none());
    // The last frame is the flowed data: samples of a letter got the label of its digit.
    let frame = read_npy(out.join("frames/step-00000012.npy")).unwrap().to_f64().unwrap();
    assert_eq!(data.row(0), frame[..784]);
    let classes = json(out.join("summary.json"))["classes"].clone();
    for (class, row) in classes.as_array().unwrap().iter().zip((0..60).step_by(6)) {
        assert_eq!(class["target"].as_str().unwrap(), data.label(row).to_string());
    }
}

fn the_papers_are_complete(out: &Path) {
    let config = json(out.join("config.json"));
    assert_eq!(config["source"], "glyphs:letters:6");
    assert_eq!(config["target"], "glyphs:digits:5");
    assert_eq!((&config["functional"], &config["kernel"]["name"]), (&"mmd-sw".into(), &"riesz".into()));
    assert_eq!((config["steps"].as_u64(), config["directions"].as_u64()), (Some(12), Some(64)));
    assert_eq!(config["step_size"], serde_json::json!({ "kind": "adaptive", "first": 1.5 }));
    assert_eq!(
        config["scheme"],
        // 64 directions in dimension 784.
        serde_json::json!({ "name": "heavy-ball", "momentum": 0.7 * (64.0 / 784.0), "momentum_schedule": "linear" })
    );
    for key in
        ["schema", "schedule", "redraw", "slicing", "precision", "seed", "checkpoint_every", "exact_limit"]
    {
        assert!(!config[key].is_null(), "{key}: {config}");
    }
    let provenance = json(out.join("provenance.json"));
    assert_eq!(provenance["version"], env!("CARGO_PKG_VERSION"));
    for key in ["schema", "program", "revision", "platform", "threads", "seed"] {
        assert!(!provenance[key].is_null(), "{key}: {provenance}");
    }
    assert!(provenance["command"].as_array().unwrap().contains(&"glyphs:letters:6".into()));
    assert_eq!(provenance["config_sha256"].as_str().unwrap().len(), 64);
    for (side, samples) in [(0, 60), (1, 50)] {
        assert_eq!(provenance["datasets"][side]["samples"], samples);
        assert_eq!(provenance["datasets"][side]["content_sha256"].as_str().unwrap().len(), 64);
    }
}

/// Decodes every picture of a run of images.
fn pictures_decode(out: &Path) {
    for name in ["images.png", "loss.png"] {
        let bytes = fs::read(out.join(name)).unwrap();
        let picture = image::load_from_memory_with_format(&bytes, ImageFormat::Png).unwrap();
        assert!(picture.width() > 200 && picture.height() > 200, "{name}");
    }
    let bytes = fs::read(out.join("flow.gif")).unwrap();
    let animation = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(bytes)).unwrap();
    let frames = animation.into_frames().collect_frames().unwrap();
    assert!(frames.len() >= 13, "{} frames", frames.len());
    assert!(frames[0].buffer() != frames[12].buffer());
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let folder = folder();
    let runs = ["1", "2", "3"].map(|threads| {
        let out = folder.path().join(threads);
        flow(&[&SMALL[..], &["--steps", "10", "--threads", threads]].concat(), &out);
        assert_eq!(json(out.join("provenance.json"))["threads"].to_string(), threads);
        out
    });
    crate::support::assert_same_run(&runs[0], &runs[1]);
    crate::support::assert_same_run(&runs[0], &runs[2]);
}

#[test]
fn neighbours_are_asked_along_the_flow() {
    let folder = folder();
    let out = folder.path().join("run");
    flow(&[&SMALL[..], &["--steps", "11", "--neighbours-every", "5"]].concat(), &out);
    let summary = summary(&out);
    let along = summary["neighbour_accuracy"].as_array().unwrap();
    let steps: Vec<u64> = along.iter().map(|record| record["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [0, 5, 10, 11]);
    let share = |record: &serde_json::Value| record["accuracy"].as_f64().unwrap();
    assert!(along.iter().map(share).all(|share| (0.0..=1.0).contains(&share)));
    assert!(share(&along[3]) >= share(&along[0]), "{along:?}");
    assert!(image::open(out.join("accuracy.png")).is_ok());
    assert_eq!(summary["pictures"][3], "accuracy.png");
}

#[test]
fn distances_are_taken_along_the_flow() {
    let folder = folder();
    let out = folder.path().join("run");
    flow(&[&SMALL[..], &["--steps", "11", "--distance-every", "5"]].concat(), &out);
    let summary = summary(&out);
    let text = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let records: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let along: Vec<(usize, f64)> =
        records.iter().enumerate().filter_map(|(step, r)| Some((step, r.get("wow2")?.as_f64()?))).collect();
    assert_eq!(along.iter().map(|at| at.0).collect::<Vec<usize>>(), [0, 5, 10, 11]);
    assert_eq!(along[0].1, number(&summary, "wow2_initial"));
    assert_eq!(along[3].1, number(&summary, "wow2_final"));
    assert!(image::open(out.join("distance.png")).is_ok());
    assert_eq!(summary["pictures"][3], "distance.png");
}

#[test]
fn the_seed_changes_the_run() {
    let folder = folder();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    flow(&[&SMALL[..], &["--steps", "2", "--seed", "1"]].concat(), &a);
    flow(&[&SMALL[..], &["--steps", "2", "--seed", "2"]].concat(), &b);
    assert_ne!(metrics(&a)[0], metrics(&b)[0]);
    assert_ne!(flowed(&a), flowed(&b));
}

#[test]
fn no_steps_leave_the_source_as_it_is() {
    let folder = folder();
    let out = folder.path().join("run");
    flow(&[&SMALL[..], &["--steps", "0"]].concat(), &out);
    let summary = summary(&out);
    assert_eq!((summary["steps"].as_u64(), summary["stop_reason"].as_str()), (Some(0), Some("steps_done")));
    assert_eq!(summary["value_initial"], summary["value_final"]);
    assert_eq!(summary["wow2_initial"], summary["wow2_final"]);
    assert_eq!(metrics(&out).len(), 1);
    let source = load(&"glyphs:letters:6".parse().unwrap(), &LoadOptions::default()).unwrap().dataset;
    assert_eq!(flowed(&out).points(), source.points());
}

#[test]
fn a_run_directory_is_never_overwritten() {
    let folder = folder();
    let out = folder.path().join("run");
    fs::create_dir(&out).unwrap();
    // An empty folder is taken, with or without a slash at its end.
    let with_slash = format!("{}/", out.display());
    flow(&[&SMALL[..], &["--steps", "1"]].concat(), Path::new(&with_slash));
    let content =
        || tree(&out).into_iter().map(|name| (fs::read(out.join(&name)).ok(), name)).collect::<Vec<_>>();
    let before = content();
    let again = [&SMALL[..], &["--steps", "2", "--out", &with_slash]].concat();
    run(again).refused("with content: choose another folder, or remove it");
    run(["rings", "--steps", "1", "--out", &with_slash]).refused("with content");
    assert_eq!(content(), before);
}

#[test]
fn runs_without_a_name_get_one_of_their_own() {
    let folder = folder();
    let start = || {
        let mut command = crate::support::program();
        command.current_dir(folder.path()).args(&SMALL[..]).args(["--steps", "1"]);
        command.output().unwrap()
    };
    for _ in 0..2 {
        assert!(start().status.success());
    }
    let runs = tree(&folder.path().join("runs"));
    for name in ["glyphs-letters-6-to-glyphs-digits-5", "glyphs-letters-6-to-glyphs-digits-5-2"] {
        assert!(runs.contains(name), "{runs:?}");
    }
}
