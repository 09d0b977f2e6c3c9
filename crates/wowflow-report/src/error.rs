//! Why a picture or a run directory was refused.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use wowflow_data::DataError;

/// Why a picture could not be made or a run directory could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file of the run directory is not there.
    #[error("expected {what} at {}, found no such file", path.display())]
    Missing {
        /// What the file holds.
        what: &'static str,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The operating system refused to read or write.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason given.
        source: io::Error,
    },
    /// A file was written under another version of the layout.
    #[error("expected schema {expected} in {}, found {found}", path.display())]
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
    /// An array of the run directory could not be read.
    #[error(transparent)]
    Array(#[from] DataError),
    /// The data handed to a picture does not fit it.
    #[error("expected {expected} for the {picture}, found {found}")]
    Picture {
        /// The kind of picture.
        picture: &'static str,
        /// What it needs.
        expected: String,
        /// What it was given.
        found: String,
    },
}

impl ReportError {
    pub(crate) fn picture(
        picture: &'static str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Picture { picture, expected: expected.into(), found: found.into() }
    }

    pub(crate) fn content(path: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), expected: expected.into(), found: found.into() }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
