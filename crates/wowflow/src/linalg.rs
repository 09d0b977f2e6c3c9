//! The one door to the matrix product: checked views in, an output view, explicit parallelism.

use gemm_common::Parallelism;

use crate::scalar::Scalar;

/// A matrix view over a slice: element (i, j) lies at `i * row_stride + j * col_stride`.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> Mat<'a, T> {
    /// A row-major `rows x cols` view.
    ///
    /// # Panics
    /// The slice has another length.
    #[must_use]
    pub fn row_major(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows} x {cols} matrix needs as many elements");
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// A `rows x cols` view of rows that start every `stride` elements.
    ///
    /// # Panics
    /// Rows that overlap, or that the slice does not hold.
    #[must_use]
    pub fn strided(data: &'a [T], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(held(data.len(), rows, cols, stride), "{rows} x {cols} elements, a row every {stride}");
        Self { data, rows, cols, row_stride: stride, col_stride: 1 }
    }

    /// The transposed view.
    #[must_use]
    pub fn transposed(self) -> Self {
        let Self { data, rows, cols, row_stride, col_stride } = self;
        Self { data, rows: cols, cols: rows, row_stride: col_stride, col_stride: row_stride }
    }
}

/// Whether a slice of `len` elements holds rows that start every `stride` elements and do not overlap.
fn held(len: usize, rows: usize, cols: usize, stride: usize) -> bool {
    rows == 0 || cols == 0 || (cols <= stride && (rows - 1) * stride + cols <= len)
}

/// The output of a product: a row-major `rows x cols` view whose rows start every `stride` elements.
#[derive(Debug)]
pub struct Destination<'a, T> {
    data: &'a mut [T],
    rows: usize,
    cols: usize,
    stride: usize,
}

impl<'a, T> Destination<'a, T> {
    /// As [`Mat::strided`].
    ///
    /// # Panics
    /// Rows that overlap, or that the slice does not hold.
    #[must_use]
    pub fn strided(data: &'a mut [T], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(held(data.len(), rows, cols, stride), "{rows} x {cols} elements, a row every {stride}");
        Self { data, rows, cols, stride }
    }
}

/// What happens to the old content of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// It is overwritten.
    Overwrite,
    /// The product is added to it.
    Add,
}

/// Who works on a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The calling thread.
    One,
    /// The current rayon pool. The bits do not depend on its size: threads share the output's
    /// elements, never the sum behind one element.
    Pool,
}

/// `dst = alpha lhs rhs` (or `dst += ...`), with `dst` row-major `lhs.rows x rhs.cols`.
///
/// # Panics
/// Shapes that do not fit.
#[inline(never)]
pub fn matmul<T: Scalar>(
    dst: &mut [T],
    output: Output,
    alpha: f64,
    lhs: Mat<'_, T>,
    rhs: Mat<'_, T>,
    threads: Threads,
) {
    let (m, n) = (lhs.rows, rhs.cols);
    assert_eq!(dst.len(), m * n, "output of a product");
    matmul_into(Destination::strided(dst, m, n, n), output, alpha, lhs, rhs, threads);
}

/// [`matmul`] with a part of a larger matrix as its output.
///
/// # Panics
/// Shapes that do not fit.
pub fn matmul_into<T: Scalar>(
    dst: Destination<'_, T>,
    output: Output,
    alpha: f64,
    lhs: Mat<'_, T>,
    rhs: Mat<'_, T>,
    threads: Threads,
) {
    assert_eq!(lhs.cols, rhs.rows, "inner dimensions of a product");
    assert_eq!((dst.rows, dst.cols), (lhs.rows, rhs.cols), "output of a product");
    if dst.rows == 0 || dst.cols == 0 {
        return;
    }
    let parallelism = match threads {
        Threads::One => Parallelism::None,
        Threads::Pool => Parallelism::Rayon(0),
    };
    let beta = T::from_f64(if output == Output::Add { 1.0 } else { 0.0 });
    product(dst, lhs, rhs, (beta, T::from_f64(alpha)), output == Output::Add, parallelism);
}

