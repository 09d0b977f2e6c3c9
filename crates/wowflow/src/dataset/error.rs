//! Why a dataset is refused.

use thiserror::Error;

use super::ImageShape;

/// Why a dataset was refused. Rows and columns count from 1, as people do.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// No samples at all.
    #[error("expected at least one sample, found none")]
    Empty,
    /// Zero coordinates a sample.
    #[error("expected at least one coordinate a sample, found none")]
    ZeroDimension,
    /// The number of coordinates is not a multiple of the dimension.
    #[error("expected a multiple of the dimension {dim} as the number of coordinates, found {found}")]
    RaggedRows {
        /// Dimension of one sample.
        dim: usize,
        /// Number of coordinates given.
        found: usize,
    },
    /// Points and labels disagree in number.
    #[error("expected one label a sample: found {samples} samples and {labels} labels")]
    LabelCount {
        /// Number of samples.
        samples: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("expected finite numbers, found {found} at row {row}, column {column}")]
    NotFinite {
        /// Row, counted from 1.
        row: usize,
        /// Column, counted from 1.
        column: usize,
        /// The value found.
        found: f64,
    },
    /// The wrong number of names.
    #[error("expected one name a sample: found {samples} samples and {names} names")]
    NameCount {
        /// Number of samples.
        samples: usize,
        /// Number of names.
        names: usize,
    },
    /// The wrong number of weights.
    #[error("expected {expected} {what} weights, found {found}")]
    WeightCount {
        /// "sample" or "class".
        what: &'static str,
        /// Number expected.
        expected: usize,
        /// Number found.
        found: usize,
    },
    /// A weight is negative or not finite.
    #[error("expected finite weights of at least 0, found {found} as {what} weight {index}")]
    BadWeight {
        /// "sample" or "class".
        what: &'static str,
        /// Position, counted from 1.
        index: usize,
        /// The value found.
        found: f64,
    },
    /// All weights of a class, or of all classes, vanish.
    #[error("expected a positive total weight, found 0 over {of}")]
    ZeroMass {
        /// What the total was taken over.
        of: String,
    },
    /// The image shape does not have as many pixels as a sample has coordinates.
    #[error("expected {expected} coordinates a sample for images of {shape}, found {found}")]
    ImageShape {
        /// The shape.
        shape: ImageShape,
        /// Its number of pixels.
        expected: usize,
        /// Dimension found.
        found: usize,
    },
}
