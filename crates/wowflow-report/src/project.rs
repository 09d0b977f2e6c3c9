//! Views in the plane of points that are not planar: principal axes found by power iteration.

use wowflow::rng::{Purpose, Stream};

/// Iterations after which an axis is taken as found: what still turns lies in a plane of nearly
/// equal variances, where any axis shows as much.
const ITERATIONS: usize = 200;
const TOLERANCE: f64 = 1e-10;

/// The mean of some points and the two orthonormal directions along which they vary most.
pub(crate) struct PrincipalPlane {
    mean: Vec<f64>,
    axes: [Vec<f64>; 2],
}

impl PrincipalPlane {
    /// The principal plane of row-major points with `dim >= 2` coordinates.
    ///
    /// Directions without variance are replaced by arbitrary fixed ones; each axis points to where
    /// its largest coordinate is positive.
    pub(crate) fn of(points: &[f32], dim: usize) -> Self {
        let count = (points.len() / dim).max(1) as f64;
        let mut mean = vec![0.0; dim];
        for row in points.chunks_exact(dim) {
            mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value) / count);
        }
        let first = axis(points, &mean, &[], 0);
        let second = axis(points, &mean, std::slice::from_ref(&first), 1);
        Self { mean, axes: [first, second] }
    }

    /// Coordinates along the two axes of every row of some points.
    pub(crate) fn project(&self, points: &[f32]) -> Vec<[f32; 2]> {
        let place = |row: &[f32]| [0, 1].map(|i| along(row, &self.mean, &self.axes[i]) as f32);
        points.chunks_exact(self.mean.len()).map(place).collect()
    }
}

fn along(row: &[f32], mean: &[f64], axis: &[f64]) -> f64 {
    row.iter().zip(mean).zip(axis).map(|((&x, m), a)| (f64::from(x) - m) * a).sum()
}

/// The direction of largest variance orthogonal to `known`.
fn axis(points: &[f32], mean: &[f64], known: &[Vec<f64>], which: u64) -> Vec<f64> {
    let dim = mean.len();
    let mut current = vec![0.0; dim];
    Stream::new(0, Purpose::Directions, which).normals(0, &mut current);
    normalize(&mut current, known);
    for _ in 0..ITERATIONS {
        let mut next = vec![0.0; dim];
        for row in points.chunks_exact(dim) {
            let score = along(row, mean, &current);
            for ((sum, &x), m) in next.iter_mut().zip(row).zip(mean) {
                *sum += score * (f64::from(x) - m);
            }
        }
        if !normalize(&mut next, known) {
            break;
        }
        let turned: f64 = next.iter().zip(&current).map(|(a, b)| (a - b).powi(2)).sum();
        current = next;
        if turned < TOLERANCE * TOLERANCE {
            break;
        }
    }
    let largest = current.iter().fold(0.0f64, |best, &v| if v.abs() > best.abs() { v } else { best });
    if largest < 0.0 {
        current.iter_mut().for_each(|v| *v = -*v);
    }
    current
}

/// Makes a vector orthogonal to unit vectors and of length 1; false if nothing of it is left.
fn normalize(vector: &mut [f64], known: &[Vec<f64>]) -> bool {
    for axis in known {
        let overlap: f64 = vector.iter().zip(axis).map(|(v, a)| v * a).sum();
        vector.iter_mut().zip(axis).for_each(|(v, a)| *v -= overlap * a);
    }
    let length = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    if !length.is_finite() || length < 1e-150 {
        return false;
    }
    vector.iter_mut().for_each(|v| *v /= length);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_an_ellipsoid_are_found_in_order() {
        // Variances 9, 4, 1/4 along orthonormal directions of R^3, about (1, 2, 3).
        let (s, d) = (1.0 / 3.0f64.sqrt(), 1.0 / 2.0f64.sqrt());
        let frame = [[s, s, s], [d, -d, 0.0], [d * s, d * s, -2.0 * d * s]];
        let mut points = Vec::new();
        for (axis, length) in frame.iter().zip([3.0, 2.0, 0.5]) {
            for sign in [-1.0, 1.0] {
                points.extend((0..3).map(|i| (1.0 + i as f64 + sign * length * axis[i]) as f32));
            }
        }
        let plane = PrincipalPlane::of(&points, 3);
        for (found, expected) in plane.axes.iter().zip(frame) {
            let overlap: f64 = found.iter().zip(expected).map(|(a, b)| a * b).sum();
            assert!((overlap.abs() - 1.0).abs() < 1e-6, "{found:?} {expected:?}");
        }
        let shown = plane.project(&points[..6]);
        assert!((shown[0][0].abs() - 3.0).abs() < 1e-4 && shown[0][1].abs() < 1e-3, "{shown:?}");
        assert!((shown[0][0] + shown[1][0]).abs() < 1e-4);
    }

    #[test]
    fn points_without_spread_have_orthonormal_axes_all_the_same() {
        for points in
            [&[1.0f32, 2.0, 3.0][..], &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0], &[0.0, 0.0, 0.0, 5.0, 0.0, 0.0]]
        {
            let plane = PrincipalPlane::of(points, 3);
            let dot = |i: usize, j: usize| -> f64 {
                plane.axes[i].iter().zip(&plane.axes[j]).map(|(a, b)| a * b).sum()
            };
            assert!((dot(0, 0) - 1.0).abs() < 1e-9 && (dot(1, 1) - 1.0).abs() < 1e-9);
            assert!(dot(0, 1).abs() < 1e-9);
            assert!(plane.project(points).iter().flatten().all(|v| v.is_finite()));
        }
    }
}
