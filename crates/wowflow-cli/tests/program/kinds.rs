//! Every kind of data and kernel flows; what does not make sense is said to be so.

use std::path::Path;

use serde_json::{Value, json};
use wowflow::dataset::{Label, LabeledDataset, Points};
use wowflow_data::write_npz_dataset;

use crate::support::{file, flow, flowed, folder, json, metrics, number, run, summary, tree};

/// Runs a flow between two datasets in a folder of its own, hands the folder to `check`.
#[track_caller]
fn between(source: &str, target: &str, more: &[&str], check: impl FnOnce(&Path, &Value)) {
    let folder = folder();
    let out = folder.path().join("run");
    flow(&[&["flow", "--source", source, "--target", target], more].concat(), &out);
    check(&out, &summary(&out));
}

fn falls(_: &Path, summary: &Value) {
    assert!(number(summary, "value_final") < 0.95 * number(summary, "value_initial"), "{summary}");
}

#[test]
fn all_kernels_flow_with_everything_automatic() {
    for kernel in ["riesz", "gaussian", "laplace", "imq"] {
        between("rings:source:12", "rings:9", &["--kernel", kernel, "--steps", "60"], |out, summary| {
            falls(out, summary);
            assert_eq!(json(out.join("config.json"))["kernel"]["name"], kernel);
        });
    }
    let parameters: [&[&str]; 3] = [
        &["--kernel", "imq", "--bandwidth", "0.5"],
        &["--kernel", "laplace", "--bandwidth", "auto"],
        &["--exponent", "1.5", "--smoothing", "0.01"],
    ];
    for given in parameters {
        between("rings:source:12", "rings:9", &[given, &["--steps", "60"]].concat(), falls);
    }
}

#[test]
fn every_functional_and_sum_flows() {
    for (functional, symbol, unit) in [
        ("mmd-sw", "MMD^2", "length"),
        ("pooled-mmd", "MMD^2", "length"),
        ("matched-sw", "mean SW_2^2 of matched classes", "length^2"),
        ("mean-matching", "sum of squared distances of means", "length^2"),
        ("mmd-sw+0.5*pooled-mmd", "F", "mixed"),
    ] {
        let options = ["--functional", functional, "--steps", "60"];
        between("rings:source:12", "rings:9", &options, |out, summary| {
            // The clouds have the means of the rings.
            assert!(number(summary, "value_final") <= number(summary, "value_initial"), "{summary}");
            let expected = json!({ "name": functional, "symbol": symbol, "unit": unit });
            assert_eq!(summary["functional"], expected);
            assert_eq!(json(out.join("config.json"))["functional"], functional);
        });
    }
}

#[test]
fn options_that_a_kernel_does_not_have_are_refused() {
    let folder = folder();
    let out = folder.path().join("run");
    for (options, words) in [
        (
            "--kernel gaussian --exponent 1",
            "expected exponent with the riesz kernel only, found it with the gaussian kernel",
        ),
        ("--kernel imq --smoothing 1", "expected smoothing with the riesz kernel only"),
        (
            "--bandwidth 1",
            "expected bandwidth with the gaussian, laplace and imq kernels only, found it with the riesz kernel",
        ),
        ("--functional pooled-mmd --bandwidth 1", "expected a kernel with the functional mmd-sw only"),
        ("--functional pooled-mmd --directions 5", "expected directions with sliced functionals only"),
        ("--functional pooled-mmd --slicing gaussian", "expected slicing with sliced functionals only"),
        (
            "--functional pooled-mmd --step-size eta:1",
            "expected step-size eta:X with sliced functionals only, found it with the functional pooled-mmd",
        ),
        ("--functional pooled-mmd --redraw never", "expected redraw with sliced functionals only"),
        (
            "--functional pooled-mmd --target-batch 1",
            "expected target-batch with functionals other than pooled-mmd",
        ),
        ("--functional matched-sw --scheme lbfgs", "expected functional with directions that can be kept"),
        (
            "--kernel laplace --target-batch 1",
            "expected a kernel of SW_2^2 with debiased mini-batches, found one of SW_1: take plain ones",
        ),
        ("--scheme lbfgs --redraw every-step", "expected redraw never with scheme lbfgs"),
        ("--scheme lbfgs --target-batch 1", "expected target-batch with schemes other than lbfgs"),
        ("--scheme lbfgs --momentum 0.5", "expected momentum with scheme heavy-ball, nesterov or adam only"),
        ("--scheme adam --momentum-schedule linear", "expected momentum-schedule with scheme heavy-ball"),
        ("--scheme adam --step-size eta:1", "expected step-size auto or a number with scheme adam"),
        ("--exponent 2", "found 2"),
        ("--exponent nan", "found NaN"),
        ("--smoothing -1", "found -1"),
        ("--momentum 1.0", "expected momentum at least 0 and below 1, found 1"),
        ("--momentum nan", "expected momentum at least 0 and below 1, found NaN"),
        ("--slicing equispaced", "found"),
    ] {
        let options: Vec<&str> = options.split(' ').collect();
        let glyphs = ["flow", "--source", "glyphs:letters:2", "--target", "glyphs:digits:2"];
        run([&glyphs[..], &options, &["--out", out.to_str().unwrap()]].concat()).refused(words);
    }
    assert!(tree(folder.path()).is_empty());
}

