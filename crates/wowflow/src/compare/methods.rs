//! The distances by name: for each the options it has, its symbol, its cost, and the way from settings to it and back.

use std::fmt;

use super::options::Has;
use super::{
    Busemann, CompareError, DoubleSliced, Hipm, Inner, Method, MethodName, MethodSettings, Mmd, OtddMethod,
    PooledSliced, Process, ProcessName, Rays, SlicedOtdd,
};
use crate::kernel::Base;

/// How the time of a method grows. It is stored by name, `linear`, `cubic-in-dimension` or `quadratic`, and told in
/// short, for `n` samples in `d` dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Growth {
    /// With the samples, up to a logarithm, and with the dimension.
    Linear,
    /// With the samples, and with the cube of the dimension.
    CubicInDimension,
    /// With the square of the samples, or more.
    Quadratic,
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Linear => "linear",
            Self::CubicInDimension => "n + d^3",
            Self::Quadratic => "n^2 or more",
        })
    }
}

/// What a comparison tells of pairs of classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Classes {
    /// What they cost, in a unit with a name.
    Costs(&'static str),
    /// The mass that goes between them, but no costs.
    Masses,
    /// Nothing.
    Nothing,
}

/// Where most of the time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cores {
    /// Into loops that use all cores.
    All,
    /// Into one solver that uses one.
    One,
}

/// What is known of a method by its name.
#[derive(Clone, Copy, Debug)]
struct Facts {
    /// What it has options for.
    has: &'static [Has],
    /// How the distance is written; an exponent is added where it can be chosen.
    symbol: &'static str,
    classes: Classes,
    growth: Growth,
    cores: Cores,
}

impl MethodName {
    fn facts(self) -> Facts {
        use Classes::{Costs, Masses, Nothing};
        use Growth::{CubicInDimension, Linear, Quadratic};
        let facts = |has, symbol, classes, growth, cores| Facts { has, symbol, classes, growth, cores };
        match self {
            Self::Wow => facts(&[], "W_W2", Costs("W_2^2"), Quadratic, Cores::All),
            Self::WowSliced => facts(&[Has::Slices], "W_SW2", Costs("SW_2^2"), Linear, Cores::All),
            Self::WowGaussian => {
                facts(&[], "W_BW2", Costs("W_2^2 of Gaussians"), CubicInDimension, Cores::All)
            }
            Self::Otdd => facts(&[Has::Regularisation], "OTDD", Costs("W_2^2"), Quadratic, Cores::One),
            Self::OtddGaussian => {
                facts(&[Has::Regularisation], "OTDD", Costs("W_2^2 of Gaussians"), Quadratic, Cores::One)
            }
            Self::OtddSliced => {
                let has = &[Has::Slices, Has::Regularisation];
                facts(has, "OTDD", Costs("d SW_2^2"), Quadratic, Cores::One)
            }
            Self::MmdSw => facts(&[Has::Slices, Has::Kernel], "MMD", Costs("SW_2^2"), Linear, Cores::All),
            Self::SOtdd => {
                facts(&[Has::Slices, Has::Moments, Has::Order], "s-OTDD", Nothing, Linear, Cores::All)
            }
            Self::Busemann => facts(&[Has::Slices, Has::Order], "SWB1DG", Nothing, Linear, Cores::All),
            Self::BusemannGaussian => {
                facts(&[Has::Slices, Has::Order], "SWBG", Nothing, CubicInDimension, Cores::All)
            }
            Self::Dsw => facts(&[Has::Slices, Has::Functions], "DSW", Nothing, Linear, Cores::All),
            Self::Sw => facts(&[Has::Slices, Has::Order], "SW_", Nothing, Linear, Cores::All),
            Self::W2 => facts(&[], "W_2", Masses, Quadratic, Cores::One),
            Self::Hipm => facts(&[Has::Slices], "d_HIPM", Costs("W_1"), Quadratic, Cores::One),
        }
    }

