//! Squared Euclidean costs of points: products of centred points to search, differences to be exact.

use std::ops::Range;

use pulp::{Arch, NullaryFnOnce};

use crate::linalg::{Mat, Output, Threads, matmul};
use crate::scalar::Scalar;

use super::CostMatrix;
use super::source::{ROUND_SINGLE, Source, power_of_two};

/// Partial sums of a distance: the same on every machine.
const LANES: usize = 16;

/// Two clouds of points, and charges by their classes if there are some.
///
/// With `x' = x - mean(x)`, `y' = y - mean(y)` and `D = mean(x) - mean(y)` the cost is
/// `|x - y|^2 = -2 x'.y' + p + q`, where `p = |x'|^2 + 2 D.x' + |D|^2` and `q = |y'|^2 - 2 D.y'`:
/// searching on `-2 x'.y'` alone, clouds far apart are as easy as clouds that overlap.
pub(super) struct PointSource<'a, T> {
    x: &'a [T],
    y: &'a [T],
    dim: usize,
    left: Side,
    right: Side,
    scale: f64,
    /// No squared distance is above this; NaN or infinite if that is not sure.
    most: f64,
    charges: Option<Reduced<'a>>,
    stored: Option<Vec<f32>>,
}

/// What costs have beside the squared distance: a table by the classes of both points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charges<'a> {
    pub(super) left: &'a [usize],
    pub(super) right: &'a [usize],
    pub(super) table: &'a CostMatrix,
}

impl Charges<'_> {
    pub(super) fn of(&self, row: usize, col: usize) -> f64 {
        self.table.get(self.left[row], self.right[col])
    }
}

/// Charges less the means of their rows and columns, which shifts take: datasets far apart are as easy as near ones.
struct Reduced<'a> {
    charges: Charges<'a>,
    /// In units of the source, row-major.
    table: Vec<f32>,
    /// Columns of one class that follow each other.
    runs: Vec<(Range<usize>, usize)>,
}

impl<'a> Reduced<'a> {
    /// Moves means to the shifts, and what rounding of the rest does to the errors.
    fn new(charges: Charges<'a>, left: &mut Side, right: &mut Side, scale: f64) -> Self {
        let table = charges.table;
        let (rows, cols) = (table.rows(), table.cols());
        let of_row: Vec<f64> = (0..rows).map(|a| table.row(a).iter().sum::<f64>() / cols as f64).collect();
        let mean = of_row.iter().sum::<f64>() / rows as f64;
        let column = |b: usize| (0..rows).map(|a| table.get(a, b)).sum::<f64>() / rows as f64 - mean;
        let of_col: Vec<f64> = (0..cols).map(column).collect();
        let reduced: Vec<f64> = (0..rows * cols)
            .map(|k| (table.values()[k] - of_row[k / cols] - of_col[k % cols]) / scale)
            .collect();
        let most = |values: &[f64]| values.iter().fold(0.0f64, |most, v| most.max(v.abs()));
        // One rounding of the charge, and that of a sum with it twice; sums of costs and shifts in double precision.
        let doubles = (most(table.values()) + most(&of_row) + most(&of_col)) / scale;
        let error = |a: usize| {
            4.0 * ROUND_SINGLE * most(&reduced[a * cols..(a + 1) * cols]) + 8.0 * f64::EPSILON * doubles
        };
        let errors: Vec<f64> = (0..rows).map(error).collect();
        for ((shift, error), &a) in left.shifts.iter_mut().zip(&mut left.errors).zip(charges.left) {
            *shift += of_row[a];
            *error += errors[a];
        }
        right.shifts.iter_mut().zip(charges.right).for_each(|(shift, &b)| *shift += of_col[b]);
        let mut runs: Vec<(Range<usize>, usize)> = Vec::new();
        for (col, &class) in charges.right.iter().enumerate() {
            match runs.last_mut() {
                Some((run, of)) if *of == class => run.end = col + 1,
                _ => runs.push((col..col + 1, class)),
            }
        }
        Self { charges, table: reduced.iter().map(|v| *v as f32).collect(), runs }
    }

    /// Adds the charges of a row.
    fn add(&self, row: usize, out: &mut [f32]) {
        let cols = self.charges.table.cols();
        let table = &self.table[self.charges.left[row] * cols..][..cols];
        for (run, class) in &self.runs {
            let charge = table[*class];
            out[run.clone()].iter_mut().for_each(|cost| *cost += charge);
        }
    }
}

/// One side: centred points in units of their own, whose product is `scale`; shifts and bounds on errors.
struct Side {
    centred: Vec<f32>,
    shifts: Vec<f64>,
    errors: Vec<f64>,
}

