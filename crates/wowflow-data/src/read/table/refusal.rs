//! What the content of a table leaves open, refused with the ways to say it.

use std::path::Path;

use crate::error::DataError;

/// A column as messages call it: by its name, or by its number.
pub(super) fn called(names: Option<&[String]>, column: usize) -> String {
    match names.map(|names| names[column].as_str()) {
        Some("") | None => (column + 1).to_string(),
        Some(name) => format!("`{name}`"),
    }
}

/// Refuses what the content leaves open, with the ways to say it.
pub(super) fn unclear(file: &Path, what: &str, found: String, choices: &str) -> DataError {
    DataError::format(file, format!("{what}: say which by {choices} after the name"), found)
}

/// The beginning of a cell, for messages.
pub(super) fn shown(cell: &str) -> String {
    cell.chars().take(40).collect()
}
