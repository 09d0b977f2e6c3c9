//! Slicing directions: draws are objects, addressed by (seed, step).

use rayon::prelude::*;
use thiserror::Error;

use crate::linalg::{Mat, Output, Threads, matmul};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// How directions are drawn; each kind makes the sliced distance unbiased for `SW_2^2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slicing {
    /// Independent and uniform on the sphere (normalised Gaussian vectors).
    Gaussian,
    /// Blocks of up to `d` orthonormal directions, each block uniform (Haar): fewer surprises when
    /// `L < d`, and larger stable steps (`MATH.md`, "Directions").
    Orthonormal,
    /// `d = 2` only: equispaced angles with one random rotation.
    Equispaced,
}

/// Why directions could not be drawn.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum DirectionsError {
    /// No directions, or no coordinates.
    #[error("expected at least one direction in at least one dimension, found {count} in dimension {dim}")]
    Empty {
        /// Number of directions.
        count: usize,
        /// Dimension.
        dim: usize,
    },
    /// Equispaced angles exist in the plane only.
    #[error("equispaced directions need dimension 2, found {dim}")]
    NotPlanar {
        /// Dimension found.
        dim: usize,
    },
    /// Given rows do not fill the matrix.
    #[error("expected a multiple of the dimension {dim} as the number of coordinates, found {found}")]
    Ragged {
        /// Dimension.
        dim: usize,
        /// Coordinates found.
        found: usize,
    },
}

/// `L x d` unit vectors, row-major.
///
/// ```
/// use wowflow::directions::{Directions, Slicing};
/// let thetas = Directions::<f64>::draw(Slicing::Orthonormal, 3, 5, 42, 0)?;
/// let dot: f64 = thetas.row(0).iter().zip(thetas.row(1)).map(|(a, b)| a * b).sum();
/// assert!(dot.abs() < 1e-12);
/// # Ok::<(), wowflow::directions::DirectionsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Directions<T> {
    values: Vec<T>,
    dim: usize,
}

impl<T: Scalar> Directions<T> {
    /// The `count` directions in dimension `dim` of a seed and a step.
    ///
    /// # Errors
    /// Nothing asked for, or equispaced angles outside the plane.
    pub fn draw(
        slicing: Slicing,
        count: usize,
        dim: usize,
        seed: u64,
        step: u64,
    ) -> Result<Self, DirectionsError> {
        Self::draw_from(slicing, count, dim, Stream::new(seed, Purpose::Directions, step))
    }

    /// The `count` directions that a stream of random numbers gives.
    ///
    /// # Errors
    /// As [`Self::draw`].
    pub fn draw_from(
        slicing: Slicing,
        count: usize,
        dim: usize,
        stream: Stream,
    ) -> Result<Self, DirectionsError> {
        if count == 0 || dim == 0 {
            return Err(DirectionsError::Empty { count, dim });
        }
        let values = match slicing {
            Slicing::Gaussian => normalised(normals(stream, count, dim), dim),
            Slicing::Orthonormal => {
                let mut values = normals(stream, count, dim);
                for block in values.chunks_mut(dim * dim) {
                    orthonormalise(block, dim);
                }
                values
            }
            Slicing::Equispaced if dim == 2 => {
                let offset = stream.uniform(0);
                let angle = |l: usize| std::f64::consts::PI * (l as f64 + offset) / count as f64;
                (0..count).flat_map(|l| [angle(l).cos(), angle(l).sin()]).collect()
            }
            Slicing::Equispaced => return Err(DirectionsError::NotPlanar { dim }),
        };
        Ok(Self { values: values.into_iter().map(T::from_f64).collect(), dim })
    }

    /// Directions given row by row, taken as they are.
    ///
    /// # Errors
    /// No rows, or a number of coordinates that is no multiple of the dimension.
    pub fn from_rows(values: Vec<T>, dim: usize) -> Result<Self, DirectionsError> {
        if dim == 0 || values.is_empty() {
            return Err(DirectionsError::Empty { count: 0, dim });
        }
        if !values.len().is_multiple_of(dim) {
            return Err(DirectionsError::Ragged { dim, found: values.len() });
        }
        Ok(Self { values, dim })
    }

