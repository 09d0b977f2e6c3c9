//! Haar-distributed orthonormal rows from Gaussian ones, by a blocked Cholesky factorisation.

use std::ops::Range;

use crate::aligned::Aligned;
use crate::linalg::{Mat, Output, Threads, matmul};

/// Rows factored together: small enough that the plain loops on them cost nothing beside the
/// products, large enough for the products to be fast.
const PANEL: usize = 64;

/// Rows to be made orthonormal, and what that needs; kept from draw to draw.
#[derive(Clone, Debug, Default)]
pub(super) struct Workspace {
    rows: Aligned<f64>,
    /// The lower Cholesky factor, and the inverses of its diagonal blocks.
    lower: Aligned<f64>,
    inverses: Aligned<f64>,
    column: Aligned<f64>,
    scaled: Aligned<f64>,
    left: Aligned<f64>,
    old: Aligned<f64>,
}

impl Workspace {
    /// Room for rows, `len` coordinates in all; the content is that of the call before.
    pub(super) fn rows(&mut self, len: usize) -> &mut [f64] {
        sized(&mut self.rows, len)
    }

    /// Turns `count` Gaussian rows (at most `dim`) into Haar-distributed orthonormal ones.
    ///
    /// With `G = L Q` and `L` lower triangular of positive diagonal, `Q` is Haar (the uniqueness of the
    /// factorisation carries the invariance of `G` over to `Q`). `L` is the Cholesky factor of `G G^T`,
    /// which loses as many digits as `G G^T` is ill-conditioned: few for a wide block (its condition
    /// number is near `((1 + sqrt(L/d)) / (1 - sqrt(L/d)))^2`), so that one pass is enough up to
    /// `L = 0.9 d`, and a second one repairs the rest.
    pub(super) fn orthonormalise(&mut self, count: usize, dim: usize) {
        let passes = if 10 * count <= 9 * dim { 1 } else { 2 };
        for _ in 0..passes {
            self.factor_gram(count, dim);
            self.solve(count, dim);
        }
    }

    /// The factor of `rows rows^T` (`size x size`), left-looking: block columns of the Gram matrix
    /// are formed when their turn comes, so that only its lower half is computed.
    fn factor_gram(&mut self, size: usize, dim: usize) {
        let rows = &self.rows[..size * dim];
        let lower = sized(&mut self.lower, size * size);
        let inverses = sized(&mut self.inverses, size.div_ceil(PANEL) * PANEL * PANEL);
        for (start, inverse) in (0..size).step_by(PANEL).zip(inverses.chunks_exact_mut(PANEL * PANEL)) {
            let (width, below) = (PANEL.min(size - start), size - start);
            let column = sized(&mut self.column, below * width);
            let panel = Mat::row_major(&rows[start * dim..(start + width) * dim], width, dim).transposed();
            let rest = Mat::row_major(&rows[start * dim..], below, dim);
            matmul(column, Output::Overwrite, 1.0, rest, panel, Threads::Pool);
            if start > 0 {
                let left = sized(&mut self.left, below * start);
                copy_rows(lower, size, start..size, left, start);
                let top = Mat::row_major(&left[..width * start], width, start).transposed();
                let left = Mat::row_major(left, below, start);
                matmul(column, Output::Add, -1.0, left, top, Threads::Pool);
            }
            let diagonal = sized(&mut self.old, width * width);
            diagonal.copy_from_slice(&column[..width * width]);
            factor_block(diagonal, width);
            let inverse = &mut inverse[..width * width];
            invert_lower(diagonal, width, inverse);
            let scaled = sized(&mut self.scaled, below * width);
            let right = Mat::row_major(inverse, width, width).transposed();
            let column = Mat::row_major(column, below, width);
            matmul(scaled, Output::Overwrite, 1.0, column, right, Threads::Pool);
            scaled[..width * width].copy_from_slice(diagonal);
            for (i, row) in scaled.chunks(width).enumerate() {
                let at = (start + i) * size + start;
                lower[at..at + width].copy_from_slice(row);
            }
        }
    }

    /// Replaces the rows (`size x dim`) by `L^{-1} rows`.
    fn solve(&mut self, size: usize, dim: usize) {
        let (rows, lower) = (&mut self.rows[..size * dim], &self.lower[..size * size]);
        for (inverse, start) in self.inverses.chunks_exact(PANEL * PANEL).zip((0..size).step_by(PANEL)) {
            let width = PANEL.min(size - start);
            let (done, rest) = rows.split_at_mut(start * dim);
            let panel = &mut rest[..width * dim];
            if start > 0 {
                let left = sized(&mut self.left, width * start);
                copy_rows(lower, size, start..start + width, left, start);
                let left = Mat::row_major(left, width, start);
                matmul(panel, Output::Add, -1.0, left, Mat::row_major(done, start, dim), Threads::Pool);
            }
            let old = sized(&mut self.old, panel.len());
            old.copy_from_slice(panel);
            let inverse = Mat::row_major(&inverse[..width * width], width, width);
            matmul(panel, Output::Overwrite, 1.0, inverse, Mat::row_major(old, width, dim), Threads::Pool);
        }
    }
}

/// The first `len` elements of a buffer, which is replaced by a larger one if it must be.
fn sized(buffer: &mut Aligned<f64>, len: usize) -> &mut [f64] {
    if buffer.len() < len {
        *buffer = Aligned::zeros(len);
    }
    &mut buffer[..len]
}

/// Copies the first `width` columns of some rows of a `size x size` matrix.
fn copy_rows(matrix: &[f64], size: usize, rows: Range<usize>, out: &mut [f64], width: usize) {
    for (i, out) in rows.zip(out.chunks_exact_mut(width)) {
        out.copy_from_slice(&matrix[i * size..i * size + width]);
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
fn invert_lower(l: &[f64], n: usize, inverse: &mut [f64]) {
    inverse.fill(0.0);
    for i in 0..n {
        let (before, row) = inverse.split_at_mut(i * n);
        for (k, earlier) in before.chunks(n).enumerate() {
            let factor = l[i * n + k];
            row[..=k].iter_mut().zip(&earlier[..=k]).for_each(|(r, e)| *r -= factor * e);
        }
        row[i] = 1.0;
        row[..=i].iter_mut().for_each(|v| *v /= l[i * n + i]);
    }
}
