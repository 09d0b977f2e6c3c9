//! `wowflow rings`: the decks' synthetic experiment, five kernels side by side.

use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use wowflow::flow::{FlowState, StopReason};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::wow::{KeepPlans, wow2_pow};
use wowflow_report::rundir::{RunDir, SCHEMA};
use wowflow_report::{ScatterFlow, ScatterPanel};

use super::on_threads;
use crate::ExitStatus;
use crate::args::{Bandwidth, FlowArgs, KernelName, Precision, RingsArgs};
use crate::console::Console;
use crate::interrupt;
use crate::load::{Named, named};
use crate::progress::Progress;
use crate::run::config::FlowConfig;
use crate::run::directory::{claim, create, default_out, refuse_existing, write_bytes, write_json};
use crate::run::problem::{Objective, resolve};
use crate::run::provenance::Provenance;

/// The panels: title, kernel and the published bandwidth.
const KERNELS: [(&str, KernelName, Option<f64>); 5] = [
    ("-|x-y| pooled", KernelName::Pooled, None),
    ("Gaussian", KernelName::Gaussian, Some(0.1)),
    ("Laplace", KernelName::Laplace, Some(0.5)),
    ("IMQ", KernelName::Imq, Some(0.05)),
    ("Riesz", KernelName::Riesz, None),
];

/// States kept for the pictures.
const FRAMES: u64 = 60;

#[derive(Debug, Serialize, Deserialize)]
struct Table {
    schema: u32,
    samples: usize,
    wow2_initial: f64,
    kernels: Vec<Row>,
    seconds: f64,
    pictures: Vec<String>,
    out: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    kernel: String,
    wow2_final: f64,
    mmd2_initial: f64,
    mmd2_final: f64,
    steps: u64,
    seconds: f64,
    config: FlowConfig,
}

pub(crate) fn run(args: &RingsArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.threads, || rings(args, console))
}

fn rings(args: &RingsArgs, console: &Console) -> Result<ExitStatus> {
    if let Some(out) = &args.out {
        refuse_existing(out)?;
    }
    let started = Instant::now();
    let source = named(&format!("rings:source:{}", args.samples), None, args.seed)?;
    let target = named(&format!("rings:{}", args.samples), None, args.seed)?;
    let p = MeasureOverMeasures::<f64>::from_dataset(&source.dataset)?;
    let q = MeasureOverMeasures::<f64>::from_dataset(&target.dataset)?;
    let out = args.out.clone().unwrap_or_else(|| default_out("rings", ""));
    let run = create(&out, |_| Ok(()))?;
    let _claim = claim(&run)?;
    interrupt::listen();

    let mut figure = ScatterFlow {
        title: format!("Three clouds flow to three rings, {} steps", args.steps),
        classes: (0..p.class_count()).flat_map(|c| vec![c; p.class_size(c)]).collect(),
        labels: source.dataset.classes().iter().map(ToString::to_string).collect(),
        steps: frame_steps(args.steps),
        ..ScatterFlow::default()
    };
    let mut rows = Vec::new();
    for (title, kernel, bandwidth) in KERNELS {
        let Some((row, panel)) = flow_one(args, kernel, bandwidth, (&source, &target), (&p, &q), console)?
        else {
            // Only removed when empty, as it was made.
            let _ = std::fs::remove_dir(&out);
            console.say("interrupted; nothing was written");
            return Ok(ExitStatus::Interrupted);
        };
        console.say(&format!("{title:14} W_W2^2 {:.3e} after {} steps", row.wow2_final, row.steps));
        figure.panels.push(ScatterPanel {
            title: title.into(),
            note: format!("W^2 = {:.1e}", row.wow2_final),
            ..panel
        });
        rows.push(row);
    }
    let picture = figure.trajectories()?.to_png()?;
    write_bytes(&out.join("rings.png"), &picture)?;
    write_bytes(&out.join("rings.gif"), &figure.animation()?)?;
    write_provenance(args, &run, &rows, &source, &target)?;
    let table = Table {
        schema: SCHEMA,
        samples: args.samples,
        wow2_initial: wow2_pow(&p, &q, KeepPlans::No)?.value,
        kernels: rows,
        seconds: started.elapsed().as_secs_f64(),
        pictures: vec!["rings.png".into(), "rings.gif".into()],
        out: out.display().to_string(),
    };
    write_json(&run.summary(), &table)?;
    console.say(&format!("from W_W2^2 {:.3e}, in {:.1} s", table.wow2_initial, table.seconds));
    console.say(&format!("open {}", out.join("rings.png").display()));
    console.object(&table)?;
    Ok(ExitStatus::Done)
}

