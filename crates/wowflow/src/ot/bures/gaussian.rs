//! A Gaussian by its mean and a factor of its covariance, from a matrix or from samples.

use super::householder::triangular;
use super::spectral::{nuclear_norm, symmetric_eigen};
use super::{BuresError, product_of_rows};
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::scalar::Scalar;

/// Numbers beyond this overflow when squared and added up.
const LARGEST: f64 = 1e150;
/// What counts as rounding, of symmetry and of negative eigenvalues, relative to the largest.
const TOLERANCE: f64 = 1e-8;

/// A Gaussian on R^d: a mean and a covariance `S = F^T F`, possibly singular.
///
/// The factor `F` is `r x d`: centred samples as they are, or scaled eigenvectors. Its size decides what
/// things cost, so that few samples in many dimensions are as cheap as many in few.
///
/// ```
/// use wowflow::ot::bures::{Gaussian, w2_pow};
/// let p = Gaussian::from_covariance(vec![0.0, 0.0], &[1.0, 0.0, 0.0, 4.0])?;
/// let q = Gaussian::from_samples(&[3.0, -1.0, 3.0, 1.0], None, 2, 0)?; // variances 0 and 1
/// assert!((w2_pow(&p, &q)? - (9.0 + 1.0 + 1.0)).abs() < 1e-12);
/// # Ok::<(), wowflow::ot::bures::BuresError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    mean: Vec<f64>,
    factor: Vec<f64>,
}

impl Gaussian {
    /// From a mean and a dense `d x d` covariance, symmetric and without negative eigenvalues: up to
    /// 1e-8 of the largest, both count as rounding, and such eigenvalues as 0. One eigendecomposition.
    ///
    /// # Errors
    /// Other sizes, numbers that are not finite, a matrix that is no covariance.
    pub fn from_covariance(mean: Vec<f64>, covariance: &[f64]) -> Result<Self, BuresError> {
        let dim = mean.len();
        if dim == 0 {
            return Err(BuresError::Empty { what: "coordinate" });
        }
        finite(&mean, "the mean")?;
        let factor = root(covariance, dim)?;
        Ok(Self { mean, factor })
    }

    /// Mean and covariance of `n x dim` row-major samples with weights (`None` is uniform).
    ///
    /// The covariance is the population's for `ddof` 0. Otherwise it is divided by `1 - ddof sum w^2`, which
    /// for uniform weights divides the sums of squares by `n - ddof`; where that is not positive, as for one
    /// sample, it is left alone. With more samples than dimensions the factor is that of one QR
    /// decomposition: its errors are relative to deviations, not to their squares.
    ///
    /// # Errors
    /// No samples, incomplete rows, numbers that are not finite, weights that are negative or of total 0.
    pub fn from_samples<T: Scalar>(
        samples: &[T],
        weights: Option<&[f64]>,
        dim: usize,
        ddof: u32,
    ) -> Result<Self, BuresError> {
        if dim == 0 || samples.is_empty() {
            return Err(BuresError::Empty { what: if dim == 0 { "coordinate" } else { "sample" } });
        }
        let count = samples.len() / dim;
        if count * dim != samples.len() {
            let (expected, found) = (count * dim, samples.len());
            return Err(BuresError::Size { what: "samples, in whole rows,", expected, found });
        }
        let mut factor: Vec<f64> = samples.iter().map(|v| v.to_f64()).collect();
        finite(&factor, "samples")?;
        let weights = normalised(weights, count, "weights")?;
        let mut mean = vec![0.0; dim];
        // Around one sample, so that equal samples have a variance of exactly 0.
        let origin = factor[..dim].to_vec();
        for (row, w) in factor.chunks_exact_mut(dim).zip(&weights) {
            for ((v, o), mean) in row.iter_mut().zip(&origin).zip(&mut mean) {
                *v -= o;
                *mean += w * *v;
            }
        }
        let left = 1.0 - f64::from(ddof) * weights.iter().map(|w| w * w).sum::<f64>();
        let correction = if left > TOLERANCE { 1.0 / left } else { 1.0 };
        for (row, w) in factor.chunks_exact_mut(dim).zip(&weights) {
            let scale = (w * correction).sqrt();
            row.iter_mut().zip(&mean).for_each(|(v, mean)| *v = scale * (*v - mean));
        }
        mean.iter_mut().zip(&origin).for_each(|(mean, o)| *mean += o);
        if count > dim {
            factor = triangular(&factor, dim);
        }
        Ok(Self { mean, factor })
    }

