//! The cells of a table: its records, and the numbers in them.

use std::borrow::Cow;

use csv::{Error, Reader, ReaderBuilder, StringRecord};

use super::dialect::Dialect;
use crate::table_options::Separator;

/// Text of which `records` reads the cells: runs of white space outside of quotes are one space, where a space separates.
pub(super) fn spaced<'a>(text: &'a str, dialect: &Dialect) -> Cow<'a, str> {
    if dialect.separator != Separator::Space {
        return text.into();
    }
    let (mut quoted, mut escaped) = (false, false);
    let mut kept = String::with_capacity(text.len());
    for character in text.chars() {
        quoted ^= character == char::from(dialect.quote) && !escaped;
        escaped = dialect.escape && character == '\\' && !escaped;
        match character {
            ' ' | '\t' if !quoted => {
                if !kept.is_empty() && !kept.ends_with([' ', '\n']) {
                    kept.push(' ');
                }
            }
            '\r' | '\n' => {
                if kept.ends_with(' ') {
                    kept.pop();
                }
                kept.push(character);
            }
            character => kept.push(character),
        }
    }
    // A comment in the last line is one only up to a line break.
    kept.truncate(kept.trim_end().len());
    kept.push('\n');
    kept.into()
}

/// The records of a text, comments left out.
pub(super) fn records<'a>(text: &'a str, dialect: &Dialect) -> Reader<&'a [u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(dialect.comment))
        .quote(dialect.quote)
        .escape(dialect.escape.then_some(b'\\'))
        .delimiter(dialect.separator.byte())
        .from_reader(text.as_bytes())
}

/// Reads the next record that has anything, without the spaces and tabs around its cells; spreadsheets write lines of
/// separators below a table.
///
/// Other white space stays: what is a space that does not break in one encoding is a letter in another.
pub(super) fn next_record(reader: &mut Reader<&[u8]>, record: &mut StringRecord) -> Result<bool, Error> {
    while reader.read_record(record)? {
        if record.iter().any(|cell| cell.trim_ascii().len() < cell.len()) {
            let mut trimmed: StringRecord = record.iter().map(str::trim_ascii).collect();
            trimmed.set_position(record.position().cloned());
            *record = trimmed;
        }
        if record.iter().any(|cell| !cell.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What parts thousands in France and in Switzerland, and nothing else within numbers.
const GROUPS: [char; 4] = ['\u{a0}', '\u{202f}', '\'', '\u{2019}'];

/// The number that a cell is, if any; it need not be finite.
pub(super) fn number(cell: &str, dialect: &Dialect) -> Option<f64> {
    let (point, group) = if dialect.decimal_comma { (',', '.') } else { ('.', ',') };
    if dialect.grouped && cell.contains(group) {
        return of_groups(cell, group, point);
    }
    let value = if dialect.decimal_comma { with_comma(cell) } else { cell.parse().ok() };
    if value.is_some() || !cell.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c)) {
        return value;
    }
    GROUPS.into_iter().find(|group| cell.contains(*group)).and_then(|group| of_groups(cell, group, point))
}

/// The number that is written in groups of three digits.
fn of_groups(cell: &str, group: char, point: char) -> Option<f64> {
    let (whole, rest) = cell.split_once(point).unwrap_or((cell, ""));
    let mut groups = whole.trim_start_matches(['-', '+']).split(group);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().is_some_and(|first| matches!(first.len(), 1..=3) && digits(first));
    if !first || !groups.all(|group| group.len() == 3 && digits(group)) || !digits(rest) {
        return None;
    }
    format!("{}.{rest}", whole.replace(group, "")).parse().ok()
}

fn with_comma(cell: &str) -> Option<f64> {
    match cell.split_once(',') {
        None => cell.parse().ok(),
        Some((_, rest)) if rest.is_empty() || rest.contains([',', '.']) => None,
        Some((whole, _)) if whole.contains('.') => None,
        Some((whole, rest)) => format!("{whole}.{rest}").parse().ok(),
    }
}

/// The truth value that a cell is, if any, as 0 or 1.
pub(super) fn truth(cell: &str) -> Option<f64> {
    match cell {
        "True" | "TRUE" | "true" => Some(1.0),
        "False" | "FALSE" | "false" => Some(0.0),
        _ => None,
    }
}
