//! Householder's reflectors, and the triangular factor that they make of samples.

use super::loops::{ROWS, add_all, add_rows, dot, dots, dots_all};
use crate::aligned::Aligned;
use crate::linalg::{Destination, Mat, Output, Threads, matmul, matmul_into};

/// Columns reduced before the rest of the matrix follows in two products.
const PANEL: usize = 32;
/// What is left of a column, relative to the column, when it depends on those before it but for rounding.
const DEPENDENT: f64 = 1e-14;

/// A vector turned into the reflector `I - scale u u^T`, `u_0 = 1`, that sends it to `image e_0`.
///
/// Golub and Van Loan, "Matrix computations", section 5.1; entries near 1 in size, or all 0.
pub(super) fn reflector(vector: &mut [f64]) -> Reflector {
    let first = vector[0];
    let rest = dot(&vector[1..], &vector[1..]);
    vector[0] = 1.0;
    if rest == 0.0 {
        return Reflector { image: first, scale: 0.0, divisor: 1.0 };
    }
    let length = (first * first + rest).sqrt();
    let image = if first > 0.0 { -length } else { length };
    let divisor = first - image;
    vector[1..].iter_mut().for_each(|v| *v /= divisor);
    Reflector { image, scale: (image - first) / image, divisor }
}

/// See [`reflector`]; `u` is the vector less `image e_0`, over the divisor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reflector {
    pub(super) image: f64,
    pub(super) scale: f64,
    pub(super) divisor: f64,
}

/// The factor `R` of `X = Q R` in echelon form, for `count x dim` row-major samples `X`: `R^T R = X^T X`, with errors
/// relative to the columns of `X`, where its square would have errors relative to squares.
///
/// As many rows as columns that do not depend on those before them; each starts with more zeros than the last.
pub(super) fn triangular(samples: &[f64], dim: usize) -> Vec<f64> {
    let count = samples.len() / dim;
    // Columns, one after another.
    let mut columns = vec![0.0; samples.len()];
    for (i, row) in samples.chunks_exact(dim).enumerate() {
        row.iter().enumerate().for_each(|(j, v)| columns[j * count + i] = *v);
    }
    let lengths: Vec<f64> = columns.chunks_exact(count).map(|column| dot(column, column).sqrt()).collect();
    // Reflectors of a panel, from the panel's first row on, and the triangle `T` of `I - U T U^T`.
    let (mut reflectors, mut triangle) = (vec![0.0; PANEL * count], vec![0.0; PANEL * PANEL]);
    let (mut shares, mut product, mut turned) = (vec![0.0; PANEL], Vec::new(), Vec::new());
    let (mut rank, mut start) = (0, 0);
    while start < dim && rank < count {
        let top = rank;
        let height = count - top;
        let end = dim.min(start + PANEL);
        let mut found = 0;
        for (column, length) in
            columns[start * count..end * count].chunks_exact_mut(count).zip(&lengths[start..])
        {
            let column = &mut column[top..];
            // `(I - U T U^T)^T` times the column.
            dots_all(&reflectors, height, 0, column, &mut shares[..found]);
            for i in (0..found).rev() {
                shares[i] = -(0..=i).map(|j| triangle[j * PANEL + i] * shares[j]).sum::<f64>();
            }
            add_all(column, &shares[..found], &reflectors, height, 0);
            let left = dot(&column[found..], &column[found..]).sqrt();
            if found == height || left <= DEPENDENT * length {
                column[found..].fill(0.0);
                continue;
            }
            let vector = &mut reflectors[found * height..(found + 1) * height];
            vector[..found].fill(0.0);
            vector[found..].copy_from_slice(&column[found..]);
            let Reflector { image, scale, .. } = reflector(&mut vector[found..]);
            column[found..].fill(0.0);
            column[found] = image;
            let (before, vector) = reflectors.split_at(found * height);
            dots_all(before, height, 0, &vector[..height], &mut shares[..found]);
            for i in 0..found {
                let sum: f64 = (i..found).map(|j| triangle[i * PANEL + j] * shares[j]).sum();
                triangle[i * PANEL + found] = -scale * sum;
            }
            triangle[found * PANEL + found] = scale;
            (0..found).for_each(|i| triangle[found * PANEL + i] = 0.0);
            found += 1;
        }
        let (width, rest) = (dim - end, &mut columns[end * count..]);
        if width > 0 && found > 0 {
            product.resize(width * found, 0.0);
            turned.resize(width * found, 0.0);
            let u = Mat::row_major(&reflectors[..found * height], found, height);
            let below = Mat::strided(&rest[top..], width, height, count);
            matmul(&mut product, Output::Overwrite, 1.0, below, u.transposed(), Threads::One);
            let t = Mat::strided(&triangle, found, found, PANEL);
            let shares = Mat::row_major(&product, width, found);
            matmul(&mut turned, Output::Overwrite, -1.0, shares, t, Threads::One);
            let below = Destination::strided(&mut rest[top..], width, height, count);
            matmul_into(below, Output::Add, 1.0, Mat::row_major(&turned, width, found), u, Threads::One);
        }
        rank += found;
        start = end;
    }
    let mut factor = vec![0.0; rank * dim];
    for (i, row) in factor.chunks_exact_mut(dim).enumerate() {
        row.iter_mut().enumerate().for_each(|(j, v)| *v = columns[j * count + i]);
    }
    factor
}

