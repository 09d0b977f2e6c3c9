//! A stopping rule: a flow has settled when a paired test finds no descent any more.

use super::schedule::ScheduleError;
use super::state::FlowState;
use crate::functional::Functional;
use crate::scalar::Scalar;
use crate::stats::estimate::{Estimate, student_quantile};

/// Every so many steps, the state is compared with the one that many steps before on the same fresh
/// directions; the flow ends unless the value has fallen, by a one-sided t-test at level 5 %.
///
/// Values on different directions differ by more than a late step gains; on the same directions most of
/// that cancels. Where the error of a change is unknown (so many classes that directions cannot be taken in
/// batches) the test never ends a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settle {
    every: u64,
}

impl Settle {
    /// Compares every `every` steps.
    ///
    /// # Errors
    /// `every` is 0.
    pub fn new(every: u64) -> Result<Self, ScheduleError> {
        if every > 0 {
            Ok(Self { every })
        } else {
            Err(ScheduleError { parameter: "steps between comparisons", expected: "at least 1", found: 0.0 })
        }
    }

    /// The change of the value since the state that was remembered, where a comparison is due.
    pub(super) fn compare<T: Scalar>(
        self,
        state: &FlowState<T>,
        functional: &mut dyn Functional<T>,
    ) -> Option<Estimate> {
        let reference = state.reference.as_deref().filter(|_| self.is_due(state))?;
        let mut before = state.particles.clone();
        before.points_mut().copy_from_slice(reference);
        Some(functional.change(&before, &state.particles, state.step))
    }

    /// Remembers a state for the next comparison, if this one was due. Apart from [`Self::compare`], so that
    /// a state saved in between makes the same comparison again.
    pub(super) fn remember<T: Scalar>(self, state: &mut FlowState<T>) {
        if self.is_due(state) {
            let now = state.particles.points();
            match &mut state.reference {
                Some(reference) => reference.copy_from_slice(now),
                None => state.reference = Some(now.to_vec()),
            }
        }
    }

    fn is_due<T>(self, state: &FlowState<T>) -> bool {
        state.step.is_multiple_of(self.every)
    }
}

/// Whether a change is no descent that can be told from chance.
pub(super) fn settled(change: &Estimate) -> bool {
    if change.standard_error.is_nan() {
        return false;
    }
    // The two-sided 90 % quantile is the one-sided 95 % one.
    let reach = match change.standard_error {
        0.0 => 0.0,
        error => error * student_quantile(0.9, change.degrees_of_freedom),
    };
    change.value + reach >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_descent_beyond_chance_goes_on() {
        let change = |value, standard_error| Estimate { value, standard_error, degrees_of_freedom: 31 };
        assert!(!settled(&change(-2.0, 1.0)) && settled(&change(-1.5, 1.0)) && settled(&change(0.5, 1.0)));
        assert!(!settled(&change(-1e-9, 0.0)) && settled(&change(0.0, 0.0)));
        assert!(!settled(&change(1.0, f64::NAN)));
        assert!(Settle::new(0).is_err());
    }
}
