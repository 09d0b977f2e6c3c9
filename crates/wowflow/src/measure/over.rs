//! `P = sum_c w_c delta_{mu_c}` with `mu_c = sum_i a_{c,i} delta_{x_{c,i}}`, stored class after class.

use thiserror::Error;

use crate::dataset::LabeledDataset;
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// Why a measure over measures was refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// No classes, or a class without samples.
    #[error("expected at least one class and one sample a class, found sizes {sizes:?}")]
    Empty {
        /// Class sizes given.
        sizes: Vec<usize>,
    },
    /// Points do not fill the classes.
    #[error("expected {expected} coordinates ({samples} samples of dimension {dim}), found {found}")]
    PointCount {
        /// Number of samples, over all classes.
        samples: usize,
        /// Dimension.
        dim: usize,
        /// Coordinates expected.
        expected: usize,
        /// Coordinates found.
        found: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("expected finite coordinates, found {found} in sample {row} (counted from 1, class after class)")]
    NotFinite {
        /// Sample, counted from 1.
        row: usize,
        /// The value found.
        found: f64,
    },
    /// A wrong number of weights.
    #[error("expected {expected} {what} weights, found {found}")]
    WeightCount {
        /// "inner" or "outer".
        what: &'static str,
        /// Number expected.
        expected: usize,
        /// Number found.
        found: usize,
    },
    /// Weights that are negative, not finite, or of total 0.
    #[error("expected finite {what} weights of at least 0 with a positive sum{place}, found {found}")]
    BadWeights {
        /// "inner" or "outer".
        what: &'static str,
        /// Where, for inner weights.
        place: String,
        /// The offending weight or sum.
        found: f64,
    },
}

/// A dataset as a measure over its class measures (`book/src/mathematics.md`, "Objects").
///
/// Points are `N x d`, row-major, class after class. Weights are normalised on the way in: the
/// outer ones sum to 1, the inner ones sum to 1 in each class. What they say without labels is kept
/// beside: [`Self::pooled_masses`].
///
/// ```
/// use wowflow::measure::MeasureOverMeasures;
/// let p = MeasureOverMeasures::uniform(vec![0.0, 1.0, 5.0_f64], 1, &[2, 1])?;
/// assert_eq!((p.class_count(), p.dim(), p.class_size(1)), (2, 1, 1));
/// assert_eq!(p.outer_weights(), &[0.5, 0.5]);
/// assert_eq!(p.class_points(0), &[0.0, 1.0]);
/// # Ok::<(), wowflow::measure::MeasureError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureOverMeasures<T> {
    points: Vec<T>,
    dim: usize,
    offsets: Vec<usize>,
    inner: Vec<Option<Vec<f64>>>,
    outer: Vec<f64>,
    /// What a class weighs among the samples without their labels, of any sum.
    pooled: Vec<f64>,
}

impl<T: Scalar> MeasureOverMeasures<T> {
    /// Uniform weights: `w_c = 1/C` and `a_{c,i} = 1/n_c`.
    ///
    /// # Errors
    /// Empty classes, a wrong number of coordinates, NaN or infinite coordinates.
    #[inline(never)]
    pub fn uniform(points: Vec<T>, dim: usize, sizes: &[usize]) -> Result<Self, MeasureError> {
        Self::new(points, dim, sizes, None, None)
    }

