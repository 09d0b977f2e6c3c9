//! `wowflow barycenter`: the mean of several datasets.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::{Barycenter, BarycenterOptions, Stop, barycenter_observed};
use wowflow_report::rundir::{RunDir, SCHEMA};

use super::on_threads;
use crate::ExitStatus;
use crate::args::{BarycenterArgs, Precision};
use crate::console::Console;
use crate::geometry::average::Average;
use crate::geometry::average_summary::{Summary, summary, tell};
use crate::geometry::{average_pictures, image_shape, load, measures, precision, write_all};
use crate::interrupt;
use crate::load::Named;
use crate::progress::Progress;
use crate::run::checkpoint::Stored;
use crate::run::config::hash;
use crate::run::directory::{default_out, refuse_existing, write_bytes, write_json};
use crate::run::provenance::ListProvenance;

/// `config.json`.
#[derive(Clone, Debug, Serialize)]
struct Config {
    schema: u32,
    command: &'static str,
    datasets: Vec<String>,
    weights: Vec<f64>,
    classes: Option<usize>,
    start: Option<usize>,
    tolerance: f64,
    max_iterations: u64,
    precision: Precision,
    seed: u64,
    exact_limit: usize,
}

/// A line of `metrics.jsonl`.
#[derive(Clone, Debug, Serialize)]
struct Step {
    step: usize,
    objective: f64,
    movement: f64,
    seconds: f64,
}

pub(crate) fn run(args: &BarycenterArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.exact.common.threads, || start(args, console))
}

fn start(args: &BarycenterArgs, console: &Console) -> Result<ExitStatus> {
    if let Some(out) = &args.exact.out {
        refuse_existing(out)?;
    }
    let names: Vec<&str> = args.datasets.iter().map(String::as_str).collect();
    let data = load(&names, &args.exact)?;
    match precision(&data, args.exact.precision) {
        Precision::F32 => average::<f32>(args, Precision::F32, &data, console),
        Precision::F64 => average::<f64>(args, Precision::F64, &data, console),
    }
}

fn average<T: Stored>(
    args: &BarycenterArgs,
    precision: Precision,
    data: &[Named],
    console: &Console,
) -> Result<ExitStatus> {
    let started = Instant::now();
    let config = resolve(args, precision, data)?;
    let measures = measures::<T>(data)?;
    let out = args.exact.out.clone();
    let name = if data.len() > 3 {
        format!("{}-and-{}-others", data[0].name, data.len() - 1)
    } else {
        config.datasets.join("-")
    };
    let out = out.unwrap_or_else(|| default_out(&format!("barycenter-{name}"), ""));
    for named in data {
        console.say(&named.description);
    }
    interrupt::listen();
    console.say(&format!("barycenter of {} datasets in {}", data.len(), out.display()));

    let (mean, steps) = iterate(&config, &measures, console)?;
    let average = Average::new(&mean, data, image_shape(data)?);
    let mut summary = summary(&config.weights, &average);
    let data_dir = args.exact.common.data.data_dir.as_deref();
    let provenance = ListProvenance::new(config.seed, hash(&config)?, data_dir, data);
    let written = write_all(&out, console, |run| {
        write_json(&run.provenance(), &provenance)?;
        write_json(&run.config(), &config)?;
        write_steps(&run.metrics(), &steps)?;
        average.write(&run.root().join(summary.dataset))?;
        write_pictures(run, &average, &measures, &mut summary)?;
        summary.seconds = started.elapsed().as_secs_f64();
        write_json(&run.summary(), &summary)
    })?;
    tell(&summary, &out, console);
    let mut object = serde_json::to_value(&summary)?;
    object["out"] = out.display().to_string().into();
    console.object(&object)?;
    Ok(if mean.stop == Stop::Interrupted { ExitStatus::Interrupted } else { written })
}

