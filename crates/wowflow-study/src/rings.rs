//! The decks' synthetic experiment: three clouds flow to three rings, five functionals side by side.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use wowflow::dataset::Precision;
use wowflow::flow::{FlowState, Settings, StopReason};
use wowflow::functional::{Functional, FunctionalName};
use wowflow::kernel::{KernelName, KernelSettings};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::wow::{KeepPlans, wow2_pow};
use wowflow_data::Prepared;

use crate::error::{Result, StudyError, refuse};
use crate::flow;
use crate::observer::{Event, Observer, Unit, note};
use crate::record::{
    FunctionalRecord, Program, Provenance, RunDir, RunProvenance, SCHEMA, Session, config_sha256, write_json,
};

/// The panels: title, functional, kernel and the published bandwidth.
const PANELS: [(&str, FunctionalName, KernelName, Option<f64>); 5] = [
    ("-|x-y| pooled", FunctionalName::PooledMmd, KernelName::Riesz, None),
    ("Gaussian", FunctionalName::MmdSw, KernelName::Gaussian, Some(0.1)),
    ("Laplace", FunctionalName::MmdSw, KernelName::Laplace, Some(0.5)),
    ("IMQ", FunctionalName::MmdSw, KernelName::InverseMultiquadric, Some(0.05)),
    ("Riesz", FunctionalName::MmdSw, KernelName::Riesz, None),
];

/// States kept for the pictures.
const FRAMES: u64 = 60;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Steps of each flow.
    pub steps: u64,
    /// Samples of each ring.
    pub samples: usize,
    /// Slicing directions a step.
    pub directions: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for Request {
    fn default() -> Self {
        Self { steps: 500, samples: 80, directions: 100, seed: 0 }
    }
}

/// `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Version of the layout.
    pub schema: u32,
    /// Samples of each ring.
    pub samples: usize,
    /// `W_{W2}^2` between clouds and rings.
    pub wow2_initial: f64,
    /// One a panel.
    pub kernels: Vec<Row>,
    /// Seconds of all flows together.
    pub seconds: f64,
    /// File names of the pictures.
    pub pictures: Vec<String>,
    /// The folder.
    pub out: String,
}

/// How one functional did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The kernel by name; `pooled` for the baseline that forgets classes.
    pub kernel: String,
    /// `W_{W2}^2` to the rings at the end.
    pub wow2_final: f64,
    /// What the values are.
    pub functional: FunctionalRecord,
    /// The recorded quantity at the start.
    pub value_initial: f64,
    /// The same at the end.
    pub value_final: f64,
    /// Steps taken.
    pub steps: u64,
    /// Seconds taken.
    pub seconds: f64,
    /// The configuration of the flow.
    pub config: flow::Config,
}

/// The path of the samples under one functional.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// The kernel, for people.
    pub title: &'static str,
    /// Samples at every step of [`Solved::steps`].
    pub frames: Vec<Vec<[f32; 2]>>,
}

/// All flows, done.
#[derive(Clone, Debug)]
pub struct Solved {
    /// Numbers of all flows; pictures and folder are not in it yet.
    pub table: Table,
    /// Paths of all flows.
    pub panels: Vec<Panel>,
    /// Steps whose states are kept, the same for every flow.
    pub steps: Vec<u64>,
    /// Class of every sample.
    pub classes: Vec<usize>,
    /// Labels of the classes.
    pub labels: Vec<String>,
    /// Samples of the rings.
    pub targets: Vec<[f32; 2]>,
    datasets: [Prepared; 2],
    seed: u64,
}

/// Runs all flows; nothing is written.
///
/// # Errors
/// A flow that diverges; [`StudyError::Interrupted`] when the observer asks to stop.
pub fn solve(request: &Request, observer: &dyn Observer) -> Result<Solved> {
    let started = Instant::now();
    let lookup = Program::default().lookup(None);
    let source = lookup.load(&format!("rings:source:{}", request.samples), request.seed)?;
    let target = lookup.load(&format!("rings:{}", request.samples), request.seed)?;
    let (p, q) = (source.measure::<f64>()?, target.measure::<f64>()?);
    let steps = frame_steps(request.steps);
    let (mut rows, mut panels) = (Vec::new(), Vec::new());
    for (title, functional, kernel, bandwidth) in PANELS {
        let kernel = KernelSettings { bandwidth: bandwidth.into(), ..KernelSettings::of(kernel) };
        let sliced = functional.is_sliced();
        let settings = Settings {
            functional: functional.into(),
            kernel,
            steps: request.steps.into(),
            directions: sliced.then_some(request.directions).into(),
            seed: request.seed,
            ..Settings::default()
        };
        let asked = flow::Request { settings, precision: Precision::F64.into(), ..flow::Request::default() };
        let config = flow::resolve(&asked, &source, &target)?;
        let (row, frames) = one(config, (&p, &q), &steps, observer)?;
        note(observer, &format!("{title:14} W_W2^2 {:.3e} after {} steps", row.wow2_final, row.steps));
        rows.push(row);
        panels.push(Panel { title, frames });
    }
    let table = Table {
        schema: SCHEMA,
        samples: request.samples,
        wow2_initial: wow2_pow(&p, &q, KeepPlans::No)?.value,
        kernels: rows,
        seconds: started.elapsed().as_secs_f64(),
        pictures: Vec::new(),
        out: String::new(),
    };
    let (classes, labels, targets) = (p.class_of(), source.labels(), plane(&q));
    let datasets = [source, target];
    Ok(Solved { table, panels, steps, classes, labels, targets, datasets, seed: request.seed })
}

