//! What stands in each column of a table, seen in one pass.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use csv::StringRecord;

use super::cells::{next_record, number, records, truth};
use super::dialect::Dialect;
use super::names;
use crate::bounded::Budget;
use crate::error::DataError;
use crate::read::labels::is_missing;

/// Most whole numbers that are kept of a column within a line: labels and their codes are fewer.
const FEW: usize = 256;

/// Memory for a cell that differs from those before it: its place in a set that is half empty.
const CELL: usize = 2 * size_of::<String>() + 32;
/// Memory for a column: what is known of it, its name, its cell in some records at hand.
const COLUMN: usize = size_of::<Column>() + 384;

/// Columns and rows of a table. The first record is kept apart: it may be a header.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) first: StringRecord,
    pub(super) columns: Vec<Column>,
    /// Records after the first.
    pub(super) rows: usize,
}

/// What the records say of a column.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// Cells that have a value, and those of them that are numbers, or truth values.
    cells: usize,
    numbers: usize,
    truths: usize,
    /// Numbers with a fraction, and cells written with a point or comma.
    fractions: usize,
    points: usize,
    low: f64,
    high: f64,
    /// Numbers that are one more than that of the record before.
    steps: usize,
    begin: Option<f64>,
    last: Option<f64>,
    /// A cell that is no number.
    word: Option<String>,
    /// Different cells, where these are counted.
    different: Option<HashSet<String>>,
    /// Whole numbers, while they are few and all cells are such.
    few: Option<BTreeSet<i64>>,
    most: usize,
}

impl Column {
    fn new(counted: bool, few: bool) -> Self {
        Self {
            different: counted.then(HashSet::new),
            few: (few || counted).then(BTreeSet::new),
            most: if counted { usize::MAX } else { FEW },
            ..Self::default()
        }
    }

    pub(super) fn add(
        &mut self,
        cell: &str,
        dialect: &Dialect,
        file: &Path,
        budget: &Budget,
    ) -> Result<(), DataError> {
        if is_missing(cell) {
            self.last = None;
            return Ok(());
        }
        self.cells += 1;
        if let Some(value) = number(cell, dialect) {
            (self.low, self.high) =
                if self.numbers == 0 { (value, value) } else { (self.low.min(value), self.high.max(value)) };
            self.numbers += 1;
            self.fractions += usize::from(value.fract() != 0.0);
            self.points += usize::from(cell.contains(['.', ',']));
            self.steps += usize::from(self.last.is_some_and(|last| value == last + 1.0));
            self.begin = self.begin.or(Some(value));
            self.last = Some(value);
            self.keep(value, file, budget)?;
        } else {
            self.truths += usize::from(truth(cell).is_some());
            self.few = None;
            if self.word.is_none() {
                self.word = Some(cell.to_owned());
            }
        }
        if let Some(different) = &mut self.different
            && !different.contains(cell)
        {
            budget.take((CELL + cell.len()) as u64, file)?;
            different.insert(cell.to_owned());
        }
        Ok(())
    }

    fn keep(&mut self, value: f64, file: &Path, budget: &Budget) -> Result<(), DataError> {
        if let Some(few) = &mut self.few {
            if few.insert(value as i64) {
                budget.take_of::<[i64; 4]>(1, file)?;
            }
            if value.fract() != 0.0 || few.len() > self.most {
                self.few = None;
            }
        }
        Ok(())
    }

    /// Adds the cell of the record before all others.
    pub(super) fn add_first(
        &mut self,
        cell: &str,
        dialect: &Dialect,
        file: &Path,
        budget: &Budget,
    ) -> Result<(), DataError> {
        let (begin, value) = (self.begin, number(cell, dialect));
        let follows = begin.zip(value).is_some_and(|(next, value)| next == value + 1.0);
        self.last = None;
        self.add(cell, dialect, file, budget)?;
        self.steps += usize::from(follows);
        self.begin = value.or(begin);
        Ok(())
    }

