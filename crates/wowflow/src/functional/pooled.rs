//! The baseline that forgets classes: `1/2 MMD^2` of the pooled samples with `k(x, y) = -|x - y|`.

use rayon::prelude::*;

use super::{Evaluation, Functional, FunctionalError, Quantity, same_space};
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::measure::MeasureOverMeasures;
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

/// Half the energy distance of the pooled samples, as on the decks' left panel of the rings.
///
/// Not hierarchical: a sample of mass `w_c a_{c,i}` feels all others alike, so classes mix. Cost of
/// a step: `O(N (N + M) d)`, in blocks of samples, in doubles.
#[derive(Clone, Debug)]
pub struct PooledMmd {
    target: Pool,
    /// The target's mean: distances are taken about it, so that far-away data lose no digits.
    origin: Vec<f64>,
    target_term: f64,
    curvatures: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Pool {
    points: Vec<f64>,
    squared_norms: Vec<f64>,
    masses: Vec<f64>,
    dim: usize,
}

impl Pool {
    fn new<T: Scalar>(measure: &MeasureOverMeasures<T>, origin: &[f64]) -> Self {
        let dim = measure.dim();
        let points: Vec<f64> =
            measure.points().iter().enumerate().map(|(k, v)| v.to_f64() - origin[k % dim]).collect();
        let squared_norms = points.chunks(dim).map(|x| x.iter().map(|v| v * v).sum()).collect();
        let masses = measure.sample_masses();
        Self { points, squared_norms, masses, dim }
    }

    fn len(&self) -> usize {
        self.masses.len()
    }

    /// For each sample of a block of `from`: the mean distance to this pool, the mean inverse distance,
    /// and the gradient `sum_j m_j (x - y_j) / |x - y_j|`, added with a factor. Samples that coincide
    /// with it count 0 in the last two.
    fn attract(
        &self,
        from: &Pool,
        block: std::ops::Range<usize>,
        factor: f64,
        gradient: &mut [f64],
    ) -> Vec<Means> {
        let (dim, rows, cols) = (self.dim, block.len(), self.len());
        let x = &from.points[block.start * dim..block.end * dim];
        let view = Mat::row_major(x, rows, dim);
        let mut weights = vec![0.0; rows * cols];
        let others = Mat::row_major(&self.points, cols, dim);
        matmul(&mut weights, Output::Overwrite, -2.0, view, others.transposed(), Threads::One);
        let mut means = vec![Means::default(); rows];
        for (r, row) in weights.chunks_mut(cols).enumerate() {
            let norm = from.squared_norms[block.start + r];
            let mut total = 0.0;
            for ((weight, &other), &mass) in row.iter_mut().zip(&self.squared_norms).zip(&self.masses) {
                let mut square = norm + other + *weight;
                if square < CANCELLATION * (norm + other) {
                    square = 0.0;
                }
                let distance = square.sqrt();
                means[r].distance += mass * distance;
                *weight = if distance > 0.0 { -factor * mass / distance } else { 0.0 };
                means[r].inverse += if distance > 0.0 { mass / distance } else { 0.0 };
                total -= *weight;
            }
            let point = &x[r * dim..(r + 1) * dim];
            gradient[r * dim..(r + 1) * dim].iter_mut().zip(point).for_each(|(g, p)| *g += total * p);
        }
        matmul(gradient, Output::Add, 1.0, Mat::row_major(&weights, rows, cols), others, Threads::One);
        means
    }
}

/// Over a pool, by mass, from one sample.
#[derive(Clone, Copy, Debug, Default)]
struct Means {
    distance: f64,
    inverse: f64,
}

/// Squared distances below this share of the squared norms are rounding: the samples coincide.
const CANCELLATION: f64 = 1e-14;

/// Samples worked on together; fixed, so that the bits do not depend on the number of threads.
const BLOCK: usize = 64;

impl PooledMmd {
    /// The functional for a target; `source` is checked for its dimension.
    ///
    /// # Errors
    /// Different dimensions.
    #[inline(never)]
    pub fn new<T: Scalar>(
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
    ) -> Result<Self, FunctionalError> {
        same_space(source, target)?;
        let mut origin = vec![0.0; target.dim()];
        for point in target.points().chunks(target.dim()) {
            let share = 1.0 / target.sample_count() as f64;
            origin.iter_mut().zip(point).for_each(|(o, v)| *o += share * v.to_f64());
        }
        let pool = Pool::new(target, &origin);
        let target_term = mean_distance(&pool, &pool);
        let curvatures = vec![0.0; source.sample_count()];
        Ok(Self { target: pool, origin, target_term, curvatures })
    }

