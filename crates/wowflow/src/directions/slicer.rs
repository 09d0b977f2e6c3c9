//! Projecting on directions and back, a range of directions at a time.

use std::ops::Range;

use super::hadamard::Hadamard;
use super::orthonormal::Workspace;
use super::{Directions, DirectionsError, Slicing};
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::rng::Stream;
use crate::scalar::Scalar;

/// Memory of the directions held at a time, unless one orthonormal group needs more.
const HELD_BYTES: usize = 1 << 27;

/// What directions are a function of: draws with the same identity are the same directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DrawId {
    slicing: Slicing,
    count: usize,
    dim: usize,
    stream: Stream,
}

/// `L` directions of a step, however they are kept.
///
/// Ranges are asked for in any order, each starting at a multiple of a power of two not below its
/// length; what is computed for a direction does not depend on the ranges.
pub(crate) trait Slicer<T: Scalar> {
    fn count(&self) -> usize;

    fn dim(&self) -> usize;

    /// The identity of the directions; `None` if only their rows would tell.
    fn id(&self) -> Option<DrawId> {
        None
    }

    /// `out` (`range.len() x N`) is the projections of `points` (`N x d`) on a range of directions.
    fn project(&mut self, range: Range<usize>, points: &[T], out: &mut [T]);

    /// `velocity` (`N x d`) is, or grows by, `scale` times the sum over a range of directions of
    /// `forces` (`range.len() x N`) along them.
    fn back_project(
        &mut self,
        range: Range<usize>,
        forces: &[T],
        scale: f64,
        output: Output,
        velocity: &mut [T],
    );
}

impl<T: Scalar> Slicer<T> for &Directions<T> {
    fn count(&self) -> usize {
        Directions::count(self)
    }

    fn dim(&self) -> usize {
        Directions::dim(self)
    }

    fn project(&mut self, range: Range<usize>, points: &[T], out: &mut [T]) {
        let dim = Directions::dim(self);
        let points = Mat::row_major(points, points.len() / dim, dim).transposed();
        matmul(out, Output::Overwrite, 1.0, self.rows(range), points, Threads::Pool);
    }

    fn back_project(
        &mut self,
        range: Range<usize>,
        forces: &[T],
        scale: f64,
        output: Output,
        velocity: &mut [T],
    ) {
        let samples = velocity.len() / Directions::dim(self);
        let forces = Mat::row_major(forces, range.len(), samples).transposed();
        matmul(velocity, output, scale, forces, self.rows(range), Threads::Pool);
    }
}

/// Directions drawn from a stream when they are needed; buffers are kept from draw to draw.
#[derive(Clone, Debug)]
pub(crate) struct Draws<T> {
    slicing: Slicing,
    count: usize,
    stream: Stream,
    /// Rows `held` of all directions, for the slicings that are a matrix.
    matrix: Directions<T>,
    held: Range<usize>,
    hadamard: Hadamard<T>,
    workspace: Workspace,
}

impl<T: Scalar> Draws<T> {
    pub(crate) fn new(
        slicing: Slicing,
        count: usize,
        dim: usize,
        stream: Stream,
    ) -> Result<Self, DirectionsError> {
        // Drawing one direction checks the slicing against the dimension.
        let checked = if slicing == Slicing::Hadamard { Slicing::Gaussian } else { slicing };
        let matrix = Directions::draw_from(checked, count.min(1), dim, stream)?;
        let (hadamard, workspace) = (Hadamard::new(dim, stream), Workspace::default());
        Ok(Self { slicing, count, stream, matrix, held: 0..0, hadamard, workspace })
    }

    /// Takes all directions from another stream from now on.
    pub(crate) fn restart(&mut self, stream: Stream) {
        if self.stream != stream {
            (self.stream, self.held) = (stream, 0..0);
            self.hadamard.restart(stream);
        }
    }

    fn hold(&mut self, range: &Range<usize>) {
        if self.held.start <= range.start && range.end <= self.held.end {
            return;
        }
        // Whole groups, as many as fit: what is drawn does not depend on what is asked for first.
        let dim = self.matrix.dim();
        let group = self.slicing.group_len(self.count, dim);
        let groups = (HELD_BYTES / (group * dim * size_of::<T>())).max(range.len().div_ceil(group) + 1);
        let start = range.start / group * group;
        let end = self.count.min(start + groups * group);
        self.matrix.redraw(self.slicing, start..end, self.count, self.stream, &mut self.workspace);
        self.held = start..end;
    }

    fn local(&self, range: &Range<usize>) -> Range<usize> {
        range.start - self.held.start..range.end - self.held.start
    }
}

impl<T: Scalar> Slicer<T> for Draws<T> {
    fn count(&self) -> usize {
        self.count
    }

    fn dim(&self) -> usize {
        self.matrix.dim()
    }

    fn id(&self) -> Option<DrawId> {
        let (slicing, count, stream) = (self.slicing, self.count, self.stream);
        Some(DrawId { slicing, count, dim: self.matrix.dim(), stream })
    }

    fn project(&mut self, range: Range<usize>, points: &[T], out: &mut [T]) {
        if self.slicing == Slicing::Hadamard {
            return self.hadamard.project(range, points, out);
        }
        self.hold(&range);
        (&self.matrix).project(self.local(&range), points, out);
    }

    fn back_project(
        &mut self,
        range: Range<usize>,
        forces: &[T],
        scale: f64,
        output: Output,
        velocity: &mut [T],
    ) {
        if self.slicing == Slicing::Hadamard {
            return self.hadamard.back_project(range, forces, scale, output, velocity);
        }
        self.hold(&range);
        (&self.matrix).back_project(self.local(&range), forces, scale, output, velocity);
    }
}
