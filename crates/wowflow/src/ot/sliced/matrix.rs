//! One number for every pair of classes: distances on the way in, coefficients of forces on the way out.

use std::ops::Range;

use rayon::prelude::*;

use super::layout::PairLayout;
use crate::scalar::Scalar;

/// Rows of a matrix of pairs that are worth a task of their own.
pub(crate) const PAIR_ROWS: usize = 64;

/// Sums or means over directions of `W_2^2` or `W_1` between all classes, by the base asked for: a symmetric
/// `(C_P + C_Q) x (C_P + C_Q)` matrix, source classes first.
#[derive(Clone, Debug, PartialEq)]
pub struct PairMatrix {
    classes: usize,
    source_count: usize,
    values: Vec<f64>,
}

impl PairMatrix {
    pub(crate) fn zero(layout: &PairLayout) -> Self {
        let classes = layout.classes.len();
        Self { classes, source_count: layout.source_count, values: vec![0.0; classes * classes] }
    }

    /// Between two source classes.
    #[must_use]
    pub fn source_source(&self, c: usize, e: usize) -> f64 {
        self.values[c * self.classes + e]
    }

    /// Between a source class and a target class.
    #[must_use]
    pub fn source_target(&self, c: usize, d: usize) -> f64 {
        self.values[c * self.classes + self.source_count + d]
    }

    /// Between two target classes.
    #[must_use]
    pub fn target_target(&self, d: usize, e: usize) -> f64 {
        self.source_source(self.source_count + d, self.source_count + e)
    }

    /// Classes of both sides, `C_P + C_Q`.
    #[must_use]
    pub fn class_count(&self) -> usize {
        self.classes
    }

    /// Classes of the source, `C_P`.
    #[must_use]
    pub fn source_count(&self) -> usize {
        self.source_count
    }

    /// All entries, row-major.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All entries, to be filled; while sums are gathered, those above the diagonal are enough.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// The mean over pairs of a source class, of weight `w_c`, and a target class, of weight `v_d`.
    #[must_use]
    pub fn mean_source_target(&self, w: &[f64], v: &[f64]) -> f64 {
        w.iter()
            .enumerate()
            .flat_map(|(c, wc)| v.iter().enumerate().map(move |(d, vd)| (c, d, wc * vd)))
            .map(|(c, d, weight)| weight * self.source_target(c, d))
            .sum()
    }

    /// Forgets all pairs, or all but those of two target classes.
    pub(crate) fn reset(&mut self, keep_targets: bool) {
        let rows = if keep_targets { self.source_count } else { self.classes };
        self.values[..rows * self.classes].fill(0.0);
    }

    /// The first class of each pair of a number of bands of classes, with the rows of the matrix that
    /// hold its distances to all later classes.
    pub(crate) fn bands(
        &mut self,
        count: usize,
    ) -> impl IndexedParallelIterator<Item = (Range<usize>, &mut [f64])> {
        let (height, classes) = (self.classes.div_ceil(count), self.classes);
        let bands = self.values.par_chunks_mut(height * classes).enumerate();
        bands.map(move |(band, sums)| (band * height..classes.min((band + 1) * height), sums))
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let len = PAIR_ROWS * self.classes;
        self.values.par_chunks_mut(len).zip(other.values.par_chunks(len)).for_each(|(sums, values)| {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        });
    }

    pub(crate) fn divide(&mut self, count: f64) {
        self.values.par_chunks_mut(PAIR_ROWS * self.classes).for_each(|values| {
            values.iter_mut().for_each(|value| *value /= count);
        });
    }

    /// Copies the upper triangle to the lower one, a square at a time.
    pub(crate) fn mirror(&mut self) {
        const SIDE: usize = 32;
        let classes = self.classes;
        for top in (0..classes).step_by(SIDE) {
            for left in (0..=top).step_by(SIDE) {
                for row in top..classes.min(top + SIDE) {
                    for col in left..row.min(left + SIDE) {
                        self.values[row * classes + col] = self.values[col * classes + row];
                    }
                }
            }
        }
    }
}

/// Means over directions, with the sums over batches of these that they come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sampled<'a> {
    pub(crate) mean: &'a PairMatrix,
    pub(crate) sums: &'a [PairMatrix],
    /// Number of directions of each batch; batches of none are left out.
    pub(crate) directions: &'a [usize],
}

impl<'a> Sampled<'a> {
    /// The batches, each with its number of directions.
    pub(crate) fn batches(&self) -> impl Iterator<Item = (usize, &'a PairMatrix)> + use<'a> {
        let batches = self.directions.iter().copied().zip(self.sums);
        batches.filter(|&(directions, _)| directions > 0)
    }
}

/// Coefficients of the forces, `C_P x (C_P + C_Q)`: entry (c, e) multiplies the difference of source class `c` to class
/// `e` (source classes, then target classes). The diagonal is 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Coefficients<T> {
    values: Vec<T>,
    classes: usize,
}

impl<T: Scalar> Coefficients<T> {
    pub(crate) fn zero(layout: &PairLayout) -> Self {
        let classes = layout.classes.len();
        Self { values: vec![T::ZERO; layout.source_count * classes], classes }
    }

    /// Sets all entries but the diagonal from a function of (source class, any class).
    pub(crate) fn set(&mut self, entry: impl Fn(usize, usize) -> f64 + Sync) {
        // Measures closer than the resolution of the coordinates exert no force: an infinite
        // coefficient times a vanishing difference must not become NaN.
        const LARGEST: f64 = 1e30;
        let classes = self.classes;
        self.values.par_chunks_mut(PAIR_ROWS * classes).enumerate().for_each(|(block, rows)| {
            for (c, row) in (PAIR_ROWS * block..).zip(rows.chunks_mut(classes)) {
                for (e, value) in row.iter_mut().enumerate() {
                    let found = if c == e { 0.0 } else { entry(c, e) };
                    *value = T::from_f64(found.clamp(-LARGEST, LARGEST));
                }
            }
        });
    }

    /// Those of a source class, one for every class.
    #[must_use]
    pub fn row(&self, c: usize) -> &[T] {
        &self.values[c * self.classes..(c + 1) * self.classes]
    }
}
