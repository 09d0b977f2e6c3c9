//! Exact optimal transport on the line: sort, then merge the cumulative weights.
//!
//! No grid of percentiles and no sampling of quantile levels: values, plans and conditional means
//! are exact for equal sizes, unequal sizes and weights (`book/src/mathematics.md`, "Distances between measures").

use super::sort::{SortScratch, argsort};
use crate::scalar::Scalar;

/// A piece of a coupling: mass that moves from source position `i` to target position `j`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Source position.
    pub i: u32,
    /// Target position.
    pub j: u32,
    /// Mass, positive.
    pub mass: f64,
}

/// The monotone coupling of `n` and `m` equally weighted sorted samples, in `n + m - gcd(n, m)` pieces.
///
/// Exact: cumulative weights are compared as whole numbers of `1 / (n m)`.
#[must_use]
pub fn uniform_segments(n: usize, m: usize) -> Vec<Segment> {
    let mut segments = Vec::with_capacity(n + m);
    let unit = 1.0 / (n as f64 * m as f64);
    let (mut i, mut j, mut level) = (0u64, 0u64, 0u64);
    let (n, m) = (n as u64, m as u64);
    while i < n && j < m {
        let (end_i, end_j) = ((i + 1) * m, (j + 1) * n);
        let end = end_i.min(end_j);
        segments.push(Segment { i: i as u32, j: j as u32, mass: (end - level) as f64 * unit });
        level = end;
        i += u64::from(end == end_i);
        j += u64::from(end == end_j);
    }
    segments
}

/// The monotone coupling of weighted sorted samples: weights `a` and `b` in sorted order, each of
/// sum 1 up to rounding.
///
/// The remaining mass of an atom is tracked, not differences of running sums, so that equal weights
/// pair up without slivers; what rounding leaves over goes to the last atoms.
pub fn weighted_segments(a: &[f64], b: &[f64], segments: &mut Vec<Segment>) {
    segments.clear();
    let last = |weights: &[f64]| weights.iter().rposition(|w| *w > 0.0).unwrap_or(0);
    let (last_i, last_j) = (last(a), last(b));
    let (mut i, mut j) = (0, 0);
    let (mut left_a, mut left_b) = (a[0], b[0]);
    loop {
        while left_a <= 0.0 && i < last_i {
            i += 1;
            left_a = a[i];
        }
        while left_b <= 0.0 && j < last_j {
            j += 1;
            left_b = b[j];
        }
        let mass = match (i == last_i, j == last_j) {
            (true, true) => left_a.max(left_b),
            (true, false) => left_b,
            (false, true) => left_a,
            (false, false) => left_a.min(left_b),
        };
        if mass > 0.0 {
            segments.push(Segment { i: i as u32, j: j as u32, mass });
        }
        if i == last_i && j == last_j {
            return;
        }
        left_a -= mass;
        left_b -= mass;
        // Differences of the size of rounding are the same level: do not cut slivers there.
        if left_a.abs() < SLIVER && i < last_i {
            left_a = 0.0;
        }
        if left_b.abs() < SLIVER && j < last_j {
            left_b = 0.0;
        }
    }
}

/// Below this share of the total mass, a remainder is rounding, not weight.
const SLIVER: f64 = 1e-15;

/// An optimal coupling on the line, by sample index, for any convex cost of the difference.
///
/// `a` and `b` are weights of sum 1; `None` is uniform.
#[must_use]
#[inline(never)]
pub fn coupling<T: Scalar>(x: &[T], a: Option<&[f64]>, y: &[T], b: Option<&[f64]>) -> Vec<Segment> {
    let (xs, ys) = (SortedSamples::new(x, a), SortedSamples::new(y, b));
    let mut segments = xs.segments(&ys);
    for segment in &mut segments {
        segment.i = xs.order[segment.i as usize];
        segment.j = ys.order[segment.j as usize];
    }
    segments
}

/// `W_p^p` of two measures on the line, `p >= 1`, exact.
///
/// `x` (n) and `y` (m) are samples in any order; `a`, `b` their weights of sum 1, `None` uniform.
///
/// ```
/// use wowflow::ot::one_d::w_pow;
/// assert_eq!(w_pow(&[0.0, 1.0], None, &[2.0], None, 2.0), 2.5);
/// assert_eq!(w_pow(&[0.0, 1.0], Some(&[0.75, 0.25]), &[0.0], None, 1.0), 0.25);
/// ```
///
/// # Panics
/// An empty side, or weights of another length than their samples.
#[must_use]
#[inline(never)]
pub fn w_pow<T: Scalar>(x: &[T], a: Option<&[f64]>, y: &[T], b: Option<&[f64]>, p: f64) -> f64 {
    let (xs, ys) = (SortedSamples::new(x, a), SortedSamples::new(y, b));
    let difference = |i: usize, j: usize| (xs.values[i].to_f64() - ys.values[j].to_f64()).abs();
    let cost = |i: usize, j: usize| match p {
        1.0 => difference(i, j),
        2.0 => difference(i, j).powi(2),
        _ => difference(i, j).powf(p),
    };
    if a.is_none() && b.is_none() && x.len() == y.len() {
        return (0..x.len()).map(|i| cost(i, i)).sum::<f64>() / x.len() as f64;
    }
    xs.segments(&ys).iter().map(|s| s.mass * cost(s.i as usize, s.j as usize)).sum()
}

struct SortedSamples<T> {
    values: Vec<T>,
    order: Vec<u32>,
    weights: Option<Vec<f64>>,
}

