//! Schemes that accumulate velocities: heavy ball and Nesterov.

use rayon::prelude::*;

use super::{Move, Tangent};
use crate::flow::state::Memory;
use crate::scalar::Scalar;

pub(super) fn heavy_ball<T: Scalar>(
    momentum: f64,
    points: &mut [T],
    memory: &mut Memory<T>,
    velocity: &[T],
    tangent: &Tangent<'_>,
) -> Move {
    accumulate(momentum, points, memory, velocity, tangent, |_, _, u| u)
}

pub(super) fn nesterov<T: Scalar>(
    momentum: f64,
    points: &mut [T],
    memory: &mut Memory<T>,
    velocity: &[T],
    tangent: &Tangent<'_>,
) -> Move {
    accumulate(momentum, points, memory, velocity, tangent, |momentum, v, u| v + momentum * u)
}

/// `u <- v + m u`, then a step along what is made of both.
#[inline(always)]
fn accumulate<T: Scalar>(
    momentum: f64,
    points: &mut [T],
    memory: &mut Memory<T>,
    velocity: &[T],
    tangent: &Tangent<'_>,
    along: impl Fn(T, T, T) -> T + Sync,
) -> Move {
    if memory.vectors.is_empty() {
        memory.vectors.push(vec![T::ZERO; points.len()]);
    }
    let (momentum, chunk, dim) = (T::from_f64(momentum), tangent.chunk(), tangent.dim);
    points
        .par_chunks_mut(chunk)
        .zip(memory.vectors[0].par_chunks_mut(chunk))
        .zip(velocity.par_chunks(chunk))
        .enumerate()
        .for_each(|(at, ((points, accumulated), velocity))| {
            let rows = points.chunks_mut(dim).zip(accumulated.chunks_mut(dim)).zip(velocity.chunks(dim));
            for (((points, accumulated), velocity), &size) in rows.zip(tangent.sizes_of(at)) {
                let tau = T::from_f64(size);
                for ((x, u), v) in points.iter_mut().zip(accumulated).zip(velocity) {
                    *u = *v + momentum * *u;
                    *x = *x - tau * along(momentum, *v, *u);
                }
            }
        });
    Move::Taken
}
