//! Where each file of a run lies, and the version of the layout.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::json::{check_schema, read_bytes, read_json};
use super::metrics::{FramesIndex, MetricsRecord, Summary, read_metrics};
use super::provenance::Provenance;
use super::seal::{Seal, Sealed, chained, changed, file_sum, read_sealed, same, write_sealed};
use crate::error::{RecordError, Result};

/// Where each file of a run lies.
///
/// ```
/// use wowflow_study::record::RunDir;
/// let run = RunDir::new("runs/first");
/// assert!(run.frame(250).ends_with("frames/step-00000250.npy"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    root: PathBuf,
}

impl RunDir {
    /// Names the run directory `root`; nothing is created or read.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The resolved configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.join("config.json")
    }

    /// Versions, seeds and checksums.
    #[must_use]
    pub fn provenance(&self) -> PathBuf {
        self.root.join("provenance.json")
    }

    /// Finished parts of a study of many, one a line.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.jsonl"))
    }

    /// Any other file of the study.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// One [`MetricsRecord`] a line.
    #[must_use]
    pub fn metrics(&self) -> PathBuf {
        self.root.join("metrics.jsonl")
    }

    /// The [`Summary`] of a finished run.
    #[must_use]
    pub fn summary(&self) -> PathBuf {
        self.root.join("summary.json")
    }

    /// The flowed dataset with its new labels.
    #[must_use]
    pub fn flowed(&self) -> PathBuf {
        self.root.join("flowed.npz")
    }

    /// Folder of the checkpoints.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    /// Folder of the recorded samples.
    #[must_use]
    pub fn frames(&self) -> PathBuf {
        self.root.join("frames")
    }

    /// The [`FramesIndex`].
    #[must_use]
    pub fn frames_index(&self) -> PathBuf {
        self.frames().join("frames.json")
    }

    /// The displayed source samples at a step: a float32 array of shape (rows, dim).
    #[must_use]
    pub fn frame(&self, step: u64) -> PathBuf {
        self.frames().join(format!("step-{step:08}.npy"))
    }

    /// The displayed target samples: a float32 array of shape (rows, dim).
    #[must_use]
    pub fn target(&self) -> PathBuf {
        self.frames().join("target.npy")
    }

    /// Picture: a grid of images over time.
    #[must_use]
    pub fn images_picture(&self) -> PathBuf {
        self.root.join("images.png")
    }

    /// Picture: the paths of the samples in the plane.
    #[must_use]
    pub fn trajectories_picture(&self) -> PathBuf {
        self.root.join("trajectories.png")
    }

    /// Picture: the loss against the step.
    #[must_use]
    pub fn loss_picture(&self) -> PathBuf {
        self.root.join("loss.png")
    }

    /// Picture: nearest-neighbour accuracy against the step.
    #[must_use]
    pub fn accuracy_picture(&self) -> PathBuf {
        self.root.join("accuracy.png")
    }

    /// Picture: the exact distance to the target against the step.
    #[must_use]
    pub fn distance_picture(&self) -> PathBuf {
        self.root.join("distance.png")
    }

    /// Picture: the animated flow.
    #[must_use]
    pub fn flow_animation(&self) -> PathBuf {
        self.root.join("flow.gif")
    }

    /// Reads the part of `config.json` that reports need.
    ///
    /// # Errors
    /// The file is missing or does not name the schema, the source and the target.
    pub fn read_names(&self) -> Result<RunNames, RecordError> {
        let path = self.config();
        let names: RunNames = read_json(&path, "the configuration of a run")?;
        check_schema(&path, names.schema)?;
        Ok(names)
    }

    /// Reads `metrics.jsonl`, see [`read_metrics`].
    ///
    /// # Errors
    /// As [`read_metrics`].
    pub fn read_metrics(&self) -> Result<Vec<MetricsRecord>, RecordError> {
        read_metrics(&self.metrics())
    }

    /// Reads `frames/frames.json` and checks that its parts fit together, and that it, the metrics and the frames are as
    /// the run wrote them.
    ///
    /// # Errors
    /// The file is missing, is not such an index, has another schema, or contradicts itself; a file was changed.
    pub fn read_frames_index(&self) -> Result<FramesIndex, RecordError> {
        Ok(self.read_sealed()?.index)
    }

    pub(crate) fn read_sealed(&self) -> Result<Sealed, RecordError> {
        let path = self.frames_index();
        let sealed: Sealed = self.read(&path, "the index of recorded frames")?;
        check_schema(&path, sealed.index.schema)?;
        sealed.index.check(&path)?;
        sealed.seal.iter().try_for_each(|seal| self.verify(seal, &sealed.index))?;
        Ok(sealed)
    }

    /// Compares everything that is sealed with what is there.
    fn verify(&self, seal: &Seal, index: &FramesIndex) -> Result<(), RecordError> {
        let metrics = read_bytes(&self.metrics(), "metrics")?;
        let lines = metrics.split_inclusive(|byte| *byte == b'\n').take(seal.lines);
        same(&seal.metrics, &lines.fold(String::new(), |sum, line| chained(&sum, line)), &self.metrics())?;
        for (step, sum) in index.steps.iter().zip(&seal.frames) {
            let path = self.frame(*step);
            same(sum, &file_sum(&path)?, &path)?;
        }
        same(&seal.target, &file_sum(&self.target())?, &self.target())
    }

    /// Reads `provenance.json`, and says whether it has a checksum, as it does where this or a later version began the
    /// run.
    pub(crate) fn read_provenance(&self) -> Result<(Provenance, bool), RecordError> {
        let (path, what) = (self.provenance(), "the provenance of a run");
        let (provenance, sealed): (Provenance, bool) = read_sealed(&path, what)?;
        if !sealed {
            // Other files must have a checksum where this one has it: the name of its own may be what was damaged.
            let known = serde_json::to_value(&provenance).unwrap_or_default();
            let found: Map<String, Value> = read_json(&path, what)?;
            if found.keys().any(|key| known.get(key).is_none()) {
                return Err(changed(&path));
            }
        }
        Ok((provenance, sealed))
    }

    /// Reads a file that has a checksum where the provenance has one.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        path: &Path,
        what: &'static str,
    ) -> Result<T, RecordError> {
        let (value, sealed) = read_sealed(path, what)?;
        let lost = !sealed && self.read_provenance().is_ok_and(|(_, sealed)| sealed);
        if lost { Err(changed(path)) } else { Ok(value) }
    }

    /// Writes `summary.json` with its checksum.
    ///
    /// # Errors
    /// A place that cannot be written.
    pub fn write_summary(&self, summary: &Summary) -> Result<()> {
        write_sealed(&self.summary(), summary)
    }

    /// Reads `summary.json`.
    ///
    /// # Errors
    /// The file is missing, is not a summary, has another schema, or was changed.
    pub fn read_summary(&self) -> Result<Summary, RecordError> {
        let path = self.summary();
        let summary: Summary = self.read(&path, "the summary of a finished run")?;
        check_schema(&path, summary.schema)?;
        Ok(summary)
    }
}

/// What reports read of `config.json`: the datasets by name; its other fields are the program's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunNames {
    /// Version of the layout, [`SCHEMA`](super::SCHEMA).
    pub schema: u32,
    /// The dataset that flows.
    pub source: String,
    /// The dataset it flows to.
    pub target: String,
}
