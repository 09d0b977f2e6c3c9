//! Labels lifted to Gaussians: every sample carries the mean and the covariance of its class, and moves them.
//!
//! Two flows that the WoW flow is compared with live on `R^d x Gaussians of the plane`: that of entropic OTDD
//! ([`OtddFlow`]; Alvarez-Melis and Fusi 2021) and that of an MMD with a product kernel ([`ProductMmd`]; Hua et al.
//! 2023). A sample is a point `(x, m, A)` of dimension `d + 6`: `x` in `R^d`; `m` the mean of its class in the plane
//! of the first two principal components of both datasets; `A` (2 x 2, row-major) a factor of the covariance,
//! `S = A A^T`.
//!
//! Factors make the Bures–Wasserstein geometry flat: `A -> A A^T` is a Riemannian submersion (Bhatia, Jain, Lim 2019),
//! the gradient of a function of `S` lifts to `2 G A` with symmetric `G`, and the Euclidean step
//! `A - tau 2 G A = (I - 2 tau G) A` is the exponential map `exp_S(-2 tau G)`. Covariances never leave their cone, and
//! every scheme of [`crate::flow`] serves as it is.

mod otdd;
mod plane;
mod product;

use crate::embedding::principal_components;
use crate::measure::MeasureOverMeasures;
use crate::ot::exact::{CostMatrix, OtError, solve};
use crate::ot::labels::labels_from_coupling;
use crate::scalar::Scalar;

pub use otdd::{OtddFlow, OtddFlowSettings};
pub use product::{ProductBandwidths, ProductMmd};

/// Dimension of the Gaussians.
const PLANE: usize = 2;

/// Coordinates that a sample gets besides its own: a mean and a factor.
pub const LIFTED: usize = PLANE + PLANE * PLANE;

/// A Gaussian of the plane by its mean and a factor of its covariance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Label {
    pub(crate) mean: [f64; 2],
    pub(crate) factor: [f64; 4],
}

impl Label {
    /// From the coordinates of a lifted sample after its features.
    fn read<T: Scalar>(values: &[T]) -> Self {
        let at = |k: usize| values[k].to_f64();
        Self { mean: [at(0), at(1)], factor: [at(2), at(3), at(4), at(5)] }
    }

    /// `|m - m'|^2` and the squared Bures distance of the covariances.
    fn w2_pow(&self, other: &Self) -> f64 {
        let means: f64 = self.mean.iter().zip(other.mean).map(|(m, n)| (m - n) * (m - n)).sum();
        means + plane::bures_pow(&self.factor, &other.factor)
    }
}

/// Two datasets with their labels lifted to Gaussians of one plane.
///
/// A class of a single sample has no spread; the identity stands for its covariance, as in the published
/// experiments.
///
/// ```
/// use wowflow::functional::Lift;
/// use wowflow::measure::MeasureOverMeasures;
/// let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0, 0.0, 2.0_f64], 2, &[2, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![3.0, 1.0, 4.0, 1.0], 2, &[2])?;
/// let lift = Lift::new(&p, &q)?;
/// assert_eq!((lift.source().dim(), lift.features(lift.source())), (8, p));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Lift<T> {
    source: MeasureOverMeasures<T>,
    target: MeasureOverMeasures<T>,
    dim: usize,
}

