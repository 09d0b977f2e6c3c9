//! One repetition of domain adaptation: a classifier of the target, and how it sees the source on its way.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wowflow_learn::{
    Architecture, Mover, Network, TrainEnd, Training, accuracy, accuracy_along, accuracy_along_geodesic,
    examples_of, subseed,
};

use super::data::{Drawn, architecture};
use super::execute::Watch;
use super::experiment::Experiment;
use super::method::MethodSpec;
use super::record::{CurvePoint, Found, Record};
use super::transfer::training;

/// Times at which the geodesic is looked at.
const TIMES: usize = 20;

/// A classifier from a file that fits a target.
pub(crate) fn loaded(path: &Path, drawn: &Drawn) -> Result<Network> {
    let network = Network::load(path)?;
    let (input, classes) = (drawn.input, drawn.target.measure.class_count());
    ensure!(
        network.input() == input && network.classes() == classes,
        "expected a classifier of {input} with {classes} classes in {}, found one of {} with {}",
        path.display(),
        network.input(),
        network.classes()
    );
    let labels: Vec<String> = (0..classes).map(|class| drawn.target.label(class)).collect();
    ensure!(
        network.labels().is_empty() || network.labels() == labels,
        "expected a classifier of the classes {} in {}, found one of {}",
        labels.join(", "),
        path.display(),
        network.labels().join(", ")
    );
    Ok(network)
}

/// The classifier of a target: the one that is given, or one trained on it.
pub(crate) fn classifier(
    experiment: &Experiment,
    drawn: &Drawn,
    seed: u64,
    watch: &Watch<'_>,
) -> Result<Network> {
    if let Some(path) = &experiment.classifier {
        return loaded(path, drawn);
    }
    let examples = examples_of(&drawn.target.measure)?;
    let of = architecture(&experiment.network, Architecture::Cnn, drawn.input, examples.classes())?;
    let labels = (0..examples.classes()).map(|class| drawn.target.label(class)).collect();
    let mut network =
        Network::new(of, drawn.input, examples.classes(), subseed(seed, 2))?.with_labels(labels)?;
    let training = Training { seed: subseed(seed, 3), ..training(experiment) };
    match training.run(&mut network, &examples, |at| watch.training(at.step, at.steps))? {
        TrainEnd::Finished => {
            if let Some(path) = experiment.save_classifier.as_ref().filter(|path| !path.exists()) {
                network.save(path)?;
            }
            Ok(network)
        }
        TrainEnd::Interrupted => Err(wowflow_learn::LearnError::Interrupted.into()),
    }
}

/// Runs a method on the data of a try.
pub(crate) fn run(
    experiment: &Experiment,
    method: &MethodSpec,
    drawn: &Drawn,
    network: &Network,
    mut record: Record,
    watch: &Watch<'_>,
) -> Result<Found> {
    let (source, target) = (&drawn.source()?.measure, &drawn.target.measure);
    let mover = method.mover(target.dim()).context("expected a method that moves the source, found none")?;
    let seed = subseed(record.seed, 1);
    if mover == Mover::Geodesic {
        let times: Vec<f64> = (0..=TIMES).map(|at| at as f64 / TIMES as f64).collect();
        let started = Instant::now();
        let mut seconds = 0.0;
        let solved = || seconds = started.elapsed().as_secs_f64();
        let points = accuracy_along_geodesic(network, source, target, &times, solved)?;
        record.move_seconds = seconds;
        record.steps = 1;
        let point =
            |at: &wowflow_learn::AdaptPoint| CurvePoint { at: at.at, seconds, accuracy: at.accuracy.share() };
        record.curve = points.iter().map(point).collect();
    } else {
        let every = experiment.every.unwrap_or(20);
        // The clock of the flow stands still while the classifier looks.
        let (mut moving, mut since) = (0.0, Instant::now());
        let mut curve = Vec::new();
        let mut steps = 0;
        accuracy_along(network, &mover, (source, target), every, seed, |progress, point| {
            steps = progress.step;
            match point {
                None => moving += since.elapsed().as_secs_f64(),
                Some(point) => {
                    curve.push(CurvePoint {
                        at: point.at,
                        seconds: moving,
                        accuracy: point.accuracy.share(),
                    });
                }
            }
            since = Instant::now();
            watch.step(progress.step, progress.steps)
        })?;
        (record.move_seconds, record.steps, record.curve) = (moving, steps, curve);
    }
    record.tested = source.sample_count();
    record.trained_on = target.sample_count();
    record.accuracies = record.curve.last().map(|point| point.accuracy).into_iter().collect();
    let own = accuracy(network, &examples_of(target)?);
    record
        .notes
        .push(format!("the classifier is right on {:.1} % of the target's samples", 100.0 * own.share()));
    Ok(Found { record, samples: None })
}
