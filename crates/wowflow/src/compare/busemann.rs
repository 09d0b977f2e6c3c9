//! Busemann-sliced distances: samples sliced by their projections and by where their classes lie along a ray.
//!
//! C. Bonet, E. Cazelles, L. Drumetz, N. Courty, *Busemann functions in the Wasserstein space*, AISTATS 2026. A
//! geodesic ray that goes on for ever projects measures on the line by its Busemann function, as a direction
//! projects points. With `psi` uniform on the circle a sample `x` of class `mu` becomes
//! `psi_0 <theta, x> + psi_1 B(mu)`.

use std::collections::HashMap;

use rayon::prelude::*;

use super::error::order;
use super::normal::density_at_quantile;
use super::samples::{self, ClassRow, Labels, Masses, Settings, Side};
use super::slices::{reader, unit_vector};
use super::{CompareError, Comparison, Method, Slices};
use crate::directions::{Directions, Slicing};
use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::bures::{BuresError, Gaussian};
use crate::ot::sort::{SortScratch, argsort};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// The family of rays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rays {
    /// SWB1DG: rays of Gaussians on the line, from a point at 0 to `N(m, s^2)`, `m` uniform in (-1, 1) and
    /// `m^2 + s^2 = 1`. A class is projected on the slice's direction and keeps its shape there:
    /// `B(mu) = -m mean - s int F^{-1}(u) Phi^{-1}(u) du`, which is `-m mean - s deviation` for Gaussian ones.
    /// Linear in everything; one sort more a slice. Classes with weights take longer, as each of their levels
    /// needs a normal quantile on every slice.
    Gaussian1d,
    /// SWBG: rays of Gaussians in `R^d`, from `N(0, I)` along a mean `m` and a positive matrix `S` with
    /// `|m|^2 + tr S^2 = 1`, `S = O^T diag O` with a Haar rotation `O` and absolute normal numbers. A class is
    /// taken for the Gaussian of its mean and covariance:
    /// `B(mu) = -<m, mean> + tr S - tr (Sigma^{1/2} S^2 Sigma^{1/2})^{1/2}`.
    /// `O(d^3)` for every class and slice: for some tens of dimensions (20 classes, 500 slices on one core: 0.3 s at
    /// d = 32, 1.5 s at d = 64, 9 minutes at d = 784). The published experiments reduce images to few dimensions first.
    Gaussian,
}

/// A Busemann-sliced distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Busemann {
    pub(super) slices: Slices,
    pub(super) rays: Rays,
    pub(super) order: f64,
}

impl Busemann {
    /// On these slices, along rays of a family, with the exponent `p = order >= 1`.
    ///
    /// # Errors
    /// An exponent below 1.
    pub fn new(slices: Slices, rays: Rays, p: f64) -> Result<Self, CompareError> {
        Ok(Self { slices, rays, order: order(p)? })
    }

    pub(super) fn compare<T: Scalar>(
        &self,
        pair: Pair<'_, T>,
        seed: u64,
    ) -> Result<Comparison, CompareError> {
        let Pair { source: p, target: q } = pair;
        let plan = Settings { slices: self.slices, order: self.order, seed, masses: Masses::ByClass };
        let psi = |l: usize| unit_vector(&mut reader(seed, l), 2);
        let method = Method::Busemann(*self);
        match self.rays {
            Rays::Gaussian1d => {
                let mut quantiles = HashMap::new();
                for measure in [p, q] {
                    for class in (0..measure.class_count()).filter(|&c| measure.class_weights(c).is_none()) {
                        let size = measure.class_size(class);
                        quantiles.entry(size).or_insert_with(|| quantile_weights(size));
                    }
                }
                let ray = |l: usize| {
                    let mut reader = reader(seed, l);
                    let psi = unit_vector(&mut reader, 2);
                    let mean = reader.range(-1.0, 1.0);
                    Ray { psi: [psi[0], psi[1]], mean, deviation: (1.0 - mean * mean).sqrt() }
                };
                let labels = OnTheLine { rays: (0..self.slices.count()).map(ray).collect(), quantiles };
                samples::compare(pair, plan, &labels, method)
            }
            Rays::Gaussian => {
                let (left, right) = (gaussians(p)?, gaussians(q)?);
                let slices: Vec<GaussianSlice> = (0..self.slices.count())
                    .into_par_iter()
                    .map(|l| GaussianSlice::new(&psi(l), seed, l, p.dim(), &left, &right))
                    .collect::<Result<_, _>>()?;
                samples::compare(pair, plan, &Gaussians(slices), method)
            }
        }
    }
}

/// A slice of [`Rays::Gaussian1d`].
#[derive(Clone, Copy, Debug)]
struct Ray {
    psi: [f64; 2],
    mean: f64,
    deviation: f64,
}

