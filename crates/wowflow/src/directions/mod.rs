//! Slicing directions: draws are objects, addressed by (seed, step).

mod factor;
mod hadamard;
mod orthonormal;
mod slicer;

use std::ops::Range;

use rayon::prelude::*;
use thiserror::Error;

use crate::linalg::{Mat, Output};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

pub use factor::dimension_factor;
use orthonormal::Workspace;
pub(crate) use slicer::Draws;
pub use slicer::{DrawId, Slicer};

/// How directions are drawn; each kind makes the sliced distance unbiased for `SW_2^2`, the structured
/// one up to the small difference of its directions from uniform ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slicing {
    /// Independent and uniform on the sphere (normalised Gaussian vectors).
    Gaussian,
    /// Blocks of up to `d` orthonormal directions (of at most 128 MiB), each block uniform (Haar):
    /// fewer surprises when `L < d`, and larger stable steps (`book/src/mathematics.md`, "Directions").
    Orthonormal,
    /// Structured orthogonal directions by fast Walsh–Hadamard transforms: nearly those of
    /// [`Slicing::Orthonormal`], in `O(d log d)` a sample however many they are. Of length 1 on
    /// average: exactly when `d` is a power of two.
    Hadamard,
    /// `d = 2` only: equispaced angles with one random rotation.
    Equispaced,
}

crate::named!(Slicing, "kind of directions", {
    Gaussian = "gaussian": "Independent, uniform on the sphere.",
    Orthonormal = "orthonormal": "Blocks of orthonormal directions.",
    Hadamard = "hadamard": "Structured orthogonal directions by fast Walsh-Hadamard transforms.",
    Equispaced = "equispaced": "Equispaced angles, in the plane only.",
});

/// Coordinates of directions that are drawn by one thread.
const ALONE: usize = 256;

/// Dimensions from which structured directions are nearly uniform ones.
const STRUCTURED: usize = 64;

impl Slicing {
    /// The kind and the number of directions that suit the steps of a flow: equispaced in the plane, else those of
    /// [`Self::random`]; structured ones cost so little that many of them buy a flow of few steps.
    #[must_use]
    pub fn usual(dim: usize) -> (Self, usize) {
        match Self::random(dim) {
            _ if dim == 2 => (Self::Equispaced, 100),
            Self::Hadamard => (Self::Hadamard, 2048),
            random => (random, 500),
        }
    }

    /// The kind that suits a dimension where a standard error is wanted, which equispaced directions do not give:
    /// structured directions, but in few dimensions there are too few signs to draw.
    ///
    /// ```
    /// use wowflow::directions::Slicing;
    /// assert_eq!((Slicing::random(63), Slicing::random(64)), (Slicing::Orthonormal, Slicing::Hadamard));
    /// assert_eq!((Slicing::random(2), Slicing::usual(2).0), (Slicing::Orthonormal, Slicing::Equispaced));
    /// ```
    #[must_use]
    pub fn random(dim: usize) -> Self {
        if dim < STRUCTURED { Self::Orthonormal } else { Self::Hadamard }
    }

    /// Directions that are drawn together, orthogonal to each other for the slicings that are.
    pub(crate) fn group_len(self, count: usize, dim: usize) -> usize {
        const DOUBLES: usize = 1 << 24;
        match self {
            Slicing::Gaussian => 1,
            Slicing::Orthonormal => dim.min((DOUBLES / dim).max(1)),
            Slicing::Hadamard => dim.next_power_of_two(),
            Slicing::Equispaced => count,
        }
    }
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
    #[inline(never)]
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
    #[inline(never)]
    pub fn draw_from(
        slicing: Slicing,
        count: usize,
        dim: usize,
        stream: Stream,
    ) -> Result<Self, DirectionsError> {
        if count == 0 || dim == 0 {
            return Err(DirectionsError::Empty { count, dim });
        }
        if slicing == Slicing::Equispaced && dim != 2 {
            return Err(DirectionsError::NotPlanar { dim });
        }
        let mut directions = Self { values: Vec::new(), dim };
        directions.redraw(slicing, 0..count, count, stream, &mut Workspace::default());
        Ok(directions)
    }

