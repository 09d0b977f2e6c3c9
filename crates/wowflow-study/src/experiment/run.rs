//! An experiment from where it stands to its end: repetition after repetition, each logged when it is finished.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use wowflow_data::Lookup;
use wowflow_learn::{Network, subseed};

use super::config::ExperimentConfig;
use super::log::log_of;
use super::method::MethodConfig;
use super::names::Task;
use super::repetition::Repetition;
use super::samples;
use super::trial::data::{DataSeeds, Drawn, draw};
use super::trial::watch::Watch;
use super::trial::{Found, Trial, adapt, distill, transfer};
use crate::error::{Place, Result, require};
use crate::observer::{Event, Observer, Unit};
use crate::record::{LineLog, RunDir};

/// The repetitions that are asked for, of all that an experiment has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these rows.
    pub rows: Option<Vec<String>>,
    /// Only these methods, by the names they have in tables.
    pub methods: Option<Vec<String>>,
    /// Only the first so many trials of every row and method.
    pub trials: Option<u64>,
    /// Only the first so many trainings of every repetition; asked for more later, it is made anew.
    pub runs_per_trial: Option<usize>,
}

impl Filter {
    /// Refuses names that the experiment does not have.
    pub(super) fn check(&self, config: &ExperimentConfig) -> Result<()> {
        let known = [(&self.rows, config.rows.clone(), "rows"), (&self.methods, config.labels(), "methods")];
        for (asked, known, what) in known {
            for name in asked.iter().flatten() {
                require!(known.contains(name), "expected {what} among {}, found {name}", known.join(", "));
            }
        }
        Ok(())
    }

    fn takes(&self, row: &str, method: &str) -> bool {
        let within = |list: &Option<Vec<String>>, name: &str| {
            list.as_ref().is_none_or(|l| l.iter().any(|n| n == name))
        };
        within(&self.rows, row) && within(&self.methods, method)
    }
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All that was asked for is there.
    Done,
    /// A stop was asked for; finished repetitions are kept.
    Interrupted,
}

/// The methods of a row and a trial that are asked for and not finished yet.
struct Open<'e> {
    row: &'e str,
    trial: u64,
    methods: Vec<&'e MethodConfig>,
}

/// Classifiers of targets, by the seed and the checksum of the target.
type Classifiers = HashMap<(u64, String), Network>;

/// Draws the data of the first repetition, to see that they and what is asked for fit.
pub(super) fn check_data(config: &ExperimentConfig, lookup: &Lookup) -> Result<()> {
    let seed = subseed(config.seed, 0);
    for row in &config.rows {
        let drawn = draw(config, row, DataSeeds { trial: seed, target: seed }, lookup)?;
        if let Some(path) = &config.classifier {
            adapt::loaded(path, &drawn)?;
        }
        for method in config.methods_of(row) {
            distill::check_input(method, drawn.input)?;
        }
    }
    Ok(())
}