struct OnTheLine {
    rays: Vec<Ray>,
    /// By class size: the integral of the normal quantile function over each of its equal atoms.
    quantiles: HashMap<usize, Vec<f64>>,
}

/// The integrals of `Phi^{-1}` over `((i-1)/n, i/n)`.
fn quantile_weights(size: usize) -> Vec<f64> {
    let level = |i: usize| density_at_quantile(i as f64 / size as f64);
    (0..size).map(|i| level(i) - level(i + 1)).collect()
}

/// Working memory: a sorted copy of a class.
struct Sorted<T: Scalar> {
    values: Vec<T>,
    order: Vec<u32>,
    sort: SortScratch<T>,
}

impl<T: Scalar> Labels<T> for OnTheLine {
    type Scratch = Sorted<T>;

    fn scratch(&self) -> Sorted<T> {
        Sorted { values: Vec::new(), order: Vec::new(), sort: SortScratch::default() }
    }

    fn feature_weight(&self, slice: usize) -> f64 {
        self.rays[slice].psi[0]
    }

    fn offset(&self, slice: usize, class: ClassRow<'_, T>, scratch: &mut Sorted<T>) -> f64 {
        let Ray { psi, mean, deviation } = self.rays[slice];
        let Sorted { values, order, sort } = scratch;
        values.clear();
        values.extend_from_slice(class.values);
        order.resize(values.len(), 0);
        argsort(values, order, sort);
        let (mut centre, mut spread) = (0.0, 0.0);
        match class.weights {
            None => {
                for (value, weight) in values.iter().zip(&self.quantiles[&values.len()]) {
                    centre += value.to_f64();
                    spread += weight * value.to_f64();
                }
                centre /= values.len() as f64;
            }
            Some(weights) => {
                let (mut level, mut density) = (0.0, 0.0);
                for (value, &i) in values.iter().zip(&*order) {
                    let weight = weights[i as usize];
                    level += weight;
                    let next = density_at_quantile(level);
                    centre += weight * value.to_f64();
                    spread += (density - next) * value.to_f64();
                    density = next;
                }
            }
        }
        -psi[1] * (mean * centre + deviation * spread)
    }
}

fn gaussians<T: Scalar>(measure: &MeasureOverMeasures<T>) -> Result<Vec<Gaussian>, BuresError> {
    let dim = measure.dim();
    let of = |class: usize| {
        Gaussian::from_samples(measure.class_points(class), measure.class_weights(class), dim, 0)
    };
    (0..measure.class_count()).into_par_iter().map(of).collect()
}

/// A slice of [`Rays::Gaussian`]: `psi_0`, and what each class adds, up to what all classes share.
struct GaussianSlice {
    feature_weight: f64,
    left: Vec<f64>,
    right: Vec<f64>,
}

impl GaussianSlice {
    fn new(
        psi: &[f64],
        seed: u64,
        slice: usize,
        dim: usize,
        left: &[Gaussian],
        right: &[Gaussian],
    ) -> Result<Self, CompareError> {
        // The ray's numbers have an address of their own, far from those of the slices.
        let stream = Stream::new(seed, Purpose::Slices, 1 << 47 | slice as u64);
        let rotation = Directions::<f64>::draw_from(Slicing::Orthonormal, dim, dim, stream)?;
        let mut numbers = reader(seed, slice);
        // After those of `psi`.
        let _ = unit_vector(&mut numbers, 2);
        let mut mean = unit_vector(&mut numbers, dim);
        let mut spread: Vec<f64> = (0..dim).map(|_| numbers.normal().abs()).collect();
        let norm = (1.0 + spread.iter().map(|s| s * s).sum::<f64>()).sqrt();
        mean.iter_mut().chain(&mut spread).for_each(|v| *v /= norm);
        let stretched: Vec<f64> = spread
            .iter()
            .enumerate()
            .flat_map(|(k, spread)| rotation.row(k).iter().map(move |o| spread * o))
            .collect();
        let busemann = |class: &Gaussian| {
            let along: f64 = mean.iter().zip(class.mean()).map(|(a, b)| a * b).sum();
            // The singular values of `S F^T` are those of `diag O F^T`. Less `tr S`, which all classes share: beside
            // it the numbers of small data would lose their digits.
            -psi[1] * (along + class.nuclear_norm_along(&stretched))
        };
        let left = left.iter().map(busemann).collect();
        let right = right.iter().map(busemann).collect();
        Ok(Self { feature_weight: psi[0], left, right })
    }
}

struct Gaussians(Vec<GaussianSlice>);

impl<T: Scalar> Labels<T> for Gaussians {
    type Scratch = ();

    fn scratch(&self) {}

    fn feature_weight(&self, slice: usize) -> f64 {
        self.0[slice].feature_weight
    }

