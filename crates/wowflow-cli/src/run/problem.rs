//! From typed options and data to a problem: measures, functional, resolved configuration.

use anyhow::{Context, Result, bail};
use wowflow::directions::Slicing;
use wowflow::flow::dimension_factor;
use wowflow::functional::{Evaluation, Functional, MmdSw, PooledMmd, SlicingPlan};
use wowflow::kernel::{Base, Kernel, Riesz};
use wowflow::measure::MeasureOverMeasures;
use wowflow::scalar::Scalar;
use wowflow_report::rundir::SCHEMA;

use super::config::{FlowConfig, KernelConfig, KernelRequest};
use crate::args::{FlowArgs, KernelName, Precision, Schedule, SlicingName, StepSize};

/// The automatic step, as a multiple of the kernel's natural step and after momentum. Half and twice of
/// it, other momenta and schedules: `docs/ENGINE.md`, "Few steps".
const AUTO_STEP: f64 = 2.0;

/// The functional of a configuration: sliced, or the pooled baseline.
pub(crate) enum Objective<'q, T: Scalar> {
    Sliced(Box<MmdSw<'q, T>>),
    Pooled(PooledMmd),
}

impl<'q, T: Scalar> Objective<'q, T> {
    pub(crate) fn new(
        config: &FlowConfig,
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
    ) -> Result<Self> {
        Ok(match config.kernel.sliced()? {
            None => Self::Pooled(PooledMmd::new(source, target)?),
            Some(kernel) => Self::Sliced(Box::new(MmdSw::new(source, target, kernel, plan(config))?)),
        })
    }

    /// The squared MMD on directions of its own, the same for every state of a run.
    pub(crate) fn mmd2_apart(&mut self, particles: &MeasureOverMeasures<T>) -> f64 {
        match self {
            Self::Sliced(mmd) => mmd.mmd2_apart(particles),
            Self::Pooled(mmd) => mmd.mmd2(particles),
        }
    }
}

impl<T: Scalar> Functional<T> for Objective<'_, T> {
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        match self {
            Self::Sliced(mmd) => mmd.evaluate(particles, step, velocity),
            Self::Pooled(mmd) => mmd.evaluate(particles, step, velocity),
        }
    }
}

fn plan(config: &FlowConfig) -> SlicingPlan {
    SlicingPlan { slicing: config.slicing.into(), count: config.directions, seed: config.seed }
}

/// Resolves what was typed against the data: every "auto" becomes a number.
pub(crate) fn resolve<T: Scalar>(
    args: &FlowArgs,
    (source_name, target_name): (&str, &str),
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
) -> Result<FlowConfig> {
    let dim = source.dim();
    if dim != target.dim() {
        bail!(
            "expected source and target of the same dimension, found {dim} ({source_name}) and {} ({target_name})",
            target.dim()
        );
    }
    // Structured directions cost so little that many of them buy a flow of few steps; in few
    // dimensions there are too few signs to draw.
    let (slicing, directions) = match dim {
        2 => (SlicingName::Equispaced, 100),
        1 | 3..64 => (SlicingName::Orthonormal, 500),
        _ => (SlicingName::Hadamard, 2048),
    };
    let steps = args.steps.unwrap_or(300);
    let request = KernelRequest::from_args(args)?;
    let mut config = FlowConfig {
        schema: SCHEMA,
        source: source_name.to_owned(),
        target: target_name.to_owned(),
        kernel: KernelConfig::Pooled,
        steps,
        step_size: 1.0,
        schedule: args.schedule.unwrap_or(Schedule::Cosine),
        momentum: args.momentum.unwrap_or(0.8),
        directions: args.directions.unwrap_or(directions),
        slicing: args.slicing.unwrap_or(slicing),
        precision: args.precision.unwrap_or(Precision::F32),
        seed: args.seed.unwrap_or(0),
        checkpoint_every: args.checkpoint_every.unwrap_or((steps / 10).max(1)),
        exact_limit: args.exact_limit.unwrap_or(2000),
        neighbours_every: args.neighbours_every,
    };
    // Parameters given as numbers are checked before anything is measured.
    config.flow()?;
    if let KernelRequest::Known(kernel) = request {
        kernel.sliced()?;
    }
    let (kernel, step_size) =
        measured(&config, request, args.step_size.unwrap_or(StepSize::Auto), source, target)?;
    (config.kernel, config.step_size) = (kernel, step_size);
    config.flow()?;
    Ok(config)
}

/// Kernel parameters and first step, measured on the data where they are automatic.
fn measured<T: Scalar>(
    config: &FlowConfig,
    request: KernelRequest,
    step: StepSize,
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
) -> Result<(KernelConfig, f64)> {
    if request == KernelRequest::Known(KernelConfig::Pooled) {
        let tau = match step {
            StepSize::Tau(tau) => tau,
            StepSize::Eta(_) => {
                bail!("expected --step-size auto or a number with --kernel pooled, found eta:X")
            }
            StepSize::Auto => {
                let typical = PooledMmd::new(source, target)?.typical_distance(source);
                auto_step(typical, config.momentum)
            }
        };
        return Ok((KernelConfig::Pooled, tau));
    }
    let any = Kernel::from(Riesz::new(1.0, 0.0)?);
    let mut probe = MmdSw::new(source, target, any, plan(config))?;
    let kernel = match request {
        KernelRequest::Known(kernel) => kernel,
        KernelRequest::MeasureBandwidth(name) => {
            let base = if name == KernelName::Laplace { Base::Sw1 } else { Base::SquaredSw2 };
            let bandwidth = probe.typical_distance(source, base);
            if bandwidth <= 0.0 {
                bail!(
                    "expected classes that differ to measure a bandwidth on, found source and target alike: give --bandwidth"
                );
            }
            KernelConfig::with_bandwidth(name, bandwidth)
        }
    };
    let sliced = kernel.sliced()?.context("the pooled baseline has no directions")?;
    let factor = dimension_factor(Slicing::from(config.slicing), config.directions, source.dim());
    let tau = match step {
        StepSize::Tau(tau) => tau,
        StepSize::Eta(eta) => eta * factor,
        StepSize::Auto => {
            let typical = probe.typical_distance(source, sliced.base());
            auto_step(sliced.natural_step(typical), config.momentum) * factor
        }
    };
    Ok((kernel, tau))
}

fn auto_step(natural: f64, momentum: f64) -> f64 {
    (AUTO_STEP * (1.0 - momentum) * natural).max(f64::MIN_POSITIVE)
}
