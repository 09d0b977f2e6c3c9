//! What is asked of a barycenter, and what it resolves to: `config.json`.

use serde::{Deserialize, Serialize};
use wowflow::auto::Auto;
use wowflow::dataset::Precision;
use wowflow::ot::geometry::BarycenterOptions;

use crate::exact::ExactSettings;
use crate::record;

/// A barycenter of datasets by name.
///
/// ```
/// use wowflow_study::barycenter::{Request, Settings};
/// let request = Request::new(["rings:20", "moons:20"]);
/// assert_eq!((request.datasets.len(), request.settings), (2, Settings::default()));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The datasets, as [`wowflow_data::DatasetSpec`] reads them.
    pub datasets: Vec<String>,
    /// How they are averaged.
    pub settings: Settings,
}

impl Request {
    /// Of these datasets, under the settings by default.
    #[must_use]
    pub fn new<S: Into<String>>(datasets: impl IntoIterator<Item = S>) -> Self {
        let datasets = datasets.into_iter().map(Into::into).collect();
        Self { datasets, settings: Settings::default() }
    }
}

/// How datasets are averaged.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Weights of the datasets, of any sum. Left open: equal ones.
    pub weights: Auto<Vec<f64>>,
    /// Classes of the barycenter. Left open: those of the dataset it starts from.
    pub classes: Auto<usize>,
    /// Name of the dataset to start from, one of those given: the barycenter has its class sizes and weights. Left
    /// open: the one that promises the smallest objective.
    pub start: Auto<String>,
    /// Stop when a step moves the samples by a mean square of at most this part of the objective.
    pub tolerance: f64,
    /// Stop after this many steps.
    pub max_iterations: u64,
    /// Precision, seed, and what is too large.
    pub exact: ExactSettings,
}

impl Default for Settings {
    fn default() -> Self {
        let BarycenterOptions { tolerance, max_iterations, .. } = BarycenterOptions::default();
        Self {
            weights: Auto::Auto,
            classes: Auto::Auto,
            start: Auto::Auto,
            tolerance,
            max_iterations: max_iterations as u64,
            exact: ExactSettings::default(),
        }
    }
}

/// `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Version of the layout.
    pub schema: u32,
    /// `barycenter`.
    pub command: String,
    /// The datasets.
    pub datasets: Vec<String>,
    /// Their weights, of any sum.
    pub weights: Vec<f64>,
    /// Classes of the barycenter; `None`: those of the dataset it starts from.
    pub classes: Option<usize>,
    /// The dataset to start from, counted from 0; `None`: the one that promises the smallest objective.
    pub start: Option<usize>,
    /// Part of the objective that a step has to move the samples by.
    pub tolerance: f64,
    /// Most steps.
    pub max_iterations: u64,
    /// Precision of the samples.
    pub precision: Precision,
    /// Seed of generators and of samples drawn.
    pub seed: u64,
    /// Most samples a class.
    pub exact_limit: usize,
}

impl record::Config for Config {
    const WHAT: &'static str = "the configuration of a barycenter";

    fn schema(&self) -> u32 {
        self.schema
    }
}
