//! The squared MMD of two measures over classes, from the sliced distances of these, and how far it varies.

use rayon::prelude::*;

use super::Kernel;
use crate::ot::sliced::{BATCHES, PAIR_ROWS, PairMatrix, Sampled};
use crate::stats::estimate::Estimate;

/// Fewer batches of directions than this say nothing about an error.
const FEWEST: usize = 8;

/// A value with what it would be on each batch of directions, to first order.
pub(crate) struct Varied {
    pub(crate) value: f64,
    batches: usize,
    /// Share of the directions in each batch.
    shares: [f64; BATCHES],
    /// Change of the value on each batch.
    changes: [f64; BATCHES],
}

impl Varied {
    /// The value with its standard error by the delta method; NaN for too few batches.
    pub(crate) fn estimate(&self) -> Estimate {
        let Self { value, batches, .. } = *self;
        if batches < FEWEST {
            return Estimate { value, standard_error: f64::NAN, degrees_of_freedom: 0 };
        }
        let squares: f64 = self.shares.iter().zip(&self.changes).map(|(share, x)| share * x * x).sum();
        let standard_error = (squares / (batches - 1) as f64).sqrt();
        Estimate { value, standard_error, degrees_of_freedom: batches - 1 }
    }

    /// Twice the value, with its standard error: the squared MMD.
    pub(crate) fn doubled(&self) -> Estimate {
        let half = self.estimate();
        half.mapped(2.0 * half.value, 2.0)
    }

    /// The difference to a value on the same batches.
    pub(crate) fn minus(mut self, other: &Self) -> Self {
        self.value -= other.value;
        self.changes.iter_mut().zip(&other.changes).for_each(|(own, other)| *own -= other);
        self
    }
}

/// How the distances of classes are read off what was measured, sums or means alike.
pub(crate) trait ReadDistances: Sync {
    /// Between a source class and a target class.
    fn source_target(&self, pairs: &PairMatrix, c: usize, d: usize) -> f64;

    /// Between two target classes.
    fn target_target(&self, pairs: &PairMatrix, d: usize, e: usize) -> f64;
}

/// As they were measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsMeasured;

impl ReadDistances for AsMeasured {
    fn source_target(&self, pairs: &PairMatrix, c: usize, d: usize) -> f64 {
        pairs.source_target(c, d)
    }

    fn target_target(&self, pairs: &PairMatrix, d: usize, e: usize) -> f64 {
        pairs.target_target(d, e)
    }
}

/// Half the squared MMD of measures with weights `w` and `v` of their classes, from the distances of these, with its
/// changes by batch of directions.
pub(crate) fn half_mmd2(
    kernel: Kernel,
    (w, v): (&[f64], &[f64]),
    sampled: Sampled<'_>,
    reader: &impl ReadDistances,
) -> Varied {
    // Three sums apart: those of a dataset and itself cancel exactly.
    let within_source = double_sum(kernel, sampled, (w, w), PairMatrix::source_source);
    let within_target = double_sum(kernel, sampled, (v, v), |pairs, d, e| reader.target_target(pairs, d, e));
    let across = double_sum(kernel, sampled, (w, v), |pairs, c, d| reader.source_target(pairs, c, d));
    let sum = |p: f64, q: f64, pq: f64| 0.5 * p + 0.5 * q - pq;
    let value = sum(within_source.value, within_target.value, across.value);
    let changes = std::array::from_fn(|batch| {
        sum(within_source.changes[batch], within_target.changes[batch], across.changes[batch])
    });
    let batches = sampled.batches().count();
    let directions: usize = sampled.batches().map(|(count, _)| count).sum();
    let mut shares = [0.0; BATCHES];
    shares
        .iter_mut()
        .zip(sampled.batches())
        .for_each(|(s, (count, _))| *s = count as f64 / directions as f64);
    Varied { value, batches, shares, changes }
}

/// `sum_ij a_i b_j K(s_ij)` with its changes by batch.
#[derive(Clone, Copy, Default)]
struct DoubleSum {
    value: f64,
    changes: [f64; BATCHES],
}

fn double_sum(
    kernel: Kernel,
    sampled: Sampled<'_>,
    (a, b): (&[f64], &[f64]),
    pair: impl Fn(&PairMatrix, usize, usize) -> f64 + Sync,
) -> DoubleSum {
    const PARTS: usize = 32;
    let total = sampled.mean;
    let varied = sampled.batches().count() >= FEWEST;
    // Parts of a size of their own, added in order: the bits do not depend on the threads.
    let rows = a.len().div_ceil(PARTS).max(PAIR_ROWS);
    let mut parts = [DoubleSum::default(); PARTS];
    parts.par_iter_mut().zip(a.par_chunks(rows)).enumerate().for_each(|(part, (found, a))| {
        for (i, ai) in (part * rows..).zip(a) {
            for (j, bj) in b.iter().enumerate() {
                let distance = pair(total, i, j);
                found.value += ai * bj * kernel.value(distance);
                if varied {
                    let slope = ai * bj * kernel.derivative(distance);
                    for (change, (count, sums)) in found.changes.iter_mut().zip(sampled.batches()) {
                        *change += slope * (pair(sums, i, j) / count as f64 - distance);
                    }
                }
            }
        }
    });
    parts.iter().fold(DoubleSum::default(), |mut sum, part| {
        sum.value += part.value;
        sum.changes.iter_mut().zip(&part.changes).for_each(|(sum, change)| *sum += change);
        sum
    })
}
