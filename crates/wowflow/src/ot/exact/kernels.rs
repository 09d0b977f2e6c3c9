//! The inner loops of the solvers, one pass over a row of costs each, vectorised by the compiler.

use pulp::{Arch, NullaryFnOnce};

const LANES: usize = 8;

/// The two smallest reduced costs of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BestTwo {
    /// The smallest.
    pub(super) first: f64,
    /// Its column, the first of several.
    pub(super) col: usize,
    /// The next smallest, equal to `first` at a tie; infinite if there is one column.
    pub(super) second: f64,
}

impl BestTwo {
    /// The first column other than `col` at the second smallest reduced cost.
    pub(super) fn second_col(&self, row: &[f64], v: &[f64]) -> usize {
        let matches = |&j: &usize| j != self.col && row[j] - v[j] == self.second;
        (0..row.len()).find(matches).unwrap_or(self.col)
    }
}

/// All places of `value`, increasing, until `visit` says to stop; `visit` may change them.
pub(super) fn visit_equal(values: &mut [f64], value: f64, mut visit: impl FnMut(usize, &mut f64) -> Visit) {
    for (chunk, values) in values.chunks_mut(LANES).enumerate() {
        if values.iter().fold(false, |hit, v| hit | (*v == value)) {
            for (l, slot) in values.iter_mut().enumerate() {
                if *slot == value && visit(chunk * LANES + l, slot) == Visit::Stop {
                    return;
                }
            }
        }
    }
}

/// Whether a visit goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    Continue,
    Stop,
}

/// The two smallest of `row - v`.
pub(super) fn best_two(row: &[f64], v: &[f64]) -> BestTwo {
    let (first, second) = Arch::new().dispatch(SmallestTwo { row, v });
    BestTwo { first, col: position(row, v, first), second }
}

/// The smallest of `row - v`.
pub(super) fn smallest(row: &[f64], v: &[f64]) -> f64 {
    Arch::new().dispatch(Smallest { row, v })
}

/// The first column whose `row - v` is `value`, which one of the functions above returned.
pub(super) fn position(row: &[f64], v: &[f64], value: f64) -> usize {
    Arch::new().dispatch(Position { row, v, value })
}

/// One step of a shortest-path search: a path of length `base + row - v` through `through` replaces
/// longer ones. Returns the smallest distance that is not `-inf`, the mark of final columns.
pub(super) fn relax(
    row: &[f64],
    v: &[f64],
    base: f64,
    through: usize,
    distance: &mut [f64],
    from: &mut [usize],
) -> f64 {
    Arch::new().dispatch(Relax { row, v, base, through, distance, from })
}

// The passes are operations, not closures: `dispatch` would reach a closure through a shim that is
// not always inlined, and lose the wide instructions there.

struct SmallestTwo<'a> {
    row: &'a [f64],
    v: &'a [f64],
}

impl NullaryFnOnce for SmallestTwo<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn call(self) -> (f64, f64) {
        let mut first = [f64::INFINITY; LANES];
        let mut second = [f64::INFINITY; LANES];
        let (rows, row_rest) = self.row.as_chunks::<LANES>();
        let (vs, v_rest) = self.v.as_chunks::<LANES>();
        for (row, v) in rows.iter().zip(vs) {
            for l in 0..LANES {
                let reduced = row[l] - v[l];
                let larger = if reduced > first[l] { reduced } else { first[l] };
                first[l] = if reduced < first[l] { reduced } else { first[l] };
                second[l] = if larger < second[l] { larger } else { second[l] };
            }
        }
        let (mut best, mut next) = (f64::INFINITY, f64::INFINITY);
        let rest = row_rest.iter().zip(v_rest).map(|(c, v)| c - v);
        for reduced in first.into_iter().chain(second).chain(rest) {
            next = reduced.max(best).min(next);
            best = reduced.min(best);
        }
        (best, next)
    }
}

struct Smallest<'a> {
    row: &'a [f64],
    v: &'a [f64],
}

impl NullaryFnOnce for Smallest<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let mut first = [f64::INFINITY; LANES];
        let (rows, row_rest) = self.row.as_chunks::<LANES>();
        let (vs, v_rest) = self.v.as_chunks::<LANES>();
        for (row, v) in rows.iter().zip(vs) {
            for l in 0..LANES {
                let reduced = row[l] - v[l];
                first[l] = if reduced < first[l] { reduced } else { first[l] };
            }
        }
        let rest = row_rest.iter().zip(v_rest).map(|(c, v)| c - v);
        first.into_iter().chain(rest).fold(f64::INFINITY, f64::min)
    }
}