impl<T: Scalar> Lift<T> {
    /// Lifts two datasets of one space.
    ///
    /// # Errors
    /// Different dimensions.
    #[inline(never)]
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
    ) -> Result<Self, super::FunctionalError> {
        crate::functional::same_space(source, target)?;
        let dim = source.dim();
        let union = [source.points(), target.points()].concat();
        let axes = principal_components(&union, dim, PLANE);
        let lifted = |measure: &MeasureOverMeasures<T>| {
            let mut points = Vec::with_capacity(measure.sample_count() * (dim + LIFTED));
            for class in 0..measure.class_count() {
                let label = label_of(measure, class, &axes);
                let label = [&label.mean[..], &label.factor[..]].concat();
                for x in measure.class_points(class).chunks_exact(dim) {
                    points.extend_from_slice(x);
                    points.extend(label.iter().map(|value| T::from_f64(*value)));
                }
            }
            measure.with_points(points, dim + LIFTED).expect("finite samples have finite moments")
        };
        Ok(Self { source: lifted(source), target: lifted(target), dim })
    }

    /// The lifted source, `d + 6` coordinates a sample.
    #[must_use]
    pub fn source(&self) -> &MeasureOverMeasures<T> {
        &self.source
    }

    /// The lifted target.
    #[must_use]
    pub fn target(&self) -> &MeasureOverMeasures<T> {
        &self.target
    }

    /// Lifted samples without their labels.
    ///
    /// # Panics
    /// Samples of another dimension, or no longer finite.
    #[must_use]
    #[inline(never)]
    pub fn features(&self, lifted: &MeasureOverMeasures<T>) -> MeasureOverMeasures<T> {
        assert_eq!(lifted.dim(), self.dim + LIFTED, "lifted samples");
        let rows = lifted.points().chunks_exact(lifted.dim());
        let points = rows.flat_map(|row| row[..self.dim].iter().copied()).collect();
        lifted.with_points(points, self.dim).expect("finite samples")
    }

    /// The target class of every lifted sample: exact transport of the samples' Gaussians to those of the target's
    /// classes at their squared Bures–Wasserstein distance, and the class that gets most of a sample.
    ///
    /// # Errors
    /// Gaussians that are not finite.
    #[inline(never)]
    pub fn labels(&self, lifted: &MeasureOverMeasures<T>) -> Result<Vec<usize>, OtError> {
        let classes = self.classes();
        let rows = lifted.points().chunks_exact(lifted.dim());
        let costs: Vec<f64> = rows
            .flat_map(|row| {
                let own = Label::read(&row[self.dim..]);
                classes.iter().map(move |class| own.w2_pow(class))
            })
            .collect();
        let costs = CostMatrix::new(lifted.sample_count(), classes.len(), costs)?;
        let masses = lifted.sample_masses();
        let coupling = solve(&costs, Some(&masses), Some(self.target.outer_weights()))?.coupling;
        Ok(labels_from_coupling(&costs, &coupling).target)
    }

    /// The Gaussians of the target's classes.
    fn classes(&self) -> Vec<Label> {
        labels_of_classes(&self.target, self.dim)
    }
}

/// The label of every class, read off its first sample: fixed measures have one a class.
fn labels_of_classes<T: Scalar>(lifted: &MeasureOverMeasures<T>, dim: usize) -> Vec<Label> {
    (0..lifted.class_count())
        .map(|class| Label::read(&lifted.class_points(class)[dim..dim + LIFTED]))
        .collect()
}

/// Mean and factor of the covariance of a class in the plane of two axes.
fn label_of<T: Scalar>(measure: &MeasureOverMeasures<T>, class: usize, axes: &[f64]) -> Label {
    let dim = measure.dim();
    let weights = measure.class_weights(class);
    let size = measure.class_size(class);
    let flat: Vec<[f64; 2]> = measure
        .class_points(class)
        .chunks_exact(dim)
        .map(|x| {
            let along = |axis: &[f64]| axis.iter().zip(x).map(|(a, x)| a * x.to_f64()).sum();
            [along(&axes[..dim]), along(&axes[dim..2 * dim])]
        })
        .collect();
    let weight = |i: usize| weights.map_or(1.0 / size as f64, |a| a[i]);
    let mut mean = [0.0; 2];
    for (i, p) in flat.iter().enumerate() {
        (0..2).for_each(|k| mean[k] += weight(i) * p[k]);
    }
    let mut covariance = [0.0; 3];
    for (i, p) in flat.iter().enumerate() {
        let [u, v] = [p[0] - mean[0], p[1] - mean[1]];
        covariance[0] += weight(i) * u * u;
        covariance[1] += weight(i) * u * v;
        covariance[2] += weight(i) * v * v;
    }
    let factor = if size == 1 { [1.0, 0.0, 0.0, 1.0] } else { plane::root(covariance) };
    Label { mean, factor }
}
