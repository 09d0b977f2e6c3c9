//! What an entropic problem is asked for.

use super::EntropicError;

/// How strictly the marginals of a plan are held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Marginals {
    /// Exactly: balanced transport of measures normalised to mass 1.
    Exact,
    /// At a charge: `rho KL(P 1 | a) + rho KL(P^T 1 | b)` with `rho > 0`, the masses as given.
    Relaxed {
        /// The charge, in the unit of the costs.
        rho: f64,
    },
}

/// Where costs are kept while a problem is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Held up to 2^26 costs (1 GiB with the kernel), else computed anew in every iteration.
    Auto,
    /// Held, with a kernel of the same size: fastest.
    Held,
    /// Costs from points are computed by blocks of rows in every iteration: `O(n + m)` numbers beyond a
    /// copy of the points. A cost matrix is held by the caller already; the kernel alone is saved.
    Computed,
}

/// Settings of the entropic solver; [`Self::new`] has the defaults.
///
/// ```
/// use wowflow::ot::entropic::SinkhornSettings;
/// let settings = SinkhornSettings { tolerance: 1e-12, ..SinkhornSettings::new(0.1) };
/// assert_eq!((settings.epsilon, settings.max_iterations), (0.1, 10_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SinkhornSettings {
    /// Regularisation, positive, in the unit of the costs.
    pub epsilon: f64,
    /// The iteration ends when the marginals are off by no more than this in total (1 is all mass).
    pub tolerance: f64,
    /// Most iterations, over all stages of the epsilon scaling.
    pub max_iterations: usize,
    /// Balanced or unbalanced.
    pub marginals: Marginals,
    /// Where costs are kept.
    pub storage: Storage,
}

impl SinkhornSettings {
    /// Balanced, tolerance 1e-9, at most 10,000 iterations.
    #[must_use]
    pub fn new(epsilon: f64) -> Self {
        Self {
            epsilon,
            tolerance: 1e-9,
            max_iterations: 10_000,
            marginals: Marginals::Exact,
            storage: Storage::Auto,
        }
    }

    /// As [`Self::new`] with both marginals relaxed at the charge `rho`.
    #[must_use]
    pub fn unbalanced(epsilon: f64, rho: f64) -> Self {
        Self { marginals: Marginals::Relaxed { rho }, ..Self::new(epsilon) }
    }

    pub(super) fn check(&self) -> Result<(), EntropicError> {
        let positive = |name, found: f64| match found > 0.0 && found.is_finite() {
            true => Ok(()),
            false => Err(EntropicError::BadSetting { name, expected: "a positive number", found }),
        };
        positive("epsilon", self.epsilon)?;
        positive("tolerance", self.tolerance)?;
        positive("max_iterations", self.max_iterations as f64)?;
        if let Marginals::Relaxed { rho } = self.marginals {
            positive("rho", rho)?;
        }
        Ok(())
    }

    /// The slope that a relaxed marginal gives the update of its potential: `rho / (rho + eps)`.
    pub(super) fn slope(&self, epsilon: f64) -> f64 {
        match self.marginals {
            Marginals::Exact => 1.0,
            Marginals::Relaxed { rho } => rho / (rho + epsilon),
        }
    }
}
