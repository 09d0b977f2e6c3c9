//! `F(P) = 1/2 MMD_K^2(P, Q)` with a kernel on the sliced-Wasserstein distance, and its velocity.

use std::sync::Arc;

use super::batches::{BatchEstimator, DistanceEstimator, MiniBatches};
use super::{Evaluation, Functional, FunctionalError, Quantity, same_space};
use crate::directions::{Directions, Draws, Slicer, Slicing, dimension_factor};
use crate::kernel::{Base, Kernel, ReadDistances, Varied, half_mmd2};
use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::sliced::backend::Backend;
use crate::ot::sliced::{Engine, PairDistances, PairMatrix, WithinAtomVariance};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

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

/// When directions are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redraw {
    /// Anew at every step: in many steps a flow sees all directions.
    EveryStep,
    /// Once: the functional is the same at every step, as L-BFGS needs, and the target is projected and
    /// sorted once. Few directions in many dimensions are then matched and no others.
    Never,
}

crate::named!(Redraw, "moment of drawing", {
    EveryStep = "every-step": "Anew at every step.",
    Never = "never": "Once.",
});

/// Half the squared MMD to a fixed target, biased (V-statistic), all pairs on shared directions.
///
/// Made for particles of given class sizes and weights, which may then move; its methods panic when
/// given particles of other sizes, and use the weights it was made with.
///
/// Every step draws fresh directions; with them the Q-Q term changes too and is computed, so that the value is the
/// squared MMD of the `L`-slice geometry and not negative but for rounding (from debiased batches, by chance). Cost of
/// a step: `O((N + M) L (d + log n) + (C_P + C_Q)^2 L n)`.
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
    redraw: Redraw,
    within_atoms: WithinAtomVariance,
    engine: Engine<T>,
    draws: Draws<T>,
    batches: Option<Batches<T>>,
    curvatures: Vec<f64>,
    resolution: f64,
}

/// Mini-batches with the engine for their sizes and the last ones drawn.
#[derive(Clone, Debug)]
struct Batches<T: Scalar> {
    plan: MiniBatches,
    engine: Engine<T>,
    drawn: MeasureOverMeasures<T>,
}

impl<'q, T: Scalar> MmdSw<'q, T> {
    /// The functional for particles that have the sizes and weights of `source`.
    ///
    /// # Errors
    /// Different dimensions, no directions, or directions that do not exist in this dimension.
    #[inline(never)]
    pub fn new(
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        kernel: Kernel,
        plan: SlicingPlan,
    ) -> Result<Self, FunctionalError> {
        same_space(source, target)?;
        let stream = Stream::new(plan.seed, Purpose::Directions, 0);
        let draws = Draws::new(plan.slicing, plan.count, source.dim(), stream)?;
        let engine = Engine::new(Pair { source, target }, plan.count);
        let curvatures = vec![0.0; source.sample_count()];
        let redraw = Redraw::EveryStep;
        let resolution = resolution(target);
        let within_atoms = WithinAtomVariance::Included;
        Ok(Self {
            target,
            kernel,
            plan,
            redraw,
            within_atoms,
            engine,
            draws,
            batches: None,
            curvatures,
            resolution,
        })
    }

    /// The same functional with directions drawn as told; without this, anew at every step.
    #[must_use]
    pub fn with_redraw(self, redraw: Redraw) -> Self {
        Self { redraw, ..self }
    }

    /// The same functional with mini-batches of the target, drawn anew at every step.
    ///
    /// They are what [`Functional::evaluate`] sees; values for comparison ([`Self::mmd2_held_out`],
    /// [`Functional::change`]) take the whole target. `particles` as in [`Self::new`].
    ///
    /// # Errors
    /// Batches of no samples, debiased ones with a kernel of `SW_1`, and those that do not fit the backend.
    #[inline(never)]
    pub fn with_batches(
        self,
        particles: &MeasureOverMeasures<T>,
        plan: MiniBatches,
    ) -> Result<Self, FunctionalError> {
        if plan.size == 0 {
            return Err(FunctionalError::EmptyBatches);
        }
        if plan.estimator == BatchEstimator::Debiased && self.kernel.base() == Base::Sw1 {
            return Err(FunctionalError::NotHilbertian);
        }
        if plan.estimator == BatchEstimator::Debiased && self.within_atoms == WithinAtomVariance::Excluded {
            return Err(FunctionalError::VarianceOfBatches);
        }
        let drawn = plan.draw(self.target, Stream::new(self.plan.seed, Purpose::Batches, 0));
        let pair = Pair { source: particles, target: &drawn };
        let engine = Engine::on(self.engine.backend(), pair, self.plan.count)?;
        let engine = engine.with_within_atom_variance(self.within_atoms);
        Ok(Self { batches: Some(Batches { plan, engine, drawn }), ..self })
    }

