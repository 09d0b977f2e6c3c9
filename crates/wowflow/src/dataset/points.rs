//! Coordinates in the precision they were stored in.

use crate::scalar::Scalar;

/// Coordinates of all samples, row-major, in the precision they were stored in.
#[derive(Clone, Debug, PartialEq)]
pub enum Points {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

/// A coordinate type that datasets are stored in.
pub trait Stored: Scalar {
    /// Coordinates as a dataset keeps them.
    fn into_points(values: Vec<Self>) -> Points;
}

impl Stored for f32 {
    fn into_points(values: Vec<Self>) -> Points {
        Points::F32(values)
    }
}

impl Stored for f64 {
    fn into_points(values: Vec<Self>) -> Points {
        Points::F64(values)
    }
}

/// The precision of coordinates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Single.
    #[default]
    F32,
    /// Double.
    F64,
}

crate::named!(Precision, "precision", {
    F32 = "f32": "Single.",
    F64 = "f64": "Double.",
});

impl Points {
    /// Number of coordinates (samples times dimension).
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there are no coordinates.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The precision they are stored in.
    #[must_use]
    pub fn precision(&self) -> Precision {
        match self {
            Self::F32(_) => Precision::F32,
            Self::F64(_) => Precision::F64,
        }
    }

    /// Coordinates `range` converted to `T`.
    #[must_use]
    #[inline(never)]
    pub fn to_vec<T: Scalar>(&self, range: std::ops::Range<usize>) -> Vec<T> {
        match self {
            Self::F32(values) => values[range].iter().map(|&v| T::from_f64(v.to_f64())).collect(),
            Self::F64(values) => values[range].iter().map(|&v| T::from_f64(v)).collect(),
        }
    }

    /// Smallest and largest coordinate, and their mean; `None` without coordinates.
    ///
    /// ```
    /// use wowflow::dataset::{Points, Spread};
    /// let points = Points::F64(vec![1.0, -2.0, 4.0]);
    /// assert_eq!(points.spread(), Some(Spread { minimum: -2.0, maximum: 4.0, mean: 1.0 }));
    /// ```
    #[must_use]
    pub fn spread(&self) -> Option<Spread> {
        match self {
            Self::F32(values) => spread(values),
            Self::F64(values) => spread(values),
        }
    }

    pub(super) fn first_non_finite(&self) -> Option<(usize, f64)> {
        match self {
            Self::F32(values) => values.iter().position(|v| !v.is_finite()).map(|i| (i, values[i].to_f64())),
            Self::F64(values) => values.iter().position(|v| !v.is_finite()).map(|i| (i, values[i])),
        }
    }

    pub(super) fn select_rows(&self, rows: &[usize], dim: usize) -> Self {
        fn pick<T: Copy>(values: &[T], rows: &[usize], dim: usize) -> Vec<T> {
            rows.iter().flat_map(|&row| values[row * dim..(row + 1) * dim].iter().copied()).collect()
        }
        match self {
            Self::F32(values) => Self::F32(pick(values, rows, dim)),
            Self::F64(values) => Self::F64(pick(values, rows, dim)),
        }
    }
}

/// Where coordinates lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Smallest coordinate.
    pub minimum: f64,
    /// Largest coordinate.
    pub maximum: f64,
    /// Their mean.
    pub mean: f64,
}

fn spread<T: Scalar>(values: &[T]) -> Option<Spread> {
    let count = values.len() as f64;
    let values = || values.iter().map(|value| value.to_f64());
    let first = values().next()?;
    let grown =
        |(low, high, sum): (f64, f64, f64), value: f64| (low.min(value), high.max(value), sum + value);
    let (minimum, maximum, sum) = values().fold((first, first, 0.0), grown);
    let mean = if sum.is_finite() { sum / count } else { values().map(|value| value / count).sum() };
    Some(Spread { minimum, maximum, mean })
}
