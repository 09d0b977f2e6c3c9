//! Entropic optimal transport: `min_P <P, C> + eps KL(P | a b^T)`, balanced or with relaxed marginals.
//!
//! The Sinkhorn iteration in the log domain, sped up by products with an absorbed kernel, epsilon
//! scaling and over-relaxation. Every result carries a gap: a limit on the iterations is reported, and
//! so is what it cost. The bits do not depend on the number of threads.
//! Formulas: Cuturi 2013; Peyré and Cuturi 2019, section 4; Feydy et al. 2019 for the divergence;
//! Chizat, Peyré, Schmitzer, Vialard 2018 and Séjourné et al. 2019 for relaxed marginals.

mod certificate;
mod costs;
mod divergence;
mod error;
mod loops;
mod plan;
mod relaxation;
mod settings;
mod solver;

pub(crate) use costs::{Ground, Labels};
pub(crate) use divergence::{Side, debiased};
pub use divergence::{SinkhornDivergence, sinkhorn_divergence};
pub(crate) use loops::exp;

pub use error::EntropicError;
pub use settings::{Marginals, SinkhornSettings, Storage};

use super::exact::{CostMatrix, OtError};
use crate::scalar::Scalar;
use solver::Problem;

/// Costs held by [`Storage::Auto`].
const HELD: usize = 1 << 26;

/// A regularised plan, given by its potentials, with its values and its certificate.
///
/// The plan is `P_ij = a_i b_j exp((f_i + g_j - c_ij) / eps)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entropic {
    /// The regularised cost, by the dual: `sum a f + sum b g + eps (1 - sum P)` if balanced. Never above the
    /// minimum, up to rounding.
    pub value: f64,
    /// No plan is cheaper than `value`, and there is one at `value + gap` or less.
    pub gap: f64,
    /// `<P, C>`.
    pub linear_cost: f64,
    /// `KL(P | a b^T) = sum P log(P / a b) - P + a b`.
    pub kl: f64,
    /// Potentials of the left points; if balanced, in the gauge `sum a f = sum b g`.
    pub f: Vec<f64>,
    /// Potentials of the right points.
    pub g: Vec<f64>,
    /// Weights of the left points, normalised if balanced.
    pub a: Vec<f64>,
    /// Weights of the right points.
    pub b: Vec<f64>,
    /// Total distance of the plan's marginals from what the optimal ones of these potentials are, over
    /// the mass on the right.
    pub marginal_error: f64,
    /// Iterations of all stages.
    pub iterations: usize,
    /// Whether the tolerance was met within the iterations allowed.
    pub converged: bool,
    /// The settings, with the storage resolved.
    pub settings: SinkhornSettings,
    row_masses: Vec<f64>,
    col_masses: Vec<f64>,
}

/// Entropic transport at the costs of a matrix, with weights `a` and `b`; `None` is uniform.
///
/// Balanced: weights are normalised to sum 1. Relaxed: they are masses as given, 1 in total for `None`.
/// Points of weight 0 get no mass and the potential that the others imply.
///
/// ```
/// use wowflow::ot::{entropic::{SinkhornSettings, sinkhorn}, exact::CostMatrix};
/// let cost = CostMatrix::new(2, 2, vec![0.0, 1.0, 1.0, 0.0])?;
/// let soft = sinkhorn(&cost, None, None, &SinkhornSettings::new(1.0))?;
/// let stays = 0.5 / (1.0 + (-1.0f64).exp());
/// assert!((soft.plan(&cost)?[0] - stays).abs() < 1e-9);
/// assert!(soft.converged && soft.gap < 1e-8);
/// # Ok::<(), wowflow::ot::entropic::EntropicError>(())
/// ```
///
/// # Errors
/// Settings out of range; weights of a wrong number, negative, not finite or of total 0.
pub fn sinkhorn(
    cost: &CostMatrix,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    settings: &SinkhornSettings,
) -> Result<Entropic, EntropicError> {
    solve(&Ground::<f64>::Matrix(cost), (a, b), settings, Likeness::Different, None)
}

/// As [`sinkhorn`], from potentials `start` of the right points in the unit of the costs, such as [`Entropic::g`] of a
/// problem close by: there is no epsilon scaling, and near the solution a few iterations are left.
///
/// ```
/// use wowflow::ot::{entropic::{SinkhornSettings, sinkhorn, sinkhorn_from}, exact::CostMatrix};
/// let cost = CostMatrix::new(2, 2, vec![0.0, 1.0, 2.0, 0.0])?;
/// let settings = SinkhornSettings::new(1.0);
/// let before = sinkhorn(&cost, None, None, &settings)?;
/// let again = sinkhorn_from(&cost, None, None, &settings, &before.g)?;
/// assert!(again.iterations <= 2 && (again.value - before.value).abs() < 1e-9);
/// # Ok::<(), wowflow::ot::entropic::EntropicError>(())
/// ```
///
/// # Errors
/// As [`sinkhorn`]; potentials of another number or not finite.
pub fn sinkhorn_from(
    cost: &CostMatrix,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    settings: &SinkhornSettings,
    start: &[f64],
) -> Result<Entropic, EntropicError> {
    let found = start.iter().filter(|g| g.is_finite()).count();
    if start.len() != cost.cols() || found != cost.cols() {
        return Err(EntropicError::BadStart { expected: cost.cols(), given: start.len(), found });
    }
    solve(&Ground::<f64>::Matrix(cost), (a, b), settings, Likeness::Different, Some(start))
}