    /// The same functional, without mini-batches, with the variance of target classes within the atoms of source
    /// classes counted or not; without this, it is.
    ///
    /// # Errors
    /// [`WithinAtomVariance::Excluded`] with a kernel of `SW_1`, which has no such part.
    #[inline(never)]
    pub fn with_within_atom_variance(
        self,
        within_atoms: WithinAtomVariance,
    ) -> Result<Self, FunctionalError> {
        if within_atoms == WithinAtomVariance::Excluded && self.kernel.base() == Base::Sw1 {
            return Err(FunctionalError::VarianceOfSw1);
        }
        Ok(Self {
            engine: self.engine.with_within_atom_variance(within_atoms),
            within_atoms,
            batches: None,
            ..self
        })
    }

    /// The same functional computed by another backend than [`Host`](crate::ot::sliced::Host).
    ///
    /// # Errors
    /// Datasets that do not fit it.
    pub fn with_backend(self, backend: &Arc<dyn Backend<T>>) -> Result<Self, FunctionalError> {
        let engine = self.engine.moved_to(backend)?;
        let batches = match self.batches {
            Some(batches) => Some(Batches { engine: batches.engine.moved_to(backend)?, ..batches }),
            None => None,
        };
        Ok(Self { engine, batches, ..self })
    }

    /// The kernel.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The same functional, without mini-batches and with the variance within atoms counted, with another kernel.
    #[must_use]
    pub fn with_kernel(self, kernel: Kernel) -> Self {
        let within_atoms = WithinAtomVariance::Included;
        Self {
            engine: self.engine.with_within_atom_variance(within_atoms),
            within_atoms,
            kernel,
            batches: None,
            ..self
        }
    }

    /// The squared MMD of particles to the target on a draw of its own, apart from those of the
    /// steps: the same directions for every call with the same seed, so that values compare.
    #[inline(never)]
    pub fn mmd2_held_out(&mut self, particles: &MeasureOverMeasures<T>) -> f64 {
        self.mmd2_estimate(particles, 0).value
    }

    /// The squared MMD of particles to the target on the `draw`-th set of directions kept for
    /// evaluation, with its standard error by the delta method.
    ///
    /// The directions are taken in batches; the batches' distances, each weighted with the kernel's
    /// derivative at the mean distance, vary as the value would on other directions. Exact in the
    /// limit of many directions when they are independent; for orthogonal ones the error is too large
    /// rather than too small. NaN for less than 8 directions, and where more than 1024 classes meet, both
    /// sides together: the distances of 8 batches would need too much memory.
    #[inline(never)]
    pub fn mmd2_estimate(&mut self, particles: &MeasureOverMeasures<T>, draw: u64) -> Estimate {
        self.half_mmd2_held_out(particles, draw).doubled()
    }

    fn half_mmd2_held_out(&mut self, particles: &MeasureOverMeasures<T>, draw: u64) -> Varied {
        self.draws.restart(Stream::new(self.plan.seed, Purpose::Evaluation, draw));
        let pair = Pair { source: particles, target: self.target };
        self.engine.distances(self.kernel.base(), pair, &mut self.draws);
        let weights = (particles.outer_weights(), self.target.outer_weights());
        half_mmd2(self.kernel, weights, self.engine.sampled(), &DistanceEstimator::Plain)
    }

