//! CSV and its kin: one sample a line, one column of labels.
//!
//! The content decides on encoding, separator, decimal mark, header and label; what it leaves open is refused with the
//! ways to say it ([`TableOptions`]).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use csv::StringRecord;
use wowflow::dataset::Points;

use self::cells::{number, records, spaced};
use self::dialect::Dialect;
use self::roles::Roles;
use super::source;
use super::{Parsed, dataset, labels, refused};
use crate::bounded::Budget;
use crate::columns::Columns;
use crate::error::{DataError, Place};
use crate::table_options::{Separator, TableOptions};

mod cells;
mod dialect;
mod names;
mod roles;
mod survey;
mod text;

#[cfg(test)]
mod tests;

pub(super) fn read_file(path: &Path, options: &TableOptions) -> Result<Parsed, DataError> {
    let budget = &Budget::default();
    parse(&source::read_whole(path, budget)?, options, path, budget)
}

fn parse(bytes: &[u8], options: &TableOptions, file: &Path, budget: &Budget) -> Result<Parsed, DataError> {
    let (text, encoding) = text::decode(bytes, file, budget)?;
    if let Some(other) = other_format(&text) {
        return Err(other.error(file));
    }
    let dialect = dialect::dialect(&text, options, file)?;
    let comment = text::leading_comment(&text).and_then(|comment| first_record(comment, dialect));
    if dialect.separator == Separator::Space {
        budget.take(text.len() as u64, file)?;
    }
    let text = spaced(&text, dialect.separator);
    let mut survey = survey::survey(&text, dialect, file, budget)?;
    if survey.columns.len() < 2 {
        let found = format!("one column: {:?}", shown(survey.first.get(0).unwrap_or_default()));
        return Err(DataError::format(file, "a label and at least one coordinate a line", found));
    }
    let roles = roles::roles(&mut survey, dialect, comment, options, file, budget)?;
    let table = Table { text: &text, dialect, roles: &roles, count: survey.columns.len(), file, budget };
    let (values, found) = table.read(survey.rows)?;
    table.compare_codes()?;
    let labels = labels::of_column(&found.labels, file, |row| table.line(row))?;
    let dim = roles.coordinates(table.count).count();
    if dim == 0 {
        return Err(DataError::format(file, "at least one column of coordinates", "none beside the labels"));
    }
    let mut dataset = dataset(file, Points::F64(values), dim, labels, None, budget)?;
    if roles.weight.is_some() {
        dataset = dataset.with_sample_weights(found.weights).map_err(|error| refused(file, error))?;
    }
    let mut notes = vec![format!("labels in column {}", roles.name(roles.label))];
    if let Some(identifier) = roles.identifier {
        dataset = dataset.with_sample_names(found.names).map_err(|error| refused(file, error))?;
        notes.push(format!("names of samples in column {}", roles.name(identifier)));
    }
    notes.extend(roles.weight.map(|weight| format!("weights in column {}", roles.name(weight))));
    let left_out: Vec<usize> =
        roles.left_out.iter().copied().filter(|k| roles.identifier != Some(*k)).collect();
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().take(10).map(|&k| roles.name(k)).collect();
        let more = left_out.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.push(format!("left out: column {}{more}", names.join(", ")));
    }
    notes.extend(encoding.map(|encoding| format!("read as {encoding}")));
    notes.extend(dialect.decimal_comma.then(|| "decimal commas".to_owned()));
    let columns = match &roles.names {
        Some(names) if !options.by_place => {
            Columns::Names(roles.coordinates(table.count).map(|k| names[k].clone()).collect())
        }
        _ => Columns::Places,
    };
    Ok(Parsed { dataset, files: vec![file.to_owned()], notes, columns })
}

/// Text that is another format than a table.
struct Other {
    found: &'static str,
    instead: &'static str,
}

impl Other {
    fn error(self, file: &Path) -> DataError {
        let Self { found, instead } = self;
        DataError::Unsupported { file: file.to_owned(), found: found.to_owned(), instead: instead.to_owned() }
    }
}

fn other_format(text: &str) -> Option<Other> {
    let start: String = text.trim_start().chars().take(64).collect::<String>().to_lowercase();
    let found = match start.as_str() {
        start if start.starts_with("@relation") || start.starts_with('%') => "ARFF",
        start if start.starts_with('{') || start.starts_with("[{") || start.starts_with("[[") => "JSON",
        start if start.starts_with("<!doctype") || start.starts_with("<html") => "a web page",
        start if start.starts_with('<') => "XML",
        start if start.starts_with("version https://git-lfs") => "a pointer of Git LFS",
        _ => return None,
    };
    let instead =
        if found.contains("LFS") { "fetch the file itself" } else { "save it as CSV or as an .npz file" };
    Some(Other { found, instead })
}