    /// Weighted classes and samples; `None` is uniform. `inner` has one weight a sample, class
    /// after class; `outer` one a class. Both are normalised.
    ///
    /// # Errors
    /// As [`Self::uniform`], and weights of a wrong number, negative, not finite or of total 0.
    #[inline(never)]
    pub fn new(
        points: Vec<T>,
        dim: usize,
        sizes: &[usize],
        inner: Option<&[f64]>,
        outer: Option<&[f64]>,
    ) -> Result<Self, MeasureError> {
        if sizes.is_empty() || sizes.contains(&0) {
            return Err(MeasureError::Empty { sizes: sizes.to_vec() });
        }
        let samples: usize = sizes.iter().sum();
        if points.len() != samples * dim || dim == 0 {
            let expected = samples * dim;
            return Err(MeasureError::PointCount { samples, dim, expected, found: points.len() });
        }
        if let Some(index) = points.iter().position(|v| !v.is_finite()) {
            return Err(MeasureError::NotFinite { row: index / dim + 1, found: points[index].to_f64() });
        }
        let mut offsets = vec![0];
        for size in sizes {
            offsets.push(offsets[offsets.len() - 1] + size);
        }
        let pooled = match (inner, outer) {
            (_, Some(outer)) => outer.to_vec(),
            (Some(inner), None) => offsets
                .windows(2)
                .map(|range| inner.get(range[0]..range[1]).unwrap_or(&[]).iter().sum())
                .collect(),
            (None, None) => sizes.iter().map(|&size| size as f64).collect(),
        };
        let inner = match inner {
            None => vec![None; sizes.len()],
            Some(weights) if weights.len() != samples => {
                let found = weights.len();
                return Err(MeasureError::WeightCount { what: "inner", expected: samples, found });
            }
            Some(weights) => offsets
                .windows(2)
                .enumerate()
                .map(|(class, range)| {
                    let weights = &weights[range[0]..range[1]];
                    let place = || format!(" in class {}", class + 1);
                    normalised(weights, "inner", place)
                        .map(|weights| Some(weights).filter(|w| !is_uniform(w)))
                })
                .collect::<Result<_, _>>()?,
        };
        let outer = match outer {
            None => vec![1.0 / sizes.len() as f64; sizes.len()],
            Some(weights) if weights.len() != sizes.len() => {
                let (expected, found) = (sizes.len(), weights.len());
                return Err(MeasureError::WeightCount { what: "outer", expected, found });
            }
            Some(weights) => normalised(weights, "outer", String::new)?,
        };
        let pooled = normalised(&pooled, "outer", String::new)?;
        Ok(Self { points, dim, offsets, inner, outer, pooled })
    }

    /// The measure of a labeled dataset, classes in the order of its labels, in precision `T`.
    ///
    /// Sample `k` is row [`LabeledDataset::rows_by_class`]`[k]`; [`LabeledDataset::in_order_of`] is the way back.
    ///
    /// # Errors
    /// A coordinate that is finite as stored but not in `T`, such as 1e300 in `f32`.
    #[inline(never)]
    pub fn from_dataset(data: &LabeledDataset) -> Result<Self, MeasureError> {
        let dim = data.dim();
        let mut points = Vec::with_capacity(data.len() * dim);
        let mut sizes = Vec::with_capacity(data.class_count());
        let mut inner = data.sample_weights().map(|_| Vec::with_capacity(data.len()));
        for class in 0..data.class_count() {
            let rows = data.class_rows(class);
            sizes.push(rows.len());
            for &row in rows {
                points.extend(data.points().to_vec::<T>(row * dim..(row + 1) * dim));
                if let (Some(inner), Some(weights)) = (&mut inner, data.sample_weights()) {
                    inner.push(weights[row]);
                }
            }
        }
        Self::new(points, dim, &sizes, inner.as_deref(), data.class_weights())
    }

    /// The same measure with coordinates of another type.
    ///
    /// # Errors
    /// A coordinate that is finite in `T` but not in `S`.
    #[inline(never)]
    pub fn cast<S: Scalar>(&self) -> Result<MeasureOverMeasures<S>, MeasureError> {
        let points: Vec<S> = self.points.iter().map(|x| S::from_f64(x.to_f64())).collect();
        if let Some(index) = points.iter().position(|x| !x.is_finite()) {
            let found = self.points[index].to_f64();
            return Err(MeasureError::NotFinite { row: index / self.dim + 1, found });
        }
        let dim = self.dim;
        Ok(self.moved(points, dim))
    }

    /// A measure of the same sizes and weights, with other points in another space.
    ///
    /// # Errors
    /// Another number of points, or points that are not finite.
    #[inline(never)]
    pub fn with_points<S: Scalar>(
        &self,
        points: Vec<S>,
        dim: usize,
    ) -> Result<MeasureOverMeasures<S>, MeasureError> {
        let found = points.len();
        let (samples, expected) = (self.sample_count(), self.sample_count() * dim);
        if found != expected {
            return Err(MeasureError::PointCount { samples, dim, expected, found });
        }
        if let Some(index) = points.iter().position(|x| !x.is_finite()) {
            return Err(MeasureError::NotFinite { row: index / dim + 1, found: points[index].to_f64() });
        }
        Ok(self.moved(points, dim))
    }

    /// These sizes and weights, with finite points of the right number.
    fn moved<S>(&self, points: Vec<S>, dim: usize) -> MeasureOverMeasures<S> {
        let (offsets, inner) = (self.offsets.clone(), self.inner.clone());
        MeasureOverMeasures {
            points,
            dim,
            offsets,
            inner,
            outer: self.outer.clone(),
            pooled: self.pooled.clone(),
        }
    }