#[test]
fn schedules_slicings_and_step_sizes_are_taken() {
    let mut seen = Vec::new();
    for options in [
        "--schedule constant --step-size 0.05",
        "--schedule linear --step-size 0.05",
        "--schedule cosine --step-size 0.05",
        "--schedule constant --step-size eta:0.05",
        "--schedule constant --step-size 0.05 --momentum 0",
        "--schedule constant --step-size 0.05 --slicing gaussian",
        "--schedule constant --step-size 0.05 --slicing orthonormal",
        "--schedule constant --step-size 0.05 --directions 7",
        "--schedule constant --step-size 0.05 --redraw never",
        "--momentum-schedule cosine --step-size 0.05",
        "--step-size adaptive:0.5",
        "--step-size adaptive:0.5 --momentum-schedule constant",
        "--target-batch 3",
        "--target-batch 3 --batch-estimator plain",
        "--scheme nesterov",
        "--scheme adam",
        "--scheme adam --momentum 0.5",
        "--scheme lbfgs",
    ] {
        let options: Vec<&str> = options.split(' ').chain(["--steps", "20"]).collect();
        between("rings:source:8", "rings:8", &options, |out, summary| {
            falls(out, summary);
            seen.push(metrics(out).pop().unwrap());
        });
    }
    for (index, last) in seen.iter().enumerate() {
        assert!(!seen[..index].contains(last), "option set {index} changes nothing: {last}");
    }
}

#[test]
fn a_flow_that_settles_says_so() {
    // Classes of other sizes: the MMD ends above 0.
    let options = ["--steps", "4000", "--settle-every", "50", "--momentum", "0", "--distance-every", "3999"];
    between("rings:source:8", "rings:9", &options, |out, summary| {
        assert_eq!(summary["stop_reason"], "settled", "{summary}");
        let records: Vec<serde_json::Value> =
            metrics(out).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let changes: Vec<f64> = records.iter().filter_map(|r| r["value_change"].as_f64()).collect();
        assert_eq!(changes.len() as u64, summary["steps"].as_u64().unwrap() / 50);
        // The last state is looked at although it was not due.
        assert_eq!(records[records.len() - 1]["wow2"], summary["wow2_final"]);
        assert!(changes[0] < 0.0 && records[50]["value_change_standard_error"].as_f64().unwrap() > 0.0);
    });
}

#[test]
fn double_precision_is_kept_to_the_end() {
    between("rings:source:6", "rings:6", &["--precision", "f64", "--steps", "5"], |out, _| {
        assert!(matches!(flowed(out).points(), Points::F64(_)));
    });
}

#[test]
fn a_dataset_flowed_to_itself_rests() {
    for kernel in ["riesz", "gaussian", "laplace", "imq", "pooled"] {
        let chosen: &[&str] = match kernel {
            "riesz" => &[],
            "pooled" => &["--functional", "pooled-mmd"],
            kernel => &["--kernel", kernel, "--bandwidth", "0.5"],
        };
        let options = [chosen, &["--steps", "10"]].concat();
        between("rings:7", "rings:7", &options, |out, summary| {
            assert_eq!(summary["stop_reason"], "stationary", "{kernel}");
            assert_eq!(summary["steps"], 0);
            for key in ["value_initial", "value_final", "wow2_initial", "wow2_final"] {
                assert!(number(summary, key) < 1e-12, "{kernel}: {summary}");
            }
            assert_eq!(metrics(out).len(), 1);
            for class in summary["classes"].as_array().unwrap() {
                assert_eq!(class["source"], class["target"]);
            }
        });
    }
}

