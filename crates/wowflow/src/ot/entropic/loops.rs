//! The inner loops of the entropic solver, one pass over rows of costs each, vectorised by the compiler.

use pulp::{Arch, NullaryFnOnce};

/// Width of the fixed set of partial sums: the bits do not depend on the instructions chosen.
const LANES: usize = 8;
/// Rows of a kernel multiplied together.
pub(super) const GROUP: usize = 4;
/// Below this exponent the exponential is taken as 0; its true value is under `1e-307`.
const LEAST_EXPONENT: f64 = -707.0;
/// Where it stops growing, short of overflow.
const LARGEST_EXPONENT: f64 = 707.0;

/// `e^x` to about 4e-16 relative, in additions and products that every machine rounds alike.
///
/// `x = k ln 2 + r` with `|r| <= ln 2 / 2`; the Taylor series of degree 13 in `r`, times `2^k`.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    const SHIFT: f64 = (3u64 << 51) as f64;
    // ln 2 in two parts; the first has so few bits that its product with `k` is exact.
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const C: [f64; 14] = inverse_factorials();
    let kept = if x < LEAST_EXPONENT { LEAST_EXPONENT } else { x };
    let kept = if kept > LARGEST_EXPONENT { LARGEST_EXPONENT } else { kept };
    let shifted = kept * std::f64::consts::LOG2_E + SHIFT;
    let k = shifted - SHIFT;
    let r = (kept - k * LN_2_HIGH) - k * LN_2_LOW;
    // Pairs, then pairs of pairs: short chains of dependent operations.
    let r2 = r * r;
    let r4 = r2 * r2;
    let low = (C[0] + C[1] * r) + (C[2] + C[3] * r) * r2;
    let middle = (C[4] + C[5] * r) + (C[6] + C[7] * r) * r2;
    let high = (C[8] + C[9] * r) + (C[10] + C[11] * r) * r2;
    let top = C[12] + C[13] * r;
    let series = low + r4 * (middle + r4 * (high + r4 * top));
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    let value = series * power;
    if x < LEAST_EXPONENT { 0.0 } else { value }
}

const fn inverse_factorials() -> [f64; 14] {
    let mut values = [1.0; 14];
    let mut factorial = 1.0;
    let mut k = 1;
    while k < 14 {
        factorial *= k as f64;
        values[k] = 1.0 / factorial;
        k += 1;
    }
    values
}

/// `log sum_j exp(h_j - c_j / eps)` with `inverse = 1 / eps`; `-inf` if every term is.
pub(super) fn log_sum_exp(cost: &[f64], h: &[f64], inverse: f64) -> f64 {
    let (largest, sum) = Arch::new().dispatch(RowSum { cost, h, inverse });
    if largest == f64::NEG_INFINITY { largest } else { largest + sum.ln() }
}

/// Adds the rows `cost` (each as long as `columns`) with exponents `p_i - c_ij / eps` to the running
/// log-sums of the columns.
pub(super) fn merge_columns(cost: &[f64], p: &[f64], inverse: f64, columns: &mut LogSums) {
    Arch::new().dispatch(MergeColumns { cost, p, inverse, columns });
}

/// `out_j = exp(shift + h_j - c_j / eps)`.
pub(super) fn gibbs(cost: &[f64], h: &[f64], shift: f64, inverse: f64, out: &mut [f64]) {
    Arch::new().dispatch(Gibbs { cost, h, shift, inverse, out });
}

/// Products of up to [`GROUP`] consecutive rows of `kernel` with `v`.
pub(super) fn products(kernel: &[f64], v: &[f64]) -> [f64; GROUP] {
    Arch::new().dispatch(Products { kernel, v })
}

/// `out_j += sum_i factors_i K_ij` over up to [`GROUP`] rows.
pub(super) fn add_rows(kernel: &[f64], factors: &[f64], out: &mut [f64]) {
    Arch::new().dispatch(AddRows { kernel, factors, out });
}

/// Two dot products of one vector, `(sum_j p_j, sum_j p_j c_j)`.
pub(super) fn moments(p: &[f64], cost: &[f64]) -> (f64, f64) {
    Arch::new().dispatch(Moments { p, cost })
}

