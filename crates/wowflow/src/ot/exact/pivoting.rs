//! Transport by the network simplex on shortlists, for any masses.
//!
//! The auction's potentials order the arcs of the shortlists, and a greedy first basis takes them in this order: most of
//! its arcs are those of an optimal one. Pivots price the lists alone; when none gains, lists made anew at the
//! potentials of the basis show whether any arc at all does, and the last ones prove the optimum.

use super::OtError;
use super::masses::Units;
use super::prices::Prices;
use super::run::{Run, Solution};
use super::shortlist::Entry;
use super::source::Source;
use super::tree::{Growth, TOLERANCE, Tree};

/// Rows priced before the best arc found enters.
const BLOCK: usize = 24;
/// Pivots between two looks at the flag that interrupts.
const LOOK: usize = 256;

/// Solves a transport problem whose masses are all positive and balanced, from potentials and lists near the optimum.
pub(super) fn transport<S: Source>(
    mut prices: Prices<'_, S>,
    masses: &Units,
    run: &Run<'_>,
) -> Result<Solution, OtError> {
    let (n, m) = prices.source.shape();
    let mut tree = first_basis(&prices, masses);
    let all: Vec<u32> = (0..n as u32).collect();
    // Rounding could make a pivot look like a gain that is none. Far more pivots than a problem of this size takes (a
    // few a point) raise the tolerance, so the method ends whatever happens.
    let patience = 1000 + 100 * (n + m);
    let mut tolerance = TOLERANCE * prices.source.largest();
    let (mut pivots, mut next_row, mut g) = (0, 0, Vec::new());
    loop {
        while let Some((row, col, cost)) = price(&prices, &tree, &mut next_row, tolerance) {
            tree.pivot(row, col, cost);
            pivots += 1;
            if pivots % patience == 0 {
                tolerance *= 4.0;
            }
            if pivots % LOOK == 0 && run.is_interrupted() {
                return Err(OtError::Interrupted);
            }
        }
        tree.refresh();
        tree.read_g(&mut g);
        prices.reset(&g);
        prices.refill_all(&all, &|| run.is_interrupted());
        if run.is_interrupted() {
            return Err(OtError::Interrupted);
        }
        let gains = |row: usize| prices.lists[row].least(&prices.g) - tree.f(row) < -tolerance;
        if !(0..n).any(gains) {
            break;
        }
    }
    Ok(Solution { flows: tree.flows(), g: prices.g, lists: prices.lists, steps: pivots })
}

/// A first basis: arcs of the lists by rising reduced costs, then whatever is left to the cheapest columns with room.
fn first_basis<S: Source>(prices: &Prices<'_, S>, masses: &Units) -> Tree {
    let (n, m) = prices.source.shape();
    let mut growth = Growth::new(masses);
    let mut arcs = Vec::new();
    for (row, list) in prices.lists.iter().enumerate() {
        let least = list.least(&prices.g);
        let reduced = |at: &Entry| at.cost - prices.g[at.col as usize] - least;
        arcs.extend(list.entries.iter().map(|at| (reduced(at), row as u32, *at)));
    }
    arcs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2.col).cmp(&(b.1, b.2.col))));
    for (_, row, at) in arcs {
        growth.send(row as usize, at.col as usize, at.cost);
    }
    let mut open: Vec<u32> = (0..m as u32).filter(|&col| growth.room[col as usize] > 0).collect();
    let (mut costs, mut cost) = (Vec::new(), Vec::new());
    for row in (0..n).filter(|&row| growth.supply[row] > 0).collect::<Vec<_>>() {
        match prices.source.stored() {
            Some(stored) => {
                costs.clear();
                costs.extend(open.iter().map(|&col| f64::from(stored[row * m + col as usize])));
            }
            None => prices.source.exact(row, &open, &mut costs),
        }
        while growth.supply[row] > 0 {
            let offers = open.iter().zip(&costs).filter(|(col, _)| growth.room[**col as usize] > 0);
            let offers = offers.map(|(&col, cost)| (cost - prices.g[col as usize], col));
            let Some((_, col)) = offers.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))) else { break };
            prices.source.exact(row, &[col], &mut cost);
            growth.send(row, col as usize, cost[0]);
        }
        open.retain(|&col| growth.room[col as usize] > 0);
    }
    growth.tree()
}

/// The most negative reduced cost of the next block of rows that has one.
fn price<S: Source>(
    prices: &Prices<'_, S>,
    tree: &Tree,
    next_row: &mut usize,
    tolerance: f64,
) -> Option<(usize, usize, f64)> {
    let n = prices.lists.len();
    let (mut least, mut best) = (-tolerance, None);
    for scanned in 1..=n {
        let row = *next_row;
        *next_row = if row + 1 == n { 0 } else { row + 1 };
        let f = tree.f(row);
        for at in &prices.lists[row].entries {
            let reduced = tree.offer(at.col as usize, at.cost) - f;
            if reduced < least {
                (least, best) = (reduced, Some((row, at.col as usize, at.cost)));
            }
        }
        if scanned % BLOCK == 0 && best.is_some() {
            break;
        }
    }
    best
}