    /// The mean, over pairs of a source class and a target class, of `SW_2^2` or `SW_1`: what step
    /// sizes and bandwidths are measured in. On the same draw as [`Self::mmd2_held_out`].
    #[inline(never)]
    pub fn typical_distance(&mut self, particles: &MeasureOverMeasures<T>, base: Base) -> f64 {
        self.draws.restart(Stream::new(self.plan.seed, Purpose::Evaluation, 0));
        let pair = Pair { source: particles, target: self.target };
        let pairs = self.engine.distances(base, pair, &mut self.draws);
        pairs.mean_source_target(particles.outer_weights(), self.target.outer_weights())
    }

    /// Sliced distances between all classes along given directions.
    #[inline(never)]
    pub fn distances(
        &mut self,
        particles: &MeasureOverMeasures<T>,
        directions: &Directions<T>,
        base: Base,
    ) -> PairDistances {
        let pair = Pair { source: particles, target: self.target };
        self.engine.distances(base, pair, &mut &*directions).into()
    }

    /// `F(P)` and the velocity along given directions; see [`Functional::evaluate`].
    ///
    /// # Panics
    /// A velocity or directions of another size than the particles ask for.
    #[inline(never)]
    pub fn evaluate_along(
        &mut self,
        particles: &MeasureOverMeasures<T>,
        directions: &Directions<T>,
        velocity: &mut [T],
    ) -> f64 {
        let (target, estimator) = (self.target, DistanceEstimator::Plain);
        let weights = target.outer_weights();
        let (kernel, resolution) = (self.kernel, self.resolution);
        let pair = Pair { source: particles, target };
        let problem = Problem { kernel, pair, weights, estimator, resolution };
        problem.evaluate(&mut self.engine, &mut &*directions, velocity).value
    }
}

/// What is evaluated: particles against classes of the target, or against batches of them.
pub(super) struct Problem<'a, T> {
    pub(super) kernel: Kernel,
    pub(super) pair: Pair<'a, T>,
    /// Weights of the target's classes, each once.
    pub(super) weights: &'a [f64],
    pub(super) estimator: DistanceEstimator,
    /// See [`resolution`].
    pub(super) resolution: f64,
}

/// The `SW_2^2` of a class to itself moved by a last bit of every coordinate: the square of the precision
/// times the mean square of a coordinate. What is nearer has met: below, slopes are taken as they are there,
/// so that the Riesz force, of unit size however near two classes are, does not blow up rounding.
pub(super) fn resolution<T: Scalar>(target: &MeasureOverMeasures<T>) -> f64 {
    let squares: f64 = target.points().iter().map(|v| v.to_f64() * v.to_f64()).sum();
    T::EPSILON * T::EPSILON * squares / target.points().len() as f64
}

