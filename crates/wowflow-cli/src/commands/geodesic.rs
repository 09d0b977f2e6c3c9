//! `wowflow geodesic`: the datasets on the shortest way between two.

use std::time::Instant;

use anyhow::Result;
use serde::Serialize;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::{TIGHT, VelocityPlan, constant_speed, plan_uniqueness};
use wowflow::ot::labels::match_classes;
use wowflow::ot::wow::{KeepPlans, WowTransport, wow2_pow};
use wowflow_report::rundir::{RunDir, SCHEMA};

use super::on_threads;
use crate::ExitStatus;
use crate::args::{GeodesicArgs, Precision};
use crate::console::Console;
use crate::geometry::curve::Curve;
use crate::geometry::curve_summary::{Ends, Summary, Written, pairs, speed_of, tell, uniqueness};
use crate::geometry::{curve_pictures, go_on, image_shape, load, measures, precision, write_all};
use crate::interrupt;
use crate::load::Named;
use crate::run::checkpoint::Stored;
use crate::run::config::hash;
use crate::run::directory::{default_out, refuse_existing, write_bytes, write_json};
use crate::run::provenance::Provenance;

/// Pairs of classes of at most this many particles are checked for constant speed unasked.
const CHECKED: usize = 500;
/// The check costs a solve for every pair of neighbouring times; of many times it takes so many pairs.
const MOST_SEGMENTS: usize = 8;
/// Masses that miss by more than this are not those of the samples.
const ROUNDING: f64 = 1e-12;

/// `config.json`.
#[derive(Clone, Debug, Serialize)]
struct Config {
    schema: u32,
    command: &'static str,
    source: String,
    target: String,
    times: Vec<f64>,
    barycentric: bool,
    check: bool,
    precision: Precision,
    seed: u64,
    exact_limit: usize,
}

pub(crate) fn run(args: &GeodesicArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.exact.common.threads, || start(args, console))
}

fn start(args: &GeodesicArgs, console: &Console) -> Result<ExitStatus> {
    if let Some(out) = &args.exact.out {
        refuse_existing(out)?;
    }
    let data = load(&[&args.source, &args.target], &args.exact)?;
    match precision(&data, args.exact.precision) {
        Precision::F32 => geodesic::<f32>(args, Precision::F32, &data, console),
        Precision::F64 => geodesic::<f64>(args, Precision::F64, &data, console),
    }
}

fn geodesic<T: Stored>(
    args: &GeodesicArgs,
    precision: Precision,
    data: &[Named],
    console: &Console,
) -> Result<ExitStatus> {
    let started = Instant::now();
    let (source, target) = (&data[0], &data[1]);
    let measures = measures::<T>(data)?;
    let (p, q) = (&measures[0], &measures[1]);
    let mut config = Config {
        schema: SCHEMA,
        command: "geodesic",
        source: source.name.clone(),
        target: target.name.clone(),
        times: args.times.values(),
        barycentric: args.barycentric,
        check: args.check,
        precision,
        seed: args.exact.seed,
        exact_limit: args.exact.exact_limit,
    };
    let out = args.exact.out.clone();
    let out = out.unwrap_or_else(|| default_out(&format!("{}-to-{}-geodesic", source.name, target.name), ""));
    for named in data {
        console.say(&named.description);
    }
    console.say(&format!("geodesic from {} to {} in {}", source.name, target.name, out.display()));

    let largest =
        |m: &MeasureOverMeasures<T>| (0..m.class_count()).map(|c| m.class_size(c)).max().unwrap_or(0);
    console.say(&format!(
        "solving {} exact transports of up to {} x {} samples",
        p.class_count() * q.class_count(),
        largest(p),
        largest(q)
    ));
    let transport = wow2_pow(p, q, KeepPlans::Yes)?;
    let plan = VelocityPlan::new(p, q, &transport)?;
    let seconds_transport = started.elapsed().as_secs_f64();
    console.say(&format!("W_W2^2 {:.6} in {seconds_transport:.1} s", transport.value));
    if !args.no_check && !args.barycentric {
        config.check |= plan.pairs().iter().all(|pair| pair.plan.atoms().len() <= CHECKED);
    }
    let unique = plan_uniqueness(p, q, &transport, TIGHT)?;
    let segments = if config.check { segments(&config.times) } else { Vec::new() };
    let speed = if config.check { Some(constant_speed(&plan, &segments)?) } else { None };
    let shape = image_shape(data)?;
    let curve = Curve { plan: &plan, source: &source.dataset, target: &target.dataset, shape };
    let (exact, mass_error) = curve.ends()?;

    let mut summary = Summary {
        schema: SCHEMA,
        source: source.name.clone(),
        target: target.name.clone(),
        wow2: transport.value,
        gap: transport.gap,
        classes: pairs(&plan, &transport, (source, target)),
        unique: uniqueness(&unique, (source, target)),
        constant_speed: speed.as_ref().map(speed_of),
        end_points: Ends { exact: exact && mass_error <= ROUNDING, mass_error },
        barycentric_spread: args.barycentric.then(|| curve.spread()),
        times: Vec::new(),
        seconds_transport,
        seconds: 0.0,
        pictures: Vec::new(),
    };
    // Until here nothing is written and Ctrl-C just ends the program.
    interrupt::listen();
    let data_dir = args.exact.common.data.data_dir.as_deref();
    let provenance = Provenance::new(config.seed, hash(&config)?, data_dir, source, target);
    let status = write_all(&out, console, |run| {
        write_json(&run.provenance(), &provenance)?;
        write_json(&run.config(), &config)?;
        write_datasets(run, &config, &curve, &transport, &mut summary)?;
        write_pictures(run, &config, &curve, &transport, (source, target), &mut summary)?;
        summary.seconds = started.elapsed().as_secs_f64();
        go_on()?;
        write_json(&run.summary(), &summary)
    })?;
    if status == ExitStatus::Done {
        tell(&summary, &out, console);
        let mut object = serde_json::to_value(&summary)?;
        object["out"] = out.display().to_string().into();
        console.object(&object)?;
    }
    Ok(status)
}

