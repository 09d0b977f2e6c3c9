//! Adam: steps of a given length a coordinate.

use rayon::prelude::*;

use super::{Move, Tangent};
use crate::flow::state::Memory;
use crate::scalar::Scalar;

/// Keeps a coordinate without force where it is; far below any force that matters.
const EPSILON: f64 = 1e-12;

pub(super) fn step<T: Scalar>(
    (first, second): (f64, f64),
    step: u64,
    points: &mut [T],
    memory: &mut Memory<T>,
    velocity: &[T],
    tangent: &Tangent<'_>,
) -> Move {
    memory.vectors.resize_with(2, || vec![T::ZERO; points.len()]);
    // Both moments start at 0; dividing by what is missing from their weights takes that bias away.
    let taken = (step + 1) as f64;
    let (unbias_first, unbias_second) = (1.0 / (1.0 - first.powf(taken)), 1.0 / (1.0 - second.powf(taken)));
    let [means, squares] = memory.vectors.as_mut_slice() else { return Move::Taken };
    let (chunk, dim) = (tangent.chunk(), tangent.dim);
    points
        .par_chunks_mut(chunk)
        .zip(means.par_chunks_mut(chunk))
        .zip(squares.par_chunks_mut(chunk))
        .zip(velocity.par_chunks(chunk))
        .enumerate()
        .for_each(|(at, (((points, means), squares), velocity))| {
            let rows = points.chunks_mut(dim).zip(means.chunks_mut(dim)).zip(squares.chunks_mut(dim));
            for ((((points, means), squares), velocity), &size) in
                rows.zip(velocity.chunks(dim)).zip(tangent.sizes_of(at))
            {
                for (((x, mean), square), v) in points.iter_mut().zip(means).zip(squares).zip(velocity) {
                    let v = v.to_f64();
                    *mean = T::from_f64(first * mean.to_f64() + (1.0 - first) * v);
                    *square = T::from_f64(second * square.to_f64() + (1.0 - second) * v * v);
                    let length = (square.to_f64() * unbias_second).sqrt() + EPSILON;
                    *x = T::from_f64(x.to_f64() - size * mean.to_f64() * unbias_first / length);
                }
            }
        });
    Move::Taken
}
