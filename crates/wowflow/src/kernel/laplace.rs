//! The Laplace kernel `exp(-SW_1 / h)`; `h` is a length.

use super::{KernelError, positive};

/// `K = exp(-s / h)` with `s = SW_1`, which is an L1 distance of distribution functions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Laplace {
    h: f64,
}

impl Laplace {
    /// Bandwidth `h > 0`, in units of the points.
    ///
    /// # Errors
    /// `h` is not positive and finite.
    pub fn new(h: f64) -> Result<Self, KernelError> {
        Ok(Self { h: positive("h", h)? })
    }

    /// The bandwidth.
    #[must_use]
    pub fn bandwidth(&self) -> f64 {
        self.h
    }

    /// `K(s)`.
    #[must_use]
    pub fn value(&self, s: f64) -> f64 {
        (-s / self.h).exp()
    }

    /// `dK/ds`.
    #[must_use]
    pub fn derivative(&self, s: f64) -> f64 {
        -self.value(s) / self.h
    }

    /// At 0.
    pub(super) fn repulsion_curvature(&self) -> f64 {
        self.h.powi(-2)
    }
}
