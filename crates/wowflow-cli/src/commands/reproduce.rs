//! `wowflow reproduce`: an experiment from a file, run or gone on with, its results beside the published ones.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use wowflow_report::rundir::RunDir;

use super::on_threads;
use crate::ExitStatus;
use crate::args::learn::ReproduceArgs;
use crate::console::Console;
use crate::interrupt;
use crate::learn::execute::{End, Filter, execute};
use crate::learn::experiment::Experiment;
use crate::learn::figures::Published;
use crate::learn::finish::{Place, finish};
use crate::learn::kept::{Outdated, gathered, log_of};
use crate::run::config::hash;
use crate::run::directory::{claim, create, remove_temporary_in, write_bytes, write_json};
use crate::run::provenance::RunProvenance;

/// The experiments that come with the program.
const KNOWN: [(&str, &str); 9] = [
    ("transfer-mnist-fmnist", include_str!("../../../../experiments/transfer-mnist-fmnist.toml")),
    ("transfer-mnist-fmnist-draws", include_str!("../../../../experiments/transfer-mnist-fmnist-draws.toml")),
    ("transfer-mnist-usps", include_str!("../../../../experiments/transfer-mnist-usps.toml")),
    ("transfer-mnist-kmnist", include_str!("../../../../experiments/transfer-mnist-kmnist.toml")),
    ("distillation-mnist", include_str!("../../../../experiments/distillation-mnist.toml")),
    ("distillation-fmnist", include_str!("../../../../experiments/distillation-fmnist.toml")),
    ("distillation-mnist-lenet5", include_str!("../../../../experiments/distillation-mnist-lenet5.toml")),
    ("distillation-fmnist-lenet5", include_str!("../../../../experiments/distillation-fmnist-lenet5.toml")),
    ("adaptation", include_str!("../../../../experiments/adaptation.toml")),
];

/// Published curves that come with the program.
const CURVES: [(&str, &str); 1] =
    [("adaptation-published.json", include_str!("../../../../experiments/adaptation-published.json"))];

pub(crate) fn run(args: &ReproduceArgs, console: &Console) -> Result<ExitStatus> {
    if args.list {
        for (name, text) in KNOWN {
            let experiment = Experiment::parse(text).with_context(|| name.to_owned())?;
            console.say(&format!("{name:28} {}", experiment.title));
        }
        return Ok(ExitStatus::Done);
    }
    let asked = args.name.as_deref().context("expected the name of an experiment, found none")?;
    on_threads(args.common.threads, || reproduce(asked, args, console))
}

fn reproduce(asked: &str, args: &ReproduceArgs, console: &Console) -> Result<ExitStatus> {
    let (name, experiment, folder) = match KNOWN.iter().find(|(name, _)| *name == asked) {
        Some((name, text)) => ((*name).to_owned(), Experiment::parse(text)?, None),
        None => {
            let path = Path::new(asked);
            let names: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
            ensure!(
                path.is_file(),
                "expected one of {} or an experiment file, found {asked}",
                names.join(", ")
            );
            let stem = path.file_stem().map_or("experiment".into(), |stem| stem.to_string_lossy());
            (stem.into_owned(), Experiment::read(path)?, path.parent())
        }
    };
    let (name, experiment) = match args.quick {
        true => (format!("{name}-quick"), experiment.quick()?),
        false => (name, Experiment { quick: None, ..experiment }),
    };
    let published = curves(&experiment, folder)?;
    let filter = Filter {
        rows: args.rows.clone(),
        methods: args.methods.clone(),
        tries: args.tries,
        trainings: args.trainings,
    };
    filter.check(&experiment)?;
    let data_dir = args.common.data.data_dir.as_deref();
    let provenance = RunProvenance::new(experiment.seed, hash(&experiment)?, data_dir);
    let root = args.runs.join(&name);
    let run = RunDir::new(&root);
    if !run.config().exists() {
        create(&root, |run| {
            write_bytes(&log_of(run.root()), b"")?;
            // Last, since a folder with a configuration can be gone on with.
            write_json(&run.config(), &experiment)
        })?;
    }
    let _claim = claim(&run)?;
    remove_temporary_in(&[run.root()])?;
    interrupt::listen();
    // Every repetition is checked against the settings of its method: methods and rows may be added.
    let outdated = if args.set_aside { Outdated::SetAside } else { Outdated::Refused };
    let place = Place { folder: &args.out, name: &name };
    let kept = gathered(&root, &place.file(".json"), &experiment, outdated)?;
    write_json(&run.config(), &experiment)?;
    let (there, total) = (kept.len(), experiment.total());
    let whole = kept.iter().all(|record| record.accuracies.len() >= experiment.trained());
    let complete = if there == total && whole { ": complete" } else { "" };
    let title = &experiment.title;
    console
        .say(&format!("{title} in {}, {there} of {total} repetitions are there{complete}", root.display()));
    let (records, end) = execute(&root, &experiment, &filter, kept, data_dir, console)?;
    if end == End::Interrupted {
        console.say("interrupted; finished repetitions are kept, the same command goes on with them");
        return Ok(ExitStatus::Interrupted);
    }
    finish(&place, &experiment, &provenance, &records, published.as_ref(), console)?;
    Ok(ExitStatus::Done)
}

/// The published curves that an experiment names: beside its file, or with the program.
fn curves(experiment: &Experiment, folder: Option<&Path>) -> Result<Option<Published>> {
    let Some(name) = &experiment.curves else { return Ok(None) };
    let text = match (folder, CURVES.iter().find(|(known, _)| known == name)) {
        (None, Some((_, text))) => (*text).to_owned(),
        (folder, _) => {
            let path = folder.unwrap_or(Path::new(".")).join(name);
            std::fs::read_to_string(&path)
                .with_context(|| format!("expected published curves, cannot read {}", path.display()))?
        }
    };
    Ok(Some(Published::parse(&text).with_context(|| name.clone())?))
}
