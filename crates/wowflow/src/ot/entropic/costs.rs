//! Ground costs by rows: held in memory, or computed from points when a row is asked for.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use crate::linalg::{Mat, Output, Threads, matmul};
use crate::ot::exact::{CostMatrix, OtError};
use crate::scalar::Scalar;

/// Rows of costs computed together.
pub(super) const BLOCK: usize = 64;
/// At most so many pieces of rows are worked on apart, each with sums of its own over the columns.
const PIECES: usize = 16;
/// Smaller problems are not worth a second thread.
const WORTH_THREADS: usize = 1 << 15;

/// What a plan is charged, before points without mass are left out.
pub(crate) enum Ground<'a, T> {
    /// A matrix of any costs.
    Matrix(&'a CostMatrix),
    /// Squared Euclidean distances, and a constant for every pair of labels if there are labels.
    Points { x: &'a [T], y: &'a [T], dim: usize, labels: Option<Labels<'a>> },
}

/// Labels of both sides and the `classes_left x classes_right` costs between them.
#[derive(Clone, Copy)]
pub(crate) struct Labels<'a> {
    pub(crate) left: &'a [usize],
    pub(crate) right: &'a [usize],
    pub(crate) table: &'a CostMatrix,
}

impl<'a, T: Scalar> Ground<'a, T> {
    /// Squared Euclidean costs of points, checked: complete rows, and no distance can overflow.
    pub(crate) fn points(
        x: &'a [T],
        y: &'a [T],
        dim: usize,
        labels: Option<Labels<'a>>,
    ) -> Result<Self, OtError> {
        for (points, what) in [(x, "the left points"), (y, "the right points")] {
            if points.len().checked_rem(dim) != Some(0) {
                return Err(OtError::Ragged { what, row_len: dim, found: points.len() });
            }
        }
        let (rows, cols) = (x.len() / dim, y.len() / dim);
        if rows == 0 || cols == 0 {
            return Err(OtError::Empty { rows, cols });
        }
        let norm = |point: &[T]| point.iter().map(|v| v.to_f64() * v.to_f64()).sum::<f64>();
        // |x - y|^2 <= 2 |x|^2 + 2 |y|^2; the negation catches NaN.
        let fits = |norm: f64| norm <= CostMatrix::LARGEST / 8.0;
        for (i, point) in x.chunks_exact(dim).enumerate() {
            if !fits(norm(point)) {
                return Err(OtError::BadCost { row: i + 1, col: 1, found: norm(point) });
            }
        }
        for (j, point) in y.chunks_exact(dim).enumerate() {
            if !fits(norm(point)) {
                return Err(OtError::BadCost { row: 1, col: j + 1, found: norm(point) });
            }
        }
        Ok(Self::Points { x, y, dim, labels })
    }

    /// Points on either side.
    pub(super) fn shape(&self) -> (usize, usize) {
        match self {
            Self::Matrix(cost) => (cost.rows(), cost.cols()),
            Self::Points { x, y, dim, .. } => (x.len() / dim, y.len() / dim),
        }
    }

    /// The costs among some rows and columns.
    pub(super) fn select(&self, rows: &[usize], cols: &[usize]) -> Costs<'a> {
        let source = match *self {
            Self::Matrix(cost) if (rows.len(), cols.len()) == (cost.rows(), cost.cols()) => {
                Source::Held(Cow::Borrowed(cost.values()))
            }
            Self::Matrix(cost) => {
                let values = rows.iter().flat_map(|&i| cols.iter().map(move |&j| cost.get(i, j)));
                Source::Held(Cow::Owned(values.collect()))
            }
            Self::Points { x, y, dim, labels } => {
                let labels = labels.map(|labels| LabelCosts {
                    left: rows.iter().map(|&i| labels.left[i]).collect(),
                    right: cols.iter().map(|&j| labels.right[j]).collect(),
                    table: labels.table.values().to_vec(),
                    classes: labels.table.cols(),
                });
                Source::Computed(PointCosts::new((x, rows), (y, cols), dim, labels))
            }
        };
        Costs { rows: rows.len(), cols: cols.len(), source }
    }

    /// The costs among some columns, as rows, and rows, as columns.
    pub(super) fn select_transposed(&self, cols: &[usize], rows: &[usize]) -> Costs<'a> {
        let source = match *self {
            Self::Matrix(cost) => {
                let values = cols.iter().flat_map(|&j| rows.iter().map(move |&i| cost.get(i, j)));
                Source::Held(Cow::Owned(values.collect()))
            }
            Self::Points { x, y, dim, labels } => {
                let labels = labels.map(|labels| {
                    let (n, m) = (labels.table.rows(), labels.table.cols());
                    LabelCosts {
                        left: cols.iter().map(|&j| labels.right[j]).collect(),
                        right: rows.iter().map(|&i| labels.left[i]).collect(),
                        table: (0..n * m).map(|k| labels.table.get(k % n, k / n)).collect(),
                        classes: n,
                    }
                });
                Source::Computed(PointCosts::new((y, cols), (x, rows), dim, labels))
            }
        };
        Costs { rows: cols.len(), cols: rows.len(), source }
    }
}

