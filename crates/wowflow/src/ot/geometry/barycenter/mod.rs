//! The barycenter of several datasets, by fixed point on both levels.

mod start;

use std::ops::ControlFlow;

use super::curve::with_points;
use super::{GeometryError, VelocityPlan};
use crate::measure::MeasureOverMeasures;
use crate::ot::wow::{KeepPlans, WowTransport, wow2_pow};
use crate::scalar::Scalar;
use start::{resized, support};

/// What can be chosen about a barycenter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BarycenterOptions {
    /// Number of classes of the result; `None` keeps that of the dataset it starts from.
    pub classes: Option<usize>,
    /// The dataset to start from, counted from 0; `None` is the one of the smallest objective.
    pub start: Option<usize>,
    /// Stop when the next step would move the samples by a mean square of at most this part of the
    /// objective.
    pub tolerance: f64,
    /// Stop after this many steps whatever happens.
    pub max_iterations: usize,
}

impl Default for BarycenterOptions {
    fn default() -> Self {
        Self { classes: None, start: None, tolerance: 1e-9, max_iterations: 100 }
    }
}

/// Why the iteration stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The samples are where their plans want them, within the tolerance.
    Converged,
    /// The next step no longer lowered the objective: what is left is rounding.
    NoDecrease,
    /// The limit of iterations was reached.
    IterationLimit,
    /// The observer asked for it.
    Interrupted,
}

/// The state after a number of steps, for an observer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Iteration {
    /// Steps taken, 0 at the start.
    pub step: usize,
    /// `sum_k lambda_k W_{W2}^2(B, P_k)`.
    pub objective: f64,
    /// Mean square that the next step moves the samples by: it lowers the objective by at least this.
    pub movement: f64,
}

/// A barycenter with its certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct Barycenter<T> {
    /// The barycenter `B`.
    pub measure: MeasureOverMeasures<T>,
    /// The dataset it started from, counted from 0: `B` has its class sizes and weights.
    pub start: usize,
    /// `sum_k lambda_k W_{W2}^2(B, P_k)` at the start and after every step; it never grows.
    pub objectives: Vec<f64>,
    /// No measure of any size has a smaller objective than this.
    pub lower_bound: f64,
    /// Mean square that one more step would move the samples by.
    pub movement: f64,
    /// Why the iteration stopped.
    pub stop: Stop,
    /// Optimal transports from `B` to every dataset, with plans.
    pub transports: Vec<WowTransport>,
}

impl<T> Barycenter<T> {
    /// The objective that was reached.
    #[must_use]
    pub fn objective(&self) -> f64 {
        self.objectives.last().copied().unwrap_or(f64::NAN)
    }
}

/// The barycenter of datasets `P_k` with weights `lambda_k`: a stationary point of
/// `sum_k lambda_k W_{W2}^2(B, P_k)` over the places of the samples of `B`.
///
/// Each step solves the transports from `B` to all datasets, then moves every sample to the mean of
/// where they send it, `x_i + sum_k lambda_k v_{k,i}` with `v_k` the barycentric projection of the
/// `k`-th velocity plan. For these couplings the mean is the best place, so the objective does not
/// grow. The lower bound `sum_{k<l} lambda_k lambda_l W_{W2}^2(P_k, P_l)` holds for every measure and
/// is reached for two datasets whose samples need not split (`docs/MATH.md`, "Geometry"; one level
/// down: Cuturi and Doucet, "Fast computation of Wasserstein barycenters", 2014, with free support, and
/// Alvarez-Esteban et al., "A fixed-point approach to barycenters in Wasserstein space", 2016).
///
/// Class and sample weights of `B` are those of the start. The start is one of the datasets, without
/// samples and classes of weight 0. Fewer classes: again and again the class that another replaces at
/// the least cost goes, and leaves its weight. More: again and again the heaviest class is halved.
/// Datasets of weight 0 take no part.
///
/// ```
/// use wowflow::measure::MeasureOverMeasures;
/// use wowflow::ot::geometry::{BarycenterOptions, barycenter};
/// let p = MeasureOverMeasures::uniform(vec![0.0, 1.0, 10.0], 1, &[2, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![14.0, 4.0, 5.0], 1, &[1, 2])?;
/// let mean = barycenter(&[&p, &q], Some(&[3.0, 1.0]), &BarycenterOptions::default())?;
/// assert_eq!(mean.measure.points(), &[1.0, 2.0, 11.0]);
/// assert_eq!((mean.objective(), mean.lower_bound), (3.0, 3.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// No datasets, datasets of different dimension, weights that are none, options out of range, or
/// distances that are not finite.
pub fn barycenter<T: Scalar>(
    datasets: &[&MeasureOverMeasures<T>],
    weights: Option<&[f64]>,
    options: &BarycenterOptions,
) -> Result<Barycenter<T>, GeometryError> {
    barycenter_observed(datasets, weights, options, |_| ControlFlow::Continue(()))
}

