//! OTDD: transport between samples that pays for their labels too (Alvarez-Melis and Fusi 2020).
//!
//! The ground cost is `|x - x'|^2 + W_2^2(nu_y, nu_y')`, both terms squared and of weight 1, with `nu_y` the
//! samples of label `y`. A sample has mass `w_c a_{c,i}`.

use rayon::prelude::*;
use thiserror::Error;

use super::masses::masses;
use crate::directions::{Directions, DirectionsError, Slicing};
use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::bures::{self, BuresError, Gaussian};
use crate::ot::entropic::{
    Entropic, EntropicError, Ground, Labels, Likeness, Side, SinkhornSettings, debiased,
    solve as solve_entropic,
};
use crate::ot::exact::{CostMatrix, Coupling, Method, OtError, Problem, w2_pow};
use crate::ot::sliced::{Base, SlicedError, sampled_along};
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

/// Why two datasets were not compared.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum OtddError {
    /// The datasets live in spaces of different dimension.
    #[error("expected datasets of one dimension, found {left} and {right}: embed both in one space first")]
    DimensionMismatch {
        /// Dimension on the left.
        left: usize,
        /// Dimension on the right.
        right: usize,
    },
    /// An exact problem was refused.
    #[error(transparent)]
    Exact(#[from] OtError),
    /// An entropic problem was refused.
    #[error(transparent)]
    Entropic(#[from] EntropicError),
    /// A class was refused as a Gaussian.
    #[error(transparent)]
    Gaussian(#[from] BuresError),
    /// The slicing directions do not exist.
    #[error(transparent)]
    Directions(#[from] DirectionsError),
    /// The sliced distances were refused.
    #[error(transparent)]
    Sliced(#[from] SlicedError),
}

/// The distance between labels, each the measure of its samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LabelDistance {
    /// `W_2^2`, exact.
    Exact,
    /// `W_2^2` between Gaussians of the same means and covariances; a lower bound of the exact one.
    Gaussian {
        /// Taken off the sample count that covariances are divided by; 0 is the population's.
        ddof: u32,
    },
    /// The sliced distance on directions shared by all pairs.
    Sliced {
        /// How directions are drawn.
        slicing: Slicing,
        /// Number of directions.
        count: usize,
        /// Seed of the draw.
        seed: u64,
        /// In what unit.
        scale: SlicedScale,
    },
}

/// The unit of sliced label distances: in `d` dimensions, for a translation, `SW_2^2` is `d` times smaller
/// than `W_2^2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlicedScale {
    /// `SW_2^2`.
    Plain,
    /// `d SW_2^2`, which is `|t|^2` for a translation by `t`, as `W_2^2` is. Unlike the plain one it can be
    /// larger than `W_2^2`, by chance of the directions.
    Dimension,
}

/// The solver of the transport between samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OuterSolver {
    /// Exact.
    Exact,
    /// Entropic.
    Entropic {
        /// Regularisation, tolerance, marginals, storage.
        settings: SinkhornSettings,
        /// What becomes of the bias.
        bias: Bias,
    },
}

/// What becomes of the bias of entropic transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// Taken off: the Sinkhorn divergence, 0 between a dataset and itself.
    Removed,
    /// Kept: the regularised cost as it is.
    Kept,
}

/// Whether the coupling of the samples is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepCoupling {
    /// It is; an entropic one takes `n m` numbers.
    Yes,
    /// It is not.
    No,
}

/// How two datasets are compared; the default is exact on both levels.
///
/// ```
/// use wowflow::compare::otdd::{OtddSettings, OuterSolver};
/// let entropic = OtddSettings { outer: OuterSolver::debiased(0.1), ..OtddSettings::default() };
/// assert!(matches!(entropic.outer, OuterSolver::Entropic { .. }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OtddSettings {
    /// The distance between labels.
    pub labels: LabelDistance,
    /// The solver between samples.
    pub outer: OuterSolver,
    /// Whether the coupling is returned.
    pub coupling: KeepCoupling,
}

impl Default for OtddSettings {
    fn default() -> Self {
        Self { labels: LabelDistance::Exact, outer: OuterSolver::Exact, coupling: KeepCoupling::No }
    }
}

impl OuterSolver {
    /// The Sinkhorn divergence with regularisation `epsilon`, in the unit of squared distances.
    #[must_use]
    pub fn debiased(epsilon: f64) -> Self {
        Self::Entropic { settings: SinkhornSettings::new(epsilon), bias: Bias::Removed }
    }
}

/// A coupling of the samples of two datasets, class after class on both sides.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleCoupling {
    /// Of the exact solver.
    Sparse(Coupling),
    /// Of the entropic solver, `n x m` row-major.
    Dense(Vec<f64>),
}