#[allow(unsafe_code, reason = "the matrix product's interface takes raw pointers")]
fn product<T: Scalar>(
    dst: Destination<'_, T>,
    lhs: Mat<'_, T>,
    rhs: Mat<'_, T>,
    (dst_scale, product_scale): (T, T),
    read_dst: bool,
    parallelism: Parallelism,
) {
    let Destination { data, rows, cols, stride } = dst;
    // SAFETY: a `Mat` is made by `row_major` or `strided`, which check that its slice covers all its
    // elements, or by transposing one; so is a `Destination`, whose rows do not overlap; inner and outer
    // sizes are checked by the caller; `dst` is borrowed exclusively, so it overlaps neither operand.
    // `gemm` writes column-major matrices fastest, and a row-major `dst` is its own transpose in
    // column-major order: what is computed is `dst^T = rhs^T lhs^T`, an n x m matrix.
    unsafe {
        T::gemm()(
            cols,
            rows,
            lhs.cols,
            data.as_mut_ptr(),
            stride as isize,
            1,
            read_dst,
            rhs.data.as_ptr(),
            rhs.row_stride as isize,
            rhs.col_stride as isize,
            lhs.data.as_ptr(),
            lhs.row_stride as isize,
            lhs.col_stride as isize,
            dst_scale,
            product_scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    fn noise(len: usize, step: u64) -> Vec<f64> {
        let mut values = vec![0.0; len];
        Stream::new(1, Purpose::Test, step).normals(0, &mut values);
        values
    }

    #[test]
    fn products_match_the_definition_in_every_layout() {
        let (m, n, k) = (7, 5, 11);
        let (a, b) = (noise(m * k, 0), noise(n * k, 1));
        let mut dst = vec![1.0; m * n];
        let rhs = Mat::row_major(&b, n, k).transposed();
        matmul(&mut dst, Output::Add, 2.0, Mat::row_major(&a, m, k), rhs, Threads::Pool);
        for i in 0..m {
            for j in 0..n {
                let sum: f64 = (0..k).map(|p| a[i * k + p] * b[j * k + p]).sum();
                assert!((dst[i * n + j] - (1.0 + 2.0 * sum)).abs() < 1e-12);
            }
        }
        let first = dst.clone();
        matmul(&mut dst, Output::Overwrite, 2.0, Mat::row_major(&a, m, k), rhs, Threads::One);
        assert!(dst.iter().zip(&first).all(|(x, y)| (x + 1.0 - y).abs() < 1e-12));
    }

    #[test]
    fn parts_of_larger_matrices_are_read_and_written_alone() {
        // Rows 1..3 and columns 2..5 of a 4 x 6 matrix, from columns 1..4 of a 2 x 5 and rows 0..3 of a 3 x 4.
        let (a, b) = (noise(10, 4), noise(12, 5));
        let mut out = [1.0; 24];
        let lhs = Mat::strided(&a[1..], 2, 3, 5);
        let rhs = Mat::strided(&b[1..], 3, 3, 4);
        let dst = Destination::strided(&mut out[8..], 2, 3, 6);
        matmul_into(dst, Output::Add, 1.0, lhs, rhs, Threads::One);
        for (k, found) in out.iter().enumerate() {
            let (i, j) = (k / 6, k % 6);
            let inside = (1..3).contains(&i) && (2..5).contains(&j);
            let sum = |i: usize, j: usize| (0..3).map(|p| a[5 * i + 1 + p] * b[4 * p + 1 + j]).sum::<f64>();
            let expected = if inside { 1.0 + sum(i - 1, j - 2) } else { 1.0 };
            assert!((found - expected).abs() < 1e-14, "({i}, {j})");
        }
        for (len, cols, stride) in [(9, 4, 6), (20, 7, 6)] {
            let refused = std::panic::catch_unwind(|| {
                let mut out = vec![0.0; len];
                Destination::strided(&mut out, 2, cols, stride).rows
            });
            assert!(refused.is_err(), "{cols} columns, a row every {stride}, in {len}");
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        for (m, n, k) in [(300, 500, 784), (64, 2000, 300), (5, 3, 2000), (1, 700, 50)] {
            let a: Vec<f32> = noise(m * k, 2).iter().map(|&v| v as f32).collect();
            let b: Vec<f32> = noise(n * k, 3).iter().map(|&v| v as f32).collect();
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut dst = vec![0.0f32; m * n];
                let rhs = Mat::row_major(&b, n, k).transposed();
                pool.install(|| {
                    matmul(&mut dst, Output::Overwrite, 1.0, Mat::row_major(&a, m, k), rhs, Threads::Pool);
                });
                dst
            };
            let one = run(1);
            for threads in [2, 3, 5] {
                assert!(run(threads) == one, "{m} x {n} x {k} on {threads} threads");
            }
        }
    }
}
