//! What stands in each column of a table, seen in one pass.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use csv::StringRecord;

use super::cells::{number, records};
use super::dialect::Dialect;
use super::names;
use crate::bounded::Budget;
use crate::error::DataError;

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
    /// Cells that are not empty, and those of them that are numbers.
    cells: usize,
    numbers: usize,
    /// Numbers with a fraction, and cells written with a point or comma.
    fractions: usize,
    points: usize,
    low: f64,
    high: f64,
    /// Numbers that are one more than that of the record before.
    steps: usize,
    begin: Option<f64>,
    last: Option<f64>,
    /// Different cells, where these are counted.
    different: Option<HashSet<String>>,
}

impl Column {
    pub(super) fn add(
        &mut self,
        cell: &str,
        decimal_comma: bool,
        file: &Path,
        budget: &Budget,
    ) -> Result<(), DataError> {
        if cell.is_empty() {
            self.last = None;
            return Ok(());
        }
        self.cells += 1;
        if let Some(value) = number(cell, decimal_comma) {
            (self.low, self.high) =
                if self.numbers == 0 { (value, value) } else { (self.low.min(value), self.high.max(value)) };
            self.numbers += 1;
            self.fractions += usize::from(value.fract() != 0.0);
            self.points += usize::from(cell.contains(['.', ',']));
            self.steps += usize::from(self.last.is_some_and(|last| value == last + 1.0));
            self.begin = self.begin.or(Some(value));
            self.last = Some(value);
        }
        if let Some(different) = &mut self.different
            && !different.contains(cell)
        {
            budget.take((CELL + cell.len()) as u64, file)?;
            different.insert(cell.to_owned());
        }
        Ok(())
    }

    /// Adds the cell of the record before all others.
    pub(super) fn add_first(
        &mut self,
        cell: &str,
        decimal_comma: bool,
        file: &Path,
        budget: &Budget,
    ) -> Result<(), DataError> {
        let follows =
            self.begin.zip(number(cell, decimal_comma)).is_some_and(|(next, value)| next == value + 1.0);
        self.last = None;
        self.add(cell, decimal_comma, file, budget)?;
        self.steps += usize::from(follows);
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

    /// Whether no cell is a number.
    pub(super) fn is_text(&self) -> bool {
        self.cells > 0 && self.numbers == 0
    }

    /// Whether every cell is a whole number.
    pub(super) fn is_whole(&self) -> bool {
        self.is_numeric() && self.fractions == 0
    }

    pub(super) fn has_points(&self) -> bool {
        self.points > 0
    }

    /// Whether whole numbers lie where bytes do, and not all among the digits.
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

    /// Whether all cells differ.
    pub(super) fn is_unique(&self, rows: usize) -> bool {
        self.different.as_ref().is_some_and(|different| different.len() == rows)
    }

    /// How much whole numbers look like labels: 0 not at all, 1 they may be, 2 some repeat, 3 they run from 0 or 1 on.
    pub(super) fn looks_like_labels(&self, rows: usize) -> u8 {
        let Some(different) = self.different.as_ref().filter(|_| self.is_whole()) else { return 0 };
        let values: BTreeSet<i64> =
            different.iter().filter_map(|cell| cell.parse::<f64>().ok()).map(|v| v as i64).collect();
        let from = values.first().copied().unwrap_or(0);
        let runs =
            matches!(from, 0 | 1) && values.last().is_some_and(|last| last - from + 1 == values.len() as i64);
        match values.len() {
            0 | 1 => 1,
            some if 2 * some > rows && !runs => 1,
            some if runs && some < rows => 3,
            _ if runs => 2,
            some if some < rows => 2,
            _ => 1,
        }
    }
}

/// Reads all records but the first.
pub(super) fn survey(
    text: &str,
    dialect: Dialect,
    file: &Path,
    budget: &Budget,
) -> Result<Survey, DataError> {
    let lines = text.lines().take(2).map(|line| line.split(char::from(dialect.separator.byte())).count());
    budget.take_of::<[u8; COLUMN]>(lines.max().unwrap_or(0), file)?;
    let mut reader = records(text, dialect.separator);
    let mut record = StringRecord::new();
    let unreadable = |error: csv::Error| super::unreadable(error, file);
    reader.read_record(&mut record).map_err(unreadable)?;
    let first = record.clone();
    let (mut columns, mut rows): (Vec<Column>, usize) = (Vec::new(), 0);
    while reader.read_record(&mut record).map_err(unreadable)? {
        if columns.is_empty() {
            columns = started(&first, &record, dialect.decimal_comma);
        }
        if record.len() != columns.len() {
            let line = record.position().map_or(0, csv::Position::line);
            let found = format!("{} at line {line}", record.len());
            return Err(DataError::format(file, format!("{} columns", columns.len()), found));
        }
        for (column, cell) in columns.iter_mut().zip(&record) {
            column.add(cell, dialect.decimal_comma, file, budget)?;
        }
        rows += 1;
    }
    if columns.is_empty() {
        columns = started(&first, &first, dialect.decimal_comma);
    }
    Ok(Survey { first, columns, rows })
}

/// Columns in which different cells are counted where that may matter: at either end, of text, or named as labels and
/// identifiers are.
fn started(first: &StringRecord, second: &StringRecord, decimal_comma: bool) -> Vec<Column> {
    let count = second.len();
    let counted = |(k, cell): (usize, &str)| {
        let name = first.get((k + first.len()).saturating_sub(count)).unwrap_or_default();
        k == 0
            || k + 1 == count
            || k + 2 == count && second.get(k + 1) == Some("")
            || number(cell, decimal_comma).is_none()
            || names::is_label(name)
            || names::is_weak_label(name)
            || names::is_identifier(name)
    };
    let column = |counted: bool| Column { different: counted.then(HashSet::new), ..Column::default() };
    second.iter().enumerate().map(counted).map(column).collect()
}
