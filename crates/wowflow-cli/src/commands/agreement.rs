//! `wowflow agreement`: which distances rank pairs of datasets as a reference does.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use wowflow::compare::compare;
use wowflow::dataset::LabeledDataset;
use wowflow::measure::MeasureOverMeasures;
use wowflow::scalar::Scalar;
use wowflow_report::rundir::{RunDir, SCHEMA};

use super::on_threads;
use crate::ExitStatus;
use crate::agreement::config::{AgreementConfig, NamedMethod};
use crate::agreement::draw::{self, Drawn, Made};
use crate::agreement::file::{Experiment, slug};
use crate::agreement::outcome::{Found, PairRecord, outcomes};
use crate::agreement::{figures, table};
use crate::args::Precision;
use crate::args::compare::AgreementArgs;
use crate::compare::data::{MOST_COSTS, common_dimension, load, precision_of};
use crate::compare::pairs::{LineLog, read_lines};
use crate::console::Console;
use crate::interrupt;
use crate::load::Named;
use crate::progress::Progress;
use crate::run::directory::{
    claim, create, default_out, refuse_existing, remove_temporary_in, write_bytes, write_json,
};
use crate::run::provenance::{DataProvenance, ListProvenance, RunProvenance};

pub(crate) fn run(args: &AgreementArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.common.threads, || match (&args.resume, &args.file) {
        (Some(folder), _) => resume(folder, args, console),
        (None, Some(file)) => start(file, args, console),
        (None, None) => bail!("expected an experiment file, found none"),
    })
}

fn start(file: &Path, args: &AgreementArgs, console: &Console) -> Result<ExitStatus> {
    if let Some(out) = &args.out {
        refuse_existing(out)?;
    }
    let place = || file.display().to_string();
    let experiment = Experiment::read(file)?;
    let data_dir = args.common.data.data_dir.as_deref();
    let read = |name: &String| load(name, data_dir, experiment.seed, experiment.resize);
    let datasets = experiment.datasets.iter().map(read).collect::<Result<Vec<_>>>().with_context(place)?;
    let dim = common_dimension(&datasets).with_context(place)?;
    let names = datasets.iter().map(|named| named.name.clone()).collect();
    let config = experiment.resolve(SCHEMA, names, dim, precision_of(&datasets)).with_context(place)?;
    let work = Work::new(config, &datasets).with_context(place)?;
    let stem = file.file_stem().map_or("agreement".into(), |stem| stem.to_string_lossy());
    let out = args.out.clone().unwrap_or_else(|| default_out(&stem, ""));
    let provenance = ListProvenance {
        run: RunProvenance::new(work.config.seed, work.config.hash()?, data_dir),
        datasets: datasets.iter().map(DataProvenance::of).collect(),
    };
    let run = create(&out, |run| {
        write_json(&run.provenance(), &provenance)?;
        write_bytes(&pairs_of(run), b"")?;
        // Last, since a folder with a configuration can be resumed.
        write_json(&run.config(), &work.config)
    })?;
    let _claim = claim(&run)?;
    work.execute(&run, &provenance, Vec::new(), console)
}

fn resume(folder: &Path, args: &AgreementArgs, console: &Console) -> Result<ExitStatus> {
    let run = RunDir::new(folder);
    let text = std::fs::read_to_string(run.config()).with_context(|| {
        format!("expected a run directory with config.json, found none at {}", folder.display())
    })?;
    let config = AgreementConfig::parse(&text)
        .with_context(|| format!("{} is not the configuration of an experiment", run.config().display()))?;
    let _claim = claim(&run)?;
    ensure!(!result_of(&run).exists(), "expected an unfinished run, found {} finished", folder.display());
    remove_temporary_in(&[run.root()])?;
    let text = std::fs::read_to_string(run.provenance())
        .with_context(|| format!("cannot read {}", run.provenance().display()))?;
    let stored: ListProvenance = serde_json::from_str(&text)
        .with_context(|| format!("{} is not the provenance of an experiment", run.provenance().display()))?;
    ensure!(
        stored.run.config_sha256 == config.hash()? && stored.datasets.len() == config.datasets.len(),
        "expected the configuration that {} began with, found another in config.json",
        folder.display()
    );
    let finished =
        read_lines(&pairs_of(&run), |earlier: &[PairRecord], record| record.check(earlier, &config))?;
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
    Work::new(config, &datasets)?.execute(&run, &stored, finished, console)
}

fn pairs_of(run: &RunDir) -> PathBuf {
    run.root().join("pairs.jsonl")
}

/// The last file written.
fn result_of(run: &RunDir) -> PathBuf {
    run.root().join("agreement.json")
}

/// Everything that is known before the first pair.
struct Work<'a> {
    config: AgreementConfig,
    datasets: &'a [Named],
    pairs: Vec<Drawn>,
}

impl<'a> Work<'a> {
    fn new(config: AgreementConfig, datasets: &'a [Named]) -> Result<Self> {
        draw::check(&config, datasets)?;
        let sets: Vec<&LabeledDataset> = datasets.iter().map(|named| &named.dataset).collect();
        let count = config.pairs.count;
        let pairs: Vec<Drawn> =
            (0..count).map(|index| draw::pair(&config.pairs, &sets, config.seed, index)).collect();
        for (index, Drawn { left, right, .. }) in pairs.iter().enumerate() {
            let (n, m) = (left.rows.len(), right.rows.len());
            if let Some(large) = config.methods.iter().find(|named| named.method.memory(n, m) > MOST_COSTS) {
                bail!(
                    "expected at most {MOST_COSTS} costs between samples by {}, found more between {n} and {m} in pair {index}: lower pairs.samples or leave out the method",
                    large.label
                );
            }
        }
        Ok(Self { config, datasets, pairs })
    }

