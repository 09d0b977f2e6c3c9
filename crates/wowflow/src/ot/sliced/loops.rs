//! The inner loops of the pair stage: rows of panels against rows of panels, vectorised by the
//! compiler for the instructions found at run time.

use pulp::NullaryFnOnce;

use crate::scalar::Scalar;
use crate::simd::{dispatch256, fuses};

/// Rows of a panel are padded to a multiple of this: one cache line of `f32`.
pub(super) const STRIP: usize = 16;
/// Width of the fixed set of partial sums: wide enough for any vector unit, the same everywhere,
/// so that the bits do not depend on the width of the vectors chosen.
const LANES: usize = 8;
/// Terms that a lane adds in the rows' own precision before the sum goes on in doubles.
const TERMS: usize = 16;
/// Rows of a tile on either side: eight sums in eight registers.
pub(super) const OWN: usize = 2;
/// See [`OWN`].
pub(super) const OTHERS: usize = 4;

/// `sum_r (a_r - b_r)^2` of all pairs of a tile of padded rows of one length.
pub(super) fn squared_distances<T: Scalar>(own: [&[T]; OWN], others: [&[T]; OTHERS]) -> [[f64; OTHERS]; OWN] {
    if fuses() {
        dispatch256(SquaredDistances::<T, true> { own, others })
    } else {
        dispatch256(SquaredDistances::<T, false> { own, others })
    }
}

/// `sum_r |a_r - b_r|`, in doubles.
pub(super) fn absolute_distance<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    dispatch256(AbsoluteDistance { a, b })
}

/// `out_cr += sum_e factor_ce (own_cr - other_er)` for `R` rows `c` and all rows `e` of a panel, rows
/// padded to `stride`; a row of factors for each row of `own`.
pub(super) fn add_differences<T: Scalar, const R: usize>(
    out: &mut [T],
    own: &[T],
    factors: [&[T]; R],
    others: &[T],
    stride: usize,
) {
    if fuses() {
        dispatch256(AddDifferences::<T, R, true> { out, own, factors, others, stride });
    } else {
        dispatch256(AddDifferences::<T, R, false> { out, own, factors, others, stride });
    }
}

// The passes are operations, not closures: a closure is reached through a shim that need not be
// inlined, and loses the wide instructions there.

#[inline(always)]
pub(super) fn multiply_add<T: Scalar, const FUSED: bool>(a: T, b: T, c: T) -> T {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

struct SquaredDistances<'a, T, const FUSED: bool> {
    own: [&'a [T]; OWN],
    others: [&'a [T]; OTHERS],
}

impl<T: Scalar, const FUSED: bool> NullaryFnOnce for SquaredDistances<'_, T, FUSED> {
    type Output = [[f64; OTHERS]; OWN];

    #[inline(always)]
    fn call(self) -> Self::Output {
        let len = self.own[0].len() / LANES * LANES;
        let own = self.own.map(
            #[inline(always)]
            |row| &row[..len],
        );
        let others = self.others.map(
            #[inline(always)]
            |row| &row[..len],
        );
        let mut sums = [[0.0; OTHERS]; OWN];
        let mut start = 0;
        while start < len {
            let end = len.min(start + LANES * TERMS);
            let mut lanes = [[[T::ZERO; LANES]; OTHERS]; OWN];
            let mut at = start;
            while at < end {
                let a: [[T; LANES]; OWN] = std::array::from_fn(
                    #[inline(always)]
                    |i| load(own[i], at),
                );
                for j in 0..OTHERS {
                    let b: [T; LANES] = load(others[j], at);
                    for i in 0..OWN {
                        for k in 0..LANES {
                            let difference = a[i][k] - b[k];
                            lanes[i][j][k] = multiply_add::<T, FUSED>(difference, difference, lanes[i][j][k]);
                        }
                    }
                }
                at += LANES;
            }
            add_lanes(&lanes, &mut sums);
            start = end;
        }
        sums
    }
}

/// Adds the lanes of each pair to its sum, halves first.
///
/// Not inlined: the compiler would see sums of four pairs side by side, and gather vectors across
/// pairs in the loop above.
#[inline(never)]
fn add_lanes<T: Scalar>(lanes: &[[[T; LANES]; OTHERS]; OWN], sums: &mut [[f64; OTHERS]; OWN]) {
    for (lanes, sum) in lanes.as_flattened().iter().zip(sums.as_flattened_mut()) {
        let half: [T; LANES / 2] = std::array::from_fn(|k| lanes[k] + lanes[k + LANES / 2]);
        *sum += ((half[0] + half[2]) + (half[1] + half[3])).to_f64();
    }
}

#[inline(always)]
fn load<const N: usize, T: Scalar>(row: &[T], at: usize) -> [T; N] {
    let mut lanes = [T::ZERO; N];
    lanes.copy_from_slice(&row[at..at + N]);
    lanes
}

struct AbsoluteDistance<'a, T> {
    a: &'a [T],
    b: &'a [T],
}