    /// At most `limit` samples a class, drawn with the seed, the same rows for equal sizes; samples without
    /// mass are left out, and the others keep theirs in proportion.
    ///
    /// # Panics
    /// A limit of 0.
    #[must_use]
    #[inline(never)]
    pub fn subsample(&self, limit: usize, seed: u64) -> Self {
        let (mut points, mut inner) = (Vec::new(), Vec::new());
        let mut sizes = vec![0; self.class_count()];
        for row in self.subsample_rows(limit, seed) {
            let class = self.offsets.partition_point(|&offset| offset <= row) - 1;
            points.extend_from_slice(&self.points[row * self.dim..(row + 1) * self.dim]);
            inner.push(self.class_weights(class).map_or(1.0, |a| a[row - self.offsets[class]]));
            sizes[class] += 1;
        }
        // Finite points with mass, of whole classes: nothing to refuse.
        let part = Self::new(points, self.dim, &sizes, Some(&inner), Some(&self.outer))
            .expect("a part of a valid measure");
        Self { pooled: self.pooled.clone(), ..part }
    }

    /// The samples that [`Self::subsample`] takes, counted over all classes.
    ///
    /// # Panics
    /// A limit of 0.
    #[must_use]
    pub fn subsample_rows(&self, limit: usize, seed: u64) -> Vec<usize> {
        assert!(limit > 0, "a sample of at least one");
        let of_class = |class: usize| {
            // Samples without mass carry no distance: drawn alone they would leave a class empty.
            let massive: Vec<usize> = match self.class_weights(class) {
                Some(weights) => (0..weights.len()).filter(|&index| weights[index] > 0.0).collect(),
                None => (0..self.class_size(class)).collect(),
            };
            let drawn = match massive.len() > limit {
                true => {
                    Stream::new(seed, Purpose::Subsample, class as u64).reader().sample(massive.len(), limit)
                }
                false => (0..massive.len()).collect(),
            };
            drawn.into_iter().map(move |index| self.offsets[class] + massive[index])
        };
        (0..self.class_count()).flat_map(of_class).collect()
    }

    /// Number of classes, `C`.
    #[must_use]
    pub fn class_count(&self) -> usize {
        self.outer.len()
    }

    /// Coordinates a sample, `d`.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of samples over all classes, `N`.
    #[must_use]
    pub fn sample_count(&self) -> usize {
        self.offsets[self.offsets.len() - 1]
    }

    /// Samples of class `class` as a range of rows.
    #[must_use]
    pub fn class_range(&self, class: usize) -> std::ops::Range<usize> {
        self.offsets[class]..self.offsets[class + 1]
    }

    /// Number of samples of a class.
    #[must_use]
    pub fn class_size(&self, class: usize) -> usize {
        self.class_range(class).len()
    }

    /// Coordinates of a class, `n_c x d`, row-major.
    #[must_use]
    pub fn class_points(&self, class: usize) -> &[T] {
        let range = self.class_range(class);
        &self.points[range.start * self.dim..range.end * self.dim]
    }

    /// Weights of the samples of a class, sum 1; `None` stands for uniform.
    #[must_use]
    pub fn class_weights(&self, class: usize) -> Option<&[f64]> {
        self.inner[class].as_deref()
    }

    /// The mass `w_c a_{c,i}` of every sample, class after class, sum 1.
    #[must_use]
    #[inline(never)]
    pub fn sample_masses(&self) -> Vec<f64> {
        (0..self.class_count())
            .flat_map(|class| {
                let (outer, size) = (self.outer[class], self.class_size(class));
                (0..size).map(move |i| outer * self.inner[class].as_ref().map_or(1.0 / size as f64, |a| a[i]))
            })
            .collect()
    }

    /// The mass of every sample where labels are forgotten, class after class, sum 1: `1/N` unless weights were given,
    /// the samples' own where those were, and `w_c a_{c,i}` where classes were given weights. Other than
    /// [`Self::sample_masses`] it does not depend on what the labels of unweighted samples are. Samples that stand for
    /// a class of more ([`Self::subsample`]) share its mass.
    ///
    /// ```
    /// use wowflow::measure::MeasureOverMeasures;
    /// let p = MeasureOverMeasures::uniform(vec![0.0, 1.0, 5.0, 6.0_f64], 1, &[3, 1])?;
    /// assert_eq!(p.pooled_masses(), [0.25; 4]);
    /// assert_eq!(p.sample_masses()[3], 0.5);
    /// # Ok::<(), wowflow::measure::MeasureError>(())
    /// ```
    #[must_use]
    #[inline(never)]
    pub fn pooled_masses(&self) -> Vec<f64> {
        let of = |class: usize| {
            let (pooled, size) = (self.pooled[class], self.class_size(class));
            (0..size).map(move |i| self.inner[class].as_ref().map_or(pooled / size as f64, |a| pooled * a[i]))
        };
        let masses: Vec<f64> = (0..self.class_count()).flat_map(of).collect();
        // Equal but for rounding is equal: solvers have shorter ways then.
        let equal = masses.iter().all(|mass| (mass - masses[0]).abs() <= 4.0 * f64::EPSILON * masses[0]);
        if equal { vec![1.0 / masses.len() as f64; masses.len()] } else { masses }
    }

