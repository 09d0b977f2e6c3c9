//! Two small factorisations: a positive semidefinite matrix as `F F^T`, and the nuclear norm.

/// Columns `F` (column-major, `n` apart) with `F F^T` the given `n x n` positive semidefinite matrix, by
/// Cholesky's method with the largest remaining diagonal first, stopped where only rounding remains: as many
/// columns as the rank.
pub(super) fn pivoted_cholesky(matrix: &[f64], n: usize) -> Vec<f64> {
    const ROUNDING: f64 = 1e-14;
    let mut diagonal: Vec<f64> = (0..n).map(|i| matrix[i * n + i]).collect();
    let largest = diagonal.iter().copied().fold(0.0, f64::max);
    let mut columns: Vec<f64> = Vec::new();
    for _ in 0..n {
        let (mut pivot, mut most) = (0, ROUNDING * largest);
        for (i, &left) in diagonal.iter().enumerate() {
            if left > most {
                (pivot, most) = (i, left);
            }
        }
        if most <= ROUNDING * largest {
            break;
        }
        let mut column: Vec<f64> = (0..n).map(|i| matrix[i * n + pivot]).collect();
        for before in columns.chunks(n) {
            let share = before[pivot];
            column.iter_mut().zip(before).for_each(|(entry, other)| *entry -= share * other);
        }
        let root = most.sqrt();
        for (entry, left) in column.iter_mut().zip(&mut diagonal) {
            *entry /= root;
            *left -= *entry * *entry;
        }
        diagonal[pivot] = 0.0;
        columns.extend(column);
    }
    columns
}

/// The sum of singular values of a matrix given by its columns (`rows` apart), which are used up: rotations make
/// them orthogonal in pairs (Hestenes), then their lengths are the singular values.
pub(super) fn nuclear_norm(columns: &mut [f64], rows: usize) -> f64 {
    const SWEEPS: usize = 40;
    const ORTHOGONAL: f64 = 1e-14;
    let count = columns.len() / rows;
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for i in 0..count {
            for j in i + 1..count {
                let (before, after) = columns.split_at_mut(j * rows);
                let (a, b) = (&mut before[i * rows..(i + 1) * rows], &mut after[..rows]);
                let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
                if ab.abs() <= ORTHOGONAL * (aa * bb).sqrt() {
                    continue;
                }
                rotated = true;
                let tau = (bb - aa) / (2.0 * ab);
                let tangent = tau.signum() / (tau.abs() + tau.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                for (x, y) in a.iter_mut().zip(b) {
                    (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    columns.chunks(rows).map(|column| dot(column, column).sqrt()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    fn noise(len: usize, step: u64) -> Vec<f64> {
        let mut values = vec![0.0; len];
        Stream::new(31, Purpose::Test, step).normals(0, &mut values);
        values
    }

    #[test]
    fn factors_multiply_back_at_any_rank() {
        for (n, rank) in [(1, 1), (5, 5), (7, 3), (6, 0)] {
            let f = noise(n * rank, n as u64);
            let product = |f: &[f64]| -> Vec<f64> {
                let entry = |i: usize, j: usize| f.chunks(n).map(|column| column[i] * column[j]).sum();
                (0..n * n).map(|k| entry(k / n, k % n)).collect()
            };
            let matrix = product(&f);
            let found = pivoted_cholesky(&matrix, n);
            assert_eq!(found.len(), n * rank, "rank {rank} of {n}");
            assert!(product(&found).iter().zip(&matrix).all(|(a, b)| (a - b).abs() < 1e-12));
        }
    }

    #[test]
    fn nuclear_norms() {
        // Diagonal, rank one, and a rotation-invariant one.
        assert!((nuclear_norm(&mut [3.0, 0.0, 0.0, -4.0], 2) - 7.0).abs() < 1e-14);
        assert!((nuclear_norm(&mut [1.0, 2.0, 2.0, 2.0, 4.0, 4.0], 3) - 45.0_f64.sqrt()).abs() < 1e-13);
        assert_eq!(nuclear_norm(&mut [0.0; 6], 3), 0.0);
        assert_eq!(nuclear_norm(&mut [], 3), 0.0);
        // 2 x 2: (s1 + s2)^2 = |A|^2 + 2 |det A|.
        for step in 0..20 {
            let a = noise(4, 100 + step);
            let square = a.iter().map(|v| v * v).sum::<f64>() + 2.0 * (a[0] * a[3] - a[1] * a[2]).abs();
            assert!((nuclear_norm(&mut a.clone(), 2) - square.sqrt()).abs() < 1e-12);
        }
    }
}
