//! Where a barycenter starts: a dataset without what weighs nothing, with the classes asked for.

use crate::measure::{MeasureError, MeasureOverMeasures};
use crate::ot::geometry::GeometryError;
use crate::ot::wow::{KeepPlans, wow2_pow};
use crate::scalar::Scalar;

/// Classes, each an index into those of a dataset, with their weights.
type Chosen = Vec<(usize, f64)>;

/// The measure without samples and classes of weight 0.
pub(super) fn support<T: Scalar>(
    measure: &MeasureOverMeasures<T>,
) -> Result<MeasureOverMeasures<T>, MeasureError> {
    let weights = measure.outer_weights().iter().copied().enumerate();
    of(measure, &weights.filter(|(_, weight)| *weight > 0.0).collect::<Chosen>())
}

/// A measure with another number of classes, all of positive weight.
pub(super) fn resized<T: Scalar>(
    measure: MeasureOverMeasures<T>,
    wanted: usize,
) -> Result<MeasureOverMeasures<T>, GeometryError> {
    let mut classes: Chosen = measure.outer_weights().iter().copied().enumerate().collect();
    if wanted == classes.len() {
        return Ok(measure);
    }
    if wanted < classes.len() {
        let costs = wow2_pow(&measure, &measure, KeepPlans::No)?.class_costs;
        while classes.len() > wanted {
            // What it costs to give up a class, and to whom its weight goes.
            let replaced = (0..classes.len()).filter_map(|at| {
                let (class, weight) = classes[at];
                let others = (0..classes.len()).filter(|&other| other != at);
                let costs = others.map(|other| (weight * costs.get(class, classes[other].0), at, other));
                costs.min_by(|x, y| x.0.total_cmp(&y.0))
            });
            let Some((_, gone, heir)) = replaced.min_by(|x, y| x.0.total_cmp(&y.0)) else { break };
            classes[heir].1 += classes[gone].1;
            classes.remove(gone);
        }
    }
    while classes.len() < wanted {
        // `max_by` keeps the last of equals; of classes of one weight the first is halved.
        let heaviest = (0..classes.len()).rev().max_by(|&a, &b| classes[a].1.total_cmp(&classes[b].1));
        let Some(at) = heaviest else { break };
        classes[at].1 *= 0.5;
        classes.insert(at + 1, classes[at]);
    }
    Ok(of(&measure, &classes)?)
}

/// The measure of chosen classes, without samples of weight 0.
fn of<T: Scalar>(
    measure: &MeasureOverMeasures<T>,
    classes: &Chosen,
) -> Result<MeasureOverMeasures<T>, MeasureError> {
    let dim = measure.dim();
    let (mut points, mut sizes, mut inner) = (Vec::new(), Vec::new(), Vec::new());
    for &(class, _) in classes {
        let size = measure.class_size(class);
        let weights =
            measure.class_weights(class).map_or_else(|| vec![1.0 / size as f64; size], <[f64]>::to_vec);
        let kept =
            measure.class_points(class).chunks_exact(dim).zip(weights).filter(|(_, weight)| *weight > 0.0);
        let before = inner.len();
        for (point, weight) in kept {
            points.extend_from_slice(point);
            inner.push(weight);
        }
        sizes.push(inner.len() - before);
    }
    let outer: Vec<f64> = classes.iter().map(|&(_, weight)| weight).collect();
    MeasureOverMeasures::new(points, dim, &sizes, Some(&inner), Some(&outer))
}
