//! `wowflow transfer`, `wowflow adapt` and `wowflow distill`: an experiment of one row from the command line, in a run directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, bail, ensure};
use wowflow_report::rundir::RunDir;

use super::on_threads;
use crate::ExitStatus;
use crate::args::CommonArgs;
use crate::args::learn::{AdaptArgs, DistillArgs, ExperimentArgs, MethodName, PairArgs, TransferArgs};
use crate::console::Console;
use crate::interrupt;
use crate::learn::execute::{End, Filter, execute, first_draw};
use crate::learn::experiment::{Experiment, Task};
use crate::learn::finish::{Place, finish};
use crate::learn::kept::{finished, log_of};
use crate::learn::method::{Embed, MethodSpec, Preset};
use crate::run::config::hash;
use crate::run::directory::{
    claim, create, default_out, refuse_existing, remove_temporary_in, write_bytes, write_json,
};
use crate::run::provenance::RunProvenance;

/// Steps of our flow in a transfer: with few target samples it arrives in fewer than elsewhere.
const TRANSFER_STEPS: u64 = 100;

pub(crate) fn transfer(args: &TransferArgs, console: &Console) -> Result<ExitStatus> {
    let (pair, shared) = (&args.pair, &args.pair.experiment);
    on_threads(shared.common.threads, || match &shared.resume {
        Some(folder) => resume(folder, &shared.common, Task::Transfer, console),
        None => {
            let methods = match args.methods.as_slice() {
                [] => vec![MethodName::TargetOnly, MethodName::MmdSw, MethodName::Geodesic],
                given => given.to_vec(),
            };
            let mut experiment = experiment(pair, Task::Transfer, &methods)?;
            experiment.test.clone_from(&args.test);
            (experiment.epochs, experiment.trainings) = (Some(args.epochs), args.trainings);
            let enlarge = usize::try_from(args.enlarge).ok().filter(|count| *count > 0);
            for method in experiment.methods.iter_mut().filter(|method| method.is_ours()) {
                (method.steps, method.enlarge) = (method.steps.or(Some(TRANSFER_STEPS)), enlarge);
            }
            start(experiment, shared, "transfer", console)
        }
    })
}

pub(crate) fn adapt(args: &AdaptArgs, console: &Console) -> Result<ExitStatus> {
    let (pair, shared) = (&args.pair, &args.pair.experiment);
    on_threads(shared.common.threads, || match &shared.resume {
        Some(folder) => resume(folder, &shared.common, Task::Adaptation, console),
        None => {
            if let Some(path) = &args.save_classifier {
                ensure!(
                    !path.exists(),
                    "expected a new file to write the classifier to, found {}",
                    path.display()
                );
            }
            let methods = match args.methods.as_slice() {
                [] => vec![MethodName::MmdSw, MethodName::Geodesic],
                given => given.to_vec(),
            };
            let mut experiment = experiment(pair, Task::Adaptation, &methods)?;
            (experiment.training_steps, experiment.every) = (Some(args.training_steps), Some(args.every));
            experiment.classifier = absolute(args.classifier.as_deref())?;
            experiment.save_classifier = absolute(args.save_classifier.as_deref())?;
            start(experiment, shared, "adapt", console)
        }
    })
}

pub(crate) fn distill(args: &DistillArgs, console: &Console) -> Result<ExitStatus> {
    let shared = &args.experiment;
    on_threads(shared.common.threads, || match &shared.resume {
        Some(folder) => resume(folder, &shared.common, Task::Distillation, console),
        None => {
            let dataset = args.dataset.as_ref().context("expected a dataset, found none")?;
            let methods = match args.methods.as_slice() {
                [] => vec![MethodName::Random, MethodName::MatchedSw],
                given => given.to_vec(),
            };
            let typed = args.embed.as_deref().map(str::parse).transpose().map_err(Error::msg)?;
            let embed = match typed {
                Some(Embed::File(path)) => Some(Embed::File(std::path::absolute(path)?)),
                other => other,
            };
            let method = |&name: &MethodName| {
                let spec = MethodSpec::usual(name);
                if name == MethodName::Random {
                    return spec;
                }
                let target_batch = usize::try_from(args.target_batch).ok().filter(|size| *size > 0);
                MethodSpec {
                    target_batch,
                    augment: args.augment,
                    embed: embed.clone(),
                    steps: args.steps,
                    ..spec
                }
            };
            let experiment = Experiment {
                title: format!("Distillation of {dataset}"),
                task: Task::Distillation,
                row_name: "samples a class".to_owned(),
                rows: vec![args.per_class.to_string()],
                per_class: Some("{row}".to_owned()),
                test: args.test.clone(),
                trainings: args.trainings,
                epochs: Some(args.epochs),
                methods: methods.iter().map(method).collect(),
                ..plain(dataset, shared)
            };
            start(experiment, shared, "distill", console)
        }
    })
}

fn absolute(path: Option<&Path>) -> Result<Option<PathBuf>> {
    Ok(path.map(std::path::absolute).transpose()?)
}

