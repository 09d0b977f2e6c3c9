//! CSV and TSV: one sample a line, one column of labels.

use std::io::Read;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Trim};
use wowflow::dataset::{Label, Points};

use super::source;
use super::{Parsed, dataset};
use crate::error::{DataError, Place};

/// Names of the label column, in any case.
const LABEL_NAMES: [&str; 4] = ["label", "class", "target", "y"];

pub(super) fn read_file(path: &Path) -> Result<Parsed, DataError> {
    let opened = source::open(path)?;
    let delimiter = delimiter(&opened.head);
    parse(opened.reader, delimiter, path)
}

/// A tab if the first line has one, else a comma, else a semicolon.
fn delimiter(head: &[u8]) -> u8 {
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    [b'\t', b',', b';'].into_iter().find(|byte| line.contains(byte)).unwrap_or(b',')
}

/// Where things stand in a line: decided by the first one.
struct Columns {
    names: Option<Vec<String>>,
    label: usize,
    count: usize,
}

impl Columns {
    fn of(first: &ByteRecord) -> Self {
        let cells: Vec<String> = first.iter().map(text).collect();
        let count = cells.len();
        let named = |name: &str| cells.iter().position(|cell| cell.eq_ignore_ascii_case(name));
        let is_number = |cell: &String| cell.is_empty() || cell.parse::<f64>().is_ok();
        // Every cell but the labels' is a number in a line of data; `y` may also be a label itself.
        let header = cells[..count.saturating_sub(1)].iter().all(|cell| !is_number(cell)) && count > 1
            || LABEL_NAMES[..3].iter().any(|name| named(name).is_some());
        let label = LABEL_NAMES.iter().find_map(|name| named(name)).filter(|_| header);
        Self { names: header.then_some(cells), label: label.unwrap_or(count.saturating_sub(1)), count }
    }

    fn name(&self, column: usize) -> String {
        match &self.names {
            Some(names) => format!("`{}`", names[column]),
            None => (column + 1).to_string(),
        }
    }
}

fn text(cell: &[u8]) -> String {
    // A byte order mark opens many files written by spreadsheets.
    String::from_utf8_lossy(cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell)).into_owned()
}

fn parse(reader: impl Read, delimiter: u8, file: &Path) -> Result<Parsed, DataError> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter)
        .from_reader(reader);
    let mut columns: Option<Columns> = None;
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| unreadable(error, file))? {
        let line = record.position().map_or(0, csv::Position::line);
        let columns = match &columns {
            Some(columns) => columns,
            None => {
                let first = columns.insert(Columns::of(&record));
                if first.count < 2 {
                    let expected = "a label and at least one coordinate a line";
                    let found =
                        format!("one column: {:?}", text(&record[0]).chars().take(40).collect::<String>());
                    return Err(DataError::format(file, expected, found));
                }
                if first.names.is_some() {
                    continue;
                }
                first
            }
        };
        if record.len() != columns.count {
            let found = format!("{} at line {line}", record.len());
            return Err(DataError::format(file, format!("{} columns", columns.count), found));
        }
        for (column, cell) in record.iter().enumerate() {
            let cell = text(cell);
            if column == columns.label {
                if cell.is_empty() {
                    let found = format!("nothing at line {line}, column {}", columns.name(column));
                    return Err(DataError::format(file, "a label", found));
                }
                labels.push(Label::parse(&cell));
                continue;
            }
            match cell.parse::<f64>() {
                Ok(value) if value.is_finite() => values.push(value),
                _ => {
                    let shown: String = cell.chars().take(40).collect();
                    return Err(DataError::NotFinite {
                        file: file.to_owned(),
                        place: Place::Line(line),
                        column: columns.name(column),
                        found: if cell.is_empty() { "nothing".to_owned() } else { format!("`{shown}`") },
                    });
                }
            }
        }
    }
    let dim = columns.map_or(0, |columns| columns.count - 1);
    if labels.is_empty() {
        return Err(DataError::format(file, "at least one line of data", "none"));
    }
    let dataset = dataset(file, Points::F64(values), dim, labels, None)?;
    Ok(Parsed { dataset, files: vec![file.to_owned()] })
}

fn unreadable(error: csv::Error, file: &Path) -> DataError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => DataError::io(file, error),
        other => DataError::format(file, "comma-separated values", format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<wowflow::dataset::LabeledDataset, String> {
        let file = Path::new("t.csv");
        parse(text.as_bytes(), delimiter(text.as_bytes()), file)
            .map(|parsed| parsed.dataset)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn headers_and_label_columns() {
        let cases = [
            "1,2,cat\n3,4,dog\n",
            "a,b,c\n1,2,cat\n3,4,dog\n",
            "\u{feff}Label,p0,p1\r\ncat, 1, 2\r\ndog, 3, 4\r\n",
            "0,1,class\n1,2,cat\n3,4,dog",
            "u\ty\tv\n1\tcat\t2\n3\tdog\t4\n",
            "u;v;w\n1;2;\"cat\"\n\n3;4;dog\n",
        ];
        for text in cases {
            let data = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(data.points(), &Points::F64(vec![1.0, 2.0, 3.0, 4.0]), "{text}");
            assert_eq!(data.classes(), &["cat", "dog"].map(Label::from), "{text}");
        }
        // `y` as a label, not as a name.
        let data = read("1,2,y\n3,4,n\n").unwrap();
        assert_eq!((data.len(), data.class_count()), (2, 2));
        assert_eq!(read("1,2,0\n3,4,1.0\n").unwrap().classes(), &[Label::Int(0), Label::Int(1)]);
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        let cases = [
            ("a,b,label\n1,2,x\n1,nan,x\n", "expected a finite number at line 3, column `b`, found `nan`"),
            ("1,2,x\n,2,x\n", "expected a finite number at line 2, column 1, found nothing"),
            ("1,oops,x\n", "expected a finite number at line 1, column 2, found `oops`"),
            ("1,-inf,x\n", "expected a finite number at line 1, column 2, found `-inf`"),
            ("1,2,x\n1,x\n", "expected 3 columns, found 2 at line 2"),
            ("a,b,label\n1,2,\n", "expected a label, found nothing at line 2, column `label`"),
            ("a,b,label\n", "expected at least one line of data, found none"),
            ("hello\n", "expected a label and at least one coordinate a line, found one column: \"hello\""),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).unwrap_err(), format!("t.csv: {expected}"), "{text}");
        }
    }
}
