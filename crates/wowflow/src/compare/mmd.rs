//! The maximum mean discrepancy between datasets, with a kernel on the sliced distance of classes.

use super::{CompareError, Comparison, Method, Slices};
use crate::kernel::{AsMeasured, Base, Gaussian, InverseMultiquadric, Kernel, Laplace, half_mmd2};
use crate::measure::Pair;
use crate::ot::exact::CostMatrix;
use crate::ot::sliced::PairDistances;
use crate::scalar::Scalar;

/// A kernel, or a family with its bandwidth left to the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KernelChoice {
    /// This kernel: the MMD is a metric on datasets for any slices that tell their classes apart.
    Given(Kernel),
    /// The Gaussian kernel with the typical `SW_2^2` between a class of one dataset and one of the other.
    /// A bandwidth taken from the pair makes values of different pairs hard to compare: no metric.
    AutoGaussian,
    /// The Laplace kernel with the typical `SW_1`; as above.
    AutoLaplace,
    /// The inverse multiquadric kernel with the typical `SW_2^2`; as above.
    AutoImq,
}

impl KernelChoice {
    fn auto_base(self) -> Base {
        match self {
            Self::Given(kernel) => kernel.base(),
            Self::AutoLaplace => Base::Sw1,
            Self::AutoGaussian | Self::AutoImq => Base::SquaredSw2,
        }
    }

    fn with_bandwidth(self, bandwidth: f64) -> Result<Kernel, CompareError> {
        if bandwidth <= 0.0 && !matches!(self, Self::Given(_)) {
            return Err(CompareError::NoScale);
        }
        Ok(match self {
            Self::Given(kernel) => kernel,
            Self::AutoGaussian => Gaussian::new(bandwidth)?.into(),
            Self::AutoLaplace => Laplace::new(bandwidth)?.into(),
            Self::AutoImq => InverseMultiquadric::new(bandwidth)?.into(),
        })
    }
}

/// Squared MMDs below this share of the mean kernel value are rounding.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// The MMD with a sliced kernel, all classes on shared slices; its power is the squared MMD, and 0 where double
/// precision cannot tell it from 0 (4e-15 of the mean kernel value).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mmd {
    slices: Slices,
    kernel: KernelChoice,
}

impl Mmd {
    /// On these slices, with a kernel.
    #[must_use]
    pub fn new(slices: Slices, kernel: KernelChoice) -> Self {
        Self { slices, kernel }
    }

    /// The kernel; in the method of a [`Comparison`] always a given one.
    #[must_use]
    pub fn kernel(&self) -> KernelChoice {
        self.kernel
    }

    pub(super) fn compare<T: Scalar>(
        &self,
        pair: Pair<'_, T>,
        seed: u64,
    ) -> Result<Comparison, CompareError> {
        let Pair { source: p, target: q } = pair;
        let mut pairs = self.slices.pairwise(pair, seed)?;
        let bandwidth = match self.kernel {
            KernelChoice::Given(_) => 0.0,
            auto => pairs.typical(auto.auto_base()),
        };
        let kernel = self.kernel.with_bandwidth(bandwidth)?;
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
        let method = Method::Mmd(Self { kernel: KernelChoice::Given(kernel), ..*self });
        Ok(Comparison { classes: Some(classes), ..Comparison::sliced(method, 2.0, power) })
    }
}
