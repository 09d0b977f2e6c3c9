//! How far a step goes: a first step size and its decay.

use std::fmt;

use thiserror::Error;

/// The shape of a step size, or of a momentum, over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// The same at every step. With a fixed step size a Riesz flow then chatters at its scale.
    Constant,
    /// Down to 0 after the last step, along a straight line.
    Linear,
    /// Down to 0 after the last step, along half a cosine.
    Cosine,
}

crate::named!(Decay, "decay", {
    Constant = "constant": "Not at all.",
    Linear = "linear": "To 0 along a line.",
    Cosine = "cosine": "To 0 along half a cosine.",
});

impl Decay {
    /// What is left of the first value when the share `left` of the run is still to come.
    pub(super) fn share(self, left: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Linear => left,
            Self::Cosine => 0.5 * (1.0 - (std::f64::consts::PI * left).cos()),
        }
    }
}

/// A parameter of a flow outside its range.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("expected {parameter} {expected}, found {found}")]
pub struct ScheduleError {
    /// Name of the parameter.
    pub parameter: &'static str,
    /// Its range, in words.
    pub expected: &'static str,
    /// The value found.
    pub found: f64,
}

/// What the size of a step is measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", content = "first", rename_all = "lowercase"))]
pub enum StepSize {
    /// The `tau` of `x - tau v`, the same for all samples.
    Fixed(f64),
    /// A multiple of the inverse of the curvature that each sample feels where it stands
    /// ([`crate::functional::Functional::curvatures`]): 1 goes to the minimum of a quadratic function
    /// that majorises `F`, at any scale, dimension and distance.
    Adaptive(f64),
}

impl fmt::Display for StepSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(tau) => write!(f, "{tau}"),
            Self::Adaptive(multiple) => write!(f, "adaptive:{multiple}"),
        }
    }
}

impl StepSize {
    fn size(self) -> f64 {
        match self {
            Self::Fixed(size) | Self::Adaptive(size) => size,
        }
    }
}

/// Step sizes for `k = 0, ..., steps - 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepSchedule {
    first: StepSize,
    decay: Decay,
    steps: u64,
}

impl StepSchedule {
    /// Starts at `first`, positive and finite, and decays over `steps`.
    ///
    /// # Errors
    /// A first step that is not positive and finite.
    pub fn new(first: StepSize, decay: Decay, steps: u64) -> Result<Self, ScheduleError> {
        let found = first.size();
        if found > 0.0 && found.is_finite() {
            Ok(Self { first, decay, steps })
        } else {
            Err(ScheduleError { parameter: "step size", expected: "positive and finite", found })
        }
    }

    /// Number of steps.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The `tau` of every sample at a step, given the samples' curvatures; 0 from the end on for the
    /// decaying shapes. A sample of curvature 0 feels no force and has no step.
    pub fn sizes<'c>(&self, step: u64, curvatures: &'c [f64]) -> impl Iterator<Item = f64> + use<'c> {
        let (first, share) = (self.first, self.decay.share(self.left(step)));
        curvatures.iter().map(move |&curvature| match first {
            StepSize::Fixed(tau) => share * tau,
            StepSize::Adaptive(multiple) if curvature > 0.0 => share * multiple / curvature,
            StepSize::Adaptive(_) => 0.0,
        })
    }

    /// The share of the steps that is still to come.
    pub(super) fn left(&self, step: u64) -> f64 {
        1.0 - (step as f64 / self.steps.max(1) as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decays_start_at_the_first_step_and_end_at_zero() {
        let at = |decay, step| {
            StepSchedule::new(StepSize::Fixed(2.0), decay, 10).unwrap().sizes(step, &[7.0]).next()
        };
        for decay in [Decay::Linear, Decay::Cosine] {
            assert_eq!(at(decay, 0), Some(2.0));
            assert!((at(decay, 5).unwrap() - 1.0).abs() < 1e-12);
            assert!(at(decay, 9) > Some(0.0));
            assert_eq!(at(decay, 10), Some(0.0));
        }
        assert_eq!(at(Decay::Constant, 9), Some(2.0));
        assert!(StepSchedule::new(StepSize::Fixed(0.0), Decay::Linear, 1).is_err());
        assert!(StepSchedule::new(StepSize::Adaptive(f64::NAN), Decay::Linear, 1).is_err());
    }

    #[test]
    fn adaptive_steps_are_inverse_curvatures() {
        let schedule = StepSchedule::new(StepSize::Adaptive(0.5), Decay::Constant, 10).unwrap();
        assert_eq!(schedule.sizes(3, &[2.0, 0.0, 0.25]).collect::<Vec<f64>>(), [0.25, 0.0, 2.0]);
    }
}
