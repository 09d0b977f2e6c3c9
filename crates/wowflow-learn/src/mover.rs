//! Moving a source dataset to a target, by any of the methods that are compared.

use std::borrow::Cow;
use std::ops::ControlFlow;

use wowflow::directions::Slicing;
use wowflow::flow::{Decay, Flow, FlowState, Scheme, StepSchedule, StepSize, StopReason};
use wowflow::functional::{
    Functional, Lift, MiniBatches, MmdSw, OtddFlow, OtddFlowSettings, ProductBandwidths, ProductMmd,
    SlicingPlan,
};
use wowflow::kernel::{Kernel, Riesz};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::VelocityPlan;
use wowflow::ot::labels::{ClassLabels, match_classes};
use wowflow::ot::wow::{KeepPlans, wow2_pow};

use crate::error::LearnError;

/// Classes are matched exactly on at most this many samples each.
const MATCHED: usize = 2000;

/// A method that moves a source to a target.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Mover {
    /// The flow of `1/2 MMD^2` with the Riesz kernel on `SW_2`.
    MmdSw(MmdFlow),
    /// The flow of entropic OTDD on samples with labels lifted to Gaussians (Alvarez-Melis and Fusi 2021), by Adam.
    Otdd {
        /// Number of steps.
        steps: u64,
        /// Learning rate.
        rate: f64,
    },
    /// The flow of the product-kernel MMD on lifted samples (Hua et al. 2023), with momentum 0.9 and noise 0.01.
    /// Momentum moves factors of covariances too, which the published flow moves without.
    Product {
        /// Number of steps.
        steps: u64,
        /// Constant step.
        tau: f64,
    },
    /// The end of the WoW geodesic, every sample at the mean of what it is coupled with.
    Geodesic,
}

/// Settings of a flow of the MMD.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MmdFlow {
    /// Number of steps.
    pub steps: u64,
    /// Size of a step.
    pub step_size: StepSize,
    /// How it shrinks.
    pub decay: Decay,
    /// Heavy-ball momentum at the start.
    pub momentum: f64,
    /// How it shrinks.
    pub momentum_decay: Decay,
    /// Kind of directions, drawn anew at every step.
    pub slicing: Slicing,
    /// Number of directions.
    pub directions: usize,
    /// Mini-batches of the target, or all of it.
    pub batches: Option<MiniBatches>,
}

impl MmdFlow {
    /// The published setting: 500 independent directions a step, a constant `tau`, momentum 0.9.
    #[must_use]
    pub fn published(tau: f64, steps: u64) -> Self {
        Self {
            steps,
            step_size: StepSize::Fixed(tau),
            decay: Decay::Constant,
            momentum: 0.9,
            momentum_decay: Decay::Constant,
            slicing: Slicing::Gaussian,
            directions: 500,
            batches: None,
        }
    }

    /// The setting of `wowflow flow`: steps of 1.5 times the inverse curvature, a momentum that falls from
    /// 0.7 to 0, the directions that suit the dimension.
    #[must_use]
    pub fn usual(dim: usize, steps: u64) -> Self {
        let (slicing, directions) = Slicing::usual(dim);
        Self {
            steps,
            step_size: StepSize::Adaptive(1.5),
            decay: Decay::Constant,
            momentum: 0.7 * (directions as f64 / dim as f64).min(1.0),
            momentum_decay: Decay::Linear,
            slicing,
            directions,
            batches: None,
        }
    }

    /// The same flow in steps of a tenth of the inverse curvature that shrink to nothing, as distillations ask for.
    ///
    /// Few samples a class in many dimensions are held to their places by next to no force, as long as their
    /// spread is right: what the directions of a step push them aside by chance stays. The squares of such pushes
    /// add up, so short steps leave less of them on the same way. On MNIST with ten samples a class, pixels that are
    /// black in every image of the target end with a deviation of 0.12 (white is 1) after 300 steps of 1.5 times the
    /// inverse curvature, of 0.035 after as many of these.
    #[must_use]
    pub fn in_short_steps(self) -> Self {
        Self { step_size: StepSize::Adaptive(0.1), decay: Decay::Cosine, ..self }
    }

