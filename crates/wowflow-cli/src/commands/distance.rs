//! `wowflow distance`: how far apart two datasets are, with what certifies it.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use wowflow::compare::{Certainty, Comparison, Method, compare, destinations};
use wowflow::scalar::Scalar;
use wowflow_data::atomic;
use wowflow_data::npy::{NpyArray, write_npz_to};
use wowflow_report::rundir::SCHEMA;

use super::on_threads;
use crate::ExitStatus;
use crate::args::Precision;
use crate::args::compare::DistanceArgs;
use crate::compare::config::CompareConfig;
use crate::compare::data::{
    Counts, check_size, class_names, common_dimension, counts, in_words, load, measure, precision_of,
};
use crate::compare::figures;
use crate::console::Console;
use crate::interrupt;
use crate::load::Named;
use crate::progress::Progress;
use crate::run::provenance::Provenance;

/// Classes that a class goes to that are named in a line.
const NAMED_DESTINATIONS: usize = 3;

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report {
    schema: u32,
    left: String,
    right: String,
    distance: String,
    value: f64,
    power: f64,
    order: f64,
    certainty: Certainty,
    method: Method,
    precision: Precision,
    seed: u64,
    counts: [Counts; 2],
    classes: Classes,
    seconds: Seconds,
    figure: Option<String>,
    plan: Option<String>,
    provenance: Provenance,
}

#[derive(Debug, Serialize)]
struct Classes {
    /// Labels, in the order of rows.
    left: Vec<String>,
    /// Labels, in the order of columns.
    right: Vec<String>,
    /// What the classes show, where labels do not say.
    left_names: Option<Vec<String>>,
    right_names: Option<Vec<String>>,
    /// What `costs` are; absent with them.
    cost: Option<&'static str>,
    costs: Option<Vec<Vec<f64>>>,
    coupling: Option<Vec<Vec<f64>>>,
}

#[derive(Debug, Serialize)]
struct Seconds {
    load: f64,
    compare: f64,
}

pub(crate) fn run(args: &DistanceArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.common.threads, || distance(args, console))
}

fn distance(args: &DistanceArgs, console: &Console) -> Result<ExitStatus> {
    args.figure.iter().chain(&args.plan).try_for_each(|path| refuse_place(path))?;
    interrupt::listen();
    interrupt::end_at_once_with("interrupted; nothing was written".into());
    let started = Instant::now();
    let (seed, data_dir) = (args.method.seed.unwrap_or(0), args.common.data.data_dir.as_deref());
    let read = |name: &str| load(name, data_dir, seed, args.method.resize);
    let datasets = [read(&args.left)?, read(&args.right)?];
    let dim = common_dimension(&datasets)?;
    let config = CompareConfig {
        schema: SCHEMA,
        datasets: datasets.iter().map(|named| named.name.clone()).collect(),
        method: args.method.resolve(dim)?,
        precision: args.method.precision.unwrap_or_else(|| precision_of(&datasets)),
        seed,
        sample: args.method.sample,
        resize: args.method.resize,
    };
    match config.precision {
        Precision::F32 => distance_in::<f32>(args, config, &datasets, started, console),
        Precision::F64 => distance_in::<f64>(args, config, &datasets, started, console),
    }
}

