//! Where a flow stands.

use thiserror::Error;

use crate::measure::MeasureOverMeasures;
use crate::scalar::Scalar;

/// Everything a flow needs to go on: samples, what its scheme remembers, the number of steps taken.
///
/// Random draws are addressed by the step, so no random state is kept: a state restored bit for
/// bit continues bit for bit.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowState<T> {
    pub(super) particles: MeasureOverMeasures<T>,
    pub(super) memory: Memory<T>,
    /// Samples that a stopping rule compares with, `N x d`.
    pub(super) reference: Option<Vec<T>>,
    pub(super) step: u64,
}

/// What a scheme remembers from step to step; empty at the start of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory<T> {
    /// Vectors of the size of the particles (`N x d`), such as accumulated velocities.
    pub vectors: Vec<Vec<T>>,
    /// Numbers, such as step lengths.
    pub numbers: Vec<f64>,
}

/// A state that cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected {expected} coordinates in each vector that a flow remembers, found {found}")]
pub struct StateError {
    /// Number of coordinates expected.
    pub expected: usize,
    /// Number found.
    pub found: usize,
}

impl<T: Scalar> FlowState<T> {
    /// The start: no steps taken, nothing to remember.
    #[must_use]
    pub fn new(particles: MeasureOverMeasures<T>) -> Self {
        let memory = Memory { vectors: Vec::new(), numbers: Vec::new() };
        Self { particles, memory, reference: None, step: 0 }
    }

    /// The samples as they are now.
    #[must_use]
    pub fn particles(&self) -> &MeasureOverMeasures<T> {
        &self.particles
    }

    /// What the scheme remembers.
    #[must_use]
    pub fn memory(&self) -> &Memory<T> {
        &self.memory
    }

    /// The samples that a stopping rule compares with, if there is one.
    #[must_use]
    pub fn reference(&self) -> Option<&[T]> {
        self.reference.as_deref()
    }

    /// Steps taken.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// A state as it was saved.
    ///
    /// # Errors
    /// A memory or a reference of another size than the particles.
    #[inline(never)]
    pub fn restore(
        particles: MeasureOverMeasures<T>,
        memory: Memory<T>,
        reference: Option<Vec<T>>,
        step: u64,
    ) -> Result<Self, StateError> {
        let expected = particles.points().len();
        match memory.vectors.iter().chain(&reference).map(Vec::len).find(|found| *found != expected) {
            Some(found) => Err(StateError { expected, found }),
            None => Ok(Self { particles, memory, reference, step }),
        }
    }
}
