//! Both sides of a step through one map, and forces on features taken back to the samples.

use std::sync::Arc;

use super::batches::MiniBatches;
use super::feature_map::FeatureMap;
use super::mmd::SlicingPlan;
use super::{Evaluation, FunctionalError, same_space};
use crate::directions::Draws;
use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::sliced::backend::Backend;
use crate::ot::sliced::{Engine, WithinAtomVariance};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// How a target is seen at every step of a flow through features; by default whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetView {
    /// Mini-batches drawn at every step; `None` takes all samples.
    pub batches: Option<MiniBatches>,
    /// What becomes of the variance of its classes within the atoms of source classes.
    pub within_atoms: WithinAtomVariance,
}

/// What functionals of sliced distances between features have in common.
#[derive(Clone, Debug)]
pub(super) struct Pullback<'q, T: Scalar, M> {
    pub(super) target: &'q MeasureOverMeasures<T>,
    pub(super) plan: SlicingPlan,
    pub(super) batches: Option<MiniBatches>,
    map: M,
    engine: Engine<T>,
    draws: Draws<T>,
    curvatures: Vec<f64>,
}

/// The features of a step, with what is needed to compare them.
pub(super) struct Features<'a, T: Scalar> {
    pub(super) pair: Pair<'a, T>,
    pub(super) engine: &'a mut Engine<T>,
    pub(super) draws: &'a mut Draws<T>,
    /// The velocities of the features, to be filled.
    pub(super) cotangents: &'a mut [T],
    /// The curvatures that the features feel, one a sample, to be filled.
    pub(super) curvatures: &'a mut [f64],
}

impl<'q, T: Scalar, M: FeatureMap<T>> Pullback<'q, T, M> {
    pub(super) fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        plan: SlicingPlan,
        view: TargetView,
        map: M,
    ) -> Result<Self, FunctionalError> {
        same_space(source, target)?;
        let TargetView { batches, within_atoms } = view;
        if batches.is_some_and(|batches| batches.size == 0) {
            return Err(FunctionalError::EmptyBatches);
        }
        let stream = Stream::new(plan.seed, Purpose::Directions, 0);
        let draws = Draws::new(plan.slicing, plan.count, map.feature_dim(source.dim()), stream)?;
        let drawn = batches.map(|of| of.draw(target, Stream::new(plan.seed, Purpose::Batches, 0)));
        let pair = Pair { source, target: drawn.as_ref().unwrap_or(target) };
        let engine = Engine::new(pair, plan.count).with_within_atom_variance(within_atoms);
        let curvatures = vec![0.0; source.sample_count()];
        Ok(Self { target, plan, batches, map, engine, draws, curvatures })
    }

    /// The same by another backend.
    pub(super) fn with_backend(self, backend: &Arc<dyn Backend<T>>) -> Result<Self, FunctionalError> {
        Ok(Self { engine: self.engine.moved_to(backend)?, ..self })
    }

    /// Draws the map and the batches of a step, compares features, and takes their velocities and curvatures back to
    /// the samples. Features that are not finite have the value NaN.
    pub(super) fn evaluate(
        &mut self,
        particles: &MeasureOverMeasures<T>,
        step: u64,
        velocity: &mut [T],
        compare: impl FnOnce(Features<'_, T>) -> Evaluation,
    ) -> Evaluation {
        let Self { target, plan, batches, map, engine, draws, curvatures } = self;
        let (dim, k) = (particles.dim(), map.feature_dim(particles.dim()));
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
        let mut cotangents = vec![T::ZERO; of_particles.points().len()];
        let found = compare(Features {
            pair: Pair { source: &of_particles, target: &of_target },
            engine,
            draws,
            cotangents: &mut cotangents,
            curvatures,
        });
        velocity.copy_from_slice(&map.backward(&cotangents));
        stretch(map, particles, &of_particles, velocity, curvatures);
        found
    }

    /// The curvature at the features times `|J v|^2 / |v|^2`, by how far the map stretches a short move along the
    /// velocity: what bends the map itself is left out, as in the method of Gauss and Newton.
    pub(super) fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }
}

/// How short the moves that measure a map are, as a share of the root mean square of the samples' lengths: long enough
/// for the digits of single precision, short enough for the slope.
const SHORT: f64 = 1e-3;

/// Takes curvatures of features to those of samples that move along a velocity.
fn stretch<T: Scalar>(
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