    /// Weights of the classes, sum 1.
    #[must_use]
    pub fn outer_weights(&self) -> &[f64] {
        &self.outer
    }

    /// All coordinates, `N x d`, row-major, class after class.
    #[must_use]
    pub fn points(&self) -> &[T] {
        &self.points
    }

    /// All coordinates, to be moved in place.
    pub fn points_mut(&mut self) -> &mut [T] {
        &mut self.points
    }
}

/// Weights of a set divided by their sum; weights that are all equal come back as exactly `1/n`.
fn normalised(
    weights: &[f64],
    what: &'static str,
    place: impl Fn() -> String,
) -> Result<Vec<f64>, MeasureError> {
    if let Some(&found) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
        return Err(MeasureError::BadWeights { what, place: place(), found });
    }
    let total: f64 = weights.iter().sum();
    if total <= 0.0 || !total.is_finite() {
        return Err(MeasureError::BadWeights { what, place: place(), found: total });
    }
    if is_uniform(weights) {
        return Ok(vec![1.0 / weights.len() as f64; weights.len()]);
    }
    Ok(weights.iter().map(|w| w / total).collect())
}

fn is_uniform(weights: &[f64]) -> bool {
    weights.iter().all(|w| *w == weights[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Label, Points};

    #[test]
    fn a_dataset_is_regrouped_by_class_with_its_weights() {
        let labels = [2, 1, 2].map(Label::Int).to_vec();
        let data = LabeledDataset::new(Points::F32(vec![0.0, 1.0, 2.0]), 1, labels).unwrap();
        let data = data
            .with_sample_weights(vec![3.0, 1.0, 1.0])
            .unwrap()
            .with_class_weights(vec![1.0, 3.0])
            .unwrap();
        let p = MeasureOverMeasures::<f64>::from_dataset(&data).unwrap();
        assert_eq!(p.points(), &[1.0, 0.0, 2.0]);
        assert_eq!(p.class_weights(0), None);
        assert_eq!(p.class_weights(1), Some(&[0.75, 0.25][..]));
        assert_eq!(p.outer_weights(), &[0.25, 0.75]);
    }

    #[test]
    fn a_measure_keeps_its_weights_in_another_precision() {
        let p = MeasureOverMeasures::new(vec![0.5f32, 2.0], 1, &[2], Some(&[1.0, 3.0]), None).unwrap();
        let wide = p.cast::<f64>().unwrap();
        assert_eq!((wide.points(), wide.class_weights(0)), (&[0.5, 2.0][..], p.class_weights(0)));
        assert_eq!(wide.cast::<f32>().unwrap(), p);
        let huge = MeasureOverMeasures::uniform(vec![0.0, 1e300], 1, &[2]).unwrap();
        assert_eq!(huge.cast::<f32>(), Err(MeasureError::NotFinite { row: 2, found: 1e300 }));
    }

    #[test]
    fn what_cannot_be_a_measure_is_refused() {
        let build = |points: &[f64], sizes: &[usize], inner: Option<&[f64]>| {
            MeasureOverMeasures::new(points.to_vec(), 1, sizes, inner, None).unwrap_err()
        };
        assert!(matches!(build(&[1.0], &[1, 0], None), MeasureError::Empty { .. }));
        assert!(matches!(build(&[1.0], &[2], None), MeasureError::PointCount { expected: 2, found: 1, .. }));
        assert!(matches!(build(&[f64::INFINITY], &[1], None), MeasureError::NotFinite { row: 1, .. }));
        assert!(matches!(build(&[1.0], &[1], Some(&[0.0])), MeasureError::BadWeights { .. }));
        assert!(matches!(build(&[1.0], &[1], Some(&[1.0, 1.0])), MeasureError::WeightCount { .. }));
        let huge = LabeledDataset::new(Points::F64(vec![1e300]), 1, vec![Label::Int(0)]).unwrap();
        assert!(matches!(
            MeasureOverMeasures::<f32>::from_dataset(&huge),
            Err(MeasureError::NotFinite { .. })
        ));
    }
}
