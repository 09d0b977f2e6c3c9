//! The inner loops of the simplex, one pass over a row of costs each, vectorised by the compiler.

use pulp::{Arch, NullaryFnOnce};

const LANES: usize = 8;

/// The smallest of `row - v`.
pub(super) fn smallest(row: &[f64], v: &[f64]) -> f64 {
    Arch::new().dispatch(Smallest { row, v })
}

/// The first column whose `row - v` is `value`, which one of the functions above returned.
pub(super) fn position(row: &[f64], v: &[f64], value: f64) -> usize {
    Arch::new().dispatch(Position { row, v, value })
}

// The passes are operations, not closures: `dispatch` would reach a closure through a shim that is
// not always inlined, and lose the wide instructions there.

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
            assert_eq!(smallest(&row, &v), sorted[0]);
            assert_eq!(Some(position(&row, &v, sorted[0])), reduced.iter().position(|r| *r == sorted[0]));
        }
    }
}
