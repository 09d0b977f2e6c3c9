//! The cells of a table: its records, and the numbers in them.

use std::borrow::Cow;

use csv::{Reader, ReaderBuilder, Trim};

use crate::table_options::Separator;

/// Text of which `records` reads the cells: runs of white space outside of quotes are one space, where a space separates.
pub(super) fn spaced(text: &str, separator: Separator) -> Cow<'_, str> {
    if separator != Separator::Space {
        return text.into();
    }
    let mut quoted = false;
    let mut kept = String::with_capacity(text.len());
    for character in text.chars() {
        quoted ^= character == '"';
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
    kept.truncate(kept.trim_end().len());
    kept.into()
}

/// The records of a text, comments left out.
pub(super) fn records(text: &str, separator: Separator) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .comment(Some(b'#'))
        .delimiter(separator.byte())
        .from_reader(text.as_bytes())
}

/// The number that a cell is, if any; it need not be finite.
pub(super) fn number(cell: &str, decimal_comma: bool) -> Option<f64> {
    if !decimal_comma {
        return cell.parse().ok();
    }
    match cell.split_once(',') {
        None => cell.parse().ok(),
        Some((_, rest)) if rest.is_empty() || rest.contains([',', '.']) => None,
        Some((whole, _)) if whole.contains('.') => None,
        Some((whole, rest)) => format!("{whole}.{rest}").parse().ok(),
    }
}
