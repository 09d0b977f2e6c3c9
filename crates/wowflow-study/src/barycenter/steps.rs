//! What is recorded of an iteration.

use serde::{Deserialize, Serialize};

/// A line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Steps taken, 0 at the start.
    pub step: usize,
    /// `sum_k lambda_k W_{W2}^2(B, P_k)`.
    pub objective: f64,
    /// Mean square that the next step moves the samples by.
    pub movement: f64,
    /// Seconds since the iteration began.
    pub seconds: f64,
}
