//! The configuration of comparisons: what may be asked for, and what `config.json` holds.

use serde::{Deserialize, Serialize};
use wowflow::auto::Auto;
use wowflow::compare::{Method, MethodSettings};
use wowflow::dataset::Precision;
use wowflow_data::{Prepared, SingleLoss, Size, choose_precision, common_dimension, finest_precision};

use crate::error::Result;
use crate::record::{self, RunDir, SCHEMA};

/// How datasets are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Request {
    /// By which distance.
    pub method: MethodSettings,
    /// Most samples of a class that are compared, drawn with the seed; `None` compares all.
    pub sample: Option<usize>,
    /// The size that images are brought to; `None` leaves them.
    pub resize: Option<Size>,
    /// Precision of the samples; open: the finest of the datasets, and double where single would lose what is seen.
    pub precision: Auto<Precision>,
    /// Seed of everything random.
    pub seed: u64,
}

/// Everything that determines the result; nothing else does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Version of the layout.
    pub schema: u32,
    /// Names of the datasets.
    pub datasets: Vec<String>,
    /// The distance, nothing left open but a bandwidth that is measured on the pair.
    pub method: Method,
    /// Precision of the samples.
    pub precision: Precision,
    /// Seed of everything random.
    pub seed: u64,
    /// Most samples of a class that are compared; `null` compares all.
    pub sample: Option<usize>,
    /// The size that images were brought to; `null` leaves them.
    pub resize: Option<Size>,
}

impl Config {
    /// What is asked for, resolved against the datasets.
    ///
    /// # Errors
    /// Datasets of different dimensions, options that the method does not have, single precision asked for where
    /// it loses what is seen.
    pub fn new(request: &Request, datasets: &[Prepared]) -> Result<Self> {
        let dim = common_dimension(datasets)?;
        let all: Vec<&Prepared> = datasets.iter().collect();
        let (usual, lost) = (finest_precision(datasets), SingleLoss::is_lost_near_one);
        let (precision, _) = choose_precision(request.precision, usual, &all, lost)?;
        Ok(Self {
            schema: SCHEMA,
            datasets: datasets.iter().map(|prepared| prepared.name.clone()).collect(),
            method: request.method.resolve(dim)?,
            precision,
            seed: request.seed,
            sample: request.sample,
            resize: request.resize,
        })
    }

    /// What the values are, in a sentence under a picture.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = format!("{} by {}", self.method.symbol(), self.method.name());
        let options = MethodSettings::from(self.method.clone());
        if let Some(directions) = options.directions.given() {
            text += &format!(", {directions} slices");
        }
        if let Some(epsilon) = options.regularisation {
            text += &format!(", regularisation {epsilon}");
        }
        if let Some(limit) = self.sample {
            text += &format!(", at most {limit} samples a class");
        }
        if let Some(size) = self.resize {
            text += &format!(", images of {size}");
        }
        text + &format!(", seed {}.", self.seed)
    }
}

impl record::Config for Config {
    const WHAT: &'static str = "the configuration of a comparison";

    fn schema(&self) -> u32 {
        self.schema
    }

    fn result(run: &RunDir) -> std::path::PathBuf {
        run.summary()
    }
}
