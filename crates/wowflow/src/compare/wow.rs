//! Wasserstein over Wasserstein between datasets, with an inner distance that is exact, Gaussian or sliced.

use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use super::{CompareError, Comparison, Method, Slices};
use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::bures::{self, BuresError, Gaussian};
use crate::ot::exact::{CostMatrix, solve};
use crate::ot::sliced::{Base, PairDistances};
use crate::ot::wow::{KeepPlans, wow2_pow_observed};
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

/// The distance between classes inside `W_{W2}`, and between labels inside OTDD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inner {
    /// Exact `W_2^2`: memory for the costs between two classes, and `C_P C_Q` transport problems.
    Exact,
    /// `W_2^2` between the Gaussians of the classes' means and (population) covariances: at most the exact one,
    /// and equal for classes that are affine images of each other by positive definite maps. Linear in the
    /// samples, `O(d^3)` a pair of classes.
    Gaussian,
    /// `SW_2^2` on slices that all pairs share. Not an approximation of `W_2^2` but a distance of its own, at
    /// most `W_2^2 / d` on average; OTDD takes `d SW_2^2`, which is `W_2^2` for translations.
    Sliced(Slices),
}

pub(super) fn compare<T: Scalar>(
    pair: Pair<'_, T>,
    inner: Inner,
    seed: u64,
    observe: &(dyn Fn(usize) + Sync),
) -> Result<Comparison, CompareError> {
    let Pair { source: p, target: q } = pair;
    let method = Method::Wow(inner);
    match inner {
        Inner::Exact => {
            let found = wow2_pow_observed(p, q, KeepPlans::No, &AtomicBool::new(false), observe)?;
            let (classes, coupling) = (Some(found.class_costs), Some(found.outer));
            Ok(Comparison { classes, coupling, ..Comparison::exact(method, 2.0, found.value, found.gap) })
        }
        Inner::Gaussian => {
            let gaussians = |data: &MeasureOverMeasures<T>| -> Result<Vec<Gaussian>, BuresError> {
                let class =
                    |c| Gaussian::from_samples(data.class_points(c), data.class_weights(c), data.dim(), 0);
                (0..data.class_count()).into_par_iter().map(class).collect()
            };
            let (left, right) = (gaussians(p)?, gaussians(q)?);
            let cols = right.len();
            let costs = (0..left.len() * cols)
                .into_par_iter()
                .map(|pair| bures::w2_pow(&left[pair / cols], &right[pair % cols]))
                .collect::<Result<_, BuresError>>()?;
            let costs = CostMatrix::new(left.len(), cols, costs)?;
            let found = solve(&costs, Some(p.outer_weights()), Some(q.outer_weights()))?;
            let (classes, coupling) = (Some(costs), Some(found.coupling));
            Ok(Comparison { classes, coupling, ..Comparison::exact(method, 2.0, found.value, found.gap) })
        }
        Inner::Sliced(slices) => {
            let mut pairs = slices.pairwise(pair, seed)?;
            let found = PairDistances::from(pairs.distances(Base::SquaredSw2));
            let costs = CostMatrix::new(p.class_count(), q.class_count(), found.source_target)?;
            let outer = solve(&costs, Some(p.outer_weights()), Some(q.outer_weights()))?;
            // Near the minimum the value moves as the costs do along the optimal coupling (the envelope
            // theorem): batches of slices tell by how much.
            let along = |cost: &dyn Fn(usize, usize) -> f64| -> f64 {
                outer.coupling.atoms().iter().map(|atom| atom.mass * cost(atom.row, atom.col)).sum()
            };
            let batches = pairs.batches().map(|(count, sums)| {
                let count = count as f64;
                (count, along(&|c, d| sums.source_target(c, d)) / count)
            });
            let power = Estimate::of_batches(outer.value, &batches.collect::<Vec<_>>());
            let (classes, coupling) = (Some(costs), Some(outer.coupling));
            Ok(Comparison { classes, coupling, ..Comparison::sliced(method, 2.0, power) })
        }
    }
}
