//! A comparison as it is stored and printed.

use serde::{Deserialize, Serialize};
use wowflow::compare::{Certainty, Comparison};
use wowflow::measure::MeasureOverMeasures;
use wowflow::scalar::Scalar;

/// The level of intervals.
const LEVEL: f64 = 0.95;

/// How certain a value is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum CertaintyRecord {
    /// The power is at most `gap` above the optimum.
    Exact { gap: f64 },
    /// The power lies between both for certain.
    Interval { lower: f64, upper: f64 },
    /// Estimated on random slices; `null` where they are too few to tell.
    Sliced {
        standard_error: Option<f64>,
        /// Of the distance, at 95 %.
        interval: Option<[f64; 2]>,
        power_standard_error: Option<f64>,
    },
    /// The distance lies between both for certain; the value is the lower one.
    Bounds { lower: f64, upper: f64 },
}

impl From<&Certainty> for CertaintyRecord {
    fn from(certainty: &Certainty) -> Self {
        match *certainty {
            Certainty::Exact { gap } => Self::Exact { gap },
            Certainty::Interval { lower, upper } => Self::Interval { lower, upper },
            Certainty::Bounds { lower, upper } => Self::Bounds { lower, upper },
            Certainty::Sliced { power, value } => {
                let finite = |number: f64| Some(number).filter(|number| number.is_finite());
                let known = finite(value.standard_error).is_some();
                let interval = known.then(|| {
                    let (low, high) = value.interval(LEVEL);
                    [low.max(0.0), high]
                });
                Self::Sliced {
                    standard_error: finite(value.standard_error),
                    interval,
                    power_standard_error: finite(power.standard_error),
                }
            }
        }
    }
}

impl CertaintyRecord {
    /// One clause for people.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Exact { gap } if *gap <= 0.0 => "exact".into(),
            Self::Exact { gap } => format!("exact, the power to {gap:.1e}"),
            Self::Interval { lower, upper } => format!("power from {lower:.6} to {upper:.6} for certain"),
            Self::Sliced { standard_error: Some(error), interval: Some([low, high]), .. } => {
                format!("+- {error:.2e} over draws of slices, 95 % interval {low:.6} to {high:.6}")
            }
            Self::Sliced { .. } => "of slices too few to tell an error".into(),
            Self::Bounds { lower, upper } => format!("from {lower:.6} to {upper:.6} for certain"),
        }
    }
}

/// The mass that goes from every class to every other, `C_P x C_Q` row-major; `None` for methods that couple
/// nothing. Couplings of samples are summed over classes.
pub(crate) fn class_masses<T: Scalar>(
    found: &Comparison,
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
) -> Option<Vec<f64>> {
    let coupling = found.coupling.as_ref()?;
    let cols = q.class_count();
    if (coupling.rows(), coupling.cols()) == (p.class_count(), cols) {
        return Some(coupling.to_dense());
    }
    let classes = |measure: &MeasureOverMeasures<T>| -> Vec<usize> {
        (0..measure.class_count()).flat_map(|c| std::iter::repeat_n(c, measure.class_size(c))).collect()
    };
    let (left, right) = (classes(p), classes(q));
    let mut masses = vec![0.0; p.class_count() * cols];
    for atom in coupling.atoms() {
        masses[left[atom.row] * cols + right[atom.col]] += atom.mass;
    }
    Some(masses)
}

/// Where a class goes: the other classes with a share of its mass, the largest first.
pub(crate) fn destinations(row: &[f64]) -> Vec<(usize, f64)> {
    /// What is less than this of a class is rounding.
    const ROUNDING: f64 = 1e-9;
    let total: f64 = row.iter().sum();
    if total <= 0.0 {
        return Vec::new();
    }
    let shares = row.iter().map(|mass| mass / total).enumerate();
    let mut found: Vec<(usize, f64)> = shares.filter(|(_, share)| *share > ROUNDING).collect();
    found.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
    found
}
