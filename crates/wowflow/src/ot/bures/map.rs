//! Optimal maps between Gaussians, the exponential map and its inverse, and geodesics.

use super::gaussian::{eigen, finite};
use super::spectral::polar;
use super::{BuresError, Gaussian, apply, factor_product, same_dim};
use crate::linalg::{Mat, Output, Threads, matmul};

/// An affine map `x -> A x + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct AffineMap {
    /// `A`, `d x d` row-major.
    pub matrix: Vec<f64>,
    /// `b`.
    pub offset: Vec<f64>,
    /// The variance of the target that no map from this source can make: 0 unless the source has
    /// the smaller rank.
    pub missing_variance: f64,
}

/// The optimal map from one Gaussian to another, `A = S^-1/2 (S^1/2 S' S^1/2)^1/2 S^-1/2`, `b = m' - A m`.
///
/// A singular source has many such maps, all equal where it has mass; this one is 0 across. A map
/// cannot raise the rank: what is missing then is reported.
///
/// ```
/// use wowflow::ot::bures::{Gaussian, optimal_map};
/// let p = Gaussian::from_covariance(vec![1.0], &[4.0])?;
/// let q = Gaussian::from_covariance(vec![5.0], &[9.0])?;
/// let map = optimal_map(&p, &q)?;
/// assert!((map.matrix[0] - 1.5).abs() < 1e-14 && (map.offset[0] - 3.5).abs() < 1e-14);
/// # Ok::<(), wowflow::ot::bures::BuresError>(())
/// ```
///
/// # Errors
/// Different dimensions.
pub fn optimal_map(p: &Gaussian, q: &Gaussian) -> Result<AffineMap, BuresError> {
    same_dim(p, q)?;
    let dim = p.dim();
    let (values, vectors) = eigen(&p.covariance(), dim)?;
    let kept: Vec<usize> = (0..dim).filter(|&k| values[k] > 0.0).collect();
    let (rank, other) = (kept.len(), q.factor_rows());
    let scaled = |power: f64| -> Vec<f64> {
        let row = |&k: &usize| vectors[k * dim..(k + 1) * dim].iter().map(move |v| (k, v));
        kept.iter().flat_map(row).map(|(k, v)| values[k].powf(power) * v).collect()
    };
    let mut matrix = vec![0.0; dim * dim];
    let mut missing_variance = q.trace();
    if rank > 0 && other > 0 {
        // With S = R^T R the optimal coupling sends R^T z to F'^T O z, O the orthogonal factor of F' R^T.
        let source = Gaussian::from_factor(p.mean().to_vec(), scaled(0.5));
        let (orthogonal, _) = polar(&factor_product(q, &source), other, rank)?;
        let turned = Mat::row_major(&orthogonal, other, rank).transposed();
        let mut image = vec![0.0; rank * dim];
        let target = Mat::row_major(q.factor(), other, dim);
        matmul(&mut image, Output::Overwrite, 1.0, turned, target, Threads::Pool);
        let inverse = scaled(-0.5);
        let image_view = Mat::row_major(&image, rank, dim);
        let inverse_view = Mat::row_major(&inverse, rank, dim);
        matmul(&mut matrix, Output::Overwrite, 1.0, image_view.transposed(), inverse_view, Threads::Pool);
        if rank == dim {
            symmetrise(&mut matrix, dim);
        }
        // Rows of the polar factor are orthonormal if there are at most as many as columns.
        if other <= rank {
            missing_variance = 0.0;
        } else {
            missing_variance = (q.trace() - image.iter().map(|v| v * v).sum::<f64>()).max(0.0);
        }
    }
    let moved = matrix.chunks_exact(dim).map(|row| row.iter().zip(p.mean()).map(|(a, m)| a * m).sum::<f64>());
    let offset = q.mean().iter().zip(moved).map(|(m, moved)| m - moved).collect();
    Ok(AffineMap { matrix, offset, missing_variance })
}

fn symmetrise(matrix: &mut [f64], dim: usize) {
    for row in 0..dim {
        for col in 0..row {
            let mean = 0.5 * (matrix[row * dim + col] + matrix[col * dim + row]);
            matrix[row * dim + col] = mean;
            matrix[col * dim + row] = mean;
        }
    }
}

