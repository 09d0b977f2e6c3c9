//! Mini-batches of the target, and what they do to distances.
//!
//! With `B` samples of a target class in its place, `SW_2^2(mu, nu_B)` is too large: sorted rows live in a
//! Hilbert space, and `E |q - q_B|^2 = |q - E q_B|^2 + E |q_B - E q_B|^2`. The distance of a class to its own
//! target then never vanishes, and the flow ends too early. Two independent batches remove the second term:
//! `E <q - q_B, q - q_B'> = |q - E q_B|^2`. What remains is `E q_B` against the target's own `q`, which falls
//! faster than `1 / B`.

use crate::kernel::ReadDistances;
use crate::measure::MeasureOverMeasures;
use crate::ot::sliced::PairMatrix;
use crate::rng::{Reader, Stream};
use crate::scalar::Scalar;

/// Batches drawn anew at every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MiniBatches {
    /// Samples of every target class a batch; classes that have fewer are taken whole, or as often as they
    /// have samples where these have weights.
    pub size: usize,
    /// What is made of them.
    pub estimator: BatchEstimator,
}

/// How distances are estimated from batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchEstimator {
    /// A batch stands for its class: distances are too large.
    Plain,
    /// Two independent batches a class, their inner product in place of a square: nearly unbiased, at
    /// twice the cost. For kernels of `SW_2^2`.
    Debiased,
}

crate::named!(BatchEstimator, "estimator of distances", {
    Plain = "plain": "A batch stands for its class; distances come out too large.",
    Debiased = "debiased": "Two independent batches, an inner product in place of a square.",
});

impl MiniBatches {
    /// Batches of every class of the target, those of a second draw after all of the first.
    ///
    /// Without weights, samples are drawn without replacement; with them, with replacement by weight.
    pub(super) fn draw<T: Scalar>(
        &self,
        target: &MeasureOverMeasures<T>,
        stream: Stream,
    ) -> MeasureOverMeasures<T> {
        let draws = match self.estimator {
            BatchEstimator::Plain => 1,
            BatchEstimator::Debiased => 2,
        };
        let (dim, classes) = (target.dim(), target.class_count());
        let (mut points, mut sizes) = (Vec::new(), Vec::new());
        let mut reader = stream.reader();
        for _ in 0..draws {
            for class in 0..classes {
                let own = target.class_points(class);
                let size = target.class_size(class);
                let picked = match target.class_weights(class) {
                    None => reader.sample(size, self.size),
                    Some(weights) => by_weight(weights, self.size.min(size), &mut reader),
                };
                sizes.push(picked.len());
                points.extend(picked.into_iter().flat_map(|i| own[i * dim..(i + 1) * dim].iter().copied()));
            }
        }
        // Finite points of whole classes: nothing to refuse.
        MeasureOverMeasures::uniform(points, dim, &sizes).expect("samples of a valid measure")
    }

    /// How distances to what was drawn are to be read, for so many target classes.
    pub(super) fn distance_estimator(&self, targets: usize) -> DistanceEstimator {
        match self.estimator {
            BatchEstimator::Plain => DistanceEstimator::Plain,
            BatchEstimator::Debiased => DistanceEstimator::Debiased { targets },
        }
    }
}

/// Positions drawn independently, by weight.
pub(super) fn by_weight(weights: &[f64], count: usize, draws: &mut Reader) -> Vec<usize> {
    let mut below = 0.0;
    let cumulative: Vec<f64> = weights
        .iter()
        .map(|weight| {
            below += weight;
            below
        })
        .collect();
    let last = weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0);
    (0..count)
        .map(|_| {
            let level = draws.uniform() * below;
            cumulative.partition_point(|c| *c <= level).min(last)
        })
        .collect()
}

/// How the distances of a functional are read off the sums of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DistanceEstimator {
    /// As they are.
    Plain,
    /// Target class `d` was passed twice, as `d` and as `d + targets`, in independent batches.
    Debiased { targets: usize },
}

impl ReadDistances for DistanceEstimator {
    fn source_target(&self, sums: &PairMatrix, c: usize, d: usize) -> f64 {
        match *self {
            Self::Plain => sums.source_target(c, d),
            // <q - q_B, q - q_B'>, from the three distances; noise may take it below 0.
            Self::Debiased { targets } => {
                let (first, second) = (sums.source_target(c, d), sums.source_target(c, d + targets));
                (0.5 * (first + second - sums.target_target(d, d + targets))).max(0.0)
            }
        }
    }

    fn target_target(&self, sums: &PairMatrix, d: usize, e: usize) -> f64 {
        match *self {
            Self::Plain => sums.target_target(d, e),
            Self::Debiased { .. } if d == e => 0.0,
            Self::Debiased { targets } => {
                let (d2, e2) = (d + targets, e + targets);
                let across = sums.target_target(d, e2) + sums.target_target(e, d2);
                let within = sums.target_target(d, d2) + sums.target_target(e, e2);
                (0.5 * (across - within)).max(0.0)
            }
        }
    }
}

impl DistanceEstimator {
    /// What batches cannot tell from 0: half the distance between the two batches of a class.
    pub(super) fn noise(self, sums: &PairMatrix, d: usize) -> f64 {
        match self {
            Self::Plain => 0.0,
            Self::Debiased { targets } => 0.5 * sums.target_target(d, d + targets),
        }
    }

    /// The target class behind a class that was passed, and its share of the force towards that class.
    pub(super) fn target_class(self, passed: usize) -> (usize, f64) {
        match self {
            Self::Plain => (passed, 1.0),
            Self::Debiased { targets } => (passed % targets, 0.5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    #[test]
    fn weights_are_probabilities() {
        let mut reader = Stream::new(1, Purpose::Test, 0).reader();
        let picked = by_weight(&[0.0, 0.25, 0.75, 0.0], 4000, &mut reader);
        let thirds = picked.iter().filter(|i| **i == 2).count();
        assert!(picked.iter().all(|i| [1, 2].contains(i)) && (2900..3100).contains(&thirds), "{thirds}");
    }
}
