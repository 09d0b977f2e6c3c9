//! The samples that the first trial of each method made, as files in the run directory.

use std::fs;
use std::path::{Path, PathBuf};

use wowflow::dataset::LabeledDataset;
use wowflow_data::write_npz_dataset;

use super::config::ExperimentConfig;
use super::repetition::Repetition;
use crate::error::{Result, StudyError};
use crate::record::{RunDir, file_sum, same};
use crate::text::slug;

/// Samples that a method made in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleFile {
    /// The row.
    pub row: String,
    /// The method, by the name it has in tables.
    pub method: String,
    /// The samples, with labels of the target.
    pub dataset: PathBuf,
    /// Where a picture of them belongs; it may be there or not.
    pub sheet: PathBuf,
}

impl SampleFile {
    fn new(run: &RunDir, row: &str, method: &str) -> Self {
        let path = run.file("samples").join(slug(&format!("{row} {method}")));
        let end = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
        Self { row: row.to_owned(), method: method.to_owned(), dataset: end(".npz"), sheet: end(".png") }
    }
}

/// The samples in a run directory, row by row.
#[must_use]
pub fn sample_files(folder: &Path, config: &ExperimentConfig) -> Vec<SampleFile> {
    let run = RunDir::new(folder);
    let file = |row: &String, label: String| SampleFile::new(&run, row, &label);
    let all = config
        .rows
        .iter()
        .flat_map(|row| config.methods_of(row).into_iter().map(move |method| file(row, method.label())));
    all.filter(|file| file.dataset.is_file()).collect()
}

/// Writes the samples of a method in a row, and returns their checksum; a picture of earlier ones goes.
pub(super) fn write(run: &RunDir, row: &str, method: &str, samples: &LabeledDataset) -> Result<String> {
    let SampleFile { dataset, sheet, .. } = SampleFile::new(run, row, method);
    let folder = run.file("samples");
    fs::create_dir_all(&folder).map_err(StudyError::io("make the folder", &folder))?;
    if sheet.exists() {
        fs::remove_file(&sheet).map_err(StudyError::io("remove", &sheet))?;
    }
    write_npz_dataset(&dataset, samples, &[])?;
    Ok(file_sum(&dataset)?)
}

/// Whether the samples of finished repetitions may be missing: results alone are enough to grow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MayMiss {
    No,
    Yes,
}

/// Refuses samples of finished repetitions that were changed since.
pub(super) fn check(run: &RunDir, repetitions: &[Repetition], may_miss: MayMiss) -> Result<()> {
    for repetition in repetitions {
        let Some(sum) = &repetition.samples_sha256 else { continue };
        let path = SampleFile::new(run, &repetition.row, &repetition.method).dataset;
        if may_miss == MayMiss::No || path.exists() {
            same(sum, &file_sum(&path)?, &path)?;
        }
    }
    Ok(())
}
