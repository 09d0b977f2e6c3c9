//! A flow in one call: settings resolved, run to the end, classes matched.

use std::ops::ControlFlow;

use thiserror::Error;

use super::{FlowState, Resolved, Settings, SettingsError, StepRecord, StopReason};
use crate::functional::{Functional, Quantity};
use crate::measure::MeasureOverMeasures;
use crate::ot::exact::OtError;
use crate::ot::labels::{ClassLabels, match_classes};
use crate::ot::wow::{KeepPlans, wow2_pow};
use crate::scalar::Scalar;

/// Classes of more samples than this are matched by a sample of that size: exact transport costs the square of it.
pub const EXACT_LIMIT: usize = 2000;

/// A source that was moved to a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Flowed<T> {
    /// The samples where they ended, in the classes and the order of the source.
    pub particles: MeasureOverMeasures<T>,
    /// The target class of every source class, by the optimal coupling of classes, with the share of its mass that
    /// goes elsewhere.
    pub classes: ClassLabels,
    /// The recorded quantity at the start, on directions apart from those of the steps.
    pub value_initial: f64,
    /// The same at the end, on the same directions.
    pub value_final: f64,
    /// What that is.
    pub quantity: Quantity,
    /// Steps taken.
    pub steps: u64,
    /// Why it ended.
    pub stop: StopReason,
    /// The settings, nothing left open.
    pub settings: Resolved,
}

/// Why a flow has no result.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum FlowError {
    /// Settings that do not go together, or not with the datasets.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Numbers grew beyond the precision.
    #[error(
        "expected finite numbers, found the flow diverging at step {step}: take a smaller step than {step_size}"
    )]
    Diverged {
        /// Step at which it was noticed.
        step: u64,
        /// The step size.
        step_size: super::StepSize,
    },
    /// Classes that could not be matched.
    #[error(transparent)]
    Transport(#[from] OtError),
}

/// Flows a dataset to another: every sample moves, classes stay classes and take the labels of those they arrive at.
///
/// ```
/// use wowflow::flow::{self, Settings};
/// use wowflow::measure::MeasureOverMeasures;
/// let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0_f64], 2, &[1, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![4.0, 1.0, 3.0, 1.0], 2, &[1, 1])?;
/// let flowed = flow::to(&p, &q, &Settings::default())?;
/// assert!(flowed.value_final < 1e-6 * flowed.value_initial);
/// assert_eq!(flowed.classes.target, [1, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Settings that do not go together or not with the datasets, numbers that grow beyond the precision.
#[inline(never)]
pub fn to<T: Scalar>(
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
    settings: &Settings,
) -> Result<Flowed<T>, FlowError> {
    to_observed(source, target, settings, |_, _| ControlFlow::Continue(()))
}

/// As [`to`], with an observer that sees every state before the step away from it, the first and the last included,
/// and may end the flow.
///
/// # Errors
/// As [`to`].
pub fn to_observed<T: Scalar>(
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
    settings: &Settings,
    mut observer: impl FnMut(&StepRecord, &FlowState<T>) -> ControlFlow<()>,
) -> Result<Flowed<T>, FlowError> {
    let settings = settings.resolve(source, target)?;
    let near = settings.near(source, target)?;
    let mut objective = near.settings().objective(near.source(), near.target())?;
    let quantity = objective.quantity();
    let value_initial = near.value(quantity.factor * objective.held_out(near.source(), 0).value);
    let mut state = FlowState::new(near.source().clone());
    let flow = near.settings().flow().map_err(SettingsError::from)?;
    let stop = flow.run(&mut state, &mut objective, |record, state| {
        observer(&near.record(record), &near.restored_state(state))
    });
    if let StopReason::Diverged { step } = stop {
        return Err(FlowError::Diverged { step, step_size: settings.step_size });
    }
    let value_final = near.value(quantity.factor * objective.held_out(state.particles(), 0).value);
    let classes = matched(state.particles(), near.target(), settings.seed)?;
    let (particles, steps) = (near.restored(state.particles()).into_owned(), state.step());
    drop(objective);
    drop(near);
    Ok(Flowed { particles, classes, value_initial, value_final, quantity, steps, stop, settings })
}

/// The classes of a target that those of moved samples are coupled with, on at most [`EXACT_LIMIT`] samples a class.
///
/// # Errors
/// Distances that are not finite.
#[inline(never)]
pub fn matched<T: Scalar>(
    particles: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
    seed: u64,
) -> Result<ClassLabels, OtError> {
    let (left, right) = (particles.subsample(EXACT_LIMIT, seed), target.subsample(EXACT_LIMIT, seed));
    Ok(match_classes(&wow2_pow(&left, &right, KeepPlans::No)?))
}
