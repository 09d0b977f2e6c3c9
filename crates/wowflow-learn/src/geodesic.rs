//! The WoW geodesic of a pair with its samples kept whole, each on its way to the mean of what it is coupled with.

use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::VelocityPlan;
use wowflow::ot::labels::{ClassLabels, match_classes};
use wowflow::ot::wow::{KeepPlans, wow2_pow};
use wowflow::scalar::Scalar;

use crate::error::LearnError;
use crate::pair::{Pair, labels_of};

/// The geodesic from a source to a target, by exact transport of classes and samples.
#[derive(Clone, Debug)]
pub struct Geodesic<'a, T: Scalar> {
    plan: VelocityPlan<'a, T>,
    classes: ClassLabels,
    labels: Vec<usize>,
}

impl<'a, T: Scalar> Geodesic<'a, T> {
    /// Solves the transport.
    ///
    /// # Errors
    /// Spaces that differ.
    pub fn between(pair: Pair<'a, T>) -> Result<Self, LearnError> {
        let transport = wow2_pow(pair.source, pair.target, KeepPlans::Yes)?;
        let classes = match_classes(&transport);
        let labels = labels_of(pair.source, &classes);
        Ok(Self { plan: VelocityPlan::new(pair.source, pair.target, &transport)?, classes, labels })
    }

    /// The samples at a time, in the classes and the order of the source.
    ///
    /// # Errors
    /// A time that is not finite.
    pub fn at(&self, time: f64) -> Result<MeasureOverMeasures<T>, LearnError> {
        Ok(self.plan.barycentric(time)?)
    }

    /// Where it leads.
    #[must_use]
    pub fn target(&self) -> &'a MeasureOverMeasures<T> {
        self.plan.target()
    }

    /// The target class of every class of the source, with the share of its mass that goes elsewhere.
    #[must_use]
    pub fn classes(&self) -> &ClassLabels {
        &self.classes
    }

    /// The target class of every sample.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }
}
