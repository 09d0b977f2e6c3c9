//! An experiment in its folder, from where it stands to its end: every pair by every method.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use wowflow::compare::compare;
use wowflow::dataset::{LabeledDataset, Precision};
use wowflow::measure::MeasureOverMeasures;
use wowflow::scalar::Scalar;
use wowflow_data::{Prepared, bring_together};

use super::config::{Config, NamedMethod};
use super::draw::{self, Drawn, Made};
use super::outcome::{Found, MethodOutcome, PairRecord, outcomes};
use super::request::Request;
use super::table;
use crate::distance::data::MOST_COSTS;
use crate::error::{Place, Result, StudyError, refuse};
use crate::observer::{Event, Observer, Unit, note};
use crate::record::{
    Config as _, Held, LineLog, Program, Provenance, RunDir, RunProvenance, SCHEMA, Session, config_sha256,
    read_lines, refuse_existing, write_bytes, write_sealed,
};

/// The log of finished pairs.
const LOG: &str = "pairs";

/// How an experiment ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All pairs are compared, and the results are written.
    Finished(Box<Finished>),
    /// The observer asked to stop; finished pairs are kept, and [`resume`] goes on.
    Interrupted,
}

/// All pairs, compared by all methods. While it lives, no other program works in its folder.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Where they are recorded.
    pub run: RunDir,
    /// The configuration.
    pub config: Config,
    /// What the pairs were made of.
    pub made: Vec<Made>,
    /// What was found of every pair.
    pub records: Vec<PairRecord>,
    /// How the methods did.
    pub outcomes: Vec<MethodOutcome>,
    /// The page of tables, in Markdown.
    pub page: String,
    /// `agreement.json`; without pictures until [`Finished::with_pictures`].
    pub result: Value,
    /// Its folder stays claimed until the pictures are written.
    _held: Held,
}

impl Finished {
    /// Names the pictures in `agreement.json`, which finishes the run.
    ///
    /// # Errors
    /// A place that cannot be written.
    pub fn with_pictures(mut self, pictures: &[String]) -> Result<Self> {
        self.result["pictures"] = json!(pictures);
        write_sealed(&Config::result(&self.run), &self.result)?;
        Ok(self)
    }
}

/// Runs an experiment in a new folder.
///
/// # Errors
/// A folder with content, data that cannot be read or do not fit, a rule that asks too much of the datasets.
pub fn start(request: &Request, out: &Path, program: &Program, observer: &dyn Observer) -> Result<Outcome> {
    refuse_existing(out)?;
    let lookup = program.lookup(request.resize);
    let datasets = request.datasets.iter().map(|name| lookup.load(name, request.seed));
    let mut datasets = datasets.collect::<Result<Vec<_>, _>>()?;
    bring_together(&mut datasets)?;
    let work = Work::new(request.resolve(&datasets)?, &datasets)?;
    let run = RunProvenance::new(program, work.config.seed, config_sha256(&work.config)?);
    let provenance = Provenance::new(run, &datasets);
    let session = Session::start(out, &work.config, provenance, |run| write_bytes(&run.log(LOG), b""))?;
    work.run(&session, Vec::new(), observer)
}

/// Goes on with an experiment that was interrupted or killed. Of one that is done but has no pictures yet, the results
/// are made from its log.
///
/// # Errors
/// No such experiment, one that is finished, data or a configuration that have changed.
pub fn resume(folder: &Path, program: &Program, observer: &dyn Observer) -> Result<Outcome> {
    let (session, config) = Session::resume_unfinished::<Config>(folder)?;
    session.unsealed().iter().for_each(|line| note(observer, line));
    let log = session.run().log(LOG);
    let finished = read_lines(&log, |earlier: &[PairRecord], record| record.check(earlier, &config))?;
    let names: Vec<&str> = config.datasets.iter().map(String::as_str).collect();
    let datasets = session.reload(program, &names, config.resize, config.seed)?;
    Work::new(config, &datasets)?.run(&session, finished, observer)
}

/// Everything that is known before the first pair.
struct Work<'a> {
    config: Config,
    datasets: &'a [Prepared],
    pairs: Vec<Drawn>,
}

impl<'a> Work<'a> {
    fn new(config: Config, datasets: &'a [Prepared]) -> Result<Self> {
        draw::check(&config, datasets)?;
        let sets: Vec<&LabeledDataset> = datasets.iter().map(|prepared| &prepared.dataset).collect();
        let count = config.pairs.count;
        let pairs: Vec<Drawn> =
            (0..count).map(|index| draw::pair(&config.pairs, &sets, config.seed, index)).collect();
        for (index, Drawn { left, right, .. }) in pairs.iter().enumerate() {
            let (n, m) = (left.rows.len(), right.rows.len());
            if let Some(large) = config.methods.iter().find(|named| named.method.memory(n, m) > MOST_COSTS) {
                refuse!(
                    "expected at most {MOST_COSTS} costs between samples by {}, found more between {n} and {m} in pair {index}: lower pairs.samples or leave out the method",
                    large.label
                );
            }
        }
        Ok(Self { config, datasets, pairs })
    }

