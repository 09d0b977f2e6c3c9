//! The resolved configuration of a flow: what `config.json` holds and what a resumed run reads.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wowflow::directions::Slicing;
use wowflow::flow::{Flow, Settle, StepSchedule};
use wowflow::functional::{BatchEstimator, MiniBatches, Redraw};
use wowflow::kernel::{Gaussian, InverseMultiquadric, Kernel, Laplace, Riesz};
use wowflow_report::rundir::SCHEMA;

use super::scheme::{SchemeConfig, StepConfig};
use crate::args::{
    Bandwidth, EstimatorName, FlowArgs, KernelName, Precision, RedrawName, Schedule, SlicingName,
};

/// Everything that determines the result; nothing else does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FlowConfig {
    pub(crate) schema: u32,
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) kernel: KernelConfig,
    pub(crate) steps: u64,
    pub(crate) scheme: SchemeConfig,
    pub(crate) step_size: StepConfig,
    pub(crate) schedule: Schedule,
    pub(crate) directions: usize,
    pub(crate) slicing: SlicingName,
    pub(crate) redraw: RedrawName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target_batches: Option<BatchConfig>,
    pub(crate) precision: Precision,
    pub(crate) seed: u64,
    pub(crate) checkpoint_every: u64,
    pub(crate) exact_limit: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) neighbours_every: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) distance_every: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settle_every: Option<u64>,
}

/// Mini-batches of the target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BatchConfig {
    pub(crate) size: usize,
    pub(crate) estimator: EstimatorName,
}

impl From<BatchConfig> for MiniBatches {
    fn from(config: BatchConfig) -> Self {
        let estimator = match config.estimator {
            EstimatorName::Plain => BatchEstimator::Plain,
            EstimatorName::Debiased => BatchEstimator::Debiased,
        };
        Self { size: config.size, estimator }
    }
}

/// A kernel with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub(crate) enum KernelConfig {
    Pooled,
    Gaussian { bandwidth: f64 },
    Laplace { bandwidth: f64 },
    Imq { bandwidth: f64 },
    Riesz { exponent: f64, smoothing: f64 },
}

/// A kernel before its bandwidth is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum KernelRequest {
    /// All parameters known.
    Known(KernelConfig),
    /// The bandwidth is to be measured on the data.
    MeasureBandwidth(KernelName),
}

impl KernelRequest {
    /// From what was typed; an option that the kernel does not have is an error.
    pub(crate) fn from_args(args: &FlowArgs) -> Result<Self> {
        let name = args.kernel.unwrap_or(KernelName::Riesz);
        let refuse = |given: bool, option: &str, kernels: &str| {
            if given {
                bail!(
                    "expected --{option} with {kernels} only, found it with --kernel {}",
                    kernel_name(name)
                );
            }
            Ok(())
        };
        if name != KernelName::Riesz {
            refuse(args.exponent.is_some(), "exponent", "the riesz kernel")?;
            refuse(args.smoothing.is_some(), "smoothing", "the riesz kernel")?;
        }
        if matches!(name, KernelName::Riesz | KernelName::Pooled) {
            refuse(args.bandwidth.is_some(), "bandwidth", "the gaussian, laplace and imq kernels")?;
        }
        if name == KernelName::Pooled {
            refuse(args.directions.is_some(), "directions", "sliced kernels")?;
            refuse(args.slicing.is_some(), "slicing", "sliced kernels")?;
            refuse(args.redraw.is_some(), "redraw", "sliced kernels")?;
            refuse(args.target_batch.is_some(), "target-batch", "sliced kernels")?;
        }
        Ok(match (name, args.bandwidth.unwrap_or(Bandwidth::Auto)) {
            (KernelName::Pooled, _) => Self::Known(KernelConfig::Pooled),
            (KernelName::Riesz, _) => Self::Known(KernelConfig::Riesz {
                exponent: args.exponent.unwrap_or(1.0),
                smoothing: args.smoothing.unwrap_or(0.0),
            }),
            (_, Bandwidth::Auto) => Self::MeasureBandwidth(name),
            (_, Bandwidth::Value(bandwidth)) => Self::Known(KernelConfig::with_bandwidth(name, bandwidth)),
        })
    }
}

