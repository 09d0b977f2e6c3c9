//! The sliced MMD between features, pulled back to the samples.

use std::sync::Arc;

use super::batches::{BatchEstimator, DistanceEstimator};
use super::feature_map::FeatureMap;
use super::mmd::{Problem, SlicingPlan, resolution};
use super::pullback::{Pullback, TargetView};
use super::{Evaluation, Functional, FunctionalError};
use crate::directions::dimension_factor;
use crate::kernel::{Base, Kernel};
use crate::measure::MeasureOverMeasures;
use crate::ot::sliced::WithinAtomVariance;
use crate::ot::sliced::backend::Backend;
use crate::scalar::Scalar;

/// `F(P) = 1/2 MMD_K^2(phi_# P, phi_# Q)` with a map `phi` that is drawn for every step and shared by both sides.
///
/// The velocity of a sample is `J_phi(x)^T v(phi(x))` with `v` that of the MMD at the features: masses are those of
/// the samples, so that the WoW factor is the same. Mini-batches of the target are drawn, then mapped.
#[derive(Clone, Debug)]
pub struct MappedMmd<'q, T: Scalar, M> {
    kernel: Kernel,
    pullback: Pullback<'q, T, M>,
}

impl<'q, T: Scalar, M: FeatureMap<T>> MappedMmd<'q, T, M> {
    /// The functional for particles that have the sizes and weights of `source`, on the target as it is seen.
    ///
    /// # Errors
    /// As [`super::MmdSw::new`], [`super::MmdSw::with_within_atom_variance`] and [`super::MmdSw::with_batches`].
    #[inline(never)]
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        kernel: Kernel,
        plan: SlicingPlan,
        view: TargetView,
        map: M,
    ) -> Result<Self, FunctionalError> {
        let TargetView { batches, within_atoms } = view;
        let debiased = batches.is_some_and(|batches| batches.estimator == BatchEstimator::Debiased);
        if kernel.base() == Base::Sw1 && debiased {
            return Err(FunctionalError::NotHilbertian);
        }
        if kernel.base() == Base::Sw1 && within_atoms == WithinAtomVariance::Excluded {
            return Err(FunctionalError::VarianceOfSw1);
        }
        if debiased && within_atoms == WithinAtomVariance::Excluded {
            return Err(FunctionalError::VarianceOfBatches);
        }
        Ok(Self { kernel, pullback: Pullback::new(source, target, plan, view, map)? })
    }

    /// The same functional computed by another backend than [`Host`](crate::ot::sliced::Host).
    ///
    /// # Errors
    /// Datasets that do not fit it.
    pub fn with_backend(self, backend: &Arc<dyn Backend<T>>) -> Result<Self, FunctionalError> {
        Ok(Self { pullback: self.pullback.with_backend(backend)?, ..self })
    }
}

impl<T: Scalar, M: FeatureMap<T>> Functional<T> for MappedMmd<'_, T, M> {
    #[inline(never)]
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        let (kernel, plan) = (self.kernel, self.pullback.plan);
        let (target, batches) = (self.pullback.target, self.pullback.batches);
        self.pullback.evaluate(particles, step, velocity, |features| {
            let problem = Problem {
                kernel,
                pair: features.pair,
                weights: target.outer_weights(),
                estimator: batches
                    .map_or(DistanceEstimator::Plain, |of| of.distance_estimator(target.class_count())),
                resolution: resolution(features.pair.target),
            };
            let found = problem.evaluate(features.engine, features.draws, features.cotangents);
            let factor = dimension_factor(plan.slicing, plan.count, features.pair.source.dim());
            problem.curvatures(features.engine.total(), factor, features.curvatures);
            let error = found.standard_error;
            Evaluation { value: found.value, standard_error: (!error.is_nan()).then_some(error) }
        })
    }

    /// The curvature at the features times `|J v|^2 / |v|^2`, by how far the map stretches a short move along the
    /// velocity: what bends the map itself is left out, as in the method of Gauss and Newton.
    fn curvatures(&self) -> &[f64] {
        self.pullback.curvatures()
    }
}
