//! `F(P) = 1/2 MMD_K^2(P, Q)` with a kernel on the sliced-Wasserstein distance, and its velocity.

use super::{Evaluation, Functional, FunctionalError};
use crate::directions::{Directions, Draws, Slicer, Slicing};
use crate::estimate::Estimate;
use crate::kernel::{Base, Kernel};
use crate::measure::MeasureOverMeasures;
use crate::ot::sliced::{Engine, PairSums};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// How many directions are drawn, of which kind, from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlicingPlan {
    /// Kind of directions.
    pub slicing: Slicing,
    /// Number of directions a step, `L`.
    pub count: usize,
    /// Seed of all draws.
    pub seed: u64,
}

/// Sliced distances between all classes, as matrices, row-major.
///
/// The entries are `SW_2^2`, or `SW_1` for a kernel that is a function of `SW_1`.
#[derive(Clone, Debug, PartialEq)]
pub struct PairDistances {
    /// `C_P x C_P`.
    pub source_source: Vec<f64>,
    /// `C_P x C_Q`.
    pub source_target: Vec<f64>,
    /// `C_Q x C_Q`.
    pub target_target: Vec<f64>,
}

/// Half the squared MMD to a fixed target, biased (V-statistic), all pairs on shared directions.
///
/// Made for particles of given class sizes and weights, which may then move; its methods panic when
/// given particles of other sizes, and use the weights it was made with.
///
/// Every step draws fresh directions; with them the Q-Q term changes too and is computed, so that
/// the value is the squared MMD of the `L`-slice geometry and never negative. Cost of a step:
/// `O((N + M) L (d + log n) + (C_P + C_Q)^2 L n)`.
///
/// ```
/// use wowflow::directions::Slicing;
/// use wowflow::functional::{Functional, MmdSw, SlicingPlan};
/// use wowflow::kernel::{Kernel, Riesz};
/// use wowflow::measure::MeasureOverMeasures;
/// let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0_f64], 2, &[1, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![3.0, 1.0, 4.0, 1.0], 2, &[1, 1])?;
/// let plan = SlicingPlan { slicing: Slicing::Equispaced, count: 16, seed: 1 };
/// let mut mmd = MmdSw::new(&p, &q, Kernel::from(Riesz::new(1.0, 0.0)?), plan)?;
/// let mut velocity = vec![0.0; 4];
/// let found = mmd.evaluate(&p, 0, &mut velocity);
/// assert!(found.value > 0.0 && found.standard_error.is_some());
/// assert!(velocity[0] < 0.0); // descending (minus the velocity) moves to the right
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MmdSw<'q, T: Scalar> {
    target: &'q MeasureOverMeasures<T>,
    kernel: Kernel,
    plan: SlicingPlan,
    engine: Engine<T>,
    draws: Draws<T>,
}

impl<'q, T: Scalar> MmdSw<'q, T> {
    /// The functional for particles that have the sizes and weights of `source`.
    ///
    /// # Errors
    /// Different dimensions, no directions, or directions that do not exist in this dimension.
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        kernel: Kernel,
        plan: SlicingPlan,
    ) -> Result<Self, FunctionalError> {
        if source.dim() != target.dim() {
            return Err(FunctionalError::Dimensions { source_dim: source.dim(), target_dim: target.dim() });
        }
        let stream = Stream::new(plan.seed, Purpose::Directions, 0);
        let draws = Draws::new(plan.slicing, plan.count, source.dim(), stream)?;
        let engine = Engine::new(source, target, plan.count);
        Ok(Self { target, kernel, plan, engine, draws })
    }

    /// The kernel.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The same functional with another kernel.
    #[must_use]
    pub fn with_kernel(self, kernel: Kernel) -> Self {
        Self { kernel, ..self }
    }

    /// The squared MMD of particles to the target on a draw of its own, apart from those of the
    /// steps: the same directions for every call with the same seed, so that values compare.
    pub fn mmd2_apart(&mut self, particles: &MeasureOverMeasures<T>) -> f64 {
        self.mmd2_estimate(particles, 0).value
    }

    /// The squared MMD of particles to the target on the `draw`-th set of directions kept for
    /// evaluation, with its standard error by the delta method.
    ///
    /// The directions are taken in batches; the batches' distances, each weighted with the kernel's
    /// derivative at the mean distance, vary as the value would on other directions. Exact in the
    /// limit of many directions when they are independent; for orthogonal ones the error is too large
    /// rather than too small. NaN where so many classes meet that there are less than 8 batches.
    pub fn mmd2_estimate(&mut self, particles: &MeasureOverMeasures<T>, draw: u64) -> Estimate {
        self.draws.restart(Stream::new(self.plan.seed, Purpose::Evaluation, draw));
        self.engine.distances(self.kernel.base(), particles, self.target, &mut self.draws);
        let half = half_mmd2(self.kernel, particles, self.target, &self.engine);
        half.mapped(2.0 * half.value, 2.0)
    }

    /// The mean, over pairs of a source class and a target class, of `SW_2^2` or `SW_1`: what step
    /// sizes and bandwidths are measured in. On the same draw as [`Self::mmd2_apart`].
    pub fn typical_distance(&mut self, particles: &MeasureOverMeasures<T>, base: Base) -> f64 {
        self.draws.restart(Stream::new(self.plan.seed, Purpose::Evaluation, 0));
        let sums = self.engine.distances(base, particles, self.target, &mut self.draws);
        let (w, v) = (particles.outer_weights(), self.target.outer_weights());
        w.iter()
            .enumerate()
            .flat_map(|(c, wc)| v.iter().enumerate().map(move |(d, vd)| (c, d, wc * vd)))
            .map(|(c, d, weight)| weight * sums.source_target(c, d))
            .sum()
    }

    /// Distances between source and target classes (`C_P x C_Q`) as last measured.
    pub(crate) fn source_target(&self, particles: &MeasureOverMeasures<T>) -> Vec<f64> {
        let (sums, cols) = (self.engine.total(), self.target.class_count());
        (0..particles.class_count() * cols).map(|k| sums.source_target(k / cols, k % cols)).collect()
    }

    /// Sliced distances between all classes along given directions.
    pub fn distances(
        &mut self,
        particles: &MeasureOverMeasures<T>,
        directions: &Directions<T>,
        base: Base,
    ) -> PairDistances {
        let sums = self.engine.distances(base, particles, self.target, &mut &*directions);
        let (c, d) = (particles.class_count(), self.target.class_count());
        let matrix = |rows: usize, cols: usize, entry: &dyn Fn(usize, usize) -> f64| {
            (0..rows * cols).map(|k| entry(k / cols, k % cols)).collect()
        };
        PairDistances {
            source_source: matrix(c, c, &|i, j| sums.source_source(i, j)),
            source_target: matrix(c, d, &|i, j| sums.source_target(i, j)),
            target_target: matrix(d, d, &|i, j| sums.target_target(i, j)),
        }
    }

    /// `F(P)` and the velocity along given directions; see [`Functional::evaluate`].
    ///
    /// # Panics
    /// A velocity or directions of another size than the particles ask for.
    pub fn evaluate_along(
        &mut self,
        particles: &MeasureOverMeasures<T>,
        directions: &Directions<T>,
        velocity: &mut [T],
    ) -> f64 {
        evaluate(&mut self.engine, self.kernel, particles, self.target, &mut &*directions, velocity).value
    }
}

