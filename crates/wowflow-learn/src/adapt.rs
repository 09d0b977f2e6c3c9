//! Domain adaptation: how a classifier of the target sees a source on its way there.

use std::ops::ControlFlow;

use wowflow::flow;
use wowflow::measure::MeasureOverMeasures;

use crate::accuracy::{Accuracy, accuracy};
use crate::error::LearnError;
use crate::examples::Examples;
use crate::geodesic::Geodesic;
use crate::methods::{TransportMethod, TransportProgress};
use crate::network::Network;
use crate::pair::{Pair, labels_of};

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
pub fn matched_accuracy(
    network: &Network,
    particles: &MeasureOverMeasures<f32>,
    target: &MeasureOverMeasures<f32>,
    seed: u64,
) -> Result<Accuracy, LearnError> {
    let labels = labels_of(particles, &flow::matched(particles, target, seed)?);
    let points = particles.points().to_vec();
    Ok(accuracy(network, &Examples::new(points, particles.dim(), labels, target.class_count())?))
}

/// The accuracy along a transport, every `look_every` steps and at both ends; classes are matched anew each time.
///
/// The observer is told before the first step and after each; it also learns of each point, right after the step
/// it belongs to, so that a caller can tell the time of the flow from that of looking.
///
/// # Errors
/// As [`TransportMethod::run`] and [`matched_accuracy`].
pub fn accuracy_along(
    network: &Network,
    method: &TransportMethod,
    pair: Pair<'_, f32>,
    look_every: u64,
    seed: u64,
    mut observe: impl FnMut(&TransportProgress<'_, f32>, Option<&AdaptPoint>) -> ControlFlow<()>,
) -> Result<Vec<AdaptPoint>, LearnError> {
    let (mut points, mut failure) = (Vec::new(), None);
    let end = method.run(pair, seed, |progress| {
        observe(progress, None)?;
        if progress.step % look_every.max(1) != 0 && progress.step != progress.steps {
            return ControlFlow::Continue(());
        }
        match matched_accuracy(network, &progress.particles(), pair.target, seed) {
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

/// The accuracy along a geodesic at given times; the classes are those of its coupling.
///
/// # Errors
/// Times that are not finite.
pub fn accuracy_along_geodesic(
    network: &Network,
    geodesic: &Geodesic<'_, f32>,
    times: &[f64],
) -> Result<Vec<AdaptPoint>, LearnError> {
    let classes = geodesic.target().class_count();
    let point = |&at: &f64| {
        let particles = geodesic.at(at)?;
        let points = particles.points().to_vec();
        let examples = Examples::new(points, particles.dim(), geodesic.labels().to_vec(), classes)?;
        Ok(AdaptPoint { at, accuracy: accuracy(network, &examples) })
    };
    times.iter().map(point).collect()
}
