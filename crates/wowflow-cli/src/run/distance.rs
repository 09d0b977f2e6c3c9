//! The exact distance of a state to its target, on samples of large classes.

use anyhow::Result;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::wow::{KeepPlans, WowTransport, wow2_pow};

use super::checkpoint::Stored;
use super::config::FlowConfig;

/// `W_{W2}^2` with the couplings of classes, on at most as many samples a class as the configuration says.
pub(crate) fn exact_distance<T: Stored>(
    from: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
    config: &FlowConfig,
) -> Result<WowTransport> {
    let small = |m: &MeasureOverMeasures<T>| m.subsample(config.exact_limit, config.seed);
    Ok(wow2_pow(&small(from), &small(target), KeepPlans::No)?)
}
