//! The published datasets, where they lie on disk: every number against what their authors state.

use std::path::{Path, PathBuf};

use wowflow::dataset::{ImageShape, Label, Points};
use wowflow_data::{LoadOptions, Loaded, load};

/// Says aloud what is skipped for lack of data; a failure where `WOWFLOW_REQUIRE_DATA` is set.
#[track_caller]
fn skipping(missing: &str) {
    let required =
        std::env::var("WOWFLOW_REQUIRE_DATA").is_ok_and(|value| !["", "0"].contains(&value.as_str()));
    assert!(
        !required,
        "expected {missing}, as WOWFLOW_REQUIRE_DATA is set: put it there, or unset the variable"
    );
    eprintln!("SKIPPED: no {missing}");
}

/// The folder of the originals.
#[track_caller]
fn options() -> Option<LoadOptions> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("WOWFLOW_DATA").map_or(beside, PathBuf::from);
    if !folder.is_dir() {
        skipping(&format!("published datasets in {} (WOWFLOW_DATA names another folder)", folder.display()));
        return None;
    }
    Some(LoadOptions { data_dirs: vec![folder], seed: 1 })
}

#[track_caller]
fn get(name: &str, options: &LoadOptions) -> Option<Loaded> {
    match load(&name.parse().unwrap(), options) {
        Ok(loaded) => Some(loaded),
        Err(wowflow_data::DataError::NotInPlace { .. }) => {
            skipping(&format!("{name} in {}", options.data_dirs[0].display()));
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn counts(loaded: &Loaded) -> Vec<usize> {
    let data = &loaded.dataset;
    let labels: Vec<Label> = (0..10).map(Label::Int).collect();
    assert_eq!(data.classes(), labels);
    (0..10).map(|class| data.class_rows(class).len()).collect()
}

fn range(loaded: &Loaded) -> (f32, f32) {
    let Points::F32(values) = loaded.dataset.points() else { panic!("pixels are single precision") };
    values.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)))
}

#[test]
fn class_counts_are_the_published_ones() {
    let Some(options) = options() else { return };
    let cases: [(&str, [usize; 10]); 7] = [
        ("mnist[train]", [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]),
        ("mnist[test]", [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
        ("fashion-mnist[train]", [6000; 10]),
        ("kmnist[test]", [1000; 10]),
        ("usps[train]", [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644]),
        ("usps[test]", [359, 264, 198, 166, 200, 160, 170, 147, 166, 177]),
        ("cifar10[test]", [1000; 10]),
    ];
    for (name, expected) in cases {
        let Some(loaded) = get(name, &options) else { continue };
        assert_eq!(counts(&loaded), expected, "{name}");
        assert_eq!(range(&loaded), (0.0, 1.0), "{name}");
        let shape = loaded.dataset.image_shape().unwrap();
        let expected = match name.split('[').next().unwrap() {
            "usps" => ImageShape { width: 16, height: 16, channels: 1 },
            "cifar10" => ImageShape { width: 32, height: 32, channels: 3 },
            _ => ImageShape { width: 28, height: 28, channels: 1 },
        };
        assert_eq!(shape, expected, "{name}");
    }
}

#[test]
fn checksums_go_with_the_data() {
    let Some(options) = options() else { return };
    let Some(loaded) = get("mnist[test]:3", &options) else { return };
    assert_eq!(loaded.dataset.len(), 30);
    let sums: Vec<&str> = loaded.sources.iter().map(|source| source.sha256.as_str()).collect();
    let expected = [
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ];
    assert_eq!(sums, expected);
}

#[test]
fn one_batch_of_cifar10_can_be_named() {
    let Some(options) = options() else { return };
    let path = options.data_dirs[0].join("cifar10/data_batch_1");
    if !path.is_file() {
        return skipping(&path.display().to_string());
    }
    let loaded = get(&path.to_string_lossy(), &options).unwrap();
    assert_eq!(counts(&loaded), [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]);
    if !options.data_dirs[0].join("cifar10/data_batch_2").exists() {
        let error = load(&"cifar10".parse().unwrap(), &options).unwrap_err().to_string();
        assert!(
            error.contains("found only data_batch_1") && error.contains("`wowflow fetch cifar10`"),
            "{error}"
        );
    }
}

#[test]
fn hdf5_is_refused_with_an_alternative() {
    let Some(options) = options() else { return };
    let path = options.data_dirs[0].join("usps/usps.h5");
    if !path.is_file() {
        return skipping(&path.display().to_string());
    }
    let error = load(&path.to_string_lossy().parse().unwrap(), &options).unwrap_err().to_string();
    assert!(error.contains("HDF5 cannot be read") && error.contains(".libsvm"), "{error}");
}
