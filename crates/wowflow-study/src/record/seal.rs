//! Checksums of what a study keeps: what was changed or damaged since is neither gone on from nor drawn.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wowflow_data::sha256_hex;

use super::json::{read_bytes, read_json, write_json};
use super::metrics::FramesIndex;
use crate::error::{RecordError, Result};

/// The last field of a sealed file and of a sealed line: the checksum of what stands before it.
const SUM: &str = "sha256";

/// Checksums beside the index of frames, in one file, so that they belong together whenever a run is killed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
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

/// Refuses content with another checksum than what was written.
pub(crate) fn same(expected: &str, found: &str, path: &Path) -> Result<(), RecordError> {
    if expected == found { Ok(()) } else { Err(changed(path)) }
}

/// What is found in a file that was changed.
pub(crate) const OTHER: &str = "another content: bring back the file as it was, or run anew";

/// What is said of a file that was changed.
pub(crate) fn changed(path: &Path) -> RecordError {
    RecordError::content(path, "what the run wrote", OTHER)
}

/// Writes a value as JSON that ends with a checksum of it.
pub(crate) fn write_sealed(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut value = serde_json::to_value(value)?;
    value[SUM] = sum_of(&value).into();
    write_json(path, &value)
}

/// Reads a value that [`write_sealed`] wrote, and says whether it has a checksum; files of earlier versions have none.
pub(crate) fn read_sealed<T: DeserializeOwned>(
    path: &Path,
    what: &'static str,
) -> Result<(T, bool), RecordError> {
    let mut value: Value = read_json(path, what)?;
    let sum = value.as_object_mut().and_then(|fields| fields.shift_remove(SUM));
    if let Some(sum) = &sum {
        same(sum.as_str().unwrap_or_default(), &sum_of(&value), path)?;
    }
    let read = serde_json::from_value(value);
    Ok((read.map_err(|error| RecordError::content(path, what, error.to_string()))?, sum.is_some()))
}

/// The checksum of a value, however it is laid out in its file.
fn sum_of(value: &Value) -> String {
    sha256_hex(value.to_string().as_bytes())
}

/// The checksum of lines and of one more after them.
pub(crate) fn chained(before: &str, line: &[u8]) -> String {
    sha256_hex(&[before.as_bytes(), line].concat())
}

/// A record as a line that ends with a checksum of it and of all lines before, which is returned, too.
pub(crate) fn sealed_line(before: &str, record: &impl Serialize) -> Result<(Vec<u8>, String)> {
    let mut line = serde_json::to_vec(record)?;
    let sum = chained(before, &line);
    // A record is an object: the checksum becomes its last field.
    line.pop();
    line.extend(end_of(&sum).bytes());
    line.push(b'\n');
    Ok((line, sum))
}

/// The end of a sealed line.
fn end_of(sum: &str) -> String {
    format!(",\"{SUM}\":\"{sum}\"}}")
}

/// Lines read so far, of which those at the end may be sealed.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// The checksum of all of them.
    pub(crate) sum: String,
    sealed: bool,
}

impl Chain {
    /// Takes the next line, without its newline; whether it is as it was written. Lines of earlier versions, without
    /// checksums, may come before all that have one, which is of them as well.
    pub(crate) fn takes(&mut self, line: &[u8]) -> bool {
        let place = line.len().saturating_sub(end_of(&sha256_hex(b"")).len());
        let (head, end) = line.split_at(place);
        let sum = chained(&self.sum, &[head, b"}"].concat());
        if end == end_of(&sum).as_bytes() {
            (self.sum, self.sealed) = (sum, true);
            return true;
        }
        self.sum = chained(&self.sum, line);
        !self.sealed && !end.starts_with(end_of("").trim_end_matches("\"}").as_bytes())
    }
}

/// The checksum of a file, such as a recorded array.
pub(crate) fn file_sum(path: &Path) -> Result<String, RecordError> {
    Ok(sha256_hex(&read_bytes(path, "recorded samples")?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_sealed_file_may_be_laid_out_anew_and_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let value = json!({ "b": 0.1 + 0.2, "a": [1, -0.0, null], "c": "é" });
        write_sealed(&path, &value).unwrap();
        let read = || read_sealed::<Value>(&path, "a value");
        assert_eq!(read().unwrap(), (value.clone(), true));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace('\n', " ")).unwrap();
        assert_eq!(read().unwrap(), (value.clone(), true));
        let twice = text.replacen('{', "{\"b\": 1,", 1);
        for (changed, ok) in [
            (text.replace("0.30000000000000004", "0.3"), false),
            (text.replace("null", "1"), false),
            (twice.replace("-0.0", "0.0"), false),
            (text.replace("\"sha256\": \"", "\"sha256\": \"0"), false),
            (serde_json::to_string(&value).unwrap(), true),
        ] {
            fs::write(&path, &changed).unwrap();
            assert_eq!(read().is_ok_and(|(found, sealed)| found == value && !sealed), ok, "{changed}");
            if !ok {
                let error = read().unwrap_err().to_string();
                assert!(error.contains("a.json, found another content"), "{error}");
            }
        }
    }

    #[test]
    fn every_change_of_a_chain_is_noticed_but_a_lost_end() {
        let mut lines: Vec<Vec<u8>> = vec![b"{\"of\":\"before\"}".to_vec()];
        let mut sum = chained("", &lines[0]);
        for number in 0..4 {
            let (mut line, next) = sealed_line(&sum, &json!({ "number": number })).unwrap();
            assert_eq!(line.pop(), Some(b'\n'));
            lines.push(line);
            sum = next;
        }
        let whole = |lines: &[Vec<u8>]| {
            let mut chain = Chain::default();
            lines.iter().all(|line| chain.takes(line)) && chain.sum == sum
        };
        assert!(whole(&lines));
        for at in 0..lines.len() {
            let mut changed = lines.clone();
            changed.remove(at);
            assert!(!whole(&changed), "line {at} lost");
            let mut changed = lines.clone();
            changed.insert(at, lines[at].clone());
            assert!(!whole(&changed), "line {at} doubled");
            for byte in 0..lines[at].len() {
                let mut changed = lines.clone();
                changed[at][byte] ^= 1;
                assert!(!whole(&changed), "line {at}, byte {byte}");
            }
        }
    }
}
