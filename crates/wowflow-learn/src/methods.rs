//! The methods that transport a source dataset to a target.

use std::borrow::Cow;
use std::ops::ControlFlow;

use wowflow::flow::{self, Decay, Flow, FlowState, Scheme, Settings, StepSchedule, StepSize, StopReason};
use wowflow::functional::{
    Evaluation, Functional, Lift, OtddFlow, OtddFlowSettings, ProductBandwidths, ProductMmd, Quantity,
};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::labels::ClassLabels;
use wowflow::scalar::Scalar;
use wowflow::stats::estimate::Estimate;

use crate::error::LearnError;
use crate::geodesic::Geodesic;
use crate::pair::{Pair, labels_of};

/// Decays of Adam's moments in the flow of OTDD.
const OTDD_MOMENTS: (f64, f64) = (0.9, 0.999);
/// Momentum and noise of the flow of the product-kernel MMD.
const PRODUCT: (f64, f64) = (0.9, 0.01);

/// A method that transports a source to a target.
///
/// ```
/// use std::ops::ControlFlow;
/// use wowflow::flow::Settings;
/// use wowflow::measure::MeasureOverMeasures;
/// use wowflow_learn::{Pair, TransportMethod};
/// let source = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0_f32], 2, &[1, 1])?;
/// let target = MeasureOverMeasures::uniform(vec![4.0, 1.0, 3.0, 1.0], 2, &[1, 1])?;
/// let method = TransportMethod::Flow(Settings { steps: 200.into(), ..Settings::default() });
/// let pair = Pair { source: &source, target: &target };
/// let found = method.run(pair, 0, |_| ControlFlow::Continue(()))?;
/// assert_eq!((found.steps, found.labels), (200, vec![1, 0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TransportMethod {
    /// The flow of a functional with the settings of [`flow::to`]; their seed is not used. It takes all of its steps,
    /// also where there is nothing left to descend.
    Flow(Settings),
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

/// Where a transport stands.
#[derive(Clone, Copy, Debug)]
pub struct TransportProgress<'a, T: Scalar> {
    /// Steps taken.
    pub step: u64,
    /// Steps of the whole transport.
    pub steps: u64,
    state: &'a MeasureOverMeasures<T>,
    /// Of states that carry labels.
    lift: Option<&'a Lift<T>>,
}

impl<'a, T: Scalar> TransportProgress<'a, T> {
    /// The samples as they are; a copy where the flow moves more than them.
    #[must_use]
    pub fn particles(&self) -> Cow<'a, MeasureOverMeasures<T>> {
        self.lift.map_or(Cow::Borrowed(self.state), |lift| Cow::Owned(lift.features(self.state)))
    }
}

/// A source transported to a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Transported<T> {
    /// The samples, in the classes of the source.
    pub particles: MeasureOverMeasures<T>,
    /// The target class of every sample.
    pub labels: Vec<usize>,
    /// The target class of every class of the source, with the share of its mass that goes elsewhere.
    pub classes: ClassLabels,
    /// Steps taken.
    pub steps: u64,
}

