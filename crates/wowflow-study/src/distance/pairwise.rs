//! Every pair of some datasets: a matrix, resumably.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wowflow::compare::{CertaintyRecord, compare};
use wowflow::dataset::Precision;
use wowflow::measure::MeasureOverMeasures;
use wowflow::scalar::Scalar;
use wowflow_data::{Prepared, bring_together};

use super::config::{Config, Request};
use super::data::{Counts, MOST_COSTS, check_size, measure};
use crate::error::{Place, Result, StudyError, require};
use crate::observer::{Event, Observer, Unit, doing, note};
use crate::record::{
    Held, LineLog, Program, Provenance, RunDir, RunProvenance, SCHEMA, Session, config_sha256, read_lines,
    refuse_existing, write_bytes, write_json, write_sealed,
};
use crate::text::csv_line;

/// The log of finished pairs.
const LOG: &str = "pairs";

/// One line of `pairs.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairRecord {
    /// Indices into the datasets of the configuration, `left < right`.
    pub left: usize,
    /// The other dataset.
    pub right: usize,
    /// The distance.
    pub value: f64,
    /// Its power.
    pub power: f64,
    /// How certain it is.
    pub certainty: CertaintyRecord,
    /// Seconds it took.
    pub seconds: f64,
}

/// `summary.json`, the last file written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the layout.
    pub schema: u32,
    /// How the distance is written.
    pub distance: String,
    /// Number of datasets.
    pub datasets: usize,
    /// Number of pairs.
    pub pairs: usize,
    /// Sum over pairs; less on the clock where pairs run side by side.
    pub seconds: f64,
    /// The two datasets that are nearest.
    pub nearest: [String; 2],
    /// File names of the pictures.
    pub pictures: Vec<String>,
}

/// How a comparison of many ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All pairs are compared, and the results are written.
    Finished(Box<Finished>),
    /// The observer asked to stop; finished pairs are kept, and [`resume`] goes on.
    Interrupted,
}

/// All pairs, compared. While it lives, no other program works in their folder.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Where they are recorded.
    pub run: RunDir,
    /// The configuration.
    pub config: Config,
    /// All pairs, in order.
    pub records: Vec<PairRecord>,
    /// The symmetric matrix of distances, row-major.
    pub matrix: Vec<f64>,
    /// `distances.json`.
    pub table: Value,
    /// How it ended; without pictures until [`Finished::with_pictures`].
    pub summary: Summary,
    /// Its folder stays claimed until the pictures are written.
    _held: Held,
}

/// Compares datasets two by two in a new folder.
///
/// # Errors
/// A folder with content, fewer than two datasets or one twice, data that cannot be read or do not fit, a kernel whose
/// bandwidth is left open: one kernel is for all pairs.
pub fn start(
    datasets: &[String],
    request: &Request,
    out: &Path,
    program: &Program,
    observer: &dyn Observer,
) -> Result<Outcome> {
    refuse_existing(out)?;
    require!(datasets.len() > 1, "expected two or more datasets, found {}", datasets.len());
    let lookup = program.lookup(request.resize);
    let datasets = datasets.iter().map(|name| lookup.load(name, request.seed));
    let mut datasets = doing(observer, "loading", || datasets.collect::<Result<Vec<_>, _>>())?;
    bring_together(&mut datasets)?;
    let config = Config::new(request, &datasets)?;
    let names = &config.datasets;
    if let Some((_, twice)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        crate::error::refuse!("expected every dataset once, found {twice} twice");
    }
    require!(
        !config.method.measures_bandwidth(),
        "expected a bandwidth, one kernel for all pairs, found auto: a distance of two datasets tells that of a pair"
    );
    let run = RunProvenance::new(program, config.seed, config_sha256(&config)?);
    let provenance = Provenance::new(run, &datasets);
    let work = Work::new(config, &datasets)?;
    let session = Session::start(out, &work.config, provenance, |run| write_bytes(&run.log(LOG), b""))?;
    work.run(&session, Vec::new(), observer)
}

/// Goes on with a comparison of many that was interrupted or killed. Of one that is done but has no pictures yet, the
/// results are made from its log.
///
/// # Errors
/// No such comparison, one that is finished, data or a configuration that have changed.
pub fn resume(folder: &Path, program: &Program, observer: &dyn Observer) -> Result<Outcome> {
    let (session, config) = Session::resume_unfinished::<Config>(folder)?;
    session.unsealed().iter().for_each(|line| note(observer, line));
    let place = session.run();
    let finished = read_pairs(&place.log(LOG), config.datasets.len())?;
    let names: Vec<&str> = config.datasets.iter().map(String::as_str).collect();
    let datasets = session.reload(program, &names, config.resize, config.seed)?;
    Work::new(config, &datasets)?.run(&session, finished, observer)
}

/// All pairs of so many datasets, in order.
fn pairs_of(count: usize) -> Vec<(usize, usize)> {
    (0..count).flat_map(|left| (left + 1..count).map(move |right| (left, right))).collect()
}

