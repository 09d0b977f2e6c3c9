//! Shortlists: the columns that can matter to a row, with exact costs, and what is known of the rest.

use pulp::{Arch, NullaryFnOnce};

use super::source::{ROUND_SINGLE, Source};

const LANES: usize = 16;

/// A column and its exact reduced cost to the row that lists it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) cost: f64,
    pub(super) col: u32,
}

/// Columns near a row, and a bound on the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shortlist {
    pub(super) entries: Vec<Entry>,
    /// No column left out has `r_ij - g_j` below this; infinite if none is left out.
    /// It stays right while potentials `g` fall.
    pub(super) rest: f64,
}

impl Shortlist {
    /// The smallest `r_ij - g_j` listed.
    pub(super) fn least(&self, g: &[f64]) -> f64 {
        self.entries.iter().map(|entry| entry.cost - g[entry.col as usize]).fold(f64::INFINITY, f64::min)
    }
}

/// What a column contributes to lower bounds of `r_ij - g_j`: `-g_j` less its error.
pub(super) fn lowered(g: f64, col_error: f64) -> f32 {
    let exact = -g - col_error;
    // Room for rounding to single precision, and for one more rounding in the sum.
    (exact - 3.0 * ROUND_SINGLE * exact.abs()) as f32
}

/// Working memory of [`list`].
#[derive(Default)]
pub(super) struct Scratch {
    minima: Vec<f32>,
    cols: Vec<u32>,
    costs: Vec<f64>,
    more: Vec<u32>,
}

/// Which costs a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    /// Exact costs; the bound on the others holds for exact costs.
    Exact,
    /// The approximations, at a fraction of the time: enough for a guess.
    Approximate,
}

/// Lists at least `count` columns of least `r_ij - g_j` (all, if there are few), given the row's
/// approximations, and `bounds` of [`lowered`].
pub(super) fn list<S: Source>(
    source: &S,
    row: usize,
    approximations: &[f32],
    (g, bounds): (&[f64], &[f32]),
    (count, precision): (usize, Precision),
    scratch: &mut Scratch,
) -> Shortlist {
    let m = g.len();
    let Scratch { minima, cols, costs, more } = scratch;
    cols.clear();
    if m <= 2 * count.max(LANES) {
        cols.extend(0..m as u32);
        match precision {
            Precision::Exact => source.exact(row, cols, costs),
            Precision::Approximate => approximate(approximations, cols, costs),
        }
        return Shortlist { entries: entries(cols, costs), rest: f64::INFINITY };
    }
    Arch::new().dispatch(GroupMinima { row: approximations, bounds, groups: 2 * count, minima });
    let mut threshold = *minima.select_nth_unstable_by(count - 1, f32::total_cmp).1;
    let collect = |from: Option<f32>, to: f32, cols: &mut Vec<u32>| {
        Arch::new().dispatch(Collect { row: approximations, bounds, from, to, cols });
    };
    collect(None, threshold, cols);
    if precision == Precision::Approximate {
        approximate(approximations, cols, costs);
        let mut shortlist = Shortlist { entries: entries(cols, costs), rest: 0.0 };
        // The bounds were lowered by errors: the least listed counts as the least of all.
        shortlist.rest = f64::from(threshold).max(shortlist.least(g));
        return shortlist;
    }
    source.exact(row, cols, costs);
    let error = source.row_error(row);
    let least = cols.iter().zip(costs.iter()).map(|(&j, c)| c - g[j as usize]).fold(f64::INFINITY, f64::min);
    // The least listed must be the least of all, so whatever the error could hide is looked at.
    let wanted = least + error + 4.0 * f64::EPSILON * (least.abs() + error);
    if f64::from(threshold) < wanted {
        let wider = (wanted as f32).next_up();
        more.clear();
        collect(Some(threshold), wider, more);
        let mut extra = Vec::new();
        source.exact(row, more, &mut extra);
        cols.append(more);
        costs.append(&mut extra);
        threshold = wider;
    }
    let mut shortlist = Shortlist { entries: entries(cols, costs), rest: f64::from(threshold) - error };
    let cap = 4 * count;
    if shortlist.entries.len() > cap {
        // Many ties: each row prefers other columns, so that equal rows do not all want the same.
        let first = (row * m / source.shape().0) as u32;
        let key =
            |entry: &Entry| (entry.cost - g[entry.col as usize], (entry.col + m as u32 - first) % m as u32);
        let order = |a: &Entry, b: &Entry| {
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
        };
        let (_, dropped, _) = shortlist.entries.select_nth_unstable_by(cap, order);
        shortlist.rest = shortlist.rest.min(key(dropped).0);
        shortlist.entries.truncate(cap);
        shortlist.entries.sort_unstable_by(order);
    }
    shortlist
}

fn approximate(approximations: &[f32], cols: &[u32], costs: &mut Vec<f64>) {
    costs.clear();
    costs.extend(cols.iter().map(|&col| f64::from(approximations[col as usize])));
}

