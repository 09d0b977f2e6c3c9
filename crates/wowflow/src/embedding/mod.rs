//! A matrix of distances made visible: points in the plane, and an order of its rows.
//!
//! [`classical_mds`] places points so that their distances are about those given, [`smacof`] improves
//! on it, [`average_linkage`] builds a tree and orders its leaves.

mod eigen;
mod linkage;
mod mds;
mod principal;

pub use linkage::{Dendrogram, Merge, average_linkage};
pub use mds::{Embedding, SmacofOptions, classical_mds, smacof};
pub use principal::principal_components;

use thiserror::Error;

/// Why distances could not be shown.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// No points, or another number of distances.
    #[error("expected {count} x {count} distances of at least one point, found {found}")]
    Count {
        /// Number of points.
        count: usize,
        /// Numbers found.
        found: usize,
    },
    /// A distance that is negative, infinite or NaN.
    #[error("expected distances from 0 to 1e150, found {found} between points {row} and {col}")]
    BadDistance {
        /// One point, counted from 1.
        row: usize,
        /// The other.
        col: usize,
        /// The value found.
        found: f64,
    },
    /// Two distances between the same points.
    #[error("expected symmetric distances, found {forth} and {back} between points {row} and {col}")]
    Asymmetric {
        /// One point, counted from 1.
        row: usize,
        /// The other.
        col: usize,
        /// From one to the other.
        forth: f64,
        /// From the other to the one.
        back: f64,
    },
    /// Coordinates asked for in no dimension.
    #[error("expected at least one coordinate a point, found 0")]
    NoDimension,
    /// Points to start from that are not as many as the distances say, or not finite.
    #[error("expected {expected} finite coordinates to start from, found {found}")]
    BadStart {
        /// Number expected.
        expected: usize,
        /// What was found.
        found: String,
    },
}

/// Distances between `n` points: symmetric, at least 0, finite.
///
/// ```
/// use wowflow::embedding::DistanceMatrix;
/// let distances = DistanceMatrix::new(2, vec![0.0, 3.0, 3.0, 0.0])?;
/// assert_eq!((distances.count(), distances.get(0, 1)), (2, 3.0));
/// # Ok::<(), wowflow::embedding::EmbeddingError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DistanceMatrix {
    count: usize,
    values: Vec<f64>,
}

/// Distances that differ by less than this part of the largest one are symmetric up to rounding.
const ROUNDING: f64 = 1e-9;

impl DistanceMatrix {
    /// Distances beyond this size have squares that could overflow in sums, and are refused.
    pub const LARGEST: f64 = 1e150;

    /// Checks and stores `count x count` row-major distances.
    ///
    /// Differences of rounding between both directions are averaged. What stands on the diagonal
    /// takes no part, so that estimates that do not vanish there may be shown too.
    ///
    /// # Errors
    /// No points, a wrong number of distances, one that is negative or not finite, or directions
    /// that differ.
    pub fn new(count: usize, mut values: Vec<f64>) -> Result<Self, EmbeddingError> {
        if count == 0 || count.checked_mul(count) != Some(values.len()) {
            return Err(EmbeddingError::Count { count, found: values.len() });
        }
        (0..count).for_each(|i| values[i * count + i] = 0.0);
        if let Some(at) = values.iter().position(|value| !(0.0..=Self::LARGEST).contains(value)) {
            return Err(EmbeddingError::BadDistance {
                row: at / count + 1,
                col: at % count + 1,
                found: values[at],
            });
        }
        let largest = values.iter().copied().fold(0.0, f64::max);
        for i in 0..count {
            for j in 0..i {
                let (forth, back) = (values[j * count + i], values[i * count + j]);
                if (forth - back).abs() > ROUNDING * largest {
                    return Err(EmbeddingError::Asymmetric { row: j + 1, col: i + 1, forth, back });
                }
                let mean = 0.5 * (forth + back);
                values[i * count + j] = mean;
                values[j * count + i] = mean;
            }
        }
        Ok(Self { count, values })
    }

    /// Number of points.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// One distance.
    #[must_use]
    pub fn get(&self, row: usize, col: usize) -> f64 {
        self.values[row * self.count + col]
    }

    /// All distances, row-major.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_matrix_of_distances_is_refused() {
        assert_eq!(DistanceMatrix::new(0, vec![]), Err(EmbeddingError::Count { count: 0, found: 0 }));
        assert_eq!(DistanceMatrix::new(2, vec![0.0; 3]), Err(EmbeddingError::Count { count: 2, found: 3 }));
        for bad in [f64::NAN, -1.0, f64::INFINITY, 1e200] {
            let refused = DistanceMatrix::new(2, vec![0.0, bad, 1.0, 0.0]);
            assert!(matches!(refused, Err(EmbeddingError::BadDistance { row: 1, col: 2, .. })));
        }
        let refused = DistanceMatrix::new(2, vec![0.0, 1.0, 1.1, 0.0]);
        assert_eq!(refused, Err(EmbeddingError::Asymmetric { row: 1, col: 2, forth: 1.0, back: 1.1 }));
        // The diagonal takes no part.
        let kept = DistanceMatrix::new(2, vec![f64::NAN, 1.0, 1.0 + 1e-12, -3.0]).unwrap();
        assert_eq!((kept.get(0, 0), kept.get(0, 1)), (0.0, kept.get(1, 0)));
    }
}
