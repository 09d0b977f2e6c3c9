//! The two datasets of a flow, and the exact distance between them.

use std::sync::atomic::AtomicBool;

use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::exact::OtError;
use wowflow::ot::wow::{KeepPlans, WowTransport, wow2_pow_observed};
use wowflow::scalar::Scalar;
use wowflow_data::Prepared;

/// The two datasets of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    pub(crate) source: &'a Prepared,
    pub(crate) target: &'a Prepared,
}

/// The exact `W_{W2}^2` on at most `limit` samples a class, drawn with the seed.
///
/// # Errors
/// Distances that are not finite.
pub fn exact_distance<T: Scalar>(
    particles: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
    limit: usize,
    seed: u64,
) -> Result<WowTransport, OtError> {
    exact_distance_observed(particles, target, limit, seed, &|_| ())
}

/// As [`exact_distance`]; `observe` hears how many pairs of classes are solved.
pub(super) fn exact_distance_observed<T: Scalar>(
    particles: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
    limit: usize,
    seed: u64,
    observe: &(dyn Fn(usize) + Sync),
) -> Result<WowTransport, OtError> {
    let (p, q) = (particles.subsample(limit, seed), target.subsample(limit, seed));
    wow2_pow_observed(&p, &q, KeepPlans::No, &AtomicBool::new(false), observe)
}
