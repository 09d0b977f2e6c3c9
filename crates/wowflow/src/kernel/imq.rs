//! The inverse multiquadric kernel `(h + SW_2^2)^(-1/2)`.

use super::{KernelError, positive};

/// `K = (h + s)^(-1/2)` with `s = SW_2^2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InverseMultiquadric {
    h: f64,
}

impl InverseMultiquadric {
    /// Offset `h > 0`, in squared units of the points.
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
        (self.h + s).powf(-0.5)
    }

    /// `dK/ds`.
    #[must_use]
    pub fn derivative(&self, s: f64) -> f64 {
        -0.5 * (self.h + s).powf(-1.5)
    }

    /// At `SW_2^2 = 3h/2`.
    pub(super) fn repulsion_curvature(&self) -> f64 {
        2.0 * 2.5f64.powf(-2.5) * self.h.powf(-1.5)
    }
}
