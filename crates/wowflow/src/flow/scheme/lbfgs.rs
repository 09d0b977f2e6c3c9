//! L-BFGS with backtracking, one evaluation a step.
//!
//! A step is a trial: where the value has not fallen enough (Armijo), the next state is a shorter trial
//! from the same base; else the base moves here. Inner products are those of the tangent space. The
//! inverse Hessian starts from the step sizes, scaled to the last change of the velocity (Nocedal and
//! Wright, "Numerical Optimization", section 7.2).

use rayon::prelude::*;

use super::{Move, Tangent};
use crate::flow::state::Memory;
use crate::scalar::Scalar;

/// Share of the decrease that the slope promises which a step must bring.
const SUFFICIENT: f64 = 1e-4;
/// Trials shorter than this share of the first are given up.
const SHORTEST: f64 = 1e-9;
/// Changes of position and velocity at angles flatter than this tell rounding, not curvature.
const FLAT: f64 = 1e-10;

/// Places of the fixed vectors in the memory; pairs of changes follow, the oldest first.
const BASE: usize = 0;
const BASE_VELOCITY: usize = 1;
const DIRECTION: usize = 2;
const PAIRS: usize = 3;

pub(super) fn step<T: Scalar>(
    most: usize,
    points: &mut [T],
    memory: &mut Memory<T>,
    value: f64,
    velocity: &[T],
    tangent: &Tangent<'_>,
) -> Move {
    if climbed(memory, value) {
        return shorten(points, memory, value);
    }
    if tangent.inner(velocity, velocity) == 0.0 {
        return Move::Stuck;
    }
    if memory.vectors.is_empty() {
        memory.vectors = vec![points.to_vec(), velocity.to_vec(), vec![T::ZERO; points.len()]];
    } else {
        remember(most, points, memory, velocity, tangent);
    }
    direct(memory, velocity, tangent);
    let mut slope = tangent.inner(velocity, &memory.vectors[DIRECTION]);
    if slope >= 0.0 {
        // What is remembered fits no descent: start over from the step sizes.
        memory.vectors.truncate(PAIRS);
        direct(memory, velocity, tangent);
        slope = tangent.inner(velocity, &memory.vectors[DIRECTION]);
    }
    memory.numbers = vec![value, 1.0, slope];
    if slope == 0.0 {
        return Move::Stuck;
    }
    go(points, memory);
    Move::Taken
}

/// Whether the particles are at a trial whose value has not fallen enough, or is no number.
pub(super) fn climbed<T>(memory: &Memory<T>, value: f64) -> bool {
    match memory.numbers[..] {
        [base_value, length, slope] => {
            let enough = base_value + SUFFICIENT * length * slope;
            value.is_nan() || value > enough
        }
        _ => false,
    }
}

/// Takes a trial back to its base, and forgets the way.
pub(super) fn retreat<T: Scalar>(points: &mut [T], memory: &mut Memory<T>) {
    points.copy_from_slice(&memory.vectors[BASE]);
    (memory.vectors, memory.numbers) = (Vec::new(), Vec::new());
}

/// `x = base + length * direction`.
fn go<T: Scalar>(points: &mut [T], memory: &Memory<T>) {
    let length = T::from_f64(memory.numbers[1]);
    let from = memory.vectors[BASE].par_iter().zip(memory.vectors[DIRECTION].par_iter());
    points.par_iter_mut().zip(from).for_each(|(x, (base, p))| *x = *base + length * *p);
}

/// A shorter trial, at the lowest point of the parabola through what is known, within limits.
fn shorten<T: Scalar>(points: &mut [T], memory: &mut Memory<T>, value: f64) -> Move {
    let [base_value, length, slope] = memory.numbers[..] else { return Move::Stuck };
    let lowest = -0.5 * slope * length * length / (value - base_value - slope * length);
    let next = if lowest.is_finite() { lowest.clamp(0.1 * length, 0.5 * length) } else { 0.1 * length };
    if next < SHORTEST {
        retreat(points, memory);
        return Move::Stuck;
    }
    memory.numbers[1] = next;
    go(points, memory);
    Move::Taken
}

/// Moves the base to where the particles are, and keeps the changes on the way.
fn remember<T: Scalar>(
    most: usize,
    points: &[T],
    memory: &mut Memory<T>,
    velocity: &[T],
    tangent: &Tangent<'_>,
) {
    let vectors = &mut memory.vectors;
    // The base and its velocity become the changes; the oldest pair, if there are enough, the new base.
    let (mut moved, mut turned) = if vectors.len() >= PAIRS + 2 * most {
        let oldest = vectors.remove(PAIRS);
        (oldest, vectors.remove(PAIRS))
    } else {
        (vec![T::ZERO; points.len()], vec![T::ZERO; points.len()])
    };
    let change = |out: &mut [T], now: &[T], before: &[T]| {
        let both = now.par_iter().zip(before.par_iter());
        out.par_iter_mut().zip(both).for_each(|(out, (now, before))| *out = *now - *before);
    };
    change(&mut moved, points, &vectors[BASE]);
    change(&mut turned, velocity, &vectors[BASE_VELOCITY]);
    vectors[BASE].copy_from_slice(points);
    vectors[BASE_VELOCITY].copy_from_slice(velocity);
    let curvature = tangent.inner(&moved, &turned);
    let lengths = (tangent.inner(&moved, &moved) * tangent.inner(&turned, &turned)).sqrt();
    if curvature > FLAT * lengths {
        vectors.push(moved);
        vectors.push(turned);
    }
}

/// The direction `-H v` by the two-loop recursion.
fn direct<T: Scalar>(memory: &mut Memory<T>, velocity: &[T], tangent: &Tangent<'_>) {
    let (fixed, pairs) = memory.vectors.split_at_mut(PAIRS);
    let direction = &mut fixed[DIRECTION];
    direction.par_iter_mut().zip(velocity).for_each(|(p, v)| *p = T::ZERO - *v);
    let pairs: Vec<(&[T], &[T], f64)> = pairs
        .chunks_exact(2)
        .map(|pair| (pair[0].as_slice(), pair[1].as_slice(), 1.0 / tangent.inner(&pair[0], &pair[1])))
        .collect();
    let mut shares = Vec::with_capacity(pairs.len());
    for &(moved, turned, inverse) in pairs.iter().rev() {
        let share = inverse * tangent.inner(moved, direction);
        add(direction, -share, turned);
        shares.push(share);
    }
    let scale = match pairs.last() {
        Some((_, turned, inverse)) => 1.0 / (inverse * tangent.inner_scaled(turned, turned)),
        None => 1.0,
    };
    let (chunk, dim) = (tangent.chunk(), tangent.dim);
    direction.par_chunks_mut(chunk).enumerate().for_each(|(at, rows)| {
        for (row, size) in rows.chunks_mut(dim).zip(tangent.sizes_of(at)) {
            let factor = T::from_f64(scale * size);
            row.iter_mut().for_each(|p| *p = *p * factor);
        }
    });
    for (&(moved, turned, inverse), share) in pairs.iter().zip(shares.iter().rev()) {
        let correction = share - inverse * tangent.inner(turned, direction);
        add(direction, correction, moved);
    }
}

fn add<T: Scalar>(out: &mut [T], factor: f64, vector: &[T]) {
    let factor = T::from_f64(factor);
    out.par_iter_mut().zip(vector).for_each(|(out, v)| *out += factor * *v);
}
