//! What a plan does: its masses, its matrix, its means and the gradient of its value.

use super::costs::{BLOCK, by_pieces};
use super::loops::gibbs;
use super::solver::logs;
use super::{Entropic, EntropicError, Ground};
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::ot::exact::{CostMatrix, OtError};
use crate::scalar::Scalar;

impl Entropic {
    /// Mass leaving every left point.
    #[must_use]
    pub fn row_masses(&self) -> &[f64] {
        &self.row_masses
    }

    /// Mass reaching every right point.
    #[must_use]
    pub fn col_masses(&self) -> &[f64] {
        &self.col_masses
    }

    /// The plan as an `n x m` row-major matrix, for the costs that were solved for.
    ///
    /// # Errors
    /// Costs of another shape.
    pub fn plan(&self, cost: &CostMatrix) -> Result<Vec<f64>, EntropicError> {
        let (rows, cols) = (self.f.len(), self.g.len());
        if (cost.rows(), cost.cols()) != (rows, cols) {
            let found = cost.values().len();
            return Err(OtError::CostCount { rows, cols, expected: rows * cols, found }.into());
        }
        Ok(self.dense_plan(&Ground::<f64>::Matrix(cost)))
    }

    /// The plan as an `n x m` row-major matrix, for the points that were solved for.
    ///
    /// # Errors
    /// Other numbers of coordinates than were solved for.
    pub fn plan_of_points<T: Scalar>(&self, x: &[T], y: &[T], dim: usize) -> Result<Vec<f64>, EntropicError> {
        self.check_points(x, y, dim)?;
        Ok(self.dense_plan(&Ground::points(x, y, dim, None)?))
    }

    pub(crate) fn dense_plan<T: Scalar>(&self, ground: &Ground<'_, T>) -> Vec<f64> {
        let mut all = Vec::with_capacity(self.f.len() * self.g.len());
        let blocks = self.by_plan_blocks(ground, |_, plan| plan.to_vec());
        blocks.into_iter().for_each(|block| all.extend(block));
        all
    }

    /// The gradient of [`Self::value`] with respect to the left points, `n x dim` row-major:
    /// `d/dx_i = 2 sum_j P_ij (x_i - y_j)`, by the envelope theorem. Points and weights move freely.
    ///
    /// ```
    /// use wowflow::ot::entropic::{SinkhornSettings, sinkhorn_points};
    /// let (x, y) = ([1.0, 2.0], [4.0]);
    /// let found = sinkhorn_points(&x, None, &y, None, 1, &SinkhornSettings::new(0.5))?;
    /// let gradient = found.gradient(&x, &y, 1)?;
    /// assert!((gradient[0] + 3.0).abs() < 1e-12 && (gradient[1] + 2.0).abs() < 1e-12);
    /// # Ok::<(), wowflow::ot::entropic::EntropicError>(())
    /// ```
    ///
    /// # Errors
    /// Other numbers of coordinates than were solved for.
    pub fn gradient<T: Scalar>(&self, x: &[T], y: &[T], dim: usize) -> Result<Vec<f64>, EntropicError> {
        let ground = Ground::points(x, y, dim, None)?;
        self.check_points(x, y, dim)?;
        Ok(self.point_gradient(&ground, x, y, dim))
    }

    pub(super) fn point_gradient<T: Scalar>(
        &self,
        ground: &Ground<'_, T>,
        x: &[T],
        y: &[T],
        dim: usize,
    ) -> Vec<f64> {
        // Around a left point, so that points far from the origin lose no digits.
        let origin: Vec<f64> = x[..dim].iter().map(|v| v.to_f64()).collect();
        let centred = |points: &[T]| -> Vec<f64> {
            let rows = points.chunks_exact(dim);
            rows.flat_map(|p| p.iter().zip(&origin).map(|(v, o)| v.to_f64() - o)).collect()
        };
        let (x, y) = (centred(x), centred(y));
        let m = self.g.len();
        let blocks = self.by_plan_blocks(ground, |start, plan| {
            let rows = plan.len() / m;
            let mut gradient = vec![0.0; rows * dim];
            let plan_view = Mat::row_major(plan, rows, m);
            matmul(
                &mut gradient,
                Output::Overwrite,
                -2.0,
                plan_view,
                Mat::row_major(&y, m, dim),
                Threads::One,
            );
            for (k, gradient) in gradient.chunks_exact_mut(dim).enumerate() {
                let mass: f64 = plan[k * m..(k + 1) * m].iter().sum();
                let point = &x[(start + k) * dim..][..dim];
                gradient.iter_mut().zip(point).for_each(|(g, x)| *g += 2.0 * mass * x);
            }
            gradient
        });
        blocks.concat()
    }

    pub(super) fn check_points<T: Scalar>(&self, x: &[T], y: &[T], dim: usize) -> Result<(), EntropicError> {
        for (points, count, what) in
            [(x, self.f.len(), "the left points"), (y, self.g.len(), "the right points")]
        {
            let expected = count * dim;
            if points.len() != expected {
                return Err(EntropicError::OtherPoints { what, expected, found: points.len() });
            }
        }
        Ok(())
    }

    /// What `work` makes of blocks of rows of the plan, from their first row on, in order.
    fn by_plan_blocks<T: Scalar, R: Send>(
        &self,
        ground: &Ground<'_, T>,
        work: impl Fn(usize, &[f64]) -> R + Sync,
    ) -> Vec<R> {
        let (n, m) = (self.f.len(), self.g.len());
        let epsilon = self.settings.epsilon;
        let costs = ground.select(&(0..n).collect::<Vec<_>>(), &(0..m).collect::<Vec<_>>());
        let h: Vec<f64> = self.g.iter().zip(logs(&self.b)).map(|(g, b)| g / epsilon + b).collect();
        let pieces = by_pieces(n, m, |piece| {
            let mut scratch = Vec::new();
            let mut found = Vec::new();
            for start in piece.clone().step_by(BLOCK) {
                let rows = start..(start + BLOCK).min(piece.end);
                let block = costs.block(rows.clone(), &mut scratch);
                let mut plan = vec![0.0; block.len()];
                for ((i, row), plan) in rows.zip(block.chunks_exact(m)).zip(plan.chunks_exact_mut(m)) {
                    gibbs(row, &h, self.f[i] / epsilon, 1.0 / epsilon, plan);
                    plan.iter_mut().for_each(|p| *p *= self.a[i]);
                }
                found.push(work(start, &plan));
            }
            found
        });
        pieces.into_iter().flatten().collect()
    }
}
