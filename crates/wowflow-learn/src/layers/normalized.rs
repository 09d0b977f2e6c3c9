//! Instance norm, rectifier and average pool in one: read once, written once, nothing kept.
//!
//! `y = pool(max(g (x - mean) / sqrt(variance + eps) + b, 0))`, mean and variance those of a channel of
//! one image (Ulyanov, Vedaldi, Lempitsky 2016; a group norm with as many groups as channels).

use rayon::prelude::*;
use wowflow::scalar::Scalar;

use super::pool::averaged;
use super::{PART, Shape, add_parts};
use crate::simd::dispatch256;

const EPSILON: f64 = 1e-5;

/// Sums side by side, so that they vectorise.
const LANES: usize = 16;

/// Sums of `g` and of `g (x - mean)`.
#[inline(always)]
fn sums<T: Scalar>(g: &[T], x: &[T], mean: T) -> (f64, f64) {
    let (mut totals, mut alongs) = ([T::ZERO; LANES], [T::ZERO; LANES]);
    let (chunks, rest) = g.as_chunks::<LANES>();
    let (x_chunks, x_rest) = x.as_chunks::<LANES>();
    for (g, x) in chunks.iter().zip(x_chunks) {
        for lane in 0..LANES {
            totals[lane] += g[lane];
            alongs[lane] += g[lane] * (x[lane] - mean);
        }
    }
    let sum = |lanes: [T; LANES]| lanes.iter().map(|lane| lane.to_f64()).sum::<f64>();
    let rest = rest.iter().zip(x_rest);
    let (total, along) = rest
        .fold((0.0, 0.0), |(total, along), (g, x)| (total + g.to_f64(), along + (*g * (*x - mean)).to_f64()));
    (total + sum(totals), along + sum(alongs))
}

/// Mean and inverse deviation of a plane.
#[inline(always)]
fn moments<T: Scalar>(x: &[T]) -> (T, f64) {
    let len = x.len() as f64;
    let mut lanes = [T::ZERO; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += *x;
        }
    }
    let total: f64 = lanes.iter().chain(rest).map(|x| x.to_f64()).sum();
    let mean = T::from_f64(total / len);
    let mut lanes = [T::ZERO; LANES];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            let from_mean = *x - mean;
            *lane += from_mean * from_mean;
        }
    }
    let rest: f64 = rest.iter().map(|x| (*x - mean).to_f64().powi(2)).sum();
    let variance = (lanes.iter().map(|x| x.to_f64()).sum::<f64>() + rest) / len;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

pub(super) fn forward<T: Scalar>(shape: Shape, gains: &[T], biases: &[T], input: &[T], output: &mut [T]) {
    let to = averaged(shape);
    let quarter = T::from_f64(0.25);
    let inputs = input.par_chunks(PART * shape.len());
    output.par_chunks_mut(PART * to.len()).zip(inputs).for_each(|(outputs, inputs)| {
        dispatch256(
            #[inline(always)]
            || {
                let planes =
                    outputs.chunks_exact_mut(to.plane()).zip(inputs.chunks_exact(shape.plane())).enumerate();
                for (at, (y, x)) in planes {
                    let channel = at % shape.channels;
                    let (mean, inverse) = moments(x);
                    let scale = gains[channel] * T::from_f64(inverse);
                    let shift = biases[channel] - mean * scale;
                    let active = |x: T| {
                        let z = x * scale + shift;
                        if z > T::ZERO { z } else { T::ZERO }
                    };
                    let rows = x.chunks_exact(2 * shape.width).zip(y.chunks_exact_mut(to.width));
                    for (rows, y) in rows {
                        let (above, below) = rows.split_at(shape.width);
                        let pairs = above.chunks_exact(2).zip(below.chunks_exact(2));
                        for (y, (above, below)) in y.iter_mut().zip(pairs) {
                            let sum = active(above[0]) + active(above[1]);
                            *y = (sum + (active(below[0]) + active(below[1]))) * quarter;
                        }
                    }
                }
            },
        );
    });
}

pub(super) fn backward<T: Scalar>(
    shape: Shape,
    (gains, biases): (&[T], &[T]),
    input: &[T],
    of_output: &[T],
    of_input: Option<&mut [T]>,
    gradient: Option<(&mut [T], &mut [T])>,
) {
    let to = averaged(shape);
    let size = shape.plane();
    // A buffer stands in where nobody asks for the gradient of the input.
    let mut unasked = Vec::new();
    let of_input = of_input.unwrap_or_else(|| {
        unasked.resize(input.len(), T::ZERO);
        &mut unasked
    });
    let sources = of_output.par_chunks(PART * to.len()).zip(input.par_chunks(PART * shape.len()));
    let part = |(of_inputs, (of_outputs, inputs)): (&mut [T], (&[T], &[T]))| {
        let (mut of_gains, mut of_biases) = (vec![T::ZERO; gains.len()], vec![T::ZERO; gains.len()]);
        dispatch256(
            #[inline(always)]
            || {
                let planes = of_inputs
                    .chunks_exact_mut(size)
                    .zip(of_outputs.chunks_exact(to.plane()).zip(inputs.chunks_exact(size)))
                    .enumerate();
                for (at, (dx, (dy, x))) in planes {
                    let channel = at % shape.channels;
                    let (mean, inverse) = moments(x);
                    let scale = gains[channel] * T::from_f64(inverse);
                    let shift = biases[channel] - mean * scale;
                    spread(shape, to, (scale, shift), x, dy, dx);
                    let (total, along) = sums(dx, x, mean);
                    let along = along * inverse;
                    of_gains[channel] += T::from_f64(along);
                    of_biases[channel] += T::from_f64(total);
                    let constant = T::from_f64(total / size as f64);
                    let slope = T::from_f64(along / size as f64 * inverse);
                    for (dx, &x) in dx.iter_mut().zip(x) {
                        *dx = (*dx - constant - (x - mean) * slope) * scale;
                    }
                }
            },
        );
        (of_gains, of_biases)
    };
    let parts = of_input.par_chunks_mut(PART * shape.len()).zip(sources).map(part);
    let (of_gains, of_biases): (Vec<_>, Vec<_>) = parts.unzip();
    if let Some((gains, biases)) = gradient {
        add_parts(gains, &of_gains);
        add_parts(biases, &of_biases);
    }
}

/// The gradient after the norm, before the rectifier: a quarter of that of the mean where `x` was active.
#[inline(always)]
fn spread<T: Scalar>(shape: Shape, to: Shape, (scale, shift): (T, T), x: &[T], dy: &[T], dx: &mut [T]) {
    let (width, quarter) = (shape.width, T::from_f64(0.25));
    if shape.height % 2 == 1 || width % 2 == 1 {
        dx.fill(T::ZERO);
    }
    let rows = dx.chunks_exact_mut(2 * width).zip(x.chunks_exact(2 * width)).zip(dy.chunks_exact(to.width));
    for ((dx, x), dy) in rows {
        for (dx, x) in dx.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
            for ((dx, x), &dy) in dx.chunks_exact_mut(2).zip(x.chunks_exact(2)).zip(dy) {
                let each = dy * quarter;
                for (dx, &x) in dx.iter_mut().zip(x) {
                    *dx = if x * scale + shift > T::ZERO { each } else { T::ZERO };
                }
            }
        }
    }
}
