//! The sum of the singular values of a bidiagonal matrix, without any of them.

use pulp::NullaryFnOnce;

use super::householder::Bidiagonal;
use crate::simd::dispatch256;

/// Nodes that pass through the recurrence together.
const LANES: usize = 16;
/// The logarithm of the largest product of pivots, somewhat below that of the largest number.
const LARGEST: f64 = 690.0;
/// The distance of nodes: the trapezoidal rule is off by `exp(-2 pi^2 / STEP)`, 7e-18.
const STEP: f64 = 0.5;
/// Nodes reach from `exp(-84)` times the sum of squares, where what is left out is below 1e-16 ...
const LOWEST: f64 = -84.0;
/// ... to `exp(28)` times it, beyond which the logarithm is its first term.
const NODES: usize = 14 * LANES;

/// The sum of the singular values of a bidiagonal matrix, to some rounding errors of the largest.
///
/// With `T = B^T B` and its eigenvalues `t`, `pi sqrt(t) = 1/2 int log(1 + t exp(-s)) exp(s / 2) ds` over the line. The
/// integrand is analytic in a strip of half-width pi, so the trapezoidal rule converges geometrically (Trefethen and
/// Weideman, SIAM Review 56, 2014), and `det(I + T exp(-s))` is a product of pivots of the stationary qd transform
/// (Fernando and Parlett, Numerische Mathematik 67, 1994), here of positive terms alone: nothing cancels.
pub(super) fn sum_of_singular_values(of: &Bidiagonal) -> f64 {
    let squares = |values: &[f64]| values.iter().map(|v| v * v).collect::<Vec<_>>();
    let (q, e) = (squares(&of.diagonal), squares(&of.above));
    let total: f64 = q.iter().sum::<f64>() + e.iter().sum::<f64>();
    if total == 0.0 {
        return 0.0;
    }
    let (mut sum, mut exponent) = (0.0, LOWEST);
    for _ in 0..NODES / LANES {
        let exponents: [f64; LANES] = std::array::from_fn(|k| exponent + STEP * k as f64);
        // No pivot exceeds this: a product of so many is still a number.
        let factors = (LARGEST / (2.0 * (-exponent).exp()).ln_1p()) as usize;
        let inverses = exponents.map(|s| (-s).exp() / total);
        let logs = dispatch256(LogDeterminants { q: &q, e: &e, inverses, factors });
        for (s, log) in exponents.iter().zip(logs) {
            sum += (0.5 * s).exp() * log;
        }
        exponent += STEP * LANES as f64;
    }
    // A geometric series: the sum of squares counts as 1.
    sum += (-0.5 * exponent).exp() / (1.0 - (-0.5 * STEP).exp());
    0.5 * STEP * sum * total.sqrt() / std::f64::consts::PI
}

/// `log det(I + B^T B f)` for some factors `f`, by squares of the diagonal and of what stands above it.
struct LogDeterminants<'a> {
    q: &'a [f64],
    e: &'a [f64],
    inverses: [f64; LANES],
    /// Pivots multiplied before the logarithm is taken.
    factors: usize,
}

impl NullaryFnOnce for LogDeterminants<'_> {
    type Output = [f64; LANES];

    #[inline(always)]
    fn call(self) -> [f64; LANES] {
        let Self { q, e, inverses, factors } = self;
        let mut carried = [0.0; LANES];
        let mut logs = [0.0; LANES];
        for (block, q) in q.chunks(factors).enumerate() {
            // The product of the pivots less 1.
            let mut product = [0.0; LANES];
            for (i, q) in q.iter().enumerate() {
                let above = e.get(block * factors + i).copied().unwrap_or(0.0);
                for k in 0..LANES {
                    let pivot = q * inverses[k] + carried[k];
                    product[k] += pivot * (1.0 + product[k]);
                    carried[k] = (1.0 + carried[k]) * (above * inverses[k]) / (1.0 + pivot);
                }
            }
            for k in 0..LANES {
                logs[k] += product[k].ln_1p();
            }
        }
        logs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_known_values() {
        let sum = |diagonal: &[f64], above: &[f64]| {
            sum_of_singular_values(&Bidiagonal { diagonal: diagonal.to_vec(), above: above.to_vec() })
        };
        assert_eq!(sum(&[0.0, 0.0], &[0.0]), 0.0);
        // Without anything above the diagonal, over thirty orders of magnitude and with zeros between.
        let values: Vec<f64> =
            (0..40).map(|k| if k % 7 == 3 { 0.0 } else { (-1.0f64).powi(k) * 10f64.powi(-k) }).collect();
        let expected: f64 = values.iter().map(|v| v.abs()).sum();
        let found = sum(&values, &[0.0; 39]);
        assert!((found - expected).abs() < 1e-14 * expected, "{found} {expected}");
        // Of [[a, b], [0, c]]: (s + t)^2 = a^2 + b^2 + c^2 + 2 |a c|.
        for [a, b, c] in
            [[3.0, 4.0, 5.0], [1.0, 1.0, 0.0], [0.0, 2.0, 1e-9], [1.0, -1e-12, -1.0], [0.0, 1.0, 0.0]]
        {
            let expected = f64::sqrt(a * a + b * b + c * c + 2.0 * f64::abs(a * c));
            let found = sum(&[a, c], &[b]);
            assert!((found - expected).abs() < 1e-14 * expected, "{found} {expected}");
        }
        // The second difference of a string: B has 1 and -1, its singular values are 2 sin(k pi / (2 n + 1)), odd k.
        let count = 300;
        let above = vec![-1.0; count - 1];
        let angle = std::f64::consts::PI / (2.0 * (2 * count + 1) as f64);
        let expected: f64 = (0..count).map(|k| 2.0 * ((2 * k + 1) as f64 * angle).sin()).sum();
        let found = sum(&vec![1.0; count], &above);
        assert!((found - expected).abs() < 1e-13 * expected, "{found} {expected}");
    }
}