impl<'a, T: Scalar> PointSource<'a, T> {
    /// Points of checked shape whose squared distances are finite.
    pub(super) fn new(
        x: &'a [T],
        y: &'a [T],
        dim: usize,
        charges: Option<Charges<'a>>,
        store: bool,
        threads: Threads,
    ) -> Self {
        let (mean_x, mean_y) = (mean(x, dim), mean(y, dim));
        let between: Vec<f64> = mean_x.iter().zip(&mean_y).map(|(x, y)| x - y).collect();
        let reach = (reach(x, &mean_x), reach(y, &mean_y));
        // A coordinate that is not finite shows in the mean.
        let mut most: f64 = between.iter().map(|d| (d.abs() + reach.0 + reach.1).powi(2)).sum();
        if let Some(charges) = charges {
            most += charges.table.values().iter().fold(0.0f64, |most, charge| most.max(charge.abs()));
        }
        let units = units(reach.0, reach.1, &between);
        let scale = units.0 * units.1;
        let mut left = side(x, &mean_x, &between, 1.0, (units.0, scale));
        let mut right = side(y, &mean_y, &between, -1.0, (units.1, scale));
        let charges = charges.map(|charges| Reduced::new(charges, &mut left, &mut right, scale));
        let mut source = Self { x, y, dim, left, right, scale, most, charges, stored: None };
        if store {
            let (n, m) = source.shape();
            let mut matrix = vec![0.0; n * m];
            source.product(&source.left.centred, &mut matrix, threads);
            if let Some(charges) = &source.charges {
                matrix.chunks_exact_mut(m).enumerate().for_each(|(row, costs)| charges.add(row, costs));
            }
            source.stored = Some(matrix);
        }
        source
    }

    /// Whether all squared distances are surely below a limit.
    pub(super) fn is_bounded(&self, limit: f64) -> bool {
        self.most < limit
    }

    fn product(&self, rows: &[f32], out: &mut [f32], threads: Threads) {
        let (n, m, dim) = (rows.len() / self.dim, self.y.len() / self.dim, self.dim);
        let right = Mat::row_major(&self.right.centred, m, dim).transposed();
        matmul(out, Output::Overwrite, -2.0, Mat::row_major(rows, n, dim), right, threads);
    }
}

fn mean<T: Scalar>(points: &[T], dim: usize) -> Vec<f64> {
    let mut sum = vec![0.0; dim];
    let share = dim as f64 / points.len() as f64;
    for point in points.chunks_exact(dim) {
        sum.iter_mut().zip(point).for_each(|(sum, v)| *sum += v.to_f64() * share);
    }
    sum
}

fn reach<T: Scalar>(points: &[T], mean: &[f64]) -> f64 {
    let mut far = vec![0.0f64; mean.len()];
    for point in points.chunks_exact(mean.len()) {
        for ((far, v), mean) in far.iter_mut().zip(point).zip(mean) {
            let distance = (v.to_f64() - mean).abs();
            *far = if distance > *far { distance } else { *far };
        }
    }
    far.into_iter().fold(0.0, f64::max)
}

/// A unit for each side, so that neither is lost beside the other. Powers of two: scaling is exact.
fn units(reach_x: f64, reach_y: f64, between: &[f64]) -> (f64, f64) {
    let (mut x, mut y) = (power_of_two(reach_x), power_of_two(reach_y));
    // Costs are differences in double precision: what their rounding hides need not be resolved.
    let across = between.iter().fold(reach_x + reach_y, |most, d| most.max(d.abs()));
    let least = power_of_two(f64::EPSILON.sqrt() * across).max(2f64.powi(-500));
    while x * y < least * least {
        (x, y) = (2.0 * x, 2.0 * y);
    }
    (x, y)
}

fn side<T: Scalar>(
    points: &[T],
    mean: &[f64],
    between: &[f64],
    sign: f64,
    (unit, scale): (f64, f64),
) -> Side {
    let dim = mean.len();
    let distance: f64 = between.iter().map(|d| d * d).sum();
    let d = dim as f64;
    // `2 |x.y| <= |x|^2 + |y|^2`, and each of dim + 4 roundings (of both coordinates, of products
    // and sums in any order, of a sum with the result) is a factor of at most 1 +- half a last place.
    let single = 1.01 * (d + 6.0) * ROUND_SINGLE;
    // The same for exact costs and shifts in double precision, whose terms are at most
    // six times |x'|^2 + |y'|^2 + |D|^2.
    let double = 6.0 * (d + 8.0) * f64::EPSILON;
    let mut side = Side { centred: vec![0.0; points.len()], shifts: Vec::new(), errors: Vec::new() };
    let own = if sign > 0.0 { distance } else { 0.0 };
    let underflow = d * 120f64.exp2().recip();
    for (point, out) in points.chunks_exact(dim).zip(side.centred.chunks_exact_mut(dim)) {
        let (square, along) = Arch::new().dispatch(Centre { point, mean, between, unit, out });
        side.shifts.push(square + 2.0 * sign * along + own);
        side.errors
            .push(single * square / (unit * unit) + double * ((square + distance) / scale) + underflow);
    }
    side
}

/// Writes `point - mean` in a unit; returns its square and its product with `between`.
struct Centre<'a, T> {
    point: &'a [T],
    mean: &'a [f64],
    between: &'a [f64],
    unit: f64,
    out: &'a mut [f32],
}