fn resolve(args: &BarycenterArgs, precision: Precision, data: &[Named]) -> Result<Config> {
    let datasets: Vec<String> = data.iter().map(|named| named.name.clone()).collect();
    let place = |name: &String| args.datasets.iter().chain(&datasets).position(|known| known == name);
    let start = match &args.start {
        None => None,
        Some(name) => Some(place(name).map(|at| at % data.len()).with_context(|| {
            format!("expected one of the datasets as --start, found {name}: {}", datasets.join(", "))
        })?),
    };
    let uniform = || vec![1.0 / data.len() as f64; data.len()];
    let weights = args.weights.clone().unwrap_or_else(uniform);
    if weights.len() != data.len() {
        bail!("expected {} --weights, one a dataset, found {}", data.len(), weights.len());
    }
    if weights.iter().any(|w| !w.is_finite() || *w < 0.0) || weights.iter().sum::<f64>() <= 0.0 {
        let found: Vec<String> = weights.iter().map(ToString::to_string).collect();
        bail!("expected finite --weights of at least 0 with a positive sum, found {}", found.join(","));
    }
    if let Some(at) = start.filter(|&at| weights[at] == 0.0) {
        bail!("expected a dataset of positive weight as --start, found {}", datasets[at]);
    }
    let samples: usize = data.iter().map(|named| named.dataset.len()).sum();
    if let Some(found) = args.classes.filter(|&classes| classes > samples) {
        bail!("expected at most as many --classes as all datasets have samples, {samples}, found {found}");
    }
    if args.tolerance.is_nan() || args.tolerance < 0.0 {
        bail!("expected a --tolerance of at least 0, found {}", args.tolerance);
    }
    Ok(Config {
        schema: SCHEMA,
        command: "barycenter",
        datasets,
        weights,
        classes: args.classes,
        start,
        tolerance: args.tolerance,
        max_iterations: args.max_iterations,
        precision,
        seed: args.exact.seed,
        exact_limit: args.exact.exact_limit,
    })
}

/// The fixed-point iteration with its progress; Ctrl-C stops it between steps.
fn iterate<T: Stored>(
    config: &Config,
    measures: &[MeasureOverMeasures<T>],
    console: &Console,
) -> Result<(Barycenter<T>, Vec<Step>)> {
    let options = BarycenterOptions {
        classes: config.classes,
        start: config.start,
        tolerance: config.tolerance,
        max_iterations: usize::try_from(config.max_iterations).unwrap_or(usize::MAX),
    };
    let started = Instant::now();
    let progress = Progress::steps(console, config.max_iterations, 0);
    let mut steps = Vec::new();
    let observe = |iteration: wowflow::ot::geometry::Iteration| {
        progress.iteration(iteration.step as u64, iteration.objective);
        let (step, objective, movement) = (iteration.step, iteration.objective, iteration.movement);
        steps.push(Step { step, objective, movement, seconds: started.elapsed().as_secs_f64() });
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let datasets: Vec<&MeasureOverMeasures<T>> = measures.iter().collect();
    let mean = barycenter_observed(&datasets, Some(&config.weights), &options, observe);
    progress.clear();
    Ok((mean?, steps))
}

fn write_steps(path: &Path, steps: &[Step]) -> Result<()> {
    let mut text = String::new();
    for step in steps {
        text += &serde_json::to_string(step)?;
        text.push('\n');
    }
    write_bytes(path, text.as_bytes())
}

fn write_pictures<T: Stored>(
    run: &RunDir,
    average: &Average<'_, T>,
    measures: &[MeasureOverMeasures<T>],
    summary: &mut Summary,
) -> Result<()> {
    let picture = match average.shape {
        Some(shape) => Some(average_pictures::images(average, measures, shape)?),
        None if measures[0].dim() == 2 => Some(average_pictures::plane(average, measures)?),
        None => None,
    };
    let chart = average_pictures::objective(average)?;
    let pictures = picture.into_iter().map(|picture| ("barycenter.png", picture));
    for (name, picture) in pictures.chain([("objective.png", chart)]) {
        write_bytes(&run.root().join(name), &picture.to_png()?)?;
        summary.pictures.push(name.to_owned());
    }
    Ok(())
}
