//! Why an entropic problem was refused.

use thiserror::Error;

use crate::ot::exact::OtError;

/// Why an entropic problem was refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum EntropicError {
    /// Costs, points or weights that no transport problem can have.
    #[error(transparent)]
    Problem(#[from] OtError),
    /// A setting out of its range.
    #[error("expected {expected} as {name}, found {found}")]
    BadSetting {
        /// The setting.
        name: &'static str,
        /// What it has to be.
        expected: &'static str,
        /// What it was.
        found: f64,
    },
    /// Potentials to start from that are not those of the right points.
    #[error("expected {expected} finite potentials of right points to start from, found {found} of {given}")]
    BadStart {
        /// Right points.
        expected: usize,
        /// Potentials given.
        given: usize,
        /// Finite ones among them.
        found: usize,
    },
    /// Points that are not those a result was computed from.
    #[error("expected {expected} coordinates of {what}, as solved for, found {found}")]
    OtherPoints {
        /// Which points.
        what: &'static str,
        /// Coordinates expected.
        expected: usize,
        /// Coordinates found.
        found: usize,
    },
}