fn experiment(pair: &PairArgs, task: Task, methods: &[MethodName]) -> Result<Experiment> {
    let (Some(source), Some(target)) = (&pair.source, &pair.target) else {
        bail!("expected --source and --target, found none")
    };
    let flows =
        |name: &MethodName| matches!(name, MethodName::MmdSw | MethodName::Otdd | MethodName::Product);
    ensure!(
        pair.steps.is_none() || methods.iter().any(flows),
        "expected --steps with a method that flows (mmd-sw, otdd, product), found none of them"
    );
    ensure!(
        pair.published_tau.is_none() || methods.contains(&MethodName::MmdSw),
        "expected --published-tau with the method mmd-sw, found others"
    );
    let method = |name: &MethodName| {
        let steps = pair.steps.filter(|_| flows(name));
        let spec = MethodSpec { steps, ..MethodSpec::usual(*name) };
        match pair.published_tau.filter(|_| *name == MethodName::MmdSw) {
            Some(tau) => MethodSpec { preset: Some(Preset::Published), tau: Some(tau), ..spec },
            None => spec,
        }
    };
    let title = match task {
        Task::Transfer => format!("Transfer from {source} to {target}"),
        Task::Adaptation | Task::Distillation => format!("Adaptation of {source} to {target}"),
    };
    Ok(Experiment {
        title,
        task,
        row_name: "target".to_owned(),
        rows: vec![target.clone()],
        source: Some(source.clone()),
        methods: methods.iter().map(method).collect(),
        ..plain("{row}", &pair.experiment)
    })
}

/// What every command says of an experiment.
fn plain(target: &str, args: &ExperimentArgs) -> Experiment {
    Experiment {
        resize: args.resize.map(|size| format!("{}x{}", size.width, size.height)),
        network: args.network.typed(),
        tries: args.tries,
        seed: args.seed,
        ..Experiment::plain(target)
    }
}

fn start(experiment: Experiment, args: &ExperimentArgs, name: &str, console: &Console) -> Result<ExitStatus> {
    if let Some(out) = &args.out {
        refuse_existing(out)?;
    }
    let experiment = experiment.checked()?;
    let out = args.out.clone().unwrap_or_else(|| default_out(name, ""));
    let data_dir = args.common.data.data_dir.as_deref();
    // Data that cannot be used are refused before anything is written.
    first_draw(&experiment, data_dir)?;
    let provenance = RunProvenance::new(experiment.seed, hash(&experiment)?, data_dir);
    let run = create(&out, |run| {
        write_json(&run.provenance(), &provenance)?;
        write_bytes(&log_of(run.root()), b"")?;
        // Last, since a folder with a configuration can be resumed.
        write_json(&run.config(), &experiment)
    })?;
    let _claim = claim(&run)?;
    go_on(&run, &experiment, &provenance, data_dir, console)
}

fn resume(folder: &Path, common: &CommonArgs, task: Task, console: &Console) -> Result<ExitStatus> {
    let run = RunDir::new(folder);
    let text = std::fs::read_to_string(run.config()).with_context(|| {
        format!("expected a run directory with config.json, found none at {}", folder.display())
    })?;
    let experiment: Experiment = serde_json::from_str(&text)
        .with_context(|| format!("{} is not the configuration of an experiment", run.config().display()))?;
    let experiment = experiment.checked()?;
    ensure!(experiment.task == task, "expected a run of this command, found another in {}", folder.display());
    let _claim = claim(&run)?;
    ensure!(
        !folder.join("results.json").exists(),
        "expected an unfinished run, found {} finished",
        folder.display()
    );
    remove_temporary_in(&[run.root()])?;
    let text = std::fs::read_to_string(run.provenance())
        .with_context(|| format!("cannot read {}", run.provenance().display()))?;
    let provenance: RunProvenance = serde_json::from_str(&text)
        .with_context(|| format!("{} is not the provenance of a run", run.provenance().display()))?;
    ensure!(
        provenance.config_sha256 == hash(&experiment)?,
        "expected the configuration that {} began with, found another in config.json",
        folder.display()
    );
    let data_dir = common.data.data_dir.as_deref().or(provenance.data_dir.as_deref().map(Path::new));
    go_on(&run, &experiment, &provenance, data_dir, console)
}

fn go_on(
    run: &RunDir,
    experiment: &Experiment,
    provenance: &RunProvenance,
    data_dir: Option<&Path>,
    console: &Console,
) -> Result<ExitStatus> {
    interrupt::listen();
    let (root, folder) = (run.root(), run.root().display());
    let kept = finished(root, experiment)?;
    console.say(&format!("{} in {folder}", experiment.title));
    let (records, end) = execute(root, experiment, &Filter::default(), kept, data_dir, console)?;
    if end == End::Interrupted {
        let command = match experiment.task {
            Task::Transfer => "transfer",
            Task::Adaptation => "adapt",
            Task::Distillation => "distill",
        };
        console.say(&format!(
            "interrupted; finished repetitions are kept, go on with: wowflow {command} --resume {folder}"
        ));
        return Ok(ExitStatus::Interrupted);
    }
    let mut told: Vec<&String> = Vec::new();
    for note in records.iter().flat_map(|record| &record.notes) {
        if !told.contains(&note) {
            console.say(&format!("  {note}"));
            told.push(note);
        }
    }
    let place = Place { folder: root, name: "results" };
    finish(&place, experiment, provenance, &records, None, console)?;
    Ok(ExitStatus::Done)
}