fn distance_in<T: Scalar>(
    args: &DistanceArgs,
    mut config: CompareConfig,
    datasets: &[Named; 2],
    started: Instant,
    console: &Console,
) -> Result<ExitStatus> {
    let [left, right] = datasets;
    let (p, q) = (measure::<T>(left, &config)?, measure::<T>(right, &config)?);
    let names = (left.name.as_str(), right.name.as_str());
    check_size(&config.method, names, p.sample_count(), q.sample_count())?;
    for (given, option) in [(args.figure.is_some(), "figure"), (args.plan.is_some(), "plan")] {
        if given && !config.method.has_classes() {
            let name = config.method.name();
            bail!("expected --{option} with a method that compares classes, found it with --method {name}");
        }
    }
    let load = started.elapsed().as_secs_f64();
    let counts = [counts(left, &p), counts(right, &q)];
    console.say(&left.description);
    console.say(&right.description);
    let [some, others] = [in_words(names.0, &counts[0]), in_words(names.1, &counts[1])];
    console.say(&format!("comparing {some} with {others} by {}", config.method.name()));

    let computing = Instant::now();
    let progress = Progress::waiting(console, "comparing");
    let found = compare(&p, &q, &config.method, config.seed);
    progress.clear();
    let found = found?;
    let compare = computing.elapsed().as_secs_f64();
    // With the bandwidth that was measured.
    config.method = found.method.clone();

    let labels = (class_names(left), class_names(right));
    let masses = found.class_masses(&p, &q);
    let costs = found.classes.as_ref().map(|costs| costs.values().to_vec());
    if let Some(path) = &args.figure {
        let result = format!("{} = {:.6}: {}.", config.method.symbol(), found.value, found.certainty);
        let pictured = (costs.clone(), masses.clone());
        let png = figures::classes(names, labels.clone(), pictured, &config, &result)?.to_png()?;
        write_new(path, |file| file.write_all(&png))?;
    }
    if let Some(path) = &args.plan {
        write_plan(path, (left, right), (costs.as_deref(), masses.as_deref()))?;
    }
    say_classes(console, &labels, masses.as_deref(), costs.as_deref());
    say_value(console, &found);
    console.say(&format!("loaded in {load:.2} s, compared in {compare:.2} s"));
    if let Some(path) = &args.figure {
        console.say(&format!("open {}", path.display()));
    }
    let rows = |values: Vec<f64>| values.chunks(q.class_count()).map(<[f64]>::to_vec).collect();
    let data_dir = args.common.data.data_dir.as_deref();
    console.object(&Report {
        schema: SCHEMA,
        left: left.name.clone(),
        right: right.name.clone(),
        distance: config.method.symbol(),
        value: found.value,
        power: found.power,
        order: found.order,
        certainty: found.certainty,
        method: found.method,
        precision: config.precision,
        seed: config.seed,
        counts,
        classes: Classes {
            left: labels_of(left),
            right: labels_of(right),
            left_names: left.class_names.clone(),
            right_names: right.class_names.clone(),
            cost: costs.as_ref().and_then(|_| config.method.class_cost()),
            costs: costs.map(rows),
            coupling: masses.map(rows),
        },
        seconds: Seconds { load, compare },
        figure: args.figure.as_ref().map(|path| path.display().to_string()),
        plan: args.plan.as_ref().map(|path| path.display().to_string()),
        provenance: Provenance::new(config.seed, config.hash()?, data_dir, left, right),
    })?;
    Ok(ExitStatus::Done)
}

fn labels_of(named: &Named) -> Vec<String> {
    named.dataset.classes().iter().map(ToString::to_string).collect()
}

/// Fails where no new file can be written, before anything is computed.
fn refuse_place(path: &Path) -> Result<()> {
    if path.exists() {
        bail!("cannot write {}: file exists", path.display());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        bail!("expected a folder for {} at {}, found none", path.display(), folder.display());
    }
    Ok(())
}

/// Writes a file that is not there yet, whole or not at all.
fn write_new(path: &Path, fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> Result<()> {
    atomic::create(path, fill).with_context(|| format!("cannot write {}", path.display()))
}

/// Costs and masses between classes as arrays, those that there are, with the labels of rows and columns.
fn write_plan(
    path: &Path,
    (left, right): (&Named, &Named),
    (costs, masses): (Option<&[f64]>, Option<&[f64]>),
) -> Result<()> {
    let (rows, cols) = (labels_of(left), labels_of(right));
    let shape = [rows.len(), cols.len()];
    let matrix = |values: Option<&[f64]>| values.map(|values| NpyArray::f64(shape, values.to_vec()));
    let (costs, masses) = (matrix(costs), matrix(masses));
    let (rows, cols) = (NpyArray::text([rows.len()], rows), NpyArray::text([cols.len()], cols));
    let arrays = [("class_costs", costs.as_ref()), ("class_coupling", masses.as_ref())];
    let mut arrays: Vec<(&str, &NpyArray)> =
        arrays.into_iter().filter_map(|(name, array)| Some((name, array?))).collect();
    arrays.extend([("left_labels", &rows), ("right_labels", &cols)]);
    write_new(path, |file| write_npz_to(file, &arrays))
}

/// Which class goes where, one a line.
fn say_classes(
    console: &Console,
    (left, right): &(Vec<String>, Vec<String>),
    masses: Option<&[f64]>,
    costs: Option<&[f64]>,
) {
    let Some(masses) = masses else { return };
    let width = left.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    for (class, (label, row)) in left.iter().zip(masses.chunks(right.len())).enumerate() {
        let found = destinations(row);
        let one = |&(to, share): &(usize, f64)| {
            let cost =
                costs.map_or(String::new(), |costs| format!(", cost {:.4}", costs[class * right.len() + to]));
            format!("{} ({:.0} %{cost})", right[to], 100.0 * share)
        };
        let named: Vec<String> = found.iter().take(NAMED_DESTINATIONS).map(one).collect();
        let text = match found.len() {
            0 => "no mass".to_owned(),
            count if count > named.len() => format!("{}, {} more", named.join(", "), count - named.len()),
            _ => named.join(", "),
        };
        console.say(&format!("  {label:width$} -> {text}"));
    }
}

fn say_value(console: &Console, found: &Comparison) {
    let symbol = found.method.symbol();
    let power = if found.order == 1.0 {
        String::new()
    } else {
        format!(", {symbol}^{} = {:.6}", found.order, found.power)
    };
    console.say(&format!("{symbol} = {:.6}{power}: {}", found.value, found.certainty));
}