fn entries(cols: &[u32], costs: &[f64]) -> Vec<Entry> {
    cols.iter().zip(costs).map(|(&col, &cost)| Entry { cost, col }).collect()
}

/// Minima of `row + bounds` over at least `groups` groups of columns.
struct GroupMinima<'a> {
    row: &'a [f32],
    bounds: &'a [f32],
    groups: usize,
    minima: &'a mut Vec<f32>,
}

impl NullaryFnOnce for GroupMinima<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.minima.clear();
        let parts = self.groups.div_ceil(LANES);
        // Whole chunks, so that a part has none of a column short.
        let len = (self.row.len() / parts / LANES).max(1) * LANES;
        for (row, bounds) in self.row.chunks(len).zip(self.bounds.chunks(len)) {
            let mut least = [f32::INFINITY; LANES];
            let (rows, row_rest) = row.as_chunks::<LANES>();
            let (bounds, bound_rest) = bounds.as_chunks::<LANES>();
            for (row, bound) in rows.iter().zip(bounds) {
                for l in 0..LANES {
                    let value = row[l] + bound[l];
                    least[l] = if value < least[l] { value } else { least[l] };
                }
            }
            for (l, (row, bound)) in row_rest.iter().zip(bound_rest).enumerate() {
                least[l] = least[l].min(row + bound);
            }
            self.minima.extend_from_slice(&least);
        }
    }
}

/// The columns whose `row + bounds` is at most `to`, and above `from` if that is given.
struct Collect<'a> {
    row: &'a [f32],
    bounds: &'a [f32],
    from: Option<f32>,
    to: f32,
    cols: &'a mut Vec<u32>,
}

impl NullaryFnOnce for Collect<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { row, bounds, from, to, cols } = self;
        let from = from.unwrap_or(f32::NEG_INFINITY);
        let (rows, row_rest) = row.as_chunks::<LANES>();
        let (chunks, bound_rest) = bounds.as_chunks::<LANES>();
        for (chunk, (row, bounds)) in rows.iter().zip(chunks).enumerate() {
            let mut hit = false;
            for l in 0..LANES {
                hit |= row[l] + bounds[l] <= to;
            }
            if hit {
                // One byte a column: no branch for those that are not taken.
                let mut flags = [0u8; LANES];
                for l in 0..LANES {
                    let value = row[l] + bounds[l];
                    flags[l] = u8::from(value <= to) & u8::from(value > from);
                }
                let mut found = u128::from_le_bytes(flags);
                while found != 0 {
                    cols.push((chunk * LANES) as u32 + found.trailing_zeros() / u8::BITS);
                    found &= found - 1;
                }
            }
        }
        for (l, (row, bound)) in row_rest.iter().zip(bound_rest).enumerate() {
            let value = row + bound;
            if value <= to && value > from {
                cols.push((rows.len() * LANES + l) as u32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::CostMatrix;
    use super::super::source::MatrixSource;
    use super::*;
    use crate::rng::{Purpose, Stream};

    #[test]
    fn lists_hold_the_least_and_bound_the_rest() {
        for (m, levels) in [(3, 1e6), (40, 1e6), (75, 5.0), (333, 1e6), (500, 2.0), (1000, 1e6)] {
            let stream = Stream::new(9, Purpose::Test, m as u64);
            let costs = (0..2 * m as u64).map(|i| (stream.uniform(i) * levels).floor()).collect();
            let cost = CostMatrix::new(2, m, costs).unwrap();
            let source = MatrixSource::new(&cost);
            let g: Vec<f64> = (0..m).map(|j| 0.3 * stream.uniform((9 * m + j) as u64)).collect();
            let bounds: Vec<f32> = g.iter().map(|g| lowered(*g, 0.0)).collect();
            let all: Vec<u32> = (0..m as u32).collect();
            let mut exact = Vec::new();
            for row in 0..2 {
                source.exact(row, &all, &mut exact);
                let least = exact.iter().zip(&g).map(|(c, g)| c - g).fold(f64::INFINITY, f64::min);
                let stored = &source.stored().unwrap()[row * m..][..m];
                for precision in [Precision::Exact, Precision::Approximate] {
                    let wanted = (8, precision);
                    let found = list(&source, row, stored, (&g, &bounds), wanted, &mut Scratch::default());
                    assert!(found.entries.len() >= m.min(8) && found.entries.len() <= m.clamp(8, 32));
                    assert!((found.least(&g) - least).abs() < 1e-6 && found.rest >= found.least(&g));
                    if precision == Precision::Approximate {
                        continue;
                    }
                    assert_eq!(found.least(&g), least);
                    for j in 0..m {
                        match found.entries.iter().find(|entry| entry.col as usize == j) {
                            Some(entry) => assert_eq!(entry.cost, exact[j]),
                            None => assert!(exact[j] - g[j] >= found.rest, "{j} of {m} is below the rest"),
                        }
                    }
                }
            }
        }
    }
}
