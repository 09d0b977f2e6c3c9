//! A basis of the network simplex: a spanning tree with its flows and potentials.
//!
//! An arc that enters closes a cycle; the arc of it that empties first leaves. Degenerate pivots, which
//! could cycle, do not occur: every unit of mass is split in `2^SPLIT_BITS` parts, every left point
//! supplies one part more and the last right point takes them all (Orden's perturbation). Then no
//! tree arc is ever empty, each pivot moves mass and lowers the cost, and rounding the parts away
//! at the end gives an optimal coupling of the given masses.

use super::masses::Units;

const NONE: u32 = u32::MAX;
/// More than twice the number of left points there can be: parts never add up to half a unit.
const SPLIT_BITS: u32 = 34;

/// Reduced costs above minus this times the largest cost count as zero.
pub(super) const TOLERANCE: f64 = 8.0 * f64::EPSILON;

/// An arc of a tree and the parts of mass on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arc {
    pub(super) row: usize,
    pub(super) col: usize,
    pub(super) parts: i128,
    pub(super) cost: f64,
}

/// What the points still have to send and to take, in parts, while a first tree grows.
///
/// Each arc exhausts a row or a column, by the perturbation never both before the last: the
/// `n + m - 1` arcs form a spanning tree.
pub(super) struct Growth {
    pub(super) supply: Vec<i128>,
    pub(super) room: Vec<i128>,
    arcs: Vec<Arc>,
}

impl Growth {
    pub(super) fn new(masses: &Units) -> Self {
        let n = masses.rows.len();
        let parts = |mass: &i64| i128::from(*mass) << SPLIT_BITS;
        let supply = masses.rows.iter().map(|mass| parts(mass) + 1).collect();
        let mut room: Vec<i128> = masses.cols.iter().map(parts).collect();
        if let Some(last) = room.last_mut() {
            *last += n as i128;
        }
        let arcs = Vec::with_capacity(n + room.len());
        Self { supply, room, arcs }
    }

    /// Sends all that a row has and a column takes; nothing where one of them is done.
    pub(super) fn send(&mut self, row: usize, col: usize, cost: f64) {
        let parts = self.supply[row].min(self.room[col]);
        if parts > 0 {
            self.supply[row] -= parts;
            self.room[col] -= parts;
            self.arcs.push(Arc { row, col, parts, cost });
        }
    }

    /// The tree, once all mass is sent.
    pub(super) fn tree(self) -> Tree {
        Tree::new((self.supply.len(), self.room.len()), &self.arcs)
    }
}

/// A node's place in the ring, and its potential: what changes together lies together.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// `f_i` of a left point, `-g_j` of a right one: a branch moves by one number. `f_i + g_j = c_ij` on the tree, up to
    /// rounding.
    potential: f64,
    /// The node that comes after in the ring, and the one before.
    after: u32,
    before: u32,
}

/// A basis: the points of both sides, joined by `n + m - 1` arcs that carry all mass.
///
/// Left points come first; all nodes but the root, the first, hang on an arc. They stand in a ring, parents before
/// children and branches in one piece: a branch moves by links at its ends, and its potentials are those between them.
pub(super) struct Tree {
    /// Number of left points.
    rows: usize,
    parent: Vec<u32>,
    /// Number of nodes of the branch that begins at each.
    size: Vec<u32>,
    /// The last of them in the ring.
    last: Vec<u32>,
    places: Vec<Place>,
    /// Mass on the arc between a node and its parent, in parts, and the cost of that arc.
    flow: Vec<i128>,
    cost: Vec<f64>,
    /// The nodes from one that is hung elsewhere up to the top of its branch.
    stem: Vec<u32>,
}