/// One panel; `None` when it was interrupted.
fn flow_one(
    args: &RingsArgs,
    kernel: KernelName,
    bandwidth: Option<f64>,
    (source, target): (&Named, &Named),
    (p, q): (&MeasureOverMeasures<f64>, &MeasureOverMeasures<f64>),
    console: &Console,
) -> Result<Option<(Row, ScatterPanel)>> {
    let options = FlowArgs {
        kernel: Some(kernel),
        bandwidth: bandwidth.map(Bandwidth::Value),
        steps: Some(args.steps),
        directions: (kernel != KernelName::Pooled).then_some(args.directions),
        precision: Some(Precision::F64),
        seed: Some(args.seed),
        ..FlowArgs::default()
    };
    let config = resolve(&options, (&source.name, &target.name), p, q)?;
    let mut objective = Objective::new(&config, p, q)?;
    let mmd2_initial = objective.mmd2_held_out(p);
    let started = Instant::now();
    let progress = Progress::steps(console, config.steps, 0);
    let mut state = FlowState::new(p.clone());
    let mut frames = Vec::new();
    let wanted = frame_steps(args.steps);
    let stop = config.flow()?.run(&mut state, &mut objective, |record, state| {
        progress.step(record);
        if wanted.binary_search(&record.step).is_ok() {
            frames.push(plane(state.particles()));
        }
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    progress.clear();
    match stop {
        StopReason::Interrupted => return Ok(None),
        StopReason::Diverged { step } => {
            bail!("expected finite numbers, found the flow diverging at step {step}")
        }
        StopReason::StepsDone | StopReason::Stationary | StopReason::Settled => {}
    }
    let name =
        serde_json::to_value(config.kernel)?["name"].as_str().context("kernels have names")?.to_owned();
    let row = Row {
        kernel: name,
        wow2_final: wow2_pow(state.particles(), q, KeepPlans::No)?.value,
        mmd2_initial,
        mmd2_final: objective.mmd2_held_out(state.particles()),
        steps: state.step(),
        seconds: started.elapsed().as_secs_f64(),
        config,
    };
    // A flow that came to rest early stays where it is.
    frames.resize(wanted.len(), plane(state.particles()));
    let panel = ScatterPanel { frames, targets: plane(q), ..ScatterPanel::default() };
    Ok(Some((row, panel)))
}

/// Steps whose states are kept, the same for every kernel.
fn frame_steps(steps: u64) -> Vec<u64> {
    let every = (steps / FRAMES).max(1) as usize;
    let mut wanted: Vec<u64> = (0..steps).step_by(every).collect();
    wanted.push(steps);
    wanted
}

fn plane(measure: &MeasureOverMeasures<f64>) -> Vec<[f32; 2]> {
    measure.points().chunks_exact(2).map(|x| [x[0] as f32, x[1] as f32]).collect()
}

fn write_provenance(
    args: &RingsArgs,
    run: &RunDir,
    rows: &[Row],
    source: &Named,
    target: &Named,
) -> Result<()> {
    let configs: Vec<&FlowConfig> = rows.iter().map(|row| &row.config).collect();
    write_json(&run.config(), &configs)?;
    let hashes: Vec<String> = configs.iter().map(|config| config.hash()).collect::<Result<_>>()?;
    write_json(&run.provenance(), &Provenance::new(args.seed, hashes.join(" "), None, source, target))
}
