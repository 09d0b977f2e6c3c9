//! The networks of a trial, and how they are trained.

use wowflow::auto::Auto;
use wowflow_learn::{AdamW, Architecture, Input, Length, Network, Training};

use crate::error::{Place, Result};
use crate::experiment::config::ExperimentConfig;

/// How classifiers are trained in an experiment.
pub(super) fn training(config: &ExperimentConfig) -> Training {
    let steps = Length::Steps(config.training_steps.unwrap_or_default());
    let length = config.epochs.map_or(steps, Length::Epochs);
    Training { length, batch: config.batch, optimiser: AdamW::default(), seed: 0 }
}

/// The network of an experiment for an input; left open it is the `usual` one for images that are large enough for it,
/// the ConvNet for smaller ones, and a multilayer perceptron for vectors.
pub(super) fn architecture(
    asked: Auto<Architecture>,
    usual: Architecture,
    input: Input,
    classes: usize,
) -> Result<Architecture> {
    let fits = |of: &Architecture| Network::new(*of, input, classes, 0).is_ok();
    let fitting = || [usual, Architecture::ConvNet, Architecture::Mlp].into_iter().find(fits);
    let found = asked.given().or_else(fitting);
    found.at(|| "expected samples of at least one coordinate, found none".to_owned())
}