/// Runs what is asked for and not finished yet, row by row and trial by trial; all methods of a trial share its data.
pub(super) fn execute(
    run: &RunDir,
    config: &ExperimentConfig,
    filter: &Filter,
    mut repetitions: Vec<Repetition>,
    lookup: &Lookup,
    observer: &dyn Observer,
) -> Result<(Vec<Repetition>, End)> {
    let mut log = LineLog::open(&log_of(run))?;
    let runs = filter.runs_per_trial.unwrap_or(usize::MAX).min(config.runs_per_repetition());
    let left = open(config, filter, runs, &repetitions);
    let count: usize = left.iter().map(|open| open.methods.len()).sum();
    let again = |r: &&Repetition| left.iter().any(|open| open.has(r));
    let mut done = repetitions.len() - repetitions.iter().filter(again).count();
    let total = Some((count + done) as u64);
    observer.event(&Event::Began { unit: Unit::Repetitions, total, done: done as u64 });
    let mut classifiers = Classifiers::new();
    for Open { row, trial, methods } in left {
        let seed = subseed(config.seed, trial);
        let target = if config.same_target { subseed(config.seed, 0) } else { seed };
        let drawn = draw(config, row, DataSeeds { trial: seed, target }, lookup)
            .at(|| format!("row {row}, try {trial}"))?;
        for known in repetitions.iter().filter(|r| r.row == row && r.trial == trial) {
            known.check_data(&drawn.sums)?;
        }
        for method in methods {
            let label = method.label();
            let watch = Watch { observer, doing: format!("{row}, {label}, try {trial}") };
            let begun = Repetition::begun(row, &label, config.fingerprint(method)?, trial, seed);
            let begun = Repetition { data: drawn.sums.clone(), notes: drawn.notes.clone(), ..begun };
            let one = Trial { config, row, method, runs, drawn: &drawn, watch: &watch };
            match repeat(&one, target, &mut classifiers, begun) {
                Ok(Found { mut repetition, samples }) => {
                    if let Some(samples) = samples.filter(|_| trial == 0) {
                        repetition.samples_sha256 = Some(samples::write(run, row, &label, &samples)?);
                    }
                    log.append(&repetition)?;
                    done += 1;
                    observer.event(&Event::Advanced { done: done as u64, detail: &watch.doing });
                    repetitions.retain(|fewer| !fewer.same_place(&repetition));
                    repetitions.push(repetition);
                }
                Err(error) if error.is_interruption() => {
                    observer.event(&Event::Ended);
                    return Ok((repetitions, End::Interrupted));
                }
                Err(error) => {
                    observer.event(&Event::Ended);
                    return Err(error).at(|| format!("{label} in row {row}, try {trial}"));
                }
            }
        }
    }
    observer.event(&Event::Ended);
    let labels = config.labels();
    let place = |repetition: &Repetition| {
        let row = config.rows.iter().position(|row| *row == repetition.row);
        (row, labels.iter().position(|label| *label == repetition.method), repetition.trial)
    };
    repetitions.sort_by_key(place);
    Ok((repetitions, End::Done))
}

impl Open<'_> {
    /// Whether a repetition is made anew.
    fn has(&self, repetition: &Repetition) -> bool {
        (self.row, self.trial) == (repetition.row.as_str(), repetition.trial)
            && self.methods.iter().any(|method| method.label() == repetition.method)
    }
}

/// What is asked for and not finished with so many trainings, row by row and trial by trial.
fn open<'e>(
    config: &'e ExperimentConfig,
    filter: &Filter,
    runs: usize,
    repetitions: &[Repetition],
) -> Vec<Open<'e>> {
    let mut left = Vec::new();
    for row in &config.rows {
        for trial in 0..filter.trials.unwrap_or(config.trials).min(config.trials) {
            let open = |method: &&MethodConfig| {
                let label = method.label();
                let there = |r: &Repetition| {
                    (&r.row, &r.method, r.trial) == (row, &label, trial) && r.accuracies.len() >= runs
                };
                filter.takes(row, &label) && !repetitions.iter().any(there)
            };
            let methods: Vec<_> = config.methods_of(row).into_iter().filter(open).collect();
            if !methods.is_empty() {
                left.push(Open { row, trial, methods });
            }
        }
    }
    left
}

/// One repetition.
fn repeat(
    trial: &Trial<'_>,
    target_seed: u64,
    classifiers: &mut Classifiers,
    begun: Repetition,
) -> Result<Found> {
    match trial.config.task {
        Task::Transfer => transfer::run(trial, begun),
        Task::Distillation => distill::run(trial, begun),
        Task::Adaptation => {
            let network = classifier(trial.config, trial.drawn, target_seed, classifiers, trial.watch)?;
            adapt::run(trial, network, begun)
        }
    }
}

/// The classifier of a target, trained once for each that is drawn.
fn classifier<'k>(
    config: &ExperimentConfig,
    drawn: &Drawn,
    seed: u64,
    known: &'k mut Classifiers,
    watch: &Watch<'_>,
) -> Result<&'k Network> {
    match known.entry((seed, drawn.sums[0].sha256.clone())) {
        Entry::Occupied(found) => Ok(found.into_mut()),
        Entry::Vacant(place) => Ok(place.insert(adapt::classifier(config, drawn, seed, watch)?)),
    }
}
