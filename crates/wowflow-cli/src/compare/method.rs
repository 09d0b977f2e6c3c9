//! From a method as typed to one with nothing left open.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use wowflow::compare::otdd::{KeepCoupling, LabelDistance, OtddSettings, OuterSolver, SlicedScale};
use wowflow::compare::{
    Busemann, DoubleSliced, Hipm, Inner, KernelChoice, Method, Mmd, PooledSliced, Process, Rays, SlicedOtdd,
    Slices,
};
use wowflow::directions::Slicing;

use crate::args::compare::{MethodArgs, MethodName};
use crate::args::{FlowArgs, KernelName, SlicingName};
use crate::run::config::{KernelConfig, KernelRequest};

/// Slices where nothing else was asked for.
const SLICES: usize = 500;

/// A method with the options it has; others are absent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MethodConfig {
    pub(crate) name: MethodName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) directions: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slicing: Option<SlicingName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kernel: Option<KernelConfig>,
    /// A kernel whose bandwidth is measured on the data; gone once it is.
    #[serde(skip)]
    pub(crate) auto_kernel: Option<KernelName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moments: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) functions: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) length: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) regularisation: Option<f64>,
}

use MethodName::{
    Busemann as Swb1dg, BusemannGaussian as Swbg, Dsw, Hipm as HipmName, MmdSw, Otdd, OtddGaussian,
    OtddSliced, SOtdd, Sw, W2, Wow, WowGaussian, WowSliced,
};

const SLICED: &[MethodName] = &[WowSliced, OtddSliced, MmdSw, SOtdd, Swb1dg, Swbg, Dsw, Sw, HipmName];
const KERNELS: &[MethodName] = &[MmdSw];
const ORDERS: &[MethodName] = &[SOtdd, Swb1dg, Swbg, Sw];
const MOMENTS: &[MethodName] = &[SOtdd];
const FUNCTIONS: &[MethodName] = &[Dsw];
const ENTROPIC: &[MethodName] = &[Otdd, OtddGaussian, OtddSliced];

/// How the time of a method grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Growth {
    /// With the samples, up to a logarithm, and with the dimension.
    Linear,
    /// With the samples, and with the cube of the dimension.
    CubicInDimension,
    /// With the square of the samples, or more.
    Quadratic,
}

impl Growth {
    /// A cell of a table, for `n` samples in `d` dimensions.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::CubicInDimension => "n + d^3",
            Self::Quadratic => "n^2 or more",
        }
    }
}

impl MethodName {
    /// Whether it has slices.
    pub(crate) fn sliced(self) -> bool {
        SLICED.contains(&self)
    }
}

impl MethodConfig {
    /// Resolves what was typed for samples of a dimension; an option that the method does not have is an error.
    pub(crate) fn resolve(args: &MethodArgs, dim: usize) -> Result<Self> {
        let name = args.method.unwrap_or(Wow);
        refuse_foreign(args, name)?;
        let has = |methods: &[MethodName]| methods.contains(&name);
        let (mut kernel, mut auto_kernel) = (None, None);
        if has(KERNELS) {
            if args.kernel == Some(KernelName::Pooled) {
                bail!(
                    "expected --kernel riesz, gaussian, laplace or imq with --method {}, found pooled",
                    name.typed()
                );
            }
            let typed = FlowArgs {
                kernel: args.kernel,
                bandwidth: args.bandwidth,
                exponent: args.exponent,
                smoothing: args.smoothing,
                ..FlowArgs::default()
            };
            match KernelRequest::from_args(&typed)? {
                KernelRequest::Known(known) => kernel = Some(known),
                KernelRequest::MeasureBandwidth(name) => auto_kernel = Some(name),
            }
        }
        let directions = args.directions.unwrap_or(SLICES);
        let standard = Slices::standard(dim, directions)?.slicing();
        let slicing = args.slicing.unwrap_or(match standard {
            Slicing::Orthonormal => SlicingName::Orthonormal,
            Slicing::Gaussian => SlicingName::Gaussian,
            Slicing::Equispaced => SlicingName::Equispaced,
            _ => SlicingName::Hadamard,
        });
        let config = Self {
            name,
            directions: has(SLICED).then_some(directions),
            slicing: has(SLICED).then_some(slicing),
            kernel,
            auto_kernel,
            order: has(ORDERS).then_some(args.order.unwrap_or(2.0)),
            moments: has(MOMENTS).then_some(args.moments.unwrap_or(SlicedOtdd::MOMENTS)),
            functions: has(FUNCTIONS).then_some(args.functions.unwrap_or(DoubleSliced::FUNCTIONS)),
            length: has(FUNCTIONS).then_some(args.length.unwrap_or(DoubleSliced::LENGTH)),
            regularisation: args.regularisation,
        };
        // Parameters are checked before anything is computed; the seed is no matter for that.
        config.method(0)?;
        Ok(config)
    }

