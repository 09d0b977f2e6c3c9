//! Why a record could not be read.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use wowflow::text::shown;

/// Why a record could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A file of the record is not there.
    #[error("expected {what} at {}, found no such file", shown(&path.to_string_lossy(), 160))]
    Missing {
        /// What the file holds.
        what: &'static str,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The operating system refused to read.
    #[error("cannot access {}: {error}", shown(&path.to_string_lossy(), 160))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason given.
        error: io::Error,
    },
    /// A file was written under another version of the layout.
    #[error(
        "expected schema {expected} in {}, found {found}: go on with the version that provenance.json names, or run anew",
        shown(&path.to_string_lossy(), 160)
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
    #[error("expected {} in {}, found {}", shown(expected, 120), shown(&path.to_string_lossy(), 160), shown(found, 160))]
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

    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }
}