#[test]
fn one_sample_classes_flow() {
    between("glyphs:letters:1", "glyphs:digits:1", &["--steps", "60", "--directions", "200"], falls);
    between("glyphs:letters:1", "glyphs:digits:3", &["--steps", "60", "--directions", "200"], falls);
    between("rings:source:1", "rings:4", &["--steps", "30"], falls);
}

#[test]
fn lines_and_points_without_images_flow() {
    for dim in [1, 5] {
        let folder = folder();
        let row = |i: usize, shift: f64| {
            let values: String =
                (0..dim).map(|k| format!("{},", ((i * 7 + k * 3) % 11) as f64 + shift + 0.5)).collect();
            format!("{values}{}\n", i % 3)
        };
        let csv = |n: usize, shift: f64| (0..n).map(|i| row(i, shift)).collect::<String>();
        let source = file(folder.path(), "a.csv", csv(30, 0.0));
        let target = file(folder.path(), "b.csv", csv(24, 20.0));
        between(&source, &target, &["--steps", "80"], |out, summary| {
            falls(out, summary);
            assert_eq!(summary["pictures"][0], "trajectories.png");
            assert!(out.join("trajectories.png").exists() && !out.join("images.png").exists());
            assert_eq!(flowed(out).dim(), dim);
        });
    }
}

#[test]
fn labels_may_be_text_of_any_length_and_classes_of_any_number() {
    let folder = folder();
    let long = "x".repeat(5000);
    let mut source = "x,y,label\n".to_owned();
    for (i, label) in ["red, green", "naïve", "雪", "'", &long].iter().enumerate() {
        for k in 0..=i {
            source += &format!("{},{},\"{label}\"\n", i as f64 * 3.0, k as f64);
        }
    }
    let source = file(folder.path(), "source.csv", source);
    let target = file(folder.path(), "target.csv", "x,y,label\n5,5,left\n6,5,left\n9,9,3.5\n");
    between(&source, &target, &["--steps", "40"], |out, summary| {
        falls(out, summary);
        let data = flowed(out);
        assert_eq!(data.classes(), [Label::from("3.5"), Label::from("left")]);
        assert_eq!(data.len(), 15);
        // Five classes became two: the weights say how much each of them is.
        let total: f64 = data.class_weights().unwrap().iter().sum();
        assert!((total - 1.0).abs() < 1e-12);
        let sources: Vec<&str> =
            summary["classes"].as_array().unwrap().iter().map(|c| c["source"].as_str().unwrap()).collect();
        assert!(sources.contains(&long.as_str()) && sources.contains(&"雪"), "{}", sources.len());
    });
    between(&target, &source, &["--steps", "40"], falls);
}

#[test]
fn weighted_archives_flow_and_keep_their_weights() {
    let folder = folder();
    let points = vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 5.0, 5.0, 6.0, 5.0];
    let labels = [0, 0, 0, 1, 1].map(Label::Int).to_vec();
    let data = LabeledDataset::new(Points::F64(points), 2, labels)
        .and_then(|data| data.with_sample_weights(vec![1.0, 2.0, 0.0, 3.0, 1.0]))
        .and_then(|data| data.with_class_weights(vec![0.25, 0.75]))
        .unwrap();
    let path = folder.path().join("weighted.npz");
    write_npz_dataset(&path, &data, &[]).unwrap();
    let weighted = path.to_str().unwrap();
    // With a limit of 1, the samples compared are drawn: never one without mass.
    for more in [&["--steps", "60"][..], &["--steps", "60", "--exact-limit", "1"]] {
        between(weighted, "moons:6", more, |out, summary| {
            falls(out, summary);
            let result = flowed(out);
            assert_eq!(result.len(), 5);
            let weights = result.class_weights().unwrap();
            let mut sorted = weights.to_vec();
            sorted.sort_by(f64::total_cmp);
            assert!((sorted[0] - 0.25).abs() < 1e-12 && (sorted[1] - 0.75).abs() < 1e-12, "{weights:?}");
            assert_eq!(result.sample_weights().unwrap().iter().filter(|w| **w == 0.0).count(), 1);
        });
    }
    between("moons:6", weighted, &["--steps", "60"], falls);

    let empty = data.with_class_weights(vec![0.0, 1.0]).unwrap();
    write_npz_dataset(&path, &empty, &[]).unwrap();
    for (source, target) in [(weighted, "moons:6"), ("moons:6", weighted)] {
        between(source, target, &["--steps", "60"], falls);
    }
}

