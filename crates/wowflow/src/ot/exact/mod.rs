//! Exact discrete optimal transport, with certificates.
//!
//! [`Problem`] has everything that can be asked for; [`solve`], [`transport`], [`w2_pow`] and [`w2`] are short
//! for common cases. An auction on approximate costs guesses potentials; on short lists of exact costs shortest
//! augmenting paths finish (`augmenting.rs`), or pivots where masses are not few units each (`pivoting.rs`). A network
//! simplex on the full matrix is the second opinion.
//! Results carry dual potentials and the gap that they certify. The bits do not depend on the number of threads.

mod auction;
mod augmenting;
mod cost;
mod coupling;
mod dual;
mod error;
mod forest;
mod loops;
mod masses;
mod network_simplex;
mod pivoting;
mod points;
mod prices;
mod problem;
mod run;
mod shortlist;
mod shortlisted;
mod source;
mod tree;

pub(in crate::ot) use cost::Panels;
pub use cost::{CostMatrix, squared_euclidean};
pub use coupling::{Atom, Coupling};
pub use error::OtError;
pub use problem::{Problem, Storage};

use masses::Masses;

use crate::scalar::Scalar;

/// Atoms below this fraction of both masses they join are rounding of the weights, and left out.
const DUST: f64 = 4.0 * f64::EPSILON;

/// The algorithm behind a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Shortlists of columns: an auction guesses, and shortest augmenting paths or, for unequal masses, the pivots of a
    /// network simplex finish.
    Shortlists,
    /// Network simplex on the full matrix.
    NetworkSimplex,
}

/// An optimal coupling with its certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct Transport {
    /// The sum of mass times cost.
    pub value: f64,
    /// The optimal coupling. Its marginals are the normalised weights up to rounding (1e-15).
    pub coupling: Coupling,
    /// Potentials of the left points, up to a constant that `g` takes off: `f_i + g_j <= c_ij`.
    pub f: Vec<f64>,
    /// Potentials of the right points.
    pub g: Vec<f64>,
    /// Primal minus dual value, at least 0: no coupling is cheaper by more than this, up to
    /// rounding of the order of 1e-15 times the largest cost.
    pub gap: f64,
    /// The algorithm that finished.
    pub method: Method,
    /// Whether this is provably the only optimal coupling: every other one costs more, because each
    /// cycle along which mass could move (forwards along arcs, backwards along the support) has an arc with
    /// a reduced cost of more than 1e-12 times the largest cost. False means that it was not proved.
    /// The simplex does not look, and says false unless a side has a single point of positive weight.
    pub unique: bool,
    /// Work done: bids of the auction, shortlists gone through by searches, pivots.
    pub steps: usize,
}

/// Solves the transport problem `min sum_ij pi_ij c_ij` over couplings of the weights `a` and `b`.
///
/// Weights are normalised to sum 1; `None` is uniform. Points of weight 0 get no mass and a valid
/// potential; so do those below 2e-19 of the total. Costs may have either sign.
///
/// ```
/// use wowflow::ot::exact::{CostMatrix, solve};
/// let cost = CostMatrix::new(2, 2, vec![1.0, 2.0, 4.0, 3.0])?;
/// assert_eq!(solve(&cost, None, None)?.value, 2.0);
/// let weighted = solve(&cost, Some(&[0.25, 0.75]), None)?;
/// assert_eq!(weighted.coupling.to_dense(), [0.25, 0.0, 0.25, 0.5]);
/// assert_eq!((weighted.value, weighted.gap), (2.75, 0.0));
/// # Ok::<(), wowflow::ot::exact::OtError>(())
/// ```
///
/// # Errors
/// A wrong number of weights, a weight that is negative or not finite, or a side of total weight 0.
pub fn solve(cost: &CostMatrix, a: Option<&[f64]>, b: Option<&[f64]>) -> Result<Transport, OtError> {
    Problem::costs(cost).weights(a, b).solve()
}

/// As [`solve`], by the algorithm named.
///
/// # Errors
/// As [`solve`].
pub fn solve_by(
    method: Method,
    cost: &CostMatrix,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
) -> Result<Transport, OtError> {
    match method {
        Method::Shortlists => solve(cost, a, b),
        Method::NetworkSimplex => solve_simplex(cost, a, b),
    }
}

