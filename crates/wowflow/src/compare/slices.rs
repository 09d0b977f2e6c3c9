//! How many slices a sliced distance takes, along which directions, and both datasets projected on them.

use rayon::prelude::*;

use super::CompareError;
use super::error::within;
use crate::directions::{Draws, Slicer, Slicing};
use crate::measure::Pair;
use crate::ot::sliced::PairwiseSliced;
use crate::rng::{Purpose, Reader, Stream};
use crate::scalar::Scalar;

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
    /// Slices of a distance where nothing else is asked for. Fewer than a flow takes: a distance says how far off they
    /// leave it, and is not taken hundreds of times.
    pub const COUNT: usize = 500;

    /// `count` slices along directions of a kind.
    ///
    /// Standard errors are exact for [`Slicing::Gaussian`], too large rather than too small for orthogonal
    /// directions, and meaningless for [`Slicing::Equispaced`]; a single slice has none.
    ///
    /// # Errors
    /// No slices.
    pub fn new(slicing: Slicing, count: usize) -> Result<Self, CompareError> {
        Ok(Self { slicing, count: within("slices", count, usize::MAX, "at least 1")? })
    }

    /// `count` slices along the directions that suit a dimension, as [`Slicing::random`] says.
    ///
    /// # Errors
    /// No slices.
    pub fn standard(dim: usize, count: usize) -> Result<Self, CompareError> {
        Self::new(Slicing::random(dim), count)
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

    /// The distances of all pairs of classes on the same directions.
    pub(super) fn pairwise<'a, T: Scalar>(
        &self,
        pair: Pair<'a, T>,
        seed: u64,
    ) -> Result<PairwiseSliced<'a, T>, CompareError> {
        let stream = Stream::new(seed, Purpose::Evaluation, 0);
        Ok(PairwiseSliced::new(pair, self.slicing, self.count, stream)?)
    }

    /// Hands out every slice once: its number and the projections of `p` (N) and of `q` (M), in the order of
    /// their samples, to be used up. Returns what was made of the slices, in their order.
    ///
    /// Directions come in blocks of bounded memory; slices are shared out to the current rayon pool, and none
    /// depends on another, so that the bits do not depend on the number of threads.
    pub(super) fn map<T: Scalar, S, R: Send>(
        &self,
        pair: Pair<'_, T>,
        seed: u64,
        scratch: impl Fn() -> S + Sync + Send,
        slice: impl Fn(&mut S, usize, &mut [T], &mut [T]) -> Result<R, CompareError> + Sync + Send,
    ) -> Result<Vec<R>, CompareError> {
        let Pair { source: p, target: q } = pair;
        let fitting = (BLOCK_BYTES / ((p.sample_count() + q.sample_count()) * size_of::<T>())).max(1);
        // Slicers want blocks that are powers of two.
        let block = if fitting >= self.count { self.count } else { 1 << fitting.ilog2() };
        self.map_in_blocks(pair, seed, block, scratch, slice)
    }

    /// As [`Self::map`], so many directions at a time: a power of two, or all of them.
    fn map_in_blocks<T: Scalar, S, R: Send>(
        &self,
        pair: Pair<'_, T>,
        seed: u64,
        block: usize,
        scratch: impl Fn() -> S + Sync + Send,
        slice: impl Fn(&mut S, usize, &mut [T], &mut [T]) -> Result<R, CompareError> + Sync + Send,
    ) -> Result<Vec<R>, CompareError> {
        let Pair { source: p, target: q } = pair;
        let (n, m) = (p.sample_count(), q.sample_count());
        let mut draws = self.draws::<T>(p.dim(), seed)?;
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
pub(super) fn stream(seed: u64, slice: usize) -> Stream {
    Stream::new(seed, Purpose::Slices, slice as u64)
}

/// The same, one after another.
pub(super) fn reader(seed: u64, slice: usize) -> Reader {
    stream(seed, slice).reader()
}

/// A uniform point on the unit sphere of `R^len`.
pub(super) fn unit_vector(reader: &mut Reader, len: usize) -> Vec<f64> {
    let mut vector: Vec<f64> = (0..len).map(|_| reader.normal()).collect();
    let norm = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    vector.iter_mut().for_each(|v| *v /= norm);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::MeasureOverMeasures;

    #[test]
    fn blocks_of_directions_change_nothing_but_rounding() {
        let measure = |samples: usize, step: u64| {
            let mut points = vec![0.0; samples * 6];
            Stream::new(81, Purpose::Test, step).normals(0, &mut points);
            MeasureOverMeasures::<f64>::uniform(points, 6, &[samples]).unwrap()
        };
        let (p, q) = (measure(9, 1), measure(4, 2));
        for slicing in [Slicing::Gaussian, Slicing::Orthonormal, Slicing::Hadamard] {
            let slices = Slices::new(slicing, 53).unwrap();
            let run = |block: usize| {
                let slice = |(): &mut (), l: usize, left: &mut [f64], right: &mut [f64]| {
                    Ok((l, [&*left, &*right].concat()))
                };
                slices.map_in_blocks(Pair { source: &p, target: &q }, 3, block, || (), slice).unwrap()
            };
            let whole = run(53);
            assert!(whole.iter().enumerate().all(|(l, (number, row))| l == *number && row.len() == 13));
            for block in [1, 2, 8, 32] {
                for ((l, row), (number, expected)) in run(block).iter().zip(&whole) {
                    let close = row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
                    assert!(close && l == number, "{slicing:?}, blocks of {block}, slice {l}");
                }
            }
            // The error of the first slice that fails comes back, whoever met one first.
            let refuse = |(): &mut (), l: usize, _: &mut [f64], _: &mut [f64]| -> Result<(), CompareError> {
                let error = CompareError::OutOfRange { what: "", precision: "", found: l as f64 };
                if l < 20 { Ok(()) } else { Err(error) }
            };
            let error =
                slices.map_in_blocks(Pair { source: &p, target: &q }, 3, 8, || (), refuse).unwrap_err();
            assert!(matches!(error, CompareError::OutOfRange { found: 20.0, .. }));
        }
    }
}