/// Costs between points that have mass.
pub(super) struct Costs<'a> {
    rows: usize,
    cols: usize,
    source: Source<'a>,
}

enum Source<'a> {
    Held(Cow<'a, [f64]>),
    Computed(PointCosts),
}

impl Costs<'_> {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn cols(&self) -> usize {
        self.cols
    }

    /// The rows of a range, row-major; `scratch` is used if they have to be computed.
    pub(super) fn block<'s>(&'s self, rows: Range<usize>, scratch: &'s mut Vec<f64>) -> &'s [f64] {
        match &self.source {
            Source::Held(values) => &values[rows.start * self.cols..rows.end * self.cols],
            Source::Computed(points) => {
                scratch.resize(rows.len() * self.cols, 0.0);
                points.fill(rows, scratch);
                scratch
            }
        }
    }

    /// Computes all costs once, to be held.
    pub(super) fn hold(&mut self) {
        if let Source::Computed(points) = &self.source {
            let mut values = vec![0.0; self.rows * self.cols];
            values.par_chunks_mut(BLOCK * self.cols).enumerate().for_each(|(block, values)| {
                let start = block * BLOCK;
                points.fill(start..start + values.len() / self.cols, values);
            });
            self.source = Source::Held(Cow::Owned(values));
        }
    }

    /// The mean cost under the product of two normalised weights.
    pub(super) fn mean(&self, a: &[f64], b: &[f64]) -> f64 {
        match &self.source {
            Source::Computed(points) => points.bilinear(a, b),
            Source::Held(values) => {
                let rows = values.chunks_exact(self.cols).zip(a);
                rows.map(|(row, a)| a * row.iter().zip(b).map(|(c, b)| c * b).sum::<f64>()).sum()
            }
        }
    }
}

/// Runs `work` on pieces of the rows, cut by size alone, and returns what it made of them in order.
pub(super) fn by_pieces<R: Send>(
    rows: usize,
    cols: usize,
    work: impl Fn(Range<usize>) -> R + Sync,
) -> Vec<R> {
    let count = rows.div_ceil(BLOCK).clamp(1, PIECES);
    let piece = |k: usize| k * rows / count..(k + 1) * rows / count;
    if rows * cols < WORTH_THREADS {
        return (0..count).map(|k| work(piece(k))).collect();
    }
    (0..count).into_par_iter().map(|k| work(piece(k))).collect()
}

/// Runs `work` on blocks of a buffer with their numbers, on several threads if that is worth it.
pub(super) fn for_blocks(values: &mut [f64], len: usize, work: impl Fn((usize, &mut [f64])) + Sync + Send) {
    if values.len() < WORTH_THREADS {
        values.chunks_mut(len).enumerate().for_each(work);
    } else {
        values.par_chunks_mut(len).enumerate().for_each(work);
    }
}

/// Squared Euclidean distances by `|x|^2 + |y|^2 - 2 <x, y>`, around the mean of the right points.
///
/// Off by some 1e-16 times the largest squared norm: far below any regularisation that `f64` allows.
struct PointCosts {
    x: Vec<f64>,
    y: Vec<f64>,
    x_squares: Vec<f64>,
    y_squares: Vec<f64>,
    dim: usize,
    labels: Option<LabelCosts>,
}

struct LabelCosts {
    left: Vec<usize>,
    right: Vec<usize>,
    table: Vec<f64>,
    classes: usize,
}

impl PointCosts {
    fn new<T: Scalar>(
        (x, rows): (&[T], &[usize]),
        (y, cols): (&[T], &[usize]),
        dim: usize,
        labels: Option<LabelCosts>,
    ) -> Self {
        let gather = |points: &[T], at: &[usize]| -> Vec<f64> {
            at.iter().flat_map(|&i| points[i * dim..(i + 1) * dim].iter().map(|v| v.to_f64())).collect()
        };
        let (mut x, mut y) = (gather(x, rows), gather(y, cols));
        let mut mean = vec![0.0; dim];
        for point in y.chunks_exact(dim) {
            mean.iter_mut().zip(point).for_each(|(mean, v)| *mean += v / cols.len() as f64);
        }
        for point in x.chunks_exact_mut(dim).chain(y.chunks_exact_mut(dim)) {
            point.iter_mut().zip(&mean).for_each(|(v, mean)| *v -= mean);
        }
        let squares =
            |points: &[f64]| points.chunks_exact(dim).map(|p| p.iter().map(|v| v * v).sum()).collect();
        let (x_squares, y_squares) = (squares(&x), squares(&y));
        Self { x, y, x_squares, y_squares, dim, labels }
    }

