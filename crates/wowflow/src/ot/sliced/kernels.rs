//! The inner loops of the pair stage, one pass over two sorted rows each, vectorised by the compiler
//! for the instructions found at run time.

use pulp::{Arch, NullaryFnOnce};

use crate::scalar::Scalar;

/// Width of the fixed set of partial sums: wide enough for any vector unit, the same everywhere,
/// so that the bits do not depend on the instructions chosen.
const LANES: usize = 16;

/// `sum_r (a_r - b_r)^2`, in doubles.
pub(super) fn squared_distance<T: Scalar>(arch: Arch, a: &[T], b: &[T]) -> f64 {
    arch.dispatch(SquaredDistance { a, b })
}

/// `sum_r |a_r - b_r|`, in doubles.
pub(super) fn absolute_distance<T: Scalar>(arch: Arch, a: &[T], b: &[T]) -> f64 {
    arch.dispatch(AbsoluteDistance { a, b })
}

/// `out_r += factor (a_r - b_r)`.
pub(super) fn add_scaled_difference<T: Scalar>(arch: Arch, out: &mut [T], factor: T, a: &[T], b: &[T]) {
    arch.dispatch(AddScaledDifference { out, factor, a, b });
}

// The passes are operations, not closures: a closure is reached through a shim that need not be
// inlined, and loses the wide instructions there.

struct SquaredDistance<'a, T> {
    a: &'a [T],
    b: &'a [T],
}

impl<T: Scalar> NullaryFnOnce for SquaredDistance<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        lane_sum(
            self.a,
            self.b,
            #[inline(always)]
            |d| d * d,
        )
    }
}

struct AbsoluteDistance<'a, T> {
    a: &'a [T],
    b: &'a [T],
}

impl<T: Scalar> NullaryFnOnce for AbsoluteDistance<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        lane_sum(self.a, self.b, f64::abs)
    }
}

#[inline(always)]
fn lane_sum<T: Scalar>(a: &[T], b: &[T], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (a_tail, b_tail) = (a_chunks.remainder(), b_chunks.remainder());
    for (x, y) in a_chunks.zip(b_chunks) {
        for k in 0..LANES {
            lanes[k] += term((x[k] - y[k]).to_f64());
        }
    }
    let mut tail = 0.0;
    for (x, y) in a_tail.iter().zip(b_tail) {
        tail += term((*x - *y).to_f64());
    }
    lanes.iter().sum::<f64>() + tail
}

struct AddScaledDifference<'a, T> {
    out: &'a mut [T],
    factor: T,
    a: &'a [T],
    b: &'a [T],
}

impl<T: Scalar> NullaryFnOnce for AddScaledDifference<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for ((out, x), y) in self.out.iter_mut().zip(self.a).zip(self.b) {
            *out += self.factor * (*x - *y);
        }
    }
}
