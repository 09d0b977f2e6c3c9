//! Functionals of a dataset: value and velocity, the right-hand side of a flow.

mod mmd;
mod pooled;

use thiserror::Error;

use crate::directions::DirectionsError;
use crate::measure::MeasureOverMeasures;

pub use mmd::{MmdSw, PairDistances, SlicingPlan};
pub use pooled::PooledMmd;

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
    /// Directions that cannot be drawn.
    #[error(transparent)]
    Directions(#[from] DirectionsError),
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

/// A function `F(P)` of a dataset, with its WoW gradient.
pub trait Functional<T> {
    /// `F(P)` at a step, and the velocity of every sample (`N x d`, in the order of the points):
    /// the WoW gradient `(dF/dx_{c,i}) / (w_c a_{c,i})`, which descends when subtracted.
    ///
    /// The step selects the random draw, if there is one: the same step, the same numbers. The
    /// velocity has as many entries as the particles have coordinates.
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation;
}