fn first_record(line: &str, dialect: Dialect) -> Option<StringRecord> {
    let line = spaced(line, dialect.separator);
    records(&line, dialect.separator).into_records().next()?.ok()
}

/// The beginning of a cell, for messages.
fn shown(cell: &str) -> String {
    cell.chars().take(40).collect()
}

pub(super) fn unreadable(error: csv::Error, file: &Path) -> DataError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => DataError::io(file, error),
        other => DataError::format(file, "comma-separated values", format!("{other:?}")),
    }
}

/// A table whose columns are known.
struct Table<'a> {
    text: &'a str,
    dialect: Dialect,
    roles: &'a Roles,
    count: usize,
    file: &'a Path,
    budget: &'a Budget,
}

/// Memory for a label in words: its place in a list that grows to twice its length, and what the allocator needs; twice,
/// for it becomes a label.
const WORD: usize = 4 * size_of::<String>() + 32;

/// What stands beside the coordinates.
#[derive(Default)]
struct Beside {
    labels: Vec<String>,
    weights: Vec<f64>,
    names: Vec<String>,
}

impl Table<'_> {
    fn each(
        &self,
        mut row: impl FnMut(&StringRecord, u64) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let mut reader = records(self.text, self.dialect.separator);
        let mut record = StringRecord::new();
        let mut skip = self.roles.header;
        while reader.read_record(&mut record).map_err(|error| unreadable(error, self.file))? {
            if !std::mem::take(&mut skip) {
                row(&record, record.position().map_or(0, csv::Position::line))?;
            }
        }
        Ok(())
    }

    fn read(&self, rows: usize) -> Result<(Vec<f64>, Beside), DataError> {
        let coordinates: Vec<usize> = self.roles.coordinates(self.count).collect();
        self.budget.take_of::<f64>(rows.saturating_mul(coordinates.len()), self.file)?;
        self.budget.take_of::<[u8; WORD]>(rows, self.file)?;
        let mut values = Vec::with_capacity(rows * coordinates.len());
        let mut beside = Beside::default();
        let number = |cell: &str, column: usize, line: u64| match number(cell, self.dialect.decimal_comma) {
            Some(value) if value.is_finite() => Ok(value),
            _ => Err(DataError::NotFinite {
                file: self.file.to_owned(),
                place: Place::Line(line),
                column: self.roles.name(column),
                found: if cell.is_empty() { "nothing".to_owned() } else { format!("`{}`", shown(cell)) },
            }),
        };
        self.each(|record, line| {
            for &k in &coordinates {
                values.push(number(&record[k], k, line)?);
            }
            let label = &record[self.roles.label];
            self.budget.take(2 * label.len() as u64, self.file)?;
            beside.labels.push(label.to_owned());
            if let Some(identifier) = self.roles.identifier {
                self.budget.take(record[identifier].len() as u64 + 24, self.file)?;
                beside.names.push(record[identifier].to_owned());
            }
            if let Some(weight) = self.roles.weight {
                beside.weights.push(number(&record[weight], weight, line)?);
            }
            Ok(())
        })?;
        Ok((values, beside))
    }

    /// The line of a row, for messages.
    fn line(&self, row: usize) -> String {
        let (mut at, mut k) = (0, 0);
        // The row was read before.
        let _ = self.each(|_, line| {
            if k == row {
                at = line;
            }
            k += 1;
            Ok(())
        });
        format!("line {at}, column {}", self.roles.name(self.roles.label))
    }

    /// Refuses a column named like one of labels that groups samples otherwise than the label does.
    fn compare_codes(&self) -> Result<(), DataError> {
        for &code in &self.roles.codes {
            let mut pairs: BTreeSet<(String, String)> = BTreeSet::new();
            self.each(|record, _| {
                let (label, code) = (record[self.roles.label].to_owned(), record[code].to_owned());
                let size = (WORD + label.len() + code.len()) as u64;
                if pairs.insert((label, code)) {
                    self.budget.take(size, self.file)?;
                }
                Ok(())
            })?;
            let (mut labels, mut codes) = (BTreeMap::new(), BTreeMap::new());
            for (label, code) in &pairs {
                *labels.entry(label).or_insert(0) += 1;
                *codes.entry(code).or_insert(0) += 1;
            }
            if labels.values().chain(codes.values()).any(|count| *count > 1) {
                let [label, code] = [self.roles.label, code].map(|k| self.roles.name(k));
                let expected = "one column of labels: say which by [label=COLUMN,drop=COLUMN] after the name";
                let found = format!("columns {label} and {code} that group samples differently");
                return Err(DataError::format(self.file, expected, found));
            }
        }
        Ok(())
    }
}
