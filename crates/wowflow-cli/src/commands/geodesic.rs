//! `wowflow geodesic`: the datasets on the shortest way between two.

use std::path::Path;

use anyhow::Result;
use wowflow_report::study::geodesic::pictures;
use wowflow_study::geodesic::Problem;
use wowflow_study::record::{free_name, refuse_existing};

use super::on_threads;
use crate::ExitStatus;
use crate::args::geometry::GeodesicArgs;
use crate::console::Console;
use crate::program::program;
use crate::tell::geodesic as tell;
use crate::watch::Watch;

pub(crate) fn run(args: &GeodesicArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.exact.common.threads, || start(args, console))
}

fn start(args: &GeodesicArgs, console: &Console) -> Result<ExitStatus> {
    if let Some(out) = &args.exact.out {
        refuse_existing(out)?;
    }
    let program = program(args.exact.common.data.data_dir.as_deref());
    let problem = Problem::load(&args.request(), &program)?;
    let name = format!("{}-to-{}-geodesic", problem.source().name, problem.target().name);
    let out = args.exact.out.clone().unwrap_or_else(|| free_name(Path::new("runs"), &name, ""));
    tell::beginning(&problem, &out, console);
    // Until something is written Ctrl-C just ends the program.
    let way = problem.solve(&Watch::without_stop(console))?;
    let pictures = pictures(&way)?;
    let summary = match way.write(&out, &program, &pictures, &Watch::new(console)) {
        Ok(summary) => summary,
        Err(error) if error.is_interruption() => {
            console.say("interrupted; nothing was written");
            return Ok(ExitStatus::Interrupted);
        }
        Err(error) => return Err(error.into()),
    };
    tell::results(&summary, &out, console);
    let mut object = serde_json::to_value(&summary)?;
    object["out"] = out.display().to_string().into();
    console.object(&object)?;
    Ok(ExitStatus::Done)
}
