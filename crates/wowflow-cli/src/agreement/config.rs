//! The resolved configuration of an experiment: what `config.json` holds and what a resumed run reads.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wowflow::compare::Method;
use wowflow_report::rundir::SCHEMA;

use crate::args::Precision;
use crate::args::compare::Size;
use crate::run::config::hex;

/// Whether both sides of a pair may come from one dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SameSet {
    /// They may, and then share no sample.
    Disjoint,
    /// They may, each drawn for itself: samples can be on both sides.
    Overlapping,
    /// They never do.
    Never,
}

/// How pairs are drawn. Ranges hold both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PairRule {
    pub(crate) count: usize,
    /// Classes of a side, drawn for each side.
    pub(crate) classes: [usize; 2],
    /// Samples of a class, drawn for each pair, the same on both sides.
    pub(crate) samples: [usize; 2],
    pub(crate) same_set: SameSet,
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
pub(crate) struct NamedMethod {
    pub(crate) label: String,
    #[serde(flatten)]
    pub(crate) method: Method,
}

/// Everything that determines the result; nothing else does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AgreementConfig {
    pub(crate) schema: u32,
    pub(crate) title: String,
    pub(crate) datasets: Vec<String>,
    /// The size that images were brought to; `null` leaves them.
    pub(crate) resize: Option<Size>,
    pub(crate) precision: Precision,
    pub(crate) seed: u64,
    pub(crate) pairs: PairRule,
    pub(crate) methods: Vec<NamedMethod>,
    /// Indices of methods that the others are ranked against.
    pub(crate) references: Vec<usize>,
}

impl AgreementConfig {
    /// SHA-256 of the configuration as it is stored.
    pub(crate) fn hash(&self) -> Result<String> {
        Ok(hex(&Sha256::digest(serde_json::to_vec(self)?)))
    }

    /// Reads a stored configuration.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let config: Self = serde_json::from_str(text)?;
        if config.schema != SCHEMA {
            bail!("expected schema {SCHEMA}, found {}", config.schema);
        }
        if let Some(found) = config.references.iter().find(|&&index| index >= config.methods.len()) {
            bail!("expected references below {}, found {found}", config.methods.len());
        }
        Ok(config)
    }

    /// How pairs are drawn, in a sentence.
    pub(crate) fn in_words(&self) -> String {
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
            Some(size) => format!(", images of {}x{}", size.width, size.height),
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
