//! s-OTDD: samples sliced by their projections and the scaled moments of their classes.
//!
//! K. Nguyen, H. Nguyen, T. Pham, N. Ho, *Lightspeed geometric dataset distance via sliced optimal transport*,
//! ICML 2025. A slice has a direction `theta`, orders `lambda_1, ..., lambda_k`, the `i`-th one from a Poisson
//! distribution of rate `i` without its zero, and `psi` uniform on the sphere `S^k`. A sample `x` of class `mu`
//! becomes `psi_0 <theta, x> + sum_i psi_i int <theta, x'>^{lambda_i} dmu(x') / lambda_i!`.

use super::error::{order, within};
use super::samples::{self, ClassRow, Labels, Masses, Settings};
use super::slices::{reader, unit_vector};
use super::{CompareError, Comparison, Method, Slices};
use crate::measure::Pair;
use crate::rng::Reader;
use crate::scalar::Scalar;

/// The sliced optimal transport dataset distance, linear in samples and blind to the number of classes.
///
/// Moments of high order grow fast with the size of the projections: features of the size of 1 are expected,
/// and the scale of both datasets must be the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlicedOtdd {
    pub(super) slices: Slices,
    pub(super) moments: usize,
    pub(super) order: f64,
}

impl SlicedOtdd {
    /// Moments of a class that the published experiments take.
    pub const MOMENTS: usize = 5;

    /// On these slices, with `moments = k >= 1` and the exponent `p = order >= 1`.
    ///
    /// # Errors
    /// No moments, or an exponent below 1.
    pub fn new(slices: Slices, moments: usize, p: f64) -> Result<Self, CompareError> {
        Ok(Self { slices, moments: within("moments", moments, 64, "from 1 to 64")?, order: order(p)? })
    }

    pub(super) fn compare<T: Scalar>(
        &self,
        pair: Pair<'_, T>,
        unit: f64,
        seed: u64,
    ) -> Result<Comparison, CompareError> {
        let moments = |l| Moments::draw(&mut reader(seed, l), self.moments).in_units(unit);
        let slices = (0..self.slices.count()).map(moments);
        let labels = SliceMoments(slices.collect());
        samples::compare(
            pair,
            Settings { slices: self.slices, order: self.order, seed, masses: Masses::ByClass },
            &labels,
            Method::SlicedOtdd(*self),
        )
    }
}

/// The moments of a slice.
#[derive(Clone, Debug, PartialEq)]
struct Moments {
    feature_weight: f64,
    /// The coefficient of `x^j / j!` at `j - 1`, up to the highest order drawn.
    coefficients: Vec<f64>,
}

impl Moments {
    fn draw(reader: &mut Reader, count: usize) -> Self {
        let psi = unit_vector(reader, count + 1);
        let mut coefficients = Vec::new();
        for (i, psi) in psi[1..].iter().enumerate() {
            let order = positive_poisson((i + 1) as f64, reader.uniform());
            if coefficients.len() < order {
                coefficients.resize(order, 0.0);
            }
            coefficients[order - 1] += psi;
        }
        Self { feature_weight: psi[0], coefficients }
    }

    /// The moments of `unit` times the values, in that unit: its power `j - 1` goes into the coefficient of order `j`.
    fn in_units(mut self, unit: f64) -> Self {
        let mut factor = 1.0;
        for coefficient in &mut self.coefficients {
            // Orders that were not drawn stay out of it, however large the unit.
            if *coefficient != 0.0 {
                *coefficient *= factor;
            }
            factor *= unit;
        }
        self
    }

    /// `sum_j coefficient_j x^j / j!`, averaged over a class.
    fn mean<T: Scalar>(&self, values: &[T], weights: Option<&[f64]>) -> f64 {
        let mut terms = [0.0; CHUNK];
        let mut sums = [0.0; CHUNK];
        let uniform = [1.0 / values.len() as f64; CHUNK];
        for (index, chunk) in values.chunks(CHUNK).enumerate() {
            let start = index * CHUNK;
            let x: [f64; CHUNK] = std::array::from_fn(|i| chunk.get(i).map_or(0.0, |v| v.to_f64()));
            let mut mass = [0.0; CHUNK];
            let given = weights.map_or(&uniform[..], |weights| &weights[start..]);
            mass[..chunk.len()].copy_from_slice(&given[..chunk.len()]);
            terms.copy_from_slice(&mass);
            for (j, coefficient) in self.coefficients.iter().enumerate() {
                let inverse = 1.0 / (j + 1) as f64;
                for i in 0..CHUNK {
                    terms[i] *= x[i] * inverse;
                    sums[i] += coefficient * terms[i];
                }
            }
        }
        sums.iter().sum()
    }
}

/// Values worked on together.
const CHUNK: usize = 32;

/// A Poisson number that is not 0, from a uniform number by inversion.
fn positive_poisson(rate: f64, uniform: f64) -> usize {
    let mut order = 1;
    let mut share = rate / rate.exp_m1();
    let mut below = share;
    // Beyond the resolution of the uniform numbers nothing is left to add.
    while below < uniform && share > f64::EPSILON * f64::EPSILON {
        order += 1;
        share *= rate / order as f64;
        below += share;
    }
    order
}

struct SliceMoments(Vec<Moments>);

impl<T: Scalar> Labels<T> for SliceMoments {
    type Scratch = ();

    fn scratch(&self) {}

    fn feature_weight(&self, slice: usize) -> f64 {
        self.0[slice].feature_weight
    }

    fn offset(&self, slice: usize, class: ClassRow<'_, T>, (): &mut ()) -> f64 {
        self.0[slice].mean(class.values, class.weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_follow_the_poisson_distribution_without_zero() {
        let rate = 3.0_f64;
        let mut reader = reader(1, 0);
        let draws: Vec<usize> = (0..40_000).map(|_| positive_poisson(rate, reader.uniform())).collect();
        let mean = draws.iter().sum::<usize>() as f64 / draws.len() as f64;
        assert!((mean - rate / (1.0 - (-rate).exp())).abs() < 0.03, "{mean}");
        let ones = draws.iter().filter(|order| **order == 1).count() as f64 / draws.len() as f64;
        assert!((ones - rate / rate.exp_m1()).abs() < 0.01, "{ones}");
        assert!(positive_poisson(5.0, 1.0 - 1e-16) < 60 && positive_poisson(5.0, 1e-300) == 1);
    }

    #[test]
    fn moments_are_the_plain_sums() {
        let values: Vec<f64> = (0..71).map(|i| (f64::from(i) - 30.0) / 9.0).collect();
        let weights: Vec<f64> = (0..71).map(|i| f64::from(i % 5) / 140.0).collect();
        let coefficients = vec![0.3, 0.0, -0.7, 0.2];
        let moments = Moments { feature_weight: 1.0, coefficients: coefficients.clone() };
        let plain = |mass: &dyn Fn(usize) -> f64| -> f64 {
            let factorial = [1.0, 2.0, 6.0, 24.0];
            let of = |x: f64| -> f64 {
                (0..4).map(|j| coefficients[j] * x.powi(j as i32 + 1) / factorial[j]).sum()
            };
            values.iter().enumerate().map(|(i, x)| mass(i) * of(*x)).sum()
        };
        assert!((moments.mean(&values, None) - plain(&|_| 1.0 / 71.0)).abs() < 1e-12);
        assert!((moments.mean(&values, Some(&weights)) - plain(&|i| weights[i])).abs() < 1e-12);
    }
}
