//! How a flow steps: from what was typed to a scheme and a step size, each stored with all its numbers.

use std::fmt;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use wowflow::flow::{Decay, ScheduleError, Scheme, StepSize};

use crate::args::{FlowArgs, Schedule, SchemeName, TypedStep};

/// The automatic step of heavy-ball flows, in units of the inverse curvature, and the momentum they start
/// with. Others were tried: `docs/ENGINE.md`, "Few steps".
const HEAVY_BALL: (f64, f64) = (1.5, 0.7);
/// The same for Nesterov's.
const NESTEROV: (f64, f64) = (1.0, 0.8);
/// Momentum of steps of a fixed size.
const FIXED_MOMENTUM: f64 = 0.8;
/// The automatic step of Adam, as a share of the typical distance a coordinate has to go.
const ADAM: f64 = 0.05;
/// Pairs that L-BFGS remembers.
const PAIRS: usize = 10;

/// A scheme with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub(crate) enum SchemeConfig {
    HeavyBall { momentum: f64, momentum_schedule: Schedule },
    Nesterov { momentum: f64, momentum_schedule: Schedule },
    Adam { first_moment: f64, second_moment: f64 },
    Lbfgs { pairs: usize },
}

/// The size of the first step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "first", rename_all = "lowercase")]
pub(crate) enum StepConfig {
    /// `tau` itself.
    Fixed(f64),
    /// A multiple of the inverse curvature that each sample feels at every step.
    Adaptive(f64),
}

impl fmt::Display for StepConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(tau) => write!(f, "{tau}"),
            Self::Adaptive(multiple) => write!(f, "adaptive:{multiple}"),
        }
    }
}

/// A step size before the data are measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StepRequest {
    Known(StepConfig),
    /// To be multiplied by the factor of the directions.
    Eta(f64),
    /// To be multiplied by the typical distance a coordinate has to go.
    OfDistance(f64),
}

impl SchemeConfig {
    /// The scheme, checked.
    pub(crate) fn scheme(&self) -> Result<Scheme, ScheduleError> {
        match *self {
            Self::HeavyBall { momentum, momentum_schedule } => {
                Scheme::heavy_ball(momentum, momentum_schedule.into())
            }
            Self::Nesterov { momentum, momentum_schedule } => {
                Scheme::nesterov(momentum, momentum_schedule.into())
            }
            Self::Adam { first_moment, second_moment } => Scheme::adam(first_moment, second_moment),
            Self::Lbfgs { pairs } => Scheme::lbfgs(pairs),
        }
    }
}

impl From<StepConfig> for StepSize {
    fn from(step: StepConfig) -> Self {
        match step {
            StepConfig::Fixed(tau) => Self::Fixed(tau),
            StepConfig::Adaptive(multiple) => Self::Adaptive(multiple),
        }
    }
}

impl From<Schedule> for Decay {
    fn from(schedule: Schedule) -> Self {
        match schedule {
            Schedule::Constant => Self::Constant,
            Schedule::Linear => Self::Linear,
            Schedule::Cosine => Self::Cosine,
        }
    }
}

/// Scheme, step size and schedule of the step from what was typed; what a scheme does not have is an error.
///
/// `seen` is the share of all directions in space that a step sees. A move along directions that the next
/// steps do not see goes on uncorrected: less is seen, less momentum is taken.
pub(crate) fn resolve(args: &FlowArgs, seen: f64) -> Result<(SchemeConfig, StepRequest, Schedule)> {
    let name = args.scheme.unwrap_or(SchemeName::HeavyBall);
    let with_momentum = matches!(name, SchemeName::HeavyBall | SchemeName::Nesterov);
    if args.momentum_schedule.is_some() && !with_momentum {
        bail!("expected --momentum-schedule with --scheme heavy-ball or nesterov only");
    }
    if args.momentum.is_some() && name == SchemeName::Lbfgs {
        bail!("expected --momentum with --scheme heavy-ball, nesterov or adam only");
    }
    let adam = name == SchemeName::Adam;
    let (multiple, momentum) = if name == SchemeName::Nesterov { NESTEROV } else { HEAVY_BALL };
    let step = match args.step_size.unwrap_or(TypedStep::Auto) {
        TypedStep::Adaptive(_) | TypedStep::Eta(_) if adam => {
            bail!(
                "expected --step-size auto or a number with --scheme adam, whose steps have a length of their own"
            )
        }
        TypedStep::Auto if adam => StepRequest::OfDistance(ADAM),
        TypedStep::Auto if name == SchemeName::Lbfgs => StepRequest::Known(StepConfig::Adaptive(1.0)),
        TypedStep::Auto => StepRequest::Known(StepConfig::Adaptive(multiple)),
        TypedStep::Adaptive(multiple) => StepRequest::Known(StepConfig::Adaptive(multiple)),
        TypedStep::Eta(eta) => StepRequest::Eta(eta),
        TypedStep::Tau(tau) => StepRequest::Known(StepConfig::Fixed(tau)),
    };
    // An adaptive step shrinks with the distance that is left: its momentum decays, it need not.
    let adaptive = matches!(step, StepRequest::Known(StepConfig::Adaptive(_)));
    let (schedule, momentum_schedule) = match adaptive || name == SchemeName::Lbfgs {
        true => (Schedule::Constant, Schedule::Linear),
        false => (Schedule::Cosine, Schedule::Constant),
    };
    let momentum = args.momentum.unwrap_or(if adaptive { momentum * seen } else { FIXED_MOMENTUM });
    let momentum_schedule = args.momentum_schedule.unwrap_or(momentum_schedule);
    let scheme = match name {
        SchemeName::HeavyBall => SchemeConfig::HeavyBall { momentum, momentum_schedule },
        SchemeName::Nesterov => SchemeConfig::Nesterov { momentum, momentum_schedule },
        SchemeName::Adam => {
            SchemeConfig::Adam { first_moment: args.momentum.unwrap_or(0.9), second_moment: 0.999 }
        }
        SchemeName::Lbfgs => SchemeConfig::Lbfgs { pairs: PAIRS },
    };
    // Batches differ at every step: only shrinking steps come to rest.
    let schedule = if args.target_batch.is_some() { Schedule::Cosine } else { schedule };
    Ok((scheme, step, args.schedule.unwrap_or(schedule)))
}
