//! `wowflow distance` from end to end: closed forms, every method, options, what is refused, Ctrl-C.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wowflow_data::{LoadOptions, load};

use crate::support::{file, folder, run, tree};

/// Every method, by name.
const METHODS: [&str; 14] = [
    "wow",
    "wow-sliced",
    "wow-gaussian",
    "otdd",
    "otdd-gaussian",
    "otdd-sliced",
    "mmd-sw",
    "s-otdd",
    "busemann",
    "busemann-gaussian",
    "dsw",
    "sw",
    "w2",
    "hipm",
];

/// The JSON of a comparison.
#[track_caller]
fn distance(left: &str, right: &str, more: &str) -> Value {
    let more = more.split_whitespace();
    run(["distance", left, right, "--json"].into_iter().chain(more)).ok().json()
}

fn number(report: &Value, key: &str) -> f64 {
    report[key].as_f64().unwrap_or_else(|| panic!("{key}: {report}"))
}

/// Three rings as a file of double precision, moved by a shift.
fn rings(folder: &Path, name: &str, shift: [f64; 2]) -> String {
    let data = load(&"rings:9".parse().unwrap(), &LoadOptions::default()).unwrap().dataset;
    let line = |row: usize| {
        let x = data.row(row);
        format!("{},{},ring {}\n", x[0] + shift[0], x[1] + shift[1], data.label(row))
    };
    file(folder, name, (0..data.len()).map(line).collect::<String>())
}

#[test]
fn translated_datasets_are_as_far_apart_as_they_were_moved() {
    let folder = folder();
    let (here, there) =
        (rings(folder.path(), "a.csv", [0.0, 0.0]), rings(folder.path(), "b.csv", [3.0, -4.0]));
    // Means alone are 5 apart, and moving everything by 5 is a coupling; OTDD pays for samples and labels.
    for (options, value) in [
        ("", 5.0),
        ("--method wow-gaussian", 5.0),
        ("--method w2", 5.0),
        ("--method otdd", 50f64.sqrt()),
        ("--method otdd-gaussian", 50f64.sqrt()),
        // Equispaced directions see half of |t|^2 exactly.
        ("--method wow-sliced --slicing equispaced", 12.5f64.sqrt()),
        ("--method sw --slicing equispaced", 12.5f64.sqrt()),
        ("--method otdd-sliced --slicing equispaced", 50f64.sqrt()),
        ("--method mmd-sw --slicing equispaced --kernel gaussian --bandwidth 1e9", 12.5e-9f64.sqrt()),
    ] {
        let report = distance(&here, &there, options);
        let found = number(&report, "value");
        assert_eq!(report["precision"], "f64");
        assert!((found - value).abs() < 1e-6 * value, "{options}: {found} {value}");
        let tolerance = if options.contains("mmd") { 1e-6 } else { 1e-12 };
        assert!((number(&report, "power") - value * value).abs() < tolerance * value * value, "{options}");
    }
    let hipm = distance(&here, &there, "--method hipm");
    let (lower, upper) = (&hipm["certainty"]["lower"], &hipm["certainty"]["upper"]);
    assert!((lower.as_f64().unwrap() - 5.0).abs() < 0.05 && (upper.as_f64().unwrap() - 5.0).abs() < 1e-12);
    // Entropic transport without its bias, between bounds.
    let entropic = distance(&here, &there, "--method otdd --regularisation 0.5");
    assert!((number(&entropic, "power") - 50.0).abs() < 1e-6, "{entropic}");
    assert_eq!(entropic["certainty"]["kind"], "interval");
    assert_eq!(entropic["method"], json!({ "name": "otdd", "regularisation": 0.5 }));
}

