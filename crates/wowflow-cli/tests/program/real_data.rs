//! Real data, where it is: `WOWFLOW_DATA`, or `../shared/data` beside the workspace.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fetch::serve;
use crate::support::{flow, folder, json, number, program, run, summary, tree, without_data};

/// The folder of real data with these sets in it; says so when there is none.
#[track_caller]
fn data(sets: &[&str]) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("WOWFLOW_DATA").map_or(beside, PathBuf::from);
    let missing =
        sets.iter().find(|set| !folder.join(set).is_dir() && !folder.join(set.replace('-', "_")).is_dir());
    if let Some(set) = missing {
        without_data(&format!("{set} in {}", folder.display()));
        return None;
    }
    Some(folder)
}

#[test]
fn mnist_flows_into_fashion_mnist() {
    let Some(data) = data(&["mnist", "fashion-mnist"]) else { return };
    let folder = folder();
    let out = folder.path().join("run");
    let data = data.to_str().unwrap();
    let names = ["flow", "--source", "mnist[test]:12", "--target", "fashion-mnist[test]:8"];
    flow(&[&names[..], &["--data-dir", data, "--steps", "30", "--directions", "60"]].concat(), &out);
    let first = summary(&out);
    assert!(number(&first, "value_final") < 0.95 * number(&first, "value_initial"), "{first}");
    let provenance = json(out.join("provenance.json"));
    assert_eq!(provenance["datasets"][0]["files"].as_array().unwrap().len(), 2);

    // The folder of the data is remembered.
    fs::remove_file(out.join("summary.json")).unwrap();
    run(["flow", "--resume", out.to_str().unwrap()]).ok();
    assert_eq!(summary(&out)["wow2_final"], first["wow2_final"]);
}

#[test]
fn parts_of_one_dataset_are_nearest() {
    let Some(data) = data(&["mnist", "fashion-mnist", "usps"]) else { return };
    let folder = folder();
    let names = [
        "mnist[train]:20",
        "usps[train]:20",
        "fashion-mnist[train]:20",
        "mnist[test]:20",
        "usps[test]:20",
        "fashion-mnist[test]:20",
    ];
    for method in ["wow", "otdd", "mmd-sw"] {
        let out = folder.path().join(method);
        let place = ["--out", out.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
        run(["pairwise", "--resize", "16x16", "--method", method].into_iter().chain(names).chain(place)).ok();
        let table = json(out.join("distances.json"));
        let values: Vec<Vec<f64>> = serde_json::from_value(table["values"].clone()).unwrap();
        for (i, row) in values.iter().enumerate() {
            let nearest = (0..6).filter(|j| *j != i).min_by(|j, k| row[*j].total_cmp(&row[*k])).unwrap();
            assert_eq!(nearest, (i + 3) % 6, "{method}: {} - {}", names[i], names[nearest]);
        }
    }
}

#[test]
fn the_environment_names_the_folder_too() {
    let Some(data) = data(&["usps"]) else { return };
    let mut command = program();
    command.env("WOWFLOW_DATA", data).args(["info", "usps[test]", "--no-sheet", "--json"]);
    let info: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!((info["samples"].as_u64(), info["dim"].as_u64()), (Some(2007), Some(256)));
}

#[test]
fn a_mirror_gives_what_the_publishers_give() {
    let Some(data) = data(&["mnist"]) else { return };
    if !data.join("mnist/train-images-idx3-ubyte.gz").exists() {
        return without_data("training part of mnist");
    }
    let source = data.join("mnist");
    let mirror = serve(move |name| fs::read(source.join(name)).ok());
    let folder = folder();
    let args =
        ["fetch", "mnist", "--json", "--data-dir", folder.path().to_str().unwrap(), "--mirror", &mirror];
    let fetched = run(args).ok().json();
    assert_eq!((fetched["downloaded"].as_u64(), fetched["files"].as_array().unwrap().len()), (Some(4), 4));
    assert_eq!(tree(folder.path()).len(), 5);
    // Again: everything is there.
    assert_eq!(run(args).ok().json()["downloaded"], 0);
    let info =
        run(["info", "mnist[test]:2", "--no-sheet", "--data-dir", folder.path().to_str().unwrap()]).ok();
    assert!(info.stdout.contains("20 samples of dimension 784"), "{}", info.stdout);
}

#[test]
fn a_geodesic_leads_from_fashion_mnist_to_mnist_at_constant_speed() {
    let Some(data) = data(&["mnist", "fashion-mnist"]) else { return };
    let folder = folder();
    let out = folder.path().join("run");
    let names = ["geodesic", "fashion-mnist[test]:20", "mnist[test]:15", "--times", "4", "--check"];
    flow(&[&names[..], &["--data-dir", data.to_str().unwrap()]].concat(), &out);
    let summary = json(out.join("summary.json"));
    assert!(number(&summary["constant_speed"], "worst") < 1e-9, "{summary}");
    assert_eq!(summary["end_points"]["exact"], true, "{summary}");
    assert_eq!(summary["times"][1]["classes"], 10, "{summary}");
    assert!(image::open(out.join("geodesic.png")).is_ok());
}
