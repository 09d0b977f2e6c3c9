//! `wowflow flow`: from options to a run, or on with a stored one.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use wowflow::measure::MeasureOverMeasures;
use wowflow_report::rundir::RunDir;

use super::on_threads;
use crate::ExitStatus;
use crate::args::{FlowArgs, Precision};
use crate::console::Console;
use crate::load::{Named, named};
use crate::run::checkpoint::Stored;
use crate::run::config::FlowConfig;
use crate::run::directory::{claim, create, default_out, refuse_existing, remove_temporary, write_json};
use crate::run::execute::{Data, execute};
use crate::run::problem::resolve;
use crate::run::provenance::{DataProvenance, Provenance};
use crate::run::recorder::make_subfolders;

const DEFAULT_SOURCE: &str = "glyphs:letters";
const DEFAULT_TARGET: &str = "glyphs:digits";

pub(crate) fn run(args: &FlowArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.common.threads, || match &args.resume {
        Some(folder) => resume(folder, args, console),
        None => start(args, console),
    })
}

fn start(args: &FlowArgs, console: &Console) -> Result<ExitStatus> {
    if let Some(out) = &args.out {
        refuse_existing(out)?;
    }
    let (seed, data_dir) = (args.seed.unwrap_or(0), args.common.data.data_dir.as_deref());
    let source = named(args.source.as_deref().unwrap_or(DEFAULT_SOURCE), data_dir, seed)?;
    let target = named(args.target.as_deref().unwrap_or(DEFAULT_TARGET), data_dir, seed)?;
    match args.precision.unwrap_or(Precision::F32) {
        Precision::F32 => start_in::<f32>(args, &source, &target, console),
        Precision::F64 => start_in::<f64>(args, &source, &target, console),
    }
}

fn start_in<T: Stored>(
    args: &FlowArgs,
    source: &Named,
    target: &Named,
    console: &Console,
) -> Result<ExitStatus> {
    let p = measure::<T>(source)?;
    let q = measure::<T>(target)?;
    let config = resolve(args, (&source.name, &target.name), &p, &q)?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => default_out(&format!("{}-to-{}", source.name, target.name), ""),
    };
    let data_dir = args.common.data.data_dir.as_deref();
    let provenance = Provenance::new(config.seed, config.hash()?, data_dir, source, target);
    let run = create(&out, |run| {
        make_subfolders(run)?;
        write_json(&run.provenance(), &provenance)?;
        // Last, since a folder with a configuration can be resumed.
        write_json(&run.config(), &config)
    })?;
    let _claim = claim(&run)?;
    console.say(&source.description);
    console.say(&target.description);
    console.say(&format!("flowing {} into {} in {}", source.name, target.name, out.display()));
    execute(&run, &config, &Data { source, target }, &p, &q, console)
}

fn resume(folder: &Path, args: &FlowArgs, console: &Console) -> Result<ExitStatus> {
    let run = RunDir::new(folder);
    let text = std::fs::read_to_string(run.config()).with_context(|| {
        format!("expected a run directory with config.json, found none at {}", folder.display())
    })?;
    let config = FlowConfig::parse(&text)
        .with_context(|| format!("{} is not the configuration of a flow", run.config().display()))?;
    let _claim = claim(&run)?;
    // The summary names the pictures once everything is written.
    if run.summary().exists() && !run.read_summary()?.pictures.is_empty() {
        bail!("expected an unfinished run, found {} finished", folder.display());
    }
    remove_temporary(&run)?;
    let text = std::fs::read_to_string(run.provenance())
        .with_context(|| format!("cannot read {}", run.provenance().display()))?;
    let stored: Provenance = serde_json::from_str(&text)
        .with_context(|| format!("{} is not the provenance of a run", run.provenance().display()))?;
    let data_dir = args.common.data.data_dir.as_deref();
    let data_dir = data_dir.or(stored.run.data_dir.as_deref().map(Path::new));
    let load = |name: &str, stored: &DataProvenance| -> Result<Named> {
        let loaded = named(name, data_dir, config.seed)?;
        let (expected, found) = (&stored.content_sha256, DataProvenance::of(&loaded).content_sha256);
        ensure!(
            *expected == found,
            "expected {name} with checksum {expected}, found {found}: the data has changed"
        );
        Ok(loaded)
    };
    let source = load(&config.source, &stored.source)?;
    let target = load(&config.target, &stored.target)?;
    let data = Data { source: &source, target: &target };
    console.say(&format!("going on with {} into {} in {}", config.source, config.target, folder.display()));
    match config.precision {
        Precision::F32 => {
            let (p, q) = (measure::<f32>(&source)?, measure(&target)?);
            execute(&run, &config, &data, &p, &q, console)
        }
        Precision::F64 => {
            let (p, q) = (measure::<f64>(&source)?, measure(&target)?);
            execute(&run, &config, &data, &p, &q, console)
        }
    }
}

fn measure<T: Stored>(named: &Named) -> Result<MeasureOverMeasures<T>> {
    MeasureOverMeasures::from_dataset(&named.dataset).with_context(|| named.name.clone())
}
