//! Multidimensional scaling: classical, and by majorising the stress.

use super::eigen::{Eigen, symmetric_eigen};
use super::{DistanceMatrix, EmbeddingError};

/// Points whose distances are about those given.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Coordinates, `n x dims` row-major, centred, the widest axis first after [`classical_mds`].
    pub coordinates: Vec<f64>,
    /// Coordinates a point.
    pub dims: usize,
    /// Part of the inner products that these coordinates hold, in [0, 1]: the sum of the
    /// eigenvalues behind them over the sum of the sizes of all. 1 if the distances are Euclidean
    /// in `dims` dimensions; also 1 if all are 0. It speaks of the classical solution, before any
    /// [`smacof`].
    pub explained: f64,
    /// `sqrt(sum (delta_ij - |x_i - x_j|)^2 / sum delta_ij^2)` over all pairs; 0 if all distances
    /// are 0.
    pub stress: f64,
}

/// Classical multidimensional scaling (Torgerson): the inner products `-1/2 J D^2 J`, `J` the
/// centring, projected on their largest eigenvectors.
///
/// Recovers Euclidean points exactly, up to rigid motions; negative eigenvalues, a sign of
/// distances that are not Euclidean, are left out and count against `explained`. O(n^3), for some
/// hundreds of points. Axes are turned so that the point farthest out is on the positive side.
///
/// ```
/// use wowflow::embedding::{DistanceMatrix, classical_mds};
/// let line = DistanceMatrix::new(3, vec![0.0, 1.0, 3.0, 1.0, 0.0, 2.0, 3.0, 2.0, 0.0])?;
/// let map = classical_mds(&line, 1)?;
/// let gap = map.coordinates[2] - map.coordinates[0];
/// assert!((gap.abs() - 3.0).abs() < 1e-12 && map.stress < 1e-12 && map.explained > 1.0 - 1e-12);
/// # Ok::<(), wowflow::embedding::EmbeddingError>(())
/// ```
///
/// # Errors
/// No dimension.
pub fn classical_mds(distances: &DistanceMatrix, dims: usize) -> Result<Embedding, EmbeddingError> {
    if dims == 0 {
        return Err(EmbeddingError::NoDimension);
    }
    let count = distances.count();
    let (unit, deltas) = in_units(distances);
    let squares: Vec<f64> = deltas.iter().map(|delta| delta * delta).collect();
    let means: Vec<f64> =
        squares.chunks_exact(count).map(|row| row.iter().sum::<f64>() / count as f64).collect();
    let mean = means.iter().sum::<f64>() / count as f64;
    let product = |k: usize| -0.5 * (squares[k] - means[k / count] - means[k % count] + mean);
    let Eigen { values, vectors } = symmetric_eigen((0..count * count).map(product).collect(), count);
    let mut coordinates = vec![0.0; count * dims];
    for axis in 0..dims.min(count) {
        let length = values[axis].max(0.0).sqrt();
        for (i, x) in vectors[axis * count..(axis + 1) * count].iter().enumerate() {
            coordinates[i * dims + axis] = length * x;
        }
    }
    let all: f64 = values.iter().map(|value| value.abs()).sum();
    let held: f64 = values.iter().take(dims).map(|value| value.max(0.0)).sum();
    let explained = if all > 0.0 { held / all } else { 1.0 };
    let stress = stress(&deltas, &coordinates, dims);
    coordinates.iter_mut().for_each(|x| *x *= unit);
    Ok(Embedding { coordinates, dims, explained, stress })
}

/// The largest distance, and all distances in units of it: their squares neither overflow nor vanish.
fn in_units(distances: &DistanceMatrix) -> (f64, Vec<f64>) {
    let largest = distances.values().iter().copied().fold(0.0, f64::max);
    let unit = if largest > 0.0 { largest } else { 1.0 };
    (unit, distances.values().iter().map(|delta| delta / unit).collect())
}

/// When [`smacof`] stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmacofOptions {
    /// A step that lowers the stress by less than this part is the last.
    pub tolerance: f64,
    /// Most steps.
    pub max_iterations: usize,
}

impl Default for SmacofOptions {
    fn default() -> Self {
        Self { tolerance: 1e-7, max_iterations: 1000 }
    }
}

