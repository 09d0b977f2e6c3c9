//! `wowflow geodesic`: the datasets on the shortest way between two.

use std::path::Path;

use anyhow::Result;
use wowflow_report::study::geodesic::pictures;
use wowflow_study::geodesic::Problem;
use wowflow_study::record::{free_name, refuse_existing};

use super::{RUNS, in_folder, on_threads, refuse_inside};
use crate::ExitStatus;
use crate::args::geometry::GeodesicArgs;
use crate::console::Console;
use crate::interrupt;
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
    let request = args.request()?;
    refuse_inside(args.exact.out.as_deref(), &[&request.source, &request.target])?;
    let program = program(args.exact.common.data.data_dir.as_deref());
    let problem = Problem::load(&request, &program)?;
    let name = format!("{}-to-{}-geodesic", problem.source().name, problem.target().name);
    let likely = args.exact.out.clone().unwrap_or_else(|| free_name(Path::new(RUNS), &name, ""));
    tell::beginning(&problem, &likely, console);
    let watch = Watch::new(console).cheaper_by("fewer samples, such as glyphs:letters:50,");
    interrupt::end_at_once_with("interrupted; nothing was written".into());
    let way = problem.solve(&watch)?;
    let pictures = pictures(&way)?;
    interrupt::stop_after("this dataset");
    let written = in_folder(args.exact.out.as_deref(), &name, |out| {
        Ok(match way.write(out, &program, &pictures, &watch) {
            Err(error) if error.is_interruption() => None,
            written => Some((written?, out.to_owned())),
        })
    })?;
    let Some((summary, out)) = written else {
        console.say("interrupted; nothing was written");
        return Ok(ExitStatus::Interrupted);
    };
    tell::results(&summary, &out, console);
    let mut object = serde_json::to_value(&summary)?;
    object["out"] = out.display().to_string().into();
    console.object(&object)?;
    Ok(ExitStatus::Done)
}
