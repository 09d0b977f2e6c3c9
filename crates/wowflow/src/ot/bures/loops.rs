//! The inner loops of decompositions: products of a vector with some rows, and sums of rows.

use pulp::NullaryFnOnce;

use crate::simd::{dispatch256, fuses};

/// Rows that pass through a loop together: one load of the vector serves them all.
pub(super) const ROWS: usize = 4;
/// The fixed set of partial sums.
const LANES: usize = 8;

/// The products of a vector with rows of at least its length.
pub(super) fn dots(rows: [&[f64]; ROWS], vector: &[f64]) -> [f64; ROWS] {
    if fuses() {
        dispatch256(Dots::<true> { rows, vector })
    } else {
        dispatch256(Dots::<false> { rows, vector })
    }
}

/// `out += sum_i factors_i rows_i`, rows of at least its length.
pub(super) fn add_rows(out: &mut [f64], factors: [f64; ROWS], rows: [&[f64]; ROWS]) {
    if fuses() {
        dispatch256(AddRows::<true> { out, factors, rows });
    } else {
        dispatch256(AddRows::<false> { out, factors, rows });
    }
}

/// The product of two vectors of one length.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    dots([&a[..b.len()]; ROWS], b)[0]
}

#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn load(row: &[f64], at: usize) -> [f64; LANES] {
    std::array::from_fn(
        #[inline(always)]
        |k| row[at + k],
    )
}

struct Dots<'a, const FUSED: bool> {
    rows: [&'a [f64]; ROWS],
    vector: &'a [f64],
}

impl<const FUSED: bool> NullaryFnOnce for Dots<'_, FUSED> {
    type Output = [f64; ROWS];

    #[inline(always)]
    fn call(self) -> [f64; ROWS] {
        let len = self.vector.len();
        let rows = self.rows.map(
            #[inline(always)]
            |row| &row[..len],
        );
        let whole = len / LANES * LANES;
        let mut lanes = [[0.0; LANES]; ROWS];
        let mut at = 0;
        while at < whole {
            let x = load(self.vector, at);
            for i in 0..ROWS {
                let a = load(rows[i], at);
                for k in 0..LANES {
                    lanes[i][k] = multiply_add::<FUSED>(a[k], x[k], lanes[i][k]);
                }
            }
            at += LANES;
        }
        let mut sums = folded(&lanes);
        for (sum, row) in sums.iter_mut().zip(rows) {
            *sum += row[whole..].iter().zip(&self.vector[whole..]).map(|(a, x)| a * x).sum::<f64>();
        }
        sums
    }
}

/// The sums of lanes, halves first. Not inlined: the compiler would gather vectors across rows in the loop before.
#[inline(never)]
fn folded(lanes: &[[f64; LANES]; ROWS]) -> [f64; ROWS] {
    lanes.map(|l| ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7])))
}

struct AddRows<'a, const FUSED: bool> {
    out: &'a mut [f64],
    factors: [f64; ROWS],
    rows: [&'a [f64]; ROWS],
}

impl<const FUSED: bool> NullaryFnOnce for AddRows<'_, FUSED> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { out, factors, rows } = self;
        let len = out.len();
        let rows = rows.map(
            #[inline(always)]
            |row| &row[..len],
        );
        for k in 0..len {
            let mut sum = out[k];
            for i in 0..ROWS {
                sum = multiply_add::<FUSED>(factors[i], rows[i][k], sum);
            }
            out[k] = sum;
        }
    }
}

/// `products_i = rows_i . vector` over a list of rows of one stride.
pub(super) fn dots_all(rows: &[f64], stride: usize, from: usize, vector: &[f64], products: &mut [f64]) {
    for (group, products) in products.chunks_mut(ROWS).enumerate() {
        let row = |i: usize| {
            let start = (group * ROWS + i.min(products.len() - 1)) * stride + from;
            &rows[start..start + vector.len()]
        };
        let found = dots(std::array::from_fn(row), vector);
        products.copy_from_slice(&found[..products.len()]);
    }
}

/// `out += sum_i factors_i rows_i` over a list of rows of one stride.
pub(super) fn add_all(out: &mut [f64], factors: &[f64], rows: &[f64], stride: usize, from: usize) {
    for (group, factors) in factors.chunks(ROWS).enumerate() {
        let len = out.len();
        let row = |i: usize| {
            let start = (group * ROWS + i.min(factors.len() - 1)) * stride + from;
            &rows[start..start + len]
        };
        let factor = |i: usize| factors.get(i).copied().unwrap_or(0.0);
        add_rows(out, std::array::from_fn(factor), std::array::from_fn(row));
    }
}
