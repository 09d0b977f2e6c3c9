//! One repetition of a distillation: few samples from many, then training on these alone.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use wowflow::functional::Chain;
use wowflow_learn::{
    Architecture, Augment, Augmentation, Distiller, Evaluation, Examples, Input, Map, Network,
    NetworkFeatures, Normalization, Restored, distill, moved_examples, rescaled, subseed,
};

use super::data::{Drawn, architecture};
use super::execute::Watch;
use super::experiment::Experiment;
use super::method::{Embed, MethodSpec};
use super::record::{Found, Record};
use super::transfer::{missed, training, went};
use crate::args::learn::{AugmentName, MethodName};

/// Runs a method on the data of a try. Values are normalised by the target's mean and deviation a channel, for the
/// flow and for the networks.
pub(crate) fn run(
    experiment: &Experiment,
    method: &MethodSpec,
    (row, trainings): (&str, usize),
    drawn: &Drawn,
    mut record: Record,
    watch: &Watch<'_>,
) -> Result<Found> {
    let target = &drawn.target;
    let test = drawn.test.as_ref().context("expected a test set, found none")?;
    let channels = target.named.dataset.image_shape().map_or(1, |shape| shape.channels);
    let units = Normalization::of(&target.measure, channels);
    let dim = target.measure.dim();
    let normalised = target.measure.with_points(units.normalise(target.measure.points()), dim)?;
    let per_class = experiment.per_class(row)?;
    let short: Vec<String> = (0..normalised.class_count())
        .filter(|class| normalised.class_size(*class) < per_class)
        .map(|class| target.label(class))
        .collect();
    if !short.is_empty() {
        record.notes.push(format!("fewer than {per_class} samples, taken whole: {}", short.join(", ")));
    }
    let network = features(method, drawn.input, record.seed)?;
    let sees_scale = network.as_ref().is_none_or(NetworkFeatures::sees_scale);
    let map = map(method, drawn.input, &units, network, record.seed)?;
    // Features have a dimension of their own, which directions suit.
    let seen = map.as_ref().map_or(dim, |map| map.feature_dim(dim));
    let distiller = method.distiller(seen)?;
    let started = Instant::now();
    let mut found =
        distill(&distiller, &normalised, per_class, map, record.seed, |at| watch.step(at.step, at.steps))?;
    // The others are as published.
    if method.method == MethodName::MatchedSw && !sees_scale {
        found = rescaled(found, &normalised);
    }
    record.steps = found.steps;
    if found.classes.target.iter().enumerate().any(|(class, to)| class != *to) {
        record.notes.push(went((target, target), &found.classes));
    }
    if let Some(missed) = missed(target, &found.labels) {
        record.notes.push(format!("no sample became {missed}"));
    }
    record.move_seconds = if distiller == Distiller::Random { 0.0 } else { started.elapsed().as_secs_f64() };
    let mut train = moved_examples(&found, normalised.class_count(), None)?;
    let mut values = units.restore(train.inputs());
    if let Some((low, high)) = target.range().filter(|_| method.clips()) {
        values.iter_mut().for_each(|x| *x = x.clamp(low, high));
        train = Examples::new(units.normalise(&values), dim, train.labels().to_vec(), train.classes())?;
    }
    let samples = target.dataset_of(&values, train.labels())?;
    let evaluation = Evaluation {
        architecture: architecture(&experiment.network, Architecture::ConvNet, drawn.input, train.classes())?,
        input: drawn.input,
        training: training(experiment),
        trainings,
    };
    let test = Examples::new(units.normalise(test.inputs()), dim, test.labels().to_vec(), test.classes())?;
    let started = Instant::now();
    let steps = evaluation.training.steps(train.len());
    let accuracies = evaluation.run(&train, &test, subseed(record.seed, 2), |index, progress| {
        if index == 0 { watch.training(progress.step, steps) } else { Watch::going() }
    })?;
    record.train_seconds = started.elapsed().as_secs_f64();
    (record.trained_on, record.tested) = (train.len(), test.len());
    record.accuracies = accuracies.iter().map(|accuracy| accuracy.share()).collect();
    Ok(Found { record, samples: Some(samples) })
}

