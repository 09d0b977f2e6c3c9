//! How the cells of a line are kept apart, and how numbers are written in them.

use std::path::Path;

use csv::StringRecord;

use super::cells::{number, records, spaced};
use crate::error::DataError;
use crate::table_options::{Separator, TableOptions};

/// Records that decide.
const RECORDS: usize = 200;
/// Bytes that decide, where records are long.
const BYTES: usize = 1 << 20;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) separator: Separator,
    pub(super) decimal_comma: bool,
}

/// The separator under which records have the same number of cells, most of them numbers.
///
/// # Errors
/// Commas that may part thousands or be decimal.
pub(super) fn dialect(text: &str, options: &TableOptions, file: &Path) -> Result<Dialect, DataError> {
    let head = head(text);
    let mut best: Option<(usize, Dialect, Vec<StringRecord>)> = None;
    for separator in
        Separator::ALL.into_iter().filter(|s| options.separator.is_none_or(|chosen| chosen == *s))
    {
        let spaced = spaced(head, separator);
        let found: Vec<StringRecord> =
            records(&spaced, separator).into_records().take(RECORDS).map_while(Result::ok).collect();
        // One comma cannot be both.
        let commas: &[bool] = match options.decimal_comma {
            Some(true) => &[true],
            None if separator != Separator::Comma => &[false, true],
            _ => &[false],
        };
        for &decimal_comma in commas {
            let score = score(&found, decimal_comma);
            if best.as_ref().is_none_or(|(known, ..)| score > *known) {
                best = Some((score, Dialect { separator, decimal_comma }, found.clone()));
            }
        }
    }
    let usual = Dialect { separator: options.separator.unwrap_or(Separator::Comma), decimal_comma: false };
    let Some((_, dialect, records)) = best.filter(|(score, ..)| *score > 0) else { return Ok(usual) };
    if dialect.decimal_comma && options.decimal_comma.is_none() && thousands(&records) {
        let expected =
            "numbers without separators of thousands, or NAME[decimal=comma] where commas are decimal";
        return Err(DataError::format(file, expected, "a comma before three digits in every number"));
    }
    Ok(dialect)
}

/// The first lines of a text, whole ones if there are any.
fn head(text: &str) -> &str {
    let mut end = text.len().min(BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let whole = if end < text.len() { text[..end].rfind('\n') } else { None };
    &text[..whole.unwrap_or(end)]
}

/// Cells that are numbers in the records as long as the last, less those in which another separator is left; nothing
/// where there is one cell.
fn score(records: &[StringRecord], decimal_comma: bool) -> usize {
    // A header may be the one record that differs.
    let Some(count) = records.last().map(StringRecord::len).filter(|count| *count > 1) else { return 0 };
    let regular = records.iter().filter(|record| record.len() == count);
    let points = |cell: &str| match number(cell, decimal_comma) {
        Some(_) => 64,
        None if cell.contains([';', '\t', '|']) => 0,
        // Tables of text have separators too.
        None => 1,
    };
    regular.map(|record| record.iter().map(points).sum::<usize>() * RECORDS / count).sum()
}

/// Whether every comma stands where it would part thousands.
fn thousands(records: &[StringRecord]) -> bool {
    let mut any = false;
    for cell in records.iter().flatten().filter(|cell| number(cell, true).is_some()) {
        let Some((whole, rest)) = cell.split_once(',') else { continue };
        let whole = whole.trim_start_matches(['-', '+']);
        if rest.len() != 3 || whole.is_empty() || whole.len() > 3 || whole == "0" {
            return false;
        }
        any = true;
    }
    any
}
