//! Where costs come from: a matrix, or points whose distances are computed as they are needed.
//!
//! A search wants to see all costs of a point quickly and few of them exactly. A source offers both:
//! single-precision approximations with a bound on their error, and exact costs. Both are of
//! the same reduced costs `r_ij = (c_ij - p_i - q_j) / scale`, which have the same optimal couplings:
//! subtracting `p_i + q_j` moves potentials, a positive scale stretches them.

use crate::linalg::Threads;

use super::CostMatrix;

/// Rounding of single precision, relative: half a unit in the last place.
pub(super) const ROUND_SINGLE: f64 = 0.5 * f32::EPSILON as f64;

/// Costs as a search sees them.
pub(super) trait Source: Sync {
    /// Number of left and right points.
    fn shape(&self) -> (usize, usize);

    /// Approximations of all reduced costs, row-major, if they are kept.
    fn stored(&self) -> Option<&[f32]>;

    /// Approximations of the reduced costs of some rows, row-major.
    fn approximate(&self, rows: &[u32], out: &mut Vec<f32>, threads: Threads);

    /// Bounds on `|approximation - r_ij|` are a part of the row plus a part of the column; both
    /// include one rounding to single precision of a sum with the approximation.
    fn row_error(&self, row: usize) -> f64;

    /// The part of the column.
    fn col_error(&self, col: usize) -> f64;

    /// Exact reduced costs between a row and some columns.
    fn exact(&self, row: usize, cols: &[u32], out: &mut Vec<f64>);

    /// A bound on the size of reduced costs.
    fn largest(&self) -> f64;

    /// `p_i`.
    fn row_shift(&self, row: usize) -> f64;

    /// `q_j`.
    fn col_shift(&self, col: usize) -> f64;

    /// `scale`, a power of two.
    fn scale(&self) -> f64;
}

/// The power of two at or above a positive number; 1 for 0.
pub(super) fn power_of_two(size: f64) -> f64 {
    let mut power = if size > 0.0 { size.log2().ceil().clamp(-1000.0, 1000.0).exp2() } else { 1.0 };
    while power < size {
        power *= 2.0;
    }
    power
}

/// A cost matrix with a single-precision copy for the search.
pub(super) struct MatrixSource<'a> {
    cost: &'a CostMatrix,
    copy: Vec<f32>,
    row_errors: Vec<f64>,
    scale: f64,
}

impl<'a> MatrixSource<'a> {
    pub(super) fn new(cost: &'a CostMatrix) -> Self {
        let largest = cost.values().iter().fold(0.0f64, |most, c| most.max(c.abs()));
        let scale = power_of_two(largest);
        let copy: Vec<f32> = cost.values().iter().map(|c| (c / scale) as f32).collect();
        // One rounding of the copy, one of a sum with it; what underflows is smaller than 2^-140.
        let row_errors = copy.chunks_exact(cost.cols()).map(|row| {
            let largest = row.iter().fold(0.0f32, |most, c| most.max(c.abs()));
            2.5 * ROUND_SINGLE * f64::from(largest) + 140f64.exp2().recip()
        });
        let row_errors = row_errors.collect();
        Self { cost, copy, row_errors, scale }
    }

    /// Potentials to start from: mean costs of the columns, in fractions of `2^-16`, which keeps sums with whole
    /// numbers exact. For squared distances they undo any translation of either side.
    pub(super) fn column_means(&self) -> Vec<f64> {
        const STEPS: f64 = 65536.0;
        let mut means = vec![0.0; self.cost.cols()];
        for row in self.copy.chunks_exact(means.len()) {
            means.iter_mut().zip(row).for_each(|(mean, cost)| *mean += f64::from(*cost));
        }
        let count = self.cost.rows() as f64;
        means.iter().map(|sum| (sum / count * STEPS).round() / STEPS).collect()
    }
}

impl Source for MatrixSource<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.cost.rows(), self.cost.cols())
    }

    fn stored(&self) -> Option<&[f32]> {
        Some(&self.copy)
    }

    fn approximate(&self, rows: &[u32], out: &mut Vec<f32>, _: Threads) {
        out.clear();
        let m = self.cost.cols();
        rows.iter().for_each(|&row| out.extend_from_slice(&self.copy[row as usize * m..][..m]));
    }

    fn row_error(&self, row: usize) -> f64 {
        self.row_errors[row]
    }

    fn col_error(&self, _: usize) -> f64 {
        0.0
    }

    fn exact(&self, row: usize, cols: &[u32], out: &mut Vec<f64>) {
        let row = self.cost.row(row);
        out.clear();
        out.extend(cols.iter().map(|&col| row[col as usize] / self.scale));
    }

    fn largest(&self) -> f64 {
        1.0
    }

    fn row_shift(&self, _: usize) -> f64 {
        0.0
    }

    fn col_shift(&self, _: usize) -> f64 {
        0.0
    }

    fn scale(&self) -> f64 {
        self.scale
    }
}