/// Pieces of the curve to check, from 0 to 1 between neighbouring times.
fn segments(times: &[f64]) -> Vec<(f64, f64)> {
    let inner: Vec<f64> = times.iter().copied().filter(|t| 0.0 < *t && *t < 1.0).collect();
    let kept = inner.len().min(MOST_SEGMENTS - 1);
    let chosen = (0..kept).map(|k| inner[(2 * k + 1) * inner.len() / (2 * kept)]);
    let ends: Vec<f64> = std::iter::once(0.0).chain(chosen).chain([1.0]).collect();
    ends.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

fn write_datasets<T: Stored>(
    run: &RunDir,
    config: &Config,
    curve: &Curve<'_, T>,
    transport: &WowTransport,
    summary: &mut Summary,
) -> Result<()> {
    let matching = match_classes(transport);
    summary.times.clear();
    for (index, &time) in config.times.iter().enumerate() {
        go_on()?;
        let file = format!("interpolation-{index:03}.npz");
        let path = run.root().join(&file);
        let (samples, classes) = if config.barycentric {
            curve.write_barycentric(&path, time, &matching.target)?
        } else {
            curve.write(&path, time)?
        };
        summary.times.push(Written { time, file, samples, classes });
    }
    Ok(())
}

fn write_pictures<T: Stored>(
    run: &RunDir,
    config: &Config,
    curve: &Curve<'_, T>,
    transport: &WowTransport,
    names: (&Named, &Named),
    summary: &mut Summary,
) -> Result<()> {
    go_on()?;
    let (plan, images) = (curve.plan, curve.shape.is_some());
    let groups = if config.barycentric {
        curve_pictures::barycentric_groups(plan, names, &match_classes(transport), images)?
    } else {
        curve_pictures::groups(plan, names, images)
    };
    let remark = if config.barycentric { ", without splits" } else { "" };
    let title = format!("{} to {}{remark}", names.0.name, names.1.name);
    let moving = match curve.shape {
        Some(shape) => Some(curve_pictures::images(&title, &groups, &config.times, shape)?),
        None if plan.source().dim() == 2 => {
            Some(curve_pictures::plane(&title, &groups, plane(plan.target()))?)
        }
        None => None,
    };
    let mut write = |name: &str, bytes: &[u8]| {
        summary.pictures.push(name.to_owned());
        write_bytes(&run.root().join(name), bytes)
    };
    if let Some((picture, animation)) = moving {
        write("geodesic.png", &picture.to_png()?)?;
        go_on()?;
        write("geodesic.gif", &animation)?;
    }
    let note = format!(
        "framed: classes that exchange mass, with its share in per cent where it splits; W_W2^2 = {:.4}",
        transport.value
    );
    write("classes.png", &curve_pictures::classes(names, transport, note)?.to_png()?)
}

fn plane<T: Stored>(measure: &MeasureOverMeasures<T>) -> Vec<[f32; 2]> {
    measure.points().chunks_exact(2).map(|x| [x[0].to_f64() as f32, x[1].to_f64() as f32]).collect()
}
