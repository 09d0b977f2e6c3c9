//! The resolved configuration of an experiment: what `config.json` holds and what a resumed run reads.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wowflow::compare::Method;
use wowflow::dataset::Precision;
use wowflow_data::Size;

use crate::error::{Result, refuse};
use crate::record::{self, RunDir};

/// Whether both sides of a pair may come from one dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSet {
    /// They may, and then share no sample.
    Disjoint,
    /// They may, each drawn for itself: samples can be on both sides.
    Overlapping,
    /// They never do.
    Never,
}

wowflow::named!(SameSet, "rule for pairs from one dataset", {
    Disjoint = "disjoint": "They may, and then share no sample.",
    Overlapping = "overlapping": "They may, each drawn for itself: samples can be on both sides.",
    Never = "never": "They never do.",
});

/// How pairs are drawn. Ranges hold both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairRule {
    /// Number of pairs.
    pub count: usize,
    /// Classes of a side, drawn for each side.
    pub classes: [usize; 2],
    /// Samples of a class, drawn for each pair, the same on both sides.
    pub samples: [usize; 2],
    /// Whether both sides may come from one dataset.
    pub same_set: SameSet,
}

impl PairRule {
    /// Samples of a class that a pair may need.
    pub(crate) fn needed(&self) -> usize {
        match self.same_set {
            SameSet::Disjoint => self.samples[1].saturating_mul(2),
            SameSet::Overlapping | SameSet::Never => self.samples[1],
        }
    }
}

/// A method under the name it has in tables and pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedMethod {
    /// The name.
    pub label: String,
    #[serde(flatten)]
    /// The method.
    pub method: Method,
}

/// Everything that determines the result; nothing else does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Version of the layout.
    pub schema: u32,
    /// What it asks, for people.
    pub title: String,
    /// Names of the datasets.
    pub datasets: Vec<String>,
    /// The size that images were brought to; `null` leaves them.
    pub resize: Option<Size>,
    /// Precision of the samples.
    pub precision: Precision,
    /// Seed of everything random.
    pub seed: u64,
    /// How pairs are drawn.
    pub pairs: PairRule,
    /// The methods.
    pub methods: Vec<NamedMethod>,
    /// Indices of methods that the others are ranked against.
    pub references: Vec<usize>,
}

impl Config {
    /// How pairs are drawn, in a sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        let range = |[low, high]: [usize; 2]| {
            if low == high { low.to_string() } else { format!("{low} to {high}") }
        };
        let rule = &self.pairs;
        let sets = match (self.datasets.len(), rule.same_set) {
            (1, SameSet::Overlapping) => "parts",
            (1, _) => "disjoint parts",
            (_, SameSet::Never) => "two different ones",
            (_, SameSet::Disjoint) => "any two, disjoint parts when both are one,",
            (_, SameSet::Overlapping) => "any two",
        };
        let size = match self.resize {
            Some(size) => format!(", images of {size}"),
            None => String::new(),
        };
        format!(
            "{} pairs: {sets} of {}; {} classes a side, {} samples a class{size}; seed {}.",
            rule.count,
            self.datasets.join(", "),
            range(rule.classes),
            range(rule.samples),
            self.seed
        )
    }
}

impl record::Config for Config {
    const WHAT: &'static str = "the configuration of an agreement experiment";

    fn schema(&self) -> u32 {
        self.schema
    }

    fn check(&self) -> Result<()> {
        match self.references.iter().find(|&&index| index >= self.methods.len()) {
            Some(found) => refuse!("expected references below {}, found {found}", self.methods.len()),
            None => Ok(()),
        }
    }

    fn result(run: &RunDir) -> PathBuf {
        run.file("agreement.json")
    }
}
