//! Where the numbers of a dataset come from: files and checksums.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wowflow::dataset::{LabeledDataset, Points};

use crate::prepared::Prepared;
use crate::read::source::SourceFile;
use crate::sha256::hexadecimal;

/// One dataset: its name, what it was read from, and a checksum of what a study sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataProvenance {
    /// Its name.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// Number of samples.
    pub samples: usize,
    /// Coordinates a sample.
    pub dim: usize,
    /// Number of classes.
    pub classes: usize,
    /// SHA-256 of points, labels and weights as loaded.
    pub content_sha256: String,
    /// The files it was read from.
    pub files: Vec<SourceFile>,
}

impl From<&Prepared> for DataProvenance {
    fn from(prepared: &Prepared) -> Self {
        let data = &prepared.dataset;
        Self {
            name: prepared.name.clone(),
            description: prepared.description.clone(),
            samples: data.len(),
            dim: data.dim(),
            classes: data.class_count(),
            content_sha256: content_sha256(data),
            files: prepared.files.clone(),
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
    hexadecimal(&hash.finalize())
}
