//! OTDD as one of the distances: the choices that have a name, for [`super::otdd`].

use super::error::positive;
use super::otdd::{
    KeepCoupling, LabelDistance, OtddSettings, OuterSolver, SampleCoupling, SlicedScale, Solver, otdd_pow,
};
use super::{Certainty, CompareError, Comparison, Inner, Method};
use crate::measure::Pair;
use crate::scalar::Scalar;

/// An iteration that was cut off is told all the same where its bounds are this close, relative to the power.
const CERTAIN: f64 = 1e-4;

/// OTDD with a distance between labels, and exact or entropic transport between samples.
///
/// Sliced label distances are `d SW_2^2`. [`super::otdd::otdd_pow`] has more choices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OtddMethod {
    pub(super) labels: Inner,
    pub(super) regularisation: Option<f64>,
}

impl OtddMethod {
    /// With a distance between labels. Transport between samples is exact, or with a regularisation, in the unit of
    /// squared distances, the Sinkhorn divergence.
    ///
    /// # Errors
    /// A regularisation that is not positive and finite.
    pub fn new(labels: Inner, regularisation: Option<f64>) -> Result<Self, CompareError> {
        let regularisation = regularisation.map(|epsilon| positive("regularisation", epsilon)).transpose()?;
        Ok(Self { labels, regularisation })
    }

    /// # Errors
    /// As [`otdd_pow`], and an iteration that was cut off far from its end.
    pub(super) fn compare<T: Scalar>(
        &self,
        pair: Pair<'_, T>,
        seed: u64,
    ) -> Result<Comparison, CompareError> {
        let Pair { source: p, target: q } = pair;
        let labels = match self.labels {
            Inner::Exact => LabelDistance::Exact,
            Inner::Gaussian => LabelDistance::Gaussian { ddof: 0 },
            Inner::Sliced(slices) => {
                let (slicing, count) = (slices.slicing(), slices.count());
                LabelDistance::Sliced { slicing, count, seed, scale: SlicedScale::Dimension }
            }
        };
        // A dense coupling would take `n m` numbers; that of the exact solver is there anyway.
        let (outer, coupling) = match self.regularisation {
            None => (OuterSolver::Exact, KeepCoupling::Yes),
            Some(epsilon) => (OuterSolver::debiased(epsilon), KeepCoupling::No),
        };
        let found = otdd_pow(p, q, &OtddSettings { labels, outer, coupling })?;
        let gap = found.gap();
        let certainty = match found.solver {
            Solver::Exact(_) => Certainty::Exact { gap },
            Solver::Sinkhorn { converged: false } if gap > CERTAIN * found.upper.abs() => {
                let (iterations, lower, upper) = (found.iterations, found.lower, found.upper);
                let regularisation = self.regularisation.unwrap_or_default();
                return Err(CompareError::NotConverged { iterations, lower, upper, regularisation });
            }
            Solver::Sinkhorn { .. } => Certainty::Interval { lower: found.lower, upper: found.upper },
        };
        let coupling = match found.coupling {
            Some(SampleCoupling::Sparse(coupling)) => Some(coupling),
            Some(SampleCoupling::Dense(_)) | None => None,
        };
        let (method, classes) = (Method::Otdd(*self), Some(found.label_costs));
        Ok(match found.slices {
            Some(power) => Comparison { classes, coupling, ..Comparison::sliced(method, 2.0, power) },
            None => Comparison {
                certainty,
                classes,
                coupling,
                ..Comparison::exact(method, 2.0, found.value, gap)
            },
        })
    }
}