impl<T: Scalar> NullaryFnOnce for Centre<'_, T> {
    type Output = (f64, f64);

    #[inline(always)]
    fn call(self) -> (f64, f64) {
        let Self { point, mean, between, unit, out } = self;
        // The inverse of a power of two is one too, and a product faster than a quotient.
        let inverse = unit.recip();
        let (mut squares, mut alongs) = ([0.0; LANES], [0.0; LANES]);
        let (points, point_rest) = point.as_chunks::<LANES>();
        let (means, mean_rest) = mean.as_chunks::<LANES>();
        let (betweens, between_rest) = between.as_chunks::<LANES>();
        let (outs, out_rest) = out.as_chunks_mut::<LANES>();
        for (((point, mean), between), out) in points.iter().zip(means).zip(betweens).zip(outs) {
            for l in 0..LANES {
                let centred = point[l].to_f64() - mean[l];
                squares[l] += centred * centred;
                alongs[l] += centred * between[l];
                out[l] = (centred * inverse) as f32;
            }
        }
        for (l, out) in out_rest.iter_mut().enumerate() {
            let centred = point_rest[l].to_f64() - mean_rest[l];
            squares[l] += centred * centred;
            alongs[l] += centred * between_rest[l];
            *out = (centred * inverse) as f32;
        }
        (squares.iter().sum(), alongs.iter().sum())
    }
}

impl<T: Scalar> Source for PointSource<'_, T> {
    fn shape(&self) -> (usize, usize) {
        (self.x.len() / self.dim, self.y.len() / self.dim)
    }

    fn stored(&self) -> Option<&[f32]> {
        self.stored.as_deref()
    }

    fn approximate(&self, rows: &[u32], out: &mut Vec<f32>, threads: Threads) {
        let point = |row: u32| &self.left.centred[row as usize * self.dim..][..self.dim];
        let block: Vec<f32> = rows.iter().flat_map(|&row| point(row)).copied().collect();
        out.resize(rows.len() * self.shape().1, 0.0);
        self.product(&block, out, threads);
        if let Some(charges) = &self.charges {
            let costs = out.chunks_exact_mut(self.shape().1);
            rows.iter().zip(costs).for_each(|(&row, costs)| charges.add(row as usize, costs));
        }
    }

    fn row_error(&self, row: usize) -> f64 {
        self.left.errors[row]
    }

    fn col_error(&self, col: usize) -> f64 {
        self.right.errors[col]
    }

    fn exact(&self, row: usize, cols: &[u32], out: &mut Vec<f64>) {
        out.resize(cols.len(), 0.0);
        let x = &self.x[row * self.dim..][..self.dim];
        Arch::new().dispatch(Distances { x, y: self.y, cols, out });
        let shift = self.left.shifts[row];
        for (out, &col) in out.iter_mut().zip(cols) {
            if let Some(reduced) = &self.charges {
                *out += reduced.charges.of(row, col as usize);
            }
            *out = (*out - shift - self.right.shifts[col as usize]) / self.scale;
        }
    }

    fn largest(&self) -> f64 {
        // Coordinates are at most 1.
        let charges = self.charges.iter().flat_map(|charges| &charges.table);
        2.0 * self.dim as f64 + charges.fold(0.0f64, |most, charge| most.max(f64::from(charge.abs())))
    }

    fn row_shift(&self, row: usize) -> f64 {
        self.left.shifts[row]
    }

    fn col_shift(&self, col: usize) -> f64 {
        self.right.shifts[col]
    }

    fn scale(&self) -> f64 {
        self.scale
    }
}

/// Squared distances of a point to some points, as an operation compiled for each instruction set.
struct Distances<'a, T> {
    x: &'a [T],
    y: &'a [T],
    cols: &'a [u32],
    out: &'a mut [f64],
}

impl<T: Scalar> NullaryFnOnce for Distances<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let dim = self.x.len();
        for (out, &col) in self.out.iter_mut().zip(self.cols) {
            *out = sum_of_squares(self.x, &self.y[col as usize * dim..][..dim]);
        }
    }
}

/// The squared distance of two points: 0 exactly if they are equal, symmetric to the bit, and the
/// same on every machine.
pub(super) fn squared_distance<T: Scalar>(x: &[T], y: &[T]) -> f64 {
    let mut out = [0.0];
    Arch::new().dispatch(Distances { x, y, cols: &[0], out: &mut out });
    out[0]
}

#[inline(always)]
fn sum_of_squares<T: Scalar>(x: &[T], y: &[T]) -> f64 {
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (ys, y_rest) = y.as_chunks::<LANES>();
    let mut sums = [0.0f64; LANES];
    for (x, y) in xs.iter().zip(ys) {
        for l in 0..LANES {
            let difference = x[l].to_f64() - y[l].to_f64();
            sums[l] += difference * difference;
        }
    }
    let mut sum: f64 = sums.iter().sum();
    for (x, y) in x_rest.iter().zip(y_rest) {
        let difference = x.to_f64() - y.to_f64();
        sum += difference * difference;
    }
    sum
}