/// `F(P)` and its velocity on the directions of a slicer.
fn evaluate<T: Scalar>(
    engine: &mut Engine<T>,
    kernel: Kernel,
    particles: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
    slicer: &mut impl Slicer<T>,
    velocity: &mut [T],
) -> Estimate {
    assert_eq!(velocity.len(), particles.points().len(), "one velocity a coordinate");
    let base = kernel.base();
    engine.distances(base, particles, target, slicer);
    let value = half_mmd2(kernel, particles, target, engine);
    // dF/ds of a pair, divided by w_c a_{c,i}: the one place that knows the WoW factor. A pair
    // of source classes counts twice in the double sum, which cancels the 1/2 of F; the
    // distance itself changes by 2 (s_c - s_e) for SW_2^2 and by a sign for SW_1.
    let per_difference = match base {
        Base::SquaredSw2 => 2.0,
        Base::Sw1 => 1.0,
    };
    let (w, v) = (particles.outer_weights(), target.outer_weights());
    let coefficient = |sums: &PairSums, c: usize, e: usize| {
        per_difference
            * match e.checked_sub(w.len()) {
                None => w[e] * kernel.derivative(sums.source_source(c, e)),
                Some(d) => -v[d] * kernel.derivative(sums.source_target(c, d)),
            }
    };
    engine.velocity(particles, target, slicer, coefficient, velocity);
    value
}

/// `F(P)` from the distances of the engine's last pass, with its error from their batches.
fn half_mmd2<T: Scalar>(
    kernel: Kernel,
    particles: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
    engine: &Engine<T>,
) -> Estimate {
    /// Fewer batches than this say nothing about the error.
    const BATCHES: usize = 8;
    let total = engine.total();
    let batches: Vec<(f64, &PairSums)> = engine.batches().map(|(count, sums)| (count as f64, sums)).collect();
    let mut changes = vec![0.0; batches.len()];
    let mut double_sum = |sign: f64, a: &[f64], b: &[f64], pair: &dyn Fn(&PairSums, usize, usize) -> f64| {
        let mut sum = 0.0;
        for (i, ai) in a.iter().enumerate() {
            for (j, bj) in b.iter().enumerate() {
                let distance = pair(total, i, j);
                sum += ai * bj * kernel.value(distance);
                let slope = sign * ai * bj * kernel.derivative(distance);
                for (change, (count, sums)) in changes.iter_mut().zip(&batches) {
                    *change += slope * (pair(sums, i, j) / count - distance);
                }
            }
        }
        sign * sum
    };
    let (w, v) = (particles.outer_weights(), target.outer_weights());
    // Three sums apart: those of a dataset and itself cancel exactly.
    let value = double_sum(0.5, w, w, &PairSums::source_source)
        + double_sum(0.5, v, v, &PairSums::target_target)
        + double_sum(-1.0, w, v, &PairSums::source_target);
    if batches.len() < BATCHES {
        return Estimate { value, standard_error: f64::NAN, degrees_of_freedom: 0 };
    }
    let directions: f64 = batches.iter().map(|(count, _)| count).sum();
    let squares: f64 =
        batches.iter().zip(&changes).map(|((count, _), change)| count / directions * change * change).sum();
    let standard_error = (squares / (batches.len() - 1) as f64).sqrt();
    Estimate { value, standard_error, degrees_of_freedom: batches.len() - 1 }
}

impl<T: Scalar> Functional<T> for MmdSw<'_, T> {
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        self.draws.restart(Stream::new(self.plan.seed, Purpose::Directions, step));
        let found =
            evaluate(&mut self.engine, self.kernel, particles, self.target, &mut self.draws, velocity);
        let error = found.standard_error;
        Evaluation { value: found.value, standard_error: (!error.is_nan()).then_some(error) }
    }
}
