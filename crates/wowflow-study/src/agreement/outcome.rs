//! What comes out of an experiment: values of pairs, and how the methods agree with the references.

use serde::{Deserialize, Serialize};
use wowflow::compare::{CertaintyRecord, Growth};
use wowflow::stats::correlation::{Bootstrap, Correlations, correlations};

use super::config::{Config, NamedMethod};
use crate::error::{Result, require};

/// One line of `pairs.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairRecord {
    /// Index of the pair.
    pub pair: usize,
    /// What each method found, in the order of the configuration.
    pub found: Vec<Found>,
}

/// A distance of one pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The distance.
    pub value: f64,
    /// How certain it is.
    pub certainty: CertaintyRecord,
    /// Seconds it took.
    pub seconds: f64,
}

impl PairRecord {
    /// Refuses a line that is not of this experiment, or there twice.
    pub(crate) fn check(&self, earlier: &[Self], config: &Config) -> Result<()> {
        let (pairs, methods) = (config.pairs.count, config.methods.len());
        let new = self.pair < pairs && earlier.iter().all(|known| known.pair != self.pair);
        require!(new, "expected another of {pairs} pairs, found {}", self.pair);
        let found = self.found.len();
        require!(found == methods, "expected values by {methods} methods, found {found}");
        Ok(())
    }
}

/// How one method did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MethodOutcome {
    /// Name of the method.
    pub label: String,
    /// How its time grows.
    pub growth: Growth,
    /// Median over pairs, on all threads, one method after another.
    pub median_seconds: f64,
    /// Sum over pairs.
    pub total_seconds: f64,
    /// Against each other method that is a reference, in their order.
    pub against: Vec<Against>,
}

/// Agreement with a reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Against {
    /// Name of the reference.
    pub reference: String,
    /// Absent where values do not differ.
    #[serde(with = "stored")]
    pub correlations: Option<Correlations>,
    /// Why they are absent.
    pub refused: Option<String>,
}

/// Correlations as they are stored.
mod stored {
    use serde::{Serialize, Serializer};
    use serde_json::json;
    use wowflow::stats::correlation::{Coefficient, Correlations};

    #[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
    pub(super) fn serialize<S: Serializer>(of: &Option<Correlations>, out: S) -> Result<S::Ok, S::Error> {
        let one = |of: &Coefficient| json!({ "value": of.value, "low": of.low, "high": of.high });
        let stored = of.as_ref().map(|of| {
            json!({
                "spearman": one(&of.spearman),
                "kendall": one(&of.kendall),
                "pearson": one(&of.pearson),
                "pairs": of.pairs,
                "resamples": of.resamples,
            })
        });
        stored.serialize(out)
    }
}

/// The values of one method, pair after pair.
#[must_use]
pub fn values(records: &[PairRecord], method: usize) -> Vec<f64> {
    records.iter().map(|record| record.found[method].value).collect()
}

/// How all methods did; records in the order of pairs.
pub(crate) fn outcomes(config: &Config, records: &[PairRecord]) -> Vec<MethodOutcome> {
    let bootstrap = Bootstrap { seed: config.seed, ..Bootstrap::default() };
    let one = |(index, of): (usize, &NamedMethod)| {
        let own = values(records, index);
        let mut seconds: Vec<f64> = records.iter().map(|record| record.found[index].seconds).collect();
        seconds.sort_unstable_by(f64::total_cmp);
        let against = config.references.iter().filter(|&&reference| reference != index).map(|&reference| {
            let found = correlations(&values(records, reference), &own, &bootstrap);
            Against {
                reference: config.methods[reference].label.clone(),
                refused: found.as_ref().err().map(ToString::to_string),
                correlations: found.ok(),
            }
        });
        MethodOutcome {
            label: of.label.clone(),
            growth: of.method.growth(),
            median_seconds: median(&seconds),
            total_seconds: seconds.iter().sum(),
            against: against.collect(),
        }
    };
    config.methods.iter().enumerate().map(one).collect()
}

/// The method of linear cost that ranks pairs most as a reference does, by Spearman's coefficient.
#[must_use]
pub fn best<'a>(
    outcomes: &'a [MethodOutcome],
    reference: &str,
) -> Option<(&'a MethodOutcome, &'a Correlations)> {
    let found = outcomes.iter().filter(|outcome| outcome.growth == Growth::Linear).filter_map(|outcome| {
        let against = outcome.against.iter().find(|against| against.reference == reference)?;
        Some((outcome, against.correlations.as_ref()?))
    });
    found.max_by(|x, y| x.1.spearman.value.total_cmp(&y.1.spearman.value))
}

/// The median of sorted numbers.
fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => f64::NAN,
        0 => 0.5 * (sorted[half - 1] + sorted[half]),
        _ => sorted[half],
    }
}