/// Exact transport between `n x dim` and `m x dim` row-major points at squared Euclidean cost.
///
/// ```
/// use wowflow::ot::exact::transport;
/// let plan = transport(&[0.0, 1.0], None, &[2.0], None, 1)?;
/// assert_eq!((plan.value, plan.coupling.atoms().len()), (2.5, 2));
/// # Ok::<(), wowflow::ot::exact::OtError>(())
/// ```
///
/// # Errors
/// As [`Problem::solve`].
#[inline(never)]
pub fn transport<T: Scalar>(
    x: &[T],
    a: Option<&[f64]>,
    y: &[T],
    b: Option<&[f64]>,
    dim: usize,
) -> Result<Transport, OtError> {
    Problem::points(x, y, dim).weights(a, b).solve()
}

/// `W_2^2` between weighted points, exact: the power, not the root. See [`transport`].
///
/// ```
/// use wowflow::ot::exact::{w2, w2_pow};
/// let (x, y) = ([0.0, 0.0], [3.0, 4.0]);
/// assert_eq!(w2_pow(&x, None, &y, None, 2)?, 25.0);
/// assert_eq!(w2(&x, None, &y, None, 2)?, 5.0);
/// # Ok::<(), wowflow::ot::exact::OtError>(())
/// ```
///
/// # Errors
/// As [`transport`].
#[inline(never)]
pub fn w2_pow<T: Scalar>(
    x: &[T],
    a: Option<&[f64]>,
    y: &[T],
    b: Option<&[f64]>,
    dim: usize,
) -> Result<f64, OtError> {
    Ok(transport(x, a, y, b, dim)?.value)
}

/// `W_2` between weighted points, exact: the root of [`w2_pow`].
///
/// # Errors
/// As [`transport`].
#[inline(never)]
pub fn w2<T: Scalar>(
    x: &[T],
    a: Option<&[f64]>,
    y: &[T],
    b: Option<&[f64]>,
    dim: usize,
) -> Result<f64, OtError> {
    Ok(w2_pow(x, a, y, b, dim)?.sqrt())
}

fn solve_simplex(cost: &CostMatrix, a: Option<&[f64]>, b: Option<&[f64]>) -> Result<Transport, OtError> {
    let (n, m) = (cost.rows(), cost.cols());
    let units = match Masses::new(n, m, a, b)? {
        Masses::Units(units) => units,
        Masses::Uniform => masses::units(n, m, None, None),
    };
    let active = |masses: &[i64]| (0..masses.len()).filter(|&at| masses[at] > 0).collect::<Vec<usize>>();
    let (rows, cols) = (active(&units.rows), active(&units.cols));
    let basis = if rows.len() < n || cols.len() < m {
        let pick = |masses: &[i64], at: &[usize]| at.iter().map(|&at| masses[at]).collect();
        let kept = masses::Units { rows: pick(&units.rows, &rows), cols: pick(&units.cols, &cols), ..units };
        network_simplex::transport(&cost.select(&rows, &cols), &kept)
    } else {
        network_simplex::transport(cost, &units)
    };
    let atoms = basis.flows.iter().filter_map(|&(i, j, flow)| {
        let (row, col) = (rows[i], cols[j]);
        let least = units.rows[row].min(units.cols[col]) as f64;
        (flow as f64 >= DUST * least).then(|| Atom { row, col, mass: units.mass(flow) })
    });
    let coupling = Coupling::new(n, m, atoms.collect());
    let mut active_rows = vec![false; n];
    rows.iter().for_each(|&row| active_rows[row] = true);
    let mut g = vec![None; m];
    cols.iter().zip(&basis.g).for_each(|(&col, &potential)| g[col] = Some(potential));
    let (f, g) = dual::feasible(cost, &active_rows, &g);
    let gap = dual::gap(cost, &coupling, &f, &g);
    let value = coupling.cost(cost);
    let unique = rows.len() == 1 || cols.len() == 1;
    Ok(Transport { value, coupling, f, g, gap, unique, method: Method::NetworkSimplex, steps: basis.pivots })
}