/// The exponential map of the Bures–Wasserstein geometry, `exp_S(V) = (I + V) S (I + V)^T`, `d x d`
/// row-major; tangents are symmetric except where `S` is singular.
///
/// ```
/// use wowflow::ot::bures::exp;
/// assert_eq!(exp(&[4.0], &[0.5], 1)?, [9.0]);
/// # Ok::<(), wowflow::ot::bures::BuresError>(())
/// ```
///
/// # Errors
/// Other sizes, or numbers that are not finite.
pub fn exp(covariance: &[f64], tangent: &[f64], dim: usize) -> Result<Vec<f64>, BuresError> {
    for (matrix, what) in [(covariance, "a covariance"), (tangent, "a tangent")] {
        if matrix.len() != dim * dim {
            return Err(BuresError::Size { what, expected: dim * dim, found: matrix.len() });
        }
        finite(matrix, what)?;
    }
    let mut step = tangent.to_vec();
    step.iter_mut().step_by(dim + 1).for_each(|v| *v += 1.0);
    let (mut half, mut out) = (vec![0.0; dim * dim], vec![0.0; dim * dim]);
    let step = Mat::row_major(&step, dim, dim);
    let covariance = Mat::row_major(covariance, dim, dim);
    matmul(&mut half, Output::Overwrite, 1.0, step, covariance, Threads::Pool);
    let half = Mat::row_major(&half, dim, dim);
    matmul(&mut out, Output::Overwrite, 1.0, half, step.transposed(), Threads::Pool);
    Ok(out)
}

/// The tangent at `S` that [`exp`] takes to `S'`: the optimal map less the identity, `d x d` row-major.
///
/// It takes `S` to the part of `S'` that a map can reach, see [`AffineMap::missing_variance`].
///
/// # Errors
/// As [`Gaussian::from_covariance`].
pub fn log(from: &[f64], to: &[f64], dim: usize) -> Result<Vec<f64>, BuresError> {
    let gaussian = |covariance| Gaussian::from_covariance(vec![0.0; dim], covariance);
    let mut tangent = optimal_map(&gaussian(from)?, &gaussian(to)?)?.matrix;
    tangent.iter_mut().step_by(dim + 1).for_each(|v| *v -= 1.0);
    Ok(tangent)
}

/// The Gaussian at time `t` of a geodesic from `p` (0) to `q` (1), of any ranks: the law of
/// `(1 - t) x + t y` under an optimal coupling, which moves at constant speed.
///
/// ```
/// use wowflow::ot::bures::{Gaussian, geodesic, w2};
/// let p = Gaussian::from_covariance(vec![0.0], &[4.0])?;
/// let q = Gaussian::from_covariance(vec![3.0], &[1.0])?;
/// let middle = geodesic(&p, &q, 0.5)?;
/// assert!((w2(&p, &middle)? - 0.5 * w2(&p, &q)?).abs() < 1e-12);
/// # Ok::<(), wowflow::ot::bures::BuresError>(())
/// ```
///
/// # Errors
/// Different dimensions; a time outside [0, 1].
pub fn geodesic(p: &Gaussian, q: &Gaussian, t: f64) -> Result<Gaussian, BuresError> {
    same_dim(p, q)?;
    if !(0.0..=1.0).contains(&t) {
        return Err(BuresError::BadSetting { name: "time", expected: "a number in [0, 1]", found: t });
    }
    if p.factor_rows() < q.factor_rows() {
        return geodesic(q, p, 1.0 - t);
    }
    let mean = p.mean().iter().zip(q.mean()).map(|(x, y)| (1.0 - t) * x + t * y).collect();
    let (rows, cols) = (p.factor_rows(), q.factor_rows());
    let mut factor: Vec<f64> = p.factor().iter().map(|v| (1.0 - t) * v).collect();
    if cols > 0 {
        let (isometry, _) = polar(&factor_product(p, q), rows, cols)?;
        let moved = apply(&isometry, q, rows);
        factor.iter_mut().zip(moved).for_each(|(v, moved)| *v += t * moved);
    }
    Ok(Gaussian::from_factor(mean, factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_cannot_raise_the_rank_and_says_what_is_missing() {
        let line = Gaussian::from_covariance(vec![0.0, 0.0], &[1.0, 0.0, 0.0, 0.0]).unwrap();
        let disk = Gaussian::from_covariance(vec![1.0, 2.0], &[4.0, 0.0, 0.0, 9.0]).unwrap();
        let map = optimal_map(&line, &disk).unwrap();
        assert!((map.matrix[0] - 2.0).abs() < 1e-14 && (map.missing_variance - 9.0).abs() < 1e-12);
        let back = optimal_map(&disk, &line).unwrap();
        assert_eq!(back.missing_variance, 0.0);
        let made = exp(&disk.covariance(), &log(&disk.covariance(), &line.covariance(), 2).unwrap(), 2);
        assert!(made.unwrap().iter().zip(line.covariance()).all(|(x, y)| (x - y).abs() < 1e-14));
    }
}