/// The finished pairs of a run of so many datasets.
fn read_pairs(path: &Path, count: usize) -> Result<Vec<PairRecord>> {
    read_lines(path, |records: &[PairRecord], record| {
        let (left, right) = (record.left, record.right);
        let new = records.iter().all(|known| (known.left, known.right) != (left, right));
        require!(
            left < right && right < count && new,
            "expected another pair of the {count} datasets, found {left} and {right}"
        );
        Ok(())
    })
}

/// Everything that is known before the first pair.
struct Work {
    config: Config,
    measures: Measures,
    lines: Vec<String>,
}

/// The datasets in one precision.
enum Measures {
    Single(Vec<MeasureOverMeasures<f32>>),
    Double(Vec<MeasureOverMeasures<f64>>),
}

impl Work {
    fn new(config: Config, datasets: &[Prepared]) -> Result<Self> {
        let (measures, lines) = match config.precision {
            Precision::F32 => {
                let (measures, lines) = measured(&config, datasets)?;
                (Measures::Single(measures), lines)
            }
            Precision::F64 => {
                let (measures, lines) = measured(&config, datasets)?;
                (Measures::Double(measures), lines)
            }
        };
        Ok(Self { config, measures, lines })
    }

    /// Compares what is not finished yet, then writes the results.
    fn run(self, session: &Session, finished: Vec<PairRecord>, observer: &dyn Observer) -> Result<Outcome> {
        let folder = session.run().root();
        observer.event(&Event::Safe("interrupted; finished pairs are kept"));
        self.lines.iter().for_each(|line| note(observer, line));
        let kept = match finished.len() {
            0 => String::new(),
            count => format!(", {count} of them are there"),
        };
        let (pairs, method) = (pairs_of(self.config.datasets.len()).len(), self.config.method.name());
        note(observer, &format!("comparing {pairs} pairs by {method} in {}{kept}", folder.display()));
        let records = match &self.measures {
            Measures::Single(measures) => self.compare_all(session.run(), measures, finished, observer),
            Measures::Double(measures) => self.compare_all(session.run(), measures, finished, observer),
        };
        Ok(match session.unless_interrupted(records, "finished pairs are kept")? {
            Some(records) => Outcome::Finished(Box::new(self.finish(session, records)?)),
            None => Outcome::Interrupted,
        })
    }

    fn compare_all<T: Scalar>(
        &self,
        run: &RunDir,
        measures: &[MeasureOverMeasures<T>],
        mut records: Vec<PairRecord>,
        observer: &dyn Observer,
    ) -> Result<Vec<PairRecord>> {
        let all = pairs_of(self.config.datasets.len());
        let done = |pair: &(usize, usize)| records.iter().any(|known| (known.left, known.right) == *pair);
        let open: Vec<(usize, usize)> = all.iter().copied().filter(|pair| !done(pair)).collect();
        let log = Mutex::new(LineLog::open(&run.log(LOG))?);
        let there = AtomicU64::new(records.len() as u64);
        let (total, done) = (Some(all.len() as u64), records.len() as u64);
        observer.event(&Event::Began { unit: Unit::Pairs, total, done });
        let (names, method) = (&self.config.datasets, &self.config.method);
        let one = |&(left, right): &(usize, usize)| -> Result<PairRecord> {
            if observer.stop_requested() {
                return Err(StudyError::Interrupted);
            }
            let started = Instant::now();
            let found = compare(&measures[left], &measures[right], method, self.config.seed);
            let found = found.at(|| format!("{} and {}", names[left], names[right]))?;
            let record = PairRecord {
                left,
                right,
                value: found.value,
                power: found.power,
                certainty: found.certainty.record(),
                seconds: started.elapsed().as_secs_f64(),
            };
            let mut log = log.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            log.append(&record)?;
            let done = there.fetch_add(1, Ordering::Relaxed) + 1;
            observer.event(&Event::Advanced { done, detail: &format!("{} - {}", names[left], names[right]) });
            Ok(record)
        };
        // Methods that use all cores take the pairs in turn: less memory, and seconds that mean something. Of
        // others as many run side by side as their costs fit in memory.
        let samples = |(left, right): &(usize, usize)| {
            method.memory(measures[*left].sample_count(), measures[*right].sample_count())
        };
        let largest = open.iter().map(samples).max().unwrap_or(0).max(1);
        let side_by_side = if method.serial() { (MOST_COSTS / largest).max(1) } else { 1 };
        let compared: Result<Vec<Vec<PairRecord>>> = open
            .chunks(side_by_side)
            .map(|some| some.par_iter().with_max_len(1).map(one).collect::<Result<Vec<_>>>())
            .collect();
        observer.event(&Event::Ended);
        records.extend(compared?.into_iter().flatten());
        records.sort_by_key(|record| (record.left, record.right));
        Ok(records)
    }