struct Position<'a> {
    row: &'a [f64],
    v: &'a [f64],
    value: f64,
}

impl NullaryFnOnce for Position<'_> {
    type Output = usize;

    #[inline(always)]
    fn call(self) -> usize {
        let (rows, _) = self.row.as_chunks::<LANES>();
        let (vs, _) = self.v.as_chunks::<LANES>();
        let mut start = 0;
        for (row, v) in rows.iter().zip(vs) {
            let mut hit = false;
            for l in 0..LANES {
                hit |= row[l] - v[l] == self.value;
            }
            if hit {
                break;
            }
            start += LANES;
        }
        let rest = self.row[start..].iter().zip(&self.v[start..]);
        start + rest.map(|(c, v)| c - v).position(|reduced| reduced == self.value).unwrap_or(0)
    }
}

struct Relax<'a> {
    row: &'a [f64],
    v: &'a [f64],
    base: f64,
    through: usize,
    distance: &'a mut [f64],
    from: &'a mut [usize],
}

impl NullaryFnOnce for Relax<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let Self { row, v, base, through, distance, from } = self;
        let mut smallest = [f64::INFINITY; LANES];
        let (rows, row_rest) = row.as_chunks::<LANES>();
        let (vs, v_rest) = v.as_chunks::<LANES>();
        let (distances, distance_rest) = distance.as_chunks_mut::<LANES>();
        let (froms, from_rest) = from.as_chunks_mut::<LANES>();
        for (((row, v), distance), from) in rows.iter().zip(vs).zip(distances).zip(froms) {
            for l in 0..LANES {
                let length = base + (row[l] - v[l]);
                let shorter = length < distance[l];
                let kept = if shorter { length } else { distance[l] };
                distance[l] = kept;
                from[l] = if shorter { through } else { from[l] };
                let open = if kept == f64::NEG_INFINITY { f64::INFINITY } else { kept };
                smallest[l] = if open < smallest[l] { open } else { smallest[l] };
            }
        }
        let mut least = smallest.into_iter().fold(f64::INFINITY, f64::min);
        for l in 0..row_rest.len() {
            let length = base + (row_rest[l] - v_rest[l]);
            if length < distance_rest[l] {
                distance_rest[l] = length;
                from_rest[l] = through;
            }
            if distance_rest[l] != f64::NEG_INFINITY {
                least = least.min(distance_rest[l]);
            }
        }
        least
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    /// Small whole numbers, so that ties abound.
    fn grid(len: usize, step: u64) -> Vec<f64> {
        let stream = Stream::new(8, Purpose::Test, step);
        (0..len as u64).map(|i| (stream.uniform(i) * 6.0).floor()).collect()
    }

    #[test]
    fn minima_match_plain_loops_at_every_length() {
        for n in 1..40 {
            let (row, v) = (grid(n, n as u64), grid(n, 100 + n as u64));
            let mut sorted: Vec<f64> = row.iter().zip(&v).map(|(c, v)| c - v).collect();
            let reduced = sorted.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let best = best_two(&row, &v);
            assert_eq!(best.first, sorted[0]);
            assert_eq!(best.second, sorted.get(1).copied().unwrap_or(f64::INFINITY));
            assert_eq!(Some(best.col), reduced.iter().position(|r| *r == sorted[0]));
            assert_eq!(smallest(&row, &v), sorted[0]);
            if n > 1 {
                let second = best.second_col(&row, &v);
                assert!(second != best.col && reduced[second] == sorted[1]);
            }
        }
    }

    #[test]
    fn relaxing_leaves_final_columns_alone() {
        for n in 1..40 {
            let (row, v) = (grid(n, n as u64), grid(n, 100 + n as u64));
            let mut distance = grid(n, 200 + n as u64);
            for closed in distance.iter_mut().step_by(3) {
                *closed = f64::NEG_INFINITY;
            }
            let before = distance.clone();
            let mut from = vec![77; n];
            let least = relax(&row, &v, 1.0, 5, &mut distance, &mut from);
            let mut expected = f64::INFINITY;
            for j in 0..n {
                let length = 1.0 + (row[j] - v[j]);
                let shorter = length < before[j];
                assert_eq!(from[j], if shorter { 5 } else { 77 });
                assert_eq!(distance[j], if shorter { length } else { before[j] });
                if before[j] > f64::NEG_INFINITY {
                    expected = expected.min(distance[j]);
                }
            }
            assert_eq!(least, expected);
        }
    }
}