    /// The squared MMD of the pooled particles to the pooled target.
    #[must_use]
    #[inline(never)]
    pub fn mmd2<T: Scalar>(&self, particles: &MeasureOverMeasures<T>) -> f64 {
        let pool = Pool::new(particles, &self.origin);
        let (to_target, to_self) = (mean_distance(&pool, &self.target), mean_distance(&pool, &pool));
        2.0 * to_target - to_self - self.target_term
    }

    /// The mean distance between a sample of the particles and one of the target: what step sizes
    /// are measured in.
    #[must_use]
    #[inline(never)]
    pub fn typical_distance<T: Scalar>(&self, particles: &MeasureOverMeasures<T>) -> f64 {
        mean_distance(&Pool::new(particles, &self.origin), &self.target)
    }
}

/// Mean distance between two pools.
fn mean_distance(from: &Pool, to: &Pool) -> f64 {
    let mut unused = vec![0.0; from.points.len()];
    by_mass(from, &attractions(from, to, 0.0, &mut unused))
}

/// Means for all samples of a pool; adds `factor` times the gradient of its mean distance to another.
fn attractions(from: &Pool, to: &Pool, factor: f64, gradient: &mut [f64]) -> Vec<Means> {
    let blocks: Vec<Vec<Means>> = gradient
        .par_chunks_mut(BLOCK * from.dim)
        .enumerate()
        .map(|(index, gradient)| {
            let start = index * BLOCK;
            to.attract(from, start..(start + BLOCK).min(from.len()), factor, gradient)
        })
        .collect();
    blocks.concat()
}

fn by_mass(pool: &Pool, means: &[Means]) -> f64 {
    means.iter().zip(&pool.masses).map(|(means, mass)| means.distance * mass).sum()
}

impl<T: Scalar> Functional<T> for PooledMmd {
    #[inline(never)]
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, _step: u64, velocity: &mut [T]) -> Evaluation {
        let pool = Pool::new(particles, &self.origin);
        let mut gradient = vec![0.0; velocity.len()];
        let to_target = attractions(&pool, &self.target, 1.0, &mut gradient);
        let to_self = attractions(&pool, &pool, -1.0, &mut gradient);
        velocity.iter_mut().zip(&gradient).for_each(|(v, g)| *v = T::from_f64(*g));
        self.curvatures.iter_mut().zip(&to_target).for_each(|(curvature, means)| *curvature = means.inverse);
        let value = by_mass(&pool, &to_target) - 0.5 * by_mass(&pool, &to_self) - 0.5 * self.target_term;
        Evaluation { value, standard_error: None }
    }

    fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }

    #[inline(never)]
    fn change(
        &mut self,
        before: &MeasureOverMeasures<T>,
        after: &MeasureOverMeasures<T>,
        _draw: u64,
    ) -> Estimate {
        Estimate::exact(0.5 * (self.mmd2(after) - self.mmd2(before)))
    }

    #[inline(never)]
    fn held_out(&mut self, particles: &MeasureOverMeasures<T>, _draw: u64) -> Estimate {
        Estimate::exact(0.5 * self.mmd2(particles))
    }

    fn quantity(&self) -> Quantity {
        Quantity { symbol: "MMD^2".to_owned(), factor: 2.0, length_power: Some(1.0) }
    }

    fn lower_bound(&self) -> Option<f64> {
        Some(0.0)
    }
}
