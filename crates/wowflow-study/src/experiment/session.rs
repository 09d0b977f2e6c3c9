//! Experiments in their folders: started, resumed, grown.

use std::path::Path;

use super::config::ExperimentConfig;
use super::log::{Outdated, finished, gathered, log_of};
use super::published::Published;
use super::repetition::Repetition;
use super::results::{Destination, Parts, Results};
use super::run::{End, Filter, check_data, execute};
use super::samples::{self, MayMiss};
use crate::error::{Result, require};
use crate::observer::{Observer, doing, note};
use crate::record::{
    Config, Program, Provenance, RunProvenance, Session, config_sha256, refuse_existing, write_bytes,
    write_json,
};

/// The name of the results in a run directory.
const RESULTS: &str = "results";

/// How a session of an experiment ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// All that was asked for is there.
    Finished(Box<Results>),
    /// The observer asked to stop; finished repetitions are kept, and [`resume`] or [`grow`] go on with them.
    Interrupted,
}

/// Runs an experiment in a new folder: `config.json`, `provenance.json`, `repetitions.jsonl`, `samples/`, and
/// `results.json` with `results.md` when it is finished.
///
/// # Errors
/// A folder with content, settings that do not fit together, data that cannot be used: nothing is written then. What a
/// repetition fails with: those before it are kept.
pub fn start(
    config: &ExperimentConfig,
    out: &Path,
    program: &Program,
    observer: &dyn Observer,
) -> Result<Ended> {
    refuse_existing(out)?;
    config.check()?;
    if let Some(path) = &config.save_classifier {
        let found = path.display();
        require!(!path.exists(), "expected a new file to write the classifier to, found {found}");
    }
    // Data that cannot be used are refused before anything is written.
    doing(observer, "loading", || check_data(config, &program.lookup(None)))?;
    let run = RunProvenance::new(program, config.seed, config_sha256(config)?);
    let session =
        Session::start(out, config, Provenance::new(run, []), |run| write_bytes(&log_of(run), b""))?;
    go_on(&session, config.clone(), program, observer)
}

/// The experiment in a run directory, without going on with it.
///
/// # Errors
/// No such folder, or one of something else.
pub fn stored(folder: &Path) -> Result<ExperimentConfig> {
    Ok(Session::open::<ExperimentConfig>(folder)?.1)
}

/// Goes on with an experiment that was interrupted or killed, under the configuration stored there. Of one that is done
/// but has no pictures yet, the results are made from its log.
///
/// # Errors
/// No such experiment, a finished one, one that another program works on, data that have changed, what a repetition
/// fails with.
pub fn resume(folder: &Path, program: &Program, observer: &dyn Observer) -> Result<Ended> {
    let (session, config) = Session::resume_unfinished::<ExperimentConfig>(folder)?;
    session.unsealed().iter().for_each(|line| note(observer, line));
    go_on(&session, config, program, observer)
}

fn go_on(
    session: &Session,
    config: ExperimentConfig,
    program: &Program,
    observer: &dyn Observer,
) -> Result<Ended> {
    let (run, provenance) = (session.run(), session.provenance().run.clone());
    let kept = finished(run, &config)?;
    samples::check(run, &kept, MayMiss::No)?;
    note(observer, &format!("{} in {}", config.title, run.root().display()));
    let lookup = program.at(&provenance).lookup(None);
    let (repetitions, end) = execute(run, &config, &Filter::default(), kept, &lookup, observer)?;
    if end == End::Interrupted {
        return Ok(Ended::Interrupted);
    }
    let mut told: Vec<&String> = Vec::new();
    for line in repetitions.iter().flat_map(|repetition| &repetition.notes) {
        if !told.contains(&line) {
            note(observer, &format!("  {line}"));
            told.push(line);
        }
    }
    let place = Destination { folder: run.root().to_owned(), name: RESULTS.to_owned() };
    let parts = Parts { config, provenance, repetitions, published: None };
    Ok(Ended::Finished(Box::new(Results::write(place, parts)?.holding(session.held()))))
}

/// An experiment that may grow by rows and methods: finished repetitions are kept apart from its results, and results
/// alone are enough to go on from.
#[derive(Clone, Debug)]
pub struct Growth<'a> {
    /// The name of its folder and of its results.
    pub name: &'a str,
    /// The experiment as it is now.
    pub config: &'a ExperimentConfig,
    /// Published curves that its own are shown beside.
    pub published: Option<&'a Published>,
    /// What is asked for now.
    pub filter: Filter,
    /// What becomes of repetitions of other settings.
    pub outdated: Outdated,
    /// The folder of finished repetitions is `runs/NAME`.
    pub runs: &'a Path,
    /// Results go to `results/NAME.json` and beside it.
    pub results: &'a Path,
}

/// Runs what is asked for and not there yet, and makes results of all that is there.
///
/// # Errors
/// Rows or methods that the experiment does not have, repetitions of other settings, another program at work there,
/// data that have changed, what a repetition fails with: those before it are kept.
pub fn grow(growth: &Growth<'_>, program: &Program, observer: &dyn Observer) -> Result<Ended> {
    let config = growth.config;
    config.check()?;
    growth.filter.check(config)?;
    let provenance = RunProvenance::new(program, config.seed, config_sha256(config)?);
    let out = growth.runs.join(growth.name);
    let session = Session::grow(&out, config, Provenance::new(provenance.clone(), []), |run| {
        write_bytes(&log_of(run), b"")
    })?;
    let run = session.run();
    // Every repetition is checked against the settings of its method: methods and rows may be added.
    let place = Destination { folder: growth.results.to_owned(), name: growth.name.to_owned() };
    let kept = gathered(run, &place.file(".json"), config, growth.outdated)?;
    samples::check(run, &kept, MayMiss::Yes)?;
    write_json(&run.config(), config)?;
    note(observer, &standing(config, run.root(), &kept));
    let lookup = program.lookup(None);
    let (repetitions, end) = execute(run, config, &growth.filter, kept, &lookup, observer)?;
    if end == End::Interrupted {
        return Ok(Ended::Interrupted);
    }
    let (config, published) = (config.clone(), growth.published.cloned());
    let parts = Parts { config, provenance, repetitions, published };
    Ok(Ended::Finished(Box::new(Results::write(place, parts)?)))
}

/// How many repetitions are there.
fn standing(config: &ExperimentConfig, root: &Path, kept: &[Repetition]) -> String {
    let (there, total) = (kept.len(), config.total());
    let whole = kept.iter().all(|repetition| repetition.accuracies.len() >= config.runs_per_repetition());
    let complete = if there == total && whole { ": complete" } else { "" };
    format!("{} in {}, {there} of {total} repetitions are there{complete}", config.title, root.display())
}
