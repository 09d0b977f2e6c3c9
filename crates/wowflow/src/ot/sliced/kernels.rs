//! The inner loops of the pair stage: sorted rows against sorted rows, a tile of pairs at a time,
//! vectorised by the compiler for the instructions found at run time.

use pulp::{Arch, NullaryFnOnce};

use crate::scalar::Scalar;

/// Width of the fixed set of partial sums: wide enough for any vector unit, the same everywhere,
/// so that the bits do not depend on the instructions chosen.
const LANES: usize = 8;
/// Terms that a lane adds in the rows' own precision before the sum goes on in doubles.
const TERMS: usize = 16;
/// Rows of a tile on either side: eight sums in eight registers.
pub(super) const OWN: usize = 2;
/// See [`OWN`].
pub(super) const OTHERS: usize = 4;
/// Positions of a row that [`add_differences`] works on at a time: one cache line of `f32`.
const STRIP: usize = 16;

/// `sum_r (a_r - b_r)^2` of all pairs of a tile of rows of one length.
pub(super) fn squared_distances<T: Scalar>(
    arch: Arch,
    own: [&[T]; OWN],
    others: [&[T]; OTHERS],
) -> [[f64; OTHERS]; OWN] {
    arch.dispatch(SquaredDistances { own, others })
}

/// `sum_r |a_r - b_r|`, in doubles.
pub(super) fn absolute_distance<T: Scalar>(arch: Arch, a: &[T], b: &[T]) -> f64 {
    arch.dispatch(AbsoluteDistance { a, b })
}

/// `out_r += sum_e factor_e (row_r - other(e)_r)` for all `e` of a range.
pub(super) fn add_differences<'a, T: Scalar>(
    arch: Arch,
    out: &mut [T],
    row: &[T],
    factors: &[T],
    others: impl Fn(usize) -> &'a [T],
) {
    arch.dispatch(AddDifferences { out, row, factors, others });
}

// The passes are operations, not closures: a closure is reached through a shim that need not be
// inlined, and loses the wide instructions there.

struct SquaredDistances<'a, T> {
    own: [&'a [T]; OWN],
    others: [&'a [T]; OTHERS],
}

impl<T: Scalar> NullaryFnOnce for SquaredDistances<'_, T> {
    type Output = [[f64; OTHERS]; OWN];

    #[inline(always)]
    fn call(self) -> Self::Output {
        let len = self.own[0].len();
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
        let whole = len / LANES * LANES;
        while start < whole {
            let end = whole.min(start + LANES * TERMS);
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
                            lanes[i][j][k] += difference * difference;
                        }
                    }
                }
                at += LANES;
            }
            for i in 0..OWN {
                for j in 0..OTHERS {
                    sums[i][j] += lanes[i][j].iter().map(|lane| lane.to_f64()).sum::<f64>();
                }
            }
            start = end;
        }
        for at in whole..len {
            for i in 0..OWN {
                for j in 0..OTHERS {
                    let difference = (own[i][at] - others[j][at]).to_f64();
                    sums[i][j] += difference * difference;
                }
            }
        }
        sums
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

struct AddDifferences<'a, T, F> {
    out: &'a mut [T],
    row: &'a [T],
    factors: &'a [T],
    others: F,
}

impl<'r, T: Scalar, F: Fn(usize) -> &'r [T]> NullaryFnOnce for AddDifferences<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { out, row, factors, others } = self;
        let len = out.len();
        let row = &row[..len];
        // Four other rows a pass: the strip of forces is loaded and stored once for all of them.
        let fours = factors.len() / 4 * 4;
        for e in (0..fours).step_by(4) {
            let rows: [&[T]; 4] = std::array::from_fn(
                #[inline(always)]
                |k| &others(e + k)[..len],
            );
            let factor: [T; 4] = load(factors, e);
            let strips = len / STRIP * STRIP;
            for at in (0..strips).step_by(STRIP) {
                let own: [T; STRIP] = load(row, at);
                let mut sum: [T; STRIP] = load(out, at);
                for i in 0..4 {
                    let other: [T; STRIP] = load(rows[i], at);
                    for k in 0..STRIP {
                        sum[k] += factor[i] * (own[k] - other[k]);
                    }
                }
                out[at..at + STRIP].copy_from_slice(&sum);
            }
            for at in strips..len {
                for i in 0..4 {
                    out[at] += factor[i] * (row[at] - rows[i][at]);
                }
            }
        }
        for (e, factor) in factors.iter().enumerate().skip(fours) {
            for ((out, x), y) in out.iter_mut().zip(row).zip(others(e)) {
                *out += *factor * (*x - *y);
            }
        }
    }
}
