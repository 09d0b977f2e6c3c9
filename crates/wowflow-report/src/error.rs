//! Why a picture or a run directory was refused.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use wowflow_data::DataError;
use wowflow_study::StudyError;
use wowflow_study::record::RecordError;

/// Why a picture could not be made or a run directory could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The operating system refused to read or write.
    #[error("cannot access {}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason given.
        error: io::Error,
    },
    /// A record of a study that cannot be read, or does not hold what the layout says.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A study that could not be written.
    #[error(transparent)]
    Study(#[from] StudyError),
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
        RecordError::Content { path: path.to_owned(), expected: expected.into(), found: found.into() }.into()
    }

    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }
}
