//! The exact distance of a state to its target, on samples of large classes.

use anyhow::Result;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::wow::{KeepPlans, WowTransport, wow2_pow};
use wowflow::rng::{Purpose, Stream};
use wowflow::scalar::Scalar;

use super::checkpoint::Stored;
use super::config::FlowConfig;

/// `W_{W2}^2` with the couplings of classes, on at most as many samples a class as the configuration says.
pub(crate) fn exact_distance<T: Stored>(
    from: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
    config: &FlowConfig,
) -> Result<WowTransport> {
    let small = |m: &MeasureOverMeasures<T>| subsample(m, config.exact_limit, config.seed);
    Ok(wow2_pow(&small(from)?, &small(target)?, KeepPlans::No)?)
}

/// At most `limit` samples a class, drawn with the seed, the same rows for equal sizes.
pub(crate) fn subsample<T: Scalar>(
    measure: &MeasureOverMeasures<T>,
    limit: usize,
    seed: u64,
) -> Result<MeasureOverMeasures<T>> {
    let dim = measure.dim();
    let (mut points, mut sizes, mut inner) = (Vec::new(), Vec::new(), Vec::new());
    for class in 0..measure.class_count() {
        let size = measure.class_size(class);
        let weight = |row: usize| measure.class_weights(class).map_or(1.0, |a| a[row]);
        // Samples without mass carry no distance: drawn alone they would leave a class empty.
        let massive: Vec<usize> = (0..size).filter(|&row| weight(row) > 0.0).collect();
        let drawn = match massive.len() > limit {
            true => Stream::new(seed, Purpose::Subsample, class as u64).reader().sample(massive.len(), limit),
            false => (0..massive.len()).collect(),
        };
        sizes.push(drawn.len());
        for row in drawn.into_iter().map(|index| massive[index]) {
            points.extend_from_slice(&measure.class_points(class)[row * dim..(row + 1) * dim]);
            inner.push(weight(row));
        }
    }
    Ok(MeasureOverMeasures::new(points, dim, &sizes, Some(&inner), Some(measure.outer_weights()))?)
}
