//! Why a record could not be read, and the reading of its JSON files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use thiserror::Error;

use super::layout::SCHEMA;

/// Why a record could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A file of the record is not there.
    #[error("expected {what} at {}, found no such file", path.display())]
    Missing {
        /// What the file holds.
        what: &'static str,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The operating system refused to read.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason given.
        source: io::Error,
    },
    /// A file was written under another version of the layout.
    #[error(
        "expected schema {expected} in {}, found {found}: go on with the version that provenance.json names, or run anew",
        path.display()
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// Version this crate reads.
        expected: u32,
        /// Version found.
        found: u32,
    },
    /// A file does not hold what the layout says.
    #[error("expected {expected} in {}, found {found}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What belongs there.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl RecordError {
    pub(crate) fn content(path: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), expected: expected.into(), found: found.into() }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

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