    /// Compares what is not finished yet, then writes the results.
    fn execute(
        &self,
        run: &RunDir,
        provenance: &ListProvenance,
        finished: Vec<PairRecord>,
        console: &Console,
    ) -> Result<ExitStatus> {
        let folder = run.root().display();
        interrupt::listen();
        interrupt::end_at_once_with(format!(
            "interrupted; finished pairs are kept, go on with: wowflow agreement --resume {folder}"
        ));
        console.say(&self.config.in_words());
        let kept = match finished.len() {
            0 => String::new(),
            count => format!(", {count} of them are there"),
        };
        let (pairs, methods) = (self.pairs.len(), self.config.methods.len());
        console.say(&format!("comparing {pairs} pairs by {methods} methods in {folder}{kept}"));
        let records = match self.config.precision {
            Precision::F32 => self.compare_all::<f32>(run, finished, console),
            Precision::F64 => self.compare_all::<f64>(run, finished, console),
        };
        let records = records.with_context(|| {
            format!("finished pairs are kept, go on with: wowflow agreement --resume {folder}")
        })?;
        self.finish(run, provenance, &records, console)?;
        Ok(ExitStatus::Done)
    }

    /// One pair after another and one method after another, so that seconds mean something.
    fn compare_all<T: Scalar>(
        &self,
        run: &RunDir,
        mut records: Vec<PairRecord>,
        console: &Console,
    ) -> Result<Vec<PairRecord>> {
        let mut log = LineLog::open(&pairs_of(run))?;
        let progress = Progress::pairs(console, self.pairs.len(), records.len());
        let done: Vec<usize> = records.iter().map(|record| record.pair).collect();
        for (pair, drawn) in self.pairs.iter().enumerate().filter(|(pair, _)| !done.contains(pair)) {
            let [left, right] = [&drawn.left, &drawn.right].map(|side| &self.datasets[side.set]);
            let context = || format!("pair {pair}, {} and {}", left.name, right.name);
            let (p, q) = self.measures::<T>(drawn).with_context(context)?;
            let one = |named: &NamedMethod| {
                progress.method(&named.label);
                let started = Instant::now();
                let found = compare(&p, &q, &named.method, self.config.seed)
                    .with_context(|| format!("{} by {}", context(), named.label))?;
                let seconds = started.elapsed().as_secs_f64();
                Ok(Found { value: found.value, certainty: found.certainty.record(), seconds })
            };
            let found = self.config.methods.iter().map(one).collect::<Result<_>>()?;
            let record = PairRecord { pair, found };
            log.append(&record)?;
            records.push(record);
            progress.pair(&left.name, &right.name);
        }
        progress.clear();
        records.sort_by_key(|record| record.pair);
        Ok(records)
    }

    fn measures<T: Scalar>(&self, drawn: &Drawn) -> Result<(MeasureOverMeasures<T>, MeasureOverMeasures<T>)> {
        let side = |side: &draw::Side| -> Result<MeasureOverMeasures<T>> {
            let chosen = self.datasets[side.set].dataset.select(&side.rows)?;
            Ok(MeasureOverMeasures::from_dataset(&chosen)?)
        };
        Ok((side(&drawn.left)?, side(&drawn.right)?))
    }

    /// Writes tables and pictures, and last the result.
    fn finish(
        &self,
        run: &RunDir,
        provenance: &ListProvenance,
        records: &[PairRecord],
        console: &Console,
    ) -> Result<()> {
        let config = &self.config;
        let made: Vec<Made> = self.pairs.iter().map(|drawn| drawn.made(self.datasets)).collect();
        let outcomes = outcomes(config, records);
        let markdown = table::markdown(config, &outcomes);
        write_bytes(&run.root().join("agreement.csv"), table::csv(config, &made, records).as_bytes())?;
        write_bytes(&run.root().join("agreement.md"), markdown.as_bytes())?;
        let mut pictures = Vec::new();
        for (place, &reference) in config.references.iter().enumerate() {
            let name = match place {
                0 => "agreement.png".to_owned(),
                _ => format!("agreement-{}.png", slug(&config.methods[reference].label)),
            };
            let picture = figures::against(config, &made, records, &outcomes, reference)?;
            write_bytes(&run.root().join(&name), &picture.to_png()?)?;
            pictures.push(name);
        }
        let values = |record: &PairRecord| record.found.iter().map(|found| found.value).collect::<Vec<_>>();
        // Certainties and seconds of single pairs stay in pairs.jsonl.
        let pairs: Vec<Value> = made
            .iter()
            .zip(records)
            .map(|(made, record)| json!({ "pair": record.pair, "made": made, "values": values(record) }))
            .collect();
        let mut result = json!({
            "schema": SCHEMA,
            "title": config.title,
            "methods": outcomes,
            "pictures": pictures,
            "config": config,
            "provenance": provenance,
            "pairs": pairs,
        });
        write_json(&result_of(run), &result)?;
        markdown.lines().for_each(|line| console.say(line));
        console.say(&format!("open {}", run.root().join(&pictures[0]).display()));
        result["out"] = json!(run.root().display().to_string());
        console.object(&result)
    }
}