    /// The same flow in short steps with a momentum of 0.9, as random networks drawn anew at every step ask for.
    ///
    /// A step as long as one network allows fits that network alone: on MNIST with one sample a class, classifiers
    /// then did no better than on the samples at the start. Of short ones the momentum takes a mean over networks; where
    /// they do not shrink, samples of Fashion-MNIST turned to noise with one seed of two.
    #[must_use]
    pub fn over_fresh_maps(self) -> Self {
        Self { momentum: 0.9, momentum_decay: Decay::Constant, ..self.in_short_steps() }
    }

    /// The flow with its checked numbers.
    pub(crate) fn flow(&self) -> Result<Flow, LearnError> {
        let scheme = Scheme::heavy_ball(self.momentum, self.momentum_decay)?;
        let schedule = StepSchedule::new(self.step_size, self.decay, self.steps)?;
        Ok(Flow { scheme, schedule, settle: None })
    }

    /// The draws of a seed.
    pub(crate) fn plan(&self, seed: u64) -> SlicingPlan {
        SlicingPlan { slicing: self.slicing, count: self.directions, seed }
    }
}

/// Where a move stands.
#[derive(Clone, Copy, Debug)]
pub struct MoveProgress<'a> {
    /// Steps taken.
    pub step: u64,
    /// Steps of the whole move.
    pub steps: u64,
    state: &'a MeasureOverMeasures<f32>,
    /// Of states that carry labels.
    lift: Option<&'a Lift<f32>>,
}

impl<'a> MoveProgress<'a> {
    /// The samples as they are; a copy where the flow moves more than them.
    #[must_use]
    pub fn particles(&self) -> Cow<'a, MeasureOverMeasures<f32>> {
        self.lift.map_or(Cow::Borrowed(self.state), |lift| Cow::Owned(lift.features(self.state)))
    }
}

/// A source moved to a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The samples, in the classes of the source.
    pub particles: MeasureOverMeasures<f32>,
    /// The target class of every sample.
    pub labels: Vec<usize>,
    /// The target class of every class of the source, with the share of its mass that goes elsewhere.
    pub classes: ClassLabels,
    /// Steps taken.
    pub steps: u64,
}