/// The algorithm that finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    /// An exact one.
    Exact(Method),
    /// Sinkhorn iterations; three problems where the bias is removed.
    Sinkhorn {
        /// Whether all problems met the tolerance.
        converged: bool,
    },
}

/// The distance of two datasets with what certifies it.
#[derive(Clone, Debug, PartialEq)]
pub struct Otdd {
    /// The optimal cost: a squared distance, no root is taken.
    pub value: f64,
    /// The value asked for is at least this, given the label distances, and up to rounding ...
    pub lower: f64,
    /// ... and at most this.
    pub upper: f64,
    /// Distances between labels, `C_P x C_Q`, squared.
    pub label_costs: CostMatrix,
    /// The coupling of samples, if asked for.
    pub coupling: Option<SampleCoupling>,
    /// The solver between samples.
    pub solver: Solver,
    /// Its work: steps of the exact solver, iterations of the entropic one.
    pub iterations: usize,
    /// The settings, with the storage of costs resolved.
    pub settings: OtddSettings,
    /// The value with its standard error over draws of slices: of sliced label distances with the exact solver.
    pub slices: Option<Estimate>,
}

impl Otdd {
    /// The root of the value; 0 where a divergence came out below 0 by rounding.
    #[must_use]
    pub fn root(&self) -> f64 {
        self.value.max(0.0).sqrt()
    }

    /// Upper less lower bound of the value.
    #[must_use]
    pub fn gap(&self) -> f64 {
        self.upper - self.lower
    }
}

/// OTDD between two datasets, squared: the power, not the root.
///
/// Classes and samples may differ in number; labels are not compared by name. In parallel in the current
/// rayon pool, the same bits for any number of threads. The exact solver keeps
/// `n m` costs in single precision up to 1 GiB of them, and computes them anew beyond.
///
/// ```
/// use wowflow::compare::otdd::{OtddSettings, otdd_pow};
/// use wowflow::measure::MeasureOverMeasures;
/// let p = MeasureOverMeasures::uniform(vec![0.0, 1.0, 5.0], 1, &[2, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![2.0, 3.0, 7.0], 1, &[2, 1])?;
/// let found = otdd_pow(&p, &q, &OtddSettings::default())?;
/// assert!((found.value - 8.0).abs() < 1e-12); // a translation by 2 costs 4 twice
/// assert_eq!(otdd_pow(&p, &p, &OtddSettings::default())?.value, 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Datasets of different dimension, settings out of range, distances that are not finite.
#[inline(never)]
pub fn otdd_pow<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
    settings: &OtddSettings,
) -> Result<Otdd, OtddError> {
    if p.dim() != q.dim() {
        return Err(OtddError::DimensionMismatch { left: p.dim(), right: q.dim() });
    }
    let tables = match settings.outer {
        OuterSolver::Entropic { bias: Bias::Removed, .. } => {
            label_tables(p, q, settings.labels, Within::Too)?
        }
        _ => label_tables(p, q, settings.labels, Within::No)?,
    };
    let (left, right) = (Samples::of(p), Samples::of(q));
    match settings.outer {
        OuterSolver::Exact => exact(p, q, (&left, &right), tables, settings),
        OuterSolver::Entropic { settings: sinkhorn, bias } => {
            let labels = Labels { left: &left.class, right: &right.class, table: &tables.between };
            let cross = Ground::points(p.points(), q.points(), p.dim(), Some(labels))?;
            let (outcome, transport) = match (bias, &tables.within) {
                (Bias::Removed, Some((own_left, own_right))) => {
                    let sides = [(p, &left, own_left), (q, &right, own_right)];
                    divergence(sides, &tables.between, &sinkhorn)?
                }
                _ => {
                    let sides = (Some(&left.mass[..]), Some(&right.mass[..]));
                    let found = solve_entropic(&cross, sides, &sinkhorn, Likeness::Different, None)?;
                    let (lower, upper) = (found.value, found.value + found.gap);
                    let (iterations, converged) = (found.iterations, found.converged);
                    (Outcome { value: found.value, lower, upper, iterations, converged }, found)
                }
            };
            let keep = settings.coupling == KeepCoupling::Yes;
            let coupling = keep.then(|| SampleCoupling::Dense(transport.dense_plan(&cross)));
            let outer = OuterSolver::Entropic { settings: transport.settings, bias };
            Ok(Otdd {
                value: outcome.value,
                lower: outcome.lower,
                upper: outcome.upper,
                coupling,
                solver: Solver::Sinkhorn { converged: outcome.converged },
                iterations: outcome.iterations,
                settings: OtddSettings { outer, ..*settings },
                label_costs: tables.between,
                slices: None,
            })
        }
    }
}

