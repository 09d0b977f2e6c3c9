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
    /// The dataset to start from, counted from 0; `None` is the one that promises the smallest objective
    /// after a step.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
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
/// is reached for two datasets whose samples need not split (`book/src/mathematics.md`, "Geometry"; one level
/// down: Cuturi and Doucet, "Fast computation of Wasserstein barycenters", 2014, with free support, and
/// Alvarez-Esteban et al., "A fixed-point approach to barycenters in Wasserstein space", 2016).
///
/// Class and sample weights of `B` are those of the start, one of the datasets without its samples and
/// classes of weight 0: unless one is named, that with the smallest objective less the mean square of
/// its first step. Other starts may end lower. Fewer classes: again and again the class that another
/// replaces at the least cost goes, and leaves its weight. More: again and again the heaviest class is
/// halved; halves stay equal unless the couplings part them. Datasets of weight 0 take no part.
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
#[inline(never)]
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
    iterate(datasets, weights, options, &mut observe)
}

/// [`barycenter_observed`], compiled once for all observers.
#[inline(never)]
pub(crate) fn iterate<T: Scalar>(
    datasets: &[&MeasureOverMeasures<T>],
    weights: Option<&[f64]>,
    options: &BarycenterOptions,
    observe: &mut dyn FnMut(Iteration) -> ControlFlow<()>,
) -> Result<Barycenter<T>, GeometryError> {
    let lambda = checked(datasets.len(), weights, options)?;
    let problem = Problem { datasets, lambda: &lambda };
    let (start, mut state, lower_bound) = problem.start(options)?;
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

/// Promises closer than this part of the objective are equal.
const TIE: f64 = 1e-9;

impl<T> State<T> {
    /// A step leaves at most the objective less the movement; at a tie the smaller objective counts.
    fn promises_more_than(&self, other: &Self) -> bool {
        let (own, others) = (self.objective - self.movement, other.objective - other.movement);
        if (own - others).abs() <= TIE * self.objective.max(other.objective) {
            self.objective < other.objective
        } else {
            own < others
        }
    }
}

impl<T: Scalar> Problem<'_, T> {
    /// The dataset to start from, how good it is, and a lower bound of any objective.
    fn start(&self, options: &BarycenterOptions) -> Result<(usize, State<T>, f64), GeometryError> {
        let count = self.datasets.len();
        let mut squared = vec![None; count * count];
        let mut best: Option<(usize, State<T>)> = None;
        let weighty = (0..count).filter(|&k| self.lambda[k] > 0.0);
        for k in weighty.clone().filter(|&k| options.start.is_none_or(|start| start == k)) {
            let own = support(self.datasets[k])?;
            let wanted = options.classes.unwrap_or(own.class_count());
            let is_whole = wanted == own.class_count();
            let state = self.evaluate(resized(own, wanted)?)?;
            for (l, transport) in state.transports.iter().enumerate().filter(|_| is_whole) {
                let value = transport.as_ref().map(|transport| transport.value);
                (squared[k * count + l], squared[l * count + k]) = (value, value);
            }
            if best.as_ref().is_none_or(|(_, best)| state.promises_more_than(best)) {
                best = Some((k, state));
            }
        }
        let mut bound = 0.0;
        let pairs = weighty.flat_map(|k| (0..k).map(move |l| (k, l)));
        for (k, l) in pairs.filter(|&(_, l)| self.lambda[l] > 0.0) {
            let value = match squared[k * count + l] {
                Some(value) => value,
                None => wow2_pow(self.datasets[k], self.datasets[l], KeepPlans::No)?.value,
            };
            bound += self.lambda[k] * self.lambda[l] * value;
        }
        best.map(|(k, state)| (k, state, bound)).ok_or(GeometryError::NoDatasets)
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
