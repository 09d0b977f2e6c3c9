//! What is told about a geodesic: `summary.json`, and the lines for people.

use std::path::Path;

use serde::Serialize;
use wowflow::ot::geometry::{self, ClassPair, PlanUniqueness, SpeedCheck, Uniqueness, VelocityPlan};
use wowflow::ot::wow::WowTransport;

use crate::console::Console;
use crate::load::Named;
use crate::run::checkpoint::Stored;

/// `summary.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) schema: u32,
    pub(crate) source: String,
    pub(crate) target: String,
    /// `W_{W2}^2`.
    pub(crate) wow2: f64,
    /// Primal minus dual value of the coupling of the classes.
    pub(crate) gap: f64,
    pub(crate) classes: Vec<Pair>,
    pub(crate) unique: Unique,
    pub(crate) constant_speed: Option<Speed>,
    pub(crate) end_points: Ends,
    /// Bound of `W_{W2}^2` from the end of a curve without splits to the target.
    pub(crate) barycentric_spread: Option<f64>,
    pub(crate) times: Vec<Written>,
    pub(crate) seconds_transport: f64,
    pub(crate) seconds: f64,
    pub(crate) pictures: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) mass: f64,
    /// `W_2^2` between the two classes.
    pub(crate) cost: f64,
    pub(crate) particles: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct Unique {
    pub(crate) overall: bool,
    pub(crate) classes: bool,
    pub(crate) samples: bool,
    /// Matched classes whose samples could be matched otherwise at the same cost.
    pub(crate) pairs_with_others: Vec<[String; 2]>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Speed {
    /// The largest relative deviation.
    pub(crate) worst: f64,
    pub(crate) segments: Vec<Segment>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Segment {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) expected: f64,
    pub(crate) by_coupling: f64,
    pub(crate) exact: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Ends {
    pub(crate) exact: bool,
    pub(crate) mass_error: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Written {
    pub(crate) time: f64,
    pub(crate) file: String,
    pub(crate) samples: usize,
    pub(crate) classes: usize,
}

pub(crate) fn pairs<T: Stored>(
    plan: &VelocityPlan<'_, T>,
    transport: &WowTransport,
    (source, target): (&Named, &Named),
) -> Vec<Pair> {
    let pair = |pair: &ClassPair| Pair {
        source: source.dataset.classes()[pair.source].to_string(),
        target: target.dataset.classes()[pair.target].to_string(),
        mass: pair.mass,
        cost: transport.class_costs.get(pair.source, pair.target),
        particles: pair.plan.atoms().len(),
    };
    plan.pairs().iter().map(pair).collect()
}

pub(crate) fn uniqueness(found: &PlanUniqueness, (source, target): (&Named, &Named)) -> Unique {
    let label = |named: &Named, class: usize| named.dataset.classes()[class].to_string();
    let others = found.inner.iter().map(|&(c, d)| [label(source, c), label(target, d)]);
    Unique {
        overall: found.overall() == Uniqueness::Unique,
        classes: found.outer == Uniqueness::Unique,
        samples: found.inner.is_empty(),
        pairs_with_others: others.collect(),
    }
}

pub(crate) fn speed_of(check: &SpeedCheck) -> Speed {
    let segment = |segment: &geometry::Segment| Segment {
        from: segment.times.0,
        to: segment.times.1,
        expected: segment.expected,
        by_coupling: segment.by_coupling,
        exact: segment.exact,
    };
    Speed { worst: check.worst, segments: check.segments.iter().map(segment).collect() }
}

pub(crate) fn tell(summary: &Summary, out: &Path, console: &Console) {
    for pair in &summary.classes {
        console.say(&format!(
            "  class {} -> {}: mass {:.4}, W_2 {:.4}",
            pair.source,
            pair.target,
            pair.mass,
            pair.cost.max(0.0).sqrt()
        ));
    }
    let unique = match (summary.unique.classes, summary.unique.pairs_with_others.len()) {
        (true, 0) => "the only shortest way".to_owned(),
        (classes, pairs) => {
            let outer = if classes { "" } else { ": classes could be matched otherwise" };
            let inner = if pairs == 0 {
                String::new()
            } else {
                format!(": samples of {pairs} pairs of classes could")
            };
            format!("one of several shortest ways{outer}{inner}")
        }
    };
    let speed = summary.constant_speed.as_ref();
    let speed = speed.map_or(String::new(), |s| format!(", speed constant up to {:.1e}", s.worst));
    console.say(&format!("{unique}{speed}"));
    if let Some(spread) = summary.barycentric_spread {
        console.say(&format!(
            "an approximation: at t = 1 it is within W_W2^2 {spread:.4} of {}",
            summary.target
        ));
    }
    console.say(&format!(
        "{} datasets in {:.1} s; open {}",
        summary.times.len(),
        summary.seconds,
        out.join(&summary.pictures[0]).display()
    ));
}