/// OTDD between two datasets: the root of [`otdd_pow`]'s value.
///
/// # Errors
/// As [`otdd_pow`].
#[inline(never)]
pub fn otdd<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
    settings: &OtddSettings,
) -> Result<f64, OtddError> {
    Ok(otdd_pow(p, q, settings)?.root())
}

/// What a dataset's samples are without their coordinates.
struct Samples {
    class: Vec<usize>,
    mass: Vec<f64>,
}

impl Samples {
    fn of<T: Scalar>(data: &MeasureOverMeasures<T>) -> Self {
        let class = |c| std::iter::repeat_n(c, data.class_size(c));
        Self { class: (0..data.class_count()).flat_map(class).collect(), mass: masses(data) }
    }

    /// The masses, or `None` where they are all equal but for rounding.
    fn weights(&self) -> Option<&[f64]> {
        let first = self.mass[0];
        let equal = self.mass.iter().all(|mass| (mass - first).abs() <= 4.0 * f64::EPSILON * first);
        (!equal).then_some(&self.mass)
    }
}

fn exact<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
    (left, right): (&Samples, &Samples),
    LabelTables { between: label_costs, batches, .. }: LabelTables,
    settings: &OtddSettings,
) -> Result<Otdd, OtddError> {
    let classes = (&left.class[..], &right.class[..]);
    let found = Problem::labeled_points(p.points(), q.points(), p.dim(), classes, &label_costs)
        .weights(left.weights(), right.weights())
        .solve()?;
    // Near the minimum the value moves as the costs do along the optimal coupling (the envelope theorem): batches of
    // slices tell by how much.
    let cols = label_costs.cols();
    let mut paid = vec![0.0; label_costs.rows() * cols];
    for atom in found.coupling.atoms() {
        paid[left.class[atom.row] * cols + right.class[atom.col]] += atom.mass;
    }
    let along = |table: &[f64]| -> f64 { paid.iter().zip(table).map(|(mass, cost)| mass * cost).sum() };
    let whole = along(label_costs.values());
    let moved = batches.iter().map(|(count, table)| (*count, found.value + (along(table) - whole)));
    let slices = (!batches.is_empty()).then(|| Estimate::of_batches(found.value, &moved.collect::<Vec<_>>()));
    Ok(Otdd {
        value: found.value,
        lower: found.value - found.gap,
        upper: found.value,
        label_costs,
        coupling: (settings.coupling == KeepCoupling::Yes).then_some(SampleCoupling::Sparse(found.coupling)),
        solver: Solver::Exact(found.method),
        iterations: found.steps,
        settings: *settings,
        slices,
    })
}

struct Outcome {
    value: f64,
    lower: f64,
    upper: f64,
    iterations: usize,
    converged: bool,
}

/// The Sinkhorn divergence; each side's transport to itself pays its own label distances.
fn divergence<T: Scalar>(
    [left, right]: [(&MeasureOverMeasures<T>, &Samples, &CostMatrix); 2],
    between: &CostMatrix,
    settings: &SinkhornSettings,
) -> Result<(Outcome, Entropic), OtddError> {
    let (p, left, own_left) = left;
    let (q, right, own_right) = right;
    let dim = p.dim();
    let labels = Labels { left: &left.class, right: &left.class, table: own_left };
    let own = Ground::points(p.points(), p.points(), dim, Some(labels))?;
    let first = Side { points: p.points(), weights: Some(&left.mass), own };
    let labels = Labels { left: &right.class, right: &right.class, table: own_right };
    let own = Ground::points(q.points(), q.points(), dim, Some(labels))?;
    let second = Side { points: q.points(), weights: Some(&right.mass), own };
    let turned = transposed(between)?;
    let cross = |swapped: bool| {
        if swapped {
            let labels = Labels { left: &right.class, right: &left.class, table: &turned };
            Ground::points(q.points(), p.points(), dim, Some(labels))
        } else {
            let labels = Labels { left: &left.class, right: &right.class, table: between };
            Ground::points(p.points(), q.points(), dim, Some(labels))
        }
    };
    let found = debiased(&first, &second, cross, left.class != right.class, settings)?;
    let (iterations, converged) = (found.iterations(), found.converged());
    let outcome =
        Outcome { value: found.value, lower: found.lower, upper: found.upper, iterations, converged };
    Ok((outcome, found.cross))
}

fn transposed(cost: &CostMatrix) -> Result<CostMatrix, OtError> {
    let (n, m) = (cost.rows(), cost.cols());
    CostMatrix::new(m, n, (0..n * m).map(|k| cost.get(k % n, k / n)).collect())
}