    /// Compares what is not finished yet, then writes the results.
    fn run(self, session: &Session, finished: Vec<PairRecord>, observer: &dyn Observer) -> Result<Outcome> {
        let folder = session.run().root();
        observer.event(&Event::Safe("interrupted; finished pairs are kept"));
        note(observer, &self.config.describe());
        let kept = match finished.len() {
            0 => String::new(),
            count => format!(", {count} of them are there"),
        };
        let (pairs, methods) = (self.pairs.len(), self.config.methods.len());
        note(
            observer,
            &format!("comparing {pairs} pairs by {methods} methods in {}{kept}", folder.display()),
        );
        let records = match self.config.precision {
            Precision::F32 => self.compare_all::<f32>(session.run(), finished, observer),
            Precision::F64 => self.compare_all::<f64>(session.run(), finished, observer),
        };
        Ok(match session.unless_interrupted(records, "finished pairs are kept")? {
            Some(records) => Outcome::Finished(Box::new(self.finish(session, records)?)),
            None => Outcome::Interrupted,
        })
    }

    /// One pair after another and one method after another, so that seconds mean something.
    fn compare_all<T: Scalar>(
        &self,
        run: &RunDir,
        mut records: Vec<PairRecord>,
        observer: &dyn Observer,
    ) -> Result<Vec<PairRecord>> {
        let mut log = LineLog::open(&run.log(LOG))?;
        let total = Some(self.pairs.len() as u64);
        observer.event(&Event::Began { unit: Unit::Pairs, total, done: records.len() as u64 });
        let done: Vec<usize> = records.iter().map(|record| record.pair).collect();
        for (pair, drawn) in self.pairs.iter().enumerate().filter(|(pair, _)| !done.contains(pair)) {
            let [left, right] = [&drawn.left, &drawn.right].map(|side| &self.datasets[side.set]);
            let place = || format!("pair {pair}, {} and {}", left.name, right.name);
            let [p, q] = self.measures::<T>(drawn).at(place)?;
            let one = |named: &NamedMethod| -> Result<Found> {
                if observer.stop_requested() {
                    return Err(StudyError::Interrupted);
                }
                observer.event(&Event::Doing(&named.label));
                let started = Instant::now();
                let found = compare(&p, &q, &named.method, self.config.seed)
                    .at(|| format!("{} by {}", place(), named.label))?;
                let seconds = started.elapsed().as_secs_f64();
                Ok(Found { value: found.value, certainty: found.certainty.record(), seconds })
            };
            let found: Result<_> = self.config.methods.iter().map(one).collect();
            if found.is_err() {
                observer.event(&Event::Ended);
            }
            let record = PairRecord { pair, found: found? };
            log.append(&record)?;
            records.push(record);
            let detail = format!("{} - {}", left.name, right.name);
            observer.event(&Event::Advanced { done: records.len() as u64, detail: &detail });
        }
        observer.event(&Event::Ended);
        records.sort_by_key(|record| record.pair);
        Ok(records)
    }

    fn measures<T: Scalar>(&self, drawn: &Drawn) -> Result<[MeasureOverMeasures<T>; 2]> {
        let side = |side: &draw::Side| -> Result<MeasureOverMeasures<T>> {
            let chosen = self.datasets[side.set].dataset.select(&side.rows)?;
            Ok(MeasureOverMeasures::from_dataset(&chosen)?)
        };
        Ok([side(&drawn.left)?, side(&drawn.right)?])
    }

    /// Writes tables and the result, which names no pictures yet.
    fn finish(self, session: &Session, records: Vec<PairRecord>) -> Result<Finished> {
        let Self { config, datasets, pairs } = self;
        let run = session.run();
        let made: Vec<Made> = pairs.iter().map(|drawn| drawn.made(datasets)).collect();
        let outcomes = outcomes(&config, &records);
        let page = table::markdown(&config, &outcomes);
        write_bytes(&run.file("agreement.csv"), table::csv(&config, &made, &records).as_bytes())?;
        write_bytes(&run.file("agreement.md"), page.as_bytes())?;
        let values = |record: &PairRecord| record.found.iter().map(|found| found.value).collect::<Vec<_>>();
        // Certainties and seconds of single pairs stay in pairs.jsonl.
        let compared: Vec<Value> = made
            .iter()
            .zip(&records)
            .map(|(made, record)| json!({ "pair": record.pair, "made": made, "values": values(record) }))
            .collect();
        let result = json!({
            "schema": SCHEMA,
            "title": config.title,
            "methods": outcomes,
            "pictures": [],
            "config": config,
            "provenance": session.provenance(),
            "pairs": compared,
        });
        write_sealed(&Config::result(run), &result)?;
        Ok(Finished {
            run: run.clone(),
            config,
            made,
            records,
            outcomes,
            page,
            result,
            _held: session.held(),
        })
    }
}
