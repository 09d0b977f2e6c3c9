//! Labels of a flowed dataset: by the outer optimal coupling, and by votes of nearest neighbours.

use rayon::prelude::*;

use super::exact::{CostMatrix, Coupling, OtError, Panels};
use super::wow::WowTransport;
use crate::measure::MeasureOverMeasures;
use crate::scalar::Scalar;

/// The target class of every flowed class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassLabels {
    /// Target class with the most mass, per flowed class.
    pub target: Vec<usize>,
    /// Share of the flowed class's mass that goes to other target classes, in [0, 1).
    ///
    /// 0: all its mass goes to one class. 0.5: two classes share it. A flowed class of weight 0 has
    /// no mass to go by; it gets the nearest target class and ambiguity 1.
    pub ambiguity: Vec<f64>,
}

/// Labels by the optimal outer coupling of a transport from the flowed to the target dataset.
///
/// Of target classes with equal mass the nearer one wins, at a tie of distances the smaller index.
/// Works for any numbers of classes (`book/src/mathematics.md`, "Labels of a flowed dataset").
///
/// ```
/// use wowflow::measure::MeasureOverMeasures;
/// use wowflow::ot::{labels::match_classes, wow::{KeepPlans, wow2_pow}};
/// let flowed = MeasureOverMeasures::uniform(vec![9.0, 1.0], 1, &[1, 1])?;
/// let target = MeasureOverMeasures::uniform(vec![0.0, 10.0, 11.0, 2.0], 1, &[1, 2, 1])?;
/// let labels = match_classes(&wow2_pow(&flowed, &target, KeepPlans::No)?);
/// assert_eq!(labels.target, [1, 0]);
/// assert!((labels.ambiguity[0] - 1.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn match_classes(transport: &WowTransport) -> ClassLabels {
    labels_from_coupling(&transport.class_costs, &transport.outer)
}

/// Masses closer than this fraction of a class's mass count as equal: they differ by rounding.
const TIE: f64 = 1e-12;

/// As [`match_classes`], from the `C_P x C_Q` class costs and the outer coupling alone.
///
/// # Panics
/// The coupling has another shape than the costs.
#[must_use]
pub fn labels_from_coupling(class_costs: &CostMatrix, outer: &Coupling) -> ClassLabels {
    let (classes, targets) = (class_costs.rows(), class_costs.cols());
    assert_eq!((classes, targets), (outer.rows(), outer.cols()), "shapes of the costs and the coupling");
    let masses = outer.to_dense();
    let mut labels = ClassLabels { target: Vec::new(), ambiguity: Vec::new() };
    for (row, masses) in masses.chunks_exact(targets).enumerate() {
        let total: f64 = masses.iter().sum();
        let most = masses.iter().copied().fold(0.0, f64::max);
        let costs = class_costs.row(row);
        let candidates = (0..targets).filter(|&d| masses[d] >= most - TIE * total);
        // `min_by` keeps the first of equals.
        let target = candidates.min_by(|&d, &e| costs[d].total_cmp(&costs[e])).unwrap_or(0);
        let others: f64 = (0..targets).filter(|&d| d != target).map(|d| masses[d]).sum();
        labels.target.push(target);
        labels.ambiguity.push(if total > 0.0 { others / total } else { 1.0 });
    }
    labels
}

/// Labels by nearest neighbours: what a 1-nearest-neighbour classifier says of a flowed dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourVotes {
    /// Nearest target sample of every flowed sample, class after class on both sides.
    pub nearest: Vec<usize>,
    /// Target class of that sample.
    pub nearest_class: Vec<usize>,
    /// Votes of flowed class `c` for target class `d`, at `c * C_Q + d`.
    pub votes: Vec<usize>,
    /// Majority of every flowed class; the smaller target class at a tie of votes.
    pub target: Vec<usize>,
}

