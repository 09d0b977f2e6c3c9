//! The resolved configuration of a comparison: what `config.json` holds and what a resumed run reads.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wowflow::compare::{Method, MethodSettings};
use wowflow_report::rundir::SCHEMA;

use crate::args::Precision;
use crate::args::compare::Size;
use crate::run::config::hex;

/// Everything that determines the result; nothing else does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CompareConfig {
    pub(crate) schema: u32,
    pub(crate) datasets: Vec<String>,
    pub(crate) method: Method,
    pub(crate) precision: Precision,
    pub(crate) seed: u64,
    /// Most samples of a class that are compared; `null` compares all.
    pub(crate) sample: Option<usize>,
    /// The size that images were brought to; `null` leaves them.
    pub(crate) resize: Option<Size>,
}

impl CompareConfig {
    /// SHA-256 of the configuration as it is stored.
    pub(crate) fn hash(&self) -> Result<String> {
        Ok(hex(&Sha256::digest(serde_json::to_vec(self)?)))
    }

    /// What the values are, in a sentence under a picture.
    pub(crate) fn in_words(&self) -> String {
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
            text += &format!(", images of {}x{}", size.width, size.height);
        }
        text + &format!(", seed {}.", self.seed)
    }

    /// Reads a stored configuration.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let config: Self = serde_json::from_str(text)?;
        if config.schema != SCHEMA {
            bail!("expected schema {SCHEMA}, found {}", config.schema);
        }
        Ok(config)
    }
}
