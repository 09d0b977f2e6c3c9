//! `wowflow info`, `wowflow rings`, the help, and what happens on channels that end.

use std::fs;
use std::process::Stdio;

use crate::support::{SMALL, file, folder, json, program, run, tree};

#[test]
fn info_tells_what_is_in_a_generator() {
    let folder = folder();
    let sheet = folder.path().join("sheet.png");
    let ran = run(["info", "glyphs:digits:3", "--json", "--sheet", sheet.to_str().unwrap()]).ok();
    let info = ran.json();
    assert_eq!((info["samples"].as_u64(), info["dim"].as_u64()), (Some(30), Some(784)));
    assert_eq!(info["image_shape"], serde_json::json!([1, 28, 28]));
    assert_eq!(info["classes"].as_array().unwrap().len(), 10);
    assert_eq!(info["classes"][7], serde_json::json!({ "label": "7", "name": null, "samples": 3 }));
    assert!(info["minimum"].as_f64() >= Some(0.0) && info["maximum"].as_f64() <= Some(1.0));
    assert!(ran.stderr.contains("30 samples of dimension 784"), "{}", ran.stderr);
    let picture = image::open(&sheet).unwrap();
    assert!(picture.width() >= 3 * 28 && picture.height() >= 10 * 28);
    run(["info", "glyphs:digits:3", "--sheet", sheet.to_str().unwrap()]).refused("file exists");
}

