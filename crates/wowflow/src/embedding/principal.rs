//! Principal components by subspace iteration: the axes along which samples spread most.

use rayon::prelude::*;

use super::eigen::symmetric_eigen;
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// Axes carried along besides those asked for: they take the error of the slowest away.
const SPARE: usize = 6;
/// Passes over the samples after which iteration ends.
const MOST: usize = 200;
/// Samples summed by one task.
const PART: usize = 256;

/// The first `count` principal axes of samples (`N x dim`, row-major), unit vectors one after another, each turned
/// so that its largest coordinate is positive. Fewer than `dim` where less exist: the rest are 0.
///
/// Subspace iteration with Rayleigh–Ritz (Golub and Van Loan, "Matrix computations", section 7.3), until axes move
/// by less than 1e-9: where two variances are nearly equal their axes may be any pair of their plane.
///
/// ```
/// use wowflow::embedding::principal_components;
/// let axes = principal_components(&[0.0, 1.0, 3.0, 1.0, 6.0, 1.0_f64], 2, 1);
/// assert!((axes[0] - 1.0).abs() < 1e-12 && axes[1].abs() < 1e-12);
/// ```
///
/// # Panics
/// No samples, or a number of coordinates that is no multiple of `dim`.
#[must_use]
pub fn principal_components<T: Scalar>(points: &[T], dim: usize, count: usize) -> Vec<f64> {
    assert!(
        dim > 0 && !points.is_empty() && points.len().is_multiple_of(dim),
        "samples of {dim} coordinates"
    );
    let rows = points.len() / dim;
    let parts: Vec<Vec<f64>> = points
        .par_chunks(PART * dim)
        .map(|part| {
            let mut sum = vec![0.0; dim];
            for row in part.chunks_exact(dim) {
                sum.iter_mut().zip(row).for_each(|(s, x)| *s += x.to_f64());
            }
            sum
        })
        .collect();
    let mut mean = vec![0.0; dim];
    parts.iter().for_each(|part| mean.iter_mut().zip(part).for_each(|(m, s)| *m += s / rows as f64));
    let block = (count + SPARE).min(dim);
    let mut basis = vec![0.0; block * dim];
    Stream::new(0, Purpose::Evaluation, 0).normals(0, &mut basis);
    orthonormalise(&mut basis, dim);
    let mut axes = vec![0.0; count.min(block) * dim];
    for _ in 0..MOST {
        let image = covariance_times(points, &mean, &basis, dim);
        let dot = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(u, v)| u * v).sum::<f64>();
        let small = (0..block * block)
            .map(|at| {
                let (i, j) = (at / block, at % block);
                let [ui, uj] = [i, j].map(|k| &basis[k * dim..(k + 1) * dim]);
                let [vi, vj] = [i, j].map(|k| &image[k * dim..(k + 1) * dim]);
                0.5 * (dot(ui, vj) + dot(uj, vi))
            })
            .collect();
        let ritz = symmetric_eigen(small, block);
        let turned = |of: &[f64], at: usize| {
            let mut out = vec![0.0; dim];
            for (k, share) in ritz.vectors[at * block..(at + 1) * block].iter().enumerate() {
                out.iter_mut().zip(&of[k * dim..(k + 1) * dim]).for_each(|(o, x)| *o += share * x);
            }
            out
        };
        let found: Vec<f64> = (0..count.min(block)).flat_map(|at| signed(turned(&basis, at))).collect();
        let moved = found.iter().zip(&axes).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        axes = found;
        if moved < 1e-9 {
            break;
        }
        basis = (0..block).flat_map(|at| turned(&image, at)).collect();
        orthonormalise(&mut basis, dim);
    }
    axes.resize(count * dim, 0.0);
    axes
}

/// A vector turned so that its largest coordinate is positive.
fn signed(vector: Vec<f64>) -> Vec<f64> {
    let largest = vector.iter().fold(0.0f64, |most, x| if x.abs() > most.abs() { *x } else { most });
    vector.into_iter().map(|x| if largest < 0.0 { -x } else { x }).collect()
}

/// `sum_i (x_i - mean) (x_i - mean) . v / N` for every vector of a basis.
fn covariance_times<T: Scalar>(points: &[T], mean: &[f64], basis: &[f64], dim: usize) -> Vec<f64> {
    let rows = (points.len() / dim) as f64;
    let parts: Vec<Vec<f64>> = points
        .par_chunks(PART * dim)
        .map(|part| {
            let mut sum = vec![0.0; basis.len()];
            let mut centred = vec![0.0; dim];
            for row in part.chunks_exact(dim) {
                let all = centred.iter_mut().zip(row).zip(mean);
                all.for_each(|((c, x), m)| *c = x.to_f64() - m);
                for (sum, axis) in sum.chunks_exact_mut(dim).zip(basis.chunks_exact(dim)) {
                    let along: f64 = axis.iter().zip(&centred).map(|(a, c)| a * c).sum();
                    sum.iter_mut().zip(&centred).for_each(|(s, c)| *s += along * c);
                }
            }
            sum
        })
        .collect();
    let mut total = vec![0.0; basis.len()];
    parts.iter().for_each(|part| total.iter_mut().zip(part).for_each(|(t, s)| *t += s / rows));
    total
}

/// Gram–Schmidt, twice for rounding; vectors that depend on those before become 0.
fn orthonormalise(basis: &mut [f64], dim: usize) {
    for at in 0..basis.len() / dim {
        let (before, rest) = basis.split_at_mut(at * dim);
        let vector = &mut rest[..dim];
        let length = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let original = length(vector);
        for _ in 0..2 {
            for other in before.chunks_exact(dim) {
                let along: f64 = other.iter().zip(vector.iter()).map(|(o, v)| o * v).sum();
                vector.iter_mut().zip(other).for_each(|(v, o)| *v -= along * o);
            }
        }
        let left = length(vector);
        let scale = if left > 1e-12 * original { 1.0 / left } else { 0.0 };
        vector.iter_mut().for_each(|v| *v *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_those_of_the_covariance() {
        let (rows, dim) = (600, 9);
        let mut noise = vec![0.0; rows * dim];
        Stream::new(3, Purpose::Test, 0).normals(0, &mut noise);
        // Spread falls along rotated axes.
        let points: Vec<f64> = noise
            .chunks(dim)
            .flat_map(|z| {
                let scaled: Vec<f64> =
                    z.iter().enumerate().map(|(k, z)| z * 3.0 / (1.0 + k as f64)).collect();
                (0..dim).map(move |k| scaled[k] + 0.5 * scaled[(k + 1) % dim] + 2.0).collect::<Vec<_>>()
            })
            .collect();
        let found = principal_components(&points, dim, 2);
        let mean: Vec<f64> =
            (0..dim).map(|k| points.chunks(dim).map(|x| x[k]).sum::<f64>() / rows as f64).collect();
        let covariance = (0..dim * dim)
            .map(|at| {
                let (i, j) = (at / dim, at % dim);
                points.chunks(dim).map(|x| (x[i] - mean[i]) * (x[j] - mean[j])).sum::<f64>() / rows as f64
            })
            .collect();
        let expected = symmetric_eigen(covariance, dim);
        for (x, y) in found.iter().zip(&expected.vectors) {
            assert!((x - y).abs() < 1e-7, "{x} {y}");
        }
        assert_eq!(principal_components(&[1.0, 2.0, 1.0, 2.0], 2, 2), [0.0; 4]);
    }
}
