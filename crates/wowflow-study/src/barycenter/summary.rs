//! What is found about a barycenter: `summary.json`.

use serde::{Deserialize, Serialize};
use wowflow::ot::exact::Atom;
use wowflow::ot::geometry::Stop;

use super::solution::Solution;
use crate::record::SCHEMA;

/// `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the layout.
    pub schema: u32,
    /// The datasets.
    pub datasets: Vec<String>,
    /// Their weights, which sum to 1.
    pub weights: Vec<f64>,
    /// The dataset it started from.
    pub start: String,
    /// The classes of the barycenter.
    pub classes: Vec<Class>,
    /// `sum_k lambda_k W_{W2}^2(B, P_k)`.
    pub objective: f64,
    /// The same at the start.
    pub objective_initial: f64,
    /// No dataset of any size has a smaller objective.
    pub lower_bound: f64,
    /// Steps taken.
    pub iterations: usize,
    /// Mean square that one more step would move the samples by.
    pub movement: f64,
    /// Why the iteration stopped.
    pub stop_reason: Stop,
    /// The couplings of the barycenter with the datasets.
    pub couplings: Vec<Coupling>,
    /// Seconds of solving and writing.
    pub seconds: f64,
    /// The file of the barycenter.
    pub dataset: String,
    /// The pictures written.
    pub pictures: Vec<String>,
}

/// A class of the barycenter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Class {
    /// Its label.
    pub label: String,
    /// Its weight.
    pub weight: f64,
    /// Its samples.
    pub samples: usize,
    /// Label of the matched class of every dataset.
    pub matched: Vec<String>,
}

/// The coupling of the barycenter with one of the datasets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coupling {
    /// The dataset.
    pub dataset: String,
    /// `W_{W2}^2` to it.
    pub wow2: f64,
    /// Primal minus dual value of the coupling of the classes.
    pub gap: f64,
    /// The classes that exchange mass.
    pub classes: Vec<PairOfClasses>,
}

/// A class of the barycenter and one of a dataset that exchange mass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairOfClasses {
    /// Label of the class of the barycenter.
    pub barycenter: String,
    /// Label of the class of the dataset.
    pub dataset: String,
    /// The mass that goes from one to the other.
    pub mass: f64,
    /// `W_2^2` between the two classes.
    pub cost: f64,
}

impl Solution {
    /// What is found; the pictures are listed in what [`Self::write`] returns.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let (mean, datasets) = (self.barycenter(), self.datasets());
        let weights = &self.config().weights;
        let names: Vec<String> = datasets.iter().map(|named| named.name.clone()).collect();
        let total: f64 = weights.iter().sum();
        let class = |c: usize| Class {
            label: self.labels()[c].to_string(),
            weight: mean.measure.outer_weights()[c],
            samples: mean.measure.class_size(c),
            matched: (0..datasets.len()).map(|k| self.matched_label(k, c)).collect(),
        };
        let coupling = |k: usize| {
            let transport = &mean.transports[k];
            let pair = |atom: &Atom| PairOfClasses {
                barycenter: self.labels()[atom.row].to_string(),
                dataset: datasets[k].label(atom.col),
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
            stop_reason: mean.stop,
            couplings: (0..datasets.len()).map(coupling).collect(),
            seconds: self.seconds(),
            dataset: super::solution::FILE.to_owned(),
            pictures: Vec::new(),
            datasets: names,
        }
    }
}