/// One flow, with its states at the steps that are kept.
fn one(
    config: flow::Config,
    (p, q): (&MeasureOverMeasures<f64>, &MeasureOverMeasures<f64>),
    wanted: &[u64],
    observer: &dyn Observer,
) -> Result<(Row, Vec<Vec<[f32; 2]>>)> {
    let mut objective = config.flow.objective(p, q)?;
    let quantity = objective.quantity();
    let value_initial = quantity.factor * objective.held_out(p, 0).value;
    let started = Instant::now();
    observer.event(&Event::Began { unit: Unit::Steps, total: Some(config.flow.steps), done: 0 });
    let (mut state, mut frames) = (FlowState::new(p.clone()), Vec::new());
    let stop = config.flow.flow()?.run(&mut state, &mut objective, |record, state| {
        let detail = format!("{} {:.3e}", quantity.symbol, quantity.factor * record.value);
        observer.event(&Event::Advanced { done: record.step, detail: &detail });
        if wanted.binary_search(&record.step).is_ok() {
            frames.push(plane(state.particles()));
        }
        if observer.stop_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    observer.event(&Event::Ended);
    match stop {
        StopReason::Interrupted => return Err(StudyError::Interrupted),
        StopReason::Diverged { step } => {
            refuse!("expected finite numbers, found the flow diverging at step {step}")
        }
        StopReason::StepsDone | StopReason::Stationary | StopReason::Settled => {}
    }
    // A flow that came to rest early stays where it is.
    frames.resize(wanted.len(), plane(state.particles()));
    let row = Row {
        kernel: config.flow.kernel.map_or("pooled".to_owned(), |kernel| kernel.name().to_string()),
        wow2_final: wow2_pow(state.particles(), q, KeepPlans::No)?.value,
        functional: FunctionalRecord::new(config.flow.functional.to_string(), &quantity),
        value_initial,
        value_final: quantity.factor * objective.held_out(state.particles(), 0).value,
        steps: state.step(),
        seconds: started.elapsed().as_secs_f64(),
        config,
    };
    Ok((row, frames))
}

/// Steps whose states are kept, the same for every functional.
fn frame_steps(steps: u64) -> Vec<u64> {
    let every = (steps / FRAMES).max(1) as usize;
    let mut wanted: Vec<u64> = (0..steps).step_by(every).collect();
    wanted.push(steps);
    wanted
}

fn plane(measure: &MeasureOverMeasures<f64>) -> Vec<[f32; 2]> {
    measure.points().chunks_exact(2).map(|x| [x[0] as f32, x[1] as f32]).collect()
}

impl Solved {
    /// Writes configurations, provenance, what `pictures` writes, and the table; when that fails, nothing stays.
    ///
    /// # Errors
    /// A folder with content, a place that cannot be written.
    pub fn write(
        mut self,
        out: &Path,
        program: &Program,
        pictures: impl FnOnce(&Self, &RunDir) -> Result<Vec<String>>,
    ) -> Result<Table> {
        let configs: Vec<&flow::Config> = self.table.kernels.iter().map(|row| &row.config).collect();
        let hashes: Vec<String> = configs.iter().map(config_sha256).collect::<Result<_>>()?;
        let run = RunProvenance::new(program, self.seed, hashes.join(" "));
        let provenance = Provenance::new(run, &self.datasets);
        let mut written = Vec::new();
        Session::whole(out, |run| {
            write_json(&run.config(), &configs)?;
            write_json(&run.provenance(), &provenance)?;
            written = pictures(&self, run)?;
            let table =
                Table { pictures: written.clone(), out: out.display().to_string(), ..self.table.clone() };
            write_json(&run.summary(), &table)
        })?;
        (self.table.pictures, self.table.out) = (written, out.display().to_string());
        Ok(self.table)
    }
}