/// Whether label distances within each dataset are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Too,
    No,
}

struct LabelTables {
    between: CostMatrix,
    within: Option<(CostMatrix, CostMatrix)>,
    /// Numbers of slices with what they alone make of `between`; none where nothing is sliced.
    batches: Vec<(f64, Vec<f64>)>,
}

/// Distances between labels of two datasets, and within each if asked for.
fn label_tables<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
    distance: LabelDistance,
    within: Within,
) -> Result<LabelTables, OtddError> {
    match distance {
        LabelDistance::Exact => {
            let pair = |p: &MeasureOverMeasures<T>, c: usize, q: &MeasureOverMeasures<T>, d: usize| {
                let (x, y) = (p.class_points(c), q.class_points(d));
                Ok(w2_pow(x, p.class_weights(c), y, q.class_weights(d), p.dim())?)
            };
            let count = [p.class_count(), q.class_count()];
            tables(
                count,
                within,
                [&|c, d| pair(p, c, q, d), &|c, d| pair(p, c, p, d), &|c, d| pair(q, c, q, d)],
            )
        }
        LabelDistance::Gaussian { ddof } => {
            let gaussians = |data: &MeasureOverMeasures<T>| -> Result<Vec<Gaussian>, BuresError> {
                let class =
                    |c| Gaussian::from_samples(data.class_points(c), data.class_weights(c), data.dim(), ddof);
                (0..data.class_count()).into_par_iter().map(class).collect()
            };
            let (left, right) = (gaussians(p)?, gaussians(q)?);
            let pair = |p: &[Gaussian], c: usize, q: &[Gaussian], d: usize| Ok(bures::w2_pow(&p[c], &q[d])?);
            let kinds: [LabelCost<'_>; 3] =
                [&|c, d| pair(&left, c, &right, d), &|c, d| pair(&left, c, &left, d), &|c, d| {
                    pair(&right, c, &right, d)
                }];
            tables([p.class_count(), q.class_count()], within, kinds)
        }
        LabelDistance::Sliced { slicing, count, seed, scale } => {
            let directions = Directions::<T>::draw(slicing, count, p.dim(), seed, 0)?;
            let pair = Pair { source: p, target: q };
            let (mut found, mut batches) = sampled_along(pair, Base::SquaredSw2, &directions)?;
            let unit = match scale {
                SlicedScale::Plain => 1.0,
                SlicedScale::Dimension => p.dim() as f64,
            };
            found.each(|value| unit * value);
            batches.iter_mut().for_each(|(_, means)| means.each(|value| unit * value));
            let batches = batches.into_iter().map(|(count, means)| (count, means.source_target)).collect();
            let (rows, cols) = (p.class_count(), q.class_count());
            let own = |n: usize, values| CostMatrix::new(n, n, values);
            let within = match within {
                Within::Too => Some((own(rows, found.source_source)?, own(cols, found.target_target)?)),
                Within::No => None,
            };
            Ok(LabelTables { between: CostMatrix::new(rows, cols, found.source_target)?, within, batches })
        }
    }
}

type LabelCost<'a> = &'a (dyn Fn(usize, usize) -> Result<f64, OtddError> + Sync);

/// Tables of distances: between, within the left, within the right dataset.
fn tables(
    [rows, cols]: [usize; 2],
    within: Within,
    [between, left, right]: [LabelCost<'_>; 3],
) -> Result<LabelTables, OtddError> {
    let values = (0..rows * cols).into_par_iter().map(|k| between(k / cols, k % cols));
    let between = CostMatrix::new(rows, cols, values.collect::<Result<_, OtddError>>()?)?;
    let own = |count: usize, pair: LabelCost<'_>| -> Result<CostMatrix, OtddError> {
        // A distance is symmetric and 0 on the diagonal: the pairs above it are enough.
        let pairs: Vec<(usize, usize)> = (0..count).flat_map(|c| (0..c).map(move |d| (c, d))).collect();
        let found: Vec<f64> = pairs.par_iter().map(|&(c, d)| pair(c, d)).collect::<Result<_, OtddError>>()?;
        let mut table = vec![0.0; count * count];
        for ((c, d), value) in pairs.into_iter().zip(found) {
            table[c * count + d] = value;
            table[d * count + c] = value;
        }
        Ok(CostMatrix::new(count, count, table)?)
    };
    let within = match within {
        Within::Too => Some((own(rows, left)?, own(cols, right)?)),
        Within::No => None,
    };
    Ok(LabelTables { between, within, batches: Vec::new() })
}