    /// The method for the library.
    pub(crate) fn method(&self, seed: u64) -> Result<Method> {
        let missing = || format!("expected all options of {}, found one missing", self.name.typed());
        let sliced = || {
            let (directions, slicing) = self.directions.zip(self.slicing).with_context(missing)?;
            Ok::<_, anyhow::Error>((Slicing::from(slicing), directions))
        };
        let slices = || sliced().and_then(|(slicing, count)| Ok(Slices::new(slicing, count)?));
        let order = || self.order.with_context(missing);
        let otdd = |labels| -> Result<Method> {
            let outer = match self.regularisation {
                None => OuterSolver::Exact,
                Some(epsilon) if epsilon > 0.0 && epsilon.is_finite() => OuterSolver::debiased(epsilon),
                Some(found) => bail!("expected a positive --regularisation, found {found}"),
            };
            Ok(Method::Otdd(OtddSettings { labels, outer, coupling: KeepCoupling::No }))
        };
        Ok(match self.name {
            Wow => Method::Wow(Inner::Exact),
            WowSliced => Method::Wow(Inner::Sliced(slices()?)),
            WowGaussian => Method::Wow(Inner::Gaussian),
            Otdd => otdd(LabelDistance::Exact)?,
            OtddGaussian => otdd(LabelDistance::Gaussian { ddof: 0 })?,
            OtddSliced => {
                let (slicing, count) = sliced()?;
                otdd(LabelDistance::Sliced { slicing, count, seed, scale: SlicedScale::Dimension })?
            }
            MmdSw => Method::Mmd(Mmd::new(slices()?, self.kernel_choice()?)),
            SOtdd => {
                let moments = self.moments.with_context(missing)?;
                Method::SlicedOtdd(SlicedOtdd::new(slices()?, moments, order()?)?)
            }
            Swb1dg => Method::Busemann(Busemann::new(slices()?, Rays::Gaussian1d, order()?)?),
            Swbg => Method::Busemann(Busemann::new(slices()?, Rays::Gaussian, order()?)?),
            Dsw => {
                let (functions, length) = self.functions.zip(self.length).with_context(missing)?;
                let process = Process::SquaredExponential { length };
                Method::DoubleSliced(DoubleSliced::new(slices()?, process, functions)?)
            }
            Sw => Method::PooledSliced(PooledSliced::new(slices()?, order()?)?),
            W2 => Method::PooledW2,
            HipmName => Method::Hipm(Hipm::new(slices()?)),
        })
    }

    fn kernel_choice(&self) -> Result<KernelChoice> {
        Ok(match (self.kernel, self.auto_kernel) {
            (_, Some(KernelName::Gaussian)) => KernelChoice::AutoGaussian,
            (_, Some(KernelName::Laplace)) => KernelChoice::AutoLaplace,
            (_, Some(KernelName::Imq)) => KernelChoice::AutoImq,
            (kernel, _) => {
                let sliced = kernel.map(|kernel| kernel.sliced()).transpose()?.flatten();
                KernelChoice::Given(sliced.context("expected a sliced kernel, found none")?)
            }
        })
    }

    /// The same with the bandwidth that was measured on the data.
    pub(crate) fn measured(mut self, method: &Method) -> Self {
        if let (Some(name), Method::Mmd(mmd)) = (self.auto_kernel, method)
            && let KernelChoice::Given(kernel) = mmd.kernel()
            && let Some(bandwidth) = kernel.bandwidth()
        {
            self.kernel = Some(KernelConfig::with_bandwidth(name, bandwidth));
            self.auto_kernel = None;
        }
        self
    }