impl TransportMethod {
    /// Transports a source to a target; the observer sees every state, the first and the last included.
    ///
    /// # Errors
    /// Spaces that differ, a flow that diverges, [`LearnError::Interrupted`] when the observer breaks.
    pub fn run<T: Scalar>(
        &self,
        pair: Pair<'_, T>,
        seed: u64,
        mut observe: impl FnMut(&TransportProgress<'_, T>) -> ControlFlow<()>,
    ) -> Result<Transported<T>, LearnError> {
        let Pair { source, target } = pair;
        match self {
            Self::Flow(settings) => {
                let settings = Settings { seed, ..settings.clone() }.resolve(source, target)?;
                let mut objective = settings.objective(source, target)?;
                let mut state = FlowState::new(source.clone());
                run_flow(&settings.flow()?, &mut state, &mut objective, observe)?;
                let particles = state.particles().clone();
                let classes = flow::matched(&particles, target, seed)?;
                let labels = labels_of(&particles, &classes);
                Ok(Transported { labels, particles, classes, steps: state.step() })
            }
            Self::Otdd { steps, rate } => {
                let lift = Lift::new(source, target)?;
                let mut functional = OtddFlow::new(lift.source(), lift.target(), OtddFlowSettings::default());
                let scheme = Scheme::adam(OTDD_MOMENTS.0, OTDD_MOMENTS.1)?;
                let flow = constant_steps(scheme, *rate, *steps)?;
                run_lifted(&lift, &flow, &mut functional, observe)
            }
            Self::Product { steps, tau } => {
                let lift = Lift::new(source, target)?;
                let (bandwidths, (momentum, noise)) = (ProductBandwidths::default(), PRODUCT);
                let mut functional = ProductMmd::new(lift.source(), lift.target(), bandwidths, noise, seed);
                let flow = constant_steps(Scheme::heavy_ball(momentum, Decay::Constant)?, *tau, *steps)?;
                run_lifted(&lift, &flow, &mut functional, observe)
            }
            Self::Geodesic => {
                let at = |step, state| TransportProgress { step, steps: 1, state, lift: None };
                if observe(&at(0, source)).is_break() {
                    return Err(LearnError::Interrupted);
                }
                let geodesic = Geodesic::between(pair)?;
                let particles = geodesic.at(1.0)?;
                // The way is gone: who asks to stop now has the end all the same.
                let _ = observe(&at(1, &particles));
                let (labels, classes) = (geodesic.labels().to_vec(), geodesic.classes().clone());
                Ok(Transported { labels, particles, classes, steps: 1 })
            }
        }
    }
}

/// A flow in steps of one size.
pub(crate) fn constant_steps(scheme: Scheme, tau: f64, steps: u64) -> Result<Flow, LearnError> {
    let schedule = StepSchedule::new(StepSize::Fixed(tau), Decay::Constant, steps)?;
    Ok(Flow { scheme, schedule, settle: None })
}

/// A flow of lifted samples, and what becomes of their labels.
fn run_lifted<T: Scalar>(
    lift: &Lift<T>,
    flow: &Flow,
    functional: &mut impl Functional<T>,
    mut observe: impl FnMut(&TransportProgress<'_, T>) -> ControlFlow<()>,
) -> Result<Transported<T>, LearnError> {
    let mut state = FlowState::new(lift.source().clone());
    run_flow(flow, &mut state, functional, |at| observe(&TransportProgress { lift: Some(lift), ..*at }))?;
    let particles = lift.features(state.particles());
    let labels = lift.labels(state.particles())?;
    let classes = majorities(&particles, &labels, lift.target().class_count());
    Ok(Transported { particles, labels, classes, steps: state.step() })
}

/// The most frequent label of every class, with the share of its samples that have another.
fn majorities<T: Scalar>(
    particles: &MeasureOverMeasures<T>,
    labels: &[usize],
    targets: usize,
) -> ClassLabels {
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

/// A functional that does not tell its lower bound: a flow that is there goes on, so that transports take all of their
/// steps and the curves of several trials have the same points.
struct AllSteps<'f, F>(&'f mut F);

impl<T: Scalar, F: Functional<T>> Functional<T> for AllSteps<'_, F> {
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        self.0.evaluate(particles, step, velocity)
    }

    fn curvatures(&self) -> &[f64] {
        self.0.curvatures()
    }

    fn change(
        &mut self,
        before: &MeasureOverMeasures<T>,
        after: &MeasureOverMeasures<T>,
        draw: u64,
    ) -> Estimate {
        self.0.change(before, after, draw)
    }

    fn held_out(&mut self, particles: &MeasureOverMeasures<T>, draw: u64) -> Estimate {
        self.0.held_out(particles, draw)
    }

    fn quantity(&self) -> Quantity {
        self.0.quantity()
    }
}

/// Runs a flow to its end.
pub(crate) fn run_flow<T: Scalar>(
    flow: &Flow,
    state: &mut FlowState<T>,
    functional: &mut impl Functional<T>,
    mut observe: impl FnMut(&TransportProgress<'_, T>) -> ControlFlow<()>,
) -> Result<(), LearnError> {
    let steps = flow.schedule.steps();
    let stop = flow.run(state, &mut AllSteps(functional), |record, state| {
        observe(&TransportProgress { step: record.step, steps, state: state.particles(), lift: None })
    });
    match stop {
        StopReason::Interrupted => Err(LearnError::Interrupted),
        StopReason::Diverged { step } => Err(LearnError::FlowDiverged { step }),
        StopReason::StepsDone | StopReason::Stationary | StopReason::Settled => Ok(()),
    }
}