/// Doubles in a cache line. Loops over columns start at one, with zeros in front: else every second load would read two.
pub(super) const ALIGNED: usize = 8;
/// Columns reduced to bidiagonal form before the rest of the matrix follows in one product.
const BLOCK: usize = 16;

/// The bidiagonal form of a matrix, up to signs: its diagonal and what stands above it.
pub(super) struct Bidiagonal {
    pub(super) diagonal: Vec<f64>,
    pub(super) above: Vec<f64>,
}

/// The bidiagonal form of a `rows x cols` matrix with `rows >= cols`, its columns one after another, entries near 1 in
/// size (Golub and Van Loan, section 5.4).
///
/// Reflections of a block of columns are gathered in products `L R^T` that are still to be taken off the matrix `A`.
/// Each needs `A^T u` and `A v`, and `v` follows from `A^T u` by its length alone: both come in one pass over `A`, which
/// is read once a reflection.
///
/// # Panics
/// Rows that are no multiple of [`ALIGNED`]: rows of zeros change nothing.
pub(super) fn bidiagonal(columns: &mut [f64], rows: usize, cols: usize) -> Bidiagonal {
    assert!(
        rows >= cols && rows.is_multiple_of(ALIGNED) && columns.len() == rows * cols,
        "a tall matrix, padded"
    );
    let (mut diagonal, mut above) = (Vec::with_capacity(cols), Vec::with_capacity(cols));
    let mut gathered = Gathered::new(rows, cols);
    let mut start = 0;
    while start < cols {
        let end = cols.min(start + BLOCK);
        let rest = &columns[start * rows..];
        for at in 0..end - start {
            gathered.reflect(rest, rows, start, at, &mut diagonal, &mut above);
        }
        let (width, height, depth) = (cols - end, rows - end, 2 * (end - start));
        if width > 0 {
            let done = end - start;
            let left = Mat::strided(&gathered.left[done..], depth, height, rows - start);
            let right = Mat::strided(&gathered.right[done..], depth, width, cols - start).transposed();
            let rest = Destination::strided(&mut columns[end * rows + end..], width, height, rows);
            matmul_into(rest, Output::Add, -1.0, right, left, Threads::One);
        }
        start = end;
    }
    Bidiagonal { diagonal, above }
}

/// Reflections of a block: `A - sum_t left_t right_t^T` is the matrix as it has become.
struct Gathered {
    rows: usize,
    cols: usize,
    /// Two rows a step, from the block's first row on: `u`, and `x` of `x v^T`.
    left: Aligned<f64>,
    /// Two rows a step, from the block's first column on: `y` of `u y^T`, and `v`.
    right: Vec<f64>,
    /// Products of a vector with all rows of a side.
    shares: Vec<f64>,
    /// What the gathered products take off `A^T u`, and off the row.
    taken: [Vec<f64>; 2],
    image: Aligned<f64>,
}

impl Gathered {
    fn new(rows: usize, cols: usize) -> Self {
        let depth = 2 * BLOCK;
        let (left, right, shares) = (Aligned::zeros(depth * rows), vec![0.0; depth * cols], vec![0.0; depth]);
        Self {
            rows,
            cols,
            left,
            right,
            shares,
            taken: [vec![0.0; cols], vec![0.0; cols]],
            image: Aligned::zeros(rows),
        }
    }

