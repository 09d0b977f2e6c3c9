//! The MMD with a product kernel on features, means and covariances.

use rayon::prelude::*;

use super::{LIFTED, Label, plane};
use crate::functional::{Evaluation, Functional};
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::measure::MeasureOverMeasures;
use crate::ot::entropic::exp;
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;
use crate::simd::dispatch256;

/// Rows of the kernel matrix that are held at once, by each thread: a product packs all samples for every block.
const BLOCK: usize = 128;
/// Partial sums of a row.
const LANES: usize = 8;

/// Variances of the three Gaussian kernels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProductBandwidths {
    /// Of features.
    pub features: f64,
    /// Of means.
    pub means: f64,
    /// Of covariances, at their Frobenius distance.
    pub covariances: f64,
}

impl Default for ProductBandwidths {
    /// The published ones: 100, 50, 1000.
    fn default() -> Self {
        Self { features: 100.0, means: 50.0, covariances: 1000.0 }
    }
}

/// `F(P) = 1/2 MMD^2` over lifted samples with
/// `k = exp(-|x - x'|^2 / 2h_x - |m - m'|^2 / 2h_m - |S - S'|^2 / 2h_S)` (Hua, Nguyen, Le, Blanchet, Nguyen 2023).
///
/// The velocity may be taken at samples that are moved by noise, as in Arbel, Korba, Salim, Gretton 2019: features,
/// means and factors by independent normal numbers. The kernel matrix is never held: 128 rows of it at a time, so
/// that memory is linear in the samples. Cost of a step: two products of `n x d` and `d x (n + m)`.
#[derive(Clone, Debug)]
pub struct ProductMmd<'q, T> {
    target: &'q MeasureOverMeasures<T>,
    bandwidths: ProductBandwidths,
    noise: f64,
    seed: u64,
    target_target: f64,
    curvatures: Vec<f64>,
}

/// All samples of one side or of both, as the kernel sees them.
struct Pool<T> {
    /// Features and means, `N x k`.
    points: Vec<T>,
    /// Squared norms of the features alone.
    norms: Vec<T>,
    /// Means and covariances, for small loops: `m_1, m_2, S_11, S_12, S_22`, each a row of `N`.
    labels: [Vec<T>; 5],
    /// Signed masses.
    masses: Vec<T>,
    k: usize,
}

impl<T: Scalar> Pool<T> {
    fn new(parts: &[(&[T], &[f64], f64)], width: usize) -> Self {
        let k = width - LIFTED + 2;
        let mut pool =
            Self { points: Vec::new(), norms: Vec::new(), labels: Default::default(), masses: Vec::new(), k };
        for (points, masses, sign) in parts {
            for row in points.chunks_exact(width) {
                pool.points.extend_from_slice(&row[..k]);
                let norm: f64 = row[..k - 2].iter().map(|x| x.to_f64() * x.to_f64()).sum();
                pool.norms.push(T::from_f64(norm));
                let label = Label::read(&row[k - 2..]);
                let values = label.mean.into_iter().chain(plane::covariance(&label.factor));
                pool.labels.iter_mut().zip(values).for_each(|(row, value)| row.push(T::from_f64(value)));
            }
            pool.masses.extend(masses.iter().map(|mass| T::from_f64(sign * mass)));
        }
        pool
    }

    fn len(&self) -> usize {
        self.masses.len()
    }
}

/// Of one sample against a pool: `sum s_j k_ij`, over a first part and over all, and with absolute masses.
#[derive(Clone, Copy, Debug, Default)]
struct RowSums {
    first: f64,
    rest: f64,
    total: f64,
}

