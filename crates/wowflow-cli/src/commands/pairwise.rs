//! `wowflow pairwise`: every pair of some datasets, as a matrix, a heat map and a map.

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use wowflow::compare::compare;
use wowflow::measure::MeasureOverMeasures;
use wowflow::scalar::Scalar;
use wowflow_report::rundir::{RunDir, SCHEMA};

use super::on_threads;
use crate::ExitStatus;
use crate::args::Precision;
use crate::args::compare::PairwiseArgs;
use crate::compare::config::CompareConfig;
use crate::compare::data::{
    MOST_COSTS, check_size, common_dimension, counts, in_words, load, measure, precision_of,
};
use crate::compare::figures;
use crate::compare::pairs::{self, LineLog, PairRecord};
use crate::console::Console;
use crate::interrupt;
use crate::load::Named;
use crate::progress::Progress;
use crate::run::directory::{
    claim, create, default_out, refuse_existing, remove_temporary_in, write_bytes, write_json,
};
use crate::run::provenance::{DataProvenance, ListProvenance};

/// `summary.json`, the last file written.
#[derive(Debug, Serialize)]
struct Summary {
    schema: u32,
    distance: String,
    datasets: usize,
    pairs: usize,
    /// Sum over pairs; less on the clock where pairs run side by side.
    seconds: f64,
    nearest: [String; 2],
    pictures: [&'static str; 2],
}

pub(crate) fn run(args: &PairwiseArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.common.threads, || match &args.resume {
        Some(folder) => resume(folder, args, console),
        None => start(args, console),
    })
}

fn start(args: &PairwiseArgs, console: &Console) -> Result<ExitStatus> {
    if let Some(out) = &args.out {
        refuse_existing(out)?;
    }
    ensure!(args.datasets.len() > 1, "expected two or more datasets, found {}", args.datasets.len());
    let (seed, data_dir) = (args.method.seed.unwrap_or(0), args.common.data.data_dir.as_deref());
    let read = |name: &String| load(name, data_dir, seed, args.method.resize);
    let datasets = args.datasets.iter().map(read).collect::<Result<Vec<_>>>()?;
    let names: Vec<String> = datasets.iter().map(|named| named.name.clone()).collect();
    if let Some((_, twice)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        bail!("expected every dataset once, found {twice} twice");
    }
    let dim = common_dimension(&datasets)?;
    let method = args.method.resolve(dim)?;
    ensure!(
        !method.measures_bandwidth(),
        "expected --bandwidth H with pairwise, one kernel for all pairs, found auto: distance tells that of a pair"
    );
    let config = CompareConfig {
        schema: SCHEMA,
        datasets: names,
        method,
        precision: args.method.precision.unwrap_or_else(|| precision_of(&datasets)),
        seed,
        sample: args.method.sample,
        resize: args.method.resize,
    };
    let out = args.out.clone().unwrap_or_else(|| default_out("pairwise", ""));
    let provenance = ListProvenance::new(seed, config.hash()?, data_dir, &datasets);
    let work = Work::new(config, &datasets)?;
    let run = create(&out, |run| {
        write_json(&run.provenance(), &provenance)?;
        write_bytes(&pairs_of(run), b"")?;
        // Last, since a folder with a configuration can be resumed.
        write_json(&run.config(), &work.config)
    })?;
    let _claim = claim(&run)?;
    work.execute(&run, Vec::new(), console)
}