    fn offset(&self, slice: usize, class: ClassRow<'_, T>, (): &mut ()) -> f64 {
        match class.side {
            Side::Left => self.0[slice].left[class.class],
            Side::Right => self.0[slice].right[class.class],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize, step: u64) -> Vec<f64> {
        let mut values = vec![0.0; len];
        Stream::new(51, Purpose::Test, step).normals(0, &mut values);
        values
    }

    /// The definition: `B(nu) = lim W_2(gamma_t, nu) - t` along a ray of unit speed. The difference to `t` is taken
    /// from squares, `(W^2 - t^2) / (W + t)`.
    const FAR: f64 = 1e7;

    #[test]
    fn on_the_line_it_is_the_limit_of_distances() {
        let values = noise(9, 1);
        let weights: Vec<f64> = (0..9).map(|i| f64::from(i % 4) / 12.0).collect();
        for (mean, weights) in [(0.3_f64, None), (-0.9, None), (0.5, Some(&weights[..]))] {
            let deviation = (1.0 - mean * mean).sqrt();
            let quantiles = HashMap::from([(9, quantile_weights(9))]);
            let labels = OnTheLine { rays: vec![Ray { psi: [0.0, 1.0], mean, deviation }], quantiles };
            let class = ClassRow { side: Side::Left, class: 0, values: &values, weights };
            let mut scratch = Labels::<f64>::scratch(&labels);
            let found = labels.offset(0, class, &mut scratch);
            // W_2^2(gamma_t, nu) - t^2, with both quantile functions on a fine grid of levels.
            const LEVELS: usize = 200_000;
            let mut sorted: Vec<(f64, f64)> =
                (0..9).map(|i| (values[i], weights.map_or(1.0 / 9.0, |weights| weights[i]))).collect();
            sorted.sort_by(|x, y| x.0.total_cmp(&y.0));
            let (mut at, mut end, mut square) = (0, sorted[0].1, 0.0);
            let mut before = 0.0;
            for k in 1..=LEVELS {
                let level = k as f64 / LEVELS as f64;
                while level - 0.5 / LEVELS as f64 > end && at < 8 {
                    at += 1;
                    end += sorted[at].1;
                }
                let x = sorted[at].0;
                // The mean of the normal quantile function on the cell.
                let next = density_at_quantile(level);
                let z = (before - next) * LEVELS as f64;
                before = next;
                square += (x * x - 2.0 * FAR * x * (mean + deviation * z)) / LEVELS as f64;
            }
            let limit = square / (2.0 * FAR);
            assert!((found - limit).abs() < 2e-5, "{mean}: {found} {limit}");
        }
        // Samples at the quantiles of a Gaussian: their spread is its deviation.
        let weights = quantile_weights(4000);
        let spread: f64 = weights.iter().map(|w| w * (2.0 + 3.0 * w * 4000.0)).sum();
        assert!((spread - 3.0).abs() < 0.01, "{spread}");
    }

    #[test]
    fn between_gaussians_it_is_the_limit_of_distances() {
        const DIM: usize = 3;
        for samples in [1, 2, 7] {
            let p = MeasureOverMeasures::uniform(noise(samples * DIM, 7), DIM, &[samples]).unwrap();
            let class = gaussians(&p).unwrap();
            let slice = GaussianSlice::new(&[0.0, 1.0], 3, 5, DIM, &class, &[]).unwrap();
            // The same ray again: `m` and `S`.
            let stream = Stream::new(3, Purpose::Slices, 1 << 47 | 5);
            let rotation = Directions::<f64>::draw_from(Slicing::Orthonormal, DIM, DIM, stream).unwrap();
            let mut numbers = reader(3, 5);
            let _ = unit_vector(&mut numbers, 2);
            let mut mean = unit_vector(&mut numbers, DIM);
            let mut spread: Vec<f64> = (0..DIM).map(|_| numbers.normal().abs()).collect();
            let norm = (1.0 + spread.iter().map(|s| s * s).sum::<f64>()).sqrt();
            mean.iter_mut().chain(&mut spread).for_each(|v| *v /= norm);
            // W_2^2 = |m_nu - t m|^2 + tr Sigma + tr (I + tS)^2 - 2 |(I + tS) F|_*, and t^2 = |t m|^2 + tr (tS)^2.
            let mut far = Vec::new();
            for (k, spread) in spread.iter().enumerate() {
                far.extend(rotation.row(k).iter().map(|o| (1.0 + FAR * spread) * o));
            }
            let along: f64 = mean.iter().zip(class[0].mean()).map(|(a, b)| a * b).sum();
            let trace: f64 = spread.iter().sum();
            let square = 2.0 * FAR * (trace - along) - 2.0 * class[0].nuclear_norm_along(&far);
            // Slices leave `tr S` out.
            let limit = square / (2.0 * FAR) - trace;
            assert!((slice.left[0] - limit).abs() < 1e-5, "{samples}: {} {limit}", slice.left[0]);
        }
    }
}
