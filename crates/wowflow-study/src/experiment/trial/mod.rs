//! One trial of a row: its data, drawn once, and what each method makes of them.

pub(super) mod adapt;
pub(super) mod data;
pub(super) mod distill;
pub(super) mod transfer;
pub(super) mod watch;

mod networks;
mod parts;
mod words;

use wowflow::dataset::LabeledDataset;

use super::config::ExperimentConfig;
use super::method::MethodConfig;
use super::repetition::Repetition;
use data::Drawn;
use watch::Watch;

/// A method on the data of a trial.
pub(super) struct Trial<'a> {
    /// The experiment.
    pub(super) config: &'a ExperimentConfig,
    /// The row, which says how many samples are distilled.
    pub(super) row: &'a str,
    /// The method.
    pub(super) method: &'a MethodConfig,
    /// Classifiers to train.
    pub(super) runs: usize,
    /// The data.
    pub(super) drawn: &'a Drawn,
    /// Who is told.
    pub(super) watch: &'a Watch<'a>,
}

/// What a repetition found: its record, and the samples it made.
pub(super) struct Found {
    pub(super) repetition: Repetition,
    pub(super) samples: Option<LabeledDataset>,
}
