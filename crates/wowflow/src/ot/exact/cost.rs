//! Cost matrices: checked once, and squared Euclidean ones computed from differences in `f64`.

use pulp::{Arch, NullaryFnOnce};

use super::OtError;
use crate::scalar::Scalar;

/// Costs `c_ij` between `rows` left and `cols` right points, row-major, all finite.
///
/// ```
/// use wowflow::ot::exact::CostMatrix;
/// let cost = CostMatrix::new(1, 2, vec![3.0, 4.0])?;
/// assert_eq!((cost.rows(), cost.cols(), cost.get(0, 1)), (1, 2, 4.0));
/// # Ok::<(), wowflow::ot::exact::OtError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CostMatrix {
    rows: usize,
    cols: usize,
    values: Vec<f64>,
}

impl CostMatrix {
    /// Costs beyond this size could overflow in sums along a path and are refused.
    pub const LARGEST: f64 = 1e300;

    /// Checks and stores `rows x cols` row-major costs of either sign.
    ///
    /// # Errors
    /// No rows or columns, a wrong number of costs, or one that is NaN or beyond [`Self::LARGEST`].
    pub fn new(rows: usize, cols: usize, values: Vec<f64>) -> Result<Self, OtError> {
        if rows == 0 || cols == 0 {
            return Err(OtError::Empty { rows, cols });
        }
        if rows.checked_mul(cols) != Some(values.len()) {
            let expected = rows.saturating_mul(cols);
            return Err(OtError::CostCount { rows, cols, expected, found: values.len() });
        }
        if let Some(at) = values.iter().position(|c| c.is_nan() || c.abs() > Self::LARGEST) {
            return Err(OtError::BadCost { row: at / cols + 1, col: at % cols + 1, found: values[at] });
        }
        Ok(Self { rows, cols, values })
    }

    /// These costs in another unit, or the first one that is not finite in it: costs to tell may be larger than those
    /// to solve with.
    pub(crate) fn in_unit(&self, scaled: impl Fn(f64) -> f64) -> Result<Self, f64> {
        let values: Vec<f64> = self.values.iter().map(|cost| scaled(*cost)).collect();
        match values.iter().find(|cost| !cost.is_finite()) {
            None => Ok(Self { values, ..*self }),
            Some(found) => Err(*found),
        }
    }

    /// Number of left points.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of right points.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All costs, row-major.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Costs of one left point.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.cols..(row + 1) * self.cols]
    }

    /// One cost.
    #[must_use]
    pub fn get(&self, row: usize, col: usize) -> f64 {
        self.row(row)[col]
    }

    /// The costs among the given rows and columns.
    pub(super) fn select(&self, rows: &[usize], cols: &[usize]) -> Self {
        let values = rows.iter().flat_map(|&i| cols.iter().map(move |&j| self.get(i, j))).collect();
        Self { rows: rows.len(), cols: cols.len(), values }
    }
}

/// Squared Euclidean distances between `n x dim` and `m x dim` row-major points, in `f64`.
///
/// Each distance is a sum of squared differences in the order of the coordinates: it is 0 exactly
/// between equal points, symmetric to the bit, and does not depend on the machine.
///
/// ```
/// use wowflow::ot::exact::squared_euclidean;
/// let cost = squared_euclidean(&[0.0f32, 0.0], &[3.0, 4.0, 1.0, 0.0], 2)?;
/// assert_eq!(cost.values(), &[25.0, 1.0]);
/// # Ok::<(), wowflow::ot::exact::OtError>(())
/// ```
///
/// # Errors
/// No points, incomplete rows, or distances that are not finite.
#[inline(never)]
pub fn squared_euclidean<T: Scalar>(x: &[T], y: &[T], dim: usize) -> Result<CostMatrix, OtError> {
    let (rows, cols) = checked_counts(x, y, dim)?;
    let panels = Panels::pack(y, dim);
    CostMatrix::new(rows, cols, panels.distances(x))
}

