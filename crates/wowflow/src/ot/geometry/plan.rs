//! Velocity plans: the tangent vectors of the space of datasets, from one dataset to another.

use super::GeometryError;
use crate::measure::MeasureOverMeasures;
use crate::ot::exact::Coupling;
use crate::ot::wow::{KeepPlans, WowTransport, wow2_pow};
use crate::scalar::Scalar;

/// A pair of classes that exchange mass, with the plan between their samples.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassPair {
    /// Class `c` of the source.
    pub source: usize,
    /// Class `d` of the target.
    pub target: usize,
    /// Outer mass `Gamma_{cd}`, positive; the masses of all pairs sum to 1.
    pub mass: f64,
    /// Inner plan `gamma_cd` from the samples of `c` to those of `d`; its masses sum to 1.
    pub plan: Coupling,
}

/// One particle of a velocity plan: where it is, where it goes, how heavy it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Particle<'a, T> {
    /// Its pair of classes, an index into [`VelocityPlan::pairs`].
    pub pair: usize,
    /// Sample of the source, counted over all its classes.
    pub source: usize,
    /// Sample of the target, counted over all its classes.
    pub target: usize,
    /// `Gamma_{cd} gamma_cd(i, j)`: the masses of all particles sum to 1.
    pub mass: f64,
    /// The source sample `x`.
    pub position: &'a [T],
    /// The target sample `y`.
    pub end: &'a [T],
}

impl<T: Scalar> Particle<'_, T> {
    /// The velocity `y - x`, coordinate after coordinate.
    pub fn displacement(&self) -> impl Iterator<Item = f64> + '_ {
        self.position.iter().zip(self.end).map(|(x, y)| y.to_f64() - x.to_f64())
    }
}

/// The velocity plan from a source `P` to a target `Q`: their logarithm.
///
/// `(x, y - x)` under `sum_{c,d} Gamma_{cd} gamma_cd`, grouped by pairs of classes. Its squared norm
/// is `W_{W2}^2(P, Q)` when the couplings are optimal; following it for a time 1 ends at `Q`
/// (`book/src/mathematics.md`, "Geometry"; Gigli, "On the geometry of the space of probability measures
/// endowed with the quadratic optimal transport distance", 2004, one level down).
///
/// ```
/// use wowflow::measure::MeasureOverMeasures;
/// use wowflow::ot::geometry::VelocityPlan;
/// let p = MeasureOverMeasures::uniform(vec![0.0, 1.0, 10.0], 1, &[2, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![14.0, 0.0, 5.0], 1, &[1, 2])?;
/// let log = VelocityPlan::log(&p, &q)?;
/// assert_eq!((log.pairs().len(), log.squared_norm()), (2, 12.0));
/// assert_eq!(log.exp(1.0)?.measure.class_points(0), q.class_points(1));
/// let halfway = log.at(0.5)?;
/// assert_eq!(halfway.measure.points(), &[0.0, 3.0, 12.0]);
/// assert_eq!((halfway.classes[1].source, halfway.classes[1].target), (Some(1), Some(0)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct VelocityPlan<'a, T> {
    p: &'a MeasureOverMeasures<T>,
    q: &'a MeasureOverMeasures<T>,
    pairs: Vec<ClassPair>,
}

impl<'a, T: Scalar> VelocityPlan<'a, T> {
    /// The optimal velocity plan, exact on both levels.
    ///
    /// # Errors
    /// As [`wow2_pow`].
    #[inline(never)]
    pub fn log(p: &'a MeasureOverMeasures<T>, q: &'a MeasureOverMeasures<T>) -> Result<Self, GeometryError> {
        Self::new(p, q, &wow2_pow(p, q, KeepPlans::Yes)?)
    }

