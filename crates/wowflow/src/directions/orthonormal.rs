//! Haar-distributed orthonormal rows from Gaussian ones, by a blocked Cholesky factorisation.

use crate::linalg::{Mat, Output, Threads, matmul};

/// Turns Gaussian rows (at most `dim`) into Haar-distributed orthonormal ones, in place.
///
/// With `G = L Q` and `L` lower triangular of positive diagonal, `Q` is Haar (the uniqueness of the
/// factorisation carries the invariance of `G` over to `Q`). `L` is the Cholesky factor of `G G^T`,
/// which loses as many digits as `G G^T` is ill-conditioned: few for a wide block (its condition
/// number is near `((1 + sqrt(L/d)) / (1 - sqrt(L/d)))^2`), so that one pass is enough up to
/// `L = 0.9 d`, and a second one repairs the rest.
pub(super) fn orthonormalise(rows: &mut [f64], dim: usize) {
    let count = rows.len() / dim;
    let passes = if 10 * count <= 9 * dim { 1 } else { 2 };
    for _ in 0..passes {
        let factor = Cholesky::of_gram(rows, count, dim);
        factor.solve(rows, dim);
    }
}

/// Rows factored together: small enough that the plain loops on them cost nothing beside the
/// products, large enough for the products to be fast.
const PANEL: usize = 64;

/// A lower Cholesky factor with the inverses of its diagonal blocks.
struct Cholesky {
    lower: Vec<f64>,
    inverses: Vec<Vec<f64>>,
    size: usize,
}

impl Cholesky {
    /// The factor of `rows rows^T` (`size x size`), left-looking: block columns of the Gram matrix
    /// are formed when their turn comes, so that only its lower half is computed.
    fn of_gram(rows: &[f64], size: usize, dim: usize) -> Self {
        let mut lower = vec![0.0; size * size];
        let mut inverses = Vec::new();
        for start in (0..size).step_by(PANEL) {
            let (width, below) = (PANEL.min(size - start), size - start);
            let mut column = vec![0.0; below * width];
            let panel = Mat::row_major(&rows[start * dim..(start + width) * dim], width, dim).transposed();
            let rest = Mat::row_major(&rows[start * dim..], below, dim);
            matmul(&mut column, Output::Overwrite, 1.0, rest, panel, Threads::Pool);
            if start > 0 {
                let left: Vec<f64> =
                    (start..size).flat_map(|i| lower[i * size..i * size + start].iter().copied()).collect();
                let top = Mat::row_major(&left[..width * start], width, start).transposed();
                let left = Mat::row_major(&left, below, start);
                matmul(&mut column, Output::Add, -1.0, left, top, Threads::Pool);
            }
            let mut diagonal = column[..width * width].to_vec();
            factor_block(&mut diagonal, width);
            let inverse = invert_lower(&diagonal, width);
            let mut scaled = vec![0.0; below * width];
            let right = Mat::row_major(&inverse, width, width).transposed();
            let column = Mat::row_major(&column, below, width);
            matmul(&mut scaled, Output::Overwrite, 1.0, column, right, Threads::Pool);
            scaled[..width * width].copy_from_slice(&diagonal);
            for (i, row) in scaled.chunks(width).enumerate() {
                let at = (start + i) * size + start;
                lower[at..at + width].copy_from_slice(row);
            }
            inverses.push(inverse);
        }
        Self { lower, inverses, size }
    }

    /// Replaces the rows of `b` (`size x dim`) by `L^{-1} b`.
    fn solve(&self, b: &mut [f64], dim: usize) {
        for (inverse, start) in self.inverses.iter().zip((0..self.size).step_by(PANEL)) {
            let width = PANEL.min(self.size - start);
            let (done, rest) = b.split_at_mut(start * dim);
            let panel = &mut rest[..width * dim];
            if start > 0 {
                let row = |i: usize| self.lower[i * self.size..i * self.size + start].iter().copied();
                let left: Vec<f64> = (start..start + width).flat_map(row).collect();
                let left = Mat::row_major(&left, width, start);
                matmul(panel, Output::Add, -1.0, left, Mat::row_major(done, start, dim), Threads::Pool);
            }
            let old = panel.to_vec();
            let (left, right) = (Mat::row_major(inverse, width, width), Mat::row_major(&old, width, dim));
            matmul(panel, Output::Overwrite, 1.0, left, right, Threads::Pool);
        }
    }
}

/// The Cholesky factor of a small block, in place; its upper triangle is set to 0.
fn factor_block(a: &mut [f64], n: usize) {
    for j in 0..n {
        let (above, below) = a.split_at_mut((j + 1) * n);
        let pivot_row = &mut above[j * n..];
        let pivot = (pivot_row[j] - pivot_row[..j].iter().map(|v| v * v).sum::<f64>()).sqrt();
        pivot_row[j] = pivot;
        pivot_row[j + 1..].fill(0.0);
        for row in below.chunks_mut(n) {
            let dot: f64 = row[..j].iter().zip(&pivot_row[..j]).map(|(x, y)| x * y).sum();
            row[j] = (row[j] - dot) / pivot;
        }
    }
}

/// The inverse of a small lower triangular matrix.
fn invert_lower(l: &[f64], n: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; n * n];
    for i in 0..n {
        let (before, row) = inverse.split_at_mut(i * n);
        for (k, earlier) in before.chunks(n).enumerate() {
            let factor = l[i * n + k];
            row[..=k].iter_mut().zip(&earlier[..=k]).for_each(|(r, e)| *r -= factor * e);
        }
        row[i] = 1.0;
        row[..=i].iter_mut().for_each(|v| *v /= l[i * n + i]);
    }
    inverse
}