    /// Number of directions, `L`.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Dimension, `d`.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// One direction.
    #[must_use]
    pub fn row(&self, l: usize) -> &[T] {
        &self.values[l * self.dim..(l + 1) * self.dim]
    }

    /// All directions as a matrix.
    #[must_use]
    pub fn as_mat(&self) -> Mat<'_, T> {
        Mat::row_major(&self.values, self.count(), self.dim)
    }
}

/// `count x dim` standard normals; row `l` depends on (stream, l) alone.
fn normals(stream: Stream, count: usize, dim: usize) -> Vec<f64> {
    let mut values = vec![0.0; count * dim];
    let row_address = dim.next_multiple_of(2) as u64;
    values.par_chunks_mut(dim).enumerate().for_each(|(l, row)| stream.normals(l as u64 * row_address, row));
    values
}

fn normalised(mut values: Vec<f64>, dim: usize) -> Vec<f64> {
    values.par_chunks_mut(dim).for_each(|row| {
        let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        row.iter_mut().for_each(|v| *v /= norm);
    });
    values
}

/// Turns Gaussian rows (at most `dim`) into Haar-distributed orthonormal ones, in place.
///
/// With `G = R^T Q` and `R` upper triangular of positive diagonal, `Q` is Haar (the uniqueness of
/// the factorisation carries the invariance of `G` over to `Q`). `R` comes from the Cholesky
/// factor of `G G^T`, which loses as many digits as `G G^T` is ill-conditioned: few for a wide
/// block (its condition number is near `((1 + sqrt(L/d)) / (1 - sqrt(L/d)))^2`), so that one pass is
/// enough up to `L = 0.9 d`, and a second one repairs the rest.
fn orthonormalise(rows: &mut [f64], dim: usize) {
    let count = rows.len() / dim;
    let passes = if 10 * count <= 9 * dim { 1 } else { 2 };
    for _ in 0..passes {
        let mut gram = vec![0.0; count * count];
        let view = Mat::row_major(rows, count, dim);
        matmul(&mut gram, Output::Overwrite, 1.0, view, view.transposed(), Threads::Pool);
        cholesky(&mut gram, count);
        solve_lower(&gram, count, rows, dim);
    }
}

const PANEL: usize = 64;

/// Lower Cholesky factor of a symmetric positive matrix, in its lower triangle; left-looking by
/// panels so that most of the work is a matrix product.
fn cholesky(a: &mut [f64], n: usize) {
    for start in (0..n).step_by(PANEL) {
        let width = PANEL.min(n - start);
        if start > 0 {
            let panel: Vec<f64> = (start..n).flat_map(|i| a[i * n..i * n + start].iter().copied()).collect();
            let below = n - start;
            let lhs = Mat::row_major(&panel, below, start);
            let rhs = Mat::row_major(&panel[..width * start], width, start).transposed();
            let mut update = vec![0.0; below * width];
            matmul(&mut update, Output::Overwrite, 1.0, lhs, rhs, Threads::Pool);
            for (i, update) in update.chunks(width).enumerate() {
                let row = (start + i) * n + start;
                a[row..row + width].iter_mut().zip(update).for_each(|(a, u)| *a -= u);
            }
        }
        for j in start..start + width {
            let (above, below) = a.split_at_mut((j + 1) * n);
            let pivot_row = &mut above[j * n + start..j * n + start + width];
            let k = j - start;
            let pivot = (pivot_row[k] - pivot_row[..k].iter().map(|v| v * v).sum::<f64>()).sqrt();
            pivot_row[k] = pivot;
            for row in below.chunks_mut(n) {
                let row = &mut row[start..start + width];
                let dot: f64 = row[..k].iter().zip(&pivot_row[..k]).map(|(x, y)| x * y).sum();
                row[k] = (row[k] - dot) / pivot;
            }
        }
    }
}