/// Refuses augmentations of what is no image, and networks that do not take the samples.
pub(crate) fn check_input(method: &MethodSpec, input: Input) -> Result<()> {
    if let (Some(_), Input::Vector(dim)) = (method.augment, input) {
        bail!("expected images to augment, found vectors of {dim} numbers");
    }
    features(method, input, 0).map(|_| ())
}

/// The network whose features are compared, if a method asks for one.
fn features(method: &MethodSpec, input: Input, seed: u64) -> Result<Option<NetworkFeatures>> {
    let usual = match input {
        Input::Image(_) => Architecture::ConvNet,
        Input::Vector(_) => Architecture::Mlp,
    };
    let seed = subseed(seed, 5);
    Ok(match &method.embed {
        None => None,
        Some(Embed::Fresh) => Some(NetworkFeatures::random(usual, input, seed)?),
        Some(Embed::Fixed) => Some(NetworkFeatures::fixed(Network::new(usual, input, 1, seed)?)),
        Some(Embed::File(path)) => {
            let network = Network::load(path)?;
            ensure!(
                network.input() == input,
                "expected a network of {input} in {}, found one of {}",
                path.display(),
                network.input()
            );
            Some(NetworkFeatures::fixed(network))
        }
    })
}

/// Augmentations, then features of a network, as a method asks for.
fn map(
    method: &MethodSpec,
    input: Input,
    units: &Normalization,
    network: Option<NetworkFeatures>,
    seed: u64,
) -> Result<Option<Map>> {
    let augment = match (method.augment, input) {
        (None, _) | (_, Input::Vector(_)) => None,
        (Some(name), Input::Image(shape)) => {
            let kinds: &[Augmentation] = match name {
                AugmentName::Upright => &Augmentation::UPRIGHT,
                AugmentName::All => &Augmentation::ALL,
            };
            Some(Augment::new(shape, kinds, units.black(), subseed(seed, 4)))
        }
    };
    let network: Option<Map> = match network {
        None => None,
        // Classifiers are trained on values as they are.
        Some(network) if method.network_file().is_some() => {
            Some(Box::new(Chain(Restored(units.clone()), network)))
        }
        Some(network) => Some(Box::new(network)),
    };
    Ok(match (augment, network) {
        (None, network) => network,
        (Some(augment), None) => Some(Box::new(augment)),
        (Some(augment), Some(network)) => Some(Box::new(Chain(augment, network))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wowflow::dataset::ImageShape;
    use wowflow::functional::FeatureMap;
    use wowflow::measure::MeasureOverMeasures;

    #[test]
    fn trained_networks_see_values_in_their_own_units() {
        let input = Input::Image(ImageShape { width: 16, height: 16, channels: 1 });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        let network = Network::new(Architecture::Cnn, input, 3, 1).unwrap();
        network.save(&path).unwrap();
        let values: Vec<f32> = (0..4 * 256).map(|i| ((i * 31) % 97) as f32 / 97.0).collect();
        let measure = MeasureOverMeasures::uniform(values.clone(), 256, &[4]).unwrap();
        let units = Normalization::of(&measure, 1);
        let method =
            MethodSpec { embed: Some(Embed::File(path)), ..MethodSpec::usual(MethodName::MatchedSw) };
        let found = features(&method, input, 0).unwrap();
        let mut map = map(&method, input, &units, found, 0).unwrap().unwrap();
        let seen = map.forward(&units.normalise(&values), 256);
        for (x, y) in seen.iter().zip(network.features(&values)) {
            assert!((x - y).abs() < 1e-4, "{x} {y}");
        }
    }
}
