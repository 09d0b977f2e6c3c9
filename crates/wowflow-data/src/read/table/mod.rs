//! CSV and its kin: one sample a line, one column of labels.
//!
//! The content decides on encoding, separator, decimal mark, header and label; what it leaves open is refused with the
//! ways to say it ([`TableOptions`]).

use std::path::Path;

use csv::StringRecord;
use wowflow::dataset::Points;

use self::cells::{next_record, number, records, spaced, truth};
use self::dialect::Dialect;
use self::refusal::shown;
use self::roles::Roles;
use self::survey::{Column, Survey};
use super::labels::{self, is_missing};
use super::source;
use super::{Parsed, dataset, foreign, refused};
use crate::bounded::Budget;
use crate::columns::Columns;
use crate::error::{DataError, Place};
use crate::table_options::{Separator, TableOptions};

mod cells;
mod compare;
mod detect;
mod dialect;
mod label;
mod names;
mod refusal;
mod roles;
mod survey;
pub(super) mod text;

#[cfg(test)]
mod tests;

pub(super) fn read_file(path: &Path, options: &TableOptions) -> Result<Parsed, DataError> {
    let budget = &Budget::default();
    parse(&source::read_whole(path, budget)?, options, path, budget)
}

fn parse(bytes: &[u8], options: &TableOptions, file: &Path, budget: &Budget) -> Result<Parsed, DataError> {
    let (text, encoding) = text::decode(bytes, file, budget)?;
    let (text, separator) = text::named_separator(&text);
    if let Some(error) = foreign::by_text(text, file) {
        return Err(error);
    }
    let options = &TableOptions { separator: options.separator.or(separator), ..options.clone() };
    let dialect = &detect::detect(text, options, file)?;
    let comment =
        text::leading_comment(text, dialect.comment).and_then(|comment| first_record(comment, dialect));
    if dialect.separator == Separator::Space {
        budget.take(text.len() as u64, file)?;
    }
    let text = spaced(text, dialect);
    let mut survey = survey::survey(&text, dialect, file, budget)?;
    if survey.columns.len() < 2 {
        let found = format!("one column: {:?}", shown(survey.first.get(0).unwrap_or_default()));
        return Err(DataError::format(file, "a label and at least one coordinate a line", found));
    }
    let mut roles = roles::roles(&mut survey, dialect, comment, options, file, budget)?;
    let table = Table { text: &text, dialect, header: roles.header, file, budget };
    compare::settle(&mut roles, &table, &survey)?;
    let (values, found) = table.read(&roles, &survey)?;
    let labels = labels::of_column(&found.labels, file, |row| table.line(row, &roles))?;
    let dim = roles.coordinates(survey.columns.len()).count();
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
            Columns::Names(roles.coordinates(survey.columns.len()).map(|k| names[k].clone()).collect())
        }
        _ => Columns::Places,
    };
    Ok(Parsed { dataset, files: vec![file.to_owned()], notes, columns })
}

fn first_record(line: &str, dialect: &Dialect) -> Option<StringRecord> {
    let line = spaced(line, dialect);
    records(&line, dialect).into_records().next()?.ok()
}

/// What to do about a value that is not there.
const MISSING: &str = "leave out such lines (pandas: dropna), or fill them in";

pub(super) fn unreadable(error: csv::Error, file: &Path) -> DataError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => DataError::io(file, error),
        other => DataError::format(file, "comma-separated values", format!("{other:?}")),
    }
}

/// The lines of data of a table.
struct Table<'a> {
    text: &'a str,
    dialect: &'a Dialect,
    header: bool,
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
        let mut reader = records(self.text, self.dialect);
        let mut record = StringRecord::new();
        let mut skip = self.header;
        while next_record(&mut reader, &mut record).map_err(|error| unreadable(error, self.file))? {
            if !std::mem::take(&mut skip) {
                row(&record, record.position().map_or(0, csv::Position::line))?;
            }
        }
        Ok(())
    }

    fn read(&self, roles: &Roles, survey: &Survey) -> Result<(Vec<f64>, Beside), DataError> {
        let coordinates: Vec<usize> = roles.coordinates(survey.columns.len()).collect();
        self.budget.take_of::<f64>(survey.rows.saturating_mul(coordinates.len()), self.file)?;
        self.budget.take_of::<[u8; WORD]>(survey.rows, self.file)?;
        let mut values = Vec::with_capacity(survey.rows * coordinates.len());
        let mut beside = Beside::default();
        let truths: Vec<bool> = survey.columns.iter().map(Column::is_truth).collect();
        let number = |cell: &str, column: usize, line: u64| {
            let read = if truths[column] { truth(cell) } else { number(cell, self.dialect) };
            read.filter(|value| value.is_finite()).ok_or_else(|| DataError::NotFinite {
                file: self.file.to_owned(),
                place: Place::Line(line),
                column: roles.name(column),
                found: match cell {
                    "" => format!("nothing: {MISSING}"),
                    cell if is_missing(cell) => format!("`{cell}`: {MISSING}"),
                    cell => format!("`{}`", shown(cell)),
                },
            })
        };
        self.each(|record, line| {
            for &k in &coordinates {
                values.push(number(&record[k], k, line)?);
            }
            let label = self.dialect.text(&record[roles.label]);
            self.budget.take(2 * label.len() as u64, self.file)?;
            beside.labels.push(label);
            if let Some(identifier) = roles.identifier {
                let name = self.dialect.text(&record[identifier]);
                self.budget.take((name.len() + WORD) as u64, self.file)?;
                beside.names.push(name);
            }
            if let Some(weight) = roles.weight {
                beside.weights.push(number(&record[weight], weight, line)?);
            }
            Ok(())
        })?;
        Ok((values, beside))
    }

    /// The line of a row, for messages.
    fn line(&self, row: usize, roles: &Roles) -> String {
        let (mut at, mut k) = (0, 0);
        // The row was read before.
        let _ = self.each(|_, line| {
            if k == row {
                at = line;
            }
            k += 1;
            Ok(())
        });
        format!("line {at}, column {}", roles.name(roles.label))
    }
}
