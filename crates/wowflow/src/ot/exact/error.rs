//! Why an exact transport problem was refused.

use thiserror::Error;

/// Why an exact transport problem was refused. Positions count from 1, as people do.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum OtError {
    /// A side without points.
    #[error("expected at least one point on either side, found {rows} and {cols}")]
    Empty {
        /// Points on the left.
        rows: usize,
        /// Points on the right.
        cols: usize,
    },
    /// Coordinates or costs do not fill their rows.
    #[error("expected {what} to hold a multiple of {row_len} numbers, found {found}")]
    Ragged {
        /// What was given.
        what: &'static str,
        /// Length of one row.
        row_len: usize,
        /// Numbers found.
        found: usize,
    },
    /// A cost matrix of another size than its shape.
    #[error("expected {rows} x {cols} = {expected} costs, found {found}")]
    CostCount {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        cols: usize,
        /// Their product.
        expected: usize,
        /// Costs found.
        found: usize,
    },
    /// A cost that is NaN, infinite, or too large to be added up.
    #[error("expected costs of at most 1e300 in size, found {found} between points {row} and {col}")]
    BadCost {
        /// Left point, counted from 1.
        row: usize,
        /// Right point, counted from 1.
        col: usize,
        /// The cost found.
        found: f64,
    },
    /// A wrong number of weights.
    #[error("expected {expected} weights on the {side}, found {found}")]
    WeightCount {
        /// "left" or "right".
        side: &'static str,
        /// Number of points.
        expected: usize,
        /// Number of weights.
        found: usize,
    },
    /// A weight that is negative or not finite.
    #[error("expected finite weights of at least 0, found {found} as weight {index} on the {side}")]
    BadWeight {
        /// "left" or "right".
        side: &'static str,
        /// Position, counted from 1.
        index: usize,
        /// The weight found.
        found: f64,
    },
    /// All weights of a side vanish.
    #[error("expected a positive total weight on the {side}, found 0")]
    ZeroMass {
        /// "left" or "right".
        side: &'static str,
    },
    /// The caller asked to stop before the problem was solved.
    #[error("interrupted before the transport problem was solved")]
    Interrupted,
    /// A wrong number of starting potentials.
    #[error("expected {expected} starting potentials of the right points, found {found}")]
    StartCount {
        /// Number of right points.
        expected: usize,
        /// Number of potentials.
        found: usize,
    },
    /// A starting potential that is not finite.
    #[error("expected finite starting potentials, found {found} as potential {index}")]
    BadStart {
        /// Position, counted from 1.
        index: usize,
        /// The potential found.
        found: f64,
    },
    /// The two sides live in spaces of different dimension.
    #[error("expected points of one dimension, found {left} and {right}")]
    DimensionMismatch {
        /// Dimension on the left.
        left: usize,
        /// Dimension on the right.
        right: usize,
    },
}
