//! The settings of a distance: its name and its options, which may be left open.

use super::options::Has;
use super::{CompareError, DoubleSliced, Inner, Method, MethodName, Process, ProcessName, Slices};
use crate::auto::Auto;
use crate::directions::Slicing;
use crate::kernel::{KernelName, KernelSettings};
use crate::name::Named;

/// A distance by name with its options; by default exact `W_{W2}`. What a method does not have must be left open.
///
/// ```
/// use wowflow::compare::{Method, MethodName, MethodSettings};
/// let settings = MethodSettings { directions: 200.into(), ..MethodSettings::of(MethodName::SOtdd) };
/// let method = settings.resolve(784)?;
/// assert_eq!((method.symbol().as_str(), method.order()), ("s-OTDD", 2.0));
/// let error = MethodSettings { directions: 200.into(), ..MethodSettings::default() }.resolve(784);
/// assert!(error.unwrap_err().to_string().ends_with("found it with wow"));
/// # Ok::<(), wowflow::compare::CompareError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct MethodSettings {
    /// Which method.
    pub name: MethodName,
    /// Slices, `L`; open: [`Slices::COUNT`].
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Auto::is_auto"))]
    pub directions: Auto<usize>,
    /// Kind of their directions; open: as [`Slicing::random`] says.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Auto::is_auto"))]
    pub slicing: Auto<Slicing>,
    /// The kernel; `None` is the Riesz kernel for a method that has one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub kernel: Option<KernelSettings>,
    /// The exponent `p`; open: [`Self::ORDER`].
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Auto::is_auto"))]
    pub order: Auto<f64>,
    /// Moments of a class; open: [`super::SlicedOtdd::MOMENTS`].
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Auto::is_auto"))]
    pub moments: Auto<usize>,
    /// Random functions a direction; open: [`DoubleSliced::FUNCTIONS`].
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Auto::is_auto"))]
    pub functions: Auto<usize>,
    /// Length on which random functions vary, a share of the unit interval; open: [`DoubleSliced::LENGTH`].
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Auto::is_auto"))]
    pub length: Auto<f64>,
    /// The process of random functions; open: the squared exponential one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Auto::is_auto"))]
    pub process: Auto<ProcessName>,
    /// Regularisation of the transport between samples, in the unit of squared distances; `None` is exact transport.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub regularisation: Option<f64>,
}

impl MethodSettings {
    /// The exponent where nothing else is asked for.
    pub const ORDER: f64 = 2.0;

    /// The method of a name, all of its options open.
    #[must_use]
    pub fn of(name: MethodName) -> Self {
        Self { name, ..Self::default() }
    }

    /// The method for samples of a dimension. Nothing is left open but the bandwidth of a kernel that is to be
    /// measured on the pair that is compared.
    ///
    /// # Errors
    /// Options that the method does not have, numbers outside their ranges.
    pub fn resolve(&self, dim: usize) -> Result<Method, CompareError> {
        let found = self.name;
        match self.options().into_iter().find(|(has, _, given)| *given && !found.has(*has)) {
            Some((has, option, _)) => {
                let methods =
                    MethodName::ALL.iter().filter(|method| method.has(has)).map(|method| method.name());
                Err(CompareError::Foreign { option, methods: methods.collect(), found: found.name() })
            }
            None => self.build(dim),
        }
    }

    /// The options: what they belong to, their names, whether they are given.
    fn options(&self) -> [(Has, &'static str, bool); 9] {
        [
            (Has::Slices, "directions", !self.directions.is_auto()),
            (Has::Slices, "slicing", !self.slicing.is_auto()),
            (Has::Kernel, self.kernel_option(), self.kernel.is_some()),
            (Has::Order, "order", !self.order.is_auto()),
            (Has::Moments, "moments", !self.moments.is_auto()),
            (Has::Functions, "functions", !self.functions.is_auto()),
            (Has::Functions, "length", !self.length.is_auto()),
            (Has::Functions, "process", !self.process.is_auto()),
            (Has::Regularisation, "regularisation", self.regularisation.is_some()),
        ]
    }

    /// What is given of the kernel: it, or a parameter of the usual one.
    fn kernel_option(&self) -> &'static str {
        match self.kernel {
            Some(kernel) if kernel.name == KernelName::default() => {
                let parameters = [
                    ("bandwidth", kernel.bandwidth),
                    ("exponent", kernel.exponent),
                    ("smoothing", kernel.smoothing),
                ];
                parameters.iter().find(|(_, value)| !value.is_auto()).map_or("kernel", |(name, _)| name)
            }
            _ => "kernel",
        }
    }

    pub(super) fn slices(&self, dim: usize) -> Result<Slices, CompareError> {
        let slicing = self.slicing.or_else(|| Slicing::random(dim));
        Slices::new(slicing, self.directions.or(Slices::COUNT))
    }

    pub(super) fn process(&self) -> Result<Process, CompareError> {
        match (self.process.or(ProcessName::SquaredExponential), self.length) {
            (ProcessName::SquaredExponential, length) => {
                Ok(Process::SquaredExponential { length: length.or(DoubleSliced::LENGTH) })
            }
            (ProcessName::Brownian, Auto::Auto) => Ok(Process::Brownian),
            (process, Auto::Given(found)) => {
                Err(CompareError::ForeignLength { process: process.name(), found })
            }
        }
    }

    pub(super) fn with_slices(self, slices: Slices) -> Self {
        Self { directions: slices.count().into(), slicing: slices.slicing().into(), ..self }
    }

    pub(super) fn with_inner(self, inner: Inner) -> Self {
        match inner {
            Inner::Exact | Inner::Gaussian => self,
            Inner::Sliced(slices) => self.with_slices(slices),
        }
    }
}

/// Stored methods are checked as new ones are, and have all of their options: a rule for what is left open may change.
impl TryFrom<MethodSettings> for Method {
    type Error = CompareError;

    fn try_from(settings: MethodSettings) -> Result<Self, CompareError> {
        // The dimension matters only to the kind of directions, which must be there.
        let method = settings.resolve(0)?;
        let whole = MethodSettings::from(method.clone()).options();
        let absent =
            settings.options().into_iter().zip(whole).find(|((_, _, given), (_, _, has))| *has && !given);
        match absent {
            Some(((_, option, _), _)) => Err(CompareError::Missing { option, method: settings.name.name() }),
            None => Ok(method),
        }
    }
}
