//! The curve that a velocity plan draws: geodesic, exponential map, and its projection without splits.

use super::{GeometryError, VelocityPlan};
use crate::measure::{MeasureError, MeasureOverMeasures};
use crate::scalar::Scalar;

/// Where a class or a sample on a curve comes from and goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Class or sample of the source; `None` at the end of the curve, where it is the target's.
    pub source: Option<usize>,
    /// Class or sample of the target; `None` at the start of the curve, where it is the source's.
    pub target: Option<usize>,
}

/// A dataset on the way from a source to a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpolation<T> {
    /// The dataset itself.
    pub measure: MeasureOverMeasures<T>,
    /// Source and target class of every class.
    pub classes: Vec<Origin>,
    /// Source and target sample of every sample: rows of the measures' points, class after class.
    pub samples: Vec<Origin>,
}

impl<T: Scalar> VelocityPlan<'_, T> {
    /// The exponential map `(x + t v)_#`: every particle moves for a time `t`, any finite number.
    ///
    /// A class for each pair `(c, d)`, of weight `Gamma_{cd}`; in it a sample for each `(i, j)`, of weight
    /// `gamma_cd(i, j)`. Samples of the source split where the plan splits them, also at the ends:
    /// `exp(0)` is `P` and `exp(1)` is `Q` as measures, their coordinates to the bit, with some samples and
    /// classes repeated, those of weight 0 left out, and masses that are sums.
    ///
    /// # Errors
    /// A time that is not finite, or that leads to coordinates that are not.
    #[inline(never)]
    pub fn exp(&self, t: f64) -> Result<Interpolation<T>, GeometryError> {
        if !t.is_finite() {
            return Err(GeometryError::BadTime { expected: "that is finite", found: t });
        }
        let both = |source, target| Origin { source: Some(source), target: Some(target) };
        let sizes: Vec<usize> = self.pairs().iter().map(|pair| pair.plan.atoms().len()).collect();
        let count: usize = sizes.iter().sum();
        let dim = self.source().dim();
        let mut points = Vec::with_capacity(count * dim);
        let mut samples = Vec::with_capacity(count);
        for particle in self.particles() {
            let along = particle.position.iter().zip(particle.end);
            points.extend(along.map(|(x, y)| T::from_f64(between(x.to_f64(), y.to_f64(), t))));
            samples.push(both(particle.source, particle.target));
        }
        let inner: Vec<f64> =
            self.pairs().iter().flat_map(|pair| pair.plan.atoms().iter().map(|atom| atom.mass)).collect();
        let outer: Vec<f64> = self.pairs().iter().map(|pair| pair.mass).collect();
        let measure = MeasureOverMeasures::new(points, dim, &sizes, Some(&inner), Some(&outer))?;
        let classes = self.pairs().iter().map(|pair| both(pair.source, pair.target)).collect();
        Ok(Interpolation { measure, classes, samples })
    }

    /// The point `P_t` of the geodesic, `t` in [0, 1].
    ///
    /// Strictly between the ends this is [`Self::exp`]. At the ends it is the source or the target itself,
    /// with all that splits put back together: its own classes, samples, weights (also of 0) and
    /// order, each with an origin on its own side alone.
    ///
    /// # Errors
    /// A time outside [0, 1].
    #[inline(never)]
    pub fn at(&self, t: f64) -> Result<Interpolation<T>, GeometryError> {
        let whole = |measure: &MeasureOverMeasures<T>, origin: fn(usize) -> Origin| Interpolation {
            measure: measure.clone(),
            classes: (0..measure.class_count()).map(origin).collect(),
            samples: (0..measure.sample_count()).map(origin).collect(),
        };
        match t {
            0.0 => Ok(whole(self.source(), |at| Origin { source: Some(at), target: None })),
            1.0 => Ok(whole(self.target(), |at| Origin { source: None, target: Some(at) })),
            t if 0.0 < t && t < 1.0 => self.exp(t),
            found => Err(GeometryError::BadTime { expected: "from 0 to 1", found }),
        }
    }

    /// The curve without splits: every sample of the source moves towards the mean of its ends,
    /// `x_i + t (ybar_i - x_i)`, `ybar_i` over all classes and samples that the plan sends it to.
    ///
    /// An approximation of the geodesic that keeps the classes, sizes, weights and order of the
    /// source, the same curve where nothing splits. At `t = 1` it falls short of the target by the
    /// spread of the ends; samples without mass stay where they are.
    ///
    /// # Errors
    /// As [`Self::exp`].
    #[inline(never)]
    pub fn barycentric(&self, t: f64) -> Result<MeasureOverMeasures<T>, GeometryError> {
        if !t.is_finite() {
            return Err(GeometryError::BadTime { expected: "that is finite", found: t });
        }
        let moved = |(x, v): (&T, &f64)| T::from_f64(x.to_f64() + t * v);
        let displacement = self.mean_displacement();
        let points: Vec<T> = self.source().points().iter().zip(&displacement).map(moved).collect();
        Ok(with_points(self.source(), &points)?)
    }
}

/// `(1 - t) x + t y`, written so that it is `x` at 0, `y` at 1, `x` for all times if `x = y`, and the
/// same read from the other end.
fn between(x: f64, y: f64, t: f64) -> f64 {
    if t < 0.5 { x + t * (y - x) } else { y - (1.0 - t) * (y - x) }
}

/// A measure of the same classes and weights at other points.
pub(super) fn with_points<T: Scalar>(
    measure: &MeasureOverMeasures<T>,
    points: &[T],
) -> Result<MeasureOverMeasures<T>, MeasureError> {
    if let Some(index) = points.iter().position(|x| !x.is_finite()) {
        return Err(MeasureError::NotFinite {
            row: index / measure.dim() + 1,
            found: points[index].to_f64(),
        });
    }
    let mut moved = measure.clone();
    moved.points_mut().copy_from_slice(points);
    Ok(moved)
}
