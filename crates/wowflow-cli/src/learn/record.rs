//! The record of a repetition: one line of `repetitions.jsonl`.

use serde::{Deserialize, Serialize};
use wowflow::dataset::LabeledDataset;

use crate::load::Named;
use crate::run::provenance::DataProvenance;

/// One method in one row, on one draw of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) row: String,
    pub(crate) method: String,
    /// Checksum of the settings behind it.
    pub(crate) settings: String,
    /// Revision of the program that made it.
    pub(crate) revision: String,
    /// Number of the try.
    pub(crate) attempt: u64,
    /// Seed of the try: of its samples, its flow and its trainings.
    pub(crate) seed: u64,
    /// The data as drawn.
    pub(crate) data: Vec<DataSum>,
    /// Shares of right predictions, one a training.
    pub(crate) accuracies: Vec<f64>,
    /// Samples that each of them was tested on.
    pub(crate) tested: usize,
    /// Samples that each classifier was trained on.
    pub(crate) trained_on: usize,
    /// Steps of the move.
    pub(crate) steps: u64,
    /// Of the move alone, on all threads.
    pub(crate) move_seconds: f64,
    /// Of all trainings and tests, side by side.
    pub(crate) train_seconds: f64,
    /// Accuracy along the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) curve: Vec<CurvePoint>,
    /// Which class went where, and what else a reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// What a repetition found: its record, and the samples it made.
pub(crate) struct Found {
    pub(crate) record: Record,
    pub(crate) samples: Option<LabeledDataset>,
}

/// A dataset as drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DataSum {
    pub(crate) name: String,
    pub(crate) samples: usize,
    pub(crate) sha256: String,
}

impl DataSum {
    pub(crate) fn of(named: &Named) -> Self {
        let DataProvenance { name, samples, content_sha256, .. } = DataProvenance::of(named);
        Self { name, samples, sha256: content_sha256 }
    }
}

/// A point of an accuracy curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CurvePoint {
    /// Steps, or the time of a geodesic.
    pub(crate) at: f64,
    /// Seconds of the move until then, without those spent looking.
    pub(crate) seconds: f64,
    pub(crate) accuracy: f64,
}
