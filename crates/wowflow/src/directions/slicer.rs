//! Projecting on directions and back, a range of directions at a time.

use std::ops::Range;

use super::hadamard::Hadamard;
use super::orthonormal::Workspace;
use super::{Directions, DirectionsError, Slicing};
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::rng::Stream;
use crate::scalar::Scalar;

/// Memory of the directions held at a time, unless one group of them needs more.
const HELD_BYTES: usize = 1 << 27;

/// What directions are a function of: draws with the same identity are the same directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawId {
    /// Kind of directions.
    pub slicing: Slicing,
    /// Number of directions.
    pub count: usize,
    /// Their dimension.
    pub dim: usize,
    /// The random numbers behind them.
    pub stream: Stream,
}

/// `L` directions of a step, however they are kept.
///
/// Ranges are asked for in any order, each starting at a multiple of a power of two not below its
/// length; what is computed for a direction does not depend on the ranges.
pub trait Slicer<T: Scalar> {
    /// Number of directions, `L`.
    fn count(&self) -> usize;

    /// Their dimension, `d`.
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

    /// `out` (`range.len() x d`) is a range of the directions themselves, for those that project elsewhere.
    fn write_rows(&mut self, range: Range<usize>, out: &mut [T]) {
        // Each row is what a unit force along it does to a sample of its own.
        let len = range.len();
        let mut forces = vec![T::ZERO; len * len];
        forces.iter_mut().step_by(len + 1).for_each(|force| *force = T::from_f64(1.0));
        self.back_project(range, &forces, 1.0, Output::Overwrite, out);
    }
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

    fn write_rows(&mut self, range: Range<usize>, out: &mut [T]) {
        let dim = Directions::dim(self);
        out.copy_from_slice(&self.values[range.start * dim..range.end * dim]);
    }
}

/// Directions drawn from a stream when they are needed; buffers are kept from draw to draw.
#[derive(Clone, Debug)]
pub(crate) struct Draws<T: Scalar> {
    slicing: Slicing,
    count: usize,
    stream: Stream,
    /// Rows `held` of all directions, for the slicings that are a matrix.
    matrix: Directions<T>,
    held: Range<usize>,
    /// [`HELD_BYTES`], but in tests.
    held_bytes: usize,
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
        let (held, held_bytes) = (0..0, HELD_BYTES);
        Ok(Self { slicing, count, stream, matrix, held, held_bytes, hadamard, workspace })
    }

    /// Takes all directions from another stream from now on.
    pub(crate) fn restart(&mut self, stream: Stream) {
        if self.stream != stream {
            (self.stream, self.held) = (stream, 0..0);
            self.hadamard.restart(stream);
        }
    }

    /// Directions held at a time: whole groups, as many as fit, so that what is drawn does not depend
    /// on what is asked for first.
    fn held_len(&self) -> usize {
        let (dim, held) = (self.matrix.dim(), self.held_bytes);
        let group = self.slicing.group_len(self.count, dim);
        (held / (group * dim * size_of::<T>())).max(1) * group
    }

    /// The parts of a range that are held at a time.
    fn parts(&self, range: &Range<usize>) -> impl DoubleEndedIterator<Item = Range<usize>> + use<T> {
        let (len, range) = (self.held_len(), range.clone());
        let parts = range.start / len..range.end.div_ceil(len);
        parts.map(move |part| range.start.max(part * len)..range.end.min((part + 1) * len))
    }

    /// Draws the directions around a part, unless they are here.
    fn hold(&mut self, part: &Range<usize>) {
        if self.held.start <= part.start && part.end <= self.held.end {
            return;
        }
        let len = self.held_len();
        let start = part.start / len * len;
        let held = start..self.count.min(start + len);
        self.matrix.redraw(self.slicing, held.clone(), self.count, self.stream, &mut self.workspace);
        self.held = held;
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
        let samples = points.len() / self.matrix.dim();
        for part in self.parts(&range) {
            self.hold(&part);
            let out = &mut out[(part.start - range.start) * samples..(part.end - range.start) * samples];
            (&self.matrix).project(self.local(&part), points, out);
        }
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
        let samples = velocity.len() / self.matrix.dim();
        let mut output = output;
        // Backwards: the last part projected on is still here.
        for part in self.parts(&range).rev() {
            self.hold(&part);
            let forces = &forces[(part.start - range.start) * samples..(part.end - range.start) * samples];
            (&self.matrix).back_project(self.local(&part), forces, scale, output, velocity);
            output = Output::Add;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    #[test]
    fn directions_held_in_parts_are_the_same_directions() {
        let (dim, count, samples) = (7, 40, 9);
        let stream = Stream::new(3, Purpose::Test, 0);
        let mut points = vec![0.0; samples * dim];
        let mut forces = vec![0.0; count * samples];
        Stream::new(3, Purpose::Test, 1).normals(0, &mut points);
        Stream::new(3, Purpose::Test, 2).normals(0, &mut forces);
        for slicing in [Slicing::Gaussian, Slicing::Orthonormal] {
            let run = |directions: usize| {
                let mut draws = Draws::<f64>::new(slicing, count, dim, stream).unwrap();
                draws.held_bytes = directions * dim * size_of::<f64>();
                let (mut out, mut velocity) = (vec![0.0; count * samples], vec![0.0; samples * dim]);
                for range in [0..16, 16..32, 32..40] {
                    let part = range.start * samples..range.end * samples;
                    draws.project(range.clone(), &points, &mut out[part.clone()]);
                    draws.back_project(range, &forces[part], 0.5, Output::Add, &mut velocity);
                }
                assert!(draws.matrix.count() <= directions.max(draws.slicing.group_len(count, dim)));
                (out, velocity)
            };
            let (out, velocity) = run(count);
            for directions in [1, 7, 10, 16, 30] {
                let (other_out, other_velocity) = run(directions);
                let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
                assert!(close(&out, &other_out) && close(&velocity, &other_velocity), "{directions}");
            }
        }
    }

    #[test]
    fn groups_of_many_coordinates_stay_small() {
        // 180 GB as one group; 128 MiB of doubles as drawn.
        assert_eq!(Slicing::Orthonormal.group_len(10_000, 150_000), 111);
        let draws =
            Draws::<f32>::new(Slicing::Orthonormal, 10_000, 150_000, Stream::new(1, Purpose::Test, 0));
        assert_eq!(draws.unwrap().held_len(), 222);
    }
}
