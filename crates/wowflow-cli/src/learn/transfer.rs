//! One repetition of k-shot transfer: move, relabel, train, test.

use std::time::Instant;

use anyhow::{Context, Result};
use wowflow::functional::FeatureMap;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::labels::ClassLabels;
use wowflow_learn::{
    AdamW, Architecture, Augment, Augmentation, Evaluation, Length, MoveProgress, Training, examples_of,
    moved_examples, subseed,
};

use super::data::{Drawn, Side, architecture};
use super::execute::Watch;
use super::experiment::Experiment;
use super::method::MethodSpec;
use super::record::{Found, Record};

/// Augmentations that cut more than this share off an image are drawn again, at most so many times.
const MOST_CUT: f64 = 0.01;
const REDRAWS: usize = 20;

/// How classifiers are trained in an experiment.
pub(crate) fn training(experiment: &Experiment) -> Training {
    let steps = Length::Steps(experiment.training_steps.unwrap_or_default());
    let length = experiment.epochs.map_or(steps, Length::Epochs);
    Training { length, batch: experiment.batch, optimiser: AdamW::default(), seed: 0 }
}

/// Runs a method on the data of a try.
pub(crate) fn run(
    experiment: &Experiment,
    method: &MethodSpec,
    trainings: usize,
    drawn: &Drawn,
    mut record: Record,
    watch: &Watch<'_>,
) -> Result<Found> {
    let (source, target) = (drawn.source()?, &drawn.target);
    let test = drawn.test.as_ref().context("expected a test set, found none")?;
    let few = examples_of(&target.measure)?;
    let network = architecture(&experiment.network, Architecture::LeNet5, drawn.input, few.classes())?;
    let mut evaluation =
        Evaluation { architecture: network, input: drawn.input, training: training(experiment), trainings };
    let larger = method.enlarge.map(|count| enlarged(target, count, subseed(record.seed, 3)));
    let larger = larger.transpose()?.flatten();
    let (mut train, mut samples) = (few, None);
    match method.mover(target.measure.dim()) {
        None => {
            if let Some(larger) = &larger {
                train = examples_of(larger)?;
            }
            if method.equal_steps {
                evaluation = evaluation.with_steps_of(train.len() + source.measure.sample_count());
            }
        }
        Some(mover) => {
            let started = Instant::now();
            let goal = larger.as_ref().unwrap_or(&target.measure);
            let moved =
                mover.run(&source.measure, goal, subseed(record.seed, 1), |at: &MoveProgress<'_>| {
                    watch.step(at.step, at.steps)
                })?;
            record.move_seconds = started.elapsed().as_secs_f64();
            record.steps = moved.steps;
            record.notes.push(went((source, target), &moved.classes));
            if let Some(missed) = missed(target, &moved.labels) {
                record.notes.push(format!("no sample became {missed}: only its own samples stand for it"));
            }
            let examples = moved_examples(&moved, target.measure.class_count(), target.range())?;
            samples = Some(target.dataset_of(examples.inputs(), examples.labels())?);
            train = train.with(&examples);
        }
    }
    let started = Instant::now();
    let steps = evaluation.training.steps(train.len());
    let found = evaluation.run(&train, test, subseed(record.seed, 2), |index, progress| {
        if index == 0 { watch.training(progress.step, steps) } else { Watch::going() }
    })?;
    record.train_seconds = started.elapsed().as_secs_f64();
    record.trained_on = train.len();
    record.tested = test.len();
    record.accuracies = found.iter().map(|accuracy| accuracy.share()).collect();
    Ok(Found { record, samples })
}

/// The images of every class of a target, and small shifts, turns and scales of them that cut off nothing, up to
/// `count` a class, each with the weight of its original; classes that have as many stay as they are. `None` for
/// samples that are no images.
fn enlarged(target: &Side, count: usize, seed: u64) -> Result<Option<MeasureOverMeasures<f32>>> {
    let measure = &target.measure;
    let Some(shape) = target.named.dataset.image_shape() else { return Ok(None) };
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

/// Which class went where, in words.
pub(crate) fn went((source, target): (&Side, &Side), classes: &ClassLabels) -> String {
    let one = |(class, (&to, &elsewhere)): (usize, (&usize, &f64))| {
        let split =
            if elsewhere > 0.0 { format!(" ({:.0} % elsewhere)", 100.0 * elsewhere) } else { String::new() };
        format!("{} became {}{split}", source.label(class), target.label(to))
    };
    let went: Vec<String> = classes.target.iter().zip(&classes.ambiguity).enumerate().map(one).collect();
    went.join(", ")
}

/// The classes that are the label of no moved sample, if there are some.
pub(crate) fn missed(target: &Side, labels: &[usize]) -> Option<String> {
    let mut there = vec![false; target.measure.class_count()];
    labels.iter().for_each(|label| there[*label] = true);
    let missed = there.iter().enumerate().filter(|(_, there)| !**there);
    let missed: Vec<String> = missed.map(|(class, _)| target.label(class)).collect();
    (!missed.is_empty()).then(|| missed.join(", "))
}