    /// The velocity plan of a transport from `p` to `q` that is already there.
    ///
    /// # Errors
    /// A transport without plans, or between datasets of other shapes.
    #[inline(never)]
    pub fn new(
        p: &'a MeasureOverMeasures<T>,
        q: &'a MeasureOverMeasures<T>,
        transport: &WowTransport,
    ) -> Result<Self, GeometryError> {
        let foreign = |what: &str, expected: (usize, usize), found: (usize, usize)| {
            let text = |(rows, cols): (usize, usize)| format!("{rows} x {cols} {what}");
            GeometryError::ForeignTransport { expected: text(expected), found: text(found) }
        };
        let classes = (p.class_count(), q.class_count());
        let found = (transport.outer.rows(), transport.outer.cols());
        if found != classes {
            return Err(foreign("classes", classes, found));
        }
        let pair = |atom: &crate::ot::exact::Atom| {
            let (c, d) = (atom.row, atom.col);
            let plan = transport.plan(c, d).ok_or(GeometryError::NoPlans)?;
            let (expected, found) = ((p.class_size(c), q.class_size(d)), (plan.rows(), plan.cols()));
            if found != expected {
                return Err(foreign(&format!("samples of classes {c} and {d}"), expected, found));
            }
            Ok(ClassPair { source: c, target: d, mass: atom.mass, plan: plan.clone() })
        };
        let pairs = transport.outer.atoms().iter().map(pair).collect::<Result<_, _>>()?;
        Ok(Self { p, q, pairs })
    }

    /// The same plan between the same datasets in another precision.
    pub(super) fn between<'b, S: Scalar>(
        &self,
        p: &'b MeasureOverMeasures<S>,
        q: &'b MeasureOverMeasures<S>,
    ) -> VelocityPlan<'b, S> {
        VelocityPlan { p, q, pairs: self.pairs.clone() }
    }

    /// The dataset it starts from.
    #[must_use]
    pub fn source(&self) -> &'a MeasureOverMeasures<T> {
        self.p
    }

    /// The dataset it leads to.
    #[must_use]
    pub fn target(&self) -> &'a MeasureOverMeasures<T> {
        self.q
    }

    /// The pairs of classes with mass, sorted by (source, target); at most `C_P + C_Q - 1`.
    #[must_use]
    pub fn pairs(&self) -> &[ClassPair] {
        &self.pairs
    }

    /// All particles, pair after pair, in each sorted by (source, target).
    pub fn particles(&self) -> impl Iterator<Item = Particle<'a, T>> + '_ {
        self.pairs.iter().enumerate().flat_map(move |(index, pair)| {
            let dim = self.p.dim();
            let (x, y) = (self.p.class_points(pair.source), self.q.class_points(pair.target));
            let (first_x, first_y) =
                (self.p.class_range(pair.source).start, self.q.class_range(pair.target).start);
            pair.plan.atoms().iter().map(move |atom| Particle {
                pair: index,
                source: first_x + atom.row,
                target: first_y + atom.col,
                mass: pair.mass * atom.mass,
                position: &x[atom.row * dim..(atom.row + 1) * dim],
                end: &y[atom.col * dim..(atom.col + 1) * dim],
            })
        })
    }

    /// The squared norm of the velocity, `sum mass |y - x|^2`: `W_{W2}^2(P, Q)` for optimal couplings.
    #[must_use]
    pub fn squared_norm(&self) -> f64 {
        self.particles().map(|at| at.mass * at.displacement().map(|v| v * v).sum::<f64>()).sum()
    }

    /// The mean displacement of every sample of the source, `N_P x d` row-major: the barycentric
    /// projection of the velocity plan. Samples without mass get 0.
    #[must_use]
    #[inline(never)]
    pub fn mean_displacement(&self) -> Vec<f64> {
        let dim = self.p.dim();
        let mut total = vec![0.0; self.p.sample_count()];
        for particle in self.particles() {
            total[particle.source] += particle.mass;
        }
        let mut mean = vec![0.0; self.p.sample_count() * dim];
        for particle in self.particles() {
            // A sample that does not split has a share of exactly 1.
            let share = particle.mass / total[particle.source];
            let row = &mut mean[particle.source * dim..(particle.source + 1) * dim];
            for (mean, v) in row.iter_mut().zip(particle.displacement()) {
                *mean += share * v;
            }
        }
        mean
    }
}
