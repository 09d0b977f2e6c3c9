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
    /// `L < d`, and larger stable steps (`docs/MATH.md`, "Directions").
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
        Ok(Self { values: values.into_par_iter().map(T::from_f64).collect(), dim })
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
/// With `G = L Q` and `L` lower triangular of positive diagonal, `Q` is Haar (the uniqueness of the
/// factorisation carries the invariance of `G` over to `Q`). `L` is the Cholesky factor of `G G^T`,
/// which loses as many digits as `G G^T` is ill-conditioned: few for a wide block (its condition
/// number is near `((1 + sqrt(L/d)) / (1 - sqrt(L/d)))^2`), so that one pass is enough up to
/// `L = 0.9 d`, and a second one repairs the rest.
fn orthonormalise(rows: &mut [f64], dim: usize) {
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
