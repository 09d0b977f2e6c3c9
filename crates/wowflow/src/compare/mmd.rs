//! The maximum mean discrepancy between datasets, with a kernel on the sliced distance of classes.

use super::{CompareError, Comparison, Method, Slices};
use crate::kernel::{AsMeasured, KernelSettings, half_mmd2};
use crate::measure::Pair;
use crate::ot::exact::CostMatrix;
use crate::ot::sliced::PairDistances;
use crate::scalar::Scalar;

/// Squared MMDs below this share of the mean kernel value are rounding.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// The MMD with a sliced kernel, all classes on shared slices; its power is the squared MMD, and 0 where double
/// precision cannot tell it from 0 (4e-15 of the mean kernel value).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmd {
    pub(super) slices: Slices,
    pub(super) kernel: KernelSettings,
}

impl Mmd {
    /// On these slices, with a kernel. With a given one the MMD is a metric on datasets for any slices that tell their
    /// classes apart. A bandwidth that is left open is the typical distance between a class of one dataset and one of
    /// the other, taken from the pair: values of different pairs are then hard to compare, and it is no metric.
    ///
    /// # Errors
    /// Parameters outside their ranges or of other kernels.
    pub fn new(slices: Slices, kernel: impl Into<KernelSettings>) -> Result<Self, CompareError> {
        let open = kernel.into();
        // Checked as with a bandwidth that some data might have.
        let checked = open.resolve(|_| Some(1.0))?;
        Ok(Self { slices, kernel: if open.measures_bandwidth() { open } else { checked.into() } })
    }

    /// The kernel; in the method of a [`Comparison`] nothing of it is open.
    #[must_use]
    pub fn kernel(&self) -> KernelSettings {
        self.kernel
    }

    pub(super) fn compare<T: Scalar>(
        &self,
        pair: Pair<'_, T>,
        seed: u64,
    ) -> Result<Comparison, CompareError> {
        let Pair { source: p, target: q } = pair;
        let mut pairs = self.slices.pairwise(pair, seed)?;
        let kernel = self.kernel.resolve(|base| Some(pairs.typical(base)))?;
        let found = PairDistances::from(pairs.distances(kernel.base()));
        let classes = CostMatrix::new(p.class_count(), q.class_count(), found.source_target)?;
        let weights = (p.outer_weights(), q.outer_weights());
        let mut power = half_mmd2(kernel, weights, pairs.sampled(), &AsMeasured).doubled();
        // The three sums of kernel values cancel for datasets that are alike: what is left of the size of their
        // rounding is nothing.
        let weights = p.outer_weights().iter().flat_map(|w| q.outer_weights().iter().map(move |v| w * v));
        let cross: f64 = weights.zip(classes.values()).map(|(w, s)| w * kernel.value(*s).abs()).sum();
        if power.value.abs() <= ROUNDING * cross {
            power.value = 0.0;
        }
        let method = Method::Mmd(Self { kernel: kernel.into(), ..*self });
        Ok(Comparison { classes: Some(classes), ..Comparison::sliced(method, 2.0, power) })
    }
}
