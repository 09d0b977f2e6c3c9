//! Slices of labeled samples: every sample becomes one real number, and one sort a slice does the rest.
//!
//! On slice `l` a sample `x` of class `mu` becomes `psi_0 <theta, x> + A(mu)`: its projection, and what its
//! class adds. The distance is the mean of `W_p^p` between the two sets of numbers with the masses
//! `w_c a_{c,i}`, or those of the samples without labels, exact for any sizes and weights.

use std::ops::Range;

use super::masses::masses;
use super::slices::Slices;
use super::{CompareError, Comparison, Method};
use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::one_d::{Segment, uniform_segments, weighted_segments};
use crate::ot::sort::{SortScratch, argsort};
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

/// One of the two datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// A class on a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClassRow<'a, T> {
    pub(super) side: Side,
    pub(super) class: usize,
    /// Projections, in the order of the samples.
    pub(super) values: &'a [T],
    /// Weights of sum 1; `None` is uniform.
    pub(super) weights: Option<&'a [f64]>,
}

/// What the labels add to a slice.
pub(super) trait Labels<T>: Sync {
    type Scratch: Send;

    fn scratch(&self) -> Self::Scratch;

    /// `psi_0`: what the projection of a sample is multiplied with.
    fn feature_weight(&self, slice: usize) -> f64;

    /// `A(mu)`: what is added to all samples of a class.
    fn offset(&self, slice: usize, class: ClassRow<'_, T>, scratch: &mut Self::Scratch) -> f64;
}

/// On which slices, with which exponent and seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) slices: Slices,
    pub(super) order: f64,
    pub(super) seed: u64,
    pub(super) masses: Masses,
}

/// What samples weigh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Masses {
    /// `w_c a_{c,i}`.
    ByClass,
    /// As if there were no labels.
    Pooled,
}

/// The distance of `order` on slices of the samples with their labels.
pub(super) fn compare<T: Scalar>(
    pair: Pair<'_, T>,
    settings: Settings,
    labels: &impl Labels<T>,
    method: Method,
) -> Result<Comparison, CompareError> {
    let Settings { slices, order, seed, masses } = settings;
    let sides =
        [Samples::new(Side::Left, pair.source, masses), Samples::new(Side::Right, pair.target, masses)];
    let plan = Plan::new(&sides);
    let scratch = || (Scratch::default(), labels.scratch());
    let powers = slices.map(pair, seed, scratch, |(scratch, labels_scratch), l, left, right| {
        for (side, row) in sides.iter().zip([&mut *left, &mut *right]) {
            let weight = labels.feature_weight(l);
            for class in 0..side.measure.class_count() {
                let values = &mut row[side.measure.class_range(class)];
                let weights = side.measure.class_weights(class);
                let class = ClassRow { side: side.side, class, values: &*values, weights };
                let offset = labels.offset(l, class, labels_scratch);
                for value in values {
                    *value = T::from_f64(weight * value.to_f64() + offset);
                }
            }
            if let Some(found) = row.iter().find(|value| !value.is_finite()) {
                let (what, found) = ("projections and moments", found.to_f64());
                return Err(CompareError::OutOfRange { what, precision: T::NAME, found });
            }
        }
        Ok(scratch.w_pow(&plan, &sides, left, right, order))
    })?;
    Ok(Comparison::sliced(method, order, Estimate::of_mean(&powers)))
}

/// A dataset as samples with masses.
#[derive(Debug)]
struct Samples<'a, T> {
    side: Side,
    measure: &'a MeasureOverMeasures<T>,
    masses: Vec<f64>,
    uniform: bool,
}

impl<'a, T: Scalar> Samples<'a, T> {
    fn new(side: Side, measure: &'a MeasureOverMeasures<T>, of: Masses) -> Self {
        let masses = match of {
            Masses::ByClass => masses(measure),
            Masses::Pooled => measure.pooled_masses(),
        };
        let uniform = masses.iter().all(|mass| *mass == masses[0]);
        Self { side, measure, masses, uniform }
    }
}

/// How sorted samples are coupled, as far as all slices share it.
enum Plan {
    /// Equally many samples of one mass: rank by rank.
    Ranks,
    /// Samples of one mass on each side.
    Shared(Vec<Segment>),
    /// Masses follow the samples: a coupling of its own for every slice.
    Own,
}

impl Plan {
    fn new<T>([left, right]: &[Samples<'_, T>; 2]) -> Self {
        let (n, m) = (left.masses.len(), right.masses.len());
        match left.uniform && right.uniform {
            true if n == m => Self::Ranks,
            true => Self::Shared(uniform_segments(n, m)),
            false => Self::Own,
        }
    }
}

/// Working memory of a slice.
struct Scratch<T: Scalar> {
    sort: SortScratch<T>,
    order: Vec<u32>,
    masses: [Vec<f64>; 2],
    segments: Vec<Segment>,
}

impl<T: Scalar> Default for Scratch<T> {
    fn default() -> Self {
        let masses = [Vec::new(), Vec::new()];
        Self { sort: SortScratch::default(), order: Vec::new(), masses, segments: Vec::new() }
    }
}

impl<T: Scalar> Scratch<T> {
    /// `W_p^p` of two rows of numbers, which get sorted.
    fn w_pow(
        &mut self,
        plan: &Plan,
        sides: &[Samples<'_, T>; 2],
        left: &mut [T],
        right: &mut [T],
        order: f64,
    ) -> f64 {
        for ((row, side), masses) in [&mut *left, &mut *right].into_iter().zip(sides).zip(&mut self.masses) {
            self.order.resize(row.len(), 0);
            argsort(row, &mut self.order, &mut self.sort);
            if let Plan::Own = plan {
                masses.clear();
                masses.extend(self.order.iter().map(|&i| side.masses[i as usize]));
            }
        }
        let segments = match plan {
            Plan::Ranks => {
                return costs(0..left.len(), order, |i| (left[i], right[i], 1.0)) / left.len() as f64;
            }
            Plan::Shared(segments) => segments,
            Plan::Own => {
                weighted_segments(&self.masses[0], &self.masses[1], &mut self.segments);
                &self.segments
            }
        };
        let piece = |k: usize| {
            let Segment { i, j, mass } = segments[k];
            (left[i as usize], right[j as usize], mass)
        };
        costs(0..segments.len(), order, piece)
    }
}

/// The sum of mass times `|x - y|^p`.
fn costs<T: Scalar>(pieces: Range<usize>, order: f64, piece: impl Fn(usize) -> (T, T, f64)) -> f64 {
    let sum = |cost: fn(f64, f64) -> f64| -> f64 {
        let each = |k| {
            let (x, y, mass) = piece(k);
            mass * cost((x.to_f64() - y.to_f64()).abs(), order)
        };
        pieces.clone().map(each).sum()
    };
    match order {
        1.0 => sum(|distance, _| distance),
        2.0 => sum(|distance, _| distance * distance),
        _ => sum(f64::powf),
    }
}
