//! The baselines that forget labels: exact `W_2` and sliced `SW_p` of the pooled samples.

use super::error;
use super::samples::{self, ClassRow, Labels, Masses, Settings};
use super::{CompareError, Comparison, Method, Slices};
use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::exact::transport;
use crate::scalar::Scalar;

/// Sliced-Wasserstein distance `SW_p` of the pooled samples, with the masses of
/// [`MeasureOverMeasures::pooled_masses`]: labels do not matter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PooledSliced {
    pub(super) slices: Slices,
    pub(super) order: f64,
}

impl PooledSliced {
    /// On these slices, with the exponent `p = order >= 1`.
    ///
    /// # Errors
    /// An exponent below 1.
    pub fn new(slices: Slices, order: f64) -> Result<Self, CompareError> {
        Ok(Self { slices, order: error::order(order)? })
    }

    pub(super) fn compare<T: Scalar>(
        &self,
        pair: Pair<'_, T>,
        seed: u64,
    ) -> Result<Comparison, CompareError> {
        samples::compare(
            pair,
            Settings { slices: self.slices, order: self.order, seed, masses: Masses::Pooled },
            &Unlabeled,
            Method::PooledSliced(*self),
        )
    }
}

struct Unlabeled;

impl<T> Labels<T> for Unlabeled {
    type Scratch = ();

    fn scratch(&self) {}

    fn feature_weight(&self, _: usize) -> f64 {
        1.0
    }

    fn offset(&self, _: usize, _: ClassRow<'_, T>, (): &mut ()) -> f64 {
        0.0
    }
}

/// Exact `W_2` of the pooled samples, with their coupling: memory for `N M` costs up to 1 GiB of them, `N + M` beyond.
pub(super) fn w2<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
) -> Result<Comparison, CompareError> {
    let (a, b) = (p.pooled_masses(), q.pooled_masses());
    let found = transport(p.points(), Some(&a), q.points(), Some(&b), p.dim())?;
    let coupling = Some(found.coupling);
    Ok(Comparison { coupling, ..Comparison::exact(Method::PooledW2, 2.0, found.value, found.gap) })
}
