//! Sliced distances of matched classes, through a map: Distribution Matching beyond means.

use std::sync::Arc;

use super::batches::{BatchEstimator, MiniBatches};
use super::feature_map::FeatureMap;
use super::mmd::SlicingPlan;
use super::pullback::{Pullback, TargetView};
use super::{Evaluation, Functional, FunctionalError, Quantity, same_classes};
use crate::directions::dimension_factor;
use crate::kernel::Base;
use crate::measure::MeasureOverMeasures;
use crate::ot::sliced::PairMatrix;
use crate::ot::sliced::backend::Backend;
use crate::scalar::Scalar;

/// `F(P) = 1/2 sum_c w_c SW_2^2(phi_# mu_c, phi_# nu_c)` with a map `phi` that is drawn for every step: class `c` of
/// the source is matched with class `c` of the target.
///
/// A potential energy of measures: classes do not see each other. For classes of one sample it matches mean features;
/// for more it matches whole distributions, as far as so many samples can. Mini-batches of the target are drawn, then
/// mapped; what they add to the distances does not depend on the source's samples.
#[derive(Clone, Debug)]
pub struct MatchedSw<'q, T: Scalar, M>(Pullback<'q, T, M>);

impl<'q, T: Scalar, M: FeatureMap<T>> MatchedSw<'q, T, M> {
    /// The functional for particles of the sizes and weights of `source`, on `batch` samples of every target class a
    /// step or all of them.
    ///
    /// # Errors
    /// Different dimensions or numbers of classes; batches of no samples; directions that cannot be drawn.
    #[inline(never)]
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        plan: SlicingPlan,
        batch: Option<usize>,
        map: M,
    ) -> Result<Self, FunctionalError> {
        same_classes(source, target)?;
        let batches = batch.map(|size| MiniBatches { size, estimator: BatchEstimator::Plain });
        let view = TargetView { batches, ..TargetView::default() };
        Ok(Self(Pullback::new(source, target, plan, view, map)?))
    }

    /// The same functional computed by another backend than [`Host`](crate::ot::sliced::Host).
    ///
    /// # Errors
    /// Datasets that do not fit it.
    pub fn with_backend(self, backend: &Arc<dyn Backend<T>>) -> Result<Self, FunctionalError> {
        Ok(Self(self.0.with_backend(backend)?))
    }
}

impl<T: Scalar, M: FeatureMap<T>> Functional<T> for MatchedSw<'_, T, M> {
    #[inline(never)]
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        let plan = self.0.plan;
        let weights = particles.outer_weights();
        self.0.evaluate(particles, step, velocity, |features| {
            let (engine, draws) = (features.engine, features.draws);
            let pair = features.pair;
            let sums = engine.distances(Base::SquaredSw2, pair, draws);
            let value = weights.iter().enumerate().map(|(c, w)| 0.5 * w * sums.source_target(c, c)).sum();
            // The WoW gradient of half a squared distance is the mean of the differences along slices.
            let own = |_: &PairMatrix, c: usize, e: usize| f64::from(u8::from(e == weights.len() + c));
            engine.velocity(pair, draws, own, features.cotangents);
            features.curvatures.fill(1.0 / dimension_factor(plan.slicing, plan.count, pair.source.dim()));
            Evaluation { value, standard_error: None }
        })
    }

    /// As those of [`super::MappedMmd`].
    fn curvatures(&self) -> &[f64] {
        self.0.curvatures()
    }

    fn quantity(&self) -> Quantity {
        Quantity { symbol: "mean SW_2^2 of matched classes".to_owned(), factor: 2.0, length_power: Some(2.0) }
    }

    fn lower_bound(&self) -> Option<f64> {
        Some(0.0)
    }
}