/// Votes of every flowed class for the classes of its samples' nearest target samples.
///
/// Nearest in squared Euclidean distance; the smaller index at a tie. Points that a measure does not
/// see have no say: target samples of weight 0, or in a class of weight 0, are nobody's neighbour,
/// and flowed samples of weight 0 do not vote. Other weights play no role: a vote is a sample's.
///
/// ```
/// use wowflow::measure::MeasureOverMeasures;
/// use wowflow::ot::labels::nearest_neighbour_votes;
/// let flowed = MeasureOverMeasures::uniform(vec![9.0, 8.0, 1.0], 1, &[3])?;
/// let target = MeasureOverMeasures::uniform(vec![0.0, 10.0], 1, &[1, 1])?;
/// let votes = nearest_neighbour_votes(&flowed, &target)?;
/// assert_eq!((votes.nearest, votes.votes, votes.target), (vec![1, 1, 0], vec![1, 2], vec![1]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Datasets of different dimension, or so far apart that distances overflow.
#[inline(never)]
pub fn nearest_neighbour_votes<T: Scalar>(
    flowed: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
) -> Result<NeighbourVotes, OtError> {
    if flowed.dim() != target.dim() {
        return Err(OtError::DimensionMismatch { left: flowed.dim(), right: target.dim() });
    }
    let dim = flowed.dim();
    let samples = visible_samples(target);
    let points: Vec<T> = samples
        .iter()
        .flat_map(|&(sample, _)| target.points()[sample * dim..(sample + 1) * dim].iter().copied())
        .collect();
    let panels = Panels::pack(&points, dim);
    // A few rows at a time: all distances at once could fill the memory.
    let found: Vec<(usize, f64)> = flowed
        .points()
        .par_chunks(ROWS * dim)
        .flat_map_iter(|rows| {
            let distances = panels.distances(rows);
            distances.chunks_exact(samples.len()).map(first_smallest).collect::<Vec<_>>()
        })
        .collect();
    if let Some(row) = found.iter().position(|(_, distance)| !distance.is_finite()) {
        let (at, found) = found[row];
        return Err(OtError::BadCost { row: row + 1, col: samples[at].0 + 1, found });
    }
    let found: Vec<usize> = found.into_iter().map(|(at, _)| at).collect();
    let nearest_class: Vec<usize> = found.iter().map(|&at| samples[at].1).collect();
    let targets = target.class_count();
    let mut votes = vec![0; flowed.class_count() * targets];
    for (class, votes) in votes.chunks_exact_mut(targets).enumerate() {
        let weights = flowed.class_weights(class);
        for (i, sample) in flowed.class_range(class).enumerate() {
            votes[nearest_class[sample]] += usize::from(weights.is_none_or(|weights| weights[i] > 0.0));
        }
    }
    let majority = votes.chunks_exact(targets).map(first_largest).collect();
    let nearest = found.iter().map(|&at| samples[at].0).collect();
    Ok(NeighbourVotes { nearest, nearest_class, votes, target: majority })
}

/// Flowed samples compared with all target samples at a time.
const ROWS: usize = 32;

/// Samples of positive weight with their classes.
fn visible_samples<T: Scalar>(data: &MeasureOverMeasures<T>) -> Vec<(usize, usize)> {
    (0..data.class_count())
        .filter(|&class| data.outer_weights()[class] > 0.0)
        .flat_map(|class| {
            let weights = data.class_weights(class);
            let seen = move |i: usize| weights.is_none_or(|weights| weights[i] > 0.0);
            data.class_range(class).enumerate().filter(move |(i, _)| seen(*i)).map(move |(_, at)| (at, class))
        })
        .collect()
}

fn first_smallest(values: &[f64]) -> (usize, f64) {
    let mut best = (0, values[0]);
    for (at, value) in values.iter().enumerate() {
        if *value < best.1 {
            best = (at, *value);
        }
    }
    best
}

fn first_largest(votes: &[usize]) -> usize {
    let mut best = 0;
    for (at, count) in votes.iter().enumerate() {
        if *count > votes[best] {
            best = at;
        }
    }
    best
}