/// Running `log sum exp` of every column: the largest exponent so far and the sum relative to it.
pub(super) struct LogSums {
    largest: Vec<f64>,
    sum: Vec<f64>,
}

impl LogSums {
    /// Empty sums of `len` columns.
    pub(super) fn new(len: usize) -> Self {
        Self { largest: vec![f64::NEG_INFINITY; len], sum: vec![0.0; len] }
    }

    /// Adds other sums.
    pub(super) fn add(&mut self, other: &Self) {
        for (j, (other_largest, other_sum)) in other.largest.iter().zip(&other.sum).enumerate() {
            let largest = self.largest[j].max(*other_largest);
            if largest > f64::NEG_INFINITY {
                self.sum[j] = self.sum[j] * (self.largest[j] - largest).exp()
                    + other_sum * (other_largest - largest).exp();
                self.largest[j] = largest;
            }
        }
    }

    /// The logarithms.
    pub(super) fn logs(&self) -> Vec<f64> {
        self.largest.iter().zip(&self.sum).map(|(largest, sum)| largest + sum.ln()).collect()
    }
}

// The passes are operations, not closures: `dispatch` would reach a closure through a shim that is
// not always inlined, and lose the wide instructions there.

struct RowSum<'a> {
    cost: &'a [f64],
    h: &'a [f64],
    inverse: f64,
}

impl NullaryFnOnce for RowSum<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn call(self) -> (f64, f64) {
        let Self { cost, h, inverse } = self;
        let (costs, cost_rest) = cost.as_chunks::<LANES>();
        let (hs, h_rest) = h.as_chunks::<LANES>();
        let mut largest = [f64::NEG_INFINITY; LANES];
        for (cost, h) in costs.iter().zip(hs) {
            for l in 0..LANES {
                let z = h[l] - cost[l] * inverse;
                largest[l] = if z > largest[l] { z } else { largest[l] };
            }
        }
        let rest = cost_rest.iter().zip(h_rest).map(|(c, h)| h - c * inverse);
        let top = largest.into_iter().chain(rest.clone()).fold(f64::NEG_INFINITY, f64::max);
        if top == f64::NEG_INFINITY {
            return (top, 0.0);
        }
        let mut sums = [0.0; LANES];
        for (cost, h) in costs.iter().zip(hs) {
            for l in 0..LANES {
                sums[l] += exp(h[l] - cost[l] * inverse - top);
            }
        }
        (top, sums.into_iter().chain(rest.map(|z| exp(z - top))).sum())
    }
}

struct MergeColumns<'a> {
    cost: &'a [f64],
    p: &'a [f64],
    inverse: f64,
    columns: &'a mut LogSums,
}

impl NullaryFnOnce for MergeColumns<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { cost, p, inverse, columns } = self;
        let width = columns.sum.len();
        let whole = width / LANES * LANES;
        let mut start = 0;
        while start < whole {
            merge::<LANES>(cost, p, inverse, columns, start);
            start += LANES;
        }
        for start in whole..width {
            merge::<1>(cost, p, inverse, columns, start);
        }
    }
}

/// [`MergeColumns`] on the `N` columns from `start`.
#[inline(always)]
fn merge<const N: usize>(cost: &[f64], p: &[f64], inverse: f64, columns: &mut LogSums, start: usize) {
    let width = columns.sum.len();
    let mut before = [0.0; N];
    before.copy_from_slice(&columns.largest[start..start + N]);
    let mut sum = [0.0; N];
    sum.copy_from_slice(&columns.sum[start..start + N]);
    let mut largest = before;
    for (cost, p) in cost.chunks_exact(width).zip(p) {
        let cost = &cost[start..start + N];
        for l in 0..N {
            let z = p - cost[l] * inverse;
            largest[l] = if z > largest[l] { z } else { largest[l] };
        }
    }
    // Where all exponents are `-inf` any finite reference leaves the sum at 0.
    let mut reference = [0.0; N];
    for l in 0..N {
        reference[l] = if largest[l] == f64::NEG_INFINITY { 0.0 } else { largest[l] };
        sum[l] *= exp(before[l] - reference[l]);
    }
    for (cost, p) in cost.chunks_exact(width).zip(p) {
        let cost = &cost[start..start + N];
        for l in 0..N {
            sum[l] += exp(p - cost[l] * inverse - reference[l]);
        }
    }
    columns.largest[start..start + N].copy_from_slice(&largest);
    columns.sum[start..start + N].copy_from_slice(&sum);
}

