//! Sliced-Wasserstein distances: exact transport on the line along shared directions.

pub mod backend;
mod engine;
mod host;
mod lanes;
mod layout;
mod levels;
mod loops;
mod matrix;
mod pairs;
mod pairwise;
mod panel;
mod rows;
mod scratch;

use rayon::prelude::*;

use crate::directions::Directions;
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::ot::one_d;
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

pub(crate) use engine::{BATCHES, Engine};
pub use host::Host;
pub use layout::WithinAtomVariance;
pub(crate) use matrix::PAIR_ROWS;
pub use matrix::PairMatrix;
pub(crate) use matrix::Sampled;
pub(crate) use pairwise::sampled_along;
pub use pairwise::{PairDistances, PairwiseSliced, SlicedError, distances_along};

/// The sliced quantity that is measured between classes, and that a kernel is a function of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// `s = SW_2^2`.
    SquaredSw2,
    /// `s = SW_1`.
    Sw1,
}

/// A sliced distance with what it is the mean of.
#[derive(Clone, Debug, PartialEq)]
pub struct Sliced {
    /// `SW_{p,L}^p`, the mean over directions.
    pub value: f64,
    /// `W_p^p` along each direction.
    pub per_direction: Vec<f64>,
}

impl Sliced {
    /// `SW_p^p` with the standard error of its `L` directions. Exact for independent directions; for
    /// orthogonal ones it is too large rather than too small.
    ///
    /// ```
    /// use wowflow::directions::{Directions, Slicing};
    /// use wowflow::ot::sliced::sw_pow;
    /// let thetas = Directions::<f64>::draw(Slicing::Gaussian, 2000, 3, 1, 0)?;
    /// let moved = sw_pow(&[0.0; 3], None, &[3.0, 0.0, 0.0], None, &thetas, 2.0);
    /// let (low, high) = moved.estimate().interval(0.99);
    /// assert!(low < 3.0 && 3.0 < high); // |t|^2 / d
    /// # Ok::<(), wowflow::directions::DirectionsError>(())
    /// ```
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        Estimate::of_mean(&self.per_direction)
    }

    /// `SW_p`, the `p`-th root, by the delta method. Its bias is of the order of `1/L`, relatively
    /// about `-1/(4L)` for `p = 2` and a translation: far inside the interval.
    #[must_use]
    pub fn root_estimate(&self, p: f64) -> Estimate {
        let pow = self.estimate();
        let root = pow.value.powf(1.0 / p);
        let derivative = if root > 0.0 { root / (p * pow.value) } else { 0.0 };
        pow.mapped(root, derivative)
    }
}

/// `SW_{p,L}^p(mu, nu) = 1/L sum_l W_p^p(theta_l . mu, theta_l . nu)`, exact along each direction.
///
/// `x` is `n x d`, `y` is `m x d`, both row-major; `a` and `b` are weights of sum 1, `None` uniform.
/// Bonneel, Rabin, Peyré, Pfister 2015, as on the decks' slide "Synthetic Data".
///
/// ```
/// use wowflow::directions::{Directions, Slicing};
/// use wowflow::ot::sliced::sw_pow;
/// let thetas = Directions::<f64>::draw(Slicing::Equispaced, 64, 2, 0, 0)?;
/// let moved = sw_pow(&[0.0, 0.0], None, &[3.0, 4.0], None, &thetas, 2.0);
/// assert!((moved.value - 25.0 / 2.0).abs() < 1e-9); // a translation: |t|^2 / d
/// # Ok::<(), wowflow::directions::DirectionsError>(())
/// ```
///
/// # Panics
/// Points that are no multiple of the directions' dimension, an empty side, or weights of another
/// length than their samples.
#[must_use]
#[inline(never)]
pub fn sw_pow<T: Scalar>(
    x: &[T],
    a: Option<&[f64]>,
    y: &[T],
    b: Option<&[f64]>,
    directions: &Directions<T>,
    p: f64,
) -> Sliced {
    let project = |points: &[T]| {
        let rows = points.len() / directions.dim();
        let view = Mat::row_major(points, rows, directions.dim());
        let mut projected = vec![T::ZERO; directions.count() * rows];
        let theta = directions.as_mat();
        matmul(&mut projected, Output::Overwrite, 1.0, theta, view.transposed(), Threads::Pool);
        (projected, rows)
    };
    let ((xs, n), (ys, m)) = (project(x), project(y));
    let per_direction: Vec<f64> =
        xs.par_chunks(n).zip(ys.par_chunks(m)).map(|(x, y)| one_d::w_pow(x, a, y, b, p)).collect();
    Sliced { value: per_direction.iter().sum::<f64>() / per_direction.len() as f64, per_direction }
}
