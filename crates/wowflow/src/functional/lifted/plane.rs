//! Covariances of the plane in closed form: roots, polar factors, the Bures distance of factors.

/// `M = A^T B` of row-major 2 x 2 matrices.
fn transposed_product(a: &[f64; 4], b: &[f64; 4]) -> [f64; 4] {
    [
        a[0] * b[0] + a[2] * b[2],
        a[0] * b[1] + a[2] * b[3],
        a[1] * b[0] + a[3] * b[2],
        a[1] * b[1] + a[3] * b[3],
    ]
}

/// The orthogonal polar factor `P` of a 2 x 2 matrix, and its nuclear norm `<P, M>`: a rotation or a reflection,
/// whichever has more of it; the identity for 0.
fn polar(m: &[f64; 4]) -> ([f64; 4], f64) {
    let [a, b, c, d] = *m;
    let (rotation, reflection) = ((a + d).hypot(b - c), (a - d).hypot(b + c));
    if rotation == 0.0 && reflection == 0.0 {
        ([1.0, 0.0, 0.0, 1.0], 0.0)
    } else if rotation >= reflection {
        let (cosine, sine) = ((a + d) / rotation, (b - c) / rotation);
        ([cosine, sine, -sine, cosine], rotation)
    } else {
        let (cosine, sine) = ((a - d) / reflection, (b + c) / reflection);
        ([cosine, sine, sine, -cosine], reflection)
    }
}

/// The squared Bures distance of `A A^T` and `B B^T`: `|A|^2 + |B|^2 - 2 |A^T B|_*`.
pub(super) fn bures_pow(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let square = |x: &[f64; 4]| x.iter().map(|x| x * x).sum::<f64>();
    (square(a) + square(b) - 2.0 * polar(&transposed_product(a, b)).1).max(0.0)
}

/// The factor of `B B^T` nearest to `A`: `B P^T` with `P` the polar factor of `A^T B`. The gradient of
/// [`bures_pow`] in `A` is twice `A` less it.
pub(super) fn aligned(a: &[f64; 4], b: &[f64; 4]) -> [f64; 4] {
    let (p, _) = polar(&transposed_product(a, b));
    [
        b[0] * p[0] + b[1] * p[1],
        b[0] * p[2] + b[1] * p[3],
        b[2] * p[0] + b[3] * p[1],
        b[2] * p[2] + b[3] * p[3],
    ]
}

/// The symmetric root of `(S_11, S_12, S_22)`, positive semi-definite up to rounding.
pub(super) fn root([s, t, u]: [f64; 3]) -> [f64; 4] {
    // sqrt(S) = (S + sqrt(det) I) / sqrt(trace + 2 sqrt(det)).
    let determinant = (s * u - t * t).max(0.0).sqrt();
    let scale = (s + u + 2.0 * determinant).sqrt();
    if scale == 0.0 {
        return [0.0; 4];
    }
    [(s + determinant) / scale, t / scale, t / scale, (u + determinant) / scale]
}

/// `(S_11, S_12, S_22)` of a factor.
pub(super) fn covariance(a: &[f64; 4]) -> [f64; 3] {
    [a[0] * a[0] + a[1] * a[1], a[0] * a[2] + a[1] * a[3], a[2] * a[2] + a[3] * a[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ot::bures::{self, Gaussian};
    use crate::rng::{Purpose, Stream};

    fn noise(step: u64) -> [f64; 4] {
        let mut values = [0.0; 4];
        Stream::new(5, Purpose::Test, step).normals(0, &mut values);
        values
    }

    #[test]
    fn distances_and_maps_are_those_of_the_general_code() {
        for step in 0..20 {
            let (a, mut b) = (noise(2 * step), noise(2 * step + 1));
            if step % 4 == 0 {
                (b[2], b[3]) = (0.5 * b[0], 0.5 * b[1]); // rank 1
            }
            let full = |[s, t, u]: [f64; 3]| vec![s, t, t, u];
            let gaussian =
                |f: &[f64; 4]| Gaussian::from_covariance(vec![0.0; 2], &full(covariance(f))).unwrap();
            let expected = bures::w2_pow(&gaussian(&a), &gaussian(&b)).unwrap();
            assert!((bures_pow(&a, &b) - expected).abs() < 1e-9, "{} {expected}", bures_pow(&a, &b));
            let near = aligned(&a, &b);
            let gap: f64 = a.iter().zip(near).map(|(a, b)| (a - b) * (a - b)).sum();
            assert!((gap - expected).abs() < 1e-9);
            for (x, y) in covariance(&near).iter().zip(covariance(&b)) {
                assert!((x - y).abs() < 1e-12);
            }
            for (x, y) in covariance(&root(covariance(&b))).iter().zip(covariance(&b)) {
                assert!((x - y).abs() < 1e-9);
            }
        }
        assert_eq!(root([0.0; 3]), [0.0; 4]);
    }

    #[test]
    fn a_step_of_a_factor_is_the_exponential_map() {
        let (a, g) = (noise(40), noise(41));
        let symmetric = [g[0], g[1], g[1], g[3]];
        let tau = 0.07;
        let product = |x: &[f64; 4], y: &[f64; 4]| {
            [
                x[0] * y[0] + x[1] * y[2],
                x[0] * y[1] + x[1] * y[3],
                x[2] * y[0] + x[3] * y[2],
                x[2] * y[1] + x[3] * y[3],
            ]
        };
        let lifted = product(&symmetric, &a).map(|x| 2.0 * tau * x);
        let moved: [f64; 4] = std::array::from_fn(|k| a[k] - lifted[k]);
        let [s, t, u] = covariance(&a);
        let tangent: Vec<f64> = symmetric.iter().map(|x| -2.0 * tau * x).collect();
        let expected = bures::exp(&[s, t, t, u], &tangent, 2).unwrap();
        let [s, t, u] = covariance(&moved);
        for (found, expected) in [s, t, t, u].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }
}
