//! Runs a flow in its directory, from the start or from a checkpoint, to summary and pictures.

use std::ops::ControlFlow;

use anyhow::{Context, Result, bail};
use wowflow::flow::{FlowState, StopReason};
use wowflow::measure::MeasureOverMeasures;
use wowflow_report::rundir::RunDir;

use super::checkpoint::{self, Stored};
use super::config::FlowConfig;
use super::finish;
use super::problem::Objective;
use super::recorder::{Recorder, remove_unlisted_frames};
use crate::ExitStatus;
use crate::console::Console;
use crate::interrupt;
use crate::load::Named;
use crate::progress::Progress;

/// The two datasets of a run.
pub(crate) struct Data<'a> {
    pub(crate) source: &'a Named,
    pub(crate) target: &'a Named,
}

/// Takes a run from where it stands to its end.
pub(crate) fn execute<T: Stored>(
    run: &RunDir,
    config: &FlowConfig,
    data: &Data<'_>,
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
    console: &Console,
) -> Result<ExitStatus> {
    let mut objective = Objective::new(config, source, target)?;
    let flow = config.flow()?;
    let mmd2_initial = objective.mmd2_held_out(source);
    let resumed = checkpoint::latest(run, source, &config.hash()?)?;
    let (mut state, seconds) = match resumed {
        Some(found) => (found.state, found.seconds),
        None => (FlowState::new(source.clone()), 0.0),
    };
    let datasets = (&data.source.dataset, &data.target.dataset);
    let mut recorder = Recorder::open(run, config, datasets, target, state.step(), seconds)?;
    remove_unlisted_frames(run, |step| step < state.step())?;
    checkpoint::remove_before(run, state.step())?;

    interrupt::listen();
    let progress = Progress::steps(console, config.steps, state.step());
    let (mut trouble, mut arrived) = (None, false);
    let stop = flow.run(&mut state, &mut objective, |record, state| {
        progress.step(record);
        if let Err(error) = recorder.record(record, state, target) {
            trouble = Some(error);
            return ControlFlow::Break(());
        }
        // A squared MMD that is not positive is 0 up to rounding: what moves on from there is noise. From
        // mini-batches it may fall below 0 by chance.
        arrived = record.value <= 0.0 && config.target_batches.is_none();
        if arrived || interrupt::requested() && record.step < config.steps {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    progress.clear();
    if let Some(error) = trouble {
        let run = run.root().display();
        return Err(error.context(format!(
            "the flow stopped at step {}; go on with: wowflow flow --resume {run}",
            state.step()
        )));
    }
    let stop = if arrived { StopReason::Stationary } else { stop };
    match stop {
        StopReason::Interrupted => {
            recorder.checkpoint(&state)?;
            let (step, run) = (state.step(), run.root().display());
            console.say(&format!(
                "interrupted at step {step} of {}; go on with: wowflow flow --resume {run}",
                config.steps
            ));
            return Ok(ExitStatus::Interrupted);
        }
        StopReason::Diverged { step } => {
            recorder.flush()?;
            bail!(
                "expected finite numbers, found the flow diverging at step {step}: take a smaller --step-size than {}",
                config.step_size
            );
        }
        StopReason::StepsDone | StopReason::Stationary | StopReason::Settled => {}
    }
    recorder.frame(&state)?;
    recorder.checkpoint(&state)?;
    let words = format!(
        "interrupted after the last step; finish with: wowflow flow --resume {}",
        run.root().display()
    );
    interrupt::end_at_once_with(words.clone());
    if interrupt::requested() {
        console.say(&words);
        return Ok(ExitStatus::Interrupted);
    }
    let mmd2 = (mmd2_initial, objective.mmd2_held_out(state.particles()));
    finish::finish(
        run,
        config,
        data,
        (source, state.particles(), target),
        mmd2,
        stop,
        &mut recorder,
        state.step(),
        console,
    )
    .with_context(|| {
        let run = run.root().display();
        format!("the flow is done, its summary is not; finish with: wowflow flow --resume {run}")
    })
}
