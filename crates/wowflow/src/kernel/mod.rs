//! Kernels between measures, as functions of a sliced distance (`book/src/mathematics.md`).

mod discrepancy;
mod gaussian;
mod imq;
mod laplace;
mod riesz;

use thiserror::Error;

use crate::auto::Auto;

pub use crate::ot::sliced::Base;
pub(crate) use discrepancy::{AsMeasured, ReadDistances, Varied, half_mmd2};
pub use gaussian::Gaussian;
pub use imq::InverseMultiquadric;
pub use laplace::Laplace;
pub use riesz::Riesz;

/// Why there is no such kernel.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum KernelError {
    /// A parameter outside its range.
    #[error("expected {parameter} {expected}, found {found}")]
    Parameter {
        /// Name of the parameter.
        parameter: &'static str,
        /// Its range, in words.
        expected: &'static str,
        /// The value found.
        found: f64,
    },
    /// A parameter that the kernel does not have.
    #[error("expected {parameter} with {with} only, found it with the {kernel} kernel")]
    Foreign {
        /// Name of the parameter.
        parameter: &'static str,
        /// The kernels that have it.
        with: &'static str,
        /// The kernel.
        kernel: KernelName,
    },
    /// A bandwidth that is left open where all distances vanish, or where there are none to measure.
    #[error(
        "expected classes that differ to measure the bandwidth of {kernel} on, found none: give a bandwidth"
    )]
    Unmeasured {
        /// The kernel.
        kernel: KernelName,
    },
}

/// A kernel by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KernelName {
    /// [`Riesz`].
    #[default]
    Riesz,
    /// [`Gaussian`].
    Gaussian,
    /// [`Laplace`].
    Laplace,
    /// [`InverseMultiquadric`].
    InverseMultiquadric,
}

crate::named!(KernelName, "kernel", {
    Riesz = "riesz": "-SW_2^r, the published one with r = 1.",
    Gaussian = "gaussian": "exp(-SW_2^2 / (2h)).",
    Laplace = "laplace": "exp(-SW_1 / h).",
    InverseMultiquadric = "imq": "(h + SW_2^2)^(-1/2).",
});

impl KernelName {
    /// The sliced quantity that the kernel is a function of.
    #[must_use]
    pub fn base(self) -> Base {
        match self {
            Self::Laplace => Base::Sw1,
            Self::Riesz | Self::Gaussian | Self::InverseMultiquadric => Base::SquaredSw2,
        }
    }

    /// Whether the kernel has a bandwidth.
    #[must_use]
    pub fn has_bandwidth(self) -> bool {
        self != Self::Riesz
    }
}

/// A kernel with parameters that may be left open; a default one is the Riesz kernel `-SW_2`.
///
/// What a kernel does not have must be left open. Stored, it is a table with the `name` and the parameters; a bandwidth
/// that is to be measured is `auto` there, what else is open is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct KernelSettings {
    /// Which kernel.
    pub name: KernelName,
    /// The bandwidth `h`; open: the mean sliced distance between source and target.
    #[cfg_attr(feature = "serde", serde(default))]
    pub bandwidth: Auto<f64>,
    /// The exponent `r`; open: 1.
    #[cfg_attr(feature = "serde", serde(default))]
    pub exponent: Auto<f64>,
    /// The smoothing length `eps`; open: 0.
    #[cfg_attr(feature = "serde", serde(default))]
    pub smoothing: Auto<f64>,
}

impl KernelSettings {
    /// The kernel of a name, all of its parameters open.
    #[must_use]
    pub fn of(name: KernelName) -> Self {
        Self { name, ..Self::default() }
    }

    /// The same with a bandwidth.
    #[must_use]
    pub fn with_bandwidth(self, bandwidth: f64) -> Self {
        Self { bandwidth: Auto::Given(bandwidth), ..self }
    }

    /// The same kernel of data that are multiplied by `factor`: lengths are, too, and their squares by its square.
    #[must_use]
    pub fn in_units(&self, factor: f64) -> Self {
        let squared = if self.name.base() == Base::SquaredSw2 { factor } else { 1.0 };
        Self {
            bandwidth: self.bandwidth.map(|h| h * factor * squared),
            smoothing: self.smoothing.map(|length| length * factor),
            ..*self
        }
    }

    /// Whether the kernel has a bandwidth and it is left open, to be measured on the data.
    #[must_use]
    pub fn measures_bandwidth(&self) -> bool {
        self.name.has_bandwidth() && self.bandwidth.is_auto()
    }

