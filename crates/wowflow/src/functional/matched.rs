//! Sliced distances of matched classes, through a map: Distribution Matching beyond means.

use super::batches::{BatchEstimator, MiniBatches};
use super::feature_map::FeatureMap;
use super::mapped::stretch;
use super::mmd::SlicingPlan;
use super::{Evaluation, Functional, FunctionalError};
use crate::directions::{Draws, dimension_factor};
use crate::kernel::Base;
use crate::measure::MeasureOverMeasures;
use crate::ot::sliced::{Engine, PairSums};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// `F(P) = 1/2 sum_c w_c SW_2^2(phi_# mu_c, phi_# nu_c)` with a map `phi` that is drawn for every step: class `c` of the
/// source is matched with class `c` of the target.
///
/// A potential energy of measures: classes do not see each other. For classes of one sample it matches mean features; for
/// more it matches whole distributions, as far as so many samples can. Mini-batches of the target are drawn, then mapped; what
/// they add to the distances does not depend on the source's samples.
#[derive(Clone, Debug)]
pub struct MatchedSw<'q, T: Scalar, M> {
    target: &'q MeasureOverMeasures<T>,
    plan: SlicingPlan,
    batch: Option<MiniBatches>,
    map: M,
    engine: Engine<T>,
    draws: Draws<T>,
    curvatures: Vec<f64>,
}

impl<'q, T: Scalar, M: FeatureMap<T>> MatchedSw<'q, T, M> {
    /// The functional for particles of the sizes and weights of `source`, on `batch` samples of every target class a step or
    /// all of them.
    ///
    /// # Errors
    /// Different dimensions or numbers of classes; batches of no samples; directions that cannot be drawn.
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        plan: SlicingPlan,
        batch: Option<usize>,
        map: M,
    ) -> Result<Self, FunctionalError> {
        let (source_classes, target_classes) = (source.class_count(), target.class_count());
        if source.dim() != target.dim() {
            return Err(FunctionalError::Dimensions { source_dim: source.dim(), target_dim: target.dim() });
        }
        if source_classes != target_classes {
            return Err(FunctionalError::Classes { source_classes, target_classes });
        }
        if batch == Some(0) {
            return Err(FunctionalError::EmptyBatches);
        }
        let batch = batch.map(|size| MiniBatches { size, estimator: BatchEstimator::Plain });
        let stream = Stream::new(plan.seed, Purpose::Directions, 0);
        let draws = Draws::new(plan.slicing, plan.count, map.feature_dim(source.dim()), stream)?;
        let drawn = batch.map(|of| of.draw(target, Stream::new(plan.seed, Purpose::Batches, 0)));
        let engine = Engine::new(source, drawn.as_ref().unwrap_or(target), plan.count);
        let curvatures = vec![0.0; source.sample_count()];
        Ok(Self { target, plan, batch, map, engine, draws, curvatures })
    }
}

impl<T: Scalar, M: FeatureMap<T>> Functional<T> for MatchedSw<'_, T, M> {
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        let Self { target, plan, batch, map, engine, draws, curvatures } = self;
        let (dim, k) = (particles.dim(), map.feature_dim(particles.dim()));
        map.draw(step);
        let drawn = batch.map(|of| of.draw(target, Stream::new(plan.seed, Purpose::Batches, step)));
        let drawn = drawn.as_ref().unwrap_or(target);
        // The particles last: the map is taken back at them.
        let of_target = drawn.with_points(map.forward(drawn.points(), dim), k);
        let of_particles = particles.with_points(map.forward(particles.points(), dim), k);
        let (Ok(of_target), Ok(of_particles)) = (of_target, of_particles) else {
            return Evaluation { value: f64::NAN, standard_error: None };
        };
        draws.restart(Stream::new(plan.seed, Purpose::Directions, step));
        engine.forget_target();
        let sums = engine.distances(Base::SquaredSw2, &of_particles, &of_target, draws);
        let weights = particles.outer_weights();
        let value = weights.iter().enumerate().map(|(c, w)| 0.5 * w * sums.source_target(c, c)).sum();
        // The WoW gradient of half a squared distance is the mean of the differences along slices.
        let own = |_: &PairSums, c: usize, e: usize| f64::from(u8::from(e == weights.len() + c));
        let mut cotangents = vec![T::ZERO; of_particles.points().len()];
        engine.velocity(&of_particles, &of_target, draws, own, &mut cotangents);
        velocity.copy_from_slice(&map.backward(&cotangents));
        curvatures.fill(1.0 / dimension_factor(plan.slicing, plan.count, k));
        stretch(map, particles, &of_particles, velocity, curvatures);
        Evaluation { value, standard_error: None }
    }

    /// As those of [`super::MappedMmd`].
    fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }
}
