//! The commands, one file each.

pub(crate) mod agreement;
pub(crate) mod barycenter;
pub(crate) mod distance;
pub(crate) mod fetch;
pub(crate) mod flow;
pub(crate) mod geodesic;
pub(crate) mod info;
#[cfg(feature = "learn")]
pub(crate) mod learn;
pub(crate) mod pairwise;
#[cfg(feature = "learn")]
pub(crate) mod reproduce;
pub(crate) mod rings;

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use wowflow_data::DatasetSpec;
use wowflow_study::StudyError;
use wowflow_study::record::in_free_folder;

/// Where results go when no place is given.
const RUNS: &str = "runs";

/// The dataset, if any, in whose folder a place lies: what is written there would be taken for a part of it.
fn around<'a>(place: &Path, datasets: &'a [impl AsRef<str>]) -> Option<&'a str> {
    let holds = |name: &&str| name.parse().is_ok_and(|spec: DatasetSpec| spec.holds(place));
    datasets.iter().map(AsRef::as_ref).find(holds)
}

/// Fails where results would lie in the folder of a dataset, which could not be read any more.
fn refuse_inside(out: Option<&Path>, datasets: &[impl AsRef<str>]) -> Result<()> {
    let place = out.unwrap_or(Path::new(RUNS));
    let Some(name) = around(place, datasets) else { return Ok(()) };
    match out {
        None => bail!(
            "expected a place for {RUNS}/ outside the dataset {name}, found it inside: choose one with --out"
        ),
        Some(out) => bail!(
            "expected --out outside the dataset {name}, found {} inside: choose another place",
            out.display()
        ),
    }
}

/// Works in the folder that was chosen, or in one of a name that no other program takes.
fn in_folder<R>(out: Option<&Path>, name: &str, mut work: impl FnMut(&Path) -> Result<R>) -> Result<R> {
    let lost = |error: &anyhow::Error| error.downcast_ref().is_some_and(StudyError::is_taken);
    match out {
        Some(out) => work(out),
        None => in_free_folder(Path::new(RUNS), name, work, lost),
    }
}

/// Runs work on a pool of its own when a number of threads was asked for.
fn on_threads<R: Send>(threads: Option<u16>, work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    let builder = rayon::ThreadPoolBuilder::new();
    let cannot = |error: rayon::ThreadPoolBuildError| {
        anyhow!(
            "cannot start the threads: allow more of them, or take --threads 1 where the command has it: {error}"
        )
    };
    let Some(threads) = threads else {
        // The usual pool would start unasked, and panic where the system gives no threads.
        builder.build_global().map_err(cannot)?;
        return work();
    };
    let builder = builder.num_threads(usize::from(threads));
    // One thread is there already.
    let builder = if threads == 1 { builder.use_current_thread() } else { builder };
    builder.build().map_err(cannot)?.install(work)
}