/// Numbers of points, none of them 0.
pub(super) fn checked_counts<T>(x: &[T], y: &[T], dim: usize) -> Result<(usize, usize), OtError> {
    let (rows, cols) = (count(x, dim, "the left points")?, count(y, dim, "the right points")?);
    if rows == 0 || cols == 0 {
        return Err(OtError::Empty { rows, cols });
    }
    Ok((rows, cols))
}

/// An error if a squared distance is not finite or too large, found by a look at all of them.
pub(super) fn first_bad<T: Scalar>(x: &[T], y: &[T], dim: usize) -> Result<(), OtError> {
    let panels = Panels::pack(y, dim);
    let cols = y.len() / dim;
    for (block, rows) in x.chunks(BLOCK * dim).enumerate() {
        CostMatrix::new(rows.len() / dim, cols, panels.distances(rows)).map_err(|error| match error {
            OtError::BadCost { row, col, found } => OtError::BadCost { row: block * BLOCK + row, col, found },
            other => other,
        })?;
    }
    Ok(())
}

fn count<T>(points: &[T], dim: usize, what: &'static str) -> Result<usize, OtError> {
    match points.len().checked_rem(dim) {
        Some(0) => Ok(points.len() / dim),
        _ => Err(OtError::Ragged { what, row_len: dim, found: points.len() }),
    }
}

/// Columns worked on together: a cache line of doubles.
const LANES: usize = 8;
/// Rows worked on together: their accumulators fill half the vector registers.
const GROUP: usize = 4;
/// Rows that go by while a panel is in the first cache; they stay in the second.
const BLOCK: usize = 64;
/// Coordinates worked on together: a panel of them stays in the first cache.
const DEPTH: usize = 256;

/// Right points packed for the distance kernel: panels of `LANES` points, coordinate after coordinate.
pub(in crate::ot) struct Panels {
    panels: Vec<[f64; LANES]>,
    cols: usize,
    dim: usize,
}

impl Panels {
    /// Packs `m x dim` points; the caller has checked that the rows are complete.
    pub(in crate::ot) fn pack<T: Scalar>(y: &[T], dim: usize) -> Self {
        let cols = y.len() / dim;
        let mut panels = vec![[0.0; LANES]; cols.div_ceil(LANES) * dim];
        for (j, point) in y.chunks_exact(dim).enumerate() {
            let panel = &mut panels[j / LANES * dim..][..dim];
            for (slot, value) in panel.iter_mut().zip(point) {
                slot[j % LANES] = value.to_f64();
            }
        }
        Self { panels, cols, dim }
    }

    /// Squared distances of `n x dim` points to the packed ones, `n x m` row-major.
    pub(in crate::ot) fn distances<T: Scalar>(&self, x: &[T]) -> Vec<f64> {
        let x: Vec<f64> = x.iter().map(|v| v.to_f64()).collect();
        let mut out = vec![0.0; x.len() / self.dim * self.cols];
        Arch::new().dispatch(Fill {
            panels: &self.panels,
            cols: self.cols,
            dim: self.dim,
            x: &x,
            out: &mut out,
        });
        out
    }
}

/// The distance kernel as an operation to be compiled for each instruction set. (A closure would
/// be reached through a shim that is not always inlined, and lose the wide instructions there.)
struct Fill<'a> {
    panels: &'a [[f64; LANES]],
    cols: usize,
    dim: usize,
    x: &'a [f64],
    out: &'a mut [f64],
}

