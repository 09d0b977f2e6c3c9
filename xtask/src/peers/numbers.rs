//! Numbers of the tables: means of runs, and how times and ratios are written.

use anyhow::Result;
use serde_json::Value;

use super::lookup::number;

/// The mean of a field over both runs.
pub(super) fn mean(runs: &[&Value], path: &str) -> Result<f64> {
    let times = runs.iter().map(|run| number(run, path)).collect::<Result<Vec<f64>>>()?;
    Ok(times.iter().sum::<f64>() / times.len() as f64)
}

/// Milliseconds with three digits or all before the point.
pub(super) fn time(ms: f64) -> String {
    let digits = if ms >= 100.0 {
        0
    } else if ms >= 10.0 {
        1
    } else {
        2
    };
    format!("{ms:.digits$}")
}

pub(super) fn ratio(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.1}"))
}
