//! Functionals of a dataset: value and velocity, the right-hand side of a flow.

mod batches;
mod feature_map;
mod lifted;
mod mapped;
mod matched;
mod mean_matching;
mod mmd;
mod objective;
mod pooled;
mod pullback;

use thiserror::Error;

use crate::directions::DirectionsError;
use crate::measure::MeasureOverMeasures;
use crate::ot::sliced::backend::BackendError;
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

pub use crate::ot::sliced::{PairDistances, WithinAtomVariance};
pub use batches::{BatchEstimator, MiniBatches};
pub use feature_map::{Chain, FeatureMap, Identity};
pub use lifted::{LIFTED, Lift, OtddFlow, OtddFlowSettings, ProductBandwidths, ProductMmd};
pub use mapped::MappedMmd;
pub use matched::MatchedSw;
pub use mean_matching::MeanMatching;
pub use mmd::{MmdSw, Redraw, SlicingPlan};
pub use objective::{FunctionalName, Objective, ObjectiveSettings, Sum, SumError, WeightedSum};
pub use pooled::PooledMmd;
pub use pullback::TargetView;

/// Why a functional could not be set up.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum FunctionalError {
    /// Source and target live in different spaces.
    #[error("expected source and target of the same dimension, found {source_dim} and {target_dim}")]
    Dimensions {
        /// Dimension of the source.
        source_dim: usize,
        /// Dimension of the target.
        target_dim: usize,
    },
    /// Mini-batches of no samples.
    #[error("expected mini-batches of at least one sample a class, found 0")]
    EmptyBatches,
    /// The debiased estimator takes inner products, which `SW_1` does not come from.
    #[error("expected a kernel of SW_2^2 with debiased mini-batches, found one of SW_1: take plain ones")]
    NotHilbertian,
    /// `SW_1` does not split into a distance to conditional means and a variance within atoms.
    #[error("expected a kernel of SW_2^2 where the variance within atoms is excluded, found one of SW_1")]
    VarianceOfSw1,
    /// Two estimates of one distance cannot share what only one of them leaves out.
    #[error("expected plain mini-batches where the variance within atoms is excluded, found debiased ones")]
    VarianceOfBatches,
    /// Datasets that have to have the same classes.
    #[error("expected as many classes in source and target, found {source_classes} and {target_classes}")]
    Classes {
        /// Classes of the source.
        source_classes: usize,
        /// Classes of the target.
        target_classes: usize,
    },
    /// Directions that cannot be drawn.
    #[error(transparent)]
    Directions(#[from] DirectionsError),
    /// A backend that refuses the datasets.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

fn same_space<T: Scalar>(
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
) -> Result<(), FunctionalError> {
    let (source_dim, target_dim) = (source.dim(), target.dim());
    if source_dim == target_dim {
        Ok(())
    } else {
        Err(FunctionalError::Dimensions { source_dim, target_dim })
    }
}

fn same_classes<T: Scalar>(
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
) -> Result<(), FunctionalError> {
    let (source_classes, target_classes) = (source.class_count(), target.class_count());
    if source_classes == target_classes {
        Ok(())
    } else {
        Err(FunctionalError::Classes { source_classes, target_classes })
    }
}

/// The value of a functional at a state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// `F(P)`, on the step's directions where there are any.
    pub value: f64,
    /// The standard error of the value over draws of directions; `None` for an exact value, and where
    /// too many classes leave no room for batches.
    pub standard_error: Option<f64>,
}

/// What a functional is recorded as: people know `MMD^2`, the flow descends half of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// How it is written, such as `MMD^2`.
    pub symbol: String,
    /// What the functional's value is multiplied by to give it.
    pub factor: f64,
    /// The power of the samples' unit of length that it is measured in; `None` where terms of several are added up.
    pub length_power: Option<f64>,
}

impl Quantity {
    /// The unit in words: `1`, `length`, `length^2`, `mixed`.
    #[must_use]
    pub fn unit(&self) -> String {
        match self.length_power {
            None => "mixed".to_owned(),
            Some(0.0) => "1".to_owned(),
            Some(1.0) => "length".to_owned(),
            Some(power) => format!("length^{power}"),
        }
    }
}

/// A function `F(P)` of a dataset, with its WoW gradient.
pub trait Functional<T: Scalar> {
    /// `F(P)` at a step, and the velocity of every sample (`N x d`, in the order of the points):
    /// the WoW gradient `(dF/dx_{c,i}) / (w_c a_{c,i})`, which descends when subtracted.
    ///
    /// The step selects the random draw, if there is one: the same step, the same numbers. The
    /// velocity has as many entries as the particles have coordinates.
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation;

    /// The curvature that every sample feels at the last evaluation, at least 0: along its velocity, `F` is
    /// about a parabola of that curvature or below it, so that `1 / curvature` is a good step and more than
    /// twice that one too far. 0 for a sample that feels no force.
    fn curvatures(&self) -> &[f64];

    /// `F(after) - F(before)`, both on the same draw, apart from those of the steps: what both share of
    /// the draw's error cancels. The standard error is 0 for exact values, NaN where nothing is known of it;
    /// by default nothing is known at all.
    fn change(
        &mut self,
        _before: &MeasureOverMeasures<T>,
        _after: &MeasureOverMeasures<T>,
        _draw: u64,
    ) -> Estimate {
        Estimate { value: f64::NAN, standard_error: f64::NAN, degrees_of_freedom: 0 }
    }

    /// `F` on the `draw`-th draw kept for comparisons, apart from those of the steps: values of several states on
    /// one draw compare. By default that of a step which no flow comes to; its standard error is NaN where nothing is
    /// known of it, and 0 for exact values.
    fn held_out(&mut self, particles: &MeasureOverMeasures<T>, draw: u64) -> Estimate {
        let mut velocity = vec![T::ZERO; particles.points().len()];
        let Evaluation { value, standard_error } = self.evaluate(particles, HELD_OUT - draw, &mut velocity);
        Estimate { value, standard_error: standard_error.unwrap_or(f64::NAN), degrees_of_freedom: 0 }
    }

    /// What the value is recorded as; by default `F` itself, in units that are not told.
    fn quantity(&self) -> Quantity {
        Quantity { symbol: "F".to_owned(), factor: 1.0, length_power: None }
    }

    /// What no evaluation is below but for rounding, if there is such a number: a flow that gets there is at its end.
    fn lower_bound(&self) -> Option<f64> {
        None
    }
}

/// The step that stands for the first held-out draw.
const HELD_OUT: u64 = 1 << 48;
