//! `wowflow transfer`, `wowflow adapt` and `wowflow distill`: an experiment of one row from the command line, in a run
//! directory.

use anyhow::{Context, Result, ensure};
use wowflow_study::experiment::{
    self, AdaptRequest, DistillRequest, Ended, ExperimentConfig, Task, TransferRequest,
};

use super::{in_folder, on_threads, refuse_inside};
use crate::ExitStatus;
use crate::args::learn::{AdaptArgs, DistillArgs, ExperimentArgs, TransferArgs};
use crate::console::Console;
use crate::program::program;
use crate::tell;
use crate::watch::Watch;

pub(crate) fn transfer(args: &TransferArgs, console: &Console) -> Result<ExitStatus> {
    let shared = &args.pair.experiment;
    if shared.resume.is_some() {
        args.pair.ends.none_to_resume()?;
    }
    run(shared, Task::Transfer, console, || {
        let [source, target] = args.pair.ends.required()?;
        let request = TransferRequest {
            test: args.test.clone(),
            methods: args.methods.clone(),
            steps: args.pair.steps,
            published_tau: args.pair.published_tau,
            enlarge: positive(args.enlarge),
            runs_per_trial: args.trainings,
            epochs: args.epochs,
            resize: shared.resize,
            network: shared.network,
            trials: shared.tries,
            seed: shared.seed,
            ..TransferRequest::new(source, target)
        };
        Ok(request.config()?)
    })
}

pub(crate) fn adapt(args: &AdaptArgs, console: &Console) -> Result<ExitStatus> {
    let shared = &args.pair.experiment;
    if shared.resume.is_some() {
        args.pair.ends.none_to_resume()?;
    }
    run(shared, Task::Adaptation, console, || {
        let [source, target] = args.pair.ends.required()?;
        let request = AdaptRequest {
            methods: args.methods.clone(),
            steps: args.pair.steps,
            published_tau: args.pair.published_tau,
            look_every: args.every,
            training_steps: args.training_steps,
            classifier: args.classifier.clone(),
            save_classifier: args.save_classifier.clone(),
            resize: shared.resize,
            network: shared.network,
            trials: shared.tries,
            seed: shared.seed,
            ..AdaptRequest::new(source, target)
        };
        Ok(request.config()?)
    })
}

pub(crate) fn distill(args: &DistillArgs, console: &Console) -> Result<ExitStatus> {
    let shared = &args.experiment;
    run(shared, Task::Distillation, console, || {
        let dataset = args.dataset.as_deref().context("expected a dataset, found none")?;
        let request = DistillRequest {
            per_class: args.per_class,
            test: args.test.clone(),
            methods: args.methods.clone(),
            augment: args.augment,
            embed: args.embed.clone(),
            target_batch: positive(args.target_batch),
            steps: args.steps,
            runs_per_trial: args.trainings,
            epochs: args.epochs,
            resize: shared.resize,
            network: shared.network,
            trials: shared.tries,
            seed: shared.seed,
            ..DistillRequest::new(dataset)
        };
        Ok(request.config()?)
    })
}

/// 0 stands for none.
fn positive(count: usize) -> Option<usize> {
    (count > 0).then_some(count)
}

/// What a task is called on the command line.
fn command(task: Task) -> &'static str {
    match task {
        Task::Transfer => "transfer",
        Task::Adaptation => "adapt",
        Task::Distillation => "distill",
    }
}

/// Starts an experiment, or goes on with one.
fn run(
    args: &ExperimentArgs,
    task: Task,
    console: &Console,
    config: impl FnOnce() -> Result<ExperimentConfig> + Send,
) -> Result<ExitStatus> {
    let data_dir = args.common.data.data_dir.as_deref();
    on_threads(args.common.threads, || {
        let (program, watch) =
            (program(data_dir), Watch::new(console).cheaper_by("fewer --tries or --methods"));
        let (folder, config, ended) = match &args.resume {
            Some(folder) => {
                let config = experiment::stored(folder)?;
                ensure!(
                    config.task == task,
                    "expected a run of this command, found another in {}",
                    folder.display()
                );
                let ended = experiment::resume(folder, &program, &watch)?;
                (folder.clone(), config, ended)
            }
            None => {
                let config = config()?;
                refuse_inside(args.out.as_deref(), &config.dataset_names())?;
                let (out, ended) = in_folder(args.out.as_deref(), command(task), |out| {
                    Ok((out.to_owned(), experiment::start(&config, out, &program, &watch)?))
                })?;
                (out, config, ended)
            }
        };
        tell::experiment::draw_samples(&folder, &config, tell::experiment::Sheets::All)?;
        match ended {
            Ended::Finished(mut results) => tell::experiment::results(&mut results, console),
            Ended::Interrupted => {
                console.say(&format!(
                    "interrupted; finished repetitions are kept, go on with: wowflow {} --resume {}",
                    command(task),
                    folder.display()
                ));
                Ok(ExitStatus::Interrupted)
            }
        }
    })
}
