//! The configuration of a flow: what may be asked for, and what `config.json` holds.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wowflow::auto::Auto;
use wowflow::dataset::Precision;
use wowflow::flow::{EXACT_LIMIT, Resolved, Settings};

use crate::error::{Result, require};
use crate::record::{self, RunDir, SCHEMA};

/// What a flow is asked for; by default drawn letters flow into drawn digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Name of the dataset that moves.
    pub source: String,
    /// Name of the dataset that it moves to.
    pub target: String,
    /// How it flows.
    pub settings: Settings,
    /// Precision of the samples and of their projections; distances are summed in double precision always. Open:
    /// single, and double where single would lose what is seen ([`wowflow_data::single_loss`]).
    pub precision: Auto<Precision>,
    /// Steps between checkpoints; open: a tenth of the run.
    pub checkpoint_every: Auto<u64>,
    /// Classes are compared exactly on at most so many samples; open: [`EXACT_LIMIT`].
    pub exact_limit: Auto<usize>,
    /// Steps between looks by a nearest-neighbour classifier made of the target.
    pub neighbours_every: Option<u64>,
    /// Steps between exact distances to the target.
    pub distance_every: Option<u64>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            source: "glyphs:letters".to_owned(),
            target: "glyphs:digits".to_owned(),
            settings: Settings::default(),
            precision: Auto::Auto,
            checkpoint_every: Auto::Auto,
            exact_limit: Auto::Auto,
            neighbours_every: None,
            distance_every: None,
        }
    }
}

/// Everything that determines the result of a flow; nothing else does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Version of the layout.
    pub schema: u32,
    /// Name of the dataset that moves.
    pub source: String,
    /// Name of the dataset that it moves to.
    pub target: String,
    /// How it flows.
    #[serde(flatten)]
    pub flow: Resolved,
    /// Precision of the samples.
    pub precision: Precision,
    /// Steps between checkpoints.
    pub checkpoint_every: u64,
    /// Most samples of a class that are compared exactly.
    pub exact_limit: usize,
    /// Steps between looks by nearest neighbours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbours_every: Option<u64>,
    /// Steps between exact distances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_every: Option<u64>,
}

impl Config {
    /// What was asked for, with a precision and settings that are resolved.
    #[must_use]
    pub fn new(
        request: &Request,
        (source, target): (&str, &str),
        precision: Precision,
        flow: Resolved,
    ) -> Self {
        Self {
            schema: SCHEMA,
            source: source.to_owned(),
            target: target.to_owned(),
            precision,
            checkpoint_every: request.checkpoint_every.or((flow.steps / 10).max(1)),
            exact_limit: request.exact_limit.or(EXACT_LIMIT),
            neighbours_every: request.neighbours_every,
            distance_every: request.distance_every,
            flow,
        }
    }
}

impl record::Config for Config {
    const WHAT: &'static str = "the configuration of a flow";

    fn schema(&self) -> u32 {
        self.schema
    }

    fn check(&self) -> Result<()> {
        self.flow.flow()?;
        let every = [Some(self.checkpoint_every), self.neighbours_every, self.distance_every];
        require!(
            !every.contains(&Some(0)),
            "expected at least 1 step between looks and checkpoints, found 0"
        );
        require!(self.exact_limit > 0, "expected at least 1 sample a class to compare, found 0");
        Ok(())
    }

    fn folders(run: &RunDir) -> Vec<PathBuf> {
        vec![run.frames(), run.checkpoints()]
    }
}
