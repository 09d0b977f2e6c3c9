//! The one door to dense decompositions: eigenvalues of symmetric matrices, singular values, polar factors.

use nalgebra::{DMatrix, SVD, SymmetricEigen};

use super::BuresError;
use super::householder::{ALIGNED, bidiagonal};
use super::singular::sum_of_singular_values;
use crate::aligned::Aligned;
use crate::linalg::{Mat, Output, Threads, matmul};

/// Sweeps allowed per row or column; a handful are needed.
const SWEEPS: usize = 100;

/// Products with a side of at most so many are left to `nalgebra`: without its `std` feature, which takes 10 s of the
/// build, it has plain loops for all.
const SMALL: usize = 5;

/// Terms that a product sums up at a time; sums of sums lose fewer digits than one long sum.
const TERMS: usize = 256;

/// Eigenvalues, unordered, and eigenvectors of a symmetric `n x n` matrix: vector `k` is row `k`.
pub(super) fn symmetric_eigen(matrix: &[f64], n: usize) -> Result<(Vec<f64>, Vec<f64>), BuresError> {
    let matrix = DMatrix::from_column_slice(n, n, matrix);
    let found = SymmetricEigen::try_new(matrix, f64::EPSILON, SWEEPS * n.max(1))
        .ok_or(BuresError::NoConvergence { rows: n, cols: n })?;
    // Columns stored one after the other are rows of ours.
    Ok((found.eigenvalues.as_slice().to_vec(), found.eigenvectors.as_slice().to_vec()))
}

/// The sum of the singular values of a row-major `rows x cols` matrix, by its bidiagonal form.
pub(crate) fn nuclear_norm(matrix: &[f64], rows: usize, cols: usize) -> f64 {
    let largest = matrix.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    // Squares neither overflow nor vanish; a power of 2 changes no digit.
    let unit = largest.log2().floor().exp2();
    let (tall, few) = (rows.max(cols).next_multiple_of(ALIGNED), rows.min(cols));
    let mut columns = Aligned::zeros(tall * few);
    for (i, row) in matrix.chunks_exact(cols).enumerate() {
        for (j, v) in row.iter().enumerate() {
            columns[if rows < cols { i * tall + j } else { j * tall + i }] = v / unit;
        }
    }
    unit * sum_of_singular_values(&bidiagonal(&mut columns, tall, few))
}

/// The orthogonal polar factor `P Q^T` of `P Sigma Q^T`, `rows x cols` row-major, with orthonormal columns
/// (or rows, if there are fewer), and the sum of the singular values.
pub(super) fn polar(matrix: &[f64], rows: usize, cols: usize) -> Result<(Vec<f64>, f64), BuresError> {
    let dense = DMatrix::from_row_slice(rows, cols, matrix);
    let found = SVD::try_new_unordered(dense, true, true, f64::EPSILON, SWEEPS * rows.max(cols))
        .ok_or(BuresError::NoConvergence { rows, cols })?;
    let failed = BuresError::NoConvergence { rows, cols };
    let (Some(u), Some(v_t)) = (found.u, found.v_t) else { return Err(failed) };
    let norm = found.singular_values.iter().sum();
    if rows.min(cols) <= SMALL {
        return Ok(((u * v_t).transpose().as_slice().to_vec(), norm));
    }
    // Stored by columns, `u` has the terms of a sum one after the other, and so has `v`.
    let v = v_t.transpose();
    let mut factor = vec![0.0; rows * cols];
    for (u, v) in u.as_slice().chunks(TERMS * rows).zip(v.as_slice().chunks(TERMS * cols)) {
        let (u, v) = (Mat::row_major(u, u.len() / rows, rows), Mat::row_major(v, v.len() / cols, cols));
        matmul(&mut factor, Output::Add, 1.0, u.transposed(), v, Threads::One);
    }
    Ok((factor, norm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    fn noise(len: usize, step: u64) -> Vec<f64> {
        let mut values = vec![0.0; len];
        Stream::new(31, Purpose::Test, step).normals(0, &mut values);
        values
    }

    #[test]
    fn eigenvectors_rebuild_the_matrix() {
        for n in [1, 2, 7, 40] {
            let a = noise(n * n, n as u64);
            let s: Vec<f64> = (0..n * n)
                .map(|k| (0..n).map(|l| a[k / n * n + l] * a[k % n * n + l]).sum::<f64>())
                .collect();
            let (values, vectors) = symmetric_eigen(&s, n).unwrap();
            for (i, expected) in s.iter().enumerate() {
                let (row, col) = (i / n, i % n);
                let found: f64 =
                    (0..n).map(|k| values[k] * vectors[k * n + row] * vectors[k * n + col]).sum();
                assert!((found - expected).abs() < 1e-11 * n as f64);
            }
        }
    }

    #[test]
    fn polar_factors_are_orthogonal_and_reach_the_nuclear_norm_whatever_the_rank() {
        for (rows, cols, rank) in [
            (5, 5, 5),
            (9, 4, 4),
            (41, 38, 38),
            (37, 90, 37),
            (64, 64, 20),
            (18, 17, 17),
            (4, 9, 2),
            (30, 30, 3),
            (6, 6, 0),
            (1, 1, 1),
            (7, 1, 1),
        ] {
            let (p, q) = (noise(rows * rank, 1), noise(rank * cols, 2));
            let matrix: Vec<f64> = (0..rows * cols)
                .map(|k| (0..rank).map(|l| p[k / cols * rank + l] * q[l * cols + k % cols]).sum())
                .collect();
            let (factor, norm) = polar(&matrix, rows, cols).unwrap();
            let alone = nuclear_norm(&matrix, rows, cols);
            assert!((norm - alone).abs() <= 1e-12 * norm, "{norm} and {alone}");
            let reached: f64 = factor.iter().zip(&matrix).map(|(f, m)| f * m).sum();
            assert!((reached - norm).abs() <= 1e-12 * norm, "{reached} instead of {norm}");
            let (few, at): (usize, &dyn Fn(usize, usize) -> f64) = if rows >= cols {
                (cols, &|k, i| if i < rows { factor[i * cols + k] } else { 0.0 })
            } else {
                (rows, &|k, i| if i < cols { factor[k * cols + i] } else { 0.0 })
            };
            for k in 0..few {
                for l in 0..few {
                    let product: f64 = (0..rows.max(cols)).map(|i| at(k, i) * at(l, i)).sum();
                    let expected = if k == l { 1.0 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-12, "{rows} x {cols} of rank {rank}");
                }
            }
        }
    }
}
