//! Everything that can go wrong between a name or a file and a validated dataset.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use wowflow::dataset::DatasetError;

/// Where in a file a bad value stands, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a text file.
    Line(u64),
    /// A row of an array: one sample.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// Why data could not be read, found, written or fetched; every message is one line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system or a decompressor refused.
    #[error("{}: {error}", file.display())]
    Io {
        /// The file concerned.
        file: PathBuf,
        /// What was reported.
        error: io::Error,
    },
    /// The content is not what the format prescribes.
    #[error("{}: expected {expected}, found {found}", file.display())]
    Format {
        /// The file concerned.
        file: PathBuf,
        /// What the format prescribes.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The content ends too early.
    #[error("{}: expected {expected} bytes, found {found}: the file is cut short", file.display())]
    Truncated {
        /// The file concerned.
        file: PathBuf,
        /// Bytes the header promises.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// Content of a kind that is known and not read.
    #[error("{}: {found} cannot be read; {instead}", file.display())]
    Unsupported {
        /// The file concerned.
        file: PathBuf,
        /// The kind of content.
        found: String,
        /// What to use in its place.
        instead: String,
    },
    /// A coordinate that is not a finite number.
    #[error("{}: expected a finite number at {place}, column {column}, found {found}", file.display())]
    NotFinite {
        /// The file concerned.
        file: PathBuf,
        /// Line or row.
        place: Place,
        /// Column, by name where it has one, else counted from 1.
        column: String,
        /// What stands there.
        found: String,
    },
    /// The samples and labels do not form a dataset.
    #[error("{}: {error}", file.display())]
    Dataset {
        /// The file concerned.
        file: PathBuf,
        /// The reason.
        error: DatasetError,
    },
}

impl DataError {
    pub(crate) fn io(file: &Path, error: io::Error) -> Self {
        Self::Io { file: file.to_owned(), error }
    }

    pub(crate) fn format(file: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Format { file: file.to_owned(), expected: expected.into(), found: found.into() }
    }
}