impl Tree {
    /// The tree of `n + m - 1` arcs between points that it joins.
    pub(super) fn new((n, m): (usize, usize), arcs: &[Arc]) -> Self {
        let count = n + m;
        debug_assert_eq!(arcs.len(), count - 1, "a spanning tree");
        let mut neighbours: Vec<Vec<(usize, i128, f64)>> = vec![Vec::new(); count];
        for &Arc { row, col, parts, cost } in arcs {
            neighbours[row].push((n + col, parts, cost));
            neighbours[n + col].push((row, parts, cost));
        }
        let mut tree = Self {
            rows: n,
            parent: vec![NONE; count],
            size: vec![1; count],
            last: (0..count as u32).collect(),
            places: vec![Place::default(); count],
            flow: vec![0; count],
            cost: vec![0.0; count],
            stem: Vec::new(),
        };
        let mut order: Vec<usize> = Vec::with_capacity(count);
        let mut reached = vec![0];
        while let Some(node) = reached.pop() {
            order.push(node);
            for &(child, flow, cost) in &neighbours[node] {
                if tree.parent[node] as usize != child {
                    (tree.parent[child], tree.flow[child], tree.cost[child]) = (node as u32, flow, cost);
                    reached.push(child);
                }
            }
        }
        for (at, &node) in order.iter().enumerate() {
            tree.link(node as u32, order[(at + 1) % count] as u32);
        }
        for &node in order.iter().skip(1).rev() {
            let above = tree.parent[node] as usize;
            tree.size[above] += tree.size[node];
            // Of the children the last is met first.
            if tree.last[above] as usize == above {
                tree.last[above] = tree.last[node];
            }
        }
        tree.refresh();
        tree
    }

    /// The potential of a left point, `f_i`.
    #[inline]
    pub(super) fn f(&self, row: usize) -> f64 {
        self.places[row].potential
    }

    /// The cost of an arc less the potential of its right point, `c_ij - g_j`.
    #[inline]
    pub(super) fn offer(&self, col: usize, cost: f64) -> f64 {
        cost + self.places[self.rows + col].potential
    }

    /// The potentials of the right points, `g`.
    pub(super) fn read_g(&self, g: &mut Vec<f64>) {
        g.clear();
        g.extend(self.places[self.rows..].iter().map(|place| -place.potential));
    }

    /// Brings an arc into the basis: moves mass around its cycle until an arc is empty, cuts the
    /// tree there and hangs the loose branch on the new arc.
    pub(super) fn pivot(&mut self, row: usize, col: usize, cost: f64) {
        let n = self.rows;
        let col_node = n + col;
        let gain = self.offer(col, cost) - self.f(row);
        // Mass grows on the new arc, so it falls on the arcs from left points on the row's side up
        // to their parents, and on those from right points on the column's side.
        let (mut moved, mut cut, mut loose, mut fixed) = (i128::MAX, row, row, col_node);
        let (mut a, mut b) = (row, col_node);
        while a != b {
            // The smaller branch does not hold the other node.
            if self.size[a] <= self.size[b] {
                if a < n && self.flow[a] < moved {
                    (moved, cut, loose, fixed) = (self.flow[a], a, row, col_node);
                }
                a = self.parent[a] as usize;
            } else {
                if b >= n && self.flow[b] < moved {
                    (moved, cut, loose, fixed) = (self.flow[b], b, col_node, row);
                }
                b = self.parent[b] as usize;
            }
        }
        let apex = a;
        let changes = [-moved, moved];
        for (start, side) in [(row, 0), (col_node, 1)] {
            let mut node = start;
            while node != apex {
                self.flow[node] += changes[usize::from(node >= n) ^ side];
                node = self.parent[node] as usize;
            }
        }
        self.rehang(loose, cut, fixed, apex, (moved, cost));
        self.shift(loose, if loose < n { gain } else { -gain });
    }

