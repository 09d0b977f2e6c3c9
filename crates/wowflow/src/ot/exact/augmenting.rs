//! Transport by shortest augmenting paths on shortlists, for any masses.
//!
//! Potentials keep `f_i + g_j <= r_ij`, with equality where mass flows. A left point with mass to send finds
//! the nearest right point with room, by reduced costs `r_ij - f_i - g_j`, along arcs forwards, and
//! backwards where they carry flow; potentials move until the path is tight, and mass moves along
//! it (Tomizawa 1971; Edmonds and Karp 1972). After the auction most paths are a few arcs long.
//!
//! A row looks at the columns of its shortlist alone. The list says how cheap the others can be, and
//! as `g` only ever falls, that stays true. A search that gets that far renews the list: it is exact.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::OtError;
use super::masses::Units;
use super::prices::Prices;
use super::run::{Run, Solution};
use super::shortlist::Entry;
use super::source::Source;

const NONE: u32 = u32::MAX;

/// Solves a transport problem whose masses are all positive and balanced, from prices with exact lists.
pub(super) fn transport<S: Source>(
    prices: Prices<'_, S>,
    masses: &Units,
    run: &Run<'_>,
) -> Result<Solution, OtError> {
    let (n, m) = prices.source.shape();
    let f = prices.lists.iter().map(|list| list.least(&prices.g)).collect();
    let mut state = State {
        prices,
        f,
        supply: masses.rows.clone(),
        room: masses.cols.clone(),
        holders: vec![Vec::new(); m],
        search: Search::new(n, m),
        steps: 0,
    };
    for row in 0..n {
        while state.supply[row] > 0 {
            if run.is_interrupted() {
                return Err(OtError::Interrupted);
            }
            state.augment(row);
        }
    }
    let mut flows = Vec::with_capacity(n + m);
    for (col, holders) in state.holders.iter().enumerate() {
        flows.extend(holders.iter().map(|&(row, units)| (row as usize, col, units)));
    }
    Ok(Solution { flows, g: state.prices.g, lists: state.prices.lists, steps: state.steps })
}

struct State<'a, S> {
    prices: Prices<'a, S>,
    f: Vec<f64>,
    /// Mass that still has to leave a row.
    supply: Vec<i64>,
    /// Mass that still has to reach a column.
    room: Vec<i64>,
    /// Rows with flow into a column.
    holders: Vec<Vec<(u32, i64)>>,
    search: Search,
    steps: usize,
}

