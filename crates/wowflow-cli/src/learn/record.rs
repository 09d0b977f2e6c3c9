//! The record of a repetition: one line of `repetitions.jsonl`.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wowflow::dataset::LabeledDataset;

use crate::load::Named;
use crate::run::config::hex;
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
    /// Platform and threads, which the seconds depend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) machine: Option<String>,
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

impl Record {
    /// One that is about to be made, on this machine.
    pub(crate) fn begun(row: &str, method: &str, settings: String, attempt: u64, seed: u64) -> Self {
        Self {
            row: row.to_owned(),
            method: method.to_owned(),
            settings,
            revision: env!("WOWFLOW_REVISION").to_owned(),
            machine: Some(machine()),
            attempt,
            seed,
            data: Vec::new(),
            accuracies: Vec::new(),
            tested: 0,
            trained_on: 0,
            steps: 0,
            move_seconds: 0.0,
            train_seconds: 0.0,
            curve: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether two are of one method, row and try.
    pub(crate) fn same_place(&self, other: &Self) -> bool {
        (&self.row, &self.method, self.attempt) == (&other.row, &other.method, other.attempt)
    }

    /// Whether another one is this repetition with more trainings.
    pub(crate) fn shorter_than(&self, other: &Self) -> bool {
        self.settings == other.settings && self.accuracies.len() < other.accuracies.len()
    }

    /// Method, row and try, in words.
    pub(crate) fn place(&self) -> String {
        format!("{} in row {}, try {}", self.method, self.row, self.attempt)
    }

    /// Refuses data other than those of a finished repetition of the same try.
    pub(crate) fn check_data(&self, drawn: &[DataSum]) -> Result<()> {
        // In any order: it is the names that say which is which.
        let sorted = |all: &[DataSum]| {
            let mut all = all.to_vec();
            all.sort_by(|a, b| (&a.name, &a.sha256).cmp(&(&b.name, &b.sha256)));
            all
        };
        let (before, drawn) = (sorted(&self.data), sorted(drawn));
        let differs = before.iter().zip(&drawn).find(|(then, now)| then.sha256 != now.sha256);
        if let Some((then, now)) = differs {
            bail!(
                "expected {} with the values that {} saw (checksum {}), found others ({})",
                then.name,
                self.place(),
                then.sha256,
                now.sha256
            );
        }
        ensure!(
            self.data.len() == drawn.len(),
            "expected the {} datasets that {} saw, found {}",
            self.data.len(),
            self.place(),
            drawn.len()
        );
        Ok(())
    }
}

/// This machine, in words.
pub(crate) fn machine() -> String {
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    format!("{arch}-{os}, {} threads", rayon::current_num_threads())
}

/// What a repetition found: its record, and the samples it made.
pub(crate) struct Found {
    pub(crate) record: Record,
    pub(crate) samples: Option<LabeledDataset>,
}

/// A dataset as drawn, or a classifier, which has no samples.
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

    /// Of a file that a repetition depends on.
    pub(crate) fn of_file(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { name: path.display().to_string(), samples: 0, sha256: hex(&Sha256::digest(bytes)) })
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A finished repetition with these shares of right predictions.
    pub(crate) fn record(row: &str, method: &str, attempt: u64, accuracies: &[f64]) -> Record {
        Record {
            revision: "r1".to_owned(),
            machine: Some("m1".to_owned()),
            data: vec![DataSum { name: "d".to_owned(), samples: 9, sha256: "s".to_owned() }],
            accuracies: accuracies.to_vec(),
            ..Record::begun(row, method, "settings".to_owned(), attempt, 7)
        }
    }

    #[test]
    fn other_data_are_refused() {
        let record = record("5", "ours", 1, &[0.5]);
        record.check_data(&record.data).unwrap();
        let second = DataSum { name: "e".to_owned(), ..record.data[0].clone() };
        let both = [second.clone(), record.data[0].clone()];
        let order = Record { data: vec![record.data[0].clone(), second], ..record.clone() };
        order.check_data(&both).unwrap();
        let other = [DataSum { sha256: "t".to_owned(), ..record.data[0].clone() }];
        let error = record.check_data(&other).unwrap_err().to_string();
        assert_eq!(
            error,
            "expected d with the values that ours in row 5, try 1 saw (checksum s), found others (t)"
        );
        assert!(record.check_data(&[]).unwrap_err().to_string().contains("found 0"));
    }
}