    /// Replaces all rows by a range of whole groups of the `count` directions of a stream.
    fn redraw(
        &mut self,
        slicing: Slicing,
        range: Range<usize>,
        count: usize,
        stream: Stream,
        workspace: &mut Workspace,
    ) {
        let dim = self.dim;
        self.values.resize(range.len() * dim, T::ZERO);
        match slicing {
            Slicing::Gaussian => self.values.par_chunks_mut(dim).enumerate().for_each(|(l, row)| {
                let norm = normal_row(stream, range.start + l, row).sqrt();
                row.iter_mut().for_each(|value| *value = T::from_f64(value.to_f64() / norm));
            }),
            Slicing::Orthonormal => {
                let group = slicing.group_len(count, dim);
                let draw = |values: &mut [T], start: usize, workspace: &mut Workspace| {
                    let rows = workspace.rows(values.len());
                    let some = ALONE.div_ceil(dim);
                    rows.par_chunks_mut(dim).with_min_len(some).enumerate().for_each(|(l, row)| {
                        normal_row(stream, start + l, row);
                    });
                    workspace.orthonormalise(values.len() / dim, dim);
                    let rows = workspace.rows(values.len());
                    let values = values.par_iter_mut().with_min_len(ALONE);
                    values.zip(rows).for_each(|(value, row)| *value = T::from_f64(*row));
                };
                if group * dim < ALONE {
                    let some = ALONE / (group * dim);
                    let groups = self.values.par_chunks_mut(group * dim).enumerate().with_min_len(some);
                    groups.for_each_init(Workspace::default, |workspace, (k, values)| {
                        draw(values, range.start + k * group, workspace);
                    });
                } else {
                    for (values, start) in self.values.chunks_mut(group * dim).zip(range.step_by(group)) {
                        draw(values, start, workspace);
                    }
                }
            }
            Slicing::Hadamard => {
                let group = slicing.group_len(count, dim);
                let mut hadamard = hadamard::Hadamard::new(dim, stream);
                for (rows, start) in self.values.chunks_mut(group * dim).zip(range.step_by(group)) {
                    // Each row is what a unit force along it does to a sample of its own.
                    let len = rows.len() / dim;
                    let mut forces = vec![T::ZERO; len * len];
                    forces.iter_mut().step_by(len + 1).for_each(|force| *force = T::from_f64(1.0));
                    hadamard.back_project(start..start + len, &forces, 1.0, Output::Overwrite, rows);
                }
            }
            Slicing::Equispaced => {
                let offset = stream.uniform(0);
                let angle = |l: usize| std::f64::consts::PI * (l as f64 + offset) / count as f64;
                for (row, l) in self.values.chunks_mut(dim).zip(range) {
                    (row[0], row[1]) = (T::from_f64(angle(l).cos()), T::from_f64(angle(l).sin()));
                }
            }
        }
    }

    /// Directions given row by row, taken as they are.
    ///
    /// # Errors
    /// No rows, or a number of coordinates that is no multiple of the dimension.
    #[inline(never)]
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

    /// A range of directions as a matrix.
    fn rows(&self, range: Range<usize>) -> Mat<'_, T> {
        Mat::row_major(&self.values[range.start * self.dim..range.end * self.dim], range.len(), self.dim)
    }

    /// All directions as a matrix.
    #[must_use]
    pub fn as_mat(&self) -> Mat<'_, T> {
        Mat::row_major(&self.values, self.count(), self.dim)
    }
}

/// Writes the normals behind direction `l`, which depend on (stream, l) alone; returns the sum of
/// their squares.
fn normal_row<T: Scalar>(stream: Stream, l: usize, row: &mut [T]) -> f64 {
    const SOME: usize = 256;
    let first = l as u64 * row.len().next_multiple_of(SOME) as u64;
    let (mut normals, mut squares) = ([0.0; SOME], 0.0);
    for (offset, row) in (first..).step_by(SOME).zip(row.chunks_mut(SOME)) {
        let normals = &mut normals[..row.len()];
        stream.normals_single(offset, normals);
        for (value, normal) in row.iter_mut().zip(normals) {
            *value = T::from_f64(f64::from(*normal));
            squares += f64::from(*normal).powi(2);
        }
    }
    squares
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
        for (slicing, dim, count) in [
            (Slicing::Gaussian, 3, 40_000),
            (Slicing::Orthonormal, 3, 40_000),
            (Slicing::Hadamard, 4, 40_000),
            (Slicing::Equispaced, 2, 500),
        ] {
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