impl KernelConfig {
    /// One of the kernels that have a bandwidth; the others ignore it.
    pub(crate) fn with_bandwidth(name: KernelName, bandwidth: f64) -> Self {
        match name {
            KernelName::Gaussian => Self::Gaussian { bandwidth },
            KernelName::Laplace => Self::Laplace { bandwidth },
            KernelName::Imq => Self::Imq { bandwidth },
            KernelName::Riesz => Self::Riesz { exponent: 1.0, smoothing: 0.0 },
            KernelName::Pooled => Self::Pooled,
        }
    }

    /// The sliced kernel, checked; `None` for the pooled baseline, which is not sliced.
    pub(crate) fn sliced(&self) -> Result<Option<Kernel>> {
        Ok(match *self {
            Self::Pooled => None,
            Self::Gaussian { bandwidth } => Some(Gaussian::new(bandwidth)?.into()),
            Self::Laplace { bandwidth } => Some(Laplace::new(bandwidth)?.into()),
            Self::Imq { bandwidth } => Some(InverseMultiquadric::new(bandwidth)?.into()),
            Self::Riesz { exponent, smoothing } => Some(Riesz::new(exponent, smoothing)?.into()),
        })
    }
}

impl FlowConfig {
    /// The scheme and schedule of this configuration.
    pub(crate) fn flow(&self) -> Result<Flow> {
        Ok(Flow {
            scheme: self.scheme.scheme()?,
            schedule: StepSchedule::new(self.step_size.into(), self.schedule.into(), self.steps)?,
            settle: self.settle_every.map(Settle::new).transpose()?,
        })
    }

    /// SHA-256 of the configuration as it is stored.
    pub(crate) fn hash(&self) -> Result<String> {
        hash(self)
    }

    /// Reads a stored configuration.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let config: Self = serde_json::from_str(text)?;
        if config.schema != SCHEMA {
            bail!("expected schema {SCHEMA}, found {}", config.schema);
        }
        Ok(config)
    }
}

impl From<RedrawName> for Redraw {
    fn from(name: RedrawName) -> Self {
        match name {
            RedrawName::EveryStep => Self::EveryStep,
            RedrawName::Never => Self::Never,
        }
    }
}

impl From<Slicing> for SlicingName {
    fn from(slicing: Slicing) -> Self {
        match slicing {
            Slicing::Gaussian => Self::Gaussian,
            Slicing::Orthonormal => Self::Orthonormal,
            Slicing::Hadamard => Self::Hadamard,
            Slicing::Equispaced => Self::Equispaced,
        }
    }
}

impl From<SlicingName> for Slicing {
    fn from(name: SlicingName) -> Self {
        match name {
            SlicingName::Gaussian => Self::Gaussian,
            SlicingName::Orthonormal => Self::Orthonormal,
            SlicingName::Hadamard => Self::Hadamard,
            SlicingName::Equispaced => Self::Equispaced,
        }
    }
}

fn kernel_name(name: KernelName) -> String {
    clap::ValueEnum::to_possible_value(&name).map(|v| v.get_name().to_owned()).unwrap_or_default()
}

/// SHA-256 of a configuration as it is stored.
pub(crate) fn hash(config: &impl Serialize) -> Result<String> {
    Ok(hex(&Sha256::digest(serde_json::to_vec(config)?)))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_survives_storing_to_the_last_bit() {
        let mut config = FlowConfig {
            schema: SCHEMA,
            source: "a".into(),
            target: "b".into(),
            kernel: KernelConfig::Gaussian { bandwidth: 0.1 },
            steps: 3,
            scheme: SchemeConfig::HeavyBall { momentum: 0.9, momentum_schedule: Schedule::Linear },
            step_size: StepConfig::Adaptive(0.1),
            schedule: Schedule::Linear,
            directions: 5,
            slicing: SlicingName::Gaussian,
            redraw: RedrawName::EveryStep,
            target_batches: Some(BatchConfig { size: 3, estimator: EstimatorName::Debiased }),
            precision: Precision::F32,
            seed: u64::MAX,
            checkpoint_every: 1,
            exact_limit: 2000,
            neighbours_every: None,
            distance_every: Some(7),
            settle_every: Some(10),
        };
        let mut bits = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..20_000 {
            // Numbers from 1 to 2 with every kind of ending.
            bits = bits.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            let size = f64::from_bits(0x3ff0_0000_0000_0000 | bits >> 12) * 0.037;
            config.step_size = StepConfig::Adaptive(size);
            config.kernel = KernelConfig::Gaussian { bandwidth: size * 31.0 };
            let text = serde_json::to_string_pretty(&config).unwrap();
            assert_eq!(FlowConfig::parse(&text).unwrap(), config);
        }
    }
}
