//! Where a run's numbers come from: versions, command line, data checksums.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wowflow::dataset::{LabeledDataset, Points};
use wowflow_report::rundir::SCHEMA;

use super::config::hex;
use crate::load::Named;

/// `provenance.json` of a command on two datasets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Provenance {
    #[serde(flatten)]
    pub(crate) run: RunProvenance,
    pub(crate) source: DataProvenance,
    pub(crate) target: DataProvenance,
}

/// `provenance.json` of a command on a list of datasets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ListProvenance {
    #[serde(flatten)]
    pub(crate) run: RunProvenance,
    pub(crate) datasets: Vec<DataProvenance>,
}

/// What ran, where and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunProvenance {
    pub(crate) schema: u32,
    pub(crate) program: String,
    pub(crate) version: String,
    pub(crate) revision: String,
    pub(crate) command: Vec<String>,
    /// `--data-dir`, absolute.
    #[serde(default)]
    pub(crate) data_dir: Option<String>,
    pub(crate) platform: String,
    pub(crate) threads: usize,
    pub(crate) seed: u64,
    pub(crate) config_sha256: String,
}

/// One dataset: its name, what it was read from, and a checksum of what the flow sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DataProvenance {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) samples: usize,
    pub(crate) dim: usize,
    pub(crate) classes: usize,
    /// Of points, labels and weights as loaded.
    pub(crate) content_sha256: String,
    pub(crate) files: Vec<FileProvenance>,
}

/// A file read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FileProvenance {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl DataProvenance {
    pub(crate) fn of(named: &Named) -> Self {
        let data = &named.dataset;
        Self {
            name: named.name.clone(),
            description: named.description.clone(),
            samples: data.len(),
            dim: data.dim(),
            classes: data.class_count(),
            content_sha256: content_sha256(data),
            files: named.files.clone(),
        }
    }
}

impl Provenance {
    pub(crate) fn new(
        seed: u64,
        config_sha256: String,
        data_dir: Option<&Path>,
        source: &Named,
        target: &Named,
    ) -> Self {
        let (source, target) = (DataProvenance::of(source), DataProvenance::of(target));
        Self { run: RunProvenance::new(seed, config_sha256, data_dir), source, target }
    }
}

impl ListProvenance {
    pub(crate) fn new<'a>(
        seed: u64,
        config_sha256: String,
        data_dir: Option<&Path>,
        datasets: impl IntoIterator<Item = &'a Named>,
    ) -> Self {
        let datasets = datasets.into_iter().map(DataProvenance::of).collect();
        Self { run: RunProvenance::new(seed, config_sha256, data_dir), datasets }
    }
}

impl RunProvenance {
    pub(crate) fn new(seed: u64, config_sha256: String, data_dir: Option<&Path>) -> Self {
        let data_dir = data_dir.and_then(|folder| std::path::absolute(folder).ok());
        Self {
            schema: SCHEMA,
            program: "wowflow".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: env!("WOWFLOW_REVISION").to_owned(),
            command: std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect(),
            data_dir: data_dir.and_then(|folder| folder.to_str().map(str::to_owned)),
            platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            threads: rayon::current_num_threads(),
            seed,
            config_sha256,
        }
    }
}

fn content_sha256(data: &LabeledDataset) -> String {
    let mut hash = Sha256::new();
    hash.update((data.dim() as u64).to_le_bytes());
    match data.points() {
        Points::F32(values) => values.iter().for_each(|v| hash.update(v.to_le_bytes())),
        Points::F64(values) => values.iter().for_each(|v| hash.update(v.to_le_bytes())),
    }
    for &class in data.class_of() {
        hash.update(data.classes()[class].to_string().as_bytes());
        hash.update([0]);
    }
    for weights in [data.sample_weights(), data.class_weights()] {
        hash.update([u8::from(weights.is_some())]);
        weights.unwrap_or_default().iter().for_each(|w| hash.update(w.to_le_bytes()));
    }
    hex(&hash.finalize())
}
