//! One repetition of k-shot transfer: move, relabel, train, test.

use std::time::Instant;

use wowflow::functional::FeatureMap;
use wowflow::measure::MeasureOverMeasures;
use wowflow_learn::{
    Architecture, Augment, Augmentation, Evaluation, Examples, Pair, TransportMethod, examples_of,
    transported_examples,
};

use super::data::Sampled;
use super::networks::{architecture, training};
use super::parts::Part;
use super::words::{describe_matching, unreached_classes};
use super::{Found, Trial};
use crate::error::Result;
use crate::experiment::methods;
use crate::experiment::repetition::Repetition;

/// Augmentations that cut more than this share off an image are drawn again, at most so many times.
const MOST_CUT: f64 = 0.01;
const REDRAWS: usize = 20;

/// Runs a method on the data of a trial.
pub(in super::super) fn run(trial: &Trial<'_>, mut repetition: Repetition) -> Result<Found> {
    let &Trial { config, method, runs, drawn, watch, .. } = trial;
    let (source, target, test) = (drawn.source()?, &drawn.target, drawn.test()?);
    let few = examples_of(&target.measure)?;
    let network = architecture(config.network, Architecture::LeNet5, drawn.input, few.classes())?;
    let training = training(config);
    let mut evaluation = Evaluation { architecture: network, input: drawn.input, training, runs };
    let seed = Part::Enlargement.seed(repetition.seed);
    let larger = method.enlarge.map(|count| enlarged(target, count, seed)).transpose()?.flatten();
    let (mut train, mut samples) = (few, None);
    match methods::transport(method) {
        None => {
            if let Some(larger) = &larger {
                train = examples_of(larger)?;
            }
            if method.equal_steps {
                evaluation = evaluation.with_steps_of(train.len() + source.measure.sample_count());
            }
        }
        Some(how) => {
            let goal = larger.as_ref().unwrap_or(&target.measure);
            let examples = transported(trial, &how, goal, &mut repetition)?;
            let moved = target.dataset_of(examples.inputs(), examples.labels())?;
            samples = Some(moved.in_order_of(&source.prepared.dataset)?);
            train = train.with(&examples);
        }
    }
    let started = Instant::now();
    let steps = evaluation.training.steps(train.len());
    let found = evaluation.run(&train, test, Part::Network.seed(repetition.seed), |index, progress| {
        if index == 0 { watch.training(progress.step, steps) } else { watch.going() }
    })?;
    repetition.train_seconds = started.elapsed().as_secs_f64();
    repetition.trained_on = train.len();
    repetition.tested = test.len();
    repetition.accuracies = found.iter().map(|accuracy| accuracy.share()).collect();
    Ok(Found { repetition, samples })
}

/// The source at the target, or at what that was enlarged to, with labels of the target.
fn transported(
    trial: &Trial<'_>,
    how: &TransportMethod,
    goal: &MeasureOverMeasures<f32>,
    repetition: &mut Repetition,
) -> Result<Examples> {
    let (source, target) = (trial.drawn.source()?, &trial.drawn.target);
    let started = Instant::now();
    let pair = Pair { source: &source.measure, target: goal };
    let seed = Part::Move.seed(repetition.seed);
    let found = how.run(pair, seed, |at| trial.watch.step(at.step, at.steps))?;
    repetition.move_seconds = started.elapsed().as_secs_f64();
    repetition.steps = found.steps;
    let (source, to) = (&source.prepared, &target.prepared);
    repetition.notes.push(describe_matching(source, to, &found.classes));
    if let Some(unreached) = unreached_classes(to, &found.labels) {
        let note = format!("no sample became {unreached}: only its own samples stand for it");
        repetition.notes.push(note);
    }
    Ok(transported_examples(&found, target.measure.class_count(), target.range())?)
}

/// The images of every class of a target, and small shifts, turns and scales of them that cut off nothing, up to
/// `count` a class, each with the weight of its original; classes that have as many stay as they are. `None` for
/// samples that are no images.
fn enlarged(target: &Sampled, count: usize, seed: u64) -> Result<Option<MeasureOverMeasures<f32>>> {
    let measure = &target.measure;
    let Some(shape) = target.prepared.dataset.image_shape() else { return Ok(None) };
    let mut augment = Augment::new(shape, &Augmentation::GEOMETRIC, vec![0.0; shape.channels], seed);
    let dim = measure.dim();
    let (mut points, mut sizes, mut inner, mut draw) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for class in 0..measure.class_count() {
        let (own, size) = (measure.class_points(class), measure.class_size(class));
        let weight = |original: usize| measure.class_weights(class).map_or(1.0, |a| a[original]);
        points.extend_from_slice(own);
        inner.extend((0..size).map(weight));
        for copy in size..count {
            let original = copy % size;
            let image = &own[original * dim..(original + 1) * dim];
            for _ in 0..REDRAWS {
                augment.draw(draw);
                draw += 1;
                if cut(&mut augment, image) <= MOST_CUT {
                    break;
                }
            }
            points.extend(augment.forward(image, dim));
            inner.push(weight(original));
        }
        sizes.push(size.max(count));
    }
    let outer = Some(measure.outer_weights());
    Ok(Some(MeasureOverMeasures::new(points, dim, &sizes, Some(&inner), outer)?))
}

/// The share of an image's values that no pixel of the augmented image sees.
fn cut(augment: &mut Augment, image: &[f32]) -> f64 {
    let seen = augment.backward(&vec![1.0; image.len()]);
    let ink = |x: &f32| f64::from(x.abs());
    let lost: f64 = image.iter().zip(&seen).filter(|(_, seen)| **seen < 0.5).map(|(x, _)| ink(x)).sum();
    lost / image.iter().map(ink).sum::<f64>().max(f64::MIN_POSITIVE)
}
