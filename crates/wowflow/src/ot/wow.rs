//! Transport between datasets: `W_{W2}^2`, exact on both levels.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::exact::{CostMatrix, Coupling, OtError, Problem, solve};
use crate::linalg::Threads;
use crate::measure::MeasureOverMeasures;
use crate::scalar::Scalar;

/// Multiplications in the costs of a pair of classes above which its work is shared among threads.
const LARGE: usize = 1 << 31;

/// What becomes of the plans between classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepPlans {
    /// They are returned, one for every pair of classes: geodesics and barycenters need them.
    Yes,
    /// They are dropped, and with them most of the memory.
    No,
}

/// An optimal coupling of two datasets.
#[derive(Clone, Debug, PartialEq)]
pub struct WowTransport {
    /// `W_{W2}^2(P, Q) = sum_{c,d} Gamma_{cd} W_2^2(mu_c, nu_d)`.
    pub value: f64,
    /// `W_2^2(mu_c, nu_d)` of all pairs of classes, `C_P x C_Q`.
    pub class_costs: CostMatrix,
    /// The optimal outer coupling `Gamma` of the class weights.
    pub outer: Coupling,
    /// Whether `Gamma` is provably the only optimal one, see [`super::exact::Transport::unique`].
    pub unique: bool,
    /// Primal minus dual value of the outer problem, see [`super::exact::Transport::gap`].
    pub gap: f64,
    /// Optimal plans between `mu_c` and `nu_d`, at `c * C_Q + d`; kept only when asked for.
    pub plans: Option<Vec<Coupling>>,
}

impl WowTransport {
    /// The plan between class `c` of `P` and class `d` of `Q`, if plans were kept.
    #[must_use]
    pub fn plan(&self, c: usize, d: usize) -> Option<&Coupling> {
        let at = c * self.class_costs.cols() + d;
        self.plans.as_ref().filter(|_| d < self.class_costs.cols()).and_then(|plans| plans.get(at))
    }
}

/// The Wasserstein-over-Wasserstein distance squared (the power, not the root), with its couplings.
///
/// All `C_P C_Q` inner problems are solved exactly, in parallel in the current rayon pool; the
/// result does not depend on the number of threads (`book/src/mathematics.md`, "Distances between measures").
///
/// ```
/// use wowflow::measure::MeasureOverMeasures;
/// use wowflow::ot::wow::{KeepPlans, wow2_pow};
/// let p = MeasureOverMeasures::uniform(vec![0.0, 1.0, 10.0], 1, &[2, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![10.0, 1.0, 2.0], 1, &[1, 2])?;
/// let transport = wow2_pow(&p, &q, KeepPlans::No)?;
/// assert_eq!(transport.class_costs.values(), &[90.5, 1.0, 0.0, 72.5]);
/// assert_eq!(transport.value, 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Datasets of different dimension, or distances that are not finite.
#[inline(never)]
pub fn wow2_pow<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
    keep: KeepPlans,
) -> Result<WowTransport, OtError> {
    wow2_pow_until(p, q, keep, &AtomicBool::new(false))
}

/// As [`wow2_pow`], and gives up soon after `interrupt` is set.
///
/// # Errors
/// As [`wow2_pow`], and [`OtError::Interrupted`].
#[inline(never)]
pub fn wow2_pow_until<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
    keep: KeepPlans,
    interrupt: &AtomicBool,
) -> Result<WowTransport, OtError> {
    wow2_pow_observed(p, q, keep, interrupt, &|_| ())
}

/// As [`wow2_pow_until`], and tells how many of the `C_P C_Q` inner problems are solved, each time that one is.
///
/// # Errors
/// As [`wow2_pow_until`].
#[inline(never)]
pub fn wow2_pow_observed<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
    keep: KeepPlans,
    interrupt: &AtomicBool,
    observe: &(dyn Fn(usize) + Sync),
) -> Result<WowTransport, OtError> {
    if p.dim() != q.dim() {
        return Err(OtError::DimensionMismatch { left: p.dim(), right: q.dim() });
    }
    let (rows, cols) = (p.class_count(), q.class_count());
    let done = AtomicUsize::new(0);
    let solved: Vec<(f64, Option<Coupling>)> = (0..rows * cols)
        .into_par_iter()
        .map(|pair| {
            let (c, d) = (pair / cols, pair % cols);
            let (x, a) = (p.class_points(c), p.class_weights(c));
            let (y, b) = (q.class_points(d), q.class_weights(d));
            // Many small problems run side by side; a large one shares its work out as well.
            let large = x.len().saturating_mul(y.len() / p.dim()) > LARGE;
            let threads = if large { Threads::Pool } else { Threads::One };
            let inner =
                Problem::points(x, y, p.dim()).weights(a, b).threads(threads).interrupt(interrupt).solve()?;
            observe(done.fetch_add(1, Ordering::Relaxed) + 1);
            Ok((inner.value, (keep == KeepPlans::Yes).then_some(inner.coupling)))
        })
        .collect::<Result<_, OtError>>()?;
    let (costs, plans): (Vec<f64>, Vec<Option<Coupling>>) = solved.into_iter().unzip();
    let class_costs = CostMatrix::new(rows, cols, costs)?;
    let outer = solve(&class_costs, Some(p.outer_weights()), Some(q.outer_weights()))?;
    let plans = plans.into_iter().collect();
    Ok(WowTransport {
        value: outer.value,
        class_costs,
        outer: outer.coupling,
        unique: outer.unique,
        gap: outer.gap,
        plans,
    })
}

/// The Wasserstein-over-Wasserstein distance `W_{W2}`: the root of [`wow2_pow`]'s value.
///
/// # Errors
/// As [`wow2_pow`].
#[inline(never)]
pub fn wow2<T: Scalar>(p: &MeasureOverMeasures<T>, q: &MeasureOverMeasures<T>) -> Result<f64, OtError> {
    Ok(wow2_pow(p, q, KeepPlans::No)?.value.sqrt())
}
