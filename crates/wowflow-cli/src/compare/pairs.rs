//! Finished pairs on disk: one line each, synced before the next begins, so that a kill loses no more.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wowflow::compare::CertaintyRecord;

/// One line of `pairs.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PairRecord {
    /// Indices into the datasets of the configuration, `left < right`.
    pub(crate) left: usize,
    pub(crate) right: usize,
    pub(crate) value: f64,
    pub(crate) power: f64,
    pub(crate) certainty: CertaintyRecord,
    pub(crate) seconds: f64,
}

/// All pairs of so many datasets, in order.
pub(crate) fn all(count: usize) -> Vec<(usize, usize)> {
    (0..count).flat_map(|left| (left + 1..count).map(move |right| (left, right))).collect()
}

/// The finished pairs of a run of so many datasets; what a kill left of a last line is cut off.
pub(crate) fn read(path: &Path, count: usize) -> Result<Vec<PairRecord>> {
    read_lines(path, |records: &[PairRecord], record| {
        let (left, right) = (record.left, record.right);
        let new = records.iter().all(|known| (known.left, known.right) != (left, right));
        ensure!(
            left < right && right < count && new,
            "expected another pair of the {count} datasets, found {left} and {right}"
        );
        Ok(())
    })
}

/// The records of a file of finished pairs, each checked against those before it; what a kill left of a last
/// line is cut off.
pub(crate) fn read_lines<R: DeserializeOwned>(
    path: &Path,
    check: impl Fn(&[R], &R) -> Result<()>,
) -> Result<Vec<R>> {
    let cannot = || format!("cannot read {}", path.display());
    let bytes = std::fs::read(path).with_context(cannot)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < bytes.len() {
        let file = OpenOptions::new().write(true).open(path).with_context(cannot)?;
        file.set_len(whole as u64).and_then(|()| file.sync_all()).with_context(cannot)?;
    }
    let mut records: Vec<R> = Vec::new();
    for (index, line) in
        bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate()
    {
        let place = || format!("{}, line {}", path.display(), index + 1);
        let record: R = serde_json::from_slice(line).with_context(place)?;
        check(&records, &record).with_context(place)?;
        records.push(record);
    }
    Ok(records)
}

/// A file of finished records, open at its end.
#[derive(Debug)]
pub(crate) struct LineLog {
    file: File,
    path: PathBuf,
}

impl LineLog {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Adds a record; it is on disk when this returns.
    pub(crate) fn append(&mut self, record: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_is_dropped_and_foreign_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pairs.jsonl");
        let record = |left: usize, right: usize| PairRecord {
            left,
            right,
            value: 0.1 + 0.2,
            power: (0.1f64 + 0.2) * (0.1 + 0.2),
            certainty: CertaintyRecord::Sliced {
                standard_error: None,
                interval: Some([0.1, 1.0 / 3.0]),
                power_standard_error: Some(1e-300),
            },
            seconds: 0.25,
        };
        let mut log = LineLog::open(&path).unwrap();
        log.append(&record(0, 1)).unwrap();
        log.append(&record(1, 2)).unwrap();
        assert_eq!(read(&path, 3).unwrap(), [record(0, 1), record(1, 2)]);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert_eq!(read(&path, 3).unwrap(), [record(0, 1)]);
        LineLog::open(&path).unwrap().append(&record(0, 2)).unwrap();
        assert_eq!(read(&path, 3).unwrap(), [record(0, 1), record(0, 2)]);
        let text = format!("{:#}", read(&path, 2).unwrap_err());
        assert!(text.contains("line 2: expected another pair of the 2"), "{text}");
        LineLog::open(&path).unwrap().append(&record(0, 1)).unwrap();
        assert!(read(&path, 3).unwrap_err().to_string().contains("line 3"));
        assert_eq!(all(3), [(0, 1), (0, 2), (1, 2)]);
    }
}
