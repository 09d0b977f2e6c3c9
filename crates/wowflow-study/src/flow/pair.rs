//! The two datasets of a flow, and the exact distance between them.

use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::exact::OtError;
use wowflow::ot::wow::{KeepPlans, WowTransport, wow2_pow};
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
    wow2_pow(&particles.subsample(limit, seed), &target.subsample(limit, seed), KeepPlans::No)
}