impl<T: Scalar> Problem<'_, T> {
    /// The distance at which the force of a target class is taken: no nearer than its batches can tell.
    fn to_target(&self, sums: &PairMatrix, c: usize, d: usize) -> f64 {
        self.estimator.source_target(sums, c, d).max(self.estimator.noise(sums, d))
    }

    /// `dK/ds`, no nearer than classes can be told apart.
    fn slope(&self, s: f64) -> f64 {
        let nearest = match self.kernel.base() {
            Base::SquaredSw2 => self.resolution,
            Base::Sw1 => self.resolution.sqrt(),
        };
        self.kernel.derivative(s.max(nearest))
    }

    /// `F(P)` and its velocity on the directions of a slicer.
    pub(super) fn evaluate(
        &self,
        engine: &mut Engine<T>,
        slicer: &mut impl Slicer<T>,
        velocity: &mut [T],
    ) -> Estimate {
        let Self { kernel, pair, weights: v, estimator, .. } = *self;
        assert_eq!(velocity.len(), pair.source.points().len(), "one velocity a coordinate");
        let base = kernel.base();
        let w = pair.source.outer_weights();
        engine.distances(base, pair, slicer);
        let value = half_mmd2(kernel, (w, v), engine.sampled(), &estimator).estimate();
        // dF/ds of a pair, divided by w_c a_{c,i}: the one place that knows the WoW factor. A pair
        // of source classes counts twice in the double sum, which cancels the 1/2 of F; the
        // distance itself changes by 2 (s_c - s_e) for SW_2^2 and by a sign for SW_1.
        let per_difference = match base {
            Base::SquaredSw2 => 2.0,
            Base::Sw1 => 1.0,
        };
        let coefficient = |sums: &PairMatrix, c: usize, e: usize| {
            per_difference
                * match e.checked_sub(w.len()) {
                    None => w[e] * self.slope(sums.source_source(c, e)),
                    Some(passed) => {
                        let (d, share) = estimator.target_class(passed);
                        -share * v[d] * self.slope(self.to_target(sums, c, d))
                    }
                }
        };
        engine.velocity(pair, slicer, coefficient, velocity);
        value
    }

    /// For every class, the same for its samples: `sum_d v_d 2 |K'(s_cd)|` and the repulsion's share, over the
    /// step that the directions allow.
    ///
    /// `-K` is a concave function of `s`, so its tangent at the present `s_cd` majorises the attraction; there
    /// `s_cd` is quadratic with the curvature of the directions. Repulsion bends up as far as its kernel does.
    pub(super) fn curvatures(&self, sums: &PairMatrix, factor: f64, out: &mut [f64]) {
        let (kernel, w) = (self.kernel, self.pair.source.outer_weights());
        for c in 0..w.len() {
            let attraction = self.weights.iter().enumerate().map(|(d, v)| {
                let s = self.to_target(sums, c, d);
                let slope = self.slope(s).abs();
                v * match kernel.base() {
                    Base::SquaredSw2 => 2.0 * slope,
                    // A unit force from the distance `s` away.
                    Base::Sw1 if s > 0.0 => slope / s,
                    Base::Sw1 => 0.0,
                }
            });
            let others = w.iter().enumerate().filter(|&(e, _)| e != c);
            let repulsion = others.map(|(e, w)| w * kernel.repulsion_curvature(sums.source_source(c, e)));
            let curvature = (attraction.sum::<f64>() + repulsion.sum::<f64>()) / factor;
            out[self.pair.source.class_range(c)].fill(curvature);
        }
    }
}

impl<T: Scalar> Functional<T> for MmdSw<'_, T> {
    #[inline(never)]
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        let draw = match self.redraw {
            Redraw::EveryStep => step,
            Redraw::Never => 0,
        };
        self.draws.restart(Stream::new(self.plan.seed, Purpose::Directions, draw));
        let (engine, target, estimator) = match &mut self.batches {
            None => (&mut self.engine, self.target, DistanceEstimator::Plain),
            Some(Batches { plan, engine, drawn }) => {
                *drawn = plan.draw(self.target, Stream::new(self.plan.seed, Purpose::Batches, step));
                engine.forget_target();
                (engine, &*drawn, plan.distance_estimator(self.target.class_count()))
            }
        };
        let weights = self.target.outer_weights();
        let (kernel, resolution) = (self.kernel, self.resolution);
        let pair = Pair { source: particles, target };
        let problem = Problem { kernel, pair, weights, estimator, resolution };
        let found = problem.evaluate(engine, &mut self.draws, velocity);
        let factor = dimension_factor(self.plan.slicing, self.plan.count, particles.dim());
        problem.curvatures(engine.total(), factor, &mut self.curvatures);
        let error = found.standard_error;
        Evaluation { value: found.value, standard_error: (!error.is_nan()).then_some(error) }
    }

    fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }

    #[inline(never)]
    fn change(
        &mut self,
        before: &MeasureOverMeasures<T>,
        after: &MeasureOverMeasures<T>,
        draw: u64,
    ) -> Estimate {
        // Draw 0 is that of values for comparison.
        let before = self.half_mmd2_held_out(before, draw + 1);
        self.half_mmd2_held_out(after, draw + 1).minus(&before).estimate()
    }

    #[inline(never)]
    fn held_out(&mut self, particles: &MeasureOverMeasures<T>, draw: u64) -> Estimate {
        self.half_mmd2_held_out(particles, draw).estimate()
    }

    fn quantity(&self) -> Quantity {
        let length_power = Some(self.kernel.length_power());
        Quantity { symbol: "MMD^2".to_owned(), factor: 2.0, length_power }
    }

    /// 0, but where mini-batches or what is left out of distances may take the value below it.
    fn lower_bound(&self) -> Option<f64> {
        (self.batches.is_none() && self.within_atoms == WithinAtomVariance::Included).then_some(0.0)
    }
}
