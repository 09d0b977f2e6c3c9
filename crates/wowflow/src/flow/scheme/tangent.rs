//! The tangent space of a state: masses, step sizes, sums over samples in a fixed order.

use rayon::prelude::*;

use crate::scalar::Scalar;

/// Coordinates a thread works on at a time.
const CHUNK: usize = 1 << 14;

/// Vectors of `N x d` at a state, with the mass `w_c a_{c,i}` and the step size of every sample.
#[derive(Clone, Copy, Debug)]
pub(in crate::flow) struct Tangent<'a> {
    pub(in crate::flow) dim: usize,
    pub(in crate::flow) masses: &'a [f64],
    pub(in crate::flow) sizes: &'a [f64],
}

impl Tangent<'_> {
    /// Coordinates of the whole samples that a thread works on at a time, by size alone.
    pub(super) fn chunk(&self) -> usize {
        (CHUNK / self.dim).max(1) * self.dim
    }

    /// The step size of every sample of a chunk.
    pub(super) fn sizes_of(&self, chunk: usize) -> &[f64] {
        let samples = self.chunk() / self.dim;
        &self.sizes[chunk * samples..self.sizes.len().min((chunk + 1) * samples)]
    }

    /// `<u, v>`, in doubles.
    pub(in crate::flow) fn inner<T: Scalar>(&self, u: &[T], v: &[T]) -> f64 {
        self.weighted(self.masses, u, v)
    }

    /// `<u, D v>` with `D` the step sizes.
    pub(super) fn inner_scaled<T: Scalar>(&self, u: &[T], v: &[T]) -> f64 {
        let weights: Vec<f64> = self.masses.iter().zip(self.sizes).map(|(mass, size)| mass * size).collect();
        self.weighted(&weights, u, v)
    }

    fn weighted<T: Scalar>(&self, weights: &[f64], u: &[T], v: &[T]) -> f64 {
        let chunk = self.chunk();
        let sums: Vec<f64> = u
            .par_chunks(chunk)
            .zip(v.par_chunks(chunk))
            .zip(weights.par_chunks(chunk / self.dim))
            .map(|((u, v), weights)| {
                let rows = u.chunks(self.dim).zip(v.chunks(self.dim)).zip(weights);
                rows.map(|((u, v), weight)| weight * dot(u, v)).sum::<f64>()
            })
            .collect();
        sums.iter().sum()
    }
}

/// The dot product of two rows, in doubles and a fixed set of partial sums.
fn dot<T: Scalar>(u: &[T], v: &[T]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let ((us, u), (vs, v)) = (u.as_chunks::<LANES>(), v.as_chunks::<LANES>());
    for (u, v) in us.iter().zip(vs) {
        for k in 0..LANES {
            sums[k] += u[k].to_f64() * v[k].to_f64();
        }
    }
    let rest: f64 = u.iter().zip(v).map(|(u, v)| u.to_f64() * v.to_f64()).sum();
    sums.iter().sum::<f64>() + rest
}
