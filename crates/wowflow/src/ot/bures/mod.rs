//! Transport between Gaussians: the Bures–Wasserstein distance, its maps, geodesics and barycenters.
//!
//! `W_2^2(N(m, S), N(m', S')) = |m - m'|^2 + tr(S + S' - 2 (S^1/2 S' S^1/2)^1/2)`. With factors
//! `S = F^T F` the last trace is the nuclear norm of `F F'^T`, and everything else follows from the
//! orthogonal factor of that matrix; no root of a `d x d` matrix is taken for a pair.
//! Formulas: Takatsu 2011; Bhatia, Jain, Lim 2019; Álvarez-Esteban et al. 2016 for the barycenter.

mod barycenter;
mod error;
mod gaussian;
mod householder;
mod loops;
mod map;
mod singular;
mod spectral;

pub use barycenter::{Barycenter, BarycenterSettings, barycenter};
pub use error::BuresError;
pub use gaussian::Gaussian;
pub use map::{AffineMap, exp, geodesic, log, optimal_map};

use crate::linalg::{Destination, Mat, Output, Threads, matmul, matmul_into};
use spectral::{nuclear_norm, polar};

/// Below this fraction of the variances their difference has lost too many digits.
const CANCELLED: f64 = 1e-6;

/// `W_2^2` between Gaussians: the power, not the root. Never negative, and 0 between equal ones.
///
/// ```
/// use wowflow::ot::bures::{Gaussian, w2, w2_pow};
/// let p = Gaussian::from_covariance(vec![0.0], &[4.0])?;
/// let q = Gaussian::from_covariance(vec![3.0], &[1.0])?;
/// assert!((w2_pow(&p, &q)? - 10.0).abs() < 1e-14); // (3 - 0)^2 + (2 - 1)^2
/// assert_eq!(w2(&p, &p)?, 0.0);
/// # Ok::<(), wowflow::ot::bures::BuresError>(())
/// ```
///
/// # Errors
/// Different dimensions.
pub fn w2_pow(p: &Gaussian, q: &Gaussian) -> Result<f64, BuresError> {
    same_dim(p, q)?;
    let shift: f64 = p.mean().iter().zip(q.mean()).map(|(x, y)| (x - y) * (x - y)).sum();
    Ok(shift + bures_pow(p, q)?)
}

/// `W_2` between Gaussians: the root of [`w2_pow`].
///
/// # Errors
/// As [`w2_pow`].
pub fn w2(p: &Gaussian, q: &Gaussian) -> Result<f64, BuresError> {
    Ok(w2_pow(p, q)?.sqrt())
}

/// The part of [`w2_pow`] that the covariances make: `tr(S + S' - 2 (S^1/2 S' S^1/2)^1/2)`.
///
/// # Errors
/// Different dimensions.
pub fn bures_pow(p: &Gaussian, q: &Gaussian) -> Result<f64, BuresError> {
    same_dim(p, q)?;
    if p.factor() == q.factor() {
        return Ok(0.0);
    }
    let (more, fewer) = if p.factor_rows() >= q.factor_rows() { (p, q) } else { (q, p) };
    let traces = p.trace() + q.trace();
    let (rows, cols) = (more.factor_rows(), fewer.factor_rows());
    if cols == 0 {
        return Ok(traces);
    }
    let product = factor_product(more, fewer);
    let value = traces - 2.0 * nuclear_norm(&product, rows, cols);
    if value > CANCELLED * traces {
        return Ok(value);
    }
    // Near 0, as the sum of squares |F - U F'|^2: an error of U counts squared.
    let (isometry, _) = polar(&product, rows, cols)?;
    let moved = apply(&isometry, fewer, rows);
    Ok(more.factor().iter().zip(&moved).map(|(x, y)| (x - y) * (x - y)).sum())
}

/// `F F'^T`, `r x r'`.
fn factor_product(p: &Gaussian, q: &Gaussian) -> Vec<f64> {
    product_of_rows(p.factor(), q.factor(), p.dim())
}

/// `A B^T` of two matrices of `dim` columns, without the zeros that rows of triangular factors start with.
fn product_of_rows(a: &[f64], b: &[f64], dim: usize) -> Vec<f64> {
    /// Rows of each in one product.
    const BLOCK: usize = 192;
    let (rows, cols) = (a.len() / dim, b.len() / dim);
    if cols == 0 {
        return Vec::new();
    }
    // Columns where all rows of a block have a zero, from the left.
    let zeros = |block: &[f64]| -> usize {
        block.chunks_exact(dim).map(|row| row.iter().take_while(|v| **v == 0.0).count()).min().unwrap_or(dim)
    };
    let starts: Vec<usize> = b.chunks(BLOCK * dim).map(zeros).collect();
    let mut out = vec![0.0; rows * cols];
    for (left, out) in a.chunks(BLOCK * dim).zip(out.chunks_mut(BLOCK * cols)) {
        let (start, height) = (zeros(left), left.len() / dim);
        for (block, right) in b.chunks(BLOCK * dim).enumerate() {
            let (start, width) = (start.max(starts[block]), right.len() / dim);
            if start == dim {
                continue;
            }
            let left = Mat::strided(&left[start..], height, dim - start, dim);
            let right = Mat::strided(&right[start..], width, dim - start, dim).transposed();
            let out = Destination::strided(&mut out[block * BLOCK..], height, width, cols);
            matmul_into(out, Output::Overwrite, 1.0, left, right, Threads::Pool);
        }
    }
    out
}

/// `U F` of a `rows x r` matrix and a factor of `r` rows.
fn apply(matrix: &[f64], q: &Gaussian, rows: usize) -> Vec<f64> {
    let (inner, dim) = (q.factor_rows(), q.dim());
    let mut out = vec![0.0; rows * dim];
    let right = Mat::row_major(q.factor(), inner, dim);
    matmul(&mut out, Output::Overwrite, 1.0, Mat::row_major(matrix, rows, inner), right, Threads::Pool);
    out
}

fn same_dim(p: &Gaussian, q: &Gaussian) -> Result<(), BuresError> {
    match p.dim() == q.dim() {
        true => Ok(()),
        false => Err(BuresError::DimensionMismatch { left: p.dim(), right: q.dim() }),
    }
}