    /// The kernel; a bandwidth that is left open is `typical` of the quantity that the kernel is a function of.
    ///
    /// # Errors
    /// Parameters outside their ranges or of other kernels; no bandwidth where `typical` has none.
    pub fn resolve(&self, typical: impl FnOnce(Base) -> Option<f64>) -> Result<Kernel, KernelError> {
        let kernel = self.name;
        let foreign = |parameter, with, given: Auto<f64>| match given {
            Auto::Auto => Ok(()),
            Auto::Given(_) => Err(KernelError::Foreign { parameter, with, kernel }),
        };
        if !kernel.has_bandwidth() {
            foreign("bandwidth", "the gaussian, laplace and imq kernels", self.bandwidth)?;
            return Ok(Riesz::new(self.exponent.or(1.0), self.smoothing.or(0.0))?.into());
        }
        foreign("exponent", "the riesz kernel", self.exponent)?;
        foreign("smoothing", "the riesz kernel", self.smoothing)?;
        let h = self.bandwidth.given().or_else(|| typical(kernel.base()).filter(|h| *h > 0.0));
        let h = h.ok_or(KernelError::Unmeasured { kernel })?;
        Ok(match kernel {
            KernelName::Gaussian => Gaussian::new(h)?.into(),
            KernelName::Laplace => Laplace::new(h)?.into(),
            KernelName::InverseMultiquadric | KernelName::Riesz => InverseMultiquadric::new(h)?.into(),
        })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for KernelSettings {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let parameters = [
            ("bandwidth", self.bandwidth, self.measures_bandwidth()),
            ("exponent", self.exponent, false),
            ("smoothing", self.smoothing, false),
        ];
        let mut table = to.serialize_map(None)?;
        table.serialize_entry("name", &self.name)?;
        for (name, value, measured) in parameters {
            if measured || !value.is_auto() {
                table.serialize_entry(name, &value)?;
            }
        }
        table.end()
    }
}

/// Stored kernels are checked as new ones are.
impl TryFrom<KernelSettings> for Kernel {
    type Error = KernelError;

    fn try_from(settings: KernelSettings) -> Result<Self, KernelError> {
        settings.resolve(|_| None)
    }
}

impl From<Kernel> for KernelSettings {
    fn from(kernel: Kernel) -> Self {
        let open = Self::of(kernel.name());
        match kernel {
            Kernel::Riesz(riesz) => {
                Self { exponent: riesz.exponent().into(), smoothing: riesz.smoothing().into(), ..open }
            }
            Kernel::Gaussian(_) | Kernel::Laplace(_) | Kernel::InverseMultiquadric(_) => {
                Self { bandwidth: kernel.bandwidth().into(), ..open }
            }
        }
    }
}

/// One of the kernels, with checked parameters.
///
/// ```
/// use wowflow::kernel::{Kernel, Riesz};
/// let kernel = Kernel::from(Riesz::new(1.0, 0.0)?);
/// assert_eq!((kernel.value(4.0), kernel.derivative(4.0)), (-2.0, -0.25));
/// # Ok::<(), wowflow::kernel::KernelError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "KernelSettings", into = "KernelSettings"))]
pub enum Kernel {
    /// `exp(-SW_2^2 / (2h))`.
    Gaussian(Gaussian),
    /// `exp(-SW_1 / h)`.
    Laplace(Laplace),
    /// `(h + SW_2^2)^(-1/2)`.
    InverseMultiquadric(InverseMultiquadric),
    /// `-(SW_2^2 + eps^2)^(r/2)`.
    Riesz(Riesz),
}

impl Kernel {
    /// What the kernel is called.
    #[must_use]
    pub fn name(&self) -> KernelName {
        match self {
            Self::Gaussian(_) => KernelName::Gaussian,
            Self::Laplace(_) => KernelName::Laplace,
            Self::InverseMultiquadric(_) => KernelName::InverseMultiquadric,
            Self::Riesz(_) => KernelName::Riesz,
        }
    }

    /// The sliced quantity `s` the kernel is a function of.
    #[must_use]
    pub fn base(&self) -> Base {
        self.name().base()
    }

    /// The bandwidth `h`; `None` for the Riesz kernel, which has none.
    #[must_use]
    pub fn bandwidth(&self) -> Option<f64> {
        match self {
            Self::Gaussian(kernel) => Some(kernel.bandwidth()),
            Self::Laplace(kernel) => Some(kernel.bandwidth()),
            Self::InverseMultiquadric(kernel) => Some(kernel.bandwidth()),
            Self::Riesz(_) => None,
        }
    }

    /// The power of the unit of length that values are measured in: doubled lengths, with the bandwidth doubled as its
    /// unit asks for, multiply values by two to this power.
    #[must_use]
    pub fn length_power(&self) -> f64 {
        match self {
            Self::Gaussian(_) | Self::Laplace(_) => 0.0,
            Self::InverseMultiquadric(_) => -1.0,
            Self::Riesz(kernel) => kernel.exponent(),
        }
    }

    /// `K` as a function of `s`.
    #[must_use]
    pub fn value(&self, s: f64) -> f64 {
        match self {
            Self::Gaussian(kernel) => kernel.value(s),
            Self::Laplace(kernel) => kernel.value(s),
            Self::InverseMultiquadric(kernel) => kernel.value(s),
            Self::Riesz(kernel) => kernel.value(s),
        }
    }

