//! Exact discrete optimal transport between small measures.
//!
//! Uniform measures of one size are an assignment problem, solved by shortest augmenting paths as
//! long as that is quick; everything else goes to a network simplex. Both return dual potentials, and every result
//! carries the gap they certify. One problem is solved on one thread, the same bits everywhere.

mod assignment;
mod cost;
mod coupling;
mod dual;
mod error;
mod kernels;
mod masses;
mod network_simplex;

pub(in crate::ot) use cost::Panels;
pub use cost::{CostMatrix, squared_euclidean};
pub use coupling::{Atom, Coupling};
pub use error::OtError;

use assignment::{Assignment, Outcome};
use masses::{Masses, Units};

use crate::scalar::Scalar;

/// Atoms below this fraction of both masses they join are rounding of the weights, and left out.
const DUST: f64 = 4.0 * f64::EPSILON;

/// Passes over its row of costs that a point may take in an assignment, before the simplex takes
/// over. Mixed clouds need 15 to 30; clouds far apart can need hundreds, the simplex does not care.
const PATIENCE: usize = 32;

/// The algorithm behind a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Shortest augmenting paths: uniform measures with equally many points.
    Assignment,
    /// Network simplex: any weights and sizes.
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
    /// Work done: passes over a row of costs of the assignment, pivots of the simplex.
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
    Ok(match Masses::new(cost.rows(), cost.cols(), a, b)? {
        Masses::Uniform => solve_uniform(cost, PATIENCE * cost.rows()),
        Masses::Units(units) => solve_simplex(cost, &units, None),
    })
}

/// As [`solve`], by the algorithm named.
///
/// # Errors
/// As [`solve`], and an assignment asked of measures that are not uniform of one size.
pub fn solve_by(
    method: Method,
    cost: &CostMatrix,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
) -> Result<Transport, OtError> {
    let (n, m) = (cost.rows(), cost.cols());
    match (method, Masses::new(n, m, a, b)?) {
        (Method::Assignment, Masses::Uniform) => Ok(solve_uniform(cost, usize::MAX)),
        (Method::Assignment, Masses::Units(_)) => {
            let weights = if n == m { "with unequal weights" } else { "points" };
            Err(OtError::NotAnAssignment { found: format!("{n} and {m} {weights}") })
        }
        (Method::NetworkSimplex, Masses::Uniform) => {
            Ok(solve_simplex(cost, &masses::units(n, m, None, None), None))
        }
        (Method::NetworkSimplex, Masses::Units(units)) => Ok(solve_simplex(cost, &units, None)),
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
/// As [`squared_euclidean`] and [`solve`].
pub fn transport<T: Scalar>(
    x: &[T],
    a: Option<&[f64]>,
    y: &[T],
    b: Option<&[f64]>,
    dim: usize,
) -> Result<Transport, OtError> {
    solve(&squared_euclidean(x, y, dim)?, a, b)
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
pub fn w2<T: Scalar>(
    x: &[T],
    a: Option<&[f64]>,
    y: &[T],
    b: Option<&[f64]>,
    dim: usize,
) -> Result<f64, OtError> {
    Ok(w2_pow(x, a, y, b, dim)?.sqrt())
}

/// Uniform measures of one size: an assignment if it takes no more than `budget` passes over a row
/// of costs, else the simplex from where the assignment got to.
fn solve_uniform(cost: &CostMatrix, budget: usize) -> Transport {
    match assignment::assign(cost, budget) {
        Outcome::Solved(assignment) => from_assignment(cost, assignment),
        Outcome::GivenUp(g) => {
            let units = masses::units(cost.rows(), cost.cols(), None, None);
            solve_simplex(cost, &units, Some(&g))
        }
    }
}

fn from_assignment(cost: &CostMatrix, assignment: Assignment) -> Transport {
    let n = cost.rows();
    let mass = 1.0 / n as f64;
    let atoms = assignment.col_of.iter().enumerate().map(|(row, &col)| Atom { row, col, mass });
    let coupling = Coupling::new(n, n, atoms.collect());
    // Divided once at the end, a sum of whole numbers is exact.
    let value = coupling.atoms().iter().map(|at| cost.get(at.row, at.col)).sum::<f64>() / n as f64;
    let g: Vec<Option<f64>> = assignment.g.into_iter().map(Some).collect();
    let (f, g) = dual::feasible(cost, &vec![true; n], &g);
    let gap = dual::gap(cost, &coupling, &f, &g);
    Transport { value, coupling, f, g, gap, method: Method::Assignment, steps: assignment.scans }
}

fn solve_simplex(cost: &CostMatrix, units: &Units, start: Option<&[f64]>) -> Transport {
    let (n, m) = (cost.rows(), cost.cols());
    let active = |masses: &[i64]| (0..masses.len()).filter(|&at| masses[at] > 0).collect::<Vec<usize>>();
    let (rows, cols) = (active(&units.rows), active(&units.cols));
    let basis = if rows.len() < n || cols.len() < m {
        let pick = |masses: &[i64], at: &[usize]| at.iter().map(|&at| masses[at]).collect();
        let kept = Units { rows: pick(&units.rows, &rows), cols: pick(&units.cols, &cols), ..*units };
        network_simplex::transport(&cost.select(&rows, &cols), &kept, start)
    } else {
        network_simplex::transport(cost, units, start)
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
    Transport { value, coupling, f, g, gap, method: Method::NetworkSimplex, steps: basis.pivots }
}