impl<T: Scalar> SortedSamples<T> {
    fn new(samples: &[T], weights: Option<&[f64]>) -> Self {
        assert!(!samples.is_empty(), "a measure needs at least one sample");
        let mut values = samples.to_vec();
        let mut order = vec![0; samples.len()];
        argsort(&mut values, &mut order, &mut SortScratch::default());
        let weights = weights.map(|weights| {
            assert_eq!(weights.len(), samples.len(), "one weight a sample");
            order.iter().map(|&i| weights[i as usize]).collect()
        });
        Self { values, order, weights }
    }

    fn segments(&self, other: &Self) -> Vec<Segment> {
        match (&self.weights, &other.weights) {
            (None, None) => uniform_segments(self.values.len(), other.values.len()),
            (a, b) => {
                let full = |weights: &Option<Vec<f64>>, n: usize| match weights {
                    Some(weights) => weights.clone(),
                    None => vec![1.0 / n as f64; n],
                };
                let mut segments = Vec::new();
                let (a, b) = (full(a, self.values.len()), full(b, other.values.len()));
                weighted_segments(&a, &b, &mut segments);
                segments
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition: an integral over the union of both quantile functions' jumps.
    fn by_quantiles(x: &[f64], a: &[f64], y: &[f64], b: &[f64], p: f64) -> f64 {
        fn steps(x: &[f64], a: &[f64]) -> Vec<(f64, f64)> {
            let mut pairs: Vec<(f64, f64)> = x.iter().copied().zip(a.iter().copied()).collect();
            pairs.sort_by(|l, r| l.0.total_cmp(&r.0));
            let mut level = 0.0;
            pairs
                .into_iter()
                .map(|(v, w)| {
                    level += w;
                    (v, level)
                })
                .collect()
        }
        fn quantile(steps: &[(f64, f64)], q: f64) -> f64 {
            steps.iter().find(|s| s.1 >= q).unwrap_or(&steps[steps.len() - 1]).0
        }
        let (sx, sy) = (steps(x, a), steps(y, b));
        let mut levels: Vec<f64> = sx.iter().chain(&sy).map(|s| s.1.min(1.0)).collect();
        levels.push(0.0);
        levels.sort_by(f64::total_cmp);
        levels
            .windows(2)
            .map(|w| {
                let q = (w[0] + w[1]) / 2.0;
                (w[1] - w[0]) * (quantile(&sx, q) - quantile(&sy, q)).abs().powf(p)
            })
            .sum()
    }

    fn measure() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
        proptest::collection::vec((-4i32..5, 0u32..4), 1..12).prop_filter_map("no mass", |pairs| {
            let total: u32 = pairs.iter().map(|p| p.1).sum();
            let weights = pairs.iter().map(|p| f64::from(p.1) / f64::from(total)).collect();
            (total > 0).then(|| (pairs.iter().map(|p| f64::from(p.0) / 2.0).collect(), weights))
        })
    }

    proptest! {
        #[test]
        fn values_match_the_quantile_integral((x, a) in measure(), (y, b) in measure(), p in 1u32..4) {
            let p = f64::from(p);
            let fast = w_pow(&x, Some(&a), &y, Some(&b), p);
            let slow = by_quantiles(&x, &a, &y, &b, p);
            prop_assert!((fast - slow).abs() <= 1e-12 * (1.0 + slow), "{fast} {slow}");
        }

        #[test]
        fn plans_have_the_right_marginals((x, a) in measure(), (y, b) in measure()) {
            let plan = coupling(&x, Some(&a), &y, Some(&b));
            let (mut row, mut col) = (vec![0.0; x.len()], vec![0.0; y.len()]);
            for s in &plan {
                row[s.i as usize] += s.mass;
                col[s.j as usize] += s.mass;
            }
            prop_assert!(row.iter().zip(&a).all(|(r, w)| (r - w).abs() < 1e-14));
            prop_assert!(col.iter().zip(&b).all(|(r, w)| (r - w).abs() < 1e-14));
            prop_assert!(plan.len() < x.len() + y.len());
        }

        #[test]
        fn uniform_and_equal_weights_agree(x in proptest::collection::vec(-9i32..9, 1..20), y in proptest::collection::vec(-9i32..9, 1..20)) {
            let (x, y): (Vec<f64>, Vec<f64>) = (x.iter().map(|&v| v.into()).collect(), y.iter().map(|&v| v.into()).collect());
            let (a, b) = (vec![1.0 / x.len() as f64; x.len()], vec![1.0 / y.len() as f64; y.len()]);
            let plain = w_pow(&x, None, &y, None, 2.0);
            prop_assert!((plain - w_pow(&x, Some(&a), &y, Some(&b), 2.0)).abs() <= 1e-12 * (1.0 + plain));
            prop_assert!((plain - w_pow(&y, None, &x, None, 2.0)).abs() <= 1e-12 * (1.0 + plain));
        }
    }

    #[test]
    fn ties_are_broken_by_index() {
        let mut values = [1.0f32, 0.0, 1.0, -0.0, 1.0];
        let mut order = [0; 5];
        argsort(&mut values, &mut order, &mut SortScratch::default());
        assert_eq!(order, [1, 3, 0, 2, 4]);
    }

    #[test]
    fn a_single_point_and_identical_measures() {
        assert_eq!(w_pow(&[3.0f32], None, &[3.0], None, 1.0), 0.0);
        let x = [0.3, -1.0, 7.5];
        assert_eq!(w_pow(&x, None, &[7.5, 0.3, -1.0], None, 2.0), 0.0);
        assert_eq!(uniform_segments(4, 6).len(), 8);
    }
}
