//! Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations.

/// Eigenvalues in falling order with their eigenvectors.
pub(super) struct Eigen {
    pub(super) values: Vec<f64>,
    /// Unit eigenvectors, one after another, as many coordinates each as there are values.
    pub(super) vectors: Vec<f64>,
}

/// Sweeps after which rotations stop. Convergence is quadratic: 6 to 10 do for hundreds of rows.
const MOST_SWEEPS: usize = 60;

/// The eigenvectors of a `count x count` row-major symmetric matrix (Golub and Van Loan, "Matrix
/// computations", section 8.5). Each is turned so that its largest coordinate is positive.
pub(super) fn symmetric_eigen(mut a: Vec<f64>, count: usize) -> Eigen {
    // Row `i` of `rotated` becomes an eigenvector: rows are what lies together in memory.
    let mut rotated = vec![0.0; count * count];
    (0..count).for_each(|i| rotated[i * count + i] = 1.0);
    let scale = a.iter().fold(0.0f64, |scale, value| scale.max(value.abs()));
    for _ in 0..MOST_SWEEPS {
        let mut turned = false;
        for p in 0..count {
            for q in p + 1..count {
                let off = a[p * count + q];
                if off.abs() <= f64::EPSILON * f64::EPSILON * scale {
                    continue;
                }
                // Nothing changes once the entry is lost beside the diagonal.
                let (app, aqq) = (a[p * count + p], a[q * count + q]);
                let small = off.abs() * 0.01;
                if app.abs() + small == app.abs() && aqq.abs() + small == aqq.abs() {
                    a[p * count + q] = 0.0;
                    a[q * count + p] = 0.0;
                    continue;
                }
                turned = true;
                let theta = (aqq - app) / (2.0 * off);
                let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                // Rows turn, and by symmetry columns are their copies but for the 2 x 2 block.
                turn(&mut a, count, (p, q), cosine, sine);
                turn(&mut rotated, count, (p, q), cosine, sine);
                a[p * count + p] = app - tangent * off;
                a[q * count + q] = aqq + tangent * off;
                a[p * count + q] = 0.0;
                a[q * count + p] = 0.0;
                for k in (0..count).filter(|&k| k != p && k != q) {
                    a[k * count + p] = a[p * count + k];
                    a[k * count + q] = a[q * count + k];
                }
            }
        }
        if !turned {
            break;
        }
    }
    let mut order: Vec<usize> = (0..count).collect();
    let value = |i: usize| a[i * count + i];
    order.sort_by(|&i, &j| value(j).total_cmp(&value(i)));
    let vectors = order.iter().flat_map(|&i| {
        let vector = &rotated[i * count..(i + 1) * count];
        let largest =
            vector.iter().fold(0.0f64, |largest, x| if x.abs() > largest.abs() { *x } else { largest });
        vector.iter().map(move |x| if largest < 0.0 { -x } else { *x })
    });
    Eigen { vectors: vectors.collect(), values: order.iter().map(|&i| value(i)).collect() }
}

/// Turns two rows of a matrix, `p < q`, by an angle.
fn turn(values: &mut [f64], count: usize, (p, q): (usize, usize), cosine: f64, sine: f64) {
    let (above, below) = values.split_at_mut(q * count);
    for (x, y) in above[p * count..(p + 1) * count].iter_mut().zip(&mut below[..count]) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    #[test]
    fn vectors_are_orthonormal_and_rebuild_the_matrix() {
        for (count, step) in [(1, 0), (2, 1), (7, 2), (40, 3)] {
            let mut noise = vec![0.0; count * count];
            Stream::new(2, Purpose::Test, step).normals(0, &mut noise);
            let at = |i: usize, j: usize| noise[i * count + j] + noise[j * count + i];
            let matrix: Vec<f64> = (0..count * count).map(|k| at(k / count, k % count)).collect();
            let Eigen { values, vectors } = symmetric_eigen(matrix.clone(), count);
            assert!(values.windows(2).all(|w| w[0] >= w[1]));
            for i in 0..count {
                for j in 0..count {
                    let dot: f64 = (0..count).map(|k| vectors[i * count + k] * vectors[j * count + k]).sum();
                    assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-13, "{dot}");
                    let entry: f64 =
                        (0..count).map(|k| values[k] * vectors[k * count + i] * vectors[k * count + j]).sum();
                    assert!((entry - matrix[i * count + j]).abs() < 1e-12 * count as f64);
                }
            }
        }
    }

    #[test]
    fn repeated_and_vanishing_eigenvalues_are_found() {
        let ones = symmetric_eigen(vec![1.0; 9], 3);
        assert!((ones.values[0] - 3.0).abs() < 1e-15 && ones.values[1].abs() < 1e-15);
        assert_eq!(symmetric_eigen(vec![0.0; 4], 2).values, [0.0, 0.0]);
        assert_eq!(symmetric_eigen(vec![2.0, 0.0, 0.0, 2.0], 2).values, [2.0, 2.0]);
        let huge = symmetric_eigen(vec![0.0, 1e300, 1e300, 0.0], 2);
        assert!((huge.values[0] / 1e300 - 1.0).abs() < 1e-14 && (huge.values[1] / 1e300 + 1.0).abs() < 1e-14);
    }
}
