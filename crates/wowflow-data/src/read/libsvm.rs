//! LIBSVM text: `label index:value ...` a line, indices from 1, or from 0 where one is, missing values 0.
//!
//! `#` begins a comment, `qid:N` is left out, and a line may have a label alone: all its values are 0.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use wowflow::dataset::{ImageShape, Label, Points};

use super::source;
use super::{Parsed, dataset, labels};
use crate::bounded::Budget;
use crate::columns::Columns;
use crate::error::{DataError, Place};

/// How numbers in the file are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Convention {
    /// As they stand.
    AsWritten,
    /// USPS: labels 1 to 10 are the digits 0 to 9; 16x16 pixels in [-1, 1] are mapped to [0, 1].
    Usps,
}

const USPS: ImageShape = ImageShape { width: 16, height: 16, channels: 1 };
/// Memory for each line while it is read: its label in words and as such, its number, its end.
const LINE: usize = 192;

/// Whether the first line with more than a label has `index:value` after it.
pub(super) fn looks_like(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    // The last line may be cut short.
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut lines = lines.map(|line| line.split_whitespace().skip(1)).filter_map(|mut words| words.next());
    let pair = lines.next().and_then(|word| word.split_once(':'));
    pair.is_some_and(|(index, value)| {
        (index == "qid" || index.parse::<usize>().is_ok()) && value.parse::<f64>().is_ok()
    })
}

pub(crate) fn read_file(path: &Path, convention: Convention) -> Result<Parsed, DataError> {
    let budget = &Budget::default();
    parse(source::open(path, budget)?.reader, convention, path, budget)
}

fn parse(
    reader: impl Read,
    convention: Convention,
    file: &Path,
    budget: &Budget,
) -> Result<Parsed, DataError> {
    let mut words_of_labels = Vec::new();
    let mut lines = Vec::new();
    let mut entries: Vec<(u32, f64)> = Vec::new();
    let mut ends = Vec::new();
    let mut queries = false;
    let (mut reader, mut bytes, mut number) = (BufReader::new(reader), Vec::new(), 0);
    while next_line(&mut reader, &mut bytes, file, budget)? {
        number += 1;
        let line = String::from_utf8_lossy(&bytes);
        let content = line.split('#').next().unwrap_or_default();
        let mut words = content.split_whitespace();
        let Some(label) = words.next() else { continue };
        let at: u64 = number;
        if label.contains([',', ':']) {
            return Err(DataError::format(file, "one label a line", format!("`{label}` at line {at}")));
        }
        budget.take((LINE + 2 * label.len()) as u64, file)?;
        words_of_labels.push(label.to_owned());
        lines.push(at);
        let mut last: Option<u32> = None;
        for word in words {
            if last.is_none() && word.starts_with("qid:") {
                queries = true;
                continue;
            }
            let (index, value) = entry(word, at, file)?;
            if let Some(last) = last.filter(|last| index <= *last) {
                let found = format!("{index} after {last} at line {at}");
                return Err(DataError::format(file, "increasing indices", found));
            }
            last = Some(index);
            if entries.len() == entries.capacity() {
                let more = entries.len().max(1 << 12);
                budget.take_of::<(u32, f64)>(more, file)?;
                entries.reserve_exact(more);
            }
            entries.push((index, value));
        }
        ends.push(entries.len());
    }
    let labels = labels::of_column(&words_of_labels, file, |row| format!("line {}", lines[row]))?;
    let labels = match convention {
        Convention::AsWritten => labels,
        Convention::Usps => labels
            .into_iter()
            .zip(&lines)
            .map(|(label, line)| digit(label, *line, file))
            .collect::<Result<_, _>>()?,
    };
    // Programs that count from 0 write a feature 0 somewhere; where none does, features are counted from 1.
    let base = u32::from(!entries.iter().any(|&(index, _)| index == 0));
    let widest =
        entries.iter().map(|&(index, _)| ((index - base) as usize).saturating_add(1)).max().unwrap_or(0);
    let (dim, shape) = match convention {
        Convention::AsWritten => (widest, None),
        Convention::Usps if widest > USPS.len() => {
            let expected = format!("at most {} pixels a sample", USPS.len());
            return Err(DataError::format(file, expected, format!("index {widest}")));
        }
        Convention::Usps => (USPS.len(), Some(USPS)),
    };
    budget.take_of::<f64>(labels.len().saturating_mul(dim), file)?;
    let mut values = vec![0.0; labels.len() * dim];
    let mut start = 0;
    for (row, &end) in ends.iter().enumerate() {
        for &(index, value) in &entries[start..end] {
            values[row * dim + (index - base) as usize] = value;
        }
        start = end;
    }
    let points = match convention {
        Convention::AsWritten => Points::F64(values),
        Convention::Usps => Points::F32(values.into_iter().map(|v| ((v + 1.0) / 2.0) as f32).collect()),
    };
    let dataset = dataset(file, points, dim, labels, shape, budget)?;
    let mut notes = Vec::new();
    notes.extend((base == 0).then(|| "features counted from 0".to_owned()));
    notes.extend(queries.then(|| "qid left out".to_owned()));
    Ok(Parsed {
        dataset,
        files: vec![file.to_owned()],
        notes,
        columns: Columns::Sparse { from_zero: base == 0 },
    })
}