fn resume(folder: &Path, args: &PairwiseArgs, console: &Console) -> Result<ExitStatus> {
    let run = RunDir::new(folder);
    let text = std::fs::read_to_string(run.config()).with_context(|| {
        format!("expected a run directory with config.json, found none at {}", folder.display())
    })?;
    let config = CompareConfig::parse(&text)
        .with_context(|| format!("{} is not the configuration of a comparison", run.config().display()))?;
    let _claim = claim(&run)?;
    ensure!(!run.summary().exists(), "expected an unfinished run, found {} finished", folder.display());
    remove_temporary_in(&[run.root()])?;
    let text = std::fs::read_to_string(run.provenance())
        .with_context(|| format!("cannot read {}", run.provenance().display()))?;
    let stored: ListProvenance = serde_json::from_str(&text)
        .with_context(|| format!("{} is not the provenance of a comparison", run.provenance().display()))?;
    ensure!(
        stored.run.config_sha256 == config.hash()? && stored.datasets.len() == config.datasets.len(),
        "expected the configuration that {} began with, found another in config.json",
        folder.display()
    );
    let finished = pairs::read(&pairs_of(&run), config.datasets.len())?;
    let data_dir = args.common.data.data_dir.as_deref();
    let data_dir = data_dir.or(stored.run.data_dir.as_deref().map(Path::new));
    let read = |(name, stored): (&String, &DataProvenance)| -> Result<Named> {
        let loaded = load(name, data_dir, config.seed, config.resize)?;
        let (expected, found) = (&stored.content_sha256, DataProvenance::of(&loaded).content_sha256);
        ensure!(
            *expected == found,
            "expected {name} with checksum {expected}, found {found}: the data has changed"
        );
        Ok(loaded)
    };
    let datasets = config.datasets.iter().zip(&stored.datasets).map(read).collect::<Result<Vec<_>>>()?;
    Work::new(config, &datasets)?.execute(&run, finished, console)
}

fn pairs_of(run: &RunDir) -> std::path::PathBuf {
    run.root().join("pairs.jsonl")
}

/// Everything that is known before the first pair.
struct Work {
    config: CompareConfig,
    measures: Measures,
    lines: Vec<String>,
}

/// The datasets in one precision.
enum Measures {
    Single(Vec<MeasureOverMeasures<f32>>),
    Double(Vec<MeasureOverMeasures<f64>>),
}

