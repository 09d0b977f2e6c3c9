//! A finished repetition: one line of `repetitions.jsonl`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wowflow_data::{DataProvenance, Prepared, sha256_hex};

use crate::error::{Result, StudyError, refuse, require};
use crate::record::{PLATFORM, REVISION};

/// One method in one row, on one draw of the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repetition {
    /// The row.
    pub row: String,
    /// The method, by the name it has in tables.
    pub method: String,
    /// Checksum of the settings behind it.
    pub settings: String,
    /// Revision of the program that made it.
    pub revision: String,
    /// Platform and threads, which the seconds depend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// Number of the trial.
    #[serde(rename = "attempt")]
    pub trial: u64,
    /// Seed of the trial: of its samples, its flow and its trainings.
    pub seed: u64,
    /// The data as drawn.
    pub data: Vec<DataSum>,
    /// Shares of right predictions, one a training.
    pub accuracies: Vec<f64>,
    /// Samples that each of them was tested on.
    pub tested: usize,
    /// Samples that each classifier was trained on.
    pub trained_on: usize,
    /// Steps of the move.
    pub steps: u64,
    /// Of the move alone, on all threads.
    pub move_seconds: f64,
    /// Of all trainings and tests, side by side.
    pub train_seconds: f64,
    /// Accuracy along the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<CurvePoint>,
    /// SHA-256 of the file of the samples that it made, where they are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_sha256: Option<String>,
    /// Which class went where, and what else a reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Repetition {
    /// One that is about to be made, on this machine.
    pub(super) fn begun(row: &str, method: &str, settings: String, trial: u64, seed: u64) -> Self {
        Self {
            row: row.to_owned(),
            method: method.to_owned(),
            settings,
            revision: REVISION.to_owned(),
            machine: Some(machine()),
            trial,
            seed,
            data: Vec::new(),
            accuracies: Vec::new(),
            tested: 0,
            trained_on: 0,
            steps: 0,
            move_seconds: 0.0,
            train_seconds: 0.0,
            curve: Vec::new(),
            samples_sha256: None,
            notes: Vec::new(),
        }
    }

    /// Whether two are of one method, row and try.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        (&self.row, &self.method, self.trial) == (&other.row, &other.method, other.trial)
    }

    /// Whether another one is this repetition with more trainings.
    pub(super) fn shorter_than(&self, other: &Self) -> bool {
        self.settings == other.settings && self.accuracies.len() < other.accuracies.len()
    }

    /// Method, row and try, in words.
    pub(super) fn place(&self) -> String {
        format!("{} in row {}, try {}", self.method, self.row, self.trial)
    }

    /// Refuses data other than those of a finished repetition of the same try.
    pub(super) fn check_data(&self, drawn: &[DataSum]) -> Result<()> {
        // In any order: it is the names that say which is which.
        let sorted = |all: &[DataSum]| {
            let mut all = all.to_vec();
            all.sort_by(|a, b| (&a.name, &a.sha256).cmp(&(&b.name, &b.sha256)));
            all
        };
        let (before, drawn) = (sorted(&self.data), sorted(drawn));
        let differs = before.iter().zip(&drawn).find(|(then, now)| then.sha256 != now.sha256);
        if let Some((then, now)) = differs {
            refuse!(
                "expected {} with the values that {} saw (checksum {}), found others ({})",
                then.name,
                self.place(),
                then.sha256,
                now.sha256
            );
        }
        require!(
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
fn machine() -> String {
    format!("{PLATFORM}, {} threads", rayon::current_num_threads())
}

/// A dataset as drawn, or a classifier, which has no samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSum {
    /// Its name, or the path of its file.
    pub name: String,
    /// Number of samples.
    pub samples: usize,
    /// SHA-256 of the content.
    pub sha256: String,
}

impl DataSum {
    /// Of a dataset.
    pub(super) fn of(prepared: &Prepared) -> Self {
        let DataProvenance { name, samples, content_sha256, .. } = DataProvenance::from(prepared);
        Self { name, samples, sha256: content_sha256 }
    }

    /// Of a file that a repetition depends on.
    pub(super) fn of_file(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(StudyError::io("read", path))?;
        Ok(Self { name: path.display().to_string(), samples: 0, sha256: sha256_hex(&bytes) })
    }
}

/// A point of an accuracy curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Steps, or the time of a geodesic.
    pub at: f64,
    /// Seconds of the move until then, without those spent looking.
    pub seconds: f64,
    /// The share of samples that the classifier gives the class that theirs is matched with.
    pub accuracy: f64,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A finished repetition with these shares of right predictions.
    pub(in super::super) fn repetition(
        row: &str,
        method: &str,
        trial: u64,
        accuracies: &[f64],
    ) -> Repetition {
        Repetition {
            revision: "r1".to_owned(),
            machine: Some("m1".to_owned()),
            data: vec![DataSum { name: "d".to_owned(), samples: 9, sha256: "s".to_owned() }],
            accuracies: accuracies.to_vec(),
            ..Repetition::begun(row, method, "settings".to_owned(), trial, 7)
        }
    }

    #[test]
    fn other_data_are_refused() {
        let record = repetition("5", "ours", 1, &[0.5]);
        record.check_data(&record.data).unwrap();
        let second = DataSum { name: "e".to_owned(), ..record.data[0].clone() };
        let both = [second.clone(), record.data[0].clone()];
        let order = Repetition { data: vec![record.data[0].clone(), second], ..record.clone() };
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
