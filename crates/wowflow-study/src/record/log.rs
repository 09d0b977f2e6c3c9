//! Finished parts of a study on disk: one line each, synced before the next begins, so that a kill loses no more.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Place, Result, StudyError};

/// The records of a log, each checked against those before it; what a kill left of a last line is cut off.
///
/// # Errors
/// A file that cannot be read, a line that is no such record or that the check refuses.
pub fn read_lines<R: DeserializeOwned>(
    path: &Path,
    check: impl Fn(&[R], &R) -> Result<()>,
) -> Result<Vec<R>> {
    let bytes = std::fs::read(path).map_err(StudyError::io("read", path))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < bytes.len() {
        let file = OpenOptions::new().write(true).open(path);
        let cut = file.and_then(|file| file.set_len(whole as u64).and_then(|()| file.sync_all()));
        cut.map_err(StudyError::io("cut the last line of", path))?;
    }
    let mut records: Vec<R> = Vec::new();
    for (index, line) in
        bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate()
    {
        let place = || format!("{}, line {}", path.display(), index + 1);
        let record: R = serde_json::from_slice(line).at(place)?;
        check(&records, &record).at(place)?;
        records.push(record);
    }
    Ok(records)
}

/// A file of finished records, open at its end.
#[derive(Debug)]
pub struct LineLog {
    file: File,
    path: PathBuf,
}

impl LineLog {
    /// Opens a log, or begins one.
    ///
    /// # Errors
    /// A place that cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(StudyError::io("write", path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Adds a record; it is on disk when this returns.
    ///
    /// # Errors
    /// A place that cannot be written any more.
    pub fn append(&mut self, record: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(StudyError::io("write", &self.path))
    }
}
