//! `wowflow geodesic` and `wowflow barycenter`: what they write, how exact it is, and what they refuse.

use std::fs;
use std::path::Path;

use serde_json::Value;
use wowflow::dataset::{Label, LabeledDataset, Points};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::wow::wow2;
use wowflow_data::npy::{NpyData, read_npz};
use wowflow_data::{LoadOptions, load, write_npz_dataset};

use crate::support::{Ran, file, folder, json, number, run, tree};

fn read(path: impl AsRef<Path>) -> LabeledDataset {
    let name = path.as_ref().to_str().unwrap().parse().unwrap();
    load(&name, &LoadOptions::default()).unwrap().dataset
}

fn generated(name: &str) -> LabeledDataset {
    load(&name.parse().unwrap(), &LoadOptions::default()).unwrap().dataset
}

fn measure(data: &LabeledDataset) -> MeasureOverMeasures<f64> {
    MeasureOverMeasures::from_dataset(data).unwrap()
}

/// A dataset in the plane: points with labels.
fn points(rows: &[([f64; 2], i64)]) -> LabeledDataset {
    let points = rows.iter().flat_map(|(point, _)| *point).collect();
    let labels = rows.iter().map(|(_, label)| Label::Int(*label)).collect();
    LabeledDataset::new(Points::F64(points), 2, labels).unwrap()
}

/// The rings, moved.
fn translated(by: [f64; 2]) -> LabeledDataset {
    let rings = generated("rings:12");
    let rows = 0..rings.len();
    let moved = rows.clone().flat_map(|row| {
        let x = rings.row(row);
        [x[0] + by[0], x[1] + by[1]]
    });
    let labels = rows.map(|row| rings.label(row).clone()).collect();
    LabeledDataset::new(Points::F64(moved.collect()), 2, labels).unwrap()
}

fn saved(folder: &Path, name: &str, data: &LabeledDataset) -> String {
    let path = folder.join(name);
    write_npz_dataset(&path, data, &[]).unwrap();
    path.to_str().unwrap().to_owned()
}

#[track_caller]
fn into_folder(command: &str, args: &[&str], out: &Path) -> Ran {
    run([&[command], args, &["--out", out.to_str().unwrap()]].concat()).ok()
}

/// An array of whole numbers in an archive.
fn rows(path: &Path, name: &str) -> Vec<i64> {
    let arrays = read_npz(path).unwrap();
    let (_, array) = arrays.into_iter().find(|(found, _)| found == name).unwrap();
    let NpyData::I64(values) = array.data else { panic!("{name}") };
    values
}

#[test]
fn halfway_to_translated_rings_is_half_the_translation() {
    let folder = folder();
    let moved = saved(folder.path(), "moved.npz", &translated([2.0, 1.0]));
    let out = folder.path().join("run");
    let ran = into_folder("geodesic", &["rings:12", &moved, "--times", "0,0.5,1", "--json"], &out);

    let halfway = read(out.join("interpolation-001.npz"));
    let expected = translated([1.0, 0.5]);
    assert_eq!(halfway.classes(), ["0->0", "1->1", "2->2"].map(Label::from));
    assert!(halfway.sample_weights().is_none() && halfway.class_weights().is_none());
    for row in 0..expected.len() {
        let miss =
            halfway.row(row).iter().zip(expected.row(row)).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(miss < 1e-14, "{row}");
    }
    assert_eq!(read(out.join("interpolation-000.npz")), generated("rings:12"));
    assert_eq!(read(out.join("interpolation-002.npz")), translated([2.0, 1.0]));

    let mut summary = json(out.join("summary.json"));
    assert!((number(&summary, "wow2") - 5.0).abs() < 1e-12, "{summary}");
    assert!(summary["constant_speed"]["worst"].as_f64().unwrap() < 1e-12, "{summary}");
    assert_eq!(summary["constant_speed"]["segments"].as_array().unwrap().len(), 2);
    assert_eq!(summary["end_points"]["exact"], true);
    assert_eq!(summary["unique"]["overall"], true, "{summary}");
    for (class, pair) in summary["classes"].as_array().unwrap().iter().enumerate() {
        assert_eq!(
            (&pair["source"], &pair["target"]),
            (&class.to_string().into(), &class.to_string().into())
        );
        assert!(
            (number(pair, "cost") - 5.0).abs() < 1e-12 && (number(pair, "mass") - 1.0 / 3.0).abs() < 1e-15
        );
    }
    let mut printed = ran.json();
    assert_eq!(printed["out"].take(), out.to_str().unwrap());
    printed.as_object_mut().unwrap().remove("out");
    assert_eq!(summary.take(), printed);
    assert!(
        ran.stderr.lines().last().unwrap().ends_with(&format!("open {}", out.join("geodesic.png").display()))
    );
}

