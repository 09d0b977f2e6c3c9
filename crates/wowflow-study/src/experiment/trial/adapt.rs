//! One repetition of domain adaptation: a classifier of the target, and how it sees the source on its way.

use std::path::Path;
use std::time::Instant;

use wowflow_learn::{
    Architecture, Geodesic, Input, LearnError, Network, Normalization, Pair, TrainEnd, Training,
    TransportMethod, accuracy, accuracy_along, accuracy_along_geodesic, examples_of,
};

use super::data::Drawn;
use super::networks::{architecture, training};
use super::parts::Part;
use super::watch::Watch;
use super::{Found, Trial};
use crate::error::{Place, Result, require};
use crate::experiment::config::ExperimentConfig;
use crate::experiment::methods;
use crate::experiment::repetition::{CurvePoint, Repetition};
use crate::experiment::request::LOOK_EVERY;

/// Times at which the geodesic is looked at.
const TIMES: usize = 20;

/// A classifier from a file that fits a target.
pub(in super::super) fn loaded(path: &Path, drawn: &Drawn) -> Result<Network> {
    let network = Network::load(path)?;
    let (input, classes) = (drawn.input, drawn.target.measure.class_count());
    require!(
        network.input() == input && network.classes() == classes,
        "expected a classifier of {input} with {classes} classes in {}, found one of {} with {}",
        path.display(),
        network.input(),
        network.classes()
    );
    let labels = drawn.target.labels();
    require!(
        network.labels().is_empty() || network.labels() == labels,
        "expected a classifier of the classes {} in {}, found one of {}",
        labels.join(", "),
        path.display(),
        network.labels().join(", ")
    );
    Ok(network)
}

/// The classifier of a target: the one that is given, or one trained on it, of vectors on standardised ones.
pub(in super::super) fn classifier(
    config: &ExperimentConfig,
    drawn: &Drawn,
    seed: u64,
    watch: &Watch<'_>,
) -> Result<Network> {
    require!(
        drawn.target.units.is_none() || config.classifier.is_none() && config.save_classifier.is_none(),
        "expected data that single precision holds with a classifier from or for a file, found {}: subtract a constant from every coordinate",
        drawn.target.prepared.name
    );
    if let Some(path) = &config.classifier {
        return loaded(path, drawn);
    }
    let examples = examples_of(&drawn.target.measure)?;
    let of = architecture(config.network, Architecture::Cnn, drawn.input, examples.classes())?;
    let network = Network::new(of, drawn.input, examples.classes(), Part::Network.seed(seed))?;
    let mut network = network.with_labels(drawn.target.labels())?;
    let training = Training { seed: Part::TrainingOrder.seed(seed), ..training(config) };
    let units = match drawn.input {
        Input::Vector(dim) => Some(Normalization::of_vectors(examples.inputs(), dim)),
        Input::Image(_) => None,
    };
    let examples = units.as_ref().map_or_else(|| Ok(examples.clone()), |units| units.examples(&examples))?;
    match training.run(&mut network, &examples, |at| watch.training(at.step, at.steps))? {
        TrainEnd::Finished => {
            let network = units.map_or_else(|| network.clone(), |units| units.absorbed(network.clone()));
            if let Some(path) = config.save_classifier.as_ref().filter(|path| !path.exists()) {
                network.save(path)?;
            }
            Ok(network)
        }
        TrainEnd::Interrupted => Err(LearnError::Interrupted.into()),
    }
}

/// Runs a method on the data of a trial.
pub(in super::super) fn run(
    trial: &Trial<'_>,
    network: &Network,
    mut repetition: Repetition,
) -> Result<Found> {
    let drawn = trial.drawn;
    let pair = Pair { source: &drawn.source()?.measure, target: &drawn.target.measure };
    let method = methods::transport(trial.method);
    let method = method.at(|| "expected a method that moves the source, found none".to_owned())?;
    if method == TransportMethod::Geodesic {
        look_along_geodesic(network, pair, &mut repetition)?;
    } else {
        look_along_flow(trial, network, &method, pair, &mut repetition)?;
    }
    repetition.tested = pair.source.sample_count();
    repetition.trained_on = pair.target.sample_count();
    repetition.accuracies = repetition.curve.last().map(|point| point.accuracy).into_iter().collect();
    let own = accuracy(network, &examples_of(pair.target)?);
    let note = format!("the classifier is right on {:.1} % of the target's samples", 100.0 * own.share());
    repetition.notes.push(note);
    Ok(Found { repetition, samples: None })
}

/// The curve of a geodesic; its seconds are those of solving the transport.
fn look_along_geodesic(network: &Network, pair: Pair<'_, f32>, repetition: &mut Repetition) -> Result<()> {
    let times: Vec<f64> = (0..=TIMES).map(|at| at as f64 / TIMES as f64).collect();
    let started = Instant::now();
    let geodesic = Geodesic::between(pair)?;
    let seconds = started.elapsed().as_secs_f64();
    let points = accuracy_along_geodesic(network, &geodesic, &times)?;
    let point =
        |at: &wowflow_learn::AdaptPoint| CurvePoint { at: at.at, seconds, accuracy: at.accuracy.share() };
    repetition.curve = points.iter().map(point).collect();
    (repetition.move_seconds, repetition.steps) = (seconds, 1);
    Ok(())
}

/// The curve of a flow; its clock stands still while the classifier looks.
fn look_along_flow(
    trial: &Trial<'_>,
    network: &Network,
    method: &TransportMethod,
    pair: Pair<'_, f32>,
    repetition: &mut Repetition,
) -> Result<()> {
    let look_every = trial.config.look_every.unwrap_or(LOOK_EVERY);
    let seed = Part::Move.seed(repetition.seed);
    let (mut moving, mut since) = (0.0, Instant::now());
    let (mut curve, mut steps) = (Vec::new(), 0);
    accuracy_along(network, method, pair, look_every, seed, |progress, point| {
        steps = progress.step;
        match point {
            None => moving += since.elapsed().as_secs_f64(),
            Some(point) => {
                let accuracy = point.accuracy.share();
                curve.push(CurvePoint { at: point.at, seconds: moving, accuracy });
            }
        }
        since = Instant::now();
        trial.watch.step(progress.step, progress.steps)
    })?;
    (repetition.move_seconds, repetition.steps, repetition.curve) = (moving, steps, curve);
    Ok(())
}
