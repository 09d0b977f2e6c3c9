//! The measures of a comparison: sampled, counted, checked to fit in memory.

use serde::Serialize;
use wowflow::compare::Method;
use wowflow::measure::MeasureOverMeasures;
use wowflow::scalar::Scalar;
use wowflow_data::Prepared;

use super::config::Config;
use crate::error::{Result, require};

/// Costs between samples that may be kept at once: 8 GiB.
pub(crate) const MOST_COSTS: usize = 1 << 30;

/// How many samples of a dataset are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Classes.
    pub classes: usize,
    /// Samples.
    pub samples: usize,
    /// Samples that take part, fewer than all where they are sampled.
    pub compared: usize,
}

impl Counts {
    pub(crate) fn new<T: Scalar>(prepared: &Prepared, measure: &MeasureOverMeasures<T>) -> Self {
        let (classes, samples) = (prepared.dataset.class_count(), prepared.dataset.len());
        Self { classes, samples, compared: measure.sample_count() }
    }

    /// `5000 of 60000 samples of mnist`, or `5000 samples of mnist`.
    #[must_use]
    pub fn describe(&self, name: &str) -> String {
        let of = if self.compared < self.samples { format!(" of {}", self.samples) } else { String::new() };
        format!("{}{of} samples of {name}", self.compared)
    }
}

/// A dataset as a measure, with as many samples of a class as the configuration asks for.
pub(crate) fn measure<T: Scalar>(prepared: &Prepared, config: &Config) -> Result<MeasureOverMeasures<T>> {
    let whole = prepared.measure()?;
    match config.sample {
        Some(limit) if (0..whole.class_count()).any(|class| whole.class_size(class) > limit) => {
            Ok(whole.subsample(limit, config.seed))
        }
        _ => Ok(whole),
    }
}

/// Refuses what would not fit in memory.
pub(crate) fn check_size(method: &Method, names: [&str; 2], n: usize, m: usize) -> Result<()> {
    let [left, right] = names;
    require!(
        method.memory(n, m) <= MOST_COSTS,
        "expected at most {MOST_COSTS} costs between samples by {}, found more between {n} ({left}) and {m} ({right}): take fewer samples a class or another method",
        method.name()
    );
    Ok(())
}