struct Gibbs<'a> {
    cost: &'a [f64],
    h: &'a [f64],
    shift: f64,
    inverse: f64,
    out: &'a mut [f64],
}

impl NullaryFnOnce for Gibbs<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { cost, h, shift, inverse, out } = self;
        for ((out, cost), h) in out.iter_mut().zip(cost).zip(h) {
            *out = exp(shift + h - cost * inverse);
        }
    }
}

struct Products<'a> {
    kernel: &'a [f64],
    v: &'a [f64],
}

impl NullaryFnOnce for Products<'_> {
    type Output = [f64; GROUP];

    #[inline(always)]
    fn call(self) -> Self::Output {
        let width = self.v.len();
        let mut found = [0.0; GROUP];
        if self.kernel.len() == GROUP * width {
            return dots([0, 1, 2, 3].map(|r: usize| &self.kernel[r * width..][..width]), self.v);
        }
        for (found, row) in found.iter_mut().zip(self.kernel.chunks_exact(width)) {
            *found = dots([row], self.v)[0];
        }
        found
    }
}

#[inline(always)]
fn dots<const R: usize>(rows: [&[f64]; R], v: &[f64]) -> [f64; R] {
    let (vs, v_rest) = v.as_chunks::<LANES>();
    let chunked = rows.map(|row| row.as_chunks::<LANES>().0);
    let chunked = chunked.map(|row| &row[..vs.len()]);
    let mut sums = [[0.0; LANES]; R];
    for (k, v) in vs.iter().enumerate() {
        for r in 0..R {
            for l in 0..LANES {
                sums[r][l] += chunked[r][k][l] * v[l];
            }
        }
    }
    let mut found = [0.0; R];
    for r in 0..R {
        let rest = rows[r][vs.len() * LANES..].iter().zip(v_rest).map(|(k, v)| k * v);
        found[r] = sums[r].iter().copied().chain(rest).sum();
    }
    found
}

struct AddRows<'a> {
    kernel: &'a [f64],
    factors: &'a [f64],
    out: &'a mut [f64],
}

impl NullaryFnOnce for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { kernel, factors, out } = self;
        let width = out.len();
        if let (&[a, b, c, d], true) = (factors, kernel.len() == GROUP * width) {
            let (first, second) = kernel.split_at(2 * width);
            let ((p, q), (r, s)) = (first.split_at(width), second.split_at(width));
            let rows = p.iter().zip(q).zip(r).zip(s);
            for (out, (((p, q), r), s)) in out.iter_mut().zip(rows) {
                *out += (a * p + b * q) + (c * r + d * s);
            }
        } else {
            for (row, factor) in kernel.chunks_exact(width).zip(factors) {
                for (out, k) in out.iter_mut().zip(row) {
                    *out += factor * k;
                }
            }
        }
    }
}

struct Moments<'a> {
    p: &'a [f64],
    cost: &'a [f64],
}

