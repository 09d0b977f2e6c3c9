//! Entropic OTDD as a functional of lifted samples.

use rayon::prelude::*;

use super::{LIFTED, Label, labels_of_classes, plane};
use crate::functional::{Evaluation, Functional};
use crate::linalg::{Mat, Output, Threads, matmul};
use crate::measure::MeasureOverMeasures;
use crate::ot::entropic::{SinkhornSettings, sinkhorn, sinkhorn_from};
use crate::ot::exact::CostMatrix;
use crate::scalar::Scalar;

/// How the plan of a step is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OtddFlowSettings {
    /// Regularisation as a share of the mean cost.
    pub epsilon: f64,
    /// How far the marginals may be off, in total.
    pub tolerance: f64,
    /// Most iterations of a step.
    pub max_iterations: usize,
}

impl Default for OtddFlowSettings {
    /// The published setting: 0.05, 1e-3, 2000.
    fn default() -> Self {
        Self { epsilon: 0.05, tolerance: 1e-3, max_iterations: 2000 }
    }
}

/// `F(P) = min_P <P, c> + eps KL(P | a b^T)` over plans between the samples of lifted datasets, `c = |x - x'|^2 + |m -
/// m'|^2 + B^2(S, S')` (Alvarez-Melis and Fusi 2021), `eps` a share of the mean cost of the step.
///
/// The velocity is that of the plan, by the envelope theorem with `eps` held: at a sample, `2 (x - mean of what it is
/// coupled with)` for features and mean, and the same of aligned factors. Cost of a step: the product of
/// `n x d` and `d x m`, and passes over `n x m` costs; memory `O(n m)` beside the samples. A plan starts from the
/// potentials of the step before, which changes it within the tolerance.
#[derive(Clone, Debug)]
pub struct OtddFlow<'q, T> {
    target: &'q MeasureOverMeasures<T>,
    settings: OtddFlowSettings,
    labels: Vec<Label>,
    class_of: Vec<usize>,
    /// Features and means of the target, `m x (d + 2)`, and their squared norms.
    points: Vec<T>,
    norms: Vec<f64>,
    curvatures: Vec<f64>,
    warm: Warm,
    stopped_early: u64,
}

/// Potentials of the target's samples, where plans start. A step that is evaluated again starts where it did.
#[derive(Clone, Debug, Default)]
struct Warm {
    step: u64,
    /// Where the plan of this step started, and where it ended.
    start: Option<Vec<f64>>,
    end: Option<Vec<f64>>,
}

impl<'q, T: Scalar> OtddFlow<'q, T> {
    /// The functional for the two sides of a [`super::Lift`].
    ///
    /// # Panics
    /// Sides of different dimension; a regularisation or a tolerance that is not positive and finite; no iterations.
    #[must_use]
    #[inline(never)]
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        settings: OtddFlowSettings,
    ) -> Self {
        assert_eq!(source.dim(), target.dim(), "two sides of one lift");
        let positive = |value: f64| value > 0.0 && value.is_finite();
        assert!(
            positive(settings.epsilon) && positive(settings.tolerance) && settings.max_iterations > 0,
            "positive settings"
        );
        let dim = target.dim() - LIFTED;
        let points = leading(target.points(), target.dim(), dim + 2);
        let norms = norms(&points, dim + 2);
        let class_of = (0..target.class_count()).flat_map(|c| std::iter::repeat_n(c, target.class_size(c)));
        Self {
            target,
            settings,
            labels: labels_of_classes(target, dim),
            class_of: class_of.collect(),
            points,
            norms,
            // The cost is quadratic in a sample with the curvature 2, and a minimum over plans bends down.
            curvatures: vec![2.0; source.sample_count()],
            warm: Warm::default(),
            stopped_early: 0,
        }
    }

    /// Evaluations whose plan was not within the tolerance when the iterations ended.
    #[must_use]
    pub fn stopped_early(&self) -> u64 {
        self.stopped_early
    }

    /// Squared Bures distances of samples and target classes, `n x C`.
    fn label_costs(&self, particles: &MeasureOverMeasures<T>) -> Vec<f64> {
        let (width, dim) = (particles.dim(), particles.dim() - LIFTED);
        let rows = particles.points().par_chunks_exact(width);
        rows.flat_map_iter(|row| {
            let own = Label::read(&row[dim..]);
            self.labels.iter().map(move |label| plane::bures_pow(&own.factor, &label.factor))
        })
        .collect()
    }

    /// All costs, `n x m`, or `None` where samples are so far out that a cost is not finite.
    fn costs(&self, particles: &MeasureOverMeasures<T>, points: &[T]) -> Option<CostMatrix> {
        let (n, m) = (particles.sample_count(), self.target.sample_count());
        let k = particles.dim() - LIFTED + 2;
        let labels = self.label_costs(particles);
        let own = norms(points, k);
        let mut products = vec![T::ZERO; n * m];
        let others = Mat::row_major(&self.points, m, k).transposed();
        matmul(&mut products, Output::Overwrite, -2.0, Mat::row_major(points, n, k), others, Threads::Pool);
        let classes = self.labels.len();
        let row = |(i, row): (usize, &[T])| {
            let labels = &labels[i * classes..(i + 1) * classes];
            let all = row.iter().zip(&self.norms).zip(&self.class_of);
            let norm = own[i];
            all.map(|((product, other), class)| (norm + other + product.to_f64()).max(0.0) + labels[*class])
                .collect::<Vec<f64>>()
        };
        let values = products.par_chunks_exact(m).enumerate().flat_map_iter(row).collect();
        CostMatrix::new(n, m, values).ok()
    }
}

