//! What is found about a geodesic: `summary.json`.

use serde::{Deserialize, Serialize};
use wowflow::ot::geometry::{self, ClassPair, PlanUniqueness, SpeedCheck, Uniqueness, VelocityPlan};
use wowflow::ot::wow::WowTransport;
use wowflow_data::Prepared;

/// `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of the layout.
    pub schema: u32,
    /// Dataset at time 0.
    pub source: String,
    /// Dataset at time 1.
    pub target: String,
    /// `W_{W2}^2`.
    pub wow2: f64,
    /// Primal minus dual value of the coupling of the classes.
    pub gap: f64,
    /// Pairs of classes that exchange mass.
    pub classes: Vec<PairOfClasses>,
    /// Whether there are other shortest ways.
    pub unique: Unique,
    /// The speed, where it was checked.
    pub constant_speed: Option<Speed>,
    /// Whether the way begins and ends at the datasets.
    pub end_points: EndPoints,
    /// Bound of `W_{W2}^2` from the end of a curve without splits to the target.
    pub barycentric_spread: Option<f64>,
    /// The datasets written.
    pub times: Vec<Written>,
    /// Seconds of the transport.
    pub seconds_transport: f64,
    /// Seconds of solving and writing.
    pub seconds: f64,
    /// The pictures written.
    pub pictures: Vec<String>,
}

/// A class of the source and one of the target that exchange mass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairOfClasses {
    /// Label of the class of the source.
    pub source: String,
    /// Label of the class of the target.
    pub target: String,
    /// The mass that goes from one to the other; all of them sum to 1.
    pub mass: f64,
    /// `W_2^2` between the two classes.
    pub cost: f64,
    /// Samples of the pair on the way, with those that split counted once for each part.
    pub particles: usize,
}

/// Whether there are other shortest ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unique {
    /// The way is provably the only one.
    pub overall: bool,
    /// Classes can be coupled in this way alone.
    pub classes: bool,
    /// Samples of coupled classes can be coupled in this way alone.
    pub samples: bool,
    /// Matched classes whose samples could be matched otherwise at the same cost.
    pub pairs_with_others: Vec<[String; 2]>,
}

/// The speed along the way, see [`wowflow::ot::geometry::constant_speed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// The largest relative deviation.
    pub worst: f64,
    /// The pieces it was looked at on.
    pub segments: Vec<Segment>,
}

/// A piece of the way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Time of its start.
    pub from: f64,
    /// Time of its end.
    pub to: f64,
    /// Its share of `W_{W2}`.
    pub expected: f64,
    /// Its length by the couplings of the way.
    pub by_coupling: f64,
    /// Its length, solved anew.
    pub exact: f64,
}

/// Whether the way begins and ends at the datasets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndPoints {
    /// Its ends are samples of the datasets to the bit, with their masses up to rounding.
    pub exact: bool,
    /// The largest amount by which masses miss those of the samples.
    pub mass_error: f64,
}

/// A dataset on the way as it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// Its time.
    pub time: f64,
    /// Its file.
    pub file: String,
    /// Its samples.
    pub samples: usize,
    /// Its classes.
    pub classes: usize,
}

/// The pairs of classes of a plan.
pub(super) fn pairs(
    plan: &VelocityPlan<'_, f64>,
    transport: &WowTransport,
    (source, target): (&Prepared, &Prepared),
) -> Vec<PairOfClasses> {
    let pair = |pair: &ClassPair| PairOfClasses {
        source: source.label(pair.source),
        target: target.label(pair.target),
        mass: pair.mass,
        cost: transport.class_costs.get(pair.source, pair.target),
        particles: pair.plan.atoms().len(),
    };
    plan.pairs().iter().map(pair).collect()
}

impl Unique {
    pub(super) fn new(found: &PlanUniqueness, (source, target): (&Prepared, &Prepared)) -> Self {
        Self {
            overall: found.overall() == Uniqueness::Unique,
            classes: found.outer == Uniqueness::Unique,
            samples: found.inner.is_empty(),
            pairs_with_others: found.inner.iter().map(|&(c, d)| [source.label(c), target.label(d)]).collect(),
        }
    }
}

impl From<&SpeedCheck> for Speed {
    fn from(check: &SpeedCheck) -> Self {
        let segment = |segment: &geometry::Segment| Segment {
            from: segment.times.0,
            to: segment.times.1,
            expected: segment.expected,
            by_coupling: segment.by_coupling,
            exact: segment.exact,
        };
        Self { worst: check.worst, segments: check.segments.iter().map(segment).collect() }
    }
}
