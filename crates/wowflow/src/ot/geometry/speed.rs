//! Whether a curve is a geodesic: its speed, measured by couplings and by exact solves.

use super::{GeometryError, VelocityPlan};
use crate::ot::wow::wow2;
use crate::scalar::Scalar;

/// A piece of a curve and how far apart its ends are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// The times of the ends.
    pub times: (f64, f64),
    /// `|t - s| W_{W2}(P, Q)`.
    pub expected: f64,
    /// The length by the couplings of the curve, at least `W_{W2}(P_s, P_t)`.
    pub by_coupling: f64,
    /// `W_{W2}(P_s, P_t)`, solved anew.
    pub exact: f64,
}

impl Segment {
    /// The larger deviation of the two lengths, relative to the expected one; absolute where that is 0.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        let off = (self.exact - self.expected).abs().max((self.by_coupling - self.expected).abs());
        if self.expected > 0.0 { off / self.expected } else { off }
    }
}

/// What [`constant_speed`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeedCheck {
    /// The pieces, in the order asked for.
    pub segments: Vec<Segment>,
    /// The largest [`Segment::deviation`].
    pub worst: f64,
}

/// Checks `W_{W2}(P_s, P_t) = |t - s| W_{W2}(P, Q)` between pairs of times in [0, 1].
///
/// The couplings of the curve bound the distance from above, an exact solve (as dear as the distance
/// of the two datasets) gives it. The curve is followed in double precision whatever the datasets are
/// in, and optimal plans deviate by its rounding alone (`book/src/mathematics.md`, "Geometry"). Rounded to single
/// precision, the datasets on the way are off by that: 1e-7 or so of the speed.
///
/// ```
/// use wowflow::measure::MeasureOverMeasures;
/// use wowflow::ot::geometry::{VelocityPlan, constant_speed};
/// let p = MeasureOverMeasures::uniform(vec![0.0, 1.0, 2.0], 1, &[3])?;
/// let q = MeasureOverMeasures::uniform(vec![5.0, 9.0], 1, &[1, 1])?;
/// let check = constant_speed(&VelocityPlan::log(&p, &q)?, &[(0.0, 0.3), (0.3, 1.0)])?;
/// assert!(check.worst < 1e-14);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A time outside [0, 1], or distances that are not finite.
#[inline(never)]
pub fn constant_speed<T: Scalar>(
    plan: &VelocityPlan<'_, T>,
    times: &[(f64, f64)],
) -> Result<SpeedCheck, GeometryError> {
    let (p, q) = (plan.source().cast::<f64>()?, plan.target().cast::<f64>()?);
    let plan = &plan.between(&p, &q);
    let distance = wow2(&p, &q)?;
    let segment = |&(s, t): &(f64, f64)| {
        let exact = wow2(&plan.at(s)?.measure, &plan.at(t)?.measure)?;
        let by_coupling = along(plan, s, t)?;
        Ok(Segment { times: (s, t), expected: (t - s).abs() * distance, by_coupling, exact })
    };
    let segments: Vec<Segment> = times.iter().map(segment).collect::<Result<_, GeometryError>>()?;
    let worst = segments.iter().map(Segment::deviation).fold(0.0, f64::max);
    Ok(SpeedCheck { segments, worst })
}

/// The root of the mean squared way of the particles between two times.
fn along(plan: &VelocityPlan<'_, f64>, s: f64, t: f64) -> Result<f64, GeometryError> {
    let (from, to) = (plan.exp(s)?.measure, plan.exp(t)?.measure);
    let ways = from.points().chunks_exact(from.dim()).zip(to.points().chunks_exact(to.dim()));
    let squared = |(x, y): (&[f64], &[f64])| x.iter().zip(y).map(|(x, y)| (y - x).powi(2)).sum::<f64>();
    let total: f64 = plan.particles().zip(ways).map(|(particle, way)| particle.mass * squared(way)).sum();
    Ok(total.sqrt())
}
