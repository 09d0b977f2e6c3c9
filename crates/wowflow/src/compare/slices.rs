//! How many slices a sliced distance takes, along which directions, and both datasets projected on them.

use rayon::prelude::*;

use super::CompareError;
use super::error::at_least_one;
use crate::directions::{Draws, Slicer, Slicing};
use crate::measure::MeasureOverMeasures;
use crate::rng::{Purpose, Reader, Stream};
use crate::scalar::Scalar;

/// Dimensions from which structured directions are nearly uniform ones.
const STRUCTURED: usize = 32;
/// Memory of the projections of a block of directions, both sides.
const BLOCK_BYTES: usize = 1 << 28;

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

    /// Hands out every slice once: its number and the projections of `p` (N) and of `q` (M), in the order of
    /// their samples, to be used up. Returns what was made of the slices, in their order.
    ///
    /// Directions come in blocks of bounded memory; slices are shared out to the current rayon pool, and none
    /// depends on another, so that the bits do not depend on the number of threads.
    pub(super) fn map<T: Scalar, S, R: Send>(
        &self,
        (p, q): (&MeasureOverMeasures<T>, &MeasureOverMeasures<T>),
        seed: u64,
        scratch: impl Fn() -> S + Sync + Send,
        slice: impl Fn(&mut S, usize, &mut [T], &mut [T]) -> Result<R, CompareError> + Sync + Send,
    ) -> Result<Vec<R>, CompareError> {
        let (n, m) = (p.sample_count(), q.sample_count());
        let mut draws = self.draws::<T>(p.dim(), seed)?;
        let fitting = (BLOCK_BYTES / ((n + m) * size_of::<T>())).max(1);
        // Slicers want blocks that are powers of two.
        let block = if fitting >= self.count { self.count } else { 1 << fitting.ilog2() };
        let (mut left, mut right) = (vec![T::ZERO; block * n], vec![T::ZERO; block * m]);
        let mut found = Vec::with_capacity(self.count);
        for start in (0..self.count).step_by(block) {
            let range = start..self.count.min(start + block);
            let (left, right) = (&mut left[..range.len() * n], &mut right[..range.len() * m]);
            draws.project(range.clone(), p.points(), left);
            draws.project(range, q.points(), right);
            let rows = left.par_chunks_mut(n).zip(right.par_chunks_mut(m)).enumerate();
            let results: Vec<_> =
                rows.map_init(&scratch, |s, (l, (left, right))| slice(s, start + l, left, right)).collect();
            for result in results {
                found.push(result?);
            }
        }
        Ok(found)
    }
}

/// Random numbers of a slice besides its direction.
pub(super) fn reader(seed: u64, slice: usize) -> Reader {
    Stream::new(seed, Purpose::Slices, slice as u64).reader()
}

/// A uniform point on the unit sphere of `R^len`.
pub(super) fn unit_vector(reader: &mut Reader, len: usize) -> Vec<f64> {
    let mut vector: Vec<f64> = (0..len).map(|_| reader.normal()).collect();
    let norm = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    vector.iter_mut().for_each(|v| *v /= norm);
    vector
}