    /// Writes the matrix and the summary, which names no pictures yet.
    fn finish(self, session: &Session, records: Vec<PairRecord>) -> Result<Finished> {
        let run = session.run();
        let names = &self.config.datasets;
        let count = names.len();
        let square = |of: &dyn Fn(&PairRecord) -> Value, diagonal: &Value| -> Vec<Vec<Value>> {
            let mut rows = vec![vec![diagonal.clone(); count]; count];
            for record in &records {
                rows[record.left][record.right] = of(record);
                rows[record.right][record.left] = of(record);
            }
            rows
        };
        let mut matrix = vec![0.0; count * count];
        for record in &records {
            matrix[record.left * count + record.right] = record.value;
            matrix[record.right * count + record.left] = record.value;
        }
        let symbol = self.config.method.symbol();
        let table = json!({
            "schema": SCHEMA,
            "distance": symbol,
            "names": names,
            "values": square(&|record| json!(record.value), &json!(0.0)),
            "powers": square(&|record| json!(record.power), &json!(0.0)),
            "certainty": square(&|record| json!(record.certainty), &Value::Null),
            "seconds": square(&|record| json!(record.seconds), &Value::Null),
            "config": self.config,
        });
        write_json(&run.file("distances.json"), &table)?;
        write_bytes(&run.file("distances.csv"), csv(names, &matrix).as_bytes())?;
        let nearest = records.iter().min_by(|x, y| x.value.total_cmp(&y.value));
        let nearest = nearest.at(|| "expected at least one pair, found none".to_owned())?;
        let summary = Summary {
            schema: SCHEMA,
            distance: symbol,
            datasets: count,
            pairs: records.len(),
            seconds: records.iter().map(|record| record.seconds).sum(),
            nearest: [names[nearest.left].clone(), names[nearest.right].clone()],
            pictures: Vec::new(),
        };
        write_sealed(&run.summary(), &summary)?;
        let (run, held) = (run.clone(), session.held());
        Ok(Finished { run, config: self.config, records, matrix, table, summary, _held: held })
    }
}

impl Finished {
    /// Names the pictures in `summary.json`, which finishes the run.
    ///
    /// # Errors
    /// A place that cannot be written.
    pub fn with_pictures(mut self, pictures: Vec<String>) -> Result<Self> {
        self.summary.pictures = pictures;
        write_sealed(&self.run.summary(), &self.summary)?;
        Ok(self)
    }
}

/// The datasets as measures, and a line on each; pairs that do not fit in memory are refused.
fn measured<T: Scalar>(
    config: &Config,
    datasets: &[Prepared],
) -> Result<(Vec<MeasureOverMeasures<T>>, Vec<String>)> {
    let measures = datasets.iter().map(|data| measure::<T>(data, config)).collect::<Result<Vec<_>>>()?;
    for (left, right) in pairs_of(datasets.len()) {
        let names = [datasets[left].name.as_str(), datasets[right].name.as_str()];
        check_size(&config.method, names, measures[left].sample_count(), measures[right].sample_count())?;
    }
    let both = datasets.iter().zip(&measures);
    let lines = both.map(|(data, measure)| Counts::new(data, measure).describe(&data.name)).collect();
    Ok((measures, lines))
}

/// The matrix with names on both sides.
fn csv(names: &[String], matrix: &[f64]) -> String {
    let head = std::iter::once("dataset".to_owned()).chain(names.iter().cloned());
    let mut text = csv_line(head);
    for (name, row) in names.iter().zip(matrix.chunks(names.len())) {
        text += &csv_line(std::iter::once(name.clone()).chain(row.iter().map(ToString::to_string)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_is_dropped_and_foreign_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pairs.jsonl");
        let record = |left: usize, right: usize| PairRecord {
            left,
            right,
            value: 0.1 + 0.2,
            power: (0.1f64 + 0.2) * (0.1 + 0.2),
            certainty: CertaintyRecord::Sliced {
                standard_error: None,
                interval: Some([0.1, 1.0 / 3.0]),
                power_standard_error: Some(1e-300),
            },
            seconds: 0.25,
        };
        let mut log = LineLog::open(&path).unwrap();
        log.append(&record(0, 1)).unwrap();
        log.append(&record(1, 2)).unwrap();
        assert_eq!(read_pairs(&path, 3).unwrap(), [record(0, 1), record(1, 2)]);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert_eq!(read_pairs(&path, 3).unwrap(), [record(0, 1)]);
        LineLog::open(&path).unwrap().append(&record(0, 2)).unwrap();
        assert_eq!(read_pairs(&path, 3).unwrap(), [record(0, 1), record(0, 2)]);
        let text = read_pairs(&path, 2).unwrap_err().to_string();
        assert!(text.contains("line 2: expected another pair of the 2"), "{text}");
        LineLog::open(&path).unwrap().append(&record(0, 1)).unwrap();
        assert!(read_pairs(&path, 3).unwrap_err().to_string().contains("line 3"));
        assert_eq!(pairs_of(3), [(0, 1), (0, 2), (1, 2)]);
    }
}