/// Replaces the rows of `b` (n x dim) by `L^{-1} b`, panel by panel.
fn solve_lower(l: &[f64], n: usize, b: &mut [f64], dim: usize) {
    for start in (0..n).step_by(PANEL) {
        let width = PANEL.min(n - start);
        let (done, rest) = b.split_at_mut(start * dim);
        let panel = &mut rest[..width * dim];
        if start > 0 {
            let left: Vec<f64> =
                (start..start + width).flat_map(|i| l[i * n..i * n + start].iter().copied()).collect();
            let lhs = Mat::row_major(&left, width, start);
            matmul(panel, Output::Add, -1.0, lhs, Mat::row_major(done, start, dim), Threads::Pool);
        }
        for i in 0..width {
            let (before, row) = panel.split_at_mut(i * dim);
            let row = &mut row[..dim];
            for (k, earlier) in before.chunks(dim).enumerate() {
                let factor = l[(start + i) * n + start + k];
                row.iter_mut().zip(earlier).for_each(|(r, e)| *r -= factor * e);
            }
            let pivot = l[(start + i) * n + start + i];
            row.iter_mut().for_each(|v| *v /= pivot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn every_slicing_gives_unit_vectors_with_the_right_second_moment() {
        // E theta theta^T = I / d: the property that makes SW_2^2 unbiased.
        for (slicing, dim, count) in
            [(Slicing::Gaussian, 3, 40_000), (Slicing::Orthonormal, 3, 40_000), (Slicing::Equispaced, 2, 500)]
        {
            let thetas = Directions::<f64>::draw(slicing, count, dim, 5, 1).unwrap();
            let mut moment = vec![0.0; dim * dim];
            for l in 0..count {
                let row = thetas.row(l);
                assert!((dot(row, row) - 1.0).abs() < 1e-12);
                for i in 0..dim {
                    for j in 0..dim {
                        moment[i * dim + j] += row[i] * row[j] / count as f64;
                    }
                }
            }
            for i in 0..dim {
                for j in 0..dim {
                    let expected = if i == j { 1.0 / dim as f64 } else { 0.0 };
                    assert!((moment[i * dim + j] - expected).abs() < 0.01, "{slicing:?} {moment:?}");
                }
            }
        }
    }

    #[test]
    fn blocks_are_orthonormal_at_every_size() {
        for (count, dim) in [(1, 1), (5, 2), (64, 64), (130, 130), (200, 131), (3, 1000), (90, 300)] {
            let thetas = Directions::<f64>::draw(Slicing::Orthonormal, count, dim, 9, 2).unwrap();
            for start in (0..count).step_by(dim) {
                let block: Vec<usize> = (start..count.min(start + dim)).collect();
                for &i in &block {
                    for &j in &block {
                        let expected = f64::from(i == j);
                        let found = dot(thetas.row(i), thetas.row(j));
                        assert!((found - expected).abs() < 1e-9, "{count} x {dim}: ({i}, {j}) {found}");
                    }
                }
            }
        }
    }

    #[test]
    fn orthonormal_rows_are_uniform_on_the_sphere() {
        // The first and the last coordinate of a uniform unit vector in R^4 have fourth moment 3 / (4 * 6).
        let (mut first, mut last, draws) = (0.0, 0.0, 4000);
        for step in 0..draws {
            let thetas = Directions::<f64>::draw(Slicing::Orthonormal, 4, 4, 1, step).unwrap();
            first += thetas.row(0)[0].powi(4) / draws as f64;
            last += thetas.row(3)[3].powi(4) / draws as f64;
        }
        assert!((first - 0.125).abs() < 0.012 && (last - 0.125).abs() < 0.012, "{first} {last}");
    }

    #[test]
    fn draws_are_addressed_by_seed_and_step() {
        let draw = |seed, step| Directions::<f32>::draw(Slicing::Gaussian, 4, 7, seed, step).unwrap();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
        let error = Directions::<f32>::draw(Slicing::Equispaced, 4, 3, 0, 0).unwrap_err();
        assert_eq!(error, DirectionsError::NotPlanar { dim: 3 });
        assert!(Directions::<f32>::draw(Slicing::Gaussian, 0, 3, 0, 0).is_err());
    }
}
