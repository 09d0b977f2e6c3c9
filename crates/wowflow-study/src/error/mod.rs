//! Why a study was refused or ended early.

mod record;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use wowflow::compare::CompareError;
use wowflow::dataset::DatasetError;
use wowflow::embedding::EmbeddingError;
use wowflow::flow::{ScheduleError, SettingsError, StateError};
use wowflow::functional::FunctionalError;
use wowflow::measure::MeasureError;
use wowflow::ot::exact::OtError;
use wowflow::ot::geometry::GeometryError;
use wowflow::text::shown;
use wowflow_data::DataError;

pub use record::RecordError;

/// The result of a step of a study.
pub type Result<T, E = StudyError> = std::result::Result<T, E>;

/// Why a study was refused or ended early.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StudyError {
    /// What was asked for, or what was found on disk, does not fit: what was expected, what was found, what to do.
    #[error("{}", shown(.0, 320))]
    Refused(String),
    /// A folder that is to be made is there with content, or another program works in it.
    #[error("{}", shown(.0, 320))]
    Taken(String),
    /// Where something else went wrong.
    #[error("{}: {error}", shown(place, 160))]
    At {
        /// The dataset, file, row or method.
        place: String,
        /// What went wrong.
        error: Box<StudyError>,
    },
    /// A study that stopped half-way; what was recorded is kept, and it can be resumed.
    #[error("{}, resume the run in {}: {error}", shown(what, 160), shown(&folder.to_string_lossy(), 160))]
    Unfinished {
        /// Where it stopped.
        what: String,
        /// Its folder.
        folder: PathBuf,
        /// Why.
        error: Box<StudyError>,
    },
    /// The operating system refused to read or write.
    #[error("cannot {action} {}: {error}", shown(&path.to_string_lossy(), 240))]
    Io {
        /// Such as `write` or `create the folder`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason given.
        error: io::Error,
    },
    /// The observer asked to stop, and what was reached is not kept or cannot be gone on with from here.
    #[error("interrupted")]
    Interrupted,
    /// A record that cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Data that cannot be read or written.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Samples or labels that make no dataset.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Samples that make no measure.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// Settings of a flow that do not go together.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A functional that cannot be set up.
    #[error(transparent)]
    Functional(#[from] FunctionalError),
    /// A step or a momentum out of range.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// A state that cannot be restored.
    #[error(transparent)]
    State(#[from] StateError),
    /// Datasets that cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// A transport that cannot be solved.
    #[error(transparent)]
    Transport(#[from] OtError),
    /// A geodesic or a barycenter that cannot be followed.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// A matrix that is no matrix of distances.
    #[error(transparent)]
    Embedding(#[from] EmbeddingError),
    /// A value that cannot be stored as JSON.
    #[error("{}", shown(&.0.to_string(), 240))]
    Json(#[from] serde_json::Error),
    /// A network that cannot be trained or used.
    #[cfg(feature = "learn")]
    #[error(transparent)]
    Learn(wowflow_learn::LearnError),
}

#[cfg(feature = "learn")]
impl From<wowflow_learn::LearnError> for StudyError {
    fn from(error: wowflow_learn::LearnError) -> Self {
        match error {
            wowflow_learn::LearnError::Interrupted => Self::Interrupted,
            error => Self::Learn(error),
        }
    }
}

impl StudyError {
    /// A refusal by the operating system.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { action, path, error }
    }

    /// Whether the folder that was to be made is taken.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        match self {
            Self::Taken(_) => true,
            Self::At { error, .. } => error.is_taken(),
            _ => false,
        }
    }

    /// Whether the observer asked to stop.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        match self {
            Self::Interrupted => true,
            Self::At { error, .. } | Self::Unfinished { error, .. } => error.is_interruption(),
            _ => false,
        }
    }
}

/// Says where an error happened.
pub(crate) trait Place<T> {
    /// The same error at a place.
    fn at(self, place: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<StudyError>> Place<T> for std::result::Result<T, E> {
    fn at(self, place: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| StudyError::At { place: place(), error: Box::new(error.into()) })
    }
}

impl<T> Place<T> for Option<T> {
    /// What is absent is refused in these words.
    fn at(self, place: impl FnOnce() -> String) -> Result<T> {
        self.ok_or_else(|| StudyError::Refused(place()))
    }
}

/// Refuses in the words of a format string.
macro_rules! refuse {
    ($($words:tt)+) => {
        return Err($crate::error::StudyError::Refused(format!($($words)+)))
    };
}

/// Refuses, unless a condition holds.
macro_rules! require {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            $crate::error::refuse!($($words)+);
        }
    };
}

pub(crate) use {refuse, require};