    /// Reflects column and row `at` of the block that starts at `start`; `rest` are the columns from there on.
    fn reflect(
        &mut self,
        rest: &[f64],
        stride: usize,
        start: usize,
        at: usize,
        diagonal: &mut Vec<f64>,
        above: &mut Vec<f64>,
    ) {
        let (height, width) = (self.rows - start, self.cols - start);
        let low = at / ALIGNED * ALIGNED;
        let column = |j: usize| &rest[j * stride + start + low..(j + 1) * stride];
        let (row, below) = (at - low, at + 1 - low);
        let depth = 2 * at;
        let (left, new_left) = self.left.split_at_mut(depth * height);
        let (right, new_right) = self.right.split_at_mut(depth * width);
        let (u, x) = new_left[..2 * height].split_at_mut(height);
        let (y, v) = new_right[..2 * width].split_at_mut(width);
        let shares = &mut self.shares[..depth];

        u[..low].fill(0.0);
        let u = &mut u[low..];
        u.copy_from_slice(column(at));
        for (t, share) in shares.iter_mut().enumerate() {
            *share = -right[t * width + at];
        }
        add_all(u, shares, left, height, low);
        u[..row].fill(0.0);
        let down = reflector(&mut u[row..]);
        diagonal.push(down.image);
        let next = at + 1;
        if next == width {
            return;
        }

        // What the gathered products take off `A^T u` and off the row.
        let [off_product, off_row] = &mut self.taken;
        let (off_product, off_row) = (&mut off_product[..width - next], &mut off_row[..width - next]);
        dots_all(left, height, low, u, shares);
        off_product.fill(0.0);
        add_all(off_product, shares, right, width, next);
        for (t, share) in shares.iter_mut().enumerate() {
            *share = left[t * height + at];
        }
        off_row.fill(0.0);
        add_all(off_row, shares, right, width, next);

        // `y = scale A^T u`, the row `r` less `y`, and `A r`.
        y[..next].fill(0.0);
        v[..next].fill(0.0);
        let (y, v) = (&mut y[next..], &mut v[next..]);
        let image = &mut self.image[..height - low];
        image.fill(0.0);
        for first in (0..width - next).step_by(ROWS) {
            let some = ROWS.min(width - next - first);
            let four: [&[f64]; ROWS] = std::array::from_fn(|i| column(next + first + i.min(some - 1)));
            let products = dots(four, u);
            let mut factors = [0.0; ROWS];
            for i in 0..some {
                let j = first + i;
                y[j] = down.scale * (products[i] - off_product[j]);
                factors[i] = four[i][row] - off_row[j] - y[j];
                v[j] = factors[i];
            }
            add_rows(image, factors, four);
        }
        let across = reflector(v);
        above.push(across.image);

        // `A v` from `A r`, then `x = scale (A - L R^T - u y^T) v` below the row.
        x[..next].fill(0.0);
        let x = &mut x[next..];
        if across.scale == 0.0 {
            x.fill(0.0);
            return;
        }
        let (first, factor) = (column(next), across.scale / across.divisor);
        for ((x, image), first) in x.iter_mut().zip(&image[below..]).zip(&first[below..]) {
            *x = factor * (image - across.image * first);
        }
        dots_all(right, width, next, v, shares);
        shares.iter_mut().for_each(|share| *share *= -across.scale);
        add_all(x, shares, left, height, next);
        let own = -across.scale * dot(y, v);
        x.iter_mut().zip(&u[below..]).for_each(|(x, u)| *x += own * u);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    fn noise(len: usize, step: u64) -> Vec<f64> {
        let mut values = vec![0.0; len];
        Stream::new(32, Purpose::Test, step).normals(0, &mut values);
        values
    }

    /// The largest entry of `R^T R - X^T X`.
    fn difference(r: &[f64], x: &[f64], dim: usize) -> f64 {
        let entry = |of: &[f64], j: usize, k: usize| of.chunks(dim).map(|row| row[j] * row[k]).sum::<f64>();
        let all = (0..dim * dim).map(|at| (at / dim, at % dim));
        all.map(|(j, k)| (entry(r, j, k) - entry(x, j, k)).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn triangular_factors_have_the_square_of_samples_and_the_rank() {
        for (count, dim, rank) in
            [(5, 3, 3), (40, 33, 33), (100, 70, 70), (90, 80, 35), (70, 100, 70), (3, 2, 0), (9, 1, 1)]
        {
            // Columns that depend on others stand among them, the first is 0.
            let (a, b) = (noise(count * rank, 1), noise(rank * dim, 2));
            let entry =
                |i: usize, j: usize| -> f64 { (0..rank).map(|k| a[i * rank + k] * b[k * dim + j]).sum() };
            let full = rank == dim.min(count);
            let samples: Vec<f64> = (0..count * dim)
                .map(|at| match at % dim {
                    0 if !full => 0.0,
                    j if !full && j % 2 == 0 => 3.0 * entry(at / dim, j - 1),
                    j => entry(at / dim, j),
                })
                .collect();
            let found = triangular(&samples, dim);
            assert_eq!(found.len(), rank * dim, "{count} x {dim}");
            assert!(difference(&found, &samples, dim) < 1e-12 * (count * dim) as f64);
            let zeros = |row: &[f64]| row.iter().take_while(|v| **v == 0.0).count();
            let starts: Vec<usize> = found.chunks(dim).map(zeros).collect();
            assert!(starts.windows(2).all(|pair| pair[0] < pair[1]), "{starts:?}");
        }
    }

    #[test]
    fn samples_of_small_spread_keep_their_digits() {
        // Deviations of 1e-9 beside 1: their squares would be lost.
        let (count, dim) = (50, 4);
        let mut samples = noise(count * dim, 3);
        samples.iter_mut().skip(3).step_by(dim).for_each(|v| *v *= 1e-9);
        let found = triangular(&samples, dim);
        let last = found[found.len() - 1].abs();
        assert!((1e-9..1e-8).contains(&last), "{last}");
    }
}
