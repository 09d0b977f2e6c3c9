//! A flow of one dataset into another, recorded in a folder.
//!
//! ```
//! use wowflow_study::flow::{self, Outcome, Request};
//! use wowflow_study::record::Program;
//! let folder = tempfile::tempdir().unwrap();
//! let mut request = Request { source: "rings:source:20".into(), target: "rings:20".into(), ..Request::default() };
//! request.settings.steps = 20.into();
//! let outcome = flow::start(&request, &folder.path().join("run"), &Program::default(), &())?;
//! let Outcome::Finished(finished) = outcome else { panic!("nobody asked to stop") };
//! assert!(finished.summary.value_final < finished.summary.value_initial);
//! # Ok::<(), wowflow_study::StudyError>(())
//! ```

mod config;
mod pair;
mod recorder;
mod results;
mod session;

use std::path::Path;

use serde_json::Value;
use wowflow::dataset::Precision;
use wowflow_data::{DataError, Prepared, SingleLoss, bring_together, choose_precision, common_dimension};

use crate::error::{Result, require};
use crate::observer::{Observer, doing, note};
use crate::record::{
    Held, NpyScalar, Program, Provenance, RunDir, RunProvenance, Session, Summary, config_sha256, file_sum,
    refuse_existing, same,
};

pub use config::{Config, Request};
use pair::Pair;
pub use pair::exact_distance;
pub use recorder::VOTES;
use results::FLOWED_SUM;
use session::run;

/// How a flow ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is done, and its results are written.
    Finished(Box<Finished>),
    /// The observer asked to stop; a checkpoint is written, from which [`resume`] goes on.
    Interrupted {
        /// Steps taken.
        step: u64,
        /// Steps of the whole flow.
        steps: u64,
    },
}

/// A finished flow. While it lives, no other program works in its folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Where it is recorded.
    pub run: RunDir,
    /// How it ended.
    pub summary: Summary,
    /// Its folder stays claimed until the pictures are written.
    _held: Held,
}

/// Flows a dataset into another, in a new folder.
///
/// # Errors
/// A folder with content, data that cannot be read or do not fit, settings that do not go together, a flow that
/// diverges, a disk that is full.
pub fn start(request: &Request, out: &Path, program: &Program, observer: &dyn Observer) -> Result<Outcome> {
    refuse_existing(out)?;
    let (lookup, seed) = (program.lookup(None), request.settings.seed);
    let load =
        || Ok::<_, DataError>([lookup.load(&request.source, seed)?, lookup.load(&request.target, seed)?]);
    let mut both = doing(observer, "loading", load)?;
    bring_together(&mut both)?;
    let [source, target] = both;
    let pair = Pair { source: &source, target: &target };
    let (precision, loss) = precision(request, &source, &target)?;
    if let Some(loss) = loss {
        note(observer, &format!("in double precision: single would lose digits of {loss}"));
    }
    match precision {
        Precision::F32 => start_in::<f32>(request, out, pair, program, observer),
        Precision::F64 => start_in::<f64>(request, out, pair, program, observer),
    }
}

/// The largest coordinate of a flow.
const LARGEST: f64 = 1e150;

/// The precision of a flow, and what single precision would lose where it was left open.
fn precision(
    request: &Request,
    source: &Prepared,
    target: &Prepared,
) -> Result<(Precision, Option<SingleLoss>)> {
    common_dimension([source, target])?;
    let spreads = [source, target].into_iter().filter_map(|data| data.dataset.points().spread());
    let largest = spreads.map(|spread| spread.minimum.abs().max(spread.maximum.abs())).fold(0.0, f64::max);
    // Beyond, squares of distances and their sums are not finite.
    require!(
        (0.0..=LARGEST).contains(&largest),
        "expected values up to {LARGEST:e} for a flow, found {largest:e}: scale them"
    );
    Ok(choose_precision(
        request.precision,
        Precision::default(),
        &[source, target],
        SingleLoss::is_lost_near_one,
    )?)
}

/// Resolves what a flow is asked for against its datasets.
///
/// # Errors
/// Datasets of different dimensions, settings that do not go together.
pub fn resolve(request: &Request, source: &Prepared, target: &Prepared) -> Result<Config> {
    match precision(request, source, target)?.0 {
        Precision::F32 => resolve_in::<f32>(request, source, target),
        Precision::F64 => resolve_in::<f64>(request, source, target),
    }
}

fn resolve_in<T: NpyScalar>(request: &Request, source: &Prepared, target: &Prepared) -> Result<Config> {
    let (p, q) = (source.measure::<T>()?, target.measure::<T>()?);
    let resolved = request.settings.resolve(&p, &q)?;
    Ok(Config::new(request, (&source.name, &target.name), T::PRECISION, resolved))
}

fn start_in<T: NpyScalar>(
    request: &Request,
    out: &Path,
    pair: Pair<'_>,
    program: &Program,
    observer: &dyn Observer,
) -> Result<Outcome> {
    let Pair { source, target } = pair;
    let config = doing(observer, "measuring the data", || resolve_in::<T>(request, source, target))?;
    let provenance = RunProvenance::new(program, config.flow.seed, config_sha256(&config)?);
    let session = Session::start(out, &config, Provenance::new(provenance, [source, target]), |_| Ok(()))?;
    note(observer, &source.description);
    note(observer, &target.description);
    note(observer, &format!("flowing {} into {} in {}", source.name, target.name, out.display()));
    run::<T>(&session, &config, pair, observer)
}

/// Goes on with a flow that was interrupted or killed, under the configuration stored in its folder. Of a flow that is
/// done but has no pictures yet, the result is read.
///
/// # Errors
/// No such flow, one that is finished, data or a configuration that have changed; as [`start`].
pub fn resume(folder: &Path, program: &Program, observer: &dyn Observer) -> Result<Outcome> {
    let (session, config) = Session::resume_unfinished::<Config>(folder)?;
    session.unsealed().iter().for_each(|line| note(observer, line));
    if session.run().summary().exists() {
        let summary = session.run().read_summary()?;
        session.run().read_frames_index()?;
        if let Some(sum) = summary.extra.get(FLOWED_SUM).and_then(Value::as_str) {
            same(sum, &file_sum(&session.run().flowed())?, &session.run().flowed())?;
        }
        let (run, held) = (session.run().clone(), session.held());
        return Ok(Outcome::Finished(Box::new(Finished { run, summary, _held: held })));
    }
    let names = [config.source.as_str(), config.target.as_str()];
    let datasets = session.reload(program, &names, None, config.flow.seed)?;
    let pair = Pair { source: &datasets[0], target: &datasets[1] };
    note(
        observer,
        &format!("going on with {} into {} in {}", config.source, config.target, folder.display()),
    );
    match config.precision {
        Precision::F32 => run::<f32>(&session, &config, pair, observer),
        Precision::F64 => run::<f64>(&session, &config, pair, observer),
    }
}
