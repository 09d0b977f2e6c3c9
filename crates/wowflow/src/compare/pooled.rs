//! The baselines that forget labels: exact `W_2` and sliced `SW_p` of the pooled samples.

use super::error;
use super::masses::masses;
use super::samples::{self, ClassRow, Labels, Settings};
use super::{CompareError, Comparison, Method, Slices};
use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::exact::transport;
use crate::scalar::Scalar;

/// Sliced-Wasserstein distance of the pooled samples, `SW_p` between `sum_c w_c mu_c` and `sum_d v_d nu_d`.
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
            Settings { slices: self.slices, order: self.order, seed },
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

/// Exact `W_2` of the pooled samples, with their coupling: memory for all `N M` costs.
pub(super) fn w2<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
) -> Result<Comparison, CompareError> {
    let (a, b) = (masses(p), masses(q));
    let found = transport(p.points(), Some(&a), q.points(), Some(&b), p.dim())?;
    let coupling = Some(found.coupling);
    Ok(Comparison { coupling, ..Comparison::exact(Method::PooledW2, 2.0, found.value, found.gap) })
}
