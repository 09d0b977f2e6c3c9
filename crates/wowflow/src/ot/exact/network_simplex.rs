//! The network simplex for transport between weighted points, with masses in whole numbers.
//!
//! A basis is a spanning tree of the points; its potentials price the other arcs; an arc of negative
//! reduced cost enters and the arc of its cycle that empties first leaves. Degenerate pivots, which
//! could cycle, do not occur: every unit of mass is split in `2^SPLIT_BITS` parts, every left point
//! supplies one part more and the last right point takes them all (Orden's perturbation). Then no
//! tree arc is ever empty, each pivot moves mass and lowers the cost, and rounding the parts away
//! at the end gives an optimal coupling of the given masses. A basis is accepted as optimal when no
//! reduced cost is below `-TOLERANCE` times the largest cost.

use super::CostMatrix;
use super::loops::{position, smallest};
use super::masses::Units;

const NONE: u32 = u32::MAX;
/// More than twice the number of left points there can be: parts never add up to half a unit.
const SPLIT_BITS: u32 = 34;

/// Reduced costs above minus this times the largest cost count as zero.
const TOLERANCE: f64 = 8.0 * f64::EPSILON;
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
    let mut tree = Tree::new(cost, first_basis(cost, masses));
    let largest = cost.values().iter().fold(0.0f64, |most, c| most.max(c.abs()));
    let mut pivots = 0;
    let mut next_row = 0;
    // Rounding could make a pivot look like a gain that is none. Far more pivots than a problem of
    // this size takes (a few per point) raise the tolerance, so the method ends whatever happens.
    let patience = 1000 + 100 * tree.nodes.len();
    let mut tolerance = TOLERANCE * largest;
    while let Some((row, col)) = tree.price(&mut next_row, tolerance) {
        tree.pivot(row, col);
        pivots += 1;
        if pivots % patience == 0 {
            tolerance *= 4.0;
        }
    }
    Basis { flows: tree.flows(), g: tree.potentials[cost.rows()..].to_vec(), pivots }
}

type Arc = (usize, usize, i128);

/// A first basis: every row in turn fills the cheapest columns that still have room.
///
/// Each step exhausts a row or a column, by the perturbation never both before the last: the
/// `n + m - 1` arcs form a spanning tree.
fn first_basis(cost: &CostMatrix, masses: &Units) -> Vec<Arc> {
    let (n, m) = (cost.rows(), cost.cols());
    let mut room: Vec<i128> = masses.cols.iter().map(|&mass| i128::from(mass) << SPLIT_BITS).collect();
    room[m - 1] += n as i128;
    // Full columns get the potential -inf and with it an infinite reduced cost.
    let mut open = vec![0.0; m];
    let mut arcs = Vec::with_capacity(n + m - 1);
    for (i, &mass) in masses.rows.iter().enumerate() {
        let mut left = (i128::from(mass) << SPLIT_BITS) + 1;
        while left > 0 {
            let j = position(cost.row(i), &open, smallest(cost.row(i), &open));
            let moved = left.min(room[j]);
            arcs.push((i, j, moved));
            left -= moved;
            room[j] -= moved;
            if room[j] == 0 {
                open[j] = f64::NEG_INFINITY;
            }
        }
    }
    arcs
}

/// A point in the spanning tree; left points come first. All but the root hang on an arc.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Mass on the arc between this node and its parent, in parts.
    flow: i128,
    /// Cost of that arc.
    cost: f64,
    parent: u32,
    depth: u32,
    first_child: u32,
    next_sibling: u32,
    previous_sibling: u32,
}

struct Tree<'a> {
    cost: &'a CostMatrix,
    nodes: Vec<Node>,
    /// `f` of the left points, then `g` of the right ones: `f_i + g_j = c_ij` on the tree.
    potentials: Vec<f64>,
}

impl<'a> Tree<'a> {
    fn new(cost: &'a CostMatrix, arcs: Vec<Arc>) -> Self {
        let n = cost.rows();
        let count = n + cost.cols();
        debug_assert_eq!(arcs.len(), count - 1, "a spanning tree");
        let mut neighbours: Vec<Vec<(usize, i128)>> = vec![Vec::new(); count];
        for (i, j, flow) in arcs {
            neighbours[i].push((n + j, flow));
            neighbours[n + j].push((i, flow));
        }
        let lone = Node {
            flow: 0,
            cost: 0.0,
            parent: NONE,
            depth: 0,
            first_child: NONE,
            next_sibling: NONE,
            previous_sibling: NONE,
        };
        let mut tree = Self { cost, nodes: vec![lone; count], potentials: vec![0.0; count] };
        let mut reached = vec![0];
        while let Some(node) = reached.pop() {
            for &(child, flow) in &neighbours[node] {
                if tree.nodes[node].parent as usize != child {
                    let cost = if node < n { cost.get(node, child - n) } else { cost.get(child, node - n) };
                    tree.hang(child, node, flow, cost);
                    reached.push(child);
                }
            }
        }
        tree.refresh(0);
        tree
    }

