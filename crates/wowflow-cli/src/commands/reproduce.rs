//! `wowflow reproduce`: an experiment from a file, run or gone on with, its results beside the published ones.

use anyhow::{Context, Result, bail};
use wowflow_study::experiment::{Ended, Filter, Growth, NamedExperiment, Outdated, Version, grow, known};

use super::{around, on_threads};
use crate::ExitStatus;
use crate::args::learn::ReproduceArgs;
use crate::console::Console;
use crate::program::program;
use crate::tell;
use crate::watch::Watch;

pub(crate) fn run(args: &ReproduceArgs, console: &Console) -> Result<ExitStatus> {
    if args.list {
        for (name, config) in known()? {
            console.say(&format!("{name:28} {}", config.title));
        }
        return Ok(ExitStatus::Done);
    }
    let asked = args.name.as_deref().context("expected the name of an experiment, found none")?;
    on_threads(args.common.threads, || reproduce(asked, args, console))
}

fn reproduce(asked: &str, args: &ReproduceArgs, console: &Console) -> Result<ExitStatus> {
    let version = if args.quick { Version::Quick } else { Version::Whole };
    let NamedExperiment { name, config, published } = NamedExperiment::open(asked, version)?;
    for place in [&args.runs, &args.out] {
        if let Some(dataset) = around(place, &config.dataset_names()) {
            bail!(
                "expected {} outside the dataset {dataset}, found it inside: choose other folders with --out and --runs",
                place.display()
            );
        }
    }
    let growth = Growth {
        name: &name,
        config: &config,
        published: published.as_ref(),
        filter: Filter {
            rows: args.rows.clone(),
            methods: args.methods.clone(),
            trials: args.tries,
            runs_per_trial: args.trainings,
        },
        outdated: if args.set_aside { Outdated::SetAside } else { Outdated::Refused },
        runs: &args.runs,
        results: &args.out,
    };
    let ended = grow(
        &growth,
        &program(args.common.data.data_dir.as_deref()),
        &Watch::new(console).cheaper_by("--quick, or fewer --rows, --methods or --tries,"),
    )?;
    tell::experiment::draw_samples(&args.runs.join(&name), &config, tell::experiment::Sheets::Missing)?;
    match ended {
        Ended::Finished(mut results) => tell::experiment::results(&mut results, console),
        Ended::Interrupted => {
            console.say("interrupted; finished repetitions are kept, the same command goes on with them");
            Ok(ExitStatus::Interrupted)
        }
    }
}
