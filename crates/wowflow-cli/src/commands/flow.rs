//! `wowflow flow`: from options to a run, or on with a stored one.

use anyhow::Result;
use wowflow::flow::{BatchSettings, Settings};
use wowflow::kernel::KernelSettings;
use wowflow_report::study;
use wowflow_study::flow::{self, Outcome, Request};

use super::{in_folder, on_threads, refuse_inside};
use crate::ExitStatus;
use crate::args::FlowArgs;
use crate::console::Console;
use crate::program::program;
use crate::tell;
use crate::watch::Watch;

/// What costs less, of a flow.
const LESS: &str = "fewer --steps or --directions, or fewer samples, such as mnist[train]:100,";

pub(crate) fn run(args: &FlowArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.common.threads, || {
        let program = program(args.common.data.data_dir.as_deref());
        let (watch, outcome) = match &args.resume {
            Some(folder) => {
                let watch = Watch::resumable(console, "flow", folder).cheaper_by(LESS);
                let outcome = flow::resume(folder, &program, &watch)?;
                (watch, outcome)
            }
            None => {
                let request = request(args)?;
                let name = format!("{}-to-{}", request.source, request.target);
                refuse_inside(args.out.as_deref(), &[&request.source, &request.target])?;
                in_folder(args.out.as_deref(), &name, |out| {
                    let watch = Watch::resumable(console, "flow", out).cheaper_by(LESS);
                    let outcome = flow::start(&request, out, &program, &watch)?;
                    Ok((watch, outcome))
                })?
            }
        };
        match outcome {
            Outcome::Finished(finished) => {
                let summary = study::flow::finish(&finished.run)?;
                tell::flow::finished(&summary, &finished.run, console)?;
                Ok(ExitStatus::Done)
            }
            Outcome::Interrupted { step, steps } => {
                let place = if step < steps {
                    format!("at step {step} of {steps}")
                } else {
                    "after the last step".into()
                };
                console.say(&watch.go_on(&format!("interrupted {place}")));
                Ok(ExitStatus::Interrupted)
            }
        }
    })
}

/// What was typed.
fn request(args: &FlowArgs) -> Result<Request> {
    let usual = Request::default();
    let [source, target] = match args.ends.given()? {
        Some(ends) => ends.map(str::to_owned),
        None => [usual.source, usual.target],
    };
    Ok(Request {
        source,
        target,
        settings: Settings {
            functional: args.functional.clone().unwrap_or_default(),
            kernel: KernelSettings {
                name: args.kernel.unwrap_or_default(),
                bandwidth: args.bandwidth.unwrap_or_default(),
                exponent: args.exponent.into(),
                smoothing: args.smoothing.into(),
            },
            steps: args.steps.into(),
            scheme: args.scheme.unwrap_or_default(),
            step_size: args.step_size.unwrap_or_default(),
            schedule: args.schedule.into(),
            momentum: args.momentum.into(),
            momentum_schedule: args.momentum_schedule.into(),
            directions: args.directions.into(),
            slicing: args.slicing.into(),
            redraw: args.redraw.into(),
            target_batches: args
                .target_batch
                .map(|size| BatchSettings { size, estimator: args.batch_estimator.into() }),
            settle_every: args.settle_every,
            seed: args.seed.unwrap_or_default(),
        },
        precision: args.precision.into(),
        checkpoint_every: args.checkpoint_every.into(),
        exact_limit: args.exact_limit.into(),
        neighbours_every: args.neighbours_every,
        distance_every: args.distance_every,
    })
}