    fn fill(&self, rows: Range<usize>, out: &mut [f64]) {
        let (count, cols) = (rows.len(), self.y_squares.len());
        let x = Mat::row_major(&self.x[rows.start * self.dim..rows.end * self.dim], count, self.dim);
        let y = Mat::row_major(&self.y, cols, self.dim).transposed();
        matmul(out, Output::Overwrite, -2.0, x, y, Threads::One);
        for (out, i) in out.chunks_exact_mut(cols).zip(rows) {
            let square = self.x_squares[i];
            for (out, y_square) in out.iter_mut().zip(&self.y_squares) {
                let distance = (square + y_square) + *out;
                *out = if distance > 0.0 { distance } else { 0.0 };
            }
            if let Some(labels) = &self.labels {
                let charge = &labels.table[labels.left[i] * labels.classes..][..labels.classes];
                out.iter_mut().zip(&labels.right).for_each(|(out, &label)| *out += charge[label]);
            }
        }
    }

    /// `sum_ij r_i e_j c_ij`, from moments.
    fn bilinear(&self, r: &[f64], e: &[f64]) -> f64 {
        let total = |w: &[f64]| w.iter().sum::<f64>();
        let dot = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(u, v)| u * v).sum::<f64>();
        let first = |w: &[f64], points: &[f64]| {
            let mut sum = vec![0.0; self.dim];
            for (point, w) in points.chunks_exact(self.dim).zip(w) {
                sum.iter_mut().zip(point).for_each(|(sum, v)| *sum += w * v);
            }
            sum
        };
        let squares = total(e) * dot(r, &self.x_squares) + total(r) * dot(e, &self.y_squares);
        let distance = (squares - 2.0 * dot(&first(r, &self.x), &first(e, &self.y))).max(0.0);
        let Some(labels) = &self.labels else { return distance };
        let by_label = |w: &[f64], at: &[usize], classes: usize| {
            let mut sums = vec![0.0; classes];
            at.iter().zip(w).for_each(|(&label, w)| sums[label] += w);
            sums
        };
        let right = by_label(e, &labels.right, labels.classes);
        let left = by_label(r, &labels.left, labels.table.len() / labels.classes);
        let rows = labels.table.chunks_exact(labels.classes).zip(left);
        distance + rows.map(|(row, left)| left * dot(row, &right)).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ot::exact::squared_euclidean;
    use crate::rng::{Purpose, Stream};

    #[test]
    fn rows_held_computed_and_turned_agree() {
        let (n, m, dim) = (70, 9, 5);
        let mut noise = vec![0.0; (n + m) * dim];
        Stream::new(22, Purpose::Test, 0).normals(0, &mut noise);
        let (x, y) = noise.split_at(n * dim);
        let (left, right): (Vec<usize>, Vec<usize>) =
            ((0..n).map(|i| i % 2).collect(), (0..m).map(|j| j % 3).collect());
        let table = CostMatrix::new(2, 3, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let plain = squared_euclidean(x, y, dim).unwrap();
        let expected = |i: usize, j: usize| plain.get(i, j) + table.get(left[i], right[j]);
        let labels = Labels { left: &left, right: &right, table: &table };
        let ground = Ground::points(x, y, dim, Some(labels)).unwrap();
        let (rows, cols): (Vec<usize>, Vec<usize>) = ((0..n).skip(3).collect(), vec![1, 2, 5, 8]);
        let mut costs = ground.select(&rows, &cols);
        let turned = ground.select_transposed(&cols, &rows);
        let (mut scratch, mut other) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let block = costs.block(0..rows.len(), &mut scratch);
            let turned = turned.block(0..cols.len(), &mut other);
            for (k, &i) in rows.iter().enumerate() {
                for (l, &j) in cols.iter().enumerate() {
                    assert!((block[k * cols.len() + l] - expected(i, j)).abs() < 1e-12);
                    assert!((turned[l * rows.len() + k] - expected(i, j)).abs() < 1e-12);
                }
            }
            let (r, e) = (vec![0.25; rows.len()], vec![0.5; cols.len()]);
            let sum: f64 = rows.iter().map(|&i| cols.iter().map(|&j| expected(i, j)).sum::<f64>()).sum();
            assert!((costs.mean(&r, &e) - 0.125 * sum).abs() < 1e-11);
            costs.hold();
        }
    }

    #[test]
    fn what_overflows_or_is_ragged_is_refused() {
        assert!(matches!(Ground::points(&[1e200], &[0.0], 1, None), Err(OtError::BadCost { .. })));
        assert!(matches!(
            Ground::points(&[0.0, f64::NAN], &[0.0], 1, None),
            Err(OtError::BadCost { row: 2, .. })
        ));
        assert!(matches!(Ground::points(&[0.0; 3], &[0.0; 2], 2, None), Err(OtError::Ragged { .. })));
        assert!(matches!(Ground::<f64>::points(&[], &[0.0], 1, None), Err(OtError::Empty { .. })));
    }
}
