//! Published accuracy curves.

use serde::Deserialize;

use crate::error::{Place, Result, require};

/// Published accuracy curves.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Where they are from.
    pub source: String,
    /// The curves.
    pub curves: Vec<PublishedCurve>,
}

/// A published curve: mean and deviation at steps, in shares.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedCurve {
    /// The row it belongs to.
    pub row: String,
    /// Steps, in increasing order.
    pub steps: Vec<f64>,
    /// Mean share of right predictions, one a step.
    pub mean: Vec<f64>,
    /// Deviation over trials, one a step.
    pub deviation: Vec<f64>,
}

impl Published {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// A text that is none of published curves, curves of unequal lengths.
    pub fn parse(text: &str) -> Result<Self> {
        let published: Self = serde_json::from_str(text).at(|| "expected published curves".to_owned())?;
        for curve in &published.curves {
            let len = curve.steps.len();
            require!(
                curve.mean.len() == len && curve.deviation.len() == len,
                "expected {len} means and deviations in the curve of {}",
                curve.row
            );
        }
        Ok(published)
    }

    /// The curve of a row.
    #[must_use]
    pub fn of_row(&self, row: &str) -> Option<&PublishedCurve> {
        self.curves.iter().find(|curve| curve.row == row)
    }
}