#[test]
fn info_tells_what_is_in_files() {
    let folder = folder();
    let csv = file(folder.path(), "points.csv", "x,y,label\n1,2,left\n3,4,right\n5,6,right\n");
    let sheet = folder.path().join("sheet.png");
    let ran = run(["info", &csv, "--sheet", sheet.to_str().unwrap()]).ok();
    for words in [
        "3 samples of dimension 2 (f64)",
        "values 1.0000 to 6.0000, mean 3.5000",
        "  right         2 samples",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(image::open(&sheet).is_ok());
    let info = run(["info", &csv, "--no-sheet", "--json"]).ok().json();
    assert_eq!(info["files"][0]["bytes"], fs::metadata(&csv).unwrap().len());
    assert!(info["sheet"].is_null() && info["files"][0]["sha256"].as_str().unwrap().len() == 64);

    let images = folder.path().join("images");
    for (class, grey) in [("cat", 10), ("dog", 200)] {
        fs::create_dir_all(images.join(class)).unwrap();
        for number in 0..2u8 {
            let picture = image::GrayImage::from_pixel(5, 4, image::Luma([grey + number]));
            picture.save(images.join(class).join(format!("{number}.png"))).unwrap();
        }
    }
    let info = run(["info", images.to_str().unwrap(), "--no-sheet", "--json"]).ok().json();
    assert_eq!(info["image_shape"], serde_json::json!([1, 4, 5]));
    assert_eq!(info["classes"][1]["label"], "dog");
}

#[test]
fn info_without_a_place_writes_under_runs() {
    let folder = folder();
    for name in ["runs/rings-5.png", "runs/rings-5-2.png"] {
        let output = program().current_dir(folder.path()).args(["info", "rings:5"]).output().unwrap();
        assert!(String::from_utf8(output.stdout).unwrap().ends_with(&format!("open {name}\n")));
        assert!(folder.path().join(name).exists());
    }
}

#[test]
fn rings_shows_five_kernels_side_by_side() {
    let folder = folder();
    let out = folder.path().join("run");
    let args = ["rings", "--steps", "40", "--samples", "20", "--json", "--out", out.to_str().unwrap()];
    let table = run(args).ok().json();
    let kernels: Vec<&str> =
        table["kernels"].as_array().unwrap().iter().map(|row| row["kernel"].as_str().unwrap()).collect();
    assert_eq!(kernels, ["pooled", "gaussian", "laplace", "imq", "riesz"]);
    let initial = table["wow2_initial"].as_f64().unwrap();
    for row in table["kernels"].as_array().unwrap() {
        let last = row["wow2_final"].as_f64().unwrap();
        assert!(last.is_finite() && last < initial, "{row}");
        // A flow ends where there is nothing left.
        assert!(row["steps"].as_u64().unwrap() <= 40, "{row}");
    }
    assert!(table["kernels"][4]["wow2_final"].as_f64() < table["kernels"][0]["wow2_final"].as_f64());
    assert!(image::open(out.join("rings.png")).is_ok());
    let mut stored = json(out.join("summary.json"));
    assert_eq!(stored["out"].take(), table["out"]);
    let names = ["config.json", "provenance.json", "rings.gif", "rings.png", "summary.json"];
    assert_eq!(tree(&out).into_iter().collect::<Vec<_>>(), names);
}

#[test]
fn rings_of_one_sample_are_points() {
    let folder = folder();
    let out = folder.path().join("run");
    run(["rings", "--steps", "3", "--samples", "1", "--out", out.to_str().unwrap()]).ok();
    assert!(out.join("rings.gif").exists());
}

/// Every option of a list has its line of help.
#[track_caller]
fn explains(help: &str, options: &str) {
    for option in options.split_whitespace() {
        let at = help.find(&format!("      --{option}")).unwrap_or_else(|| panic!("{option}: {help}"));
        let text = help[at..].lines().nth(1).unwrap_or_default().trim();
        assert!(text.len() > 10, "--{option} has no help: {help}");
    }
}

#[test]
fn help_is_complete() {
    let help = run(["--help"]).ok().stdout;
    for words in [
        "flow",
        "distance",
        "pairwise",
        "rings",
        "info",
        "fetch",
        "geodesic",
        "barycenter",
        "mnist[train]:200",
        "Examples:",
        "path/to/folder",
    ] {
        assert!(help.contains(words), "{words}: {help}");
    }
    let help = run(["flow", "--help"]).ok().stdout;
    explains(
        &help,
        "source target kernel bandwidth exponent smoothing steps scheme step-size schedule momentum momentum-schedule settle-every directions slicing redraw target-batch batch-estimator precision seed checkpoint-every neighbours-every distance-every exact-limit out resume data-dir threads json",
    );
    for words in [
        "Default: 300",
        "Examples:",
        "wowflow flow --resume",
        "metrics.jsonl",
        "riesz:",
        "eta:X",
        "adaptive:X",
    ] {
        assert!(help.contains(words), "{words}: {help}");
    }
    let method = "method directions slicing kernel bandwidth exponent smoothing order moments functions \
        regularisation sample resize precision seed data-dir threads json";
    for (command, more) in [("distance", "figure plan"), ("pairwise", "out resume")] {
        let help = run([command, "--help"]).ok().stdout;
        explains(&help, method);
        explains(&help, more);
        for words in ["Examples:", "Default: wow", "wow-gaussian:", "s-otdd:", "hipm:"] {
            assert!(help.contains(words), "{command}, {words}: {help}");
        }
    }
    for command in ["rings", "info", "fetch", "geodesic", "barycenter"] {
        assert!(run([command, "--help"]).ok().stdout.contains("Example"), "{command}");
    }
    assert_eq!(run(["--version"]).ok().stdout, format!("wowflow {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(run::<&str>([]).code, Some(2));
}

/// `wowflow ... | head -1`: the reader leaves, the work is done all the same.
#[cfg(unix)]
#[test]
fn closed_pipes_do_not_stop_the_work() {
    let folder = folder();
    for (name, json) in [("text", None), ("json", Some("--json"))] {
        let out = folder.path().join(name);
        let mut command = program();
        command.args(SMALL).args(["--steps", "1", "--out"]).arg(&out).args(json);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
        assert!(out.join("summary.json").exists() && out.join("loss.png").exists());
    }
    let mut command = program();
    let mut child = command.args(["info", "nothing"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_printed_are_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = program();
    command.args(["info", "rings:3", "--no-sheet", "--json"]).stdout(full);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.lines().last().unwrap().starts_with("error: cannot write to standard output: "), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn paths_need_not_be_text() {
    use std::os::unix::ffi::OsStringExt;
    let folder = folder();
    let out = folder.path().join(std::ffi::OsString::from_vec(b"r\xffn".to_vec()));
    let mut command = program();
    command.args(SMALL).args(["--steps", "1", "--out"]).arg(&out).arg("--data-dir").arg(&out);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(out.join("summary.json").exists());
}
