//! How certain a distance is, and how that is told and stored.

use std::fmt;

use crate::stats::estimate::Estimate;

/// The level of intervals that are told.
const LEVEL: f64 = 0.95;

/// How certain a value is. It is told and stored as its [`CertaintyRecord`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Certainty {
    /// Solved exactly: the power is at most `gap` above the optimum, up to rounding.
    Exact {
        /// Primal minus dual value, at least 0; 0 for closed forms.
        gap: f64,
    },
    /// Solved by iterations: the power lies between two bounds that hold for certain, given the costs of labels.
    Interval {
        /// The power is at least this.
        lower: f64,
        /// The power is at most this.
        upper: f64,
    },
    /// Estimated on random slices, with standard errors over draws of them.
    Sliced {
        /// The power: a mean over slices, or a smooth function of such means.
        power: Estimate,
        /// The distance, by the delta method. A root is biased by `O(1/L)`, far inside its interval.
        value: Estimate,
    },
    /// Between two bounds that hold for certain; the value reported is the lower one.
    Bounds {
        /// The distance is at least this.
        lower: f64,
        /// The distance is at most this.
        upper: f64,
    },
}

/// What is stored of a [`Certainty`]: estimates with one interval in place of their degrees of freedom.
///
/// ```
/// use wowflow::compare::Certainty;
/// assert_eq!(Certainty::Exact { gap: 0.0 }.to_string(), "exact");
/// let bounds = Certainty::Bounds { lower: 1.0, upper: 1.5 };
/// assert_eq!(bounds.to_string(), "from 1.000000 to 1.500000 for certain");
/// assert_eq!(bounds.record().to_string(), bounds.to_string());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "lowercase"))]
pub enum CertaintyRecord {
    /// Solved exactly.
    Exact {
        /// The power is at most this above the optimum.
        gap: f64,
    },
    /// Solved by iterations.
    Interval {
        /// The power is at least this.
        lower: f64,
        /// The power is at most this.
        upper: f64,
    },
    /// Estimated on random slices; `None` where they are too few to tell.
    Sliced {
        /// Standard error of the distance.
        standard_error: Option<f64>,
        /// Interval of the distance at 95 %, none of it below 0.
        interval: Option<[f64; 2]>,
        /// Standard error of the power.
        power_standard_error: Option<f64>,
    },
    /// Between two bounds; the value is the lower one.
    Bounds {
        /// The distance is at least this.
        lower: f64,
        /// The distance is at most this.
        upper: f64,
    },
}

impl Certainty {
    /// What is told and stored of it.
    #[must_use]
    pub fn record(&self) -> CertaintyRecord {
        match *self {
            Self::Exact { gap } => CertaintyRecord::Exact { gap },
            Self::Interval { lower, upper } => CertaintyRecord::Interval { lower, upper },
            Self::Bounds { lower, upper } => CertaintyRecord::Bounds { lower, upper },
            Self::Sliced { power, value } => {
                let finite = |number: f64| Some(number).filter(|number| number.is_finite());
                let standard_error = finite(value.standard_error);
                let interval = standard_error.map(|_| {
                    let (low, high) = value.interval(LEVEL);
                    [low.max(0.0), high]
                });
                let power_standard_error = finite(power.standard_error);
                CertaintyRecord::Sliced { standard_error, interval, power_standard_error }
            }
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record().fmt(f)
    }
}

/// One clause for people.
impl fmt::Display for CertaintyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact { gap } if *gap <= 0.0 => write!(f, "exact"),
            Self::Exact { gap } => write!(f, "exact, rounding below {gap:.0e}"),
            Self::Interval { lower, upper } => write!(f, "power from {lower:.6} to {upper:.6} for certain"),
            Self::Sliced { standard_error: Some(error), interval: Some([low, high]), .. } => {
                write!(f, "+- {error:.2e} over draws of slices, 95 % interval {low:.6} to {high:.6}")
            }
            Self::Sliced { .. } => write!(f, "of slices too few to tell an error"),
            Self::Bounds { lower, upper } => write!(f, "from {lower:.6} to {upper:.6} for certain"),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Certainty {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.record().serialize(to)
    }
}