    /// Whether the method takes slices, and so directions.
    #[must_use]
    pub fn is_sliced(self) -> bool {
        self.has(Has::Slices)
    }

    /// Whether there is a matrix of classes: of costs, or of the mass that goes between them.
    #[must_use]
    pub fn has_classes(self) -> bool {
        self.facts().classes != Classes::Nothing
    }

    /// How the time grows with the number of samples and the dimension.
    #[must_use]
    pub fn growth(self) -> Growth {
        self.facts().growth
    }

    /// Whether most of the time goes into one solver that uses one core.
    #[must_use]
    pub fn serial(self) -> bool {
        self.facts().cores == Cores::One
    }

    /// Whether the method has an option.
    pub(super) fn has(self, option: Has) -> bool {
        self.facts().has.contains(&option)
    }
}

impl MethodSettings {
    /// The method, of options that it has, for samples of a dimension.
    pub(super) fn build(&self, dim: usize) -> Result<Method, CompareError> {
        let slices = || self.slices(dim);
        let order = self.order.or(Self::ORDER);
        let otdd = |labels| OtddMethod::new(labels, self.regularisation).map(Method::Otdd);
        Ok(match self.name {
            MethodName::Wow => Method::Wow(Inner::Exact),
            MethodName::WowSliced => Method::Wow(Inner::Sliced(slices()?)),
            MethodName::WowGaussian => Method::Wow(Inner::Gaussian),
            MethodName::Otdd => otdd(Inner::Exact)?,
            MethodName::OtddGaussian => otdd(Inner::Gaussian)?,
            MethodName::OtddSliced => otdd(Inner::Sliced(slices()?))?,
            MethodName::MmdSw => Method::Mmd(Mmd::new(slices()?, self.kernel.unwrap_or_default())?),
            MethodName::SOtdd => {
                let moments = self.moments.or(SlicedOtdd::MOMENTS);
                Method::SlicedOtdd(SlicedOtdd::new(slices()?, moments, order)?)
            }
            MethodName::Busemann => Method::Busemann(Busemann::new(slices()?, Rays::Gaussian1d, order)?),
            MethodName::BusemannGaussian => {
                Method::Busemann(Busemann::new(slices()?, Rays::Gaussian, order)?)
            }
            MethodName::Dsw => {
                let functions = self.functions.or(DoubleSliced::FUNCTIONS);
                Method::DoubleSliced(DoubleSliced::new(slices()?, self.process()?, functions)?)
            }
            MethodName::Sw => Method::PooledSliced(PooledSliced::new(slices()?, order)?),
            MethodName::W2 => Method::PooledW2,
            MethodName::Hipm => Method::Hipm(Hipm::new(slices()?)),
        })
    }
}

/// The settings that give the method, all of its options given.
impl From<Method> for MethodSettings {
    fn from(method: Method) -> Self {
        let open = Self::of(method.name());
        match method {
            Method::Wow(inner) => open.with_inner(inner),
            Method::Otdd(OtddMethod { labels, regularisation }) => {
                Self { regularisation, ..open.with_inner(labels) }
            }
            Method::Mmd(mmd) => Self { kernel: Some(mmd.kernel), ..open.with_slices(mmd.slices) },
            Method::PooledW2 => open,
            Method::PooledSliced(sw) => Self { order: sw.order.into(), ..open.with_slices(sw.slices) },
            Method::SlicedOtdd(SlicedOtdd { slices, moments, order }) => {
                Self { moments: moments.into(), order: order.into(), ..open.with_slices(slices) }
            }
            Method::Busemann(Busemann { slices, order, .. }) => {
                Self { order: order.into(), ..open.with_slices(slices) }
            }
            Method::DoubleSliced(DoubleSliced { slices, process, functions }) => {
                let open = Self { functions: functions.into(), ..open.with_slices(slices) };
                match process {
                    Process::SquaredExponential { length } => Self { length: length.into(), ..open },
                    Process::Brownian => Self { process: ProcessName::Brownian.into(), ..open },
                }
            }
            Method::Hipm(hipm) => open.with_slices(hipm.slices),
        }
    }
}