/// As [`barycenter()`], showing every iteration to `observe`, which may stop it.
///
/// # Errors
/// As [`barycenter()`].
pub fn barycenter_observed<T: Scalar>(
    datasets: &[&MeasureOverMeasures<T>],
    weights: Option<&[f64]>,
    options: &BarycenterOptions,
    mut observe: impl FnMut(Iteration) -> ControlFlow<()>,
) -> Result<Barycenter<T>, GeometryError> {
    let lambda = checked(datasets.len(), weights, options)?;
    let problem = Problem { datasets, lambda: &lambda };
    let squared = problem.pairwise()?;
    let (start, first) = problem.start(options, &squared)?;
    let mut state = problem.evaluate(first)?;
    let mut objectives = vec![state.objective];
    let stop = loop {
        let step = objectives.len() - 1;
        let (next, movement) = (&state.next, state.movement);
        if observe(Iteration { step, objective: state.objective, movement }).is_break() {
            break Stop::Interrupted;
        }
        if movement <= options.tolerance * state.objective {
            break Stop::Converged;
        }
        if step == options.max_iterations {
            break Stop::IterationLimit;
        }
        let moved = problem.evaluate(next.clone())?;
        if moved.objective >= state.objective {
            break Stop::NoDecrease;
        }
        state = moved;
        objectives.push(state.objective);
    };
    let count = datasets.len();
    let pairs = (0..count).flat_map(|k| (0..k).map(move |l| (k, l)));
    let lower_bound = pairs.map(|(k, l)| lambda[k] * lambda[l] * squared[k * count + l]).sum();
    let State { measure, movement, transports, .. } = state;
    // Datasets of weight 0 had no say until here.
    let solved = transports.into_iter().zip(datasets);
    let transports = solved
        .map(|(known, dataset)| known.map_or_else(|| wow2_pow(&measure, dataset, KeepPlans::Yes), Ok))
        .collect::<Result<_, _>>()?;
    Ok(Barycenter { measure, start, objectives, lower_bound, movement, stop, transports })
}

/// The weights of the datasets, sum 1, after every complaint about what was asked.
fn checked(
    count: usize,
    weights: Option<&[f64]>,
    options: &BarycenterOptions,
) -> Result<Vec<f64>, GeometryError> {
    if count == 0 {
        return Err(GeometryError::NoDatasets);
    }
    let lambda = match weights {
        None => vec![1.0 / count as f64; count],
        Some(weights) if weights.len() != count => {
            return Err(GeometryError::WeightCount { expected: count, found: weights.len() });
        }
        Some(weights) => {
            if let Some(&found) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
                return Err(GeometryError::BadWeights { found });
            }
            let total: f64 = weights.iter().sum();
            if !(total.is_finite() && total > 0.0) {
                return Err(GeometryError::BadWeights { found: total });
            }
            weights.iter().map(|w| w / total).collect()
        }
    };
    if options.classes == Some(0) {
        return Err(GeometryError::NoClasses);
    }
    if options.tolerance.is_nan() || options.tolerance < 0.0 {
        return Err(GeometryError::BadTolerance { found: options.tolerance });
    }
    match options.start {
        Some(found) if lambda.get(found).is_none_or(|lambda| *lambda == 0.0) => {
            Err(GeometryError::BadStart { found })
        }
        _ => Ok(lambda),
    }
}

struct Problem<'a, T> {
    datasets: &'a [&'a MeasureOverMeasures<T>],
    lambda: &'a [f64],
}

/// A candidate, how good it is, and where it should go.
struct State<T> {
    measure: MeasureOverMeasures<T>,
    objective: f64,
    /// None for datasets of weight 0.
    transports: Vec<Option<WowTransport>>,
    next: MeasureOverMeasures<T>,
    movement: f64,
}