impl NullaryFnOnce for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { panels, cols, dim, x, out } = self;
        for (x, out) in x.chunks(BLOCK * dim).zip(out.chunks_mut(BLOCK * cols)) {
            for start in (0..dim).step_by(DEPTH) {
                let depth = start..(start + DEPTH).min(dim);
                for (p, panel) in panels.chunks_exact(dim).enumerate() {
                    let width = p * LANES..((p + 1) * LANES).min(cols);
                    let panel = &panel[depth.clone()];
                    for (points, out) in x.chunks(GROUP * dim).zip(out.chunks_mut(GROUP * cols)) {
                        if points.len() == GROUP * dim {
                            let row = |r: usize| &points[r * dim..][depth.clone()];
                            accumulate::<GROUP>(std::array::from_fn(row), panel, out, cols, width.clone());
                        } else {
                            for (point, out) in points.chunks_exact(dim).zip(out.chunks_exact_mut(cols)) {
                                accumulate([&point[depth.clone()]], panel, out, cols, width.clone());
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Adds the squared differences of `R` rows to a panel to the entries `width` of rows of `out`.
#[inline(always)]
fn accumulate<const R: usize>(
    rows: [&[f64]; R],
    panel: &[[f64; LANES]],
    out: &mut [f64],
    cols: usize,
    width: std::ops::Range<usize>,
) {
    let mut stored = [[0.0; LANES]; R];
    for (r, stored) in stored.iter_mut().enumerate() {
        stored[..width.len()].copy_from_slice(&out[r * cols..][width.clone()]);
    }
    // A copy that is only ever indexed by constants stays in registers.
    let mut sums = stored;
    let rows = rows.map(|row| &row[..panel.len()]);
    for (k, column) in panel.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let x = row[k];
            for (sum, y) in sums.iter_mut().zip(column) {
                let difference = x - y;
                *sum += difference * difference;
            }
        }
    }
    stored = sums;
    for (r, stored) in stored.iter().enumerate() {
        out[r * cols..][width.clone()].copy_from_slice(&stored[..width.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    #[test]
    fn distances_match_the_definition_bit_by_bit_in_every_shape() {
        for (n, m, dim) in [(1, 1, 1), (3, 9, 2), (4, 8, 5), (9, 17, 257), (6, 3, 784)] {
            let mut noise = vec![0.0; (n + m) * dim];
            Stream::new(3, Purpose::Test, dim as u64).normals(0, &mut noise);
            let (x, y) = noise.split_at(n * dim);
            let cost = squared_euclidean(x, y, dim).unwrap();
            for i in 0..n {
                for j in 0..m {
                    let mut sum = 0.0;
                    for k in 0..dim {
                        let difference: f64 = x[i * dim + k] - y[j * dim + k];
                        sum += difference * difference;
                    }
                    assert_eq!(cost.get(i, j), sum, "({i}, {j}) of {n} x {m} in {dim}");
                }
            }
        }
    }

    #[test]
    fn single_precision_points_are_compared_in_double() {
        let cost = squared_euclidean(&[16_777_216.0f32], &[1.0f32], 1).unwrap();
        assert_eq!(cost.get(0, 0), 16_777_215.0f64 * 16_777_215.0);
    }

    #[test]
    fn what_is_no_cost_matrix_is_refused() {
        assert_eq!(CostMatrix::new(0, 3, vec![]), Err(OtError::Empty { rows: 0, cols: 3 }));
        let wrong = OtError::CostCount { rows: 2, cols: 2, expected: 4, found: 3 };
        assert_eq!(CostMatrix::new(2, 2, vec![0.0; 3]), Err(wrong));
        assert!(matches!(CostMatrix::new(1, 2, vec![0.0, f64::NAN]), Err(OtError::BadCost { col: 2, .. })));
        assert!(matches!(squared_euclidean(&[1e200], &[0.0], 1), Err(OtError::BadCost { .. })));
        assert!(matches!(squared_euclidean(&[0.0; 3], &[0.0; 2], 2), Err(OtError::Ragged { found: 3, .. })));
        assert!(matches!(squared_euclidean(&[0.0; 3], &[0.0; 2], 0), Err(OtError::Ragged { .. })));
        assert!(matches!(squared_euclidean::<f64>(&[], &[0.0], 1), Err(OtError::Empty { rows: 0, cols: 1 })));
    }
}
