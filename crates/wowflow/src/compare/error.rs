//! Why there is no such distance, or why two datasets could not be compared.

use thiserror::Error;

use crate::directions::DirectionsError;
use crate::kernel::KernelError;
use crate::name::either;
use crate::ot::bures::BuresError;
use crate::ot::exact::OtError;
use crate::ot::sliced::SlicedError;

use super::otdd::OtddError;

/// Why there is no such distance, or why two datasets could not be compared.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The datasets live in spaces of different dimension.
    #[error(
        "expected datasets of one dimension, found {left} and {right}: embed both in a shared space first, or \
         resize their images to one shape"
    )]
    Dimensions {
        /// Dimension on the left.
        left: usize,
        /// Dimension on the right.
        right: usize,
    },
    /// A parameter outside its range.
    #[error("expected {parameter} {expected}, found {found}")]
    Parameter {
        /// Name of the parameter.
        parameter: &'static str,
        /// Its range, in words.
        expected: &'static str,
        /// The value found.
        found: f64,
    },
    /// An option that the method does not have.
    #[error("expected {option} with the method {} only, found it with {found}", either(methods))]
    Foreign {
        /// Name of the option.
        option: &'static str,
        /// The methods that have it.
        methods: Vec<&'static str>,
        /// The method that was chosen.
        found: &'static str,
    },
    /// A stored method without one of the options it has.
    #[error("expected {option} with the method {method}, found none")]
    Missing {
        /// Name of the option.
        option: &'static str,
        /// The method.
        method: &'static str,
    },
    /// A length for a process that has none.
    #[error("expected no length with the process {process}, found {found}")]
    ForeignLength {
        /// The process.
        process: &'static str,
        /// The length.
        found: f64,
    },
    /// What a method makes of the samples does not fit their precision.
    #[error(
        "expected {what} within the range of {precision}, found {found:e}: standardise the features of both \
         datasets alike"
    )]
    OutOfRange {
        /// What grew too large.
        what: &'static str,
        /// The precision of the samples.
        precision: &'static str,
        /// What was found.
        found: f64,
    },
    /// Entropic transport that ran out of iterations.
    #[error(
        "expected entropic transport to converge, found its power between {lower:.6} and {upper:.6} after \
         {iterations} iterations with regularisation {regularisation}: choose a larger regularisation, or none for \
         exact transport"
    )]
    NotConverged {
        /// Iterations done.
        iterations: usize,
        /// The power is at least this ...
        lower: f64,
        /// ... and at most this.
        upper: f64,
        /// The regularisation.
        regularisation: f64,
    },
    /// Directions that cannot be drawn.
    #[error(transparent)]
    Directions(#[from] DirectionsError),
    /// A kernel that does not exist.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// Sliced distances of classes that could not be set up.
    #[error(transparent)]
    Sliced(SlicedError),
    /// A transport problem that was refused.
    #[error(transparent)]
    Transport(#[from] OtError),
    /// A class that is no Gaussian.
    #[error(transparent)]
    Gaussian(#[from] BuresError),
    /// An OTDD that was refused.
    #[error(transparent)]
    Otdd(#[from] OtddError),
}

/// A parameter that must be positive and finite.
pub(super) fn positive(parameter: &'static str, found: f64) -> Result<f64, CompareError> {
    if found > 0.0 && found.is_finite() {
        Ok(found)
    } else {
        Err(CompareError::Parameter { parameter, expected: "positive and finite", found })
    }
}

/// A count from 1 to `most`, which `expected` says in words.
pub(super) fn within(
    parameter: &'static str,
    found: usize,
    most: usize,
    expected: &'static str,
) -> Result<usize, CompareError> {
    if (1..=most).contains(&found) {
        Ok(found)
    } else {
        Err(CompareError::Parameter { parameter, expected, found: found as f64 })
    }
}

/// The exponent `p` of a Wasserstein distance.
pub(super) fn order(found: f64) -> Result<f64, CompareError> {
    if found >= 1.0 && found.is_finite() {
        Ok(found)
    } else {
        Err(CompareError::Parameter { parameter: "p", expected: "at least 1 and finite", found })
    }
}

/// Directions that cannot be drawn are the same error whatever draws them.
impl From<SlicedError> for CompareError {
    fn from(error: SlicedError) -> Self {
        match error {
            SlicedError::Directions(directions) => Self::Directions(directions),
            error => Self::Sliced(error),
        }
    }
}