    /// How the distance is written.
    pub(crate) fn symbol(&self) -> String {
        match self.name {
            Wow => "W_W2".into(),
            WowSliced => "W_SW2".into(),
            WowGaussian => "W_BW2".into(),
            Otdd | OtddGaussian | OtddSliced => "OTDD".into(),
            MmdSw => "MMD".into(),
            SOtdd => "s-OTDD".into(),
            Swb1dg => "SWB1DG".into(),
            Swbg => "SWBG".into(),
            Dsw => "DSW".into(),
            Sw => format!("SW_{}", self.order.unwrap_or(2.0)),
            W2 => "W_2".into(),
            HipmName => "d_HIPM".into(),
        }
    }

    /// What stands in the matrix of classes, if there is one.
    pub(crate) fn class_cost(&self) -> Option<&'static str> {
        match self.name {
            Wow | Otdd => Some("W_2^2"),
            WowSliced => Some("SW_2^2"),
            OtddSliced => Some("d SW_2^2"),
            WowGaussian | OtddGaussian => Some("W_2^2 of Gaussians"),
            MmdSw if matches!(self.kernel, Some(KernelConfig::Laplace { .. })) => Some("SW_1"),
            MmdSw => Some("SW_2^2"),
            HipmName => Some("W_1"),
            SOtdd | Swb1dg | Swbg | Dsw | Sw | W2 => None,
        }
    }

    /// Whether there is a matrix of classes: of costs, or of the mass that goes between them.
    pub(crate) fn has_classes(&self) -> bool {
        self.class_cost().is_some() || self.name == W2
    }

    /// Numbers that a comparison of `n` with `m` samples keeps in memory, where that grows with their product.
    pub(crate) fn dense(&self, n: usize, m: usize) -> usize {
        match self.name {
            Otdd | OtddGaussian | OtddSliced if self.regularisation.is_none() => n.saturating_mul(m),
            HipmName => n.saturating_add(m).saturating_mul(n.saturating_add(m)).saturating_mul(2),
            // Beyond 1 GiB the solver computes costs anew.
            W2 => n.saturating_mul(m).min(1 << 27),
            _ => 0,
        }
    }

    /// How the time grows with the number of samples and the dimension.
    pub(crate) fn growth(&self) -> Growth {
        match self.name {
            WowSliced | MmdSw | SOtdd | Swb1dg | Dsw | Sw => Growth::Linear,
            WowGaussian | Swbg => Growth::CubicInDimension,
            Wow | Otdd | OtddGaussian | OtddSliced | W2 | HipmName => Growth::Quadratic,
        }
    }

    /// Whether most of the time goes into one solver that uses one core.
    pub(crate) fn serial(&self) -> bool {
        matches!(self.name, Otdd | OtddGaussian | OtddSliced | W2 | HipmName)
    }
}

/// An option that a method does not have is named, with the methods that have it.
fn refuse_foreign(args: &MethodArgs, name: MethodName) -> Result<()> {
    let options = [
        (args.directions.is_some(), "directions", SLICED),
        (args.slicing.is_some(), "slicing", SLICED),
        (args.kernel.is_some(), "kernel", KERNELS),
        (args.bandwidth.is_some(), "bandwidth", KERNELS),
        (args.exponent.is_some(), "exponent", KERNELS),
        (args.smoothing.is_some(), "smoothing", KERNELS),
        (args.order.is_some(), "order", ORDERS),
        (args.moments.is_some(), "moments", MOMENTS),
        (args.functions.is_some(), "functions", FUNCTIONS),
        (args.length.is_some(), "length", FUNCTIONS),
        (args.regularisation.is_some(), "regularisation", ENTROPIC),
    ];
    for (given, option, methods) in options {
        if given && !methods.contains(&name) {
            let methods: Vec<String> = methods.iter().map(|method| method.typed()).collect();
            bail!(
                "expected --{option} with --method {} only, found it with --method {}",
                either(&methods),
                name.typed()
            );
        }
    }
    Ok(())
}

/// `a`, `a or b`, `a, b or c`.
fn either(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
