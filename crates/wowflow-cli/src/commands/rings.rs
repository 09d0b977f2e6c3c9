//! `wowflow rings`: the decks' synthetic experiment, five functionals side by side.

use std::path::Path;

use anyhow::Result;
use wowflow_report::study;
use wowflow_study::record::{refuse_existing, write_bytes};
use wowflow_study::rings::{Request, solve};

use super::{in_folder, on_threads};
use crate::ExitStatus;
use crate::args::RingsArgs;
use crate::console::Console;
use crate::program::program;
use crate::watch::Watch;

pub(crate) fn run(args: &RingsArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.threads, || {
        args.out.iter().try_for_each(|out| refuse_existing(out))?;
        let watch = Watch::new(console).cheaper_by("fewer --steps, --samples or --directions");
        let (steps, samples, directions, seed) = (args.steps, args.samples, args.directions, args.seed);
        let solved = match solve(&Request { steps, samples, directions, seed }, &watch) {
            Err(error) if error.is_interruption() => {
                console.say("interrupted; nothing was written");
                return Ok(ExitStatus::Interrupted);
            }
            solved => solved?,
        };
        let pictures = study::rings::pictures(&solved)?;
        let table = in_folder(args.out.as_deref(), "rings", |out| {
            let written = solved.clone().write(out, &program(None), |_, run| {
                let write = |(name, bytes): &(&str, Vec<u8>)| {
                    write_bytes(&run.file(name), bytes)?;
                    Ok((*name).to_owned())
                };
                pictures.iter().map(write).collect()
            });
            Ok(written?)
        })?;
        console.say(&format!("from W_W2^2 {:.3e}, in {:.1} s", table.wow2_initial, table.seconds));
        console.say(&format!("open {}", Path::new(&table.out).join(&table.pictures[0]).display()));
        console.object(&table)?;
        Ok(ExitStatus::Done)
    })
}