/// Lowers the stress of an embedding by Guttman's transform, `x_i <- 1/n sum_j (x_i - x_j) delta_ij
/// / |x_i - x_j|` (De Leeuw's SMACOF: each step minimises a quadratic bound from above, so the
/// stress never grows).
///
/// It finds a local minimum near the start. Points that coincide stay together. O(n^2) a step.
///
/// ```
/// use wowflow::embedding::{DistanceMatrix, SmacofOptions, classical_mds, smacof};
/// // Four points at equal distances do not fit in the plane.
/// let distances = DistanceMatrix::new(4, (0..16).map(|k| f64::from(k % 5 != 0)).collect())?;
/// let start = classical_mds(&distances, 2)?;
/// let better = smacof(&distances, &start, &SmacofOptions::default())?;
/// assert!(better.stress < start.stress);
/// # Ok::<(), wowflow::embedding::EmbeddingError>(())
/// ```
///
/// # Errors
/// A start with another number of coordinates, or with some that are not finite.
pub fn smacof(
    distances: &DistanceMatrix,
    start: &Embedding,
    options: &SmacofOptions,
) -> Result<Embedding, EmbeddingError> {
    let (count, dims) = (distances.count(), start.dims);
    if dims == 0 {
        return Err(EmbeddingError::NoDimension);
    }
    let expected = count * dims;
    if start.coordinates.len() != expected {
        return Err(EmbeddingError::BadStart { expected, found: start.coordinates.len().to_string() });
    }
    if let Some(found) = start.coordinates.iter().find(|x| !x.is_finite()) {
        return Err(EmbeddingError::BadStart { expected, found: found.to_string() });
    }
    let (unit, deltas) = in_units(distances);
    let mut best: Vec<f64> = start.coordinates.iter().map(|x| x / unit).collect();
    let mut least = stress(&deltas, &best, dims);
    for _ in 0..options.max_iterations {
        let next = transformed(&deltas, &best, dims);
        let stress = stress(&deltas, &next, dims);
        let lowered = least - stress;
        if lowered <= 0.0 {
            break;
        }
        let last = lowered <= options.tolerance * least;
        (best, least) = (next, stress);
        if last {
            break;
        }
    }
    best.iter_mut().for_each(|x| *x *= unit);
    Ok(Embedding { coordinates: best, stress: least, ..start.clone() })
}

