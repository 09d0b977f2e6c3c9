//! `wowflow agreement`: which distances rank pairs of datasets as a reference does.

use anyhow::{Context, Result, bail};
use wowflow_report::study;
use wowflow_study::agreement::{self, Outcome, Request};
use wowflow_study::record::write_bytes;

use super::{in_folder, on_threads, refuse_inside};
use crate::ExitStatus;
use crate::args::compare::AgreementArgs;
use crate::console::Console;
use crate::program::program;
use crate::watch::Watch;

/// What costs less, of an experiment.
const LESS: &str = "fewer pairs, samples or methods in the file";

pub(crate) fn run(args: &AgreementArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.common.threads, || {
        let program = program(args.common.data.data_dir.as_deref());
        let (outcome, watch) = match (&args.resume, &args.file) {
            (Some(folder), _) => {
                let watch = Watch::resumable(console, "agreement", folder).cheaper_by(LESS);
                (agreement::resume(folder, &program, &watch)?, watch)
            }
            (None, Some(file)) => {
                let request = Request::read(file)?;
                let stem = file.file_stem().map_or("agreement".into(), |stem| stem.to_string_lossy());
                refuse_inside(args.out.as_deref(), &request.datasets)?;
                in_folder(args.out.as_deref(), &stem, |out| {
                    let watch = Watch::resumable(console, "agreement", out).cheaper_by(LESS);
                    let place = || file.display().to_string();
                    Ok((agreement::start(&request, out, &program, &watch).with_context(place)?, watch))
                })?
            }
            (None, None) => bail!("expected an experiment file, found none"),
        };
        let Outcome::Finished(finished) = outcome else {
            console.say(&watch.go_on("interrupted; finished pairs are kept"));
            return Ok(ExitStatus::Interrupted);
        };
        let mut names = Vec::new();
        for (name, picture) in study::agreement::pictures(&finished)? {
            write_bytes(&finished.run.file(&name), &picture.to_png()?)?;
            names.push(name);
        }
        let finished = finished.with_pictures(&names)?;
        finished.page.lines().for_each(|line| console.say(line));
        console.say(&format!("open {}", finished.run.file(&names[0]).display()));
        let mut object = finished.result;
        object["out"] = finished.run.root().display().to_string().into();
        console.object(&object)?;
        Ok(ExitStatus::Done)
    })
}