    /// `dK/ds`.
    #[must_use]
    pub fn derivative(&self, s: f64) -> f64 {
        match self {
            Self::Gaussian(kernel) => kernel.derivative(s),
            Self::Laplace(kernel) => kernel.derivative(s),
            Self::InverseMultiquadric(kernel) => kernel.derivative(s),
            Self::Riesz(kernel) => kernel.derivative(s),
        }
    }

    /// A bound on the curvature of `K`, at least 0, as a function of the length that `s` is or is the square
    /// of: what repulsion adds to the curvature of a functional.
    #[must_use]
    pub fn repulsion_curvature(&self, s: f64) -> f64 {
        match self {
            Self::Gaussian(kernel) => kernel.repulsion_curvature(),
            Self::Laplace(kernel) => kernel.repulsion_curvature(),
            Self::InverseMultiquadric(kernel) => kernel.repulsion_curvature(),
            Self::Riesz(kernel) => kernel.repulsion_curvature(s),
        }
    }
}

impl From<Gaussian> for Kernel {
    fn from(kernel: Gaussian) -> Self {
        Self::Gaussian(kernel)
    }
}

impl From<Laplace> for Kernel {
    fn from(kernel: Laplace) -> Self {
        Self::Laplace(kernel)
    }
}

impl From<InverseMultiquadric> for Kernel {
    fn from(kernel: InverseMultiquadric) -> Self {
        Self::InverseMultiquadric(kernel)
    }
}

impl From<Riesz> for Kernel {
    fn from(kernel: Riesz) -> Self {
        Self::Riesz(kernel)
    }
}

fn positive(parameter: &'static str, found: f64) -> Result<f64, KernelError> {
    if found > 0.0 && found.is_finite() {
        Ok(found)
    } else {
        Err(KernelError::Parameter { parameter, expected: "positive and finite", found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_match_central_differences() {
        let kernels: [Kernel; 6] = [
            Gaussian::new(0.7).unwrap().into(),
            Laplace::new(0.5).unwrap().into(),
            InverseMultiquadric::new(0.3).unwrap().into(),
            Riesz::new(1.0, 0.0).unwrap().into(),
            Riesz::new(0.5, 0.0).unwrap().into(),
            Riesz::new(1.5, 0.2).unwrap().into(),
        ];
        for kernel in kernels {
            for s in [0.01, 0.3, 2.0] {
                let step = 1e-6 * s;
                let slope = (kernel.value(s + step) - kernel.value(s - step)) / (2.0 * step);
                let found = kernel.derivative(s);
                assert!((found - slope).abs() < 1e-6 * slope.abs(), "{kernel:?} at {s}: {found} {slope}");
            }
        }
    }

    #[test]
    fn repulsion_never_bends_more_than_its_bound() {
        let kernels: [Kernel; 5] = [
            Gaussian::new(0.7).unwrap().into(),
            Laplace::new(0.5).unwrap().into(),
            InverseMultiquadric::new(0.3).unwrap().into(),
            Riesz::new(1.0, 0.0).unwrap().into(),
            Riesz::new(0.5, 0.0).unwrap().into(),
        ];
        for kernel in kernels {
            let s = |length: f64| if kernel.base() == Base::Sw1 { length } else { length * length };
            let mut closest = 1.0f64;
            for k in 1..400 {
                let (at, step) = (0.01 * f64::from(k), 1e-4);
                let value = |length: f64| kernel.value(s(length));
                let found = (value(at + step) - 2.0 * value(at) + value(at - step)) / (step * step);
                let bound = kernel.repulsion_curvature(s(at));
                assert!(found < 1.01 * bound + 1e-6, "{kernel:?} at {at}: {found} above {bound}");
                closest = closest.min((bound - found) / bound.max(1e-3));
            }
            // Not a bound by chance: somewhere it is reached.
            assert!(closest < 0.05, "{kernel:?}: {closest}");
        }
    }

    #[test]
    fn the_riesz_force_vanishes_on_the_diagonal_only_without_smoothing() {
        assert_eq!(Riesz::new(1.0, 0.0).unwrap().derivative(0.0), 0.0);
        assert_eq!(Riesz::new(1.0, 0.5).unwrap().derivative(0.0), -1.0);
    }

    #[test]
    fn parameters_are_checked() {
        assert!(Gaussian::new(0.0).is_err());
        assert!(Laplace::new(f64::NAN).is_err());
        assert!(InverseMultiquadric::new(-1.0).is_err());
        assert!(Riesz::new(2.0, 0.0).is_err());
        let error = Riesz::new(1.0, -1.0).unwrap_err();
        assert_eq!(error.to_string(), "expected eps at least 0 and finite, found -1");
    }
}