impl<T: Scalar> NullaryFnOnce for AbsoluteDistance<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let mut lanes = [0.0; LANES];
        let (a_chunks, b_chunks) = (self.a.chunks_exact(LANES), self.b.chunks_exact(LANES));
        let (a_tail, b_tail) = (a_chunks.remainder(), b_chunks.remainder());
        for (x, y) in a_chunks.zip(b_chunks) {
            for k in 0..LANES {
                lanes[k] += (x[k] - y[k]).to_f64().abs();
            }
        }
        let tail: f64 = a_tail.iter().zip(b_tail).map(|(x, y)| (*x - *y).to_f64().abs()).sum();
        lanes.iter().sum::<f64>() + tail
    }
}

struct AddDifferences<'a, T, const R: usize, const FUSED: bool> {
    out: &'a mut [T],
    own: &'a [T],
    factors: [&'a [T]; R],
    others: &'a [T],
    stride: usize,
}

impl<T: Scalar, const R: usize, const FUSED: bool> NullaryFnOnce for AddDifferences<'_, T, R, FUSED> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { out, own, factors, others, stride } = self;
        let count = others.len() / stride;
        let factors = factors.map(
            #[inline(always)]
            |row| &row[..count],
        );
        for at in (0..stride).step_by(STRIP) {
            // A strip of all rows stays in registers while the panel passes by.
            let rows: [[T; STRIP]; R] = std::array::from_fn(
                #[inline(always)]
                |i| load(own, i * stride + at),
            );
            let mut sums: [[T; STRIP]; R] = std::array::from_fn(
                #[inline(always)]
                |i| load(out, i * stride + at),
            );
            for (e, other) in others.chunks_exact(stride).enumerate() {
                let other: [T; STRIP] = load(other, at);
                for i in 0..R {
                    for k in 0..STRIP {
                        sums[i][k] =
                            multiply_add::<T, FUSED>(factors[i][e], rows[i][k] - other[k], sums[i][k]);
                    }
                }
            }
            for i in 0..R {
                out[i * stride + at..][..STRIP].copy_from_slice(&sums[i]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    fn noise(len: usize, step: u64) -> Vec<f64> {
        let mut values = vec![0.0; len];
        Stream::new(1, Purpose::Test, step).normals(0, &mut values);
        values
    }

    #[test]
    fn tiles_match_plain_sums_fused_or_not() {
        for stride in [16, 48, 400] {
            let (own, others) = (noise(2 * stride, 1), noise(4 * stride, 2));
            let own_rows: [&[f64]; OWN] = std::array::from_fn(|i| &own[i * stride..(i + 1) * stride]);
            let other_rows: [&[f64]; OTHERS] = std::array::from_fn(|i| &others[i * stride..(i + 1) * stride]);
            let factors = [[0.5, -1.0, 2.0, 0.25], [1.5, 3.0, -0.5, 0.0]];
            let rows = [&factors[0][..], &factors[1][..]];
            let fused = SquaredDistances::<f64, true> { own: own_rows, others: other_rows }.call();
            let plain = SquaredDistances::<f64, false> { own: own_rows, others: other_rows }.call();
            let (mut a, mut b) = (vec![1.0; 2 * stride], vec![1.0; 2 * stride]);
            let (own, others) = (&own[..], &others[..]);
            AddDifferences::<_, 2, true> { out: &mut a, own, factors: rows, others, stride }.call();
            AddDifferences::<_, 2, false> { out: &mut b, own, factors: rows, others, stride }.call();
            for i in 0..OWN {
                for j in 0..OTHERS {
                    let pairs = own_rows[i].iter().zip(other_rows[j]);
                    let expected: f64 = pairs.map(|(x, y)| (x - y) * (x - y)).sum();
                    for found in [fused[i][j], plain[i][j]] {
                        assert!((found - expected).abs() < 1e-12 * expected, "{found} {expected}");
                    }
                }
                for r in 0..stride {
                    let terms = (0..OTHERS).map(|j| factors[i][j] * (own_rows[i][r] - other_rows[j][r]));
                    let expected = 1.0 + terms.sum::<f64>();
                    for found in [a[i * stride + r], b[i * stride + r]] {
                        assert!((found - expected).abs() < 1e-13 * (1.0 + expected.abs()) * 10.0);
                    }
                }
            }
        }
    }
}
