//! Labels as files have them: what is the same, what is none.

use std::collections::HashMap;
use std::path::Path;

use unicode_normalization::{UnicodeNormalization, is_nfc};
use wowflow::dataset::Label;

use crate::error::DataError;

/// A label of text: the same word in any of Unicode's spellings is one label.
pub(crate) fn of_text(text: &str) -> Label {
    let text = text.trim_ascii();
    if is_nfc(text) { Label::parse(text) } else { Label::parse(&text.nfc().collect::<String>()) }
}

/// Labels of an array of text.
///
/// # Errors
/// Texts that differ and are one label, such as `1` and `+1`; not spellings of Unicode.
pub(super) fn of_texts(texts: &[String], file: &Path) -> Result<Vec<Label>, DataError> {
    let labels: Vec<Label> = texts.iter().map(|text| of_text(text)).collect();
    let mut first: HashMap<&Label, &str> = HashMap::new();
    for (label, text) in labels.iter().zip(texts) {
        let known = *first.entry(label).or_insert(text);
        if known != text && !known.nfc().eq(text.nfc()) {
            let found = format!("`{known}` and `{text}`, both read as {label}");
            return Err(DataError::format(file, "one spelling of a label", found));
        }
    }
    Ok(labels)
}

/// The labels of a column of text.
///
/// Numbers as programs write them (`3.0`, `3.000e+00`) are whole numbers where all cells are such numbers; else each cell
/// is what it says.
///
/// # Errors
/// A cell without a label, and fractions.
pub(super) fn of_column(
    cells: &[String],
    file: &Path,
    place: impl Fn(usize) -> String,
) -> Result<Vec<Label>, DataError> {
    if let Some(row) = cells.iter().position(|cell| is_missing(cell)) {
        let found = if cells[row].is_empty() { "nothing".to_owned() } else { format!("`{}`", cells[row]) };
        let remedy = "leave out such samples, or call them by another word";
        return Err(DataError::format(file, "a label", format!("{found} at {}: {remedy}", place(row))));
    }
    // `0e12` is a code: a program that writes exponents writes a point before them.
    let written = |cell: &String| cell.contains('.').then(|| cell.parse::<f64>().ok()).flatten();
    let is_number = |cell: &String| Label::parse(cell).is_int() || written(cell).is_some();
    if !cells.iter().all(is_number) {
        return Ok(cells.iter().map(|cell| of_text(cell)).collect());
    }
    let whole = |cell: &String| match written(cell) {
        Some(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => Some(Label::Int(value as i64)),
        Some(_) => None,
        None => Some(Label::parse(cell)),
    };
    match cells.iter().map(whole).collect() {
        Some(labels) => Ok(labels),
        None => {
            let row = cells.iter().position(|cell| whole(cell).is_none()).unwrap_or(0);
            let found = format!("fractions, such as `{}` at {}", cells[row], place(row));
            Err(DataError::format(file, "whole numbers or text as labels", found))
        }
    }
}

/// Whether a cell says that there is no value, as programs write it.
pub(super) fn is_missing(cell: &str) -> bool {
    matches!(cell, "" | "?" | "NA" | "N/A" | "n/a" | "#N/A" | "#NA" | "<NA>" | "NULL" | "null" | "NaT")
        || cell.eq_ignore_ascii_case("nan")
        || cell.chars().all(char::is_whitespace)
}
