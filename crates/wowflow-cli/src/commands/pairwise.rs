//! `wowflow pairwise`: every pair of some datasets, as a matrix, a heat map and a map.

use anyhow::Result;
use wowflow_report::study;
use wowflow_study::distance::{self, Outcome};
use wowflow_study::record::write_bytes;

use super::{in_folder, on_threads, refuse_inside};
use crate::ExitStatus;
use crate::args::compare::PairwiseArgs;
use crate::console::Console;
use crate::program::program;
use crate::tell;
use crate::watch::Watch;

/// What costs less, of pairs.
const LESS: &str = "--sample N, or a sliced --method such as mmd-sw,";

pub(crate) fn run(args: &PairwiseArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.common.threads, || {
        let program = program(args.common.data.data_dir.as_deref());
        let (outcome, watch) = match &args.resume {
            Some(folder) => {
                let watch = Watch::resumable(console, "pairwise", folder).cheaper_by(LESS);
                (distance::resume(folder, &program, &watch)?, watch)
            }
            None => {
                refuse_inside(args.out.as_deref(), &args.datasets)?;
                in_folder(args.out.as_deref(), "pairwise", |out| {
                    let watch = Watch::resumable(console, "pairwise", out).cheaper_by(LESS);
                    let request = args.method.request();
                    Ok((distance::start(&args.datasets, &request, out, &program, &watch)?, watch))
                })?
            }
        };
        let Outcome::Finished(finished) = outcome else {
            console.say(&watch.go_on("interrupted; finished pairs are kept"));
            return Ok(ExitStatus::Interrupted);
        };
        let pictures = [
            ("heatmap.png", study::distance::heat_map(&finished)?),
            ("map.png", study::distance::map(&finished)?),
        ];
        let mut names = Vec::new();
        for (name, picture) in &pictures {
            write_bytes(&finished.run.file(name), &picture.to_png()?)?;
            names.push((*name).to_owned());
        }
        tell::distance::pairs(&finished.with_pictures(names)?, console)?;
        Ok(ExitStatus::Done)
    })
}
