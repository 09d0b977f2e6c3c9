//! The files of a record: JSON read, and written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wowflow_data::atomic;

use super::schema::SCHEMA;
use crate::error::{RecordError, Result, StudyError};

/// Reads a JSON file of the run directory into `T`; `what` names it in errors.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, RecordError> {
    let bytes = read_bytes(path, what)?;
    serde_json::from_slice(&bytes).map_err(|error| RecordError::content(path, what, error.to_string()))
}

pub(crate) fn read_bytes(path: &Path, what: &'static str) -> Result<Vec<u8>, RecordError> {
    fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RecordError::Missing { what, path: path.to_owned() },
        _ => RecordError::io(path, error),
    })
}

pub(crate) fn check_schema(path: &Path, found: u32) -> Result<(), RecordError> {
    if found == SCHEMA {
        Ok(())
    } else {
        Err(RecordError::Schema { path: path.to_owned(), expected: SCHEMA, found })
    }
}

/// Writes a value as JSON, whole or not at all.
///
/// # Errors
/// A place that cannot be written, a value that is no JSON.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    write_bytes(path, &bytes)
}

/// Writes bytes, whole or not at all.
///
/// # Errors
/// A place that cannot be written.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    atomic::write(path, |writer| writer.write_all(bytes)).map_err(StudyError::io("write", path))
}
