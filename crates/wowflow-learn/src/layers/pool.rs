//! Pooling: means side by side, maxima at every place.

use rayon::prelude::*;
use wowflow::scalar::Scalar;

use super::{PART, Shape};

/// The shape after [`average`].
pub(crate) fn averaged(input: Shape) -> Shape {
    Shape { height: input.height / 2, width: input.width / 2, ..input }
}

/// The shape after [`max`].
pub(crate) fn maximal(input: Shape) -> Shape {
    Shape { height: input.height - 1, width: input.width - 1, ..input }
}

/// Runs an operation on pairs of planes, in parallel.
fn planes<T: Scalar>(
    (inside, each_inside): (&[T], usize),
    (outside, each_outside): (&mut [T], usize),
    channels: usize,
    operation: impl Fn(&[T], &mut [T]) + Sync,
) {
    let part = PART * channels;
    let inside = inside.par_chunks(part * each_inside);
    outside.par_chunks_mut(part * each_outside).zip(inside).for_each(|(outside, inside)| {
        for (outside, inside) in outside.chunks_exact_mut(each_outside).zip(inside.chunks_exact(each_inside))
        {
            operation(inside, outside);
        }
    });
}

pub(super) fn average<T: Scalar>(shape: Shape, input: &[T], output: &mut [T]) {
    let (to, width) = (averaged(shape), shape.width);
    let quarter = T::from_f64(0.25);
    planes((input, shape.plane()), (output, to.plane()), shape.channels, |x, y| {
        for (rows, y) in x.chunks_exact(2 * width).zip(y.chunks_exact_mut(to.width)) {
            let (above, below) = rows.split_at(width);
            for ((y, above), below) in y.iter_mut().zip(above.chunks_exact(2)).zip(below.chunks_exact(2)) {
                *y = (above[0] + above[1] + (below[0] + below[1])) * quarter;
            }
        }
    });
}

pub(super) fn average_back<T: Scalar>(shape: Shape, of_output: &[T], of_input: &mut [T]) {
    let (to, width) = (averaged(shape), shape.width);
    let quarter = T::from_f64(0.25);
    planes((of_output, to.plane()), (of_input, shape.plane()), shape.channels, |dy, dx| {
        if shape.height % 2 == 1 || width % 2 == 1 {
            dx.fill(T::ZERO);
        }
        for (rows, dy) in dx.chunks_exact_mut(2 * width).zip(dy.chunks_exact(to.width)) {
            let (above, below) = rows.split_at_mut(width);
            let pixels = above.chunks_exact_mut(2).zip(below.chunks_exact_mut(2));
            for ((above, below), &dy) in pixels.zip(dy) {
                let each = dy * quarter;
                above.fill(each);
                below.fill(each);
            }
        }
    });
}

/// Where in a plane the largest of the 2 x 2 pixels from (`row`, `col`) on is; the first of equal ones.
#[inline]
fn largest<T: Scalar>(x: &[T], width: usize, row: usize, col: usize) -> usize {
    let corner = row * width + col;
    [corner + 1, corner + width, corner + width + 1]
        .into_iter()
        .fold(corner, |best, at| if x[at] > x[best] { at } else { best })
}

pub(super) fn max<T: Scalar>(shape: Shape, input: &[T], output: &mut [T]) {
    let (to, width) = (maximal(shape), shape.width);
    planes((input, shape.plane()), (output, to.plane()), shape.channels, |x, y| {
        let greater = |a: T, b: T| if b > a { b } else { a };
        for (rows, y) in x.windows(2 * width).step_by(width).zip(y.chunks_exact_mut(to.width)) {
            let (above, below) = rows.split_at(width);
            for ((y, above), below) in y.iter_mut().zip(above.windows(2)).zip(below.windows(2)) {
                *y = greater(greater(above[0], above[1]), greater(below[0], below[1]));
            }
        }
    });
}

pub(super) fn max_back<T: Scalar>(shape: Shape, input: &[T], of_output: &[T], of_input: &mut [T]) {
    let (to, width, plane) = (maximal(shape), shape.width, shape.plane());
    let part = PART * shape.channels;
    let sources = of_output.par_chunks(part * to.plane()).zip(input.par_chunks(part * plane));
    of_input.par_chunks_mut(part * plane).zip(sources).for_each(|(dx, (dy, x))| {
        dx.fill(T::ZERO);
        let each = dx.chunks_exact_mut(plane).zip(dy.chunks_exact(to.plane()).zip(x.chunks_exact(plane)));
        for (dx, (dy, x)) in each {
            for (row, dy) in dy.chunks_exact(to.width).enumerate() {
                for (col, &dy) in dy.iter().enumerate() {
                    dx[largest(x, width, row, col)] += dy;
                }
            }
        }
    });
}
