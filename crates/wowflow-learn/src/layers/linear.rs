//! `W x + b` for a whole batch, as matrix products.

use wowflow::linalg::{Mat, Output, Threads, matmul};
use wowflow::scalar::Scalar;

pub(super) fn forward<T: Scalar>(weights: &[T], biases: &[T], batch: usize, input: &[T], output: &mut [T]) {
    let (rows, cols) = (biases.len(), input.len() / batch);
    output.chunks_exact_mut(rows).for_each(|row| row.copy_from_slice(biases));
    let (input, weights) = (Mat::row_major(input, batch, cols), Mat::row_major(weights, rows, cols));
    matmul(output, Output::Add, 1.0, input, weights.transposed(), Threads::Pool);
}

pub(super) fn backward<T: Scalar>(
    weights: &[T],
    batch: usize,
    input: &[T],
    of_output: &[T],
    of_input: Option<&mut [T]>,
    gradient: Option<(&mut [T], &mut [T])>,
) {
    let (rows, cols) = (of_output.len() / batch, input.len() / batch);
    let of_output_matrix = Mat::row_major(of_output, batch, rows);
    if let Some((of_weights, of_biases)) = gradient {
        let input = Mat::row_major(input, batch, cols);
        matmul(of_weights, Output::Add, 1.0, of_output_matrix.transposed(), input, Threads::Pool);
        for row in of_output.chunks_exact(rows) {
            of_biases.iter_mut().zip(row).for_each(|(sum, dy)| *sum += *dy);
        }
    }
    if let Some(of_input) = of_input {
        let weights = Mat::row_major(weights, rows, cols);
        matmul(of_input, Output::Overwrite, 1.0, of_output_matrix, weights, Threads::Pool);
    }
}