impl<'q, T: Scalar> ProductMmd<'q, T> {
    /// The functional for the two sides of a [`super::Lift`], with noise of a deviation (0.01 is published; 0 is
    /// none) drawn anew at every step.
    ///
    /// # Panics
    /// Sides of different dimension; bandwidths that are not positive; a negative deviation.
    #[must_use]
    #[inline(never)]
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        bandwidths: ProductBandwidths,
        noise: f64,
        seed: u64,
    ) -> Self {
        assert_eq!(source.dim(), target.dim(), "two sides of one lift");
        let ProductBandwidths { features, means, covariances } = bandwidths;
        assert!(
            [features, means, covariances].iter().all(|h| *h > 0.0) && noise >= 0.0,
            "positive bandwidths"
        );
        let mut found = Self { target, bandwidths, noise, seed, target_target: 0.0, curvatures: Vec::new() };
        let masses = target.sample_masses();
        let pool = Pool::new(&[(target.points(), &masses, 1.0)], target.dim());
        let mut unused = vec![T::ZERO; target.points().len()];
        let sums = found.against(&pool, pool.len(), target.points(), &mut unused);
        found.target_target = sums.iter().zip(&masses).map(|(sums, mass)| mass * sums.first).sum();
        found.curvatures = vec![0.0; source.sample_count()];
        found
    }

    /// Sums over a pool for samples (`n x width`), of which the first `n` of the pool are, and their velocities.
    fn against(&self, pool: &Pool<T>, first: usize, samples: &[T], velocity: &mut [T]) -> Vec<RowSums> {
        let (k, total) = (pool.k, pool.len());
        let width = k + LIFTED - 2;
        let d = k - 2;
        let ProductBandwidths { features, means, covariances } = self.bandwidths;
        // The columns of features alone, for distances, lie in longer rows.
        let all = Mat::row_major(&pool.points, total, k);
        let block = |(index, (velocity, samples)): (usize, (&mut [T], &[T]))| {
            let rows = samples.len() / width;
            let start = index * BLOCK;
            let own = &pool.points[start * k..(start + rows) * k];
            let mut features_only = own.to_vec();
            // A product over all columns would take the means too: here they are 0.
            features_only.chunks_exact_mut(k).for_each(|row| row[d..].fill(T::ZERO));
            let mut weights = vec![T::ZERO; rows * total];
            let left = Mat::row_major(&features_only, rows, k);
            matmul(&mut weights, Output::Overwrite, -2.0, left, all.transposed(), Threads::One);
            let mut sums = vec![RowSums::default(); rows];
            let mut of_covariance = vec![[0.0f64; 3]; rows];
            for (r, weights) in weights.chunks_exact_mut(total).enumerate() {
                let i = start + r;
                dispatch256(
                    #[inline(always)]
                    || kernel_row(pool, i, weights, (features, means, covariances)),
                );
                (sums[r], of_covariance[r]) = dispatch256(
                    #[inline(always)]
                    || {
                        let (head, tail) = (sum(&weights[..first]), sum(&weights[first..]));
                        let labels = std::array::from_fn(|at| dot(weights, &pool.labels[2 + at]));
                        (RowSums { first: head, rest: tail, total: head - tail }, labels)
                    },
                );
            }
            let mut means_of = vec![T::ZERO; rows * k];
            matmul(
                &mut means_of,
                Output::Overwrite,
                1.0,
                Mat::row_major(&weights, rows, total),
                all,
                Threads::One,
            );
            for (r, v) in velocity.chunks_exact_mut(width).enumerate() {
                let weight = sums[r].first + sums[r].rest;
                for at in 0..k {
                    let h = if at < d { features } else { means };
                    let pull = means_of[r * k + at].to_f64() - weight * own[r * k + at].to_f64();
                    v[at] = T::from_f64(pull / h);
                }
                // G = (sum w_j S_j - S_i sum w) / h, and 2 G A for the factor.
                let a = Label::read(&samples[r * width + d..(r + 1) * width]).factor;
                let own = plane::covariance(&a);
                let g: [f64; 3] =
                    std::array::from_fn(|k| (of_covariance[r][k] - weight * own[k]) / covariances);
                let lifted = [
                    g[0] * a[0] + g[1] * a[2],
                    g[0] * a[1] + g[1] * a[3],
                    g[1] * a[0] + g[2] * a[2],
                    g[1] * a[1] + g[2] * a[3],
                ];
                (0..4).for_each(|at| v[k + at] = T::from_f64(2.0 * lifted[at]));
            }
            sums
        };
        let blocks =
            velocity.par_chunks_mut(BLOCK * width).zip(samples.par_chunks(BLOCK * width)).enumerate();
        blocks.flat_map_iter(block).collect()
    }
}

