//! The driver: evaluates, records, observes, steps, and says why it stopped.

use std::ops::ControlFlow;

use super::schedule::StepSchedule;
use super::state::{FlowState, HeavyBall};
use crate::functional::{Evaluation, Functional};
use crate::scalar::Scalar;

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
    /// Size `tau` of the step about to be taken; 0 at the end.
    pub step_size: f64,
}

/// Why a flow ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StopReason {
    /// All steps were taken.
    StepsDone,
    /// The observer asked for it; the state is whole and can be continued.
    Interrupted,
    /// The velocity vanished: the state is stationary on its directions.
    Stationary,
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
    pub scheme: HeavyBall,
    /// How large it is, and how many there are.
    pub schedule: StepSchedule,
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
        let mut velocity = vec![T::ZERO; state.particles().points().len()];
        loop {
            let step = state.step();
            let Evaluation { value, standard_error } =
                functional.evaluate(state.particles(), step, &mut velocity);
            let velocity_rms = rms(state, &velocity);
            let done = step >= self.schedule.steps();
            let step_size = if done { 0.0 } else { self.schedule.at(step) };
            let record = StepRecord { step, value, standard_error, velocity_rms, step_size };
            if !(value.is_finite() && velocity_rms.is_finite()) {
                return StopReason::Diverged { step };
            }
            if observer(&record, state).is_break() {
                return StopReason::Interrupted;
            }
            if done {
                return StopReason::StepsDone;
            }
            if velocity_rms == 0.0 && state.momentum().iter().all(|u| *u == T::ZERO) {
                return StopReason::Stationary;
            }
            self.scheme.advance(state, &velocity, step_size);
        }
    }
}

/// `(sum_c w_c sum_i a_{c,i} |v_{c,i}|^2)^(1/2)`: the norm of the velocity in the tangent space.
fn rms<T: Scalar>(state: &FlowState<T>, velocity: &[T]) -> f64 {
    let particles = state.particles();
    let dim = particles.dim();
    let square = |v: &[T]| v.iter().map(|v| v.to_f64() * v.to_f64()).sum::<f64>();
    let class_mean = |class: usize| {
        let range = particles.class_range(class);
        let squares = velocity[range.start * dim..range.end * dim].chunks(dim).map(square);
        match particles.class_weights(class) {
            None => squares.sum::<f64>() / range.len() as f64,
            Some(weights) => squares.zip(weights).map(|(square, a)| a * square).sum(),
        }
    };
    let total: f64 =
        particles.outer_weights().iter().enumerate().map(|(class, w)| w * class_mean(class)).sum();
    total.sqrt()
}