    /// Whether no cell has anything.
    pub(super) fn is_empty(&self) -> bool {
        self.cells == 0
    }

    /// Whether every cell is a number.
    pub(super) fn is_numeric(&self) -> bool {
        self.cells > 0 && self.numbers == self.cells
    }

    /// Whether every cell is a truth value.
    pub(super) fn is_truth(&self) -> bool {
        self.cells > 0 && self.truths == self.cells
    }

    /// Whether cells are words: none is a number, or many are none and all come again, as codes do.
    pub(super) fn is_text(&self) -> bool {
        let codes = 4 * (self.cells - self.numbers) >= self.cells
            && self.different.as_ref().is_some_and(|different| 3 * different.len() <= self.cells);
        self.cells > 0
            && self.truths < self.cells
            && (self.numbers == 0 || self.numbers < self.cells && codes)
    }

    /// A cell that is no number, for messages.
    pub(super) fn word(&self) -> &str {
        self.word.as_deref().unwrap_or_default()
    }

    /// Whether every cell is a whole number.
    pub(super) fn is_whole(&self) -> bool {
        self.is_numeric() && self.fractions == 0
    }

    pub(super) fn has_points(&self) -> bool {
        self.points > 0
    }

    /// Whether whole numbers lie where bytes do.
    pub(super) fn is_pixels(&self) -> bool {
        self.is_whole() && self.low >= 0.0 && self.high <= 255.0
    }

    pub(super) fn high(&self) -> f64 {
        self.high
    }

    /// Whether numbers count the records.
    pub(super) fn counts(&self, rows: usize) -> bool {
        rows > 2 && self.is_whole() && self.steps + 1 == rows
    }

    /// Whether numbers count the records from 0 or 1.
    pub(super) fn numbers_rows(&self, rows: usize) -> bool {
        self.counts(rows) && matches!(self.begin, Some(0.0 | 1.0))
    }

    /// Whether cells come again as those of labels do: half of them at least, but in short tables.
    pub(super) fn comes_again(&self, rows: usize, many: usize) -> bool {
        let few = |different: usize| if rows < many { different < rows } else { 2 * different <= rows };
        self.different.as_ref().is_none_or(|different| few(different.len()))
    }

    /// Whether all cells differ.
    pub(super) fn is_unique(&self, rows: usize) -> bool {
        self.different.as_ref().is_some_and(|different| different.len() == rows)
    }

    /// Whether a cell stands nowhere in the column, though cells come again in it; a few cells do not tell.
    pub(super) fn lacks(&self, cell: &str) -> bool {
        self.different.as_ref().is_some_and(|different| {
            self.cells > 4 && !different.contains(cell) && 2 * different.len() <= self.cells
        })
    }

    /// Whether whole numbers run from 0 or 1 on without a gap, two of them at least.
    pub(super) fn runs(&self) -> bool {
        let Some(few) = self.few.as_ref().filter(|few| few.len() > 1) else { return false };
        let (first, last) = (few.first().copied().unwrap_or(0), few.last().copied().unwrap_or(0));
        matches!(first, 0 | 1) && (last - first) as usize + 1 == few.len()
    }

    /// Different whole numbers, where they are kept.
    pub(super) fn values(&self) -> usize {
        self.few.as_ref().map_or(usize::MAX / 4, BTreeSet::len)
    }

    /// How much whole numbers look like labels: 0 not at all, 1 they may be, 2 some repeat, 3 they run from 0 or 1 on.
    pub(super) fn looks_like_labels(&self, rows: usize) -> u8 {
        if !self.is_whole() {
            return if self.is_truth() { 3 } else { 0 };
        }
        let Some(few) = &self.few else { return 1 };
        match few.len() {
            0 | 1 => 1,
            some if 2 * some > rows && !self.runs() => 1,
            some if self.runs() && some < rows => 3,
            _ if self.runs() => 2,
            some if some < rows => 2,
            _ => 1,
        }
    }
}

