//! Checksums of what a flow records: what was changed or damaged since is neither gone on from nor drawn.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wowflow_data::sha256_hex;

use super::json::read_bytes;
use super::layout::RunDir;
use super::metrics::FramesIndex;
use crate::error::RecordError;

/// Checksums beside the index of frames, in one file, so that they belong together whenever a run is killed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    /// Of the index itself.
    pub(crate) index: String,
    /// Lines of the metrics that are sealed; later ones may follow.
    pub(crate) lines: usize,
    /// Of these lines, see [`chained`].
    pub(crate) metrics: String,
    /// Of the recorded arrays, step after step.
    pub(crate) frames: Vec<String>,
    /// Of the array of the target.
    pub(crate) target: String,
}

/// `frames.json`; runs of earlier versions have no seal.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sealed {
    #[serde(flatten)]
    pub(crate) index: FramesIndex,
    #[serde(default)]
    pub(crate) seal: Option<Seal>,
}

/// The checksum of lines and of one more after them.
pub(crate) fn chained(before: &str, line: &[u8]) -> String {
    sha256_hex(&[before.as_bytes(), line].concat())
}

/// The checksum of an index.
pub(crate) fn index_sum(index: &FramesIndex) -> String {
    // Keys are strings and the values plain numbers and texts: this cannot fail.
    sha256_hex(&serde_json::to_vec(index).unwrap_or_default())
}

/// The checksum of a recorded array.
pub(crate) fn file_sum(path: &Path) -> Result<String, RecordError> {
    Ok(sha256_hex(&read_bytes(path, "recorded samples")?))
}

impl Seal {
    /// Compares everything that is sealed with what is there.
    pub(crate) fn verify(&self, run: &RunDir, index: &FramesIndex) -> Result<(), RecordError> {
        let same = |expected: &str, found: &str, path: &Path| {
            let other = "another content: bring back the file as it was, or run anew";
            if expected == found {
                return Ok(());
            }
            Err(RecordError::content(path, "what the run wrote", other))
        };
        same(&self.index, &index_sum(index), &run.frames_index())?;
        let metrics = read_bytes(&run.metrics(), "metrics")?;
        let lines = metrics.split_inclusive(|byte| *byte == b'\n').take(self.lines);
        same(&self.metrics, &lines.fold(String::new(), |sum, line| chained(&sum, line)), &run.metrics())?;
        for (step, sum) in index.steps.iter().zip(&self.frames) {
            let path = run.frame(*step);
            same(sum, &file_sum(&path)?, &path)?;
        }
        same(&self.target, &file_sum(&run.target())?, &run.target())
    }
}