impl Work {
    fn new(config: CompareConfig, datasets: &[Named]) -> Result<Self> {
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
    fn execute(&self, run: &RunDir, finished: Vec<PairRecord>, console: &Console) -> Result<ExitStatus> {
        let folder = run.root().display();
        interrupt::listen();
        interrupt::end_at_once_with(format!(
            "interrupted; finished pairs are kept, go on with: wowflow pairwise --resume {folder}"
        ));
        let all = pairs::all(self.config.datasets.len());
        self.lines.iter().for_each(|line| console.say(line));
        let kept = match finished.len() {
            0 => String::new(),
            count => format!(", {count} of them are there"),
        };
        console.say(&format!(
            "comparing {} pairs by {} in {folder}{kept}",
            all.len(),
            self.config.method.name()
        ));
        let records = match &self.measures {
            Measures::Single(measures) => self.compare_all(run, measures, &all, finished, console),
            Measures::Double(measures) => self.compare_all(run, measures, &all, finished, console),
        };
        let records = records.with_context(|| {
            format!("finished pairs are kept, go on with: wowflow pairwise --resume {folder}")
        })?;
        self.finish(run, &records, console)?;
        Ok(ExitStatus::Done)
    }

    fn compare_all<T: Scalar>(
        &self,
        run: &RunDir,
        measures: &[MeasureOverMeasures<T>],
        all: &[(usize, usize)],
        mut records: Vec<PairRecord>,
        console: &Console,
    ) -> Result<Vec<PairRecord>> {
        let done = |pair: &(usize, usize)| records.iter().any(|known| (known.left, known.right) == *pair);
        let open: Vec<(usize, usize)> = all.iter().copied().filter(|pair| !done(pair)).collect();
        let log = Mutex::new(LineLog::open(&pairs_of(run))?);
        let progress = Progress::pairs(console, all.len(), records.len());
        let names = &self.config.datasets;
        let one = |&(left, right): &(usize, usize)| -> Result<PairRecord> {
            let started = Instant::now();
            let context = || format!("{} and {}", names[left], names[right]);
            let found = compare(&measures[left], &measures[right], &self.config.method, self.config.seed);
            let found = found.with_context(context)?;
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
            progress.pair(&names[left], &names[right]);
            Ok(record)
        };
        // Methods that use all cores take the pairs in turn: less memory, and seconds that mean something. Of
        // others as many run side by side as their costs fit in memory.
        let samples = |(left, right): &(usize, usize)| {
            self.config.method.memory(measures[*left].sample_count(), measures[*right].sample_count())
        };
        let largest = open.iter().map(samples).max().unwrap_or(0).max(1);
        let side_by_side = if self.config.method.serial() { (MOST_COSTS / largest).max(1) } else { 1 };
        for some in open.chunks(side_by_side) {
            records.extend(some.par_iter().with_max_len(1).map(one).collect::<Result<Vec<_>>>()?);
        }
        progress.clear();
        records.sort_by_key(|record| (record.left, record.right));
        Ok(records)
    }

    /// Writes the matrix, the pictures, and last the summary.
    fn finish(&self, run: &RunDir, records: &[PairRecord], console: &Console) -> Result<()> {
        let names = &self.config.datasets;
        let count = names.len();
        let square = |of: &dyn Fn(&PairRecord) -> Value, diagonal: &Value| -> Vec<Vec<Value>> {
            let mut rows = vec![vec![diagonal.clone(); count]; count];
            for record in records {
                rows[record.left][record.right] = of(record);
                rows[record.right][record.left] = of(record);
            }
            rows
        };
        let mut matrix = vec![0.0; count * count];
        for record in records {
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
        write_json(&run.root().join("distances.json"), &table)?;
        write_bytes(&run.root().join("distances.csv"), csv(names, &matrix).as_bytes())?;
        let pictures = ["heatmap.png", "map.png"];
        let heat_map = figures::heat_map(&self.config, &matrix)?.to_png()?;
        write_bytes(&run.root().join(pictures[0]), &heat_map)?;
        write_bytes(&run.root().join(pictures[1]), &figures::map(&self.config, &matrix)?.to_png()?)?;
        let nearest = records.iter().min_by(|x, y| x.value.total_cmp(&y.value));
        let nearest = nearest.context("expected at least one pair, found none")?;
        let summary = Summary {
            schema: SCHEMA,
            distance: symbol.clone(),
            datasets: count,
            pairs: records.len(),
            seconds: records.iter().map(|record| record.seconds).sum(),
            nearest: [names[nearest.left].clone(), names[nearest.right].clone()],
            pictures,
        };
        write_json(&run.summary(), &summary)?;
        for record in records {
            let (left, right) = (&names[record.left], &names[record.right]);
            console.say(&format!("  {left} - {right}: {symbol} = {:.6}, {}", record.value, record.certainty));
        }
        console.say(&format!("{} pairs in {:.1} s", records.len(), summary.seconds));
        console.say(&format!("open {}", run.root().join(pictures[0]).display()));
        let mut object = serde_json::to_value(&summary)?;
        object["out"] = json!(run.root().display().to_string());
        object["distances"] = table;
        console.object(&object)
    }
}

/// The datasets as measures, and a line on each; pairs that do not fit in memory are refused.
fn measured<T: Scalar>(
    config: &CompareConfig,
    datasets: &[Named],
) -> Result<(Vec<MeasureOverMeasures<T>>, Vec<String>)> {
    let measures = datasets.iter().map(|named| measure::<T>(named, config)).collect::<Result<Vec<_>>>()?;
    for (left, right) in pairs::all(datasets.len()) {
        let names = (datasets[left].name.as_str(), datasets[right].name.as_str());
        check_size(&config.method, names, measures[left].sample_count(), measures[right].sample_count())?;
    }
    let both = datasets.iter().zip(&measures);
    let lines = both.map(|(named, measure)| in_words(&named.name, &counts(named, measure))).collect();
    Ok((measures, lines))
}

/// The matrix with names on both sides.
fn csv(names: &[String], matrix: &[f64]) -> String {
    let quoted = |name: &String| {
        let plain = !name.contains([',', '"', '\n', '\r']);
        if plain { name.clone() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
    };
    let head: Vec<String> = names.iter().map(quoted).collect();
    let mut text = format!("dataset,{}\n", head.join(","));
    for (name, row) in head.iter().zip(matrix.chunks(names.len())) {
        let values: Vec<String> = row.iter().map(ToString::to_string).collect();
        text += &format!("{name},{}\n", values.join(","));
    }
    text
}
