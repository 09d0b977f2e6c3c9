//! Why a geodesic or a barycenter was refused.

use thiserror::Error;

use crate::measure::MeasureError;
use crate::ot::exact::OtError;

/// Why a geodesic or a barycenter was refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum GeometryError {
    /// The transport was solved without keeping its plans.
    #[error("expected a transport with its plans between classes (KeepPlans::Yes), found none")]
    NoPlans,
    /// A transport between datasets of other shapes.
    #[error("expected a transport between the classes of these datasets ({expected}), found {found}")]
    ForeignTransport {
        /// Classes or class sizes of the datasets.
        expected: String,
        /// Those of the transport.
        found: String,
    },
    /// A time outside what the curve is defined for.
    #[error("expected a time {expected}, found {found}")]
    BadTime {
        /// What times are allowed.
        expected: &'static str,
        /// The time found.
        found: f64,
    },
    /// No datasets to take a barycenter of.
    #[error("expected at least one dataset, found none")]
    NoDatasets,
    /// A wrong number of weights of datasets.
    #[error("expected {expected} weights of datasets, found {found}")]
    WeightCount {
        /// Number of datasets.
        expected: usize,
        /// Number of weights.
        found: usize,
    },
    /// Weights of datasets that are negative, not finite, or of total 0.
    #[error("expected finite weights of datasets of at least 0 with a positive sum, found {found}")]
    BadWeights {
        /// The offending weight or sum.
        found: f64,
    },
    /// A start that is no dataset of positive weight.
    #[error("expected the number of a dataset of positive weight to start from, found {found} (from 0)")]
    BadStart {
        /// The index found, counted from 0 as in the call.
        found: usize,
    },
    /// A barycenter of no classes.
    #[error("expected at least one class in the barycenter, found 0")]
    NoClasses,
    /// A tolerance that is negative or not a number.
    #[error("expected a tolerance of at least 0, found {found}")]
    BadTolerance {
        /// The tolerance found.
        found: f64,
    },
    /// A transport problem on the way was refused.
    #[error(transparent)]
    Transport(#[from] OtError),
    /// The points on the way do not make a measure.
    #[error(transparent)]
    Measure(#[from] MeasureError),
}
