//! Finished parts of a study on disk: one line each, synced before the next begins, so that a kill loses no more. A
//! line ends with a checksum of it and of those before it, see [`Chain`].

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::seal::{Chain, OTHER, sealed_line};
use crate::error::{Place, RecordError, Result, StudyError};

/// The records of a log, each checked against those before it; what a kill left of a last line is cut off.
///
/// # Errors
/// A file that cannot be read, a line that was changed, is no such record or is refused by the check; lines that are
/// missing or doubled, but for the last ones, which a kill may have taken.
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
    let (mut records, mut chain): (Vec<R>, Chain) = Default::default();
    for (index, line) in lines(&bytes[..whole]).enumerate() {
        let place = || format!("{}, line {}", path.display(), index + 1);
        if !chain.takes(line) {
            let expected = format!("line {} as the run wrote it", index + 1);
            return Err(RecordError::content(path, expected, OTHER).into());
        }
        let record: R = serde_json::from_slice(line).at(place)?;
        check(&records, &record).at(place)?;
        records.push(record);
    }
    Ok(records)
}

/// The lines of a log without their ends.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// Records as a log holds them.
#[cfg(feature = "learn")]
pub(crate) fn lines_of(records: &[impl Serialize]) -> Result<Vec<u8>> {
    let (mut lines, mut sum) = (Vec::new(), String::new());
    for record in records {
        let (line, next) = sealed_line(&sum, record)?;
        lines.extend(line);
        sum = next;
    }
    Ok(lines)
}

/// A file of finished records, open at its end.
#[derive(Debug)]
pub struct LineLog {
    file: File,
    path: PathBuf,
    /// The checksum of all lines.
    sum: String,
}

impl LineLog {
    /// Opens a log that [`read_lines`] has read, or begins one.
    ///
    /// # Errors
    /// A place that cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let mut file = file.map_err(StudyError::io("write", path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(StudyError::io("read", path))?;
        let mut chain = Chain::default();
        for line in lines(&bytes) {
            chain.takes(line);
        }
        Ok(Self { file, path: path.to_owned(), sum: chain.sum })
    }

    /// Adds a record; it is on disk when this returns.
    ///
    /// # Errors
    /// A place that cannot be written any more; nothing of the record stays then.
    pub fn append(&mut self, record: &impl Serialize) -> Result<()> {
        let (line, sum) = sealed_line(&self.sum, record)?;
        let before = self.file.metadata().map_err(StudyError::io("write", &self.path))?.len();
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Another record may follow. What failed is the message; half a line is cut off by whoever reads the log.
            let _ = self.file.set_len(before);
            return Err(StudyError::io("write", &self.path)(error));
        }
        self.sum = sum;
        Ok(())
    }
}
