//! How far a step goes: a first step size and its decay.

use thiserror::Error;

use crate::directions::Slicing;

/// The shape of the step size over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decay {
    /// The same at every step. A Riesz flow then chatters at the scale of the step.
    Constant,
    /// Down to 0 after the last step, along a straight line.
    Linear,
    /// Down to 0 after the last step, along half a cosine.
    Cosine,
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

/// Step sizes `tau_k` for `k = 0, ..., steps - 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepSchedule {
    first: f64,
    decay: Decay,
    steps: u64,
}

impl StepSchedule {
    /// Starts at `first > 0` (the `tau` of `x - tau v`) and decays over `steps`.
    ///
    /// # Errors
    /// A first step that is not positive and finite.
    pub fn new(first: f64, decay: Decay, steps: u64) -> Result<Self, ScheduleError> {
        if first > 0.0 && first.is_finite() {
            Ok(Self { first, decay, steps })
        } else {
            Err(ScheduleError { parameter: "step size", expected: "positive and finite", found: first })
        }
    }

    /// Number of steps.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The size of step `step`; 0 from the end on for the decaying shapes.
    #[must_use]
    pub fn at(&self, step: u64) -> f64 {
        let left = 1.0 - (step as f64 / self.steps.max(1) as f64).min(1.0);
        match self.decay {
            Decay::Constant => self.first,
            Decay::Linear => self.first * left,
            Decay::Cosine => self.first * 0.5 * (1.0 - (std::f64::consts::PI * left).cos()),
        }
    }
}

/// What a dimension-free step `eta` is multiplied by to give `tau`: `d / (1 + sqrt(d/L))^2`, or `d`
/// when the directions average to the identity over `d` (`docs/MATH.md`, "Directions").
///
/// Orthonormal directions have `1/L sum theta theta^T <= ceil(L/d)/L I`, which is `I/d` for whole
/// blocks and at most `I/L` for one partial block. Structured ones are orthonormal in the power of
/// two `D >= d`, then cut to `d` coordinates and stretched: at most `D/d` times that, with `D` for `d`.
#[must_use]
pub fn dimension_factor(slicing: Slicing, directions: usize, dim: usize) -> f64 {
    let (l, d) = (directions as f64, dim as f64);
    match slicing {
        Slicing::Gaussian => d / (1.0 + (d / l).sqrt()).powi(2),
        Slicing::Orthonormal => l / (l / d).ceil(),
        Slicing::Hadamard => {
            let padded = dim.next_power_of_two() as f64;
            l / (l / padded).ceil() * d / padded
        }
        Slicing::Equispaced if directions == 1 => 1.0,
        Slicing::Equispaced => d,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decays_start_at_the_first_step_and_end_at_zero() {
        for decay in [Decay::Linear, Decay::Cosine] {
            let schedule = StepSchedule::new(2.0, decay, 10).unwrap();
            assert_eq!(schedule.at(0), 2.0);
            assert!((schedule.at(5) - 1.0).abs() < 1e-12);
            assert!(schedule.at(9) > 0.0);
            assert_eq!(schedule.at(10), 0.0);
        }
        assert_eq!(StepSchedule::new(2.0, Decay::Constant, 10).unwrap().at(9), 2.0);
        assert!(StepSchedule::new(0.0, Decay::Linear, 1).is_err());
        assert!(StepSchedule::new(f64::NAN, Decay::Linear, 1).is_err());
    }

    #[test]
    fn the_factor_bounds_the_largest_eigenvalue() {
        use crate::directions::Directions;
        for (slicing, count, dim) in [
            (Slicing::Orthonormal, 40, 100),
            (Slicing::Orthonormal, 250, 100),
            (Slicing::Gaussian, 200, 100),
            (Slicing::Hadamard, 64, 100),
            (Slicing::Hadamard, 256, 100),
        ] {
            let thetas = Directions::<f64>::draw(slicing, count, dim, 1, 0).unwrap();
            let mut v = vec![1.0; dim];
            let mut largest = 0.0;
            for _ in 0..200 {
                let mut next = vec![0.0; dim];
                for l in 0..count {
                    let dot: f64 = thetas.row(l).iter().zip(&v).map(|(a, b)| a * b).sum();
                    next.iter_mut().zip(thetas.row(l)).for_each(|(n, t)| *n += dot * t / count as f64);
                }
                largest = next.iter().map(|x| x * x).sum::<f64>().sqrt();
                v = next.iter().map(|x| x / largest).collect();
            }
            let bound = 1.0 / dimension_factor(slicing, count, dim);
            assert!(largest < 1.1 * bound && largest > 0.8 * bound, "{slicing:?} {count}: {largest} {bound}");
        }
    }
}