/// The first `count` coordinates of every row.
fn leading<T: Scalar>(points: &[T], width: usize, count: usize) -> Vec<T> {
    points.chunks_exact(width).flat_map(|row| row[..count].iter().copied()).collect()
}

fn norms<T: Scalar>(points: &[T], dim: usize) -> Vec<f64> {
    points.chunks_exact(dim).map(|row| row.iter().map(|x| x.to_f64() * x.to_f64()).sum()).collect()
}

impl<T: Scalar> Functional<T> for OtddFlow<'_, T> {
    #[inline(never)]
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        if step != self.warm.step {
            self.warm = Warm { step, start: self.warm.end.take(), end: None };
        }
        assert_eq!(velocity.len(), particles.points().len(), "one velocity a coordinate");
        let width = particles.dim();
        let (n, m, k) = (particles.sample_count(), self.target.sample_count(), width - LIFTED + 2);
        let points = leading(particles.points(), width, k);
        let finite = particles.points().iter().all(|x| x.is_finite());
        let Some(costs) = finite.then(|| self.costs(particles, &points)).flatten() else {
            return Evaluation { value: f64::NAN, standard_error: None };
        };
        let (a, b) = (particles.sample_masses(), self.target.sample_masses());
        let rows = costs.values().par_chunks_exact(m).zip(&a);
        let means: Vec<f64> =
            rows.map(|(row, a)| a * row.iter().zip(&b).map(|(c, b)| c * b).sum::<f64>()).collect();
        let mean: f64 = means.iter().sum();
        // Datasets that coincide in a point have no scale, and nothing to move.
        let epsilon = self.settings.epsilon * mean;
        if epsilon <= 0.0 {
            velocity.fill(T::ZERO);
            return Evaluation { value: 0.0, standard_error: None };
        }
        let settings = SinkhornSettings {
            tolerance: self.settings.tolerance,
            max_iterations: self.settings.max_iterations,
            ..SinkhornSettings::new(epsilon)
        };
        let (a_side, b_side) = (Some(a.as_slice()), Some(b.as_slice()));
        let plan = match &self.warm.start {
            None => sinkhorn(&costs, a_side, b_side, &settings),
            Some(start) => sinkhorn_from(&costs, a_side, b_side, &settings, start),
        };
        let plan = plan.expect("checked costs and masses");
        self.stopped_early += u64::from(!plan.converged);
        let inverse = 1.0 / epsilon;
        let mut shares = vec![T::ZERO; n * m];
        shares.par_chunks_exact_mut(m).enumerate().for_each(|(i, shares)| {
            let all = shares.iter_mut().zip(costs.row(i)).zip(plan.g.iter().zip(&b));
            for ((share, c), (g, b)) in all {
                *share = T::from_f64(b * ((plan.f[i] + g - c) * inverse).exp());
            }
        });
        let mut means = vec![T::ZERO; n * k];
        let (weights, others) = (Mat::row_major(&shares, n, m), Mat::row_major(&self.points, m, k));
        matmul(&mut means, Output::Overwrite, 1.0, weights, others, Threads::Pool);
        let classes = self.labels.len();
        let rows =
            velocity.par_chunks_exact_mut(width).zip(particles.points().par_chunks_exact(width)).enumerate();
        rows.for_each(|(i, (v, x))| {
            let shares = &shares[i * m..(i + 1) * m];
            let mut of_class = vec![0.0; classes];
            shares.iter().zip(&self.class_of).for_each(|(share, class)| of_class[*class] += share.to_f64());
            let total: f64 = of_class.iter().sum();
            for (at, mean) in means[i * k..(i + 1) * k].iter().enumerate() {
                v[at] = T::from_f64(2.0 * (total * x[at].to_f64() - mean.to_f64()));
            }
            let own = Label::read(&x[k - 2..]).factor;
            let mut pull = [0.0; 4];
            for (label, share) in self.labels.iter().zip(&of_class) {
                let near = plane::aligned(&own, &label.factor);
                (0..4).for_each(|at| pull[at] += 2.0 * share * (own[at] - near[at]));
            }
            (0..4).for_each(|at| v[k + at] = T::from_f64(pull[at]));
        });
        // What is left of a plan that did not converge is no place to start from.
        self.warm.end = plan.converged.then_some(plan.g);
        Evaluation { value: plan.value, standard_error: None }
    }

    fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }
}