#[test]
fn a_geodesic_writes_everything_it_promises_and_nothing_else() {
    let folder = folder();
    let out = folder.path().join("deep/run");
    into_folder("geodesic", &["glyphs:letters:4", "glyphs:digits:4", "--times", "3"], &out);
    let names = "classes.png config.json geodesic.gif geodesic.png interpolation-000.npz interpolation-001.npz \
        interpolation-002.npz provenance.json summary.json";
    assert_eq!(tree(&out).into_iter().collect::<Vec<_>>(), names.split_whitespace().collect::<Vec<_>>());
    for name in ["classes.png", "geodesic.png", "geodesic.gif"] {
        let picture = image::open(out.join(name)).unwrap();
        assert!(picture.width() > 200 && picture.height() > 200, "{name}");
    }
    let config = json(out.join("config.json"));
    assert_eq!(config["times"], serde_json::json!([0.0, 0.5, 1.0]));
    assert_eq!((&config["precision"], &config["check"]), (&"f32".into(), &true.into()));
    let provenance = json(out.join("provenance.json"));
    assert_eq!(
        (&provenance["datasets"][0]["samples"], &provenance["datasets"][1]["samples"]),
        (&40.into(), &40.into())
    );
    let summary = json(out.join("summary.json"));
    assert_eq!(summary["pictures"], serde_json::json!(["geodesic.png", "geodesic.gif", "classes.png"]));
    assert!(summary["constant_speed"]["worst"].as_f64().unwrap() < 1e-9, "{summary}");

    // Every sample stands between those it comes from and goes to; images stay images.
    let (source, target) = (generated("glyphs:letters:4"), generated("glyphs:digits:4"));
    let path = out.join("interpolation-001.npz");
    let halfway = read(&path);
    assert_eq!((halfway.len(), halfway.class_count(), halfway.image_shape()), (40, 10, source.image_shape()));
    let (from, to) = (rows(&path, "source_row"), rows(&path, "target_row"));
    for row in 0..halfway.len() {
        let (from, to) = (from[row] as usize, to[row] as usize);
        assert_eq!(halfway.label(row).to_string(), format!("{}->{}", source.label(from), target.label(to)));
        let mean =
            source.row(from).iter().zip(target.row(to)).map(|(x, y)| (x + y) / 2.0).collect::<Vec<_>>();
        let miss = halfway.row(row).iter().zip(mean).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(miss < 1e-6, "{row}: {miss}");
    }
    assert_eq!(read(out.join("interpolation-000.npz")), source);
    assert_eq!(rows(&out.join("interpolation-000.npz"), "source_row"), (0..40).collect::<Vec<i64>>());
    assert_eq!(rows(&out.join("interpolation-002.npz"), "source_row"), [-1; 40]);
}