impl Method {
    /// What the method is called.
    #[must_use]
    pub fn name(&self) -> MethodName {
        match self {
            Self::Wow(Inner::Exact) => MethodName::Wow,
            Self::Wow(Inner::Sliced(_)) => MethodName::WowSliced,
            Self::Wow(Inner::Gaussian) => MethodName::WowGaussian,
            Self::Otdd(otdd) => match otdd.labels {
                Inner::Exact => MethodName::Otdd,
                Inner::Gaussian => MethodName::OtddGaussian,
                Inner::Sliced(_) => MethodName::OtddSliced,
            },
            Self::Mmd(_) => MethodName::MmdSw,
            Self::PooledW2 => MethodName::W2,
            Self::PooledSliced(_) => MethodName::Sw,
            Self::SlicedOtdd(_) => MethodName::SOtdd,
            Self::Busemann(busemann) => match busemann.rays {
                Rays::Gaussian1d => MethodName::Busemann,
                Rays::Gaussian => MethodName::BusemannGaussian,
            },
            Self::DoubleSliced(_) => MethodName::Dsw,
            Self::Hipm(_) => MethodName::Hipm,
        }
    }

    /// The exponent between the distance and its power, `p`.
    #[must_use]
    pub fn order(&self) -> f64 {
        match self {
            Self::PooledSliced(sw) => sw.order,
            Self::SlicedOtdd(s_otdd) => s_otdd.order,
            Self::Busemann(busemann) => busemann.order,
            Self::Hipm(_) => 1.0,
            Self::Wow(_) | Self::Otdd(_) | Self::Mmd(_) | Self::PooledW2 | Self::DoubleSliced(_) => 2.0,
        }
    }

    /// How the distance is written, such as `W_W2`.
    #[must_use]
    pub fn symbol(&self) -> String {
        let symbol = self.name().facts().symbol;
        match self {
            Self::PooledSliced(sw) => format!("{symbol}{}", sw.order),
            _ => symbol.to_owned(),
        }
    }

    /// What stands in the matrix of classes, such as `W_2^2`, if there are costs between classes.
    #[must_use]
    pub fn class_cost(&self) -> Option<&'static str> {
        match (self.name().facts().classes, self) {
            (Classes::Costs(_), Self::Mmd(mmd)) if mmd.kernel.name.base() == Base::Sw1 => Some("SW_1"),
            (Classes::Costs(cost), _) => Some(cost),
            (Classes::Masses | Classes::Nothing, _) => None,
        }
    }

    /// As [`MethodName::has_classes`].
    #[must_use]
    pub fn has_classes(&self) -> bool {
        self.name().has_classes()
    }

    /// As [`MethodName::growth`].
    #[must_use]
    pub fn growth(&self) -> Growth {
        self.name().growth()
    }

    /// As [`MethodName::serial`].
    #[must_use]
    pub fn serial(&self) -> bool {
        self.name().serial()
    }

    /// Numbers of 8 bytes that a comparison of `n` with `m` samples keeps in memory at most, where that grows with their
    /// product; else 0. Exact transport stops at `2^27` of them (1 GiB), and computes costs anew beyond.
    #[must_use]
    pub fn memory(&self, n: usize, m: usize) -> usize {
        match self {
            Self::Otdd(OtddMethod { regularisation: Some(_), .. }) => 0,
            // Beyond 1 GiB the solver computes costs anew.
            Self::Otdd(_) | Self::PooledW2 => n.saturating_mul(m).min(1 << 27),
            Self::Hipm(_) => n.saturating_add(m).saturating_mul(n.saturating_add(m)).saturating_mul(2),
            _ => 0,
        }
    }

    /// Whether the bandwidth of a kernel is left to be measured on the pair that is compared.
    #[must_use]
    pub fn measures_bandwidth(&self) -> bool {
        matches!(self, Self::Mmd(mmd) if mmd.kernel.measures_bandwidth())
    }
}