    /// The most negative reduced cost of the next block of rows that has one.
    fn price(&self, next_row: &mut usize, tolerance: f64) -> Option<(usize, usize)> {
        let n = self.cost.rows();
        let (f, g) = self.potentials.split_at(n);
        let (mut least, mut best_row, mut best_value) = (-tolerance, None, 0.0);
        for scanned in 1..=n {
            let row = *next_row;
            *next_row = if row + 1 == n { 0 } else { row + 1 };
            let value = smallest(self.cost.row(row), g);
            if value - f[row] < least {
                (least, best_row, best_value) = (value - f[row], Some(row), value);
            }
            if scanned % BLOCK == 0 && best_row.is_some() {
                break;
            }
        }
        best_row.map(|row| (row, position(self.cost.row(row), g, best_value)))
    }

    /// Brings an arc into the basis: moves mass around its cycle until an arc is empty, cuts the
    /// tree there and hangs the loose part on the new arc.
    fn pivot(&mut self, row: usize, col: usize) {
        let n = self.cost.rows();
        let col_node = n + col;
        // Mass grows on the new arc, so it falls on the arcs from left points on the row's side up
        // to their parents, and on those from right points on the column's side.
        let (mut moved, mut cut, mut loose, mut fixed) = (i128::MAX, row, row, col_node);
        let (mut a, mut b) = (row, col_node);
        while a != b {
            if self.nodes[a].depth >= self.nodes[b].depth {
                if a < n && self.nodes[a].flow < moved {
                    (moved, cut, loose, fixed) = (self.nodes[a].flow, a, row, col_node);
                }
                a = self.nodes[a].parent as usize;
            } else {
                if b >= n && self.nodes[b].flow < moved {
                    (moved, cut, loose, fixed) = (self.nodes[b].flow, b, col_node, row);
                }
                b = self.nodes[b].parent as usize;
            }
        }
        let apex = a;
        for (start, falls_on_rows) in [(row, true), (col_node, false)] {
            let mut node = start;
            while node != apex {
                if (node < n) == falls_on_rows {
                    self.nodes[node].flow -= moved;
                } else {
                    self.nodes[node].flow += moved;
                }
                node = self.nodes[node].parent as usize;
            }
        }
        let (mut node, mut parent, mut flow, mut cost) = (loose, fixed, moved, self.cost.get(row, col));
        loop {
            let old = self.nodes[node];
            self.unhang(node);
            self.hang(node, parent, flow, cost);
            if node == cut {
                break;
            }
            (parent, node, flow, cost) = (node, old.parent as usize, old.flow, old.cost);
        }
        self.refresh(loose);
    }

    fn hang(&mut self, node: usize, parent: usize, flow: i128, cost: f64) {
        let sibling = self.nodes[parent].first_child;
        self.nodes[parent].first_child = node as u32;
        if sibling != NONE {
            self.nodes[sibling as usize].previous_sibling = node as u32;
        }
        let entry = &mut self.nodes[node];
        (entry.parent, entry.flow, entry.cost) = (parent as u32, flow, cost);
        (entry.next_sibling, entry.previous_sibling) = (sibling, NONE);
    }

    fn unhang(&mut self, node: usize) {
        let Node { parent, next_sibling: next, previous_sibling: previous, .. } = self.nodes[node];
        if previous == NONE {
            self.nodes[parent as usize].first_child = next;
        } else {
            self.nodes[previous as usize].next_sibling = next;
        }
        if next != NONE {
            self.nodes[next as usize].previous_sibling = previous;
        }
    }

    /// Recomputes depths and potentials below `top`, from costs rather than by increments: their
    /// rounding depends on the tree alone, not on how it came about.
    fn refresh(&mut self, top: usize) {
        let mut node = top;
        loop {
            let Node { parent, cost, first_child, .. } = self.nodes[node];
            if parent != NONE {
                self.nodes[node].depth = self.nodes[parent as usize].depth + 1;
                self.potentials[node] = cost - self.potentials[parent as usize];
            }
            if first_child != NONE {
                node = first_child as usize;
                continue;
            }
            while node != top && self.nodes[node].next_sibling == NONE {
                node = self.nodes[node].parent as usize;
            }
            if node == top {
                break;
            }
            node = self.nodes[node].next_sibling as usize;
        }
    }

    /// Mass on the tree, rounded from parts to units.
    fn flows(&self) -> Vec<(usize, usize, i64)> {
        let n = self.cost.rows();
        let mut flows = Vec::with_capacity(self.nodes.len());
        for (v, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.parent != NONE) {
            let units = ((node.flow + (1 << (SPLIT_BITS - 1))) >> SPLIT_BITS) as i64;
            let parent = node.parent as usize;
            if units > 0 {
                flows.push(if v < n { (v, parent - n, units) } else { (parent, v - n, units) });
            }
        }
        flows
    }
}
