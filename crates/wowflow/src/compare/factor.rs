//! A positive semidefinite matrix as `F F^T`.

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
}
