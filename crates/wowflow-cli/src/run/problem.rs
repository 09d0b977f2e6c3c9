//! From typed options and data to a problem: measures, functional, resolved configuration.

use anyhow::{Result, bail};
use wowflow::directions::{Slicing, dimension_factor};
use wowflow::functional::{Evaluation, Functional, MmdSw, PooledMmd, SlicingPlan};
use wowflow::kernel::Base;
use wowflow::measure::{MeasureOverMeasures, Pair};
use wowflow::ot::sliced::PairwiseSliced;
use wowflow::rng::{Purpose, Stream};
use wowflow::scalar::Scalar;
use wowflow::stats::estimate::Estimate;
use wowflow_report::rundir::SCHEMA;

use super::config::{BatchConfig, FlowConfig, KernelConfig, KernelRequest};
use super::scheme::{self, SchemeConfig, StepConfig, StepRequest};
use crate::args::{EstimatorName, FlowArgs, KernelName, Precision, RedrawName};

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
            Some(kernel) => {
                let mmd = MmdSw::new(source, target, kernel, plan(config))?.with_redraw(config.redraw.into());
                Self::Sliced(Box::new(match config.target_batches {
                    None => mmd,
                    Some(batches) => mmd.with_batches(source, batches.into())?,
                }))
            }
        })
    }

    /// The squared MMD on directions of its own, the same for every state of a run.
    pub(crate) fn mmd2_held_out(&mut self, particles: &MeasureOverMeasures<T>) -> f64 {
        match self {
            Self::Sliced(mmd) => mmd.mmd2_held_out(particles),
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

    fn curvatures(&self) -> &[f64] {
        match self {
            Self::Sliced(mmd) => mmd.curvatures(),
            Self::Pooled(mmd) => Functional::<T>::curvatures(mmd),
        }
    }

    fn change(
        &mut self,
        before: &MeasureOverMeasures<T>,
        after: &MeasureOverMeasures<T>,
        draw: u64,
    ) -> Estimate {
        match self {
            Self::Sliced(mmd) => mmd.change(before, after, draw),
            Self::Pooled(mmd) => mmd.change(before, after, draw),
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
    let (slicing, directions) = Slicing::usual(dim);
    let steps = args.steps.unwrap_or(300);
    let request = KernelRequest::from_args(args)?;
    let (directions, slicing) =
        (args.directions.unwrap_or(directions), args.slicing.unwrap_or(slicing.into()));
    let every_step =
        args.redraw != Some(RedrawName::Never) && request != KernelRequest::Known(KernelConfig::Pooled);
    let seen = if every_step { (directions as f64 / dim as f64).min(1.0) } else { 1.0 };
    let (scheme, step, schedule) = scheme::resolve(args, seen)?;
    let (redraw, target_batches) = sampling(args, scheme)?;
    let mut config = FlowConfig {
        schema: SCHEMA,
        source: source_name.to_owned(),
        target: target_name.to_owned(),
        kernel: KernelConfig::Pooled,
        steps,
        scheme,
        step_size: StepConfig::Fixed(1.0),
        schedule,
        directions,
        slicing,
        redraw,
        target_batches,
        precision: args.precision.unwrap_or(Precision::F32),
        seed: args.seed.unwrap_or(0),
        checkpoint_every: args.checkpoint_every.unwrap_or((steps / 10).max(1)),
        exact_limit: args.exact_limit.unwrap_or(2000),
        neighbours_every: args.neighbours_every,
        distance_every: args.distance_every,
        settle_every: args.settle_every,
    };
    // Parameters given as numbers are checked before anything is measured.
    config.flow()?;
    if let KernelRequest::Known(kernel) = request {
        kernel.sliced()?;
    }
    (config.kernel, config.step_size) = measured(&config, request, step, source, target)?;
    config.flow()?;
    // What the kernel and the batches do not have together is refused before the run begins.
    Objective::new(&config, source, target)?;
    Ok(config)
}

/// When directions and batches are drawn; L-BFGS wants the same functional at every step.
fn sampling(args: &FlowArgs, scheme: SchemeConfig) -> Result<(RedrawName, Option<BatchConfig>)> {
    let steady = matches!(scheme, SchemeConfig::Lbfgs { .. });
    if steady && args.redraw == Some(RedrawName::EveryStep) {
        bail!("expected --redraw never with --scheme lbfgs, found every-step");
    }
    if steady && args.target_batch.is_some() {
        bail!(
            "expected --target-batch with other schemes than lbfgs, which wants the same target at every step"
        );
    }
    let redraw = args.redraw.unwrap_or(if steady { RedrawName::Never } else { RedrawName::EveryStep });
    let estimator = args.batch_estimator.unwrap_or(EstimatorName::Debiased);
    Ok((redraw, args.target_batch.map(|size| BatchConfig { size, estimator })))
}

/// Kernel parameters and first step, measured on the data where they are automatic.
fn measured<T: Scalar>(
    config: &FlowConfig,
    request: KernelRequest,
    step: StepRequest,
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
) -> Result<(KernelConfig, StepConfig)> {
    // Coordinates share a distance evenly.
    let coordinates = (source.dim() as f64).sqrt();
    if request == KernelRequest::Known(KernelConfig::Pooled) {
        let step = match step {
            StepRequest::Known(step) => step,
            StepRequest::Eta(_) => {
                bail!("expected --step-size auto, adaptive:X or a number with --kernel pooled, found eta:X")
            }
            StepRequest::OfDistance(share) => {
                let typical = PooledMmd::new(source, target)?.typical_distance(source);
                fixed(share * typical / coordinates)
            }
        };
        return Ok((KernelConfig::Pooled, step));
    }
    let SlicingPlan { slicing, count, seed } = plan(config);
    let stream = Stream::new(seed, Purpose::Evaluation, 0);
    let mut sliced = PairwiseSliced::new(Pair { source, target }, slicing, count, stream)?;
    let kernel = match request {
        KernelRequest::Known(kernel) => kernel,
        KernelRequest::MeasureBandwidth(name) => {
            let base = if name == KernelName::Laplace { Base::Sw1 } else { Base::SquaredSw2 };
            let bandwidth = sliced.typical(base);
            if bandwidth <= 0.0 {
                bail!(
                    "expected classes that differ to measure a bandwidth on, found source and target alike: give --bandwidth"
                );
            }
            KernelConfig::with_bandwidth(name, bandwidth)
        }
    };
    let step = match step {
        StepRequest::Known(step) => step,
        StepRequest::Eta(eta) => {
            let slicing = Slicing::from(config.slicing);
            fixed(eta * dimension_factor(slicing, config.directions, source.dim()))
        }
        // A slice sees a distance over sqrt(d), as a coordinate does.
        StepRequest::OfDistance(share) => fixed(share * sliced.typical(Base::SquaredSw2).sqrt()),
    };
    Ok((kernel, step))
}

/// A step of a measured size: positive even where source and target are alike.
fn fixed(size: f64) -> StepConfig {
    StepConfig::Fixed(size.max(f64::MIN_POSITIVE))
}