#[test]
fn every_method_is_zero_symmetric_and_says_how_certain_it_is() {
    let (left, right) = ("rings:source:7", "gaussians:5");
    for method in METHODS {
        let options = format!("--precision f64 --method {method}");
        let (forth, back) = (distance(left, right, &options), distance(right, left, &options));
        let (value, power) = (number(&forth, "value"), number(&forth, "power"));
        assert!((value.powf(number(&forth, "order")) - power).abs() < 1e-12 * power, "{method}");
        let (key, known) = match method {
            "hipm" => ("bounds", &["lower", "upper"][..]),
            "wow" | "wow-gaussian" | "w2" | "otdd" | "otdd-gaussian" => ("exact", &["gap"][..]),
            _ => ("sliced", &["standard_error", "power_standard_error"][..]),
        };
        assert_eq!(forth["certainty"]["kind"], key, "{method}");
        for name in known {
            let found = forth["certainty"][name].as_f64().unwrap_or_else(|| panic!("{method}: {forth}"));
            assert!((0.0..=2.0 * value * (1.0 + value)).contains(&found), "{method}, {name}: {found}");
        }
        if let Some(interval) = forth["certainty"]["interval"].as_array() {
            assert!(
                interval[0].as_f64().unwrap() < value && value < interval[1].as_f64().unwrap(),
                "{method}"
            );
        }
        // The search for the best function of the metric begins elsewhere from the other side.
        let tolerance = if method == "hipm" { 0.05 } else { 1e-9 };
        assert!((value - number(&back, "value")).abs() < tolerance * value, "{method}");
        let same = distance(right, right, &options);
        assert!(number(&same, "power") <= 1e-12 * power, "{method}: {}", number(&same, "power"));
    }
}