impl NullaryFnOnce for Moments<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn call(self) -> (f64, f64) {
        let (ps, p_rest) = self.p.as_chunks::<LANES>();
        let (costs, cost_rest) = self.cost.as_chunks::<LANES>();
        let (mut mass, mut moved) = ([0.0; LANES], [0.0; LANES]);
        for (p, cost) in ps.iter().zip(costs) {
            for l in 0..LANES {
                mass[l] += p[l];
                moved[l] += p[l] * cost[l];
            }
        }
        let rest = p_rest.iter().zip(cost_rest).map(|(p, c)| p * c);
        (mass.iter().chain(p_rest).sum(), moved.into_iter().chain(rest).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    fn noise(len: usize, step: u64) -> Vec<f64> {
        let mut values = vec![0.0; len];
        Stream::new(21, Purpose::Test, step).normals(0, &mut values);
        values
    }

    #[test]
    fn the_exponential_matches_the_standard_one() {
        for k in -70_000..70_000 {
            let x = f64::from(k) * 0.01 + 0.001_234;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-15, "{x}: {} against {}", exp(x), x.exp());
        }
        assert_eq!((exp(0.0), exp(f64::NEG_INFINITY), exp(-708.0)), (1.0, 0.0, 0.0));
        assert!(exp(f64::NAN).is_nan());
        assert!(exp(1e9).is_finite());
    }

    #[test]
    fn log_sums_of_rows_and_columns_match_plain_ones() {
        for (n, m) in [(1, 1), (3, 7), (5, 8), (9, 19), (33, 40)] {
            let (cost, h, p) = (noise(n * m, 0), noise(m, 1), noise(n, 2));
            let plain = |z: &[f64]| z.iter().map(|z| z.exp()).sum::<f64>().ln();
            for i in 0..n {
                let row = &cost[i * m..(i + 1) * m];
                let z: Vec<f64> = row.iter().zip(&h).map(|(c, h)| h - 3.0 * c).collect();
                assert!((log_sum_exp(row, &h, 3.0) - plain(&z)).abs() < 1e-13);
                let mut out = vec![0.0; m];
                gibbs(row, &h, 0.5, 3.0, &mut out);
                assert!(out.iter().zip(&z).all(|(o, z)| (o / (z + 0.5).exp() - 1.0).abs() < 1e-14));
                let (mass, moved) = moments(&out, row);
                assert!((mass - out.iter().sum::<f64>()).abs() < 1e-13 * mass);
                let expected: f64 = out.iter().zip(row).map(|(p, c)| p * c).sum();
                assert!((moved - expected).abs() < 1e-12 * mass);
            }
            let mut columns = LogSums::new(m);
            let split = n / 2;
            merge_columns(&cost[..split * m], &p[..split], 3.0, &mut columns);
            let mut others = LogSums::new(m);
            merge_columns(&cost[split * m..], &p[split..], 3.0, &mut others);
            columns.add(&others);
            for (j, found) in columns.logs().iter().enumerate() {
                let z: Vec<f64> = (0..n).map(|i| p[i] - 3.0 * cost[i * m + j]).collect();
                assert!((found - plain(&z)).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn exponents_far_out_of_range_do_no_harm() {
        assert!((log_sum_exp(&[1e6, 1e6 + 1.0], &[0.0, 0.0], 1.0) + 1e6 - 0.313_261_687_518).abs() < 1e-9);
        assert_eq!(log_sum_exp(&[1.0], &[f64::NEG_INFINITY], 1.0), f64::NEG_INFINITY);
        let mut columns = LogSums::new(1);
        merge_columns(&[0.0], &[f64::NEG_INFINITY], 1.0, &mut columns);
        merge_columns(&[-1e5, -1e5], &[0.0, 0.0], 1.0, &mut columns);
        assert!((columns.logs()[0] - (1e5 + 2f64.ln())).abs() < 1e-9);
    }

    #[test]
    fn products_match_plain_loops() {
        for (rows, m) in [(1, 5), (2, 16), (3, 17), (4, 1), (4, 8), (4, 21)] {
            let (kernel, v, factors) = (noise(rows * m, 3), noise(m, 4), noise(rows, 5));
            let found = products(&kernel, &v);
            let mut sums = vec![1.0; m];
            add_rows(&kernel, &factors, &mut sums);
            for r in 0..rows {
                let expected: f64 = (0..m).map(|j| kernel[r * m + j] * v[j]).sum();
                assert!((found[r] - expected).abs() < 1e-13);
            }
            for j in 0..m {
                let expected: f64 = (0..rows).map(|r| kernel[r * m + j] * factors[r]).sum();
                assert!((sums[j] - 1.0 - expected).abs() < 1e-13);
            }
        }
    }
}