/// Sizes that do not divide one another, three classes to two, weights of samples and classes.
#[test]
fn mass_that_splits_survives_the_way_through_files() {
    let folder = folder();
    let p = points(&[
        ([0.0, 0.0], 4),
        ([9.0, 9.0], 7),
        ([1.0, 0.0], 4),
        ([0.0, 2.0], 4),
        ([8.0, 9.0], 7),
        ([4.0, 4.0], 5),
    ]);
    let p = p.with_sample_weights(vec![1.0, 2.0, 3.0, 4.0, 1.0, 0.5]).unwrap();
    let p = p.with_class_weights(vec![0.45, 0.3, 0.25]).unwrap();
    let q = points(&[([0.0, 1.0], 10), ([1.0, 2.0], 2), ([7.0, 8.0], 10), ([5.0, 5.0], 2), ([2.0, 2.0], 2)]);
    let (a, b) = (saved(folder.path(), "p.npz", &p), saved(folder.path(), "q.npz", &q));
    let out = folder.path().join("run");
    into_folder("geodesic", &[&a, &b, "--times", "0,0.25,1"], &out);
    assert_eq!(read(out.join("interpolation-000.npz")), p);
    assert_eq!(read(out.join("interpolation-002.npz")), q);
    let summary = json(out.join("summary.json"));
    assert_eq!(summary["end_points"]["exact"], true, "{summary}");
    assert!(number(&summary["end_points"], "mass_error") < 1e-15, "{summary}");

    let quarter = read(out.join("interpolation-001.npz"));
    assert!(quarter.sample_weights().is_some() && quarter.class_weights().is_some());
    let pairs = summary["classes"].as_array().unwrap();
    assert_eq!((pairs.len(), quarter.class_count()), (4, 4), "{summary}");
    for pair in pairs {
        let label = format!("{}->{}", pair["source"].as_str().unwrap(), pair["target"].as_str().unwrap());
        let class = quarter.classes().iter().position(|known| known.to_string() == label).unwrap();
        assert!((quarter.class_weights().unwrap()[class] - number(pair, "mass")).abs() < 1e-15);
        assert_eq!(quarter.class_rows(class).len() as u64, pair["particles"].as_u64().unwrap());
    }
    // What was written and read again lies a quarter of the way, and so says the program.
    let whole = wow2(&measure(&p), &measure(&q)).unwrap();
    let (from, to) = (measure(&p), measure(&quarter));
    assert!((wow2(&from, &to).unwrap() - 0.25 * whole).abs() < 1e-12 * whole);
    assert!((wow2(&to, &measure(&q)).unwrap() - 0.75 * whole).abs() < 1e-12 * whole);
    let quarter = out.join("interpolation-001.npz").to_str().unwrap().to_owned();
    let info = run(["info", &quarter, "--no-sheet", "--json"]).ok().json();
    assert_eq!((&info["weighted"], info["classes"].as_array().unwrap().len()), (&true.into(), 4));
    let again = folder.path().join("again");
    into_folder("geodesic", &[&quarter, &b, "--times", "0.5"], &again);
    let summary = json(again.join("summary.json"));
    assert!((number(&summary, "wow2").sqrt() - 0.75 * whole).abs() < 1e-12 * whole);
    let halfway = read(again.join("interpolation-000.npz"));
    assert!(
        halfway.classes().iter().all(|label| label.to_string().starts_with('(')),
        "{:?}",
        halfway.classes()
    );
    let flowed = folder.path().join("flowed");
    into_folder("flow", &["--source", &quarter, "--target", &b, "--steps", "2"], &flowed);
}

#[test]
fn the_curve_without_splits_keeps_samples_and_takes_labels_of_the_target() {
    let folder = folder();
    let out = folder.path().join("run");
    let args = ["glyphs:letters:5", "glyphs:digits:7", "--barycentric", "--times", "0.0,1.0"];
    let ran = into_folder("geodesic", &args, &out);
    assert!(ran.stdout.contains("an approximation"), "{}", ran.stdout);
    let summary = json(out.join("summary.json"));
    let (source, target) = (generated("glyphs:letters:5"), generated("glyphs:digits:7"));
    let (start, end) = (read(out.join("interpolation-000.npz")), read(out.join("interpolation-001.npz")));
    assert_eq!(start.points(), source.points());
    assert_eq!((end.len(), end.classes()), (50, target.classes()));
    let matched = |label: &str| {
        let pairs = summary["classes"].as_array().unwrap().iter();
        let of_class = pairs.filter(|pair| pair["source"] == label);
        of_class.max_by(|a, b| number(a, "mass").total_cmp(&number(b, "mass"))).unwrap()["target"].clone()
    };
    for row in 0..source.len() {
        assert_eq!(matched(&source.label(row).to_string()), end.label(row).to_string());
    }
    assert_eq!(rows(&out.join("interpolation-001.npz"), "source_row"), (0..50).collect::<Vec<i64>>());
    // It falls short of the target by no more than it says.
    let missing = wow2(&measure(&end), &measure(&target)).unwrap().powi(2);
    let spread = number(&summary, "barycentric_spread");
    assert!(0.0 < missing && missing <= spread * (1.0 + 1e-6), "{missing} {spread}");
    assert!(spread < 0.5 * number(&summary, "wow2"), "{summary}");
    assert!(summary["constant_speed"].is_null());
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let folder = folder();
    let args = ["moons:9", "gaussians:7", "--times", "4", "--threads"];
    let runs = ["1", "3"].map(|threads| {
        let out = folder.path().join(threads);
        into_folder("geodesic", &[&args[..], &[threads]].concat(), &out);
        out
    });
    for name in
        tree(&runs[0]).into_iter().filter(|name| !name.ends_with("e.json") && !name.ends_with("y.json"))
    {
        assert!(fs::read(runs[0].join(&name)).unwrap() == fs::read(runs[1].join(&name)).unwrap(), "{name}");
    }
}

