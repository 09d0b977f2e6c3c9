//! Assignments: shortest augmenting paths on dense costs, after cheap dual reductions.
//!
//! The scheme is that of Jonker and Volgenant, "A shortest augmenting path algorithm for dense and
//! sparse linear assignment problems", Computing 38 (1987): reduce columns, transfer reductions,
//! reduce rows while augmenting, then one Dijkstra search for each row still free.

use super::CostMatrix;
use super::kernels::{Visit, best_two, relax, visit_equal};

const NONE: usize = usize::MAX;

/// Row scans per row that augmenting row reduction may spend. In exact arithmetic it ends by
/// itself; with rounding, ever smaller bids could go on for long. The searches finish the rest.
const REDUCTION_SCANS: usize = 8;

/// An optimal assignment with dual potentials of the columns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Assignment {
    /// Column of every row.
    pub(super) col_of: Vec<usize>,
    /// Column potentials `g`.
    pub(super) g: Vec<f64>,
    /// Rows of costs gone through.
    pub(super) scans: usize,
}

/// How an attempt at an assignment ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// It is solved.
    Solved(Assignment),
    /// The budget is spent; these are the column potentials so far.
    GivenUp(Vec<f64>),
}

/// Solves a square assignment problem with about `budget` passes over a row of costs.
pub(super) fn assign(cost: &CostMatrix, budget: usize) -> Outcome {
    let n = cost.rows();
    debug_assert_eq!(n, cost.cols(), "an assignment is square");
    let mut state = State { cost, col_of: vec![NONE; n], row_of: vec![NONE; n], v: vec![0.0; n], scans: 0 };
    if n == 1 {
        return Outcome::Solved(Assignment { col_of: vec![0], g: vec![0.0], scans: 0 });
    }
    let mut free = state.reduce_columns();
    for _ in 0..2 {
        free = state.reduce_rows(&free);
    }
    let mut search = Search::new(n);
    for row in free {
        if state.scans > budget {
            return Outcome::GivenUp(state.v);
        }
        state.augment(row, &mut search);
    }
    Outcome::Solved(Assignment { col_of: state.col_of, g: state.v, scans: state.scans })
}

struct State<'a> {
    cost: &'a CostMatrix,
    col_of: Vec<usize>,
    row_of: Vec<usize>,
    v: Vec<f64>,
    scans: usize,
}

impl State<'_> {
    /// Potentials of the columns are their smallest costs; each such row takes its last column.
    /// A row wanted by one column alone passes what it can spare on to that column's potential.
    /// Returns the rows left free.
    fn reduce_columns(&mut self) -> Vec<usize> {
        let n = self.v.len();
        let mut cheapest = vec![0; n];
        self.v.copy_from_slice(self.cost.row(0));
        for i in 1..n {
            for ((c, v), row) in self.cost.row(i).iter().zip(&mut self.v).zip(&mut cheapest) {
                if c < v {
                    (*v, *row) = (*c, i);
                }
            }
        }
        let mut wanted = vec![0usize; n];
        for j in (0..n).rev() {
            let row = cheapest[j];
            wanted[row] += 1;
            if self.col_of[row] == NONE {
                self.assign(row, j);
            }
        }
        for (row, _) in wanted.iter().enumerate().filter(|(_, count)| **count == 1) {
            let j = self.col_of[row];
            let best = best_two(self.cost.row(row), &self.v);
            let spare = if best.col == j { best.second } else { best.first };
            // The row's own reduced cost is 0, so every other one is at least 0.
            self.v[j] -= spare.max(0.0);
        }
        (0..n).filter(|&row| self.col_of[row] == NONE).collect()
    }

    /// Every free row takes its best column and lowers its price to what the second best asks;
    /// whoever held the column is free, at once if the price fell, else for the next round.
    fn reduce_rows(&mut self, free: &[usize]) -> Vec<usize> {
        let mut left = Vec::new();
        let mut scans = REDUCTION_SCANS * self.v.len();
        for &row in free {
            let mut row = row;
            loop {
                if scans == 0 {
                    left.push(row);
                    break;
                }
                scans -= 1;
                self.scans += 1;
                let best = best_two(self.cost.row(row), &self.v);
                let mut j = best.col;
                let lowered = self.v[j] - (best.second - best.first);
                let falls = lowered < self.v[j];
                if falls {
                    self.v[j] = lowered;
                } else if self.row_of[j] != NONE {
                    j = best.second_col(self.cost.row(row), &self.v);
                }
                let holder = self.row_of[j];
                self.assign(row, j);
                if holder == NONE {
                    break;
                }
                self.col_of[holder] = NONE;
                if !falls {
                    left.push(holder);
                    break;
                }
                row = holder;
            }
        }
        left
    }

    /// Finds the shortest alternating path from a free row to a free column, and flips it.
    fn augment(&mut self, free_row: usize, search: &mut Search) {
        search.start(free_row);
        let mut row = free_row;
        let mut base = 0.0;
        let (last, length) = loop {
            self.scans += 1;
            let smallest =
                relax(self.cost.row(row), &self.v, base, row, &mut search.distance, &mut search.from);
            let (col, distance) = match search.next(smallest, &self.row_of) {
                Next::Free(col) => break (col, smallest),
                Next::Taken(col, distance) => (col, distance),
            };
            row = self.row_of[col];
            base = distance - (self.cost.get(row, col) - self.v[col]);
        };
        for &(col, distance) in &search.closed {
            self.v[col] += distance - length;
        }
        let mut col = last;
        loop {
            let row = search.from[col];
            let next = self.col_of[row];
            self.assign(row, col);
            if row == free_row {
                break;
            }
            col = next;
        }
    }

    fn assign(&mut self, row: usize, col: usize) {
        self.col_of[row] = col;
        self.row_of[col] = row;
    }
}

/// Workspace of a Dijkstra search over the columns.
struct Search {
    /// Length of the shortest path known to a column, `-inf` once it is final: no relaxation
    /// can touch it then, whatever the rounding.
    distance: Vec<f64>,
    /// Row the path reaches a column from.
    from: Vec<usize>,
    /// Final columns with their lengths; those from `next` on still have to be gone through.
    closed: Vec<(usize, f64)>,
    next: usize,
}

impl Search {
    fn new(n: usize) -> Self {
        Self { distance: vec![0.0; n], from: vec![NONE; n], closed: Vec::with_capacity(n), next: 0 }
    }

    fn start(&mut self, row: usize) {
        self.distance.fill(f64::INFINITY);
        self.from.fill(row);
        self.closed.clear();
        self.next = 0;
    }

    /// The next final column: one left from the last tie, else the columns at the smallest distance
    /// become final, and a free one among them ends the search.
    fn next(&mut self, smallest: f64, row_of: &[usize]) -> Next {
        if self.next == self.closed.len() {
            let mut end = None;
            visit_equal(&mut self.distance, smallest, |col, distance| {
                if row_of[col] == NONE {
                    end = Some(col);
                    return Visit::Stop;
                }
                *distance = f64::NEG_INFINITY;
                self.closed.push((col, smallest));
                Visit::Continue
            });
            if let Some(col) = end {
                return Next::Free(col);
            }
        }
        // Costs are finite and a column is free, so some column was at the smallest distance.
        let (col, distance) = self.closed[self.next];
        self.next += 1;
        Next::Taken(col, distance)
    }
}

/// What a search meets next.
enum Next {
    /// A column without a row: the path ends here.
    Free(usize),
    /// A column with a row to go on from, and its distance.
    Taken(usize, f64),
}