/// The sum of a row, in doubles.
#[inline(always)]
fn sum<T: Scalar>(row: &[T]) -> f64 {
    let mut sums = [0.0; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        (0..LANES).for_each(|k| sums[k] += chunk[k].to_f64());
    }
    sums.iter().sum::<f64>() + rest.iter().map(|w| w.to_f64()).sum::<f64>()
}

/// The dot product of two rows, in doubles.
#[inline(always)]
fn dot<T: Scalar>(u: &[T], v: &[T]) -> f64 {
    let mut sums = [0.0; LANES];
    let ((us, u), (vs, v)) = (u.as_chunks::<LANES>(), v.as_chunks::<LANES>());
    for (u, v) in us.iter().zip(vs) {
        (0..LANES).for_each(|k| sums[k] += u[k].to_f64() * v[k].to_f64());
    }
    sums.iter().sum::<f64>() + u.iter().zip(v).map(|(u, v)| u.to_f64() * v.to_f64()).sum::<f64>()
}

/// From `-2 x_i . x_j` to `s_j k_ij`, in place.
#[inline(always)]
fn kernel_row<T: Scalar>(
    pool: &Pool<T>,
    i: usize,
    row: &mut [T],
    (features, means, covariances): (f64, f64, f64),
) {
    let half = |h: f64| T::from_f64(0.5 / h);
    let (hx, hm, hs) = (half(features), half(means), half(covariances));
    let [m1, m2, s11, s12, s22] = &pool.labels;
    let (norm, p1, p2) = (pool.norms[i], m1[i], m2[i]);
    let (q11, q12, q22) = (s11[i], s12[i], s22[i]);
    let square = |x: T| x * x;
    for (j, w) in row.iter_mut().enumerate() {
        let dx = *w + norm + pool.norms[j];
        let dm = square(m1[j] - p1) + square(m2[j] - p2);
        let off = square(s12[j] - q12);
        let ds = square(s11[j] - q11) + square(s22[j] - q22) + off + off;
        let exponent = dx * hx + dm * hm + ds * hs;
        let exponent = if exponent > T::ZERO { exponent } else { T::ZERO };
        *w = pool.masses[j] * T::from_f64(exp(-exponent.to_f64()));
    }
}

impl<T: Scalar> Functional<T> for ProductMmd<'_, T> {
    #[inline(never)]
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        assert_eq!(velocity.len(), particles.points().len(), "one velocity a coordinate");
        let width = particles.dim();
        let mut samples = particles.points().to_vec();
        if self.noise > 0.0 {
            const CHUNK: usize = 1 << 14;
            let stream = Stream::new(self.seed, Purpose::Noise, step);
            samples.par_chunks_mut(CHUNK).enumerate().for_each(|(index, chunk)| {
                let mut normals = vec![0.0; chunk.len()];
                stream.normals((index * CHUNK) as u64, &mut normals);
                chunk.iter_mut().zip(normals).for_each(|(x, z)| *x += T::from_f64(self.noise * z));
            });
        }
        let (a, b) = (particles.sample_masses(), self.target.sample_masses());
        let pool = Pool::new(&[(&samples, &a, 1.0), (self.target.points(), &b, -1.0)], width);
        let sums = self.against(&pool, a.len(), &samples, velocity);
        let (mut within, mut across) = (0.0, 0.0);
        for (sums, mass) in sums.iter().zip(&a) {
            within += mass * sums.first;
            across -= mass * sums.rest;
        }
        let ProductBandwidths { features, means, .. } = self.bandwidths;
        let sharpest = 1.0 / features.min(means);
        self.curvatures.iter_mut().zip(&sums).for_each(|(c, sums)| *c = sums.total * sharpest);
        Evaluation { value: 0.5 * within + 0.5 * self.target_target - across, standard_error: None }
    }

    /// A bound for features and means: a Gaussian kernel bends by no more than its value over `h`. Covariances are
    /// not in it.
    fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }
}
