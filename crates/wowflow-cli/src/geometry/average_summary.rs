//! What is told about a barycenter: `summary.json`, and the lines for people.

use std::path::Path;

use serde::Serialize;
use wowflow::ot::exact::Atom;
use wowflow::ot::geometry::Stop;
use wowflow_report::rundir::SCHEMA;

use super::average::Average;
use crate::console::Console;
use crate::run::checkpoint::Stored;

/// `summary.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) schema: u32,
    pub(crate) datasets: Vec<String>,
    pub(crate) weights: Vec<f64>,
    /// The dataset it started from.
    pub(crate) start: String,
    pub(crate) classes: Vec<Class>,
    /// `sum_k lambda_k W_{W2}^2(B, P_k)`.
    pub(crate) objective: f64,
    pub(crate) objective_initial: f64,
    /// No dataset of any size has a smaller objective.
    pub(crate) lower_bound: f64,
    pub(crate) iterations: usize,
    pub(crate) movement: f64,
    pub(crate) stop_reason: &'static str,
    pub(crate) couplings: Vec<Coupling>,
    pub(crate) seconds: f64,
    pub(crate) dataset: &'static str,
    pub(crate) pictures: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Class {
    pub(crate) label: String,
    pub(crate) weight: f64,
    pub(crate) samples: usize,
    /// Label of the matched class of every dataset.
    pub(crate) matched: Vec<String>,
}

/// The coupling of the barycenter with one of the datasets.
#[derive(Debug, Serialize)]
pub(crate) struct Coupling {
    pub(crate) dataset: String,
    pub(crate) wow2: f64,
    pub(crate) gap: f64,
    pub(crate) classes: Vec<Pair>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) barycenter: String,
    pub(crate) dataset: String,
    pub(crate) mass: f64,
    pub(crate) cost: f64,
}

/// The summary without seconds and pictures; weights are of any sum.
pub(crate) fn summary<T: Stored>(weights: &[f64], average: &Average<'_, T>) -> Summary {
    let names: Vec<String> = average.datasets.iter().map(|named| named.name.clone()).collect();
    let mean = average.mean;
    let total: f64 = weights.iter().sum();
    let count = average.datasets.len();
    let class = |c: usize| Class {
        label: average.labels[c].to_string(),
        weight: mean.measure.outer_weights()[c],
        samples: mean.measure.class_size(c),
        matched: (0..count).map(|k| average.matched_label(k, c)).collect(),
    };
    let coupling = |k: usize| {
        let transport = &mean.transports[k];
        let pair = |atom: &Atom| Pair {
            barycenter: average.labels[atom.row].to_string(),
            dataset: average.datasets[k].dataset.classes()[atom.col].to_string(),
            mass: atom.mass,
            cost: transport.class_costs.get(atom.row, atom.col),
        };
        Coupling {
            dataset: names[k].clone(),
            wow2: transport.value,
            gap: transport.gap,
            classes: transport.outer.atoms().iter().map(pair).collect(),
        }
    };
    Summary {
        schema: SCHEMA,
        weights: weights.iter().map(|weight| weight / total).collect(),
        start: names[mean.start].clone(),
        classes: (0..mean.measure.class_count()).map(class).collect(),
        objective: mean.objective(),
        objective_initial: mean.objectives[0],
        lower_bound: mean.lower_bound,
        iterations: mean.objectives.len() - 1,
        movement: mean.movement,
        stop_reason: match mean.stop {
            Stop::Converged => "converged",
            Stop::NoDecrease => "no_decrease",
            Stop::IterationLimit => "iteration_limit",
            Stop::Interrupted => "interrupted",
        },
        couplings: (0..count).map(coupling).collect(),
        seconds: 0.0,
        dataset: "barycenter.npz",
        pictures: Vec::new(),
        datasets: names,
    }
}

pub(crate) fn tell(summary: &Summary, out: &Path, console: &Console) {
    for class in &summary.classes {
        console
            .say(&format!("  class {}: weight {:.4}, {} samples", class.label, class.weight, class.samples));
    }
    for coupling in &summary.couplings {
        console.say(&format!("  W_W2^2 {:.4} to {}", coupling.wow2, coupling.dataset));
    }
    let how = match summary.stop_reason {
        "interrupted" => "interrupted after",
        "iteration_limit" => "stopped at the limit of",
        _ => "at rest after",
    };
    console.say(&format!(
        "objective {:.6} (from {:.6}; no dataset is below {:.6}), {how} {} steps from {}, in {:.1} s",
        summary.objective,
        summary.objective_initial,
        summary.lower_bound,
        summary.iterations,
        summary.start,
        summary.seconds
    ));
    console.say(&format!("open {}", out.join(&summary.pictures[0]).display()));
}
