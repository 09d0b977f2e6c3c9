//! An experiment from where it stands to its end: repetition after repetition, each logged when it is finished.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use wowflow::dataset::{LabeledDataset, Points};
use wowflow_data::write_npz_dataset;
use wowflow_learn::{LearnError, Network, subseed};
use wowflow_report::{ImageRow, contact_sheet};

use super::data::{Drawn, draw};
use super::experiment::{Experiment, Task};
use super::kept::log_of;
use super::method::MethodSpec;
use super::record::{Found, Record};
use super::{adapt, distill, transfer};
use crate::agreement::file::slug;
use crate::compare::pairs::LineLog;
use crate::console::Console;
use crate::interrupt;
use crate::progress::Progress;
use crate::run::directory::write_bytes;

/// The repetitions that are asked for, of all that an experiment has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) rows: Option<Vec<String>>,
    pub(crate) methods: Option<Vec<String>>,
    pub(crate) tries: Option<u64>,
    pub(crate) trainings: Option<usize>,
}

impl Filter {
    /// Refuses names that the experiment does not have.
    pub(crate) fn check(&self, experiment: &Experiment) -> Result<()> {
        let known =
            [(&self.rows, experiment.rows.clone(), "rows"), (&self.methods, experiment.labels(), "methods")];
        for (asked, known, what) in known {
            for name in asked.iter().flatten() {
                ensure!(known.contains(name), "expected {what} among {}, found {name}", known.join(", "));
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

/// What goes on in a repetition, for the progress line, and whether to stop.
pub(crate) struct Watch<'a> {
    progress: &'a Progress,
    doing: String,
}

impl Watch<'_> {
    /// A step of a move.
    pub(crate) fn step(&self, step: u64, steps: u64) -> ControlFlow<()> {
        self.progress.doing(format!("{}: step {step} of {steps}", self.doing));
        Self::going()
    }

    /// A step of a training.
    pub(crate) fn training(&self, step: u64, steps: u64) -> ControlFlow<()> {
        if step.is_multiple_of(20) {
            self.progress.doing(format!("{}: training, step {step} of {steps}", self.doing));
        }
        Self::going()
    }

    /// Whether a stop was asked for.
    pub(crate) fn going() -> ControlFlow<()> {
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All that was asked for is there.
    Done,
    /// A stop was asked for; finished repetitions are kept.
    Interrupted,
}

/// Draws the data of the first repetition, to see that they and what is asked for fit.
pub(crate) fn first_draw(experiment: &Experiment, data_dir: Option<&Path>) -> Result<()> {
    let seed = subseed(experiment.seed, 0);
    let with_test = experiment.task != Task::Adaptation;
    for row in &experiment.rows {
        let drawn = draw(experiment, row, (seed, seed), data_dir, with_test)?;
        if let Some(path) = &experiment.classifier {
            adapt::loaded(path, &drawn)?;
        }
        for method in experiment.methods_of(row) {
            distill::check_input(method, drawn.input)?;
        }
    }
    Ok(())
}

/// Runs what is asked for and not finished yet, row by row and try by try; all methods of a try share its data.
pub(crate) fn execute(
    root: &Path,
    experiment: &Experiment,
    filter: &Filter,
    mut records: Vec<Record>,
    data_dir: Option<&Path>,
    console: &Console,
) -> Result<(Vec<Record>, End)> {
    let mut log = LineLog::open(&log_of(root))?;
    let trainings = filter.trainings.unwrap_or(usize::MAX).min(experiment.trained());
    let mut left: Vec<(&str, u64, Vec<&MethodSpec>)> = Vec::new();
    for row in &experiment.rows {
        for attempt in 0..filter.tries.unwrap_or(experiment.tries).min(experiment.tries) {
            let open = |method: &&MethodSpec| {
                let label = method.label();
                let there = |r: &Record| {
                    (&r.row, &r.method, r.attempt) == (row, &label, attempt)
                        && r.accuracies.len() >= trainings
                };
                filter.takes(row, &label) && !records.iter().any(there)
            };
            let methods: Vec<_> = experiment.methods_of(row).into_iter().filter(open).collect();
            if !methods.is_empty() {
                left.push((row, attempt, methods));
            }
        }
    }
    let open: usize = left.iter().map(|(_, _, methods)| methods.len()).sum();
    let again = |r: &&Record| {
        left.iter().any(|(row, attempt, methods)| {
            (*row, *attempt) == (&r.row, r.attempt) && methods.iter().any(|method| method.label() == r.method)
        })
    };
    let there = records.len() - records.iter().filter(again).count();
    let progress = Progress::repetitions(console, open + there, there);
    let mut classifiers = HashMap::new();
    for (row, attempt, methods) in left {
        let seed = subseed(experiment.seed, attempt);
        let target_seed = if experiment.same_target { subseed(experiment.seed, 0) } else { seed };
        let with_test = experiment.task != Task::Adaptation;
        let drawn = draw(experiment, row, (seed, target_seed), data_dir, with_test)
            .with_context(|| format!("row {row}, try {attempt}"))?;
        for known in records.iter().filter(|r| r.row == row && r.attempt == attempt) {
            known.check_data(&drawn.sums)?;
        }
        for method in methods {
            let label = method.label();
            let watch = Watch { progress: &progress, doing: format!("{row}, {label}, try {attempt}") };
            let begun = Record::begun(row, &label, experiment.fingerprint(method)?, attempt, seed);
            let record = Record { data: drawn.sums.clone(), notes: drawn.notes.clone(), ..begun };
            let found = match experiment.task {
                Task::Transfer => transfer::run(experiment, method, trainings, &drawn, record, &watch),
                Task::Distillation => {
                    distill::run(experiment, method, (row, trainings), &drawn, record, &watch)
                }
                Task::Adaptation => classifier(experiment, &drawn, target_seed, &mut classifiers, &watch)
                    .and_then(|network| adapt::run(experiment, method, &drawn, network, record, &watch)),
            };
            match found {
                Ok(Found { record, samples }) => {
                    if let Some(samples) = samples.filter(|_| attempt == 0) {
                        write_samples(root, row, &label, &samples)?;
                    }
                    log.append(&record)?;
                    progress.finished();
                    records.retain(|fewer| !fewer.same_place(&record));
                    records.push(record);
                }
                Err(error) if interrupted(&error) => {
                    progress.clear();
                    return Ok((records, End::Interrupted));
                }
                Err(error) => {
                    progress.clear();
                    return Err(error.context(format!("{label} in row {row}, try {attempt}")));
                }
            }
        }
    }
    progress.clear();
    let place = |record: &Record| {
        let row = experiment.rows.iter().position(|row| *row == record.row);
        let method = experiment.labels().iter().position(|label| *label == record.method);
        (row, method, record.attempt)
    };
    records.sort_by_key(place);
    Ok((records, End::Done))
}

/// Images shown of a class.
const SHOWN: usize = 12;

/// Writes the samples that the first try of a method made, with a picture of images.
fn write_samples(root: &Path, row: &str, method: &str, samples: &LabeledDataset) -> Result<()> {
    let folder = root.join("samples");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let name = slug(&format!("{row} {method}"));
    write_npz_dataset(folder.join(format!("{name}.npz")), samples, &[])?;
    let (Some(shape), Points::F32(values)) = (samples.image_shape(), samples.points()) else { return Ok(()) };
    let class = |class: usize| ImageRow {
        label: samples.classes()[class].to_string(),
        images: samples
            .class_rows(class)
            .iter()
            .take(SHOWN)
            .map(|&at| &values[at * shape.len()..(at + 1) * shape.len()])
            .collect(),
        examples: Vec::new(),
    };
    let rows = (0..samples.class_count()).map(class).collect();
    let range = values.iter().fold((0.0f32, 1.0f32), |(low, high), x| (low.min(*x), high.max(*x)));
    let sheet = contact_sheet(&format!("{method}, {row}"), shape, range, rows)?;
    write_bytes(&folder.join(format!("{name}.png")), &sheet.to_png()?)
}

/// The classifier of a target, trained once for each that is drawn.
fn classifier<'k>(
    experiment: &Experiment,
    drawn: &Drawn,
    seed: u64,
    known: &'k mut HashMap<(u64, String), Network>,
    watch: &Watch<'_>,
) -> Result<&'k Network> {
    match known.entry((seed, drawn.sums[0].sha256.clone())) {
        Entry::Occupied(found) => Ok(found.into_mut()),
        Entry::Vacant(place) => Ok(place.insert(adapt::classifier(experiment, drawn, seed, watch)?)),
    }
}

fn interrupted(error: &anyhow::Error) -> bool {
    error.downcast_ref::<LearnError>() == Some(&LearnError::Interrupted)
}