impl<T: Scalar> Problem<'_, T> {
    /// `W_{W2}^2` between all datasets of positive weight, 0 for the others.
    fn pairwise(&self) -> Result<Vec<f64>, GeometryError> {
        let count = self.datasets.len();
        let mut squared = vec![0.0; count * count];
        for k in (0..count).filter(|&k| self.lambda[k] > 0.0) {
            for l in (0..k).filter(|&l| self.lambda[l] > 0.0) {
                let value = wow2_pow(self.datasets[k], self.datasets[l], KeepPlans::No)?.value;
                squared[k * count + l] = value;
                squared[l * count + k] = value;
            }
        }
        Ok(squared)
    }

    /// The dataset to start from with the number of classes asked for.
    fn start(
        &self,
        options: &BarycenterOptions,
        squared: &[f64],
    ) -> Result<(usize, MeasureOverMeasures<T>), GeometryError> {
        let count = self.datasets.len();
        let mut best: Option<(f64, usize, MeasureOverMeasures<T>)> = None;
        let candidates = (0..count).filter(|&k| self.lambda[k] > 0.0);
        for k in candidates.filter(|&k| options.start.is_none_or(|start| start == k)) {
            let own = support(self.datasets[k])?;
            let wanted = options.classes.unwrap_or(own.class_count());
            let objective = if wanted == own.class_count() {
                (0..count).map(|l| self.lambda[l] * squared[k * count + l]).sum()
            } else {
                f64::NAN
            };
            let measure = resized(own, wanted)?;
            let objective = if objective.is_nan() { self.objective(&measure)? } else { objective };
            if best.as_ref().is_none_or(|(least, ..)| objective < *least) {
                best = Some((objective, k, measure));
            }
        }
        best.map(|(_, k, measure)| (k, measure)).ok_or(GeometryError::NoDatasets)
    }

    fn objective(&self, measure: &MeasureOverMeasures<T>) -> Result<f64, GeometryError> {
        let mut total = 0.0;
        for (dataset, lambda) in self.datasets.iter().zip(self.lambda).filter(|(_, lambda)| **lambda > 0.0) {
            total += lambda * wow2_pow(measure, dataset, KeepPlans::No)?.value;
        }
        Ok(total)
    }

    /// Transports from a candidate to the datasets, and the next candidate that follows from them.
    fn evaluate(&self, measure: MeasureOverMeasures<T>) -> Result<State<T>, GeometryError> {
        let mut displacement = vec![0.0; measure.points().len()];
        let mut transports = Vec::with_capacity(self.datasets.len());
        let mut objective = 0.0;
        for (dataset, &lambda) in self.datasets.iter().zip(self.lambda) {
            if lambda == 0.0 {
                transports.push(None);
                continue;
            }
            let transport = wow2_pow(&measure, dataset, KeepPlans::Yes)?;
            objective += lambda * transport.value;
            let mean = VelocityPlan::new(&measure, dataset, &transport)?.mean_displacement();
            displacement.iter_mut().zip(mean).for_each(|(total, v)| *total += lambda * v);
            transports.push(Some(transport));
        }
        let moved = measure.points().iter().zip(&displacement);
        let points: Vec<T> = moved.map(|(x, v)| T::from_f64(x.to_f64() + v)).collect();
        let next = with_points(&measure, &points)?;
        let movement = mean_square(&measure, &next);
        Ok(State { measure, objective, transports, next, movement })
    }
}

/// `sum_b w_b sum_i a_{b,i} |x_i - y_i|^2` of a measure and the same one moved.
fn mean_square<T: Scalar>(from: &MeasureOverMeasures<T>, to: &MeasureOverMeasures<T>) -> f64 {
    let class = |c: usize| {
        let ways =
            from.class_points(c).chunks_exact(from.dim()).zip(to.class_points(c).chunks_exact(from.dim()));
        let squares =
            ways.map(|(x, y)| x.iter().zip(y).map(|(x, y)| (y.to_f64() - x.to_f64()).powi(2)).sum::<f64>());
        match from.class_weights(c) {
            Some(weights) => squares.zip(weights).map(|(square, weight)| weight * square).sum::<f64>(),
            None => squares.sum::<f64>() / from.class_size(c) as f64,
        }
    };
    from.outer_weights().iter().enumerate().map(|(c, weight)| weight * class(c)).sum()
}
