//! One repetition of a distillation: few samples from many, then training on these alone.

use std::time::Instant;

use wowflow::functional::Chain;
use wowflow::measure::MeasureOverMeasures;
use wowflow_learn::{
    Architecture, Augment, Distiller, Evaluation, Examples, Input, Map, Network, NetworkFeatures,
    Normalization, Restored, Transported, distill, rescaled, transported_examples,
};

use super::networks::{architecture, training};
use super::parts::Part;
use super::words::{describe_matching, unreached_classes};
use super::{Found, Trial};
use crate::error::{Result, refuse, require};
use crate::experiment::method::{Embed, MethodConfig};
use crate::experiment::methods;
use crate::experiment::names::MethodKind;
use crate::experiment::repetition::Repetition;

/// Runs a method on the data of a trial. Values are normalised by the target's mean and deviation a channel, of vectors
/// a coordinate, for the flow and for the networks.
pub(in super::super) fn run(trial: &Trial<'_>, mut repetition: Repetition) -> Result<Found> {
    let &Trial { config, method, runs, drawn, watch, .. } = trial;
    let (target, test) = (&drawn.target, drawn.test()?);
    // Coordinates of vectors have units of their own.
    let channels = target.prepared.dataset.image_shape().map_or(target.measure.dim(), |shape| shape.channels);
    let units = Normalization::of(&target.measure, channels);
    let dim = target.measure.dim();
    let normalised = target.measure.with_points(units.normalise(target.measure.points()), dim)?;
    let found = distilled(trial, &normalised, &units, &mut repetition)?;
    let mut train = transported_examples(&found, normalised.class_count(), None)?;
    let mut values = units.restore(train.inputs());
    if let Some((low, high)) = target.range().filter(|_| method.clips()) {
        values.iter_mut().for_each(|x| *x = x.clamp(low, high));
        train = Examples::new(units.normalise(&values), dim, train.labels().to_vec(), train.classes())?;
    }
    let samples = target.dataset_of(&values, train.labels())?;
    // Where they started.
    let rows = target.prepared.dataset.rows_by_class();
    let few = normalised.subsample_rows(config.per_class(trial.row)?, repetition.seed);
    let rows: Vec<usize> = few.into_iter().map(|index| rows[index]).collect();
    let samples = samples.with_samples_of(&target.prepared.dataset, &rows)?;
    let network = architecture(config.network, Architecture::ConvNet, drawn.input, train.classes())?;
    let evaluation =
        Evaluation { architecture: network, input: drawn.input, training: training(config), runs };
    let test = Examples::new(units.normalise(test.inputs()), dim, test.labels().to_vec(), test.classes())?;
    let started = Instant::now();
    let steps = evaluation.training.steps(train.len());
    let seed = Part::Network.seed(repetition.seed);
    let accuracies = evaluation.run(&train, &test, seed, |index, progress| {
        if index == 0 { watch.training(progress.step, steps) } else { watch.going() }
    })?;
    repetition.train_seconds = started.elapsed().as_secs_f64();
    (repetition.trained_on, repetition.tested) = (train.len(), test.len());
    repetition.accuracies = accuracies.iter().map(|accuracy| accuracy.share()).collect();
    Ok(Found { repetition, samples: Some(samples) })
}

/// The few samples that stand for a normalised target.
fn distilled(
    trial: &Trial<'_>,
    normalised: &MeasureOverMeasures<f32>,
    units: &Normalization,
    repetition: &mut Repetition,
) -> Result<Transported<f32>> {
    let &Trial { config, row, method, drawn, watch, .. } = trial;
    let (target, seed) = (&drawn.target.prepared, repetition.seed);
    let per_class = config.per_class(row)?;
    let short: Vec<String> = (0..normalised.class_count())
        .filter(|class| normalised.class_size(*class) < per_class)
        .map(|class| target.label(class))
        .collect();
    if !short.is_empty() {
        let note = format!("fewer than {per_class} samples, taken whole: {}", short.join(", "));
        repetition.notes.push(note);
    }
    let network = features(method, drawn.input, seed)?;
    let sees_scale = network.as_ref().is_none_or(NetworkFeatures::sees_scale);
    let map = map(method, drawn.input, units, network, seed);
    let distiller = methods::distiller(method)?;
    let started = Instant::now();
    let mut found =
        distill(&distiller, normalised, per_class, map, seed, |at| watch.step(at.step, at.steps))?;
    // The others are as published.
    if method.method == MethodKind::MatchedSw && !sees_scale {
        found = rescaled(found, normalised);
    }
    repetition.steps = found.steps;
    repetition.move_seconds =
        if distiller == Distiller::Random { 0.0 } else { started.elapsed().as_secs_f64() };
    if found.classes.target.iter().enumerate().any(|(class, to)| class != *to) {
        repetition.notes.push(describe_matching(target, target, &found.classes));
    }
    if let Some(unreached) = unreached_classes(target, &found.labels) {
        repetition.notes.push(format!("no sample became {unreached}"));
    }
    Ok(found)
}

/// Refuses augmentations of what is no image, and networks that do not take the samples.
pub(in super::super) fn check_input(method: &MethodConfig, input: Input) -> Result<()> {
    if let (Some(_), Input::Vector(dim)) = (method.augment, input) {
        refuse!("expected images to augment, found vectors of {dim} numbers");
    }
    features(method, input, 0).map(|_| ())
}

/// The network whose features are compared, if a method asks for one.
fn features(method: &MethodConfig, input: Input, seed: u64) -> Result<Option<NetworkFeatures>> {
    let usual = match input {
        Input::Image(_) => Architecture::ConvNet,
        Input::Vector(_) => Architecture::Mlp,
    };
    let seed = Part::Features.seed(seed);
    Ok(match &method.embed {
        None => None,
        Some(Embed::Fresh) => Some(NetworkFeatures::random(usual, input, seed)?),
        Some(Embed::Fixed) => Some(NetworkFeatures::fixed(Network::new(usual, input, 1, seed)?)),
        Some(Embed::File(path)) => {
            let network = Network::load(path)?;
            require!(
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
    method: &MethodConfig,
    input: Input,
    units: &Normalization,
    network: Option<NetworkFeatures>,
    seed: u64,
) -> Option<Map> {
    let augment = match (method.augment, input) {
        (None, _) | (_, Input::Vector(_)) => None,
        (Some(set), Input::Image(shape)) => {
            Some(Augment::new(shape, set.kinds(), units.black(), Part::Augmentation.seed(seed)))
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
    match (augment, network) {
        (None, network) => network,
        (Some(augment), None) => Some(Box::new(augment)),
        (Some(augment), Some(network)) => Some(Box::new(Chain(augment, network))),
    }
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
            MethodConfig { embed: Some(Embed::File(path)), ..MethodConfig::usual(MethodKind::MatchedSw) };
        let found = features(&method, input, 0).unwrap();
        let mut map = map(&method, input, &units, found, 0).unwrap();
        let seen = map.forward(&units.normalise(&values), 256);
        for (x, y) in seen.iter().zip(network.features(&values)) {
            assert!((x - y).abs() < 1e-4, "{x} {y}");
        }
    }
}