/// Reads the next line in place of another; false where there is none.
fn next_line(
    reader: &mut impl BufRead,
    line: &mut Vec<u8>,
    file: &Path,
    budget: &Budget,
) -> Result<bool, DataError> {
    line.clear();
    loop {
        if line.len() == line.capacity() {
            let more = line.len().max(1 << 16);
            // Three times: what is no UTF-8 is written anew.
            budget.take(3 * more as u64, file)?;
            line.reserve_exact(more);
        }
        let room = (line.capacity() - line.len()) as u64;
        let read = reader.take(room).read_until(b'\n', line).map_err(|error| DataError::io(file, error))?;
        if line.last() == Some(&b'\n') || (read as u64) < room {
            return Ok(!line.is_empty());
        }
    }
}

/// The digit that a label of USPS stands for.
fn digit(label: Label, line: u64, file: &Path) -> Result<Label, DataError> {
    match label {
        Label::Int(digit @ 1..=10) => Ok(Label::Int(digit - 1)),
        other => {
            let expected = "a label from 1 to 10 (the digits 0 to 9)";
            Err(DataError::format(file, expected, format!("`{other}` at line {line}")))
        }
    }
}

fn entry(word: &str, line: u64, file: &Path) -> Result<(u32, f64), DataError> {
    let bad = || {
        let shown: String = word.chars().take(40).collect();
        DataError::format(file, "index:value with a whole index", format!("`{shown}` at line {line}"))
    };
    let (index, value) = word.split_once(':').ok_or_else(bad)?;
    let index: u32 = index.parse().map_err(|_| bad())?;
    let number: f64 = value.parse().map_err(|_| bad())?;
    if !number.is_finite() {
        return Err(DataError::NotFinite {
            file: file.to_owned(),
            place: Place::Line(line),
            column: index.to_string(),
            found: format!("`{value}`"),
        });
    }
    Ok((index, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, convention: Convention) -> Result<wowflow::dataset::LabeledDataset, String> {
        parse(text.as_bytes(), convention, Path::new("t.libsvm"), &Budget::default())
            .map(|parsed| parsed.dataset)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn missing_values_are_zero() {
        let data = read("+1 1:0.5 3:-2\n# a comment\n-1 2:1e-3 # another\n", Convention::AsWritten).unwrap();
        assert_eq!(data.points(), &Points::F64(vec![0.5, 0.0, -2.0, 0.0, 0.001, 0.0]));
        assert_eq!(data.classes(), &[Label::Int(-1), Label::Int(1)]);
    }

    #[test]
    fn what_common_writers_write_is_read() {
        // Counted from 0, with comments before the data, a query and a sample of zeros.
        let text = "# written by a program\n# counted from 0\n#\n0 qid:3 0:0.5 2:-2\n1\n1.000000e+00 1:4\n";
        let parsed =
            parse(text.as_bytes(), Convention::AsWritten, Path::new("t.libsvm"), &Budget::default()).unwrap();
        let zeros = [0.0; 3];
        let rows = [[0.5, 0.0, -2.0], zeros, [0.0, 4.0, 0.0]].concat();
        assert_eq!(parsed.dataset.points(), &Points::F64(rows));
        assert_eq!(parsed.dataset.classes(), &[Label::Int(0), Label::Int(1)]);
        assert_eq!(parsed.notes, ["features counted from 0", "qid left out"]);
        assert!(matches!(parsed.columns, Columns::Sparse { .. }));
        assert!(looks_like(text.as_bytes()) && looks_like(b"1\n0\n-1 7:2\n"));
        assert!(!looks_like(b"# a,b,label\n1,2,3\n"));
    }

    #[test]
    fn usps_is_mapped_to_digits_and_unit_pixels() {
        let data = read("10 1:-1 2:1\n1 256:0.5\n", Convention::Usps).unwrap();
        assert_eq!(data.classes(), &[Label::Int(0), Label::Int(9)]);
        assert_eq!(data.image_shape(), Some(USPS));
        assert_eq!(&data.row(0)[..3], &[0.0, 1.0, 0.5]);
        assert_eq!(data.row(1)[255], 0.75);
        let error = read("0 1:1\n", Convention::Usps).unwrap_err();
        assert!(error.contains("from 1 to 10 (the digits 0 to 9), found `0` at line 1"), "{error}");
    }

    #[test]
    fn bad_lines_are_named() {
        let cases = [
            ("1 1:2\n1 2:2 0:2\n", "expected increasing indices, found 0 after 2 at line 2"),
            ("1 2:2 2:3\n", "expected increasing indices, found 2 after 2 at line 1"),
            ("1 1:x\n", "expected index:value with a whole index, found `1:x` at line 1"),
            ("1 1:nan\n", "expected a finite number at line 1, column 1, found `nan`"),
            ("1,2 1:1\n", "expected one label a line, found `1,2` at line 1"),
            (
                "1 4000000000:1\n",
                "expected at most 268 MB in memory for 0 bytes of files, found 32 GB or more: it is damaged, or to be \
                 written anew with less compression",
            ),
            (
                "1 4294967295:1\n1 0:1\n",
                "expected at most 268 MB in memory for 0 bytes of files, found 68 GB or more: it is damaged, or to be \
                 written anew with less compression",
            ),
            ("", "expected at least one coordinate a sample, found none"),
        ];
        for (text, expected) in cases {
            let error = read(text, Convention::AsWritten).unwrap_err();
            assert_eq!(error, format!("t.libsvm: {expected}"), "{text}");
        }
    }

    #[test]
    fn the_format_is_seen_in_the_first_line() {
        assert!(looks_like(b"\n+1 1:0.5 2:0.25\n"));
        assert!(!looks_like(b"1,2,3\n"));
        assert!(!looks_like(b"time 12:30\xff\n") || looks_like(b"time 12:30\n"));
        assert!(!looks_like(b"a b:c\n"));
    }
}
