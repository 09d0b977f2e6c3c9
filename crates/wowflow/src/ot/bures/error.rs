//! Why a Gaussian was refused.

use thiserror::Error;

/// Why a Gaussian or a question about Gaussians was refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum BuresError {
    /// A mean, a matrix, points or weights of another size than the dimension asks for.
    #[error("expected {expected} numbers as {what}, found {found}")]
    Size {
        /// What was given.
        what: &'static str,
        /// Numbers expected.
        expected: usize,
        /// Numbers found.
        found: usize,
    },
    /// No coordinates, samples or Gaussians.
    #[error("expected at least one {what}, found none")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// NaN, infinity, or numbers whose squares overflow.
    #[error("expected numbers of at most 1e150 in size as {what}, found {found}")]
    NotFinite {
        /// What was given.
        what: &'static str,
        /// The number found.
        found: f64,
    },
    /// A covariance that differs from its transpose by more than 1e-8 of its largest entry.
    #[error("expected a symmetric covariance, found entries ({row}, {col}) that differ by {found}")]
    NotSymmetric {
        /// Row, counted from 1.
        row: usize,
        /// Column, counted from 1.
        col: usize,
        /// The difference.
        found: f64,
    },
    /// An eigenvalue below -1e-8 times the largest.
    #[error("expected a covariance without negative eigenvalues, found {found}")]
    NegativeEigenvalue {
        /// The eigenvalue.
        found: f64,
    },
    /// Negative weights, or weights of total 0.
    #[error("expected weights of at least 0 with a positive sum, found {found}")]
    BadWeights {
        /// The offending weight or sum.
        found: f64,
    },
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
    /// Gaussians of different dimension.
    #[error("expected Gaussians of one dimension, found {left} and {right}")]
    DimensionMismatch {
        /// Dimension on the left.
        left: usize,
        /// Dimension on the right.
        right: usize,
    },
    /// An eigenvalue or singular value iteration that did not end.
    #[error("the decomposition of a {rows} x {cols} matrix did not converge")]
    NoConvergence {
        /// Rows.
        rows: usize,
        /// Columns.
        cols: usize,
    },
}
