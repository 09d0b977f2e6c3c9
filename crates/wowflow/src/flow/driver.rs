//! The driver: evaluates, records, observes, steps, and says why it stopped.

use std::ops::ControlFlow;

use super::schedule::StepSchedule;
use super::scheme::{Move, Scheme, Tangent};
use super::state::FlowState;
use super::stopping::{Settle, settled};
use crate::functional::{Evaluation, Functional};
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

/// What is known about a state when it is observed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepRecord {
    /// Steps taken so far; 0 is the initial state.
    pub step: u64,
    /// `F(P)` at this state, on this step's directions; half the squared MMD for those functionals.
    pub value: f64,
    /// Standard error of the value over draws of directions, if known.
    pub standard_error: Option<f64>,
    /// Root mean square over samples (by mass) of the length of the velocity at this state.
    pub velocity_rms: f64,
    /// Size `tau` of the step about to be taken, the mean over samples by mass; 0 at the end.
    pub step_size: f64,
    /// Where the stopping rule looked: the change of the value since it looked last.
    pub change: Option<Estimate>,
}

/// Why a flow ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StopReason {
    /// All steps were taken.
    StepsDone,
    /// The observer asked for it; the state is whole and can be continued.
    Interrupted,
    /// The velocity vanished, the value is at its lower bound, or no step along it lowers the functional: the state is
    /// stationary on its directions.
    Stationary,
    /// The stopping rule found no descent that can be told from chance.
    Settled,
    /// The loss or a coordinate is no longer a finite number: the step size is too large. The
    /// observer does not see that state.
    Diverged {
        /// Step at which it was noticed.
        step: u64,
    },
}

/// A scheme and a schedule: how a state is moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// What one step does.
    pub scheme: Scheme,
    /// How large it is, and how many there are.
    pub schedule: StepSchedule,
    /// When to stop before.
    pub settle: Option<Settle>,
}

impl Flow {
    /// Runs from where the state stands to the end of the schedule.
    ///
    /// The observer sees every state, the initial one and the last one included, before the step
    /// away from it is taken; when it breaks, the state is left as observed.
    pub fn run<T: Scalar>(
        &self,
        state: &mut FlowState<T>,
        functional: &mut impl Functional<T>,
        mut observer: impl FnMut(&StepRecord, &FlowState<T>) -> ControlFlow<()>,
    ) -> StopReason {
        self.drive(state, functional, &mut observer)
    }

    /// [`Self::run`], compiled once for all functionals and observers.
    #[inline(never)]
    pub(crate) fn drive<T: Scalar>(
        &self,
        state: &mut FlowState<T>,
        functional: &mut dyn Functional<T>,
        observer: &mut dyn FnMut(&StepRecord, &FlowState<T>) -> ControlFlow<()>,
    ) -> StopReason {
        let mut velocity = vec![T::ZERO; state.particles().points().len()];
        let masses = state.particles().sample_masses();
        let mut sizes = Vec::with_capacity(masses.len());
        let mut stuck = false;
        loop {
            let step = state.step();
            let Evaluation { value, standard_error } =
                functional.evaluate(state.particles(), step, &mut velocity);
            let done = step >= self.schedule.steps();
            sizes.clear();
            sizes.extend(self.schedule.sizes(step, functional.curvatures()));
            let mean_size: f64 = sizes.iter().zip(&masses).map(|(size, mass)| size * mass).sum();
            let tangent = Tangent { dim: state.particles().dim(), masses: &masses, sizes: &sizes };
            let velocity_rms = tangent.inner(&velocity, &velocity).sqrt();
            let step_size = if done { 0.0 } else { mean_size };
            let climbed = self.scheme.climbed(state, value);
            if done && climbed {
                self.scheme.retreat(state);
                continue;
            }
            let left = self.schedule.left(step);
            if !(value.is_finite() && velocity_rms.is_finite()) {
                // A trial too far is taken back; there is nothing to record of it.
                if !climbed {
                    return StopReason::Diverged { step };
                }
                stuck = self.scheme.advance(state, left, f64::INFINITY, &velocity, &tangent) == Move::Stuck;
                continue;
            }
            let settle = self.settle.filter(|_| !climbed);
            let change = settle.and_then(|settle| settle.compare(state, functional));
            let record = StepRecord { step, value, standard_error, velocity_rms, step_size, change };
            if observer(&record, state).is_break() {
                return StopReason::Interrupted;
            }
            // What moves on from the least value there is, is noise.
            if functional.lower_bound().is_some_and(|bound| value <= bound) {
                return StopReason::Stationary;
            }
            if done {
                return StopReason::StepsDone;
            }
            if change.as_ref().is_some_and(settled) {
                return StopReason::Settled;
            }
            let at_rest = state.memory().vectors.iter().flatten().all(|u| *u == T::ZERO);
            if stuck || velocity_rms == 0.0 && at_rest {
                return StopReason::Stationary;
            }
            if let Some(settle) = settle {
                settle.remember(state);
            }
            // A state that no step improves is looked at once more: the last trial was taken back.
            stuck = self.scheme.advance(state, left, value, &velocity, &tangent) == Move::Stuck;
        }
    }
}
