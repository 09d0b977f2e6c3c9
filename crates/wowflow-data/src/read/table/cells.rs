//! The cells of a table: its records, and the numbers in them.

use std::borrow::Cow;

use csv::{Error, Reader, ReaderBuilder, StringRecord, Trim};

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
        .trim(Trim::All)
        .comment(Some(dialect.comment))
        .quote(dialect.quote)
        .escape(dialect.escape.then_some(b'\\'))
        .delimiter(dialect.separator.byte())
        .from_reader(text.as_bytes())
}

/// Reads the next record that has anything; spreadsheets write lines of separators below a table.
pub(super) fn next_record(reader: &mut Reader<&[u8]>, record: &mut StringRecord) -> Result<bool, Error> {
    while reader.read_record(record)? {
        if record.iter().any(|cell| !cell.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The number that a cell is, if any; it need not be finite.
pub(super) fn number(cell: &str, dialect: &Dialect) -> Option<f64> {
    let (point, group) = if dialect.decimal_comma { (',', '.') } else { ('.', ',') };
    if dialect.grouped && cell.contains(group) {
        let (whole, rest) = cell.split_once(point).unwrap_or((cell, ""));
        let mut groups = whole.trim_start_matches(['-', '+']).split(group);
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let first = groups.next().is_some_and(|first| matches!(first.len(), 1..=3) && digits(first));
        if !first || !groups.all(|group| group.len() == 3 && digits(group)) || !digits(rest) {
            return None;
        }
        return format!("{}.{rest}", whole.replace(group, "")).parse().ok();
    }
    if !dialect.decimal_comma {
        return cell.parse().ok();
    }
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
