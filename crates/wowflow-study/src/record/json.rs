//! The reading of the JSON files of a record.

use std::fs;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::schema::SCHEMA;
use crate::error::RecordError;

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
