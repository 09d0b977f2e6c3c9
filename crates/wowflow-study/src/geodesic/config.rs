//! What is asked of a geodesic, and what it resolves to: `config.json`.

use serde::{Deserialize, Serialize};
use wowflow::auto::Auto;
use wowflow::dataset::Precision;

use super::times::Times;
use crate::exact::ExactSettings;
use crate::record;

/// A geodesic between two datasets by name.
///
/// ```
/// use wowflow_study::geodesic::{Request, Settings};
/// let request = Request::new("rings:source:20", "rings:20");
/// assert_eq!(request.settings, Settings::default());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Dataset at time 0, as [`wowflow_data::DatasetSpec`] reads it.
    pub source: String,
    /// Dataset at time 1.
    pub target: String,
    /// How it is followed.
    pub settings: Settings,
}

impl Request {
    /// From one dataset to another, under the settings by default.
    #[must_use]
    pub fn new(source: &str, target: &str) -> Self {
        Self { source: source.to_owned(), target: target.to_owned(), settings: Settings::default() }
    }
}

/// How a geodesic is followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The times at which datasets are written.
    pub times: Times,
    /// Move every sample towards the mean of its ends instead of splitting it: an approximation that keeps the samples
    /// and classes of the source, with the labels of the matched classes of the target.
    pub barycentric: bool,
    /// Solve the transports between neighbouring times anew to see that the speed is constant; not on curves without
    /// splits. Left open: for pairs of classes of at most 500 particles.
    pub check: Auto<bool>,
    /// Precision, seed, and what is too large.
    pub exact: ExactSettings,
}

/// `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Version of the layout.
    pub schema: u32,
    /// `geodesic`.
    pub command: String,
    /// Dataset at time 0.
    pub source: String,
    /// Dataset at time 1.
    pub target: String,
    /// The times of the datasets written.
    pub times: Vec<f64>,
    /// Whether the curve is the one without splits.
    pub barycentric: bool,
    /// Whether the speed is checked.
    pub check: bool,
    /// Precision of the samples.
    pub precision: Precision,
    /// Seed of generators and of samples drawn.
    pub seed: u64,
    /// Most samples a class.
    pub exact_limit: usize,
}

impl record::Config for Config {
    const WHAT: &'static str = "the configuration of a geodesic";

    fn schema(&self) -> u32 {
        self.schema
    }
}
