//! Why something could not be learned.

use std::fmt::Display;
use std::path::Path;

use thiserror::Error;
use wowflow::flow::{ScheduleError, SettingsError};
use wowflow::functional::FunctionalError;
use wowflow::name::UnknownName;
use wowflow::ot::exact::OtError;
use wowflow::ot::geometry::GeometryError;
use wowflow::text::shown;

/// Bad input to a network, a training or an application.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum LearnError {
    /// Images and labels do not fit together.
    #[error("expected {expected} numbers for {examples} examples, found {found}")]
    ExampleCount {
        /// Numbers expected.
        expected: usize,
        /// Examples, as many as there are labels.
        examples: usize,
        /// Numbers found.
        found: usize,
    },
    /// A label that names no class.
    #[error("expected labels below {classes}, found {found}")]
    Label {
        /// Number of classes.
        classes: usize,
        /// The label found.
        found: usize,
    },
    /// Nothing to learn from.
    #[error("expected at least one example and one class, found none")]
    NoExamples,
    /// Batches of no examples.
    #[error("expected batches of at least one example, found 0")]
    EmptyBatch,
    /// A name of no architecture.
    #[error(transparent)]
    Architecture(#[from] UnknownName),
    /// Vectors for an architecture that takes images.
    #[error("expected images for {architecture}, found vectors of {dim} numbers: mlp takes those")]
    NoImages {
        /// The architecture.
        architecture: &'static str,
        /// Coordinates of the vectors.
        dim: usize,
    },
    /// Images from which nothing is left after some layer.
    #[error("expected larger images for {architecture}, found {found}")]
    TooSmall {
        /// The architecture.
        architecture: &'static str,
        /// The input, in words.
        found: String,
    },
    /// Examples that are not what a network takes.
    #[error("expected {expected}, found {}", shown(found, 160))]
    Examples {
        /// What the network takes.
        expected: String,
        /// What the examples are.
        found: String,
    },
    /// A loss that is not a number any more.
    #[error("expected a finite loss, found none after {step} steps: lower the learning rate")]
    Diverged {
        /// Steps taken.
        step: u64,
    },
    /// A flow that left the numbers.
    #[error("expected a finite flow, found none after {step} steps: lower the step size")]
    FlowDiverged {
        /// Step at which it was noticed.
        step: u64,
    },
    /// Labels that are not one a class.
    #[error("expected {expected} labels, one a class, found {found}")]
    Labels {
        /// Classes of the network.
        expected: usize,
        /// Labels given.
        found: usize,
    },
    /// A functional that cannot be set up.
    #[error(transparent)]
    Functional(#[from] FunctionalError),
    /// Settings of a flow that do not go together, or not with the datasets.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A functional that few samples are not distilled by.
    #[error(
        "expected the functional mmd-sw or matched-sw, with directions drawn at every step, found {found}"
    )]
    Distiller {
        /// What was asked for.
        found: String,
    },
    /// A step or a momentum out of range.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// A transport that cannot be solved.
    #[error(transparent)]
    Transport(#[from] OtError),
    /// A geodesic that cannot be followed.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
    /// The observer asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// A file that is not a network, or cannot be read or written.
    #[error("{}", shown(message, 300))]
    File {
        /// What was expected and found, with the path where there is one.
        message: String,
    },
}

impl LearnError {
    pub(crate) fn file(cause: &impl Display) -> Self {
        Self::File { message: format!("expected a network in the safetensors format: {cause}") }
    }

    pub(crate) fn file_at(path: &Path, cause: &impl Display) -> Self {
        Self::File { message: format!("{}: {cause}", path.display()) }
    }
}