impl<S: Source> State<'_, S> {
    /// Sends mass of a row along a shortest path. There is one, as both sides have the same mass.
    fn augment(&mut self, root: usize) {
        self.search.begin();
        self.visit(root as u32, NONE, 0.0);
        while let Some(Reverse((key, target))) = self.search.queue.pop() {
            let distance = f64::from_bits(key);
            if distance >= self.search.length {
                break;
            }
            match target {
                Target::Col(col) => {
                    if distance > self.search.distance[col as usize] {
                        continue;
                    }
                    self.search.closed.push(col);
                    for at in 0..self.holders[col as usize].len() {
                        let (row, _) = self.holders[col as usize][at];
                        if !self.search.is_visited(row) {
                            self.visit(row, col, distance);
                        }
                    }
                }
                Target::Row(row) => {
                    self.prices.refill(row as usize);
                    self.scan(row, self.search.depth[row as usize]);
                }
            }
        }
        let Search { length, end, .. } = self.search;
        for &col in &self.search.closed {
            let col = col as usize;
            self.prices.lower(col, self.prices.g[col] - (length - self.search.distance[col]));
        }
        for &row in &self.search.visited {
            self.f[row as usize] += length - self.search.depth[row as usize];
        }
        self.send(root, end);
    }

    /// A row is reached through a column it sends flow to.
    fn visit(&mut self, row: u32, through: u32, distance: f64) {
        self.search.depth[row as usize] = distance;
        self.search.through[row as usize] = through;
        self.search.mark(row);
        self.scan(row, distance);
    }

    /// Goes on from a row along the arcs of its list.
    fn scan(&mut self, row: u32, depth: f64) {
        self.steps += 1;
        let at = row as usize;
        let f = self.f[at];
        let Search { queue, distance, from, reached, length, end, .. } = &mut self.search;
        for &Entry { cost, col } in &self.prices.lists[at].entries {
            let j = col as usize;
            let candidate = depth + (cost - f - self.prices.g[j]).max(0.0);
            if candidate < *length && candidate < distance[j] {
                if distance[j] == f64::INFINITY {
                    reached.push(col);
                }
                distance[j] = candidate;
                from[j] = row;
                if self.room[j] > 0 {
                    (*length, *end) = (candidate, col);
                } else {
                    queue.push(Reverse((candidate.to_bits(), Target::Col(col))));
                }
            }
        }
        let rest = depth + (self.prices.lists[at].rest - f).max(0.0);
        if rest < *length {
            queue.push(Reverse((rest.to_bits(), Target::Row(row))));
        }
    }

    /// Moves as much as the path found allows.
    fn send(&mut self, root: usize, end: u32) {
        let mut moved = self.supply[root].min(self.room[end as usize]);
        let mut row = self.search.from[end as usize];
        while row as usize != root {
            let col = self.search.through[row as usize];
            moved = moved.min(self.flow(row, col));
            row = self.search.from[col as usize];
        }
        self.supply[root] -= moved;
        self.room[end as usize] -= moved;
        let mut col = end;
        loop {
            let row = self.search.from[col as usize];
            self.change(row, col, moved);
            if row as usize == root {
                break;
            }
            col = self.search.through[row as usize];
            self.change(row, col, -moved);
        }
    }

    fn flow(&self, row: u32, col: u32) -> i64 {
        self.holders[col as usize].iter().find(|holder| holder.0 == row).map_or(0, |holder| holder.1)
    }

    fn change(&mut self, row: u32, col: u32, by: i64) {
        let holders = &mut self.holders[col as usize];
        match holders.iter().position(|holder| holder.0 == row) {
            None => holders.push((row, by)),
            Some(at) => {
                holders[at].1 += by;
                if holders[at].1 == 0 {
                    holders.swap_remove(at);
                }
            }
        }
    }
}

/// What comes next in a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// A column without room: on to the rows it gets flow from.
    Col(u32),
    /// The end of a row's list: columns left out may be as near as this.
    Row(u32),
}

/// Working memory of a search.
struct Search {
    /// Keys are the bits of distances, which are not negative.
    queue: BinaryHeap<Reverse<(u64, Target)>>,
    /// Length of the shortest path known to a column.
    distance: Vec<f64>,
    /// Row it comes from.
    from: Vec<u32>,
    reached: Vec<u32>,
    closed: Vec<u32>,
    /// Length of the path to a row, and the column it comes through.
    depth: Vec<f64>,
    through: Vec<u32>,
    visited: Vec<u32>,
    is_visited: Vec<bool>,
    /// The nearest column with room so far.
    length: f64,
    end: u32,
}

impl Search {
    fn new(n: usize, m: usize) -> Self {
        Self {
            queue: BinaryHeap::new(),
            distance: vec![f64::INFINITY; m],
            from: vec![NONE; m],
            reached: Vec::new(),
            closed: Vec::new(),
            depth: vec![0.0; n],
            through: vec![NONE; n],
            visited: Vec::new(),
            is_visited: vec![false; n],
            length: f64::INFINITY,
            end: NONE,
        }
    }

    fn begin(&mut self) {
        self.queue.clear();
        self.closed.clear();
        for col in self.reached.drain(..) {
            self.distance[col as usize] = f64::INFINITY;
        }
        for row in self.visited.drain(..) {
            self.is_visited[row as usize] = false;
        }
        (self.length, self.end) = (f64::INFINITY, NONE);
    }

    fn is_visited(&self, row: u32) -> bool {
        self.is_visited[row as usize]
    }

    fn mark(&mut self, row: u32) {
        self.is_visited[row as usize] = true;
        self.visited.push(row);
    }
}
