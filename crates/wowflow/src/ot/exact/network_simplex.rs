//! The network simplex for transport between weighted points on the full matrix, with masses in whole numbers.
//!
//! The potentials of a basis ([`Tree`]) price the other arcs, and one of negative reduced cost enters. A basis is
//! accepted as optimal when no reduced cost is below `-TOLERANCE` times the largest cost.

use super::CostMatrix;
use super::loops::{position, smallest};
use super::masses::Units;
use super::tree::{Growth, TOLERANCE, Tree};

/// Rows priced before the best arc found enters.
const BLOCK: usize = 4;

/// An optimal basis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Basis {
    /// Arcs that carry mass: left point, right point, units.
    pub(super) flows: Vec<(usize, usize, i64)>,
    /// Potentials of the right points, `g`.
    pub(super) g: Vec<f64>,
    /// Number of pivots.
    pub(super) pivots: usize,
}

/// Solves a transport problem whose masses are all positive and balanced.
pub(super) fn transport(cost: &CostMatrix, masses: &Units) -> Basis {
    debug_assert!(masses.rows.iter().chain(&masses.cols).all(|mass| *mass > 0), "masses are positive");
    let mut tree = first_basis(cost, masses);
    let largest = cost.values().iter().fold(0.0f64, |most, c| most.max(c.abs()));
    let (mut pivots, mut next_row, mut g) = (0, 0, Vec::new());
    // Rounding could make a pivot look like a gain that is none. Far more pivots than a problem of
    // this size takes (a few per point) raise the tolerance, so the method ends whatever happens.
    let patience = 1000 + 100 * (cost.rows() + cost.cols());
    let mut tolerance = TOLERANCE * largest;
    loop {
        let before = pivots;
        while let Some((row, col)) = price(cost, &tree, &mut g, &mut next_row, tolerance) {
            tree.pivot(row, col, cost.get(row, col));
            pivots += 1;
            if pivots % patience == 0 {
                tolerance *= 4.0;
            }
        }
        if pivots == before {
            break;
        }
        // Without the rounding of all that was added up, there may be an arc that gains.
        tree.refresh();
    }
    tree.read_g(&mut g);
    Basis { flows: tree.flows(), g, pivots }
}

/// A first basis: every row in turn fills the cheapest columns that still have room.
fn first_basis(cost: &CostMatrix, masses: &Units) -> Tree {
    let mut growth = Growth::new(masses);
    // Full columns get the potential -inf and with it an infinite reduced cost.
    let mut open = vec![0.0; cost.cols()];
    for row in 0..cost.rows() {
        while growth.supply[row] > 0 {
            let col = position(cost.row(row), &open, smallest(cost.row(row), &open));
            growth.send(row, col, cost.get(row, col));
            if growth.room[col] == 0 {
                open[col] = f64::NEG_INFINITY;
            }
        }
    }
    growth.tree()
}

/// The most negative reduced cost of the next block of rows that has one.
fn price(
    cost: &CostMatrix,
    tree: &Tree,
    g: &mut Vec<f64>,
    next_row: &mut usize,
    tolerance: f64,
) -> Option<(usize, usize)> {
    let n = cost.rows();
    tree.read_g(g);
    let (mut least, mut best_row, mut best_value) = (-tolerance, None, 0.0);
    for scanned in 1..=n {
        let row = *next_row;
        *next_row = if row + 1 == n { 0 } else { row + 1 };
        let value = smallest(cost.row(row), g);
        if value - tree.f(row) < least {
            (least, best_row, best_value) = (value - tree.f(row), Some(row), value);
        }
        if scanned % BLOCK == 0 && best_row.is_some() {
            break;
        }
    }
    best_row.map(|row| (row, position(cost.row(row), g, best_value)))
}
