//! Checksums of what a flow records: what was changed or damaged since is neither gone on from nor drawn.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wowflow_data::sha256_hex;

use super::json::read_bytes;
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
