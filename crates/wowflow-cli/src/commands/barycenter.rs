//! `wowflow barycenter`: the mean of several datasets.

use std::path::Path;

use anyhow::Result;
use wowflow::ot::geometry::Stop;
use wowflow_report::study::barycenter::pictures;
use wowflow_study::barycenter::Problem;
use wowflow_study::record::{free_name, refuse_existing};

use super::{RUNS, in_folder, on_threads, refuse_inside};
use crate::ExitStatus;
use crate::args::geometry::BarycenterArgs;
use crate::console::Console;
use crate::interrupt;
use crate::program::program;
use crate::tell::barycenter as tell;
use crate::watch::Watch;

pub(crate) fn run(args: &BarycenterArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.exact.common.threads, || start(args, console))
}

fn start(args: &BarycenterArgs, console: &Console) -> Result<ExitStatus> {
    if let Some(out) = &args.exact.out {
        refuse_existing(out)?;
    }
    refuse_inside(args.exact.out.as_deref(), &args.datasets)?;
    let program = program(args.exact.common.data.data_dir.as_deref());
    let problem = Problem::load(&args.request(), &program)?;
    let name = default_name(&problem);
    let likely = args.exact.out.clone().unwrap_or_else(|| free_name(Path::new(RUNS), &name, ""));
    // From here on Ctrl-C stops after the step and keeps what is reached.
    let watch = Watch::new(console).cheaper_by("fewer samples or --max-iterations");
    tell::beginning(&problem, &likely, console);
    let mean = problem.solve(&watch)?;
    interrupt::stop_after("what was reached is written");
    let pictures = pictures(&mean)?;
    let (summary, out) = in_folder(args.exact.out.as_deref(), &name, |out| {
        Ok((mean.write(out, &program, &pictures)?, out.to_owned()))
    })?;
    tell::results(&summary, &out, console);
    let mut object = serde_json::to_value(&summary)?;
    object["out"] = out.display().to_string().into();
    console.object(&object)?;
    let stopped = summary.stop_reason == Stop::Interrupted;
    Ok(if stopped { ExitStatus::Interrupted } else { ExitStatus::Done })
}

/// All names where they are few.
fn default_name(problem: &Problem) -> String {
    let names: Vec<&str> = problem.datasets().iter().map(|data| &data.name[..]).collect();
    match names.as_slice() {
        [first, rest @ ..] if rest.len() > 2 => format!("barycenter-{first}-and-{}-others", rest.len()),
        few => format!("barycenter-{}", few.join("-")),
    }
}