impl Mover {
    /// Moves a source to a target; the observer sees every state, the first and the last included.
    ///
    /// # Errors
    /// Spaces that differ, a flow that diverges, [`LearnError::Interrupted`] when the observer breaks.
    pub fn run(
        &self,
        source: &MeasureOverMeasures<f32>,
        target: &MeasureOverMeasures<f32>,
        seed: u64,
        mut observe: impl FnMut(&MoveProgress<'_>) -> ControlFlow<()>,
    ) -> Result<Moved, LearnError> {
        match self {
            Self::MmdSw(settings) => {
                let kernel = Kernel::from(Riesz::new(1.0, 0.0)?);
                let plan = settings.plan(seed);
                let functional = MmdSw::new(source, target, kernel, plan)?;
                let mut functional = match settings.batches {
                    None => functional,
                    Some(batches) => functional.with_batches(source, batches)?,
                };
                let flow = settings.flow()?;
                let mut state = FlowState::new(source.clone());
                run_flow(&flow, &mut state, &mut functional, observe)?;
                let classes = matched(state.particles(), target, seed)?;
                let (particles, steps) = (state.particles().clone(), state.step());
                Ok(Moved { labels: labels_of(&particles, &classes), particles, classes, steps })
            }
            Self::Otdd { steps, rate } => {
                let lift = Lift::new(source, target)?;
                let mut functional = OtddFlow::new(lift.source(), lift.target(), OtddFlowSettings::default());
                let scheme = Scheme::adam(0.9, 0.999)?;
                lifted(&lift, scheme, (*steps, *rate), &mut functional, observe)
            }
            Self::Product { steps, tau } => {
                let lift = Lift::new(source, target)?;
                let bandwidths = ProductBandwidths::default();
                let mut functional = ProductMmd::new(lift.source(), lift.target(), bandwidths, 0.01, seed);
                let scheme = Scheme::heavy_ball(0.9, Decay::Constant)?;
                lifted(&lift, scheme, (*steps, *tau), &mut functional, observe)
            }
            Self::Geodesic => {
                if observe(&MoveProgress { step: 0, steps: 1, state: source, lift: None }).is_break() {
                    return Err(LearnError::Interrupted);
                }
                let transport = wow2_pow(source, target, KeepPlans::Yes)?;
                let classes = match_classes(&transport);
                let plan = VelocityPlan::new(source, target, &transport)?;
                let particles = plan.barycentric(1.0)?;
                let _ = observe(&MoveProgress { step: 1, steps: 1, state: &particles, lift: None });
                Ok(Moved { labels: labels_of(&particles, &classes), particles, classes, steps: 1 })
            }
        }
    }
}

/// A flow of lifted samples with a constant step, and what becomes of their labels.
fn lifted(
    lift: &Lift<f32>,
    scheme: Scheme,
    (steps, tau): (u64, f64),
    functional: &mut impl Functional<f32>,
    mut observe: impl FnMut(&MoveProgress<'_>) -> ControlFlow<()>,
) -> Result<Moved, LearnError> {
    let step_size = StepSize::Fixed(tau);
    let schedule = StepSchedule::new(step_size, Decay::Constant, steps)?;
    let flow = Flow { scheme, schedule, settle: None };
    let mut state = FlowState::new(lift.source().clone());
    run_flow(&flow, &mut state, functional, |at| observe(&MoveProgress { lift: Some(lift), ..*at }))?;
    let particles = lift.features(state.particles());
    let labels = lift.labels(state.particles())?;
    let classes = majorities(&particles, &labels, lift.target().class_count());
    Ok(Moved { particles, labels, classes, steps: state.step() })
}

/// The most frequent label of every class, with the share of its samples that have another.
fn majorities(particles: &MeasureOverMeasures<f32>, labels: &[usize], targets: usize) -> ClassLabels {
    let mut classes = ClassLabels { target: Vec::new(), ambiguity: Vec::new() };
    for class in 0..particles.class_count() {
        let own = &labels[particles.class_range(class)];
        let count = |target: usize| own.iter().filter(|label| **label == target).count();
        let most =
            (1..targets).fold(0, |best, target| if count(target) > count(best) { target } else { best });
        classes.target.push(most);
        classes.ambiguity.push(1.0 - count(most) as f64 / own.len() as f64);
    }
    classes
}

/// Runs a flow to its end.
pub(crate) fn run_flow(
    flow: &Flow,
    state: &mut FlowState<f32>,
    functional: &mut impl Functional<f32>,
    mut observe: impl FnMut(&MoveProgress<'_>) -> ControlFlow<()>,
) -> Result<(), LearnError> {
    let steps = flow.schedule.steps();
    let stop = flow.run(state, functional, |record, state| {
        observe(&MoveProgress { step: record.step, steps, state: state.particles(), lift: None })
    });
    match stop {
        StopReason::Interrupted => Err(LearnError::Interrupted),
        StopReason::Diverged { step } => Err(LearnError::FlowDiverged { step }),
        StopReason::StepsDone | StopReason::Stationary | StopReason::Settled => Ok(()),
    }
}

/// The exact matching of classes, on a sample of large ones.
///
/// # Errors
/// Distances that are not finite.
pub fn matched(
    particles: &MeasureOverMeasures<f32>,
    target: &MeasureOverMeasures<f32>,
    seed: u64,
) -> Result<ClassLabels, LearnError> {
    let (left, right) = (particles.subsample(MATCHED, seed), target.subsample(MATCHED, seed));
    Ok(match_classes(&wow2_pow(&left, &right, KeepPlans::No)?))
}

/// The label of every sample from those of its class.
pub(crate) fn labels_of(particles: &MeasureOverMeasures<f32>, classes: &ClassLabels) -> Vec<usize> {
    let of = |class: usize| std::iter::repeat_n(classes.target[class], particles.class_size(class));
    (0..particles.class_count()).flat_map(of).collect()
}