#[test]
fn the_report_has_everything_that_determines_it() {
    let report = distance("glyphs:letters:4", "glyphs:digits:3", "--method otdd --seed 3 --sample 2");
    assert_eq!(report["seed"], 3);
    assert_eq!(report["counts"][0], json!({ "classes": 10, "samples": 40, "compared": 20 }));
    assert_eq!(report["counts"][1], json!({ "classes": 10, "samples": 30, "compared": 20 }));
    assert_eq!((&report["left"], &report["distance"]), (&json!("glyphs:letters:4"), &json!("OTDD")));
    let classes = &report["classes"];
    assert_eq!((&classes["left"][0], &classes["right"][9]), (&json!("A"), &json!("9")));
    let rows = |key: &str| -> Vec<Vec<f64>> { serde_json::from_value(classes[key].clone()).unwrap() };
    let (costs, coupling) = (rows("costs"), rows("coupling"));
    assert!(
        costs.len() == 10 && costs.iter().all(|row| row.len() == 10 && row.iter().all(|cost| *cost > 0.0))
    );
    for class in 0..10 {
        let (row, column): (f64, f64) =
            (coupling[class].iter().sum(), coupling.iter().map(|row| row[class]).sum());
        assert!((row - 0.1).abs() < 1e-12 && (column - 0.1).abs() < 1e-12);
    }
    assert!(
        report["seconds"]["load"].as_f64() > Some(0.0) && report["seconds"]["compare"].as_f64() > Some(0.0)
    );
    let provenance = &report["provenance"];
    assert_eq!(provenance["datasets"][0]["content_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(provenance["config_sha256"].as_str().unwrap().len(), 64);

    // A measured bandwidth is told, and gives the same value when it is typed.
    let auto = distance("rings:9", "rings:source:9", "--method mmd-sw --kernel laplace");
    assert_eq!(auto["method"]["kernel"]["name"], "laplace");
    let bandwidth = auto["method"]["kernel"]["bandwidth"].as_f64().unwrap();
    let typed = distance(
        "rings:9",
        "rings:source:9",
        &format!("--method mmd-sw --kernel laplace --bandwidth {bandwidth}"),
    );
    assert_eq!((&auto["value"], &auto["method"]), (&typed["value"], &typed["method"]));
    assert_eq!(
        (&auto["method"]["directions"], &auto["method"]["slicing"]),
        (&json!(500), &json!("orthonormal"))
    );
    assert!(auto["classes"]["coupling"].is_null());
}

#[test]
fn people_read_the_same() {
    let ran = run(["distance", "rings:source:9", "rings:9", "--sample", "3"]).ok();
    for words in [
        "comparing 9 of 27 samples of rings:source:9 with 9 of 27 samples of rings:9 by wow\n",
        "  0 -> ",
        " (100 %, cost ",
        "W_W2 = ",
        ", W_W2^2 = ",
        ": exact",
        "loaded in ",
        " s, compared in ",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    let sliced = run(["distance", "rings:source:9", "rings:9", "--method", "dsw"]).ok().stdout;
    assert!(sliced.contains("over draws of slices, 95 % interval") && !sliced.contains(" -> "), "{sliced}");
}

#[test]
fn threads_change_nothing_and_seeds_do() {
    for method in ["wow", "otdd", "s-otdd"] {
        let value = |more: &str| {
            distance("glyphs:letters:6", "glyphs:digits:5", &format!("--method {method} {more}"))["value"]
                .clone()
        };
        let one = value("--threads 1");
        assert_eq!(one, value("--threads 2"));
        assert_ne!(one, value("--seed 1"));
    }
}

#[test]
fn figures_are_drawn_where_there_is_nothing_yet() {
    let folder = folder();
    for method in ["wow", "otdd", "mmd-sw", "w2", "hipm"] {
        let path = folder.path().join(format!("{method}.png"));
        let args = ["distance", "rings:source:9", "gaussians:5", "--method", method, "--figure"];
        let args: Vec<&str> = args.into_iter().chain([path.to_str().unwrap()]).collect();
        run(&args).ok();
        let picture = image::open(&path).unwrap();
        assert!(picture.width() > 150 && picture.height() > 150);
        run(&args).refused("file exists");
    }
    let before = tree(folder.path());
    let path = folder.path().join("no.png");
    run(["distance", "rings:5", "rings:6", "--method", "dsw", "--figure", path.to_str().unwrap()])
        .refused("expected --figure with a method that compares classes, found it with --method dsw");
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn plans_read_back() {
    let folder = folder();
    for (method, names) in [
        ("otdd", &["class_costs", "class_coupling", "left_labels", "right_labels"][..]),
        ("mmd-sw", &["class_costs", "left_labels", "right_labels"]),
        ("w2", &["class_coupling", "left_labels", "right_labels"]),
    ] {
        let path = folder.path().join(format!("{method}.npz"));
        let typed = path.to_str().unwrap();
        let report = distance("rings:source:9", "gaussians:5", &format!("--method {method} --plan {typed}"));
        assert_eq!(report["plan"], typed);
        let arrays = wowflow_data::npy::read_npz(&path).unwrap();
        let found: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(found, names);
        for (name, array) in &arrays[..names.len() - 2] {
            assert_eq!(array.shape, [3, 4]);
            let rows: Vec<Vec<f64>> = serde_json::from_value(report["classes"][&name[6..]].clone()).unwrap();
            assert_eq!(array.to_f64().unwrap(), rows.concat(), "{name}");
        }
        run(["distance", "rings:5", "rings:6", "--plan", typed]).refused("file exists");
    }
    run(["distance", "rings:5", "rings:6", "--method", "sw", "--plan", "plan.npz"])
        .refused("expected --plan with a method that compares classes");
}

#[test]
fn images_of_other_sizes_are_brought_to_one() {
    run(["distance", "noise:8x6:3", "noise:4x3:3"]).refused(
        "expected datasets of the same dimension, found 48 (noise:8x6:3) and 12 (noise:4x3:3): bring images to one size (--resize 28x28)",
    );
    let report = distance("noise:8x6:3", "noise:4x3:3", "--resize 4x3");
    assert_eq!((report["provenance"]["datasets"][0]["dim"].as_u64()), Some(12));
    assert!(number(&report, "value") > 0.0);
    run(["distance", "rings:5", "glyphs:digits:2"]).refused(
        "expected datasets of the same dimension, found 2 (rings:5) and 784 (glyphs:digits:2): embed all in a shared space first",
    );
    run(["distance", "rings:5", "noise:4x3:3", "--resize", "4x3"])
        .refused("rings:5: expected images to resize, found points of dimension 2");
}

#[test]
fn options_of_other_methods_are_refused() {
    for (options, message) in [
        (
            "--directions 5",
            "expected directions with the method wow-sliced, otdd-sliced, mmd-sw, s-otdd, busemann, busemann-gaussian, dsw, sw or hipm only, found it with wow",
        ),
        ("--method w2 --slicing hadamard", "expected slicing with the method"),
        ("--method otdd --kernel riesz", "expected kernel with the method mmd-sw only, found it with otdd"),
        ("--method sw --moments 3", "expected moments with the method s-otdd only"),
        (
            "--method wow --order 3",
            "expected order with the method s-otdd, busemann, busemann-gaussian or sw only",
        ),
        ("--method sw --functions 3", "expected functions with the method dsw only"),
        (
            "--method w2 --regularisation 1",
            "expected regularisation with the method otdd, otdd-gaussian or otdd-sliced only",
        ),
        ("--method otdd --regularisation -1", "expected regularisation positive and finite, found -1"),
        (
            "--method mmd-sw --bandwidth 1",
            "expected bandwidth with the gaussian, laplace and imq kernels only, found it with the riesz kernel",
        ),
        ("--method mmd-sw --exponent 2", "found 2"),
        ("--method sw --order 0.5", "expected p at least 1 and finite, found 0.5"),
    ] {
        let words = options.split(' ');
        run(["distance", "rings:3", "gaussians:4"].into_iter().chain(words)).refused(message);
    }
    run(["distance", "rings:3"]).refused("found rings:3 alone: name the target after it or by --target");
    let value =
        |args: &[&str]| run([&["distance"], args].concat()).ok().stdout.lines().nth(2).map(str::to_owned);
    let placed = value(&["rings:3", "moons:4"]);
    assert_eq!(value(&["--target", "moons:4", "--source", "rings:3"]), placed);
    assert_eq!(value(&["rings:3", "--target", "moons:4"]), placed);
    assert_eq!(value(&["moons:4", "--source", "rings:3"]), placed);
    for (option, name, choice) in [("--method", "cosine", "busemann-gaussian"), ("--kernel", "pooled", "imq")]
    {
        let ran = run(["distance", "rings:3", "rings:4", option, name]);
        assert!(ran.code == Some(2) && ran.stderr.contains(choice), "{}", ran.stderr);
    }
    assert_eq!(run(["distance", "rings:3", "rings:4", "--resize", "4"]).code, Some(2));
}

#[test]
fn the_help_says_what_every_method_is() {
    let help = run(["distance", "--help"]).ok().stdout;
    for method in METHODS {
        assert!(help.contains(&format!("- {method}:")), "{method}: {help}");
    }
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let large = ["distance", "rings:20000", "moons:20000", "--method", "hipm"];
    run(large).refused(
        "by hipm, found more between 60000 (rings:20000) and 40000 (moons:20000): take fewer samples a class",
    );
    let few = run(large.into_iter().chain(["--sample", "20"])).ok();
    assert!(few.stdout.contains("comparing 60 of 60000 samples of rings:20000"), "{}", few.stdout);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_at_once_with_nothing_written() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = folder();
    let picture = folder.path().join("classes.png");
    let mut command = crate::support::program();
    command.args(["distance", "glyphs:letters:500", "glyphs:digits:500", "--method", "hipm", "--figure"]);
    command.arg(&picture).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("comparing ")));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let since = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(since.elapsed() < Duration::from_secs(2));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said.trim_end(), "interrupted; nothing was written");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_weight_counts_as_so_many_samples_and_none_as_no_sample() {
    let folder = folder();
    let data = load(&"gaussians:6".parse().unwrap(), &LoadOptions::default()).unwrap().dataset;
    let rows = |times: &dyn Fn(usize) -> usize, weight: &dyn Fn(usize) -> f64, far: &dyn Fn(usize) -> f64| {
        let line = |row: usize| {
            let x = data.row(row);
            format!("{},{},{},{}\n", x[0] + far(row), x[1], data.label(row), weight(row)).repeat(times(row))
        };
        format!("u,v,label,sample_weight\n{}", (0..data.len()).map(line).collect::<String>())
    };
    let (once, none) = (|_: usize| 1, |_: usize| 0.0);
    // Not normalised, whatever they add up to.
    let weighted = file(folder.path(), "w.csv", rows(&once, &|row| 0.37 * (1 + row % 3) as f64, &none));
    let repeated = file(folder.path(), "r.csv", rows(&|row| 1 + row % 3, &|_| 1.0, &none));
    // What weighs nothing may lie anywhere.
    let zeros =
        rows(&once, &|row| f64::from(u8::from(row % 5 != 2)), &|row| if row % 5 == 2 { 9.0 } else { 0.0 });
    let zeros = file(folder.path(), "z.csv", zeros);
    let without = file(folder.path(), "o.csv", rows(&|row| usize::from(row % 5 != 2), &|_| 1.0, &none));
    for method in METHODS {
        let options = format!("--method {method} --precision f64 --directions 40");
        let options = if ["wow", "wow-gaussian", "otdd", "otdd-gaussian", "w2", "hipm"].contains(&method) {
            options.replace(" --directions 40", "")
        } else {
            options
        };
        let value = |of: &str| number(&distance(of, "moons:7", &options), "value");
        for (a, b) in [(&weighted, &repeated), (&zeros, &without)] {
            let (a, b) = (value(a), value(b));
            // Of hipm a bound is sought by steps, from where the samples lie.
            let slack = if method == "hipm" { 5e-3 } else { 1e-8 };
            assert!((a - b).abs() <= slack * b, "{method}: {a} and {b}");
        }
    }
}
