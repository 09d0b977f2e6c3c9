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

use anyhow::{Context, Result};

/// Runs work on a pool of its own when a number of threads was asked for.
fn on_threads<R: Send>(threads: Option<u16>, work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    let Some(threads) = threads else { return work() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build();
    pool.context("cannot start the threads")?.install(work)
}