/// Entropic transport between `n x dim` and `m x dim` row-major points at squared Euclidean cost.
///
/// ```
/// use wowflow::ot::entropic::{SinkhornSettings, sinkhorn_points};
/// let moved = sinkhorn_points(&[0.0, 1.0], None, &[2.0], None, 1, &SinkhornSettings::new(0.5))?;
/// assert!((moved.value - 2.5).abs() < 1e-12); // one coupling only
/// # Ok::<(), wowflow::ot::entropic::EntropicError>(())
/// ```
///
/// # Errors
/// As [`sinkhorn`]; no points, incomplete rows, or coordinates that are not finite or overflow.
pub fn sinkhorn_points<T: Scalar>(
    x: &[T],
    a: Option<&[f64]>,
    y: &[T],
    b: Option<&[f64]>,
    dim: usize,
    settings: &SinkhornSettings,
) -> Result<Entropic, EntropicError> {
    solve(&Ground::points(x, y, dim, None)?, (a, b), settings, Likeness::Different, None)
}

/// Whether both sides of a problem are one measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    Same,
    Different,
}

pub(crate) fn solve<T: Scalar>(
    ground: &Ground<'_, T>,
    (a, b): (Option<&[f64]>, Option<&[f64]>),
    settings: &SinkhornSettings,
    likeness: Likeness,
    start: Option<&[f64]>,
) -> Result<Entropic, EntropicError> {
    settings.check()?;
    let (n, m) = ground.shape();
    let (a, b) = (weights("left", n, a, settings)?, weights("right", m, b, settings)?);
    let (rows, cols) = (support(&a), support(&b));
    let pick = |weights: &[f64], at: &[usize]| -> Vec<f64> { at.iter().map(|&at| weights[at]).collect() };
    let (active_a, active_b) = (pick(&a, &rows), pick(&b, &cols));
    let mut settings = *settings;
    if settings.storage == Storage::Auto {
        let few = rows.len().saturating_mul(cols.len()) <= HELD;
        settings.storage = if few { Storage::Held } else { Storage::Computed };
    }
    let mut costs = ground.select(&rows, &cols);
    if settings.storage == Storage::Held {
        costs.hold();
    }
    let hold_kernel = settings.storage == Storage::Held;
    let start = start.map(|start| pick(start, &cols));
    let problem = Problem {
        costs: &costs,
        a: &active_a,
        b: &active_b,
        settings: &settings,
        hold_kernel,
        start: start.as_deref(),
    };
    let iterate = match likeness {
        Likeness::Same => problem.solve_symmetric(),
        Likeness::Different => problem.solve(),
    };
    let valued = certificate::certify(&problem, &iterate);
    let unseen = |weights: &[f64]| (0..weights.len()).filter(|&at| weights[at] == 0.0).collect::<Vec<_>>();
    let (other_rows, other_cols) = (unseen(&a), unseen(&b));
    let (mut f, mut g) = (spread(n, &rows, &valued.f), spread(m, &cols, &valued.g));
    if !other_rows.is_empty() {
        let costs = ground.select(&other_rows, &cols);
        let found = certificate::extend(&costs, &valued.g, &active_b, &settings);
        other_rows.iter().zip(found).for_each(|(&at, found)| f[at] = found);
    }
    if !other_cols.is_empty() {
        let costs = ground.select_transposed(&other_cols, &rows);
        let found = certificate::extend(&costs, &valued.f, &active_a, &settings);
        other_cols.iter().zip(found).for_each(|(&at, found)| g[at] = found);
    }
    Ok(Entropic {
        value: valued.value,
        gap: valued.gap,
        linear_cost: valued.linear_cost,
        kl: valued.kl,
        row_masses: spread(n, &rows, &valued.row_masses),
        col_masses: spread(m, &cols, &valued.col_masses),
        f,
        g,
        a,
        b,
        marginal_error: valued.marginal_error,
        iterations: iterate.iterations,
        converged: iterate.converged,
        settings,
    })
}

fn support(weights: &[f64]) -> Vec<usize> {
    (0..weights.len()).filter(|&at| weights[at] > 0.0).collect()
}

/// Values at some places of a vector, 0 elsewhere.
fn spread(len: usize, at: &[usize], values: &[f64]) -> Vec<f64> {
    let mut all = vec![0.0; len];
    at.iter().zip(values).for_each(|(&at, value)| all[at] = *value);
    all
}

/// Weights checked, and normalised where the problem is balanced.
fn weights(
    side: &'static str,
    len: usize,
    weights: Option<&[f64]>,
    settings: &SinkhornSettings,
) -> Result<Vec<f64>, OtError> {
    let Some(weights) = weights else { return Ok(vec![1.0 / len as f64; len]) };
    if weights.len() != len {
        return Err(OtError::WeightCount { side, expected: len, found: weights.len() });
    }
    if let Some(index) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
        return Err(OtError::BadWeight { side, index: index + 1, found: weights[index] });
    }
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return Err(OtError::ZeroMass { side });
    }
    if settings.marginals != Marginals::Exact {
        return Ok(weights.to_vec());
    }
    // Over the largest first: the sum of huge weights would overflow.
    let total: f64 = weights.iter().map(|w| w / largest).sum();
    Ok(weights.iter().map(|w| w / largest / total).collect())
}
