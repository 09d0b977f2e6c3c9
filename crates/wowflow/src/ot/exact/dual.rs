//! Dual potentials that certify a coupling.

use super::loops::smallest;
use super::{CostMatrix, Coupling};

/// Feasible potentials from column potentials: `f_i + g_j <= c_ij` as computed, for all points.
///
/// `f` is the largest function compatible with `g`. Points that take no part in the coupling
/// (`None` in `g`, false in `active_rows`) get the largest potentials compatible with the others.
pub(super) fn feasible(cost: &CostMatrix, active_rows: &[bool], g: &[Option<f64>]) -> (Vec<f64>, Vec<f64>) {
    let (n, m) = (cost.rows(), cost.cols());
    // A potential of -inf drops a column from the minimum.
    let mut known: Vec<f64> = g.iter().map(|g| g.unwrap_or(f64::NEG_INFINITY)).collect();
    let mut f = vec![f64::INFINITY; n];
    for i in (0..n).filter(|&i| active_rows[i]) {
        f[i] = smallest(cost.row(i), &known);
    }
    for j in (0..m).filter(|&j| g[j].is_none()) {
        let active = (0..n).filter(|&i| active_rows[i]);
        known[j] = active.map(|i| cost.get(i, j) - f[i]).fold(f64::INFINITY, f64::min);
    }
    for (i, f) in f.iter_mut().enumerate() {
        if !active_rows[i] {
            *f = smallest(cost.row(i), &known);
        }
        // `c - g` is rounded, so `f + g` can come out above `c` by a last bit.
        while cost.row(i).iter().zip(&known).any(|(c, g)| *f + g > *c) {
            *f = f.next_down();
        }
    }
    (f, known)
}

/// Primal minus dual value: the mass times slack, each term at least 0.
pub(super) fn gap(cost: &CostMatrix, coupling: &Coupling, f: &[f64], g: &[f64]) -> f64 {
    coupling.atoms().iter().map(|at| at.mass * (cost.get(at.row, at.col) - (f[at.row] + g[at.col]))).sum()
}
