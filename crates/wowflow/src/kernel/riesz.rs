//! The Riesz kernel `-(SW_2^2 + eps^2)^(r/2)`, by default `-SW_2`.

use super::{KernelError, positive};

/// `K = -(s + eps^2)^(r/2)` with `s = SW_2^2`: conditionally positive definite for `0 < r < 2`.
///
/// Without smoothing (`eps = 0`) the slope at `s = 0` is taken as 0, an element of the
/// subdifferential: coincident measures exert no force on each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Riesz {
    r: f64,
    eps: f64,
}

impl Riesz {
    /// Exponent `0 < r < 2` (the published kernel has 1) and smoothing length `eps >= 0`.
    ///
    /// # Errors
    /// A parameter outside its range.
    pub fn new(r: f64, eps: f64) -> Result<Self, KernelError> {
        let r = positive("r", r)?;
        if r >= 2.0 {
            return Err(KernelError::Parameter { parameter: "r", expected: "below 2", found: r });
        }
        if !(eps >= 0.0 && eps.is_finite()) {
            return Err(KernelError::Parameter {
                parameter: "eps",
                expected: "at least 0 and finite",
                found: eps,
            });
        }
        Ok(Self { r, eps })
    }

    /// The exponent `r`.
    #[must_use]
    pub fn exponent(&self) -> f64 {
        self.r
    }

    /// The smoothing length `eps`.
    #[must_use]
    pub fn smoothing(&self) -> f64 {
        self.eps
    }

    /// `K(s)`.
    #[must_use]
    pub fn value(&self, s: f64) -> f64 {
        let shifted = s + self.eps * self.eps;
        // By far the most common exponent, and a root is much faster than a power.
        -(if self.r == 1.0 { shifted.sqrt() } else { shifted.powf(self.r / 2.0) })
    }

    /// `dK/ds`, 0 where it does not exist.
    #[must_use]
    pub fn derivative(&self, s: f64) -> f64 {
        let shifted = s + self.eps * self.eps;
        let power = |x: f64| if self.r == 1.0 { 1.0 / x.sqrt() } else { x.powf(self.r / 2.0 - 1.0) };
        if shifted > 0.0 { -self.r / 2.0 * power(shifted) } else { 0.0 }
    }

    /// `r (1 - r) s^(r/2 - 1)` where it is positive, for `r < 1`; there is no largest one, so that of the
    /// present distance is taken.
    pub(super) fn repulsion_curvature(&self, s: f64) -> f64 {
        if self.r < 1.0 { 2.0 * (1.0 - self.r) * self.derivative(s).abs() } else { 0.0 }
    }
}