/// Reads all records but the first.
pub(super) fn survey(
    text: &str,
    dialect: &Dialect,
    file: &Path,
    budget: &Budget,
) -> Result<Survey, DataError> {
    let lines = text.lines().take(2).map(|line| line.split(char::from(dialect.separator.byte())).count());
    budget.take_of::<[u8; COLUMN]>(lines.max().unwrap_or(0), file)?;
    let mut reader = records(text, dialect);
    let mut record = StringRecord::new();
    let unreadable = |error: csv::Error| super::unreadable(error, file);
    next_record(&mut reader, &mut record).map_err(unreadable)?;
    let mut first = record.clone();
    let (mut columns, mut rows): (Vec<Column>, usize) = (Vec::new(), 0);
    while next_record(&mut reader, &mut record).map_err(unreadable)? {
        if columns.is_empty() {
            // A separator behind the last name alone.
            if first.len() == record.len() + 1 && first.iter().next_back() == Some("") {
                first.truncate(record.len());
            }
            columns = started(&first, &record, dialect);
        }
        if record.len() != columns.len() {
            let line = record.position().map_or(0, csv::Position::line);
            let found = format!("{} at line {line}", record.len());
            return Err(DataError::format(file, format!("{} columns", columns.len()), found));
        }
        for (column, cell) in columns.iter_mut().zip(&record) {
            column.add(cell, dialect, file, budget)?;
        }
        rows += 1;
    }
    if columns.is_empty() {
        columns = started(&first, &first, dialect);
    }
    let survey = Survey { first, columns, rows };
    survey.without_hidden_lines(text, dialect, file)?;
    Ok(survey)
}

impl Survey {
    /// Refuses comments below the first line that have what a line of data has: their label may begin with the mark.
    fn without_hidden_lines(&self, text: &str, dialect: &Dialect, file: &Path) -> Result<(), DataError> {
        let mark = char::from(dialect.comment);
        let begin = self.first.position().map_or(0, csv::Position::line) as usize;
        let numeric: Vec<usize> = (0..self.columns.len()).filter(|&k| self.columns[k].is_numeric()).collect();
        for (number_of, line) in text.lines().enumerate().skip(begin) {
            let Some(comment) = line.strip_prefix(mark) else { continue };
            let Some(record) = super::first_record(comment, dialect) else { continue };
            let numbers = numeric
                .iter()
                .filter(|&&k| record.get(k).is_some_and(|cell| number(cell, dialect).is_some()));
            let like = !numeric.is_empty() && 2 * numbers.count() >= numeric.len() || self.rows == 0;
            if record.len() == self.columns.len() && record.len() > 1 && like {
                let found =
                    format!("`{mark}` before data at line {}, which makes it a comment", number_of + 1);
                let expected = format!("labels that begin with `{mark}` in quotes, and lines without it");
                return Err(DataError::format(file, expected, found));
            }
        }
        Ok(())
    }
}

/// Columns in which different cells are counted where that may matter: at either end, of text, or named as labels and
/// identifiers are; whole numbers are kept where names do not only number the columns.
fn started(first: &StringRecord, second: &StringRecord, dialect: &Dialect) -> Vec<Column> {
    let count = second.len();
    let column = |(k, cell): (usize, &str)| {
        let name = first.get((k + first.len()).saturating_sub(count)).unwrap_or_default();
        let counted = k == 0
            || k + 1 == count
            || k + 2 == count && second.get(k + 1) == Some("")
            || number(cell, dialect).is_none()
            || names::is_label(name)
            || names::is_weak_label(name)
            || names::is_identifier(name)
            || names::is_row_number(name);
        let named = !name.is_empty() && number(name, dialect).is_none();
        Column::new(counted, named && names::stem(name).is_none())
    };
    second.iter().enumerate().map(column).collect()
}