    /// From a mean and a factor with `factor^T factor` as the covariance.
    pub(super) fn from_factor(mean: Vec<f64>, factor: Vec<f64>) -> Self {
        Self { mean, factor }
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Coordinates, `d`.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// The total variance, `tr S`.
    #[must_use]
    pub fn trace(&self) -> f64 {
        self.factor.iter().map(|v| v * v).sum()
    }

    /// The covariance, `d x d` row-major.
    #[must_use]
    pub fn covariance(&self) -> Vec<f64> {
        gram(&self.factor, self.dim())
    }

    /// `tr (A S A^T)^{1/2}` for a matrix `A` of `d` columns, row-major: the sum of the singular values of `A F^T`.
    pub(crate) fn nuclear_norm_along(&self, matrix: &[f64]) -> f64 {
        let (rows, cols) = (matrix.len() / self.dim(), self.factor_rows());
        nuclear_norm(&product_of_rows(matrix, &self.factor, self.dim()), rows, cols)
    }

    /// The factor, `r x d` row-major.
    pub(super) fn factor(&self) -> &[f64] {
        &self.factor
    }

    /// Rows of the factor, at least the rank.
    pub(super) fn factor_rows(&self) -> usize {
        self.factor.len() / self.dim()
    }
}

/// `F^T F` of an `r x d` factor.
pub(super) fn gram(factor: &[f64], dim: usize) -> Vec<f64> {
    let view = Mat::row_major(factor, factor.len() / dim, dim);
    let mut out = vec![0.0; dim * dim];
    matmul(&mut out, Output::Overwrite, 1.0, view.transposed(), view, Threads::Pool);
    out
}

/// A factor `F` of a covariance `F^T F`: eigenvectors scaled by roots, those of rounding left out.
pub(super) fn root(covariance: &[f64], dim: usize) -> Result<Vec<f64>, BuresError> {
    let (values, vectors) = eigen(covariance, dim)?;
    let kept = values.iter().zip(vectors.chunks_exact(dim)).filter(|(value, _)| **value > 0.0);
    Ok(kept.flat_map(|(value, vector)| vector.iter().map(|v| value.sqrt() * v)).collect())
}

/// Eigenvalues of a covariance, rounding set to 0, and its eigenvectors as rows.
pub(super) fn eigen(covariance: &[f64], dim: usize) -> Result<(Vec<f64>, Vec<f64>), BuresError> {
    if covariance.len() != dim * dim {
        let (expected, found) = (dim * dim, covariance.len());
        return Err(BuresError::Size { what: "a covariance", expected, found });
    }
    finite(covariance, "a covariance")?;
    let largest = covariance.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    let mut symmetric = covariance.to_vec();
    for row in 0..dim {
        for col in 0..row {
            let (lower, upper) = (covariance[row * dim + col], covariance[col * dim + row]);
            if (lower - upper).abs() > TOLERANCE * largest {
                let found = (lower - upper).abs();
                return Err(BuresError::NotSymmetric { row: row + 1, col: col + 1, found });
            }
            let mean = 0.5 * (lower + upper);
            symmetric[row * dim + col] = mean;
            symmetric[col * dim + row] = mean;
        }
    }
    let (mut values, vectors) = symmetric_eigen(&symmetric, dim)?;
    let top = values.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    if let Some(&found) = values.iter().find(|v| **v < -TOLERANCE * top) {
        return Err(BuresError::NegativeEigenvalue { found });
    }
    let rounding = dim as f64 * f64::EPSILON * top;
    values.iter_mut().filter(|v| **v <= rounding).for_each(|v| *v = 0.0);
    Ok((values, vectors))
}

pub(super) fn finite(values: &[f64], what: &'static str) -> Result<(), BuresError> {
    match values.iter().find(|v| v.is_nan() || v.abs() > LARGEST) {
        Some(&found) => Err(BuresError::NotFinite { what, found }),
        None => Ok(()),
    }
}

/// Weights checked and divided by their sum.
pub(super) fn normalised(
    weights: Option<&[f64]>,
    count: usize,
    what: &'static str,
) -> Result<Vec<f64>, BuresError> {
    let Some(weights) = weights else { return Ok(vec![1.0 / count as f64; count]) };
    if weights.len() != count {
        return Err(BuresError::Size { what, expected: count, found: weights.len() });
    }
    if let Some(&found) = weights.iter().find(|w| !(**w >= 0.0 && **w <= LARGEST)) {
        return Err(BuresError::BadWeights { found });
    }
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return Err(BuresError::BadWeights { found: total });
    }
    Ok(weights.iter().map(|w| w / total).collect())
}
