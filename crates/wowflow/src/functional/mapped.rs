//! The sliced MMD between features, pulled back to the samples.

use super::batches::{BatchEstimator, MiniBatches, Reading};
use super::feature_map::FeatureMap;
use super::mmd::{Problem, SlicingPlan, resolution};
use super::{Evaluation, Functional, FunctionalError};
use crate::directions::{Draws, dimension_factor};
use crate::kernel::{Base, Kernel};
use crate::measure::MeasureOverMeasures;
use crate::ot::sliced::{Engine, Spread};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// `F(P) = 1/2 MMD_K^2(phi_# P, phi_# Q)` with a map `phi` that is drawn for every step and shared by both sides.
///
/// The velocity of a sample is `J_phi(x)^T v(phi(x))` with `v` that of the MMD at the features: masses are those of
/// the samples, so that the WoW factor is the same. Mini-batches of the target are drawn, then mapped.
#[derive(Clone, Debug)]
pub struct MappedMmd<'q, T: Scalar, M> {
    target: &'q MeasureOverMeasures<T>,
    kernel: Kernel,
    plan: SlicingPlan,
    batches: Option<MiniBatches>,
    map: M,
    engine: Engine<T>,
    draws: Draws<T>,
    curvatures: Vec<f64>,
}

impl<'q, T: Scalar, M: FeatureMap<T>> MappedMmd<'q, T, M> {
    /// The functional for particles that have the sizes and weights of `source`.
    ///
    /// # Errors
    /// As [`super::MmdSw::new`], [`super::MmdSw::with_spread`] and [`super::MmdSw::with_batches`].
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        kernel: Kernel,
        plan: SlicingPlan,
        (batches, spread): (Option<MiniBatches>, Spread),
        map: M,
    ) -> Result<Self, FunctionalError> {
        if source.dim() != target.dim() {
            return Err(FunctionalError::Dimensions { source_dim: source.dim(), target_dim: target.dim() });
        }
        let debiased = batches.is_some_and(|batches| batches.estimator == BatchEstimator::Debiased);
        if kernel.base() == Base::Sw1 && debiased {
            return Err(FunctionalError::NotHilbertian);
        }
        if kernel.base() == Base::Sw1 && spread == Spread::Removed {
            return Err(FunctionalError::SpreadOfSw1);
        }
        if debiased && spread == Spread::Removed {
            return Err(FunctionalError::SpreadOfBatches);
        }
        if batches.is_some_and(|batches| batches.size == 0) {
            return Err(FunctionalError::EmptyBatches);
        }
        let stream = Stream::new(plan.seed, Purpose::Directions, 0);
        let draws = Draws::new(plan.slicing, plan.count, map.feature_dim(source.dim()), stream)?;
        let drawn = batches.map(|of| of.draw(target, Stream::new(plan.seed, Purpose::Batches, 0)));
        let engine = Engine::new(source, drawn.as_ref().unwrap_or(target), plan.count).with_spread(spread);
        let curvatures = vec![0.0; source.sample_count()];
        Ok(Self { target, kernel, plan, batches, map, engine, draws, curvatures })
    }
}

impl<T: Scalar, M: FeatureMap<T>> Functional<T> for MappedMmd<'_, T, M> {
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        let Self { target, kernel, plan, batches, map, engine, draws, curvatures } = self;
        let (kernel, dim) = (*kernel, particles.dim());
        let k = map.feature_dim(dim);
        map.draw(step);
        let drawn = batches.map(|of| of.draw(target, Stream::new(plan.seed, Purpose::Batches, step)));
        let batch = drawn.as_ref().unwrap_or(target);
        // The particles last: the map is taken back at them.
        let of_target = batch.with_points(map.forward(batch.points(), dim), k);
        let of_particles = particles.with_points(map.forward(particles.points(), dim), k);
        let (Ok(of_target), Ok(of_particles)) = (of_target, of_particles) else {
            return Evaluation { value: f64::NAN, standard_error: None };
        };
        draws.restart(Stream::new(plan.seed, Purpose::Directions, step));
        engine.forget_target();
        let reading = batches.map_or(Reading::Plain, |of| of.reading(target.class_count()));
        let problem = Problem {
            kernel,
            particles: &of_particles,
            target: &of_target,
            weights: target.outer_weights(),
            reading,
            resolution: resolution(&of_target),
        };
        let mut cotangents = vec![T::ZERO; of_particles.points().len()];
        let found = problem.evaluate(engine, draws, &mut cotangents);
        problem.curvatures(engine.total(), dimension_factor(plan.slicing, plan.count, k), curvatures);
        let pulled = map.backward(&cotangents);
        velocity.copy_from_slice(&pulled);
        stretch(map, particles, &of_particles, velocity, curvatures);
        let error = found.standard_error;
        Evaluation { value: found.value, standard_error: (!error.is_nan()).then_some(error) }
    }

    /// The curvature at the features times `|J v|^2 / |v|^2`, by how far the map stretches a short move along the
    /// velocity: what bends the map itself is left out, as in the method of Gauss and Newton.
    fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }
}

/// How short the moves that measure a map are, as a share of the root mean square of the samples' lengths: long enough
/// for the digits of single precision, short enough for the slope.
const SHORT: f64 = 1e-3;

/// Takes curvatures of features to those of samples that move along a velocity.
pub(super) fn stretch<T: Scalar>(
    map: &mut impl FeatureMap<T>,
    particles: &MeasureOverMeasures<T>,
    features: &MeasureOverMeasures<T>,
    velocity: &[T],
    curvatures: &mut [f64],
) {
    let (dim, k) = (particles.dim(), features.dim());
    let length = |row: &[T]| row.iter().map(|v| v.to_f64() * v.to_f64()).sum::<f64>().sqrt();
    let points = particles.points();
    let typical = length(points) / (particles.sample_count() as f64).sqrt();
    let short = if typical > 0.0 { SHORT * typical } else { SHORT };
    let mut moved = points.to_vec();
    for (x, v) in moved.chunks_exact_mut(dim).zip(velocity.chunks_exact(dim)) {
        let speed = length(v);
        if speed > 0.0 {
            x.iter_mut().zip(v).for_each(|(x, v)| *x = T::from_f64(x.to_f64() - short / speed * v.to_f64()));
        }
    }
    let there = map.forward(&moved, dim);
    let rows = there.chunks_exact(k).zip(features.points().chunks_exact(k));
    for (curvature, (there, here)) in curvatures.iter_mut().zip(rows) {
        let way = there.iter().zip(here).map(|(y, x)| (y.to_f64() - x.to_f64()).powi(2)).sum::<f64>();
        *curvature *= way / (short * short);
    }
}