#[test]
fn a_dataset_is_where_it_is() {
    let folder = folder();
    let out = folder.path().join("run");
    into_folder("geodesic", &["moons:6", "moons:6", "--times", "0.5"], &out);
    let summary = json(out.join("summary.json"));
    assert_eq!(number(&summary, "wow2"), 0.0);
    assert_eq!(read(out.join("interpolation-000.npz")).points(), generated("moons:6").points());
    // Points in space have no pictures of their ways.
    let line = file(folder.path(), "line.csv", "1,2.5,3,a\n2,3,1,b\n4,4,4,b\n");
    let out = folder.path().join("space");
    into_folder("geodesic", &[&line, &line, "--no-check"], &out);
    assert!(!out.join("geodesic.png").exists() && out.join("classes.png").exists());
    assert!(json(out.join("summary.json"))["constant_speed"].is_null());
    let out = folder.path().join("mean");
    let ran = into_folder("barycenter", &[&line, &line], &out);
    assert!(ran.stdout.contains("objective.png"), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_done_is_refused_and_leaves_nothing() {
    let folder = folder();
    let out = folder.path().join("run");
    let out_text = out.to_str().unwrap();
    let five = file(folder.path(), "five.csv", "1,2,3,4,5,a\n2,3,4,5,6,b\n");
    let wide = LabeledDataset::new(Points::F32(vec![0.5; 784]), 784, vec![Label::Int(0)]).unwrap();
    let shape = wowflow::dataset::ImageShape { width: 56, height: 14, channels: 1 };
    let wide = saved(folder.path(), "wide.npz", &wide.with_image_shape(shape).unwrap());
    let cases: [(&str, &[&str], &str); 11] = [
        ("geodesic", &["rings:5", &five], "expected datasets of the same dimension, found 2 (rings:5) and 5"),
        ("geodesic", &["glyphs:digits:2", &wide], "expected images of the same shape, found 28x28x1"),
        ("geodesic", &["rings:9", "rings:5", "--exact-limit", "8"], "expected at most 8 samples a class"),
        ("barycenter", &["rings:9", "rings:5", "--exact-limit", "8"], "raise the exact limit"),
        ("barycenter", &["rings:5", &five], "embed all in a shared space first"),
        (
            "barycenter",
            &["rings:5", "moons:5", "--weights", "1"],
            "expected 2 weights, one a dataset, found 1",
        ),
        (
            "barycenter",
            &["rings:5", "moons:5", "--weights", "1,-1"],
            "expected finite weights of at least 0 with a positive sum, found 1,-1",
        ),
        (
            "barycenter",
            &["rings:5", "moons:5", "--start", "rings:6"],
            "expected one of the datasets as start, found rings:6",
        ),
        ("barycenter", &["rings:5", "moons:5", "--weights", "0,0"], "with a positive sum, found 0,0"),
        (
            "barycenter",
            &["rings:5", "moons:5", "--weights", "0,1", "--start", "rings:5"],
            "expected a dataset of positive weight as start",
        ),
        ("barycenter", &["rings:5", "--tolerance", "nan"], "expected a tolerance of at least 0, found NaN"),
    ];
    for (command, args, message) in cases {
        run([&[command], args, &["--out", out_text]].concat()).refused(message);
        assert!(!out.exists(), "{command} {args:?}");
    }
    for args in [
        &["geodesic", "rings:5", "rings:5", "--times", "1"][..],
        &["geodesic", "rings:5", "rings:5", "--times", "0,2"],
        &["geodesic", "rings:5", "rings:5", "--check", "--barycentric"],
        &["barycenter"],
        &["barycenter", "rings:5", "--classes", "0"],
    ] {
        assert_eq!(run(args).code, Some(2), "{args:?}");
    }
    fs::create_dir(&out).unwrap();
    fs::write(out.join("mine.txt"), "mine").unwrap();
    for command in ["geodesic", "barycenter"] {
        run([command, "rings:5", "rings:5", "--out", out_text])
            .refused("with content: choose another folder");
    }
    assert_eq!(tree(&out).into_iter().collect::<Vec<_>>(), ["mine.txt"]);
}

#[test]
fn the_barycenter_of_translated_rings_is_between_them() {
    let folder = folder();
    let moved = saved(folder.path(), "moved.npz", &translated([4.0, 0.0]));
    let out = folder.path().join("run");
    let ran = into_folder("barycenter", &["rings:12", &moved, "--weights", "3,1", "--json"], &out);
    let (mean, expected) = (read(out.join("barycenter.npz")), translated([1.0, 0.0]));
    assert_eq!(mean.classes(), ["0+0", "1+1", "2+2"].map(Label::from));
    assert!(wow2(&measure(&mean), &measure(&expected)).unwrap() < 1e-12);
    let summary = json(out.join("summary.json"));
    assert!((number(&summary, "objective") - 3.0).abs() < 1e-12, "{summary}");
    assert!((number(&summary, "lower_bound") - 3.0).abs() < 1e-12, "{summary}");
    assert_eq!(summary["weights"], serde_json::json!([0.75, 0.25]));
    assert_eq!(summary["couplings"].as_array().unwrap().len(), 2);
    let mut printed = ran.json();
    printed.as_object_mut().unwrap().remove("out");
    assert_eq!(printed, summary);

    let names =
        "barycenter.npz barycenter.png config.json metrics.jsonl objective.png provenance.json summary.json";
    assert_eq!(tree(&out).into_iter().collect::<Vec<_>>(), names.split_whitespace().collect::<Vec<_>>());
    assert_eq!(json(out.join("provenance.json"))["datasets"].as_array().unwrap().len(), 2);
    let metrics = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let steps: Vec<Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(steps.len() as u64, summary["iterations"].as_u64().unwrap() + 1);
    assert!(steps.windows(2).all(|pair| number(&pair[1], "objective") <= number(&pair[0], "objective")));
    assert_eq!(steps[steps.len() - 1]["objective"], summary["objective"]);
}

#[test]
fn the_barycenter_of_a_dataset_with_itself_is_itself() {
    let folder = folder();
    let out = folder.path().join("run");
    into_folder("barycenter", &["glyphs:digits:3", "glyphs:digits:3"], &out);
    let (mean, digits) = (read(out.join("barycenter.npz")), generated("glyphs:digits:3"));
    assert_eq!((mean.points(), mean.image_shape()), (digits.points(), digits.image_shape()));
    let summary = json(out.join("summary.json"));
    assert_eq!((number(&summary, "objective"), number(&summary, "lower_bound")), (0.0, 0.0));
    assert_eq!(summary["stop_reason"], "converged");
    assert!(image::open(out.join("barycenter.png")).unwrap().height() > 10 * 56);
}

#[test]
fn barycenters_of_unequal_datasets_carry_weights_and_labels_of_all() {
    let folder = folder();
    let p = points(&[([0.0, 0.0], 1), ([1.0, 0.0], 1), ([9.0, 9.0], 2)]);
    let p = p.with_sample_weights(vec![1.0, 3.0, 1.0]).unwrap().with_class_weights(vec![0.25, 0.75]).unwrap();
    let p = saved(folder.path(), "p.npz", &p);
    for (classes, start) in [("1", p.as_str()), ("2", &p), ("5", &p), ("4", "gaussians:6")] {
        let out = folder.path().join(classes);
        let sets = [p.as_str(), "moons:4", "gaussians:6", "--classes", classes, "--start", start];
        into_folder("barycenter", &sets, &out);
        let mean = read(out.join("barycenter.npz"));
        let summary = json(out.join("summary.json"));
        assert_eq!(mean.class_count().to_string(), classes, "{summary}");
        assert_eq!(summary["start"].as_str().unwrap(), start);
        assert!(number(&summary, "objective") <= number(&summary, "objective_initial"));
        assert!(number(&summary, "objective") >= number(&summary, "lower_bound") * (1.0 - 1e-12));
        // The couplings of what was written give the objective.
        let sets = [read(&p), generated("moons:4"), generated("gaussians:6")];
        let values = sets.iter().map(|set| wow2(&measure(&mean), &measure(set)).unwrap().powi(2));
        let objective = values.sum::<f64>() / 3.0;
        assert!((objective - number(&summary, "objective")).abs() < 1e-12 * objective, "{classes}");
        let arrays = read_npz(out.join("barycenter.npz")).unwrap();
        for name in ["y_1", "y_2", "y_3"] {
            let (_, labels) = arrays.iter().find(|(found, _)| found == name).unwrap();
            assert_eq!(labels.shape, [mean.len()], "{name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_a_barycenter_has_reached() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let folder = folder();
    let out = folder.path().join("run");
    let mut command = crate::support::program();
    command.args(["barycenter", "glyphs:digits:60", "glyphs:letters:60", "glyphs:letters:50"]);
    let mut child = command.arg("--out").arg(&out).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut lines = lines.skip_while(|line| !line.starts_with("barycenter of 3 datasets"));
    assert!(lines.next().is_some());
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    let summary = json(out.join("summary.json"));
    assert_eq!((&summary["stop_reason"], &summary["iterations"]), (&"interrupted".into(), &0.into()));
    assert_eq!(read(out.join("barycenter.npz")).class_count(), 10);
    assert!(rest.iter().any(|line| line.contains("interrupted after 0 steps")), "{rest:?}");
}
