//! The Gaussian kernel `exp(-SW_2^2 / (2h))`; `h` is a variance.

use super::{KernelError, positive};

/// `K = exp(-s / (2h))` with `s = SW_2^2` (second deck; the first writes `h` for `2h`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gaussian {
    h: f64,
}

impl Gaussian {
    /// Bandwidth `h > 0`, in squared units of the points.
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
        (-s / (2.0 * self.h)).exp()
    }

    /// `dK/ds`.
    #[must_use]
    pub fn derivative(&self, s: f64) -> f64 {
        -self.value(s) / (2.0 * self.h)
    }

    /// At `SW_2^2 = 3h`.
    pub(super) fn repulsion_curvature(&self) -> f64 {
        2.0 * (-1.5f64).exp() / self.h
    }
}
