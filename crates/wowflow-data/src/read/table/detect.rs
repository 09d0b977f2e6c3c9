//! How a table is written, told by its first lines.

use std::path::Path;

use csv::StringRecord;

use super::cells::{next_record, number, records, spaced};
use super::dialect::Dialect;
use crate::error::DataError;
use crate::table_options::{Separator, TableOptions};

/// Records that decide.
const RECORDS: usize = 200;
/// Bytes that decide, where records are long.
const BYTES: usize = 1 << 20;

/// The separator under which records have the same number of cells, most of them numbers.
///
/// # Errors
/// Commas that may part thousands or be decimal.
pub(super) fn detect(text: &str, options: &TableOptions, file: &Path) -> Result<Dialect, DataError> {
    let head = head(text);
    let usual = Dialect {
        separator: options.separator.unwrap_or(Separator::Comma),
        decimal_comma: false,
        grouped: false,
        quote: if single_quotes(head) { b'\'' } else { b'"' },
        escape: escapes(head),
        comment: if head.trim_start().starts_with('%') { b'%' } else { b'#' },
    };
    let mut best: Option<(usize, Dialect, Vec<StringRecord>)> = None;
    for separator in
        Separator::ALL.into_iter().filter(|s| options.separator.is_none_or(|chosen| chosen == *s))
    {
        let dialect = Dialect { separator, ..usual };
        let spaced = spaced(head, &dialect);
        let found = first_records(&spaced, &dialect);
        // A comma that separates is part of a number in quotes only.
        let commas = separator != Separator::Comma || spaced.contains(char::from(usual.quote));
        for (decimal_comma, grouped) in [(false, false), (true, false), (false, true), (true, true)] {
            let asked = options.decimal_comma.is_none_or(|asked| asked == decimal_comma);
            if !asked || options.decimal_comma.is_none() && (decimal_comma || grouped) && !commas {
                continue;
            }
            let dialect = Dialect { decimal_comma, grouped, ..dialect };
            let score = score(&found, &dialect);
            // Names with spaces above data between tabs.
            let tabs = best.as_ref().is_some_and(|(_, best, records)| {
                separator == Separator::Space
                    && best.separator == Separator::Tab
                    && records.last().map(StringRecord::len) == found.last().map(StringRecord::len)
            });
            if !tabs && best.as_ref().is_none_or(|(known, ..)| score > *known) {
                best = Some((score, dialect, found.clone()));
            }
        }
    }
    let Some((_, dialect, records)) = best.filter(|(score, ..)| *score > 0) else { return Ok(usual) };
    if dialect.decimal_comma
        && !dialect.grouped
        && options.decimal_comma.is_none()
        && thousands(&records, &dialect)
    {
        let expected =
            "numbers without separators of thousands, or NAME[decimal=comma] where commas are decimal";
        return Err(DataError::format(file, expected, "a comma before three digits in every number"));
    }
    Ok(dialect)
}

fn first_records(text: &str, dialect: &Dialect) -> Vec<StringRecord> {
    let (mut reader, mut record) = (records(text, dialect), StringRecord::new());
    let mut found = Vec::new();
    while found.len() < RECORDS && next_record(&mut reader, &mut record).unwrap_or(false) {
        found.push(record.clone());
    }
    found
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

/// Whether a byte may stand beside a cell; a space does where nothing else can.
fn is_border(byte: Option<&u8>, spaces: bool) -> bool {
    byte.is_none_or(|byte| b",;\t|\r\n".contains(byte) || spaces && *byte == b' ')
}

fn only_spaces(head: &str) -> bool {
    !head.contains([',', ';', '\t', '|'])
}

/// Whether cells stand in single quotes.
fn single_quotes(head: &str) -> bool {
    let (bytes, spaces) = (head.as_bytes(), only_spaces(head));
    let begins = |at: usize| is_border(at.checked_sub(1).and_then(|at| bytes.get(at)), spaces);
    let ends = |at: usize| is_border(bytes.get(at + 1), spaces);
    let count = |quote: u8, is: &dyn Fn(usize) -> bool| {
        (0..bytes.len()).filter(|&at| bytes[at] == quote && is(at)).count()
    };
    let begin = count(b'\'', &begins);
    begin > 0 && begin == count(b'\'', &ends) && count(b'"', &begins) == 0
}

/// Whether a backslash stands before a quote that does not end a cell, as it would behind a folder's name.
fn escapes(head: &str) -> bool {
    let spaces = only_spaces(head);
    head.match_indices("\\\"").any(|(at, _)| {
        let next = head.as_bytes().get(at + 2);
        !is_border(next, spaces) && next != Some(&b'"')
    })
}

/// Cells that are numbers in the records as long as the last, less those in which another separator is left; nothing
/// where there is one cell.
fn score(records: &[StringRecord], dialect: &Dialect) -> usize {
    // A header may be the one record that differs.
    let Some(count) = records.last().map(StringRecord::len).filter(|count| *count > 1) else { return 0 };
    let regular = records.iter().filter(|record| record.len() == count);
    let points = |cell: &str| match number(cell, dialect) {
        Some(_) => 64,
        None if cell.contains([';', '\t', '|']) => 0,
        // Tables of text have separators too.
        None => 1,
    };
    regular.map(|record| record.iter().map(points).sum::<usize>() * RECORDS / count).sum()
}

/// Whether every comma stands where it would part thousands.
fn thousands(records: &[StringRecord], dialect: &Dialect) -> bool {
    let mut any = false;
    for cell in records.iter().flatten().filter(|cell| number(cell, dialect).is_some()) {
        let Some((whole, rest)) = cell.split_once(',') else { continue };
        let whole = whole.trim_start_matches(['-', '+']);
        if rest.len() != 3 || whole.is_empty() || whole.len() > 3 || whole == "0" {
            return false;
        }
        any = true;
    }
    any
}
