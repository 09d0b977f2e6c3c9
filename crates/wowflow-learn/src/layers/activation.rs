//! Functions of single numbers.

use wowflow::scalar::Scalar;

use crate::simd::dispatch256;

pub(super) fn rectifier<T: Scalar>(input: &[T], output: &mut [T]) {
    dispatch256(|| {
        for (y, &x) in output.iter_mut().zip(input) {
            *y = if x > T::ZERO { x } else { T::ZERO };
        }
    });
}

pub(super) fn rectifier_back<T: Scalar>(output: &[T], of_output: &[T], of_input: &mut [T]) {
    dispatch256(|| {
        for ((dx, &y), &dy) in of_input.iter_mut().zip(output).zip(of_output) {
            *dx = if y > T::ZERO { dy } else { T::ZERO };
        }
    });
}

pub(super) fn sigmoid<T: Scalar>(input: &[T], output: &mut [T]) {
    for (y, x) in output.iter_mut().zip(input) {
        *y = T::from_f64(1.0 / (1.0 + (-x.to_f64()).exp()));
    }
}

pub(super) fn sigmoid_back<T: Scalar>(output: &[T], of_output: &[T], of_input: &mut [T]) {
    let one = T::from_f64(1.0);
    dispatch256(|| {
        for ((dx, &y), &dy) in of_input.iter_mut().zip(output).zip(of_output) {
            *dx = dy * y * (one - y);
        }
    });
}
