//! The Sinkhorn divergence: entropic transport without the bias that keeps a measure from itself.

use std::cmp::Ordering;

use super::{Entropic, EntropicError, Ground, Likeness, Marginals, SinkhornSettings, solve};
use crate::ot::exact::OtError;
use crate::scalar::Scalar;

/// `S(mu, nu) = OT(mu, nu) - 1/2 OT(mu, mu) - 1/2 OT(nu, nu)`, with `eps/2 (|mu| - |nu|)^2` more if the
/// marginals are relaxed.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkhornDivergence {
    /// The divergence. Exactly 0 between equal points with equal weights.
    pub value: f64,
    /// The exact divergence is at least this ...
    pub lower: f64,
    /// ... and at most this, by the gaps of the three problems and up to rounding.
    pub upper: f64,
    /// Transport from `mu` to `nu`.
    pub cross: Entropic,
    /// Transport from `mu` to itself.
    pub left: Entropic,
    /// Transport from `nu` to itself.
    pub right: Entropic,
}

impl SinkhornDivergence {
    /// Iterations of the three problems.
    #[must_use]
    pub fn iterations(&self) -> usize {
        self.cross.iterations + self.left.iterations + self.right.iterations
    }

    /// Whether all three problems met the tolerance.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.cross.converged && self.left.converged && self.right.converged
    }

    /// The gradient of the divergence with respect to the left points, `n x dim` row-major, by the
    /// envelope theorem (Feydy et al. 2019). It is 0 between equal points with equal weights.
    ///
    /// # Errors
    /// Other numbers of coordinates than were solved for.
    pub fn gradient<T: Scalar>(&self, x: &[T], y: &[T], dim: usize) -> Result<Vec<f64>, EntropicError> {
        let mut gradient = self.cross.gradient(x, y, dim)?;
        // Half the transport to itself, which moves with both of its sides: one side's gradient.
        let own = self.left.gradient(x, x, dim)?;
        gradient.iter_mut().zip(own).for_each(|(g, own)| *g -= own);
        Ok(gradient)
    }
}

/// The debiased divergence between weighted points at squared Euclidean cost; see [`SinkhornDivergence`].
///
/// `x` is `n x dim`, `y` is `m x dim`, row-major; weights as in [`super::sinkhorn`]. Symmetric to the
/// bit: the two sides are put in an order of their own first.
///
/// ```
/// use wowflow::ot::entropic::{SinkhornSettings, sinkhorn_divergence};
/// let (x, moved) = ([0.0, 1.0, 3.0], [2.0, 3.0, 5.0]);
/// let settings = SinkhornSettings::new(0.5);
/// let found = sinkhorn_divergence(&x, None, &moved, None, 1, &settings)?;
/// assert!((found.value - 4.0).abs() < 1e-8); // a translation by 2
/// assert_eq!(sinkhorn_divergence(&x, None, &x, None, 1, &settings)?.value, 0.0);
/// # Ok::<(), wowflow::ot::entropic::EntropicError>(())
/// ```
///
/// # Errors
/// As [`super::sinkhorn_points`].
pub fn sinkhorn_divergence<T: Scalar>(
    x: &[T],
    a: Option<&[f64]>,
    y: &[T],
    b: Option<&[f64]>,
    dim: usize,
    settings: &SinkhornSettings,
) -> Result<SinkhornDivergence, EntropicError> {
    let left = Side { points: x, weights: a, own: Ground::points(x, x, dim, None)? };
    let right = Side { points: y, weights: b, own: Ground::points(y, y, dim, None)? };
    let cross = |swapped: bool| {
        let (x, y) = if swapped { (y, x) } else { (x, y) };
        Ground::points(x, y, dim, None)
    };
    debiased(&left, &right, cross, false, settings)
}

/// One side of a divergence: its points, its weights, and its costs to itself.
pub(crate) struct Side<'a, T> {
    pub(crate) points: &'a [T],
    pub(crate) weights: Option<&'a [f64]>,
    pub(crate) own: Ground<'a, T>,
}

/// The divergence of two sides; `cross` gives the costs between them, or from right to left if asked so.
/// `distinct` says that sides of equal points and weights differ all the same.
pub(crate) fn debiased<'a, T: Scalar>(
    left: &Side<'a, T>,
    right: &Side<'a, T>,
    cross: impl Fn(bool) -> Result<Ground<'a, T>, OtError>,
    distinct: bool,
    settings: &SinkhornSettings,
) -> Result<SinkhornDivergence, EntropicError> {
    let order = compare(left, right);
    if order == Ordering::Greater {
        let turned = ordered(right, left, &cross(true)?, Likeness::Different, settings)?;
        let cross = transposed(turned.cross);
        return Ok(SinkhornDivergence { cross, left: turned.right, right: turned.left, ..turned });
    }
    let same = order == Ordering::Equal && !distinct;
    let likeness = if same { Likeness::Same } else { Likeness::Different };
    ordered(left, right, &cross(false)?, likeness, settings)
}

fn ordered<T: Scalar>(
    left: &Side<'_, T>,
    right: &Side<'_, T>,
    cross: &Ground<'_, T>,
    likeness: Likeness,
    settings: &SinkhornSettings,
) -> Result<SinkhornDivergence, EntropicError> {
    let own =
        |side: &Side<'_, T>| solve(&side.own, (side.weights, side.weights), settings, Likeness::Same, None);
    let first = own(left)?;
    let (cross, second) = match likeness {
        Likeness::Same => (first.clone(), first.clone()),
        Likeness::Different => {
            (solve(cross, (left.weights, right.weights), settings, likeness, None)?, own(right)?)
        }
    };
    let mass = |weights: &[f64]| weights.iter().sum::<f64>();
    let unequal = match settings.marginals {
        Marginals::Exact => 0.0,
        Marginals::Relaxed { .. } => 0.5 * settings.epsilon * (mass(&cross.a) - mass(&cross.b)).powi(2),
    };
    let value = cross.value - 0.5 * (first.value + second.value) + unequal;
    let (lower, upper) = (value - 0.5 * (first.gap + second.gap), value + cross.gap);
    Ok(SinkhornDivergence { value, lower, upper, cross, left: first, right: second })
}

/// A transport read from right to left.
fn transposed(transport: Entropic) -> Entropic {
    let Entropic { f, g, a, b, row_masses, col_masses, .. } = transport;
    Entropic { f: g, g: f, a: b, b: a, row_masses: col_masses, col_masses: row_masses, ..transport }
}

/// An order of sides: by size, points, weights.
fn compare<T: Scalar>(left: &Side<'_, T>, right: &Side<'_, T>) -> Ordering {
    let points = || {
        let pairs = left.points.iter().zip(right.points);
        pairs.map(|(x, y)| x.to_f64().total_cmp(&y.to_f64())).find(|order| order.is_ne())
    };
    let weights = || match (left.weights, right.weights) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => {
            let different = a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
            different.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
    };
    let sizes = left.points.len().cmp(&right.points.len());
    sizes.then_with(|| points().unwrap_or(Ordering::Equal)).then_with(weights)
}