    /// Turns the branch of `cut` so that it begins at `loose`, which is in it, and hangs that on `fixed`; `apex` is
    /// above all of them.
    fn rehang(&mut self, loose: usize, cut: usize, fixed: usize, apex: usize, (moved, cost): (i128, f64)) {
        // The branch leaves: those above lose it, and those that it was the end of end before it.
        let (old, size, end) = (self.parent[cut], self.size[cut], self.last[cut]);
        let front = self.places[cut].before;
        self.link(front, self.places[end as usize].after);
        let mut node = old as usize;
        while node != apex {
            self.size[node] -= size;
            node = self.parent[node] as usize;
        }
        self.end_elsewhere(old, end, front);
        // Its pieces in the new order: each node of the stem with its other children, from `loose` upwards.
        let mut stem = std::mem::take(&mut self.stem);
        stem.clear();
        let mut node = loose;
        stem.push(node as u32);
        while node != cut {
            node = self.parent[node] as usize;
            stem.push(node as u32);
        }
        let mut tail = self.last[loose];
        // The branch of the stem so far, as it stood: what came before it and after it, and its end.
        let (mut ahead, mut end, mut behind) =
            (self.places[loose].before, tail, self.places[tail as usize].after);
        for &node in &stem[1..] {
            let (last, ahead_of_node) = (self.last[node as usize], self.places[node as usize].before);
            self.link(tail, node);
            if last == end {
                tail = ahead;
            } else {
                let behind_last = self.places[last as usize].after;
                self.link(ahead, behind);
                (tail, end, behind) = (last, last, behind_last);
            }
            ahead = ahead_of_node;
        }
        let (mut above, mut arc, mut taken) = (fixed as u32, (moved, cost), 0);
        for &node in &stem {
            let at = node as usize;
            let next = ((self.flow[at], self.cost[at]), self.size[at]);
            (self.flow[at], self.cost[at]) = arc;
            (self.parent[at], self.size[at], self.last[at]) = (above, size - taken, tail);
            (above, (arc, taken)) = (node, next);
        }
        self.stem = stem;
        // The branch arrives: right after `fixed`, and so at the end of a branch where that was the end.
        let next = self.places[fixed].after;
        self.link(fixed as u32, loose as u32);
        self.link(tail, next);
        let mut node = fixed;
        while node != apex {
            self.size[node] += size;
            node = self.parent[node] as usize;
        }
        self.end_elsewhere(fixed as u32, fixed as u32, tail);
    }

    /// Branches from that of `node` upwards that ended at one node end at another.
    fn end_elsewhere(&mut self, mut node: u32, old: u32, new: u32) {
        while node != NONE && self.last[node as usize] == old {
            self.last[node as usize] = new;
            node = self.parent[node as usize];
        }
    }

    fn link(&mut self, node: u32, next: u32) {
        self.places[node as usize].after = next;
        self.places[next as usize].before = node;
    }

    /// Adds to the potentials of the branch of `top`; or takes from those outside, if that is the smaller part.
    fn shift(&mut self, top: usize, by: f64) {
        let (size, count) = (self.size[top] as usize, self.size.len());
        let (last, ahead) = (self.last[top] as usize, self.places[top].before as usize);
        let (mut first, mut last, length, by) = if 2 * size <= count {
            (top, last, size, by)
        } else {
            (self.places[last].after as usize, ahead, count - size, -by)
        };
        // From both ends: two chains of loads that do not wait for each other.
        for _ in 0..length / 2 {
            let place = &mut self.places[first];
            place.potential += by;
            first = place.after as usize;
            let place = &mut self.places[last];
            place.potential += by;
            last = place.before as usize;
        }
        if length % 2 == 1 {
            self.places[first].potential += by;
        }
    }

    /// Recomputes all potentials from costs: their rounding then depends on the tree alone, not on how it came about.
    pub(super) fn refresh(&mut self) {
        self.places[0].potential = 0.0;
        let mut node = self.places[0].after as usize;
        while node != 0 {
            let above = self.places[self.parent[node] as usize].potential;
            // `f = c - g` and `-g = -(c - f)`.
            let potential = if node < self.rows { self.cost[node] + above } else { above - self.cost[node] };
            self.places[node].potential = potential;
            node = self.places[node].after as usize;
        }
    }

