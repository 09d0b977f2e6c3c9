//! Where a flow stands, and the scheme that takes it one step further.

use rayon::prelude::*;
use thiserror::Error;

use super::schedule::ScheduleError;
use crate::measure::MeasureOverMeasures;
use crate::scalar::Scalar;

/// Everything a flow needs to go on: samples, momentum and the number of steps taken.
///
/// Random draws are addressed by the step, so no random state is kept: a state restored bit for
/// bit continues bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowState<T> {
    particles: MeasureOverMeasures<T>,
    momentum: Vec<T>,
    step: u64,
}

/// A state that cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected {expected} coordinates of {what}, found {found}")]
pub struct StateError {
    /// What was restored.
    pub what: &'static str,
    /// Number of coordinates expected.
    pub expected: usize,
    /// Number found.
    pub found: usize,
}

impl<T: Scalar> FlowState<T> {
    /// The start: no steps taken, no momentum.
    #[must_use]
    pub fn new(particles: MeasureOverMeasures<T>) -> Self {
        let momentum = vec![T::ZERO; particles.points().len()];
        Self { particles, momentum, step: 0 }
    }

    /// A state as it was saved.
    ///
    /// # Errors
    /// Momentum of another size than the particles.
    pub fn restore(
        particles: MeasureOverMeasures<T>,
        momentum: Vec<T>,
        step: u64,
    ) -> Result<Self, StateError> {
        let (expected, found) = (particles.points().len(), momentum.len());
        if expected != found {
            return Err(StateError { what: "momentum", expected, found });
        }
        Ok(Self { particles, momentum, step })
    }

    /// The samples as they are now.
    #[must_use]
    pub fn particles(&self) -> &MeasureOverMeasures<T> {
        &self.particles
    }

    /// The accumulated velocity, `N x d`.
    #[must_use]
    pub fn momentum(&self) -> &[T] {
        &self.momentum
    }

    /// Steps taken.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }
}

/// Explicit Euler with heavy-ball momentum: `u <- v + m u`, `x <- x - tau u`.
///
/// A momentum `m` multiplies the effective step by `1 / (1 - m)`; `m = 0` is plain WoW gradient
/// descent (deck section "WoW Gradient Descent").
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeavyBall {
    momentum: f64,
}

/// Coordinates a thread works on at a time.
const CHUNK: usize = 1 << 14;

impl HeavyBall {
    /// Momentum `0 <= m < 1`.
    ///
    /// # Errors
    /// A momentum outside that range.
    pub fn new(momentum: f64) -> Result<Self, ScheduleError> {
        if (0.0..1.0).contains(&momentum) {
            Ok(Self { momentum })
        } else {
            let expected = "at least 0 and below 1";
            Err(ScheduleError { parameter: "momentum", expected, found: momentum })
        }
    }

    /// Takes one step of size `tau` along a velocity.
    ///
    /// # Panics
    /// A velocity of another size than the particles.
    pub fn advance<T: Scalar>(&self, state: &mut FlowState<T>, velocity: &[T], tau: f64) {
        let (momentum, tau) = (T::from_f64(self.momentum), T::from_f64(tau));
        let FlowState { particles, momentum: accumulated, step } = state;
        assert_eq!(velocity.len(), accumulated.len(), "one velocity a coordinate");
        particles
            .points_mut()
            .par_chunks_mut(CHUNK)
            .zip(accumulated.par_chunks_mut(CHUNK))
            .zip(velocity.par_chunks(CHUNK))
            .for_each(|((points, accumulated), velocity)| {
                for ((x, u), v) in points.iter_mut().zip(accumulated).zip(velocity) {
                    *u = *v + momentum * *u;
                    *x = *x - tau * *u;
                }
            });
        *step += 1;
    }
}