/// Guttman's transform of the coordinates.
fn transformed(deltas: &[f64], x: &[f64], dims: usize) -> Vec<f64> {
    let count = x.len() / dims;
    let mut next = vec![0.0; x.len()];
    for (i, a) in x.chunks_exact(dims).enumerate() {
        let row = &mut next[i * dims..(i + 1) * dims];
        for (b, delta) in x.chunks_exact(dims).zip(&deltas[i * count..(i + 1) * count]) {
            let apart = distance(a, b);
            if apart > 0.0 {
                let ratio = delta / (apart * count as f64);
                row.iter_mut().zip(a.iter().zip(b)).for_each(|(next, (a, b))| *next += ratio * (a - b));
            }
        }
    }
    next
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

fn stress(deltas: &[f64], x: &[f64], dims: usize) -> f64 {
    let count = x.len() / dims;
    let (mut off, mut all) = (0.0, 0.0);
    for (i, a) in x.chunks_exact(dims).enumerate() {
        for (b, delta) in x.chunks_exact(dims).zip(&deltas[i * count..i * count + i]) {
            let error = delta - distance(a, b);
            off += error * error;
            all += delta * delta;
        }
    }
    if all > 0.0 { f64::sqrt(off / all) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    fn noise(len: usize, step: u64) -> Vec<f64> {
        let mut values = vec![0.0; len];
        Stream::new(12, Purpose::Test, step).normals(0, &mut values);
        values
    }

    fn between(points: &[f64], dims: usize) -> DistanceMatrix {
        let count = points.len() / dims;
        let point = |i: usize| &points[i * dims..(i + 1) * dims];
        let values = (0..count * count).map(|k| distance(point(k / count), point(k % count)));
        DistanceMatrix::new(count, values.collect()).unwrap()
    }

    #[test]
    fn euclidean_points_are_recovered_up_to_a_motion() {
        for (count, dims, scale) in [(1, 2, 1.0), (2, 1, 1.0), (9, 2, 1e-100), (30, 3, 1e100)] {
            let points: Vec<f64> = noise(count * dims, count as u64).iter().map(|x| x * scale).collect();
            let distances = between(&points, dims);
            let map = classical_mds(&distances, dims).unwrap();
            let largest = distances.values().iter().copied().fold(0.0, f64::max);
            for (found, expected) in between(&map.coordinates, dims).values().iter().zip(distances.values()) {
                assert!((found - expected).abs() <= 1e-7 * largest, "{found} for {expected}");
            }
            assert!(map.stress < 1e-7 && map.explained > 1.0 - 1e-12, "{} {}", map.stress, map.explained);
            for axis in 0..dims {
                let mean: f64 = map.coordinates.chunks(dims).map(|x| x[axis]).sum();
                assert!(mean.abs() <= 1e-12 * count as f64 * largest);
            }
        }
    }

    #[test]
    fn the_share_explained_is_that_of_the_variances() {
        // A rectangle of sides 4 and 2: variances 4 and 1 along its axes.
        let distances = between(&[0.0, 0.0, 4.0, 0.0, 4.0, 2.0, 0.0, 2.0], 2);
        let map = classical_mds(&distances, 1).unwrap();
        assert!((map.explained - 0.8).abs() < 1e-14);
        let mut places = map.coordinates;
        places.sort_unstable_by(f64::total_cmp);
        let off = places.iter().zip([-2.0, -2.0, 2.0, 2.0]).map(|(x, y)| (x - y).abs());
        assert!(off.fold(0.0, f64::max) < 1e-12);
    }

    #[test]
    fn more_dimensions_than_points_and_points_that_coincide() {
        let map = classical_mds(&DistanceMatrix::new(2, vec![0.0, 1.0, 1.0, 0.0]).unwrap(), 4).unwrap();
        assert_eq!(map.coordinates.len(), 8);
        assert!((distance(&map.coordinates[..4], &map.coordinates[4..]) - 1.0).abs() < 1e-12);
        let zero = DistanceMatrix::new(3, vec![0.0; 9]).unwrap();
        let map = classical_mds(&zero, 2).unwrap();
        assert_eq!((map.coordinates.as_slice(), map.explained, map.stress), (&[0.0; 6][..], 1.0, 0.0));
        assert_eq!(smacof(&zero, &map, &SmacofOptions::default()).unwrap(), map);
        assert_eq!(classical_mds(&zero, 0), Err(EmbeddingError::NoDimension));
    }

    #[test]
    fn the_stress_never_grows_and_ends_where_its_gradient_vanishes() {
        let distances = between(&noise(15 * 6, 40), 6);
        let start = classical_mds(&distances, 2).unwrap();
        let mut last = start.stress;
        let mut map = start.clone();
        for _ in 0..30 {
            map = smacof(&distances, &map, &SmacofOptions { tolerance: 0.0, max_iterations: 1 }).unwrap();
            assert!(map.stress <= last);
            last = map.stress;
        }
        let tight = SmacofOptions { tolerance: 0.0, max_iterations: 100_000 };
        let best = smacof(&distances, &start, &tight).unwrap();
        assert!(best.stress < 0.95 * start.stress && best.explained == start.explained);
        // Central differences of the stress.
        for k in 0..best.coordinates.len() {
            let at = |shift: f64| {
                let mut moved = best.coordinates.clone();
                moved[k] += shift;
                stress(distances.values(), &moved, 2)
            };
            assert!(((at(1e-5) - at(-1e-5)) / 2e-5).abs() < 1e-6);
        }
    }

    #[test]
    fn a_bad_start_is_refused() {
        let distances = between(&noise(8, 1), 2);
        let good = classical_mds(&distances, 2).unwrap();
        for bad in [vec![0.0; 7], vec![f64::NAN; 8]] {
            let start = Embedding { coordinates: bad, ..good.clone() };
            let refused = smacof(&distances, &start, &SmacofOptions::default());
            assert!(matches!(refused, Err(EmbeddingError::BadStart { expected: 8, .. })));
        }
    }
}