#[test]
fn large_classes_are_compared_by_a_sample_and_the_summary_says_so() {
    let options = ["--steps", "3", "--exact-limit", "4"];
    between("rings:source:9", "rings:9", &options, |_, summary| {
        assert_eq!(summary["wow2_samples_a_class"], 4);
    });
    between("rings:source:9", "rings:9", &["--steps", "3"], |_, summary| {
        assert!(summary["wow2_samples_a_class"].is_null());
    });
}

#[test]
fn numbers_too_large_are_said_to_be_so() {
    let folder = folder();
    let out = folder.path().join("run");
    let flow = |more: &[&str]| run([&["flow", "--out", out.to_str().unwrap()], more].concat());
    let rings = ["--source", "rings:source:5", "--target", "rings:5", "--steps", "5"];
    let ran = flow(&[&rings[..], &["--step-size", "1e300", "--schedule", "constant", "--json"]].concat());
    assert!(out.join("metrics.jsonl").exists());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    let last = ran.stderr.lines().last().unwrap();
    assert!(last.starts_with("error: expected finite numbers, found the flow diverging at step 1"), "{last}");

    std::fs::remove_dir_all(&out).unwrap();
    let huge = file(folder.path(), "huge.csv", "1e200,0,a\n2e200,1,a\n");
    flow(&["--source", &huge, "--target", "rings:5"])
        .refused("expected values up to 1e150 for a flow, found 2e200");
    assert!(!out.exists());
}

#[test]
fn images_are_brought_to_one_size_and_to_grey_or_colours() {
    let images = ["--source", "noise:8x6x3:4", "--target", "noise:4x5:4", "--steps", "2"];
    let (grey, colours) = (["--grey", "--resize", "6x4"], ["--rgb", "--resize", "6x4"]);
    for (options, inner, shape) in [(grey, "grey,size=6x4", 24), (colours, "rgb,size=6x4", 72)] {
        between("noise:8x6x3:4", "noise:4x5:4", &[&options[..], &["--steps", "2"]].concat(), |out, _| {
            let config = json(out.join("config.json"));
            assert_eq!(config["source"], format!("noise:8x6x3[{inner}]:4"));
            assert_eq!(config["target"], format!("noise:4x5[{inner}]:4"));
            assert_eq!(json(out.join("provenance.json"))["datasets"][1]["dim"], shape);
        });
    }
    let folder = folder();
    let out = folder.path().join("run");
    let place = out.display().to_string();
    let command = [&["flow"], &images[..], &["--out", &place]].concat();
    run(&command)
        .refused("--grey or --rgb brings all to the same, [grey] or [rgb] after a name those of one");
    run([&command[..], &["--grey"]].concat()).refused("--resize 28x28");
    assert_eq!(run([&command[..], &["--grey", "--rgb"]].concat()).code, Some(2));
    for option in ["--grey", "--rgb", "--resize=3x3"] {
        assert_eq!(run(["flow", "--resume", "somewhere", option]).code, Some(2), "{option}");
    }
    assert!(!out.exists());
    let info = |options: &[&str]| {
        run([&["info", "noise:8x6x3:2", "--no-sheet", "--json"], options].concat()).ok().json()
    };
    assert_eq!(info(&["--grey", "--resize", "3x2"])["image_shape"], json!([1, 2, 3]));
    assert_eq!(info(&[])["image_shape"], json!([3, 6, 8]));
    run(["info", "rings:5", "--rgb"])
        .refused("expected images to make grey or coloured, found points of dimension 2");
    // What a name says itself stays.
    for command in [
        "distance noise:8x6x3[size=4x5,grey]:2 noise:4x5:2",
        "distance noise:4x5x3:2 noise:4x5:2 --rgb",
        "pairwise noise:4x5x3:2 noise:4x5:2 --grey",
        "geodesic noise:8x6x3:2 noise:4x5:2 --grey --resize 3x3",
        "barycenter noise:8x6x3:2 noise:4x5:2 --rgb --resize 3x3",
    ] {
        let out = folder.path().join(command.split(' ').next().unwrap());
        let place = ["--out".to_owned(), out.display().to_string()];
        let words = command.split(' ').map(str::to_owned);
        let place = if command.starts_with("distance") { vec![] } else { place.to_vec() };
        run(words.chain(place)).ok();
    }
}
