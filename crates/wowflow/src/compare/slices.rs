//! How many slices a sliced distance takes, and along which kind of directions.

use super::CompareError;
use super::error::at_least_one;
use crate::directions::{Draws, Slicing};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// Dimensions from which structured directions are nearly uniform ones.
const STRUCTURED: usize = 32;

/// How many slices, along which kind of directions.
///
/// ```
/// use wowflow::compare::Slices;
/// use wowflow::directions::Slicing;
/// assert_eq!(Slices::standard(784, 500)?.slicing(), Slicing::Hadamard);
/// assert_eq!(Slices::standard(3, 500)?.slicing(), Slicing::Orthonormal);
/// assert!(Slices::new(Slicing::Gaussian, 0).is_err());
/// # Ok::<(), wowflow::compare::CompareError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slices {
    slicing: Slicing,
    count: usize,
}

impl Slices {
    /// `count` slices along directions of a kind.
    ///
    /// Standard errors are exact for [`Slicing::Gaussian`], too large rather than too small for orthogonal
    /// directions, and meaningless for [`Slicing::Equispaced`]; a single slice has none.
    ///
    /// # Errors
    /// No slices.
    pub fn new(slicing: Slicing, count: usize) -> Result<Self, CompareError> {
        Ok(Self { slicing, count: at_least_one("slices", count)? })
    }

    /// `count` slices along the directions that suit a dimension: structured ones from 32 on, else
    /// orthonormal ones.
    ///
    /// # Errors
    /// No slices.
    pub fn standard(dim: usize, count: usize) -> Result<Self, CompareError> {
        Self::new(if dim < STRUCTURED { Slicing::Orthonormal } else { Slicing::Hadamard }, count)
    }

    /// Kind of directions.
    #[must_use]
    pub fn slicing(&self) -> Slicing {
        self.slicing
    }

    /// Number of slices, `L`.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The directions of a seed: the same for every pair of datasets of a dimension.
    pub(super) fn draws<T: Scalar>(&self, dim: usize, seed: u64) -> Result<Draws<T>, CompareError> {
        Ok(Draws::new(self.slicing, self.count, dim, Stream::new(seed, Purpose::Evaluation, 0))?)
    }
}