    /// Mass on the tree, rounded from parts to units.
    pub(super) fn flows(&self) -> Vec<(usize, usize, i64)> {
        let n = self.rows;
        let mut flows = Vec::with_capacity(self.flow.len());
        for (node, &parts) in self.flow.iter().enumerate().skip(1) {
            let units = ((parts + (1 << (SPLIT_BITS - 1))) >> SPLIT_BITS) as i64;
            let parent = self.parent[node] as usize;
            if units > 0 {
                flows.push(if node < n { (node, parent - n, units) } else { (parent, node - n, units) });
            }
        }
        flows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    const ROWS: usize = 9;
    const COLS: usize = 12;

    fn cost(row: usize, col: usize) -> f64 {
        (row * 31 + col * 17) as f64 % 23.0
    }

    /// The nodes of the branch that begins at a node, found from the parents alone.
    fn branch(tree: &Tree, top: usize) -> Vec<usize> {
        let is_below = |node: usize| {
            let mut at = node as u32;
            while at != NONE && at as usize != top {
                at = tree.parent[at as usize];
            }
            at != NONE
        };
        (0..ROWS + COLS).filter(|&node| is_below(node)).collect()
    }

    fn check(tree: &Tree, masses: &Units) {
        let mut sums = [0i128; ROWS + COLS];
        for node in 0..ROWS + COLS {
            let mut along = vec![node];
            while along[along.len() - 1] != tree.last[node] as usize {
                along.push(tree.places[along[along.len() - 1]].after as usize);
            }
            assert_eq!(along.len(), tree.size[node] as usize);
            along.sort_unstable();
            assert_eq!(along, branch(tree, node));
            assert_eq!(tree.places[tree.places[node].after as usize].before as usize, node);
            if node == 0 {
                continue;
            }
            let parent = tree.parent[node] as usize;
            let (row, col) = (node.min(parent), node.max(parent) - ROWS);
            assert!(row < ROWS && tree.flow[node] > 0);
            assert_eq!(tree.cost[node], cost(row, col));
            assert_eq!(tree.offer(col, cost(row, col)), tree.f(row), "small whole numbers are exact");
            sums[node] += tree.flow[node];
            sums[parent] += tree.flow[node];
        }
        for (sum, mass) in sums.iter().zip(masses.rows.iter().chain(&masses.cols)) {
            assert_eq!((sum >> SPLIT_BITS) as i64, *mass);
        }
    }

    #[test]
    fn any_arc_may_enter_and_the_tree_stays_a_tree_with_the_same_marginals() {
        let stream = Stream::new(6, Purpose::Test, 0);
        let drawn = |at: u64, most: usize| (stream.uniform(at) * most as f64) as usize;
        let rows: Vec<i64> = (0..ROWS).map(|i| 5 + drawn(i as u64, 40) as i64).collect();
        let mut cols = vec![7; COLS];
        cols[0] += rows.iter().sum::<i64>() - cols.iter().sum::<i64>();
        assert!(cols[0] > 0);
        let masses = Units { rows, cols, total: 1.0 };
        let mut growth = Growth::new(&masses);
        for row in 0..ROWS {
            (0..COLS).for_each(|col| growth.send(row, col, cost(row, col)));
        }
        let mut tree = growth.tree();
        check(&tree, &masses);
        let mut entered = 0;
        for at in 0..400 {
            let (row, col) = (drawn(1000 + 2 * at, ROWS), drawn(1001 + 2 * at, COLS));
            let (above, below) = (tree.parent[row] as usize, tree.parent[ROWS + col] as usize);
            if above != ROWS + col && below != row {
                tree.pivot(row, col, cost(row, col));
                entered += 1;
                check(&tree, &masses);
            }
        }
        assert!(entered > 200, "{entered}");
    }
}
