//! Domain adaptation: how a classifier of the target sees a source on its way there.

use std::ops::ControlFlow;

use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::VelocityPlan;
use wowflow::ot::labels::match_classes;
use wowflow::ot::wow::{KeepPlans, wow2_pow};

use crate::accuracy::{Accuracy, accuracy};
use crate::error::LearnError;
use crate::examples::Examples;
use crate::mover::{MoveProgress, Mover, labels_of, matched};
use crate::network::Network;

/// One point of an accuracy curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptPoint {
    /// Steps taken; for a geodesic the time, in [0, 1].
    pub at: f64,
    /// How many samples the classifier gives the class that theirs is matched with.
    pub accuracy: Accuracy,
}

/// How the classifier sees samples whose classes are matched with the target's, exactly.
///
/// # Errors
/// Distances that are not finite.
pub fn seen(
    network: &Network,
    particles: &MeasureOverMeasures<f32>,
    target: &MeasureOverMeasures<f32>,
    seed: u64,
) -> Result<Accuracy, LearnError> {
    let labels = labels_of(particles, &matched(particles, target, seed)?);
    let points = particles.points().to_vec();
    Ok(accuracy(network, &Examples::new(points, particles.dim(), labels, target.class_count())?))
}

/// The accuracy along a flow, every so many steps and at both ends; classes are matched anew each time.
///
/// The observer is told before the first step and after each; it also learns of each point, right after the step
/// it belongs to, so that a caller can tell the time of the flow from that of looking.
///
/// # Errors
/// As [`Mover::run`] and [`seen`].
pub fn accuracy_along(
    network: &Network,
    mover: &Mover,
    (source, target): (&MeasureOverMeasures<f32>, &MeasureOverMeasures<f32>),
    every: u64,
    seed: u64,
    mut observe: impl FnMut(&MoveProgress<'_>, Option<&AdaptPoint>) -> ControlFlow<()>,
) -> Result<Vec<AdaptPoint>, LearnError> {
    let (mut points, mut failure) = (Vec::new(), None);
    let end = mover.run(source, target, seed, |progress| {
        observe(progress, None)?;
        if progress.step % every.max(1) != 0 && progress.step != progress.steps {
            return ControlFlow::Continue(());
        }
        match seen(network, &progress.particles(), target, seed) {
            Ok(accuracy) => {
                let point = AdaptPoint { at: progress.step as f64, accuracy };
                points.push(point);
                observe(progress, Some(&point))
            }
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    match failure {
        Some(error) => Err(error),
        None => end.map(|_| points),
    }
}

/// The accuracy along the WoW geodesic at given times, every sample at the mean of what it is coupled with; the
/// classes are those of the coupling. `solved` is called when the transport is found, before the classifier looks.
///
/// # Errors
/// Spaces that differ, times that are not finite.
pub fn accuracy_along_geodesic(
    network: &Network,
    source: &MeasureOverMeasures<f32>,
    target: &MeasureOverMeasures<f32>,
    times: &[f64],
    solved: impl FnOnce(),
) -> Result<Vec<AdaptPoint>, LearnError> {
    let transport = wow2_pow(source, target, KeepPlans::Yes)?;
    let labels = labels_of(source, &match_classes(&transport));
    let plan = VelocityPlan::new(source, target, &transport)?;
    solved();
    let point = |&at: &f64| {
        let particles = plan.barycentric(at)?;
        let points = particles.points().to_vec();
        let examples = Examples::new(points, particles.dim(), labels.clone(), target.class_count())?;
        Ok(AdaptPoint { at, accuracy: accuracy(network, &examples) })
    };
    times.iter().map(point).collect()
}
