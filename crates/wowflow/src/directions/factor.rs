//! The scale of a step that a kind of directions allows.

use super::Slicing;

/// What a dimension-free step `eta` is multiplied by to give `tau`: `d / (1 + sqrt(d/L))^2`, or `d`
/// when the directions average to the identity over `d` (`book/src/mathematics.md`, "Directions").
///
/// Orthonormal directions have `1/L sum theta theta^T <= ceil(L/d)/L I`, which is `I/d` for whole
/// blocks and at most `I/L` for one partial block. Structured ones are orthonormal in the power of
/// two `D >= d`, then cut to `d` coordinates and stretched: at most `D/d` times that, with `D` for `d`.
#[must_use]
pub fn dimension_factor(slicing: Slicing, directions: usize, dim: usize) -> f64 {
    let (l, d) = (directions as f64, dim as f64);
    match slicing {
        Slicing::Gaussian => d / (1.0 + (d / l).sqrt()).powi(2),
        Slicing::Orthonormal => l / (l / d).ceil(),
        Slicing::Hadamard => {
            let padded = dim.next_power_of_two() as f64;
            l / (l / padded).ceil() * d / padded
        }
        Slicing::Equispaced if directions == 1 => 1.0,
        Slicing::Equispaced => d,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directions::Directions;

    #[test]
    fn the_factor_bounds_the_largest_eigenvalue() {
        for (slicing, count, dim) in [
            (Slicing::Orthonormal, 40, 100),
            (Slicing::Orthonormal, 250, 100),
            (Slicing::Gaussian, 200, 100),
            (Slicing::Hadamard, 64, 100),
            (Slicing::Hadamard, 256, 100),
        ] {
            let thetas = Directions::<f64>::draw(slicing, count, dim, 1, 0).unwrap();
            let mut v = vec![1.0; dim];
            let mut largest = 0.0;
            for _ in 0..200 {
                let mut next = vec![0.0; dim];
                for l in 0..count {
                    let dot: f64 = thetas.row(l).iter().zip(&v).map(|(a, b)| a * b).sum();
                    next.iter_mut().zip(thetas.row(l)).for_each(|(n, t)| *n += dot * t / count as f64);
                }
                largest = next.iter().map(|x| x * x).sum::<f64>().sqrt();
                v = next.iter().map(|x| x / largest).collect();
            }
            let bound = 1.0 / dimension_factor(slicing, count, dim);
            assert!(largest < 1.1 * bound && largest > 0.8 * bound, "{slicing:?} {count}: {largest} {bound}");
        }
    }
}
