//! The settings of a flow: what may be left open, and every rule by which that becomes a number.

use std::str::FromStr;

use thiserror::Error;

use super::{Decay, Flow, ScheduleError, Scheme, SchemeName, Settle, StepSchedule, StepSize};
use crate::auto::Auto;
use crate::directions::{Slicing, dimension_factor};
use crate::functional::{
    BatchEstimator, FunctionalError, FunctionalName, MiniBatches, Objective, ObjectiveSettings, PooledMmd,
    Redraw, SlicingPlan, Sum,
};
use crate::kernel::{Base, Kernel, KernelError, KernelSettings};
use crate::measure::{MeasureOverMeasures, Pair, Units};
use crate::ot::sliced::{PairwiseSliced, SlicedError};
use crate::rng::{Purpose, Stream};
use crate::scalar::Scalar;

/// Steps of a flow.
pub const STEPS: u64 = 300;
/// The automatic step of heavy-ball flows, in units of the inverse curvature, and the momentum they start
/// with. Others were tried: `book/src/engine.md`, "Few steps".
const HEAVY_BALL: (f64, f64) = (1.5, 0.7);
/// The same for Nesterov's.
const NESTEROV: (f64, f64) = (1.0, 0.8);
/// Momentum of steps of a fixed size.
const FIXED_MOMENTUM: f64 = 0.8;
/// The automatic step of Adam, as a share of the typical distance a coordinate has to go, and its moments' decays.
const ADAM: f64 = 0.05;
const ADAM_MOMENTS: (f64, f64) = (0.9, 0.999);
/// Pairs that L-BFGS remembers.
const PAIRS: usize = 10;
/// The published flows: directions, momentum.
const PUBLISHED: (usize, f64) = (500, 0.9);

/// How far a step goes, where it is not left open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepRule {
    /// The `tau` of `x - tau v`.
    Tau(f64),
    /// A multiple of the inverse curvature that each sample feels at every step.
    Adaptive(f64),
    /// A dimension-free step: multiplied by `d` and a factor of the directions
    /// ([`crate::directions::dimension_factor`]).
    Eta(f64),
}

impl FromStr for StepRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let positive = |text: &str| text.parse().ok().filter(|x: &f64| *x > 0.0 && x.is_finite());
        let parsed = match text.split_once(':') {
            None => positive(text).map(Self::Tau),
            Some(("adaptive", value)) => positive(value).map(Self::Adaptive),
            Some(("eta", value)) => positive(value).map(Self::Eta),
            Some(("tau", value)) => positive(value).map(Self::Tau),
            Some(_) => None,
        };
        parsed.ok_or_else(|| format!("expected auto, adaptive:X, eta:X or a positive number, found `{text}`"))
    }
}

/// Mini-batches of the target whose estimator may be left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSettings {
    /// Samples of every target class.
    pub size: usize,
    /// Open: debiased.
    pub estimator: Auto<BatchEstimator>,
}

/// What a flow may be asked for; by default everything is left open.
///
/// ```
/// use wowflow::flow::Settings;
/// use wowflow::measure::MeasureOverMeasures;
/// let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0_f64], 2, &[1, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![3.0, 1.0, 4.0, 1.0], 2, &[1, 1])?;
/// let resolved = Settings { steps: 50.into(), ..Settings::default() }.resolve(&p, &q)?;
/// assert_eq!((resolved.steps, resolved.directions), (50, 100));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// What descends; by default the MMD of the sliced kernel.
    pub functional: Sum,
    /// Its kernel, where it has one.
    pub kernel: KernelSettings,
    /// Number of steps; open: [`STEPS`].
    pub steps: Auto<u64>,
    /// What a step does with the velocity.
    pub scheme: SchemeName,
    /// Open: 1.5 times the inverse curvature for heavy ball, 1 for Nesterov and L-BFGS, a share of the distance for
    /// Adam.
    pub step_size: Auto<StepRule>,
    /// How the step shrinks; open: not at all for adaptive steps and L-BFGS, along a cosine for others and with
    /// batches.
    pub schedule: Auto<Decay>,
    /// Momentum; open: 0.7 (Nesterov 0.8) times `L/d` where directions are fewer than dimensions; 0.8 for fixed steps;
    /// of Adam the decay of the first moment, 0.9.
    pub momentum: Auto<f64>,
    /// How the momentum shrinks; open: along a line with adaptive steps, not at all with others.
    pub momentum_schedule: Auto<Decay>,
    /// Directions a step; open: as [`Slicing::usual`] says.
    pub directions: Auto<usize>,
    /// Their kind; open: as [`Slicing::usual`] says.
    pub slicing: Auto<Slicing>,
    /// When they are drawn; open: at every step, once for L-BFGS.
    pub redraw: Auto<Redraw>,
    /// Mini-batches of the target, or all of it.
    pub target_batches: Option<BatchSettings>,
    /// Steps between comparisons of the stopping rule, if there is one.
    pub settle_every: Option<u64>,
    /// Seed of all draws.
    pub seed: u64,
}

/// The settings of a flow with nothing left open: all that determines its result, but the datasets and the precision.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Resolved {
    /// What descends.
    pub functional: Sum,
    /// The kernel of functionals that have one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub kernel: Option<Kernel>,
    /// Number of steps.
    pub steps: u64,
    /// What a step does, with its numbers.
    pub scheme: Scheme,
    /// Size of the first step.
    pub step_size: StepSize,
    /// How it shrinks.
    pub schedule: Decay,
    /// Directions a step.
    pub directions: usize,
    /// Their kind.
    pub slicing: Slicing,
    /// When they are drawn.
    pub redraw: Redraw,
    /// Mini-batches of the target.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub target_batches: Option<MiniBatches>,
    /// Seed of all draws.
    pub seed: u64,
    /// Steps between comparisons of the stopping rule.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub settle_every: Option<u64>,
}

/// Settings that do not go together, or not with the datasets.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A setting that something else does not have.
    #[error("expected {setting} with {with} only, found it with {found}")]
    Foreign {
        /// Name of the setting.
        setting: &'static str,
        /// What has it.
        with: &'static str,
        /// What was chosen.
        found: String,
    },
    /// A choice that another one excludes.
    #[error("expected {setting} {expected} with {with}, found {found}")]
    Excluded {
        /// Name of the setting.
        setting: &'static str,
        /// What goes.
        expected: &'static str,
        /// The choice that excludes others.
        with: String,
        /// What was chosen.
        found: String,
    },
    /// Terms of a functional that grow differently with the scale of the data, of data far from 1.
    #[error(
        "expected data of an ordinary size for a functional of several units, found a size of {size:.1e} for {functional}: multiply the data by {:.0e}",
        1.0 / size
    )]
    SeveralUnits {
        /// The functional.
        functional: String,
        /// The size of the data.
        size: f64,
    },
    /// A number of a scheme or a schedule outside its range.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// No such kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A functional that cannot be set up.
    #[error(transparent)]
    Functional(#[from] FunctionalError),
    /// Distances that cannot be measured.
    #[error(transparent)]
    Sliced(#[from] SlicedError),
}

/// A step size before the data are measured.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measured {
    Known(StepSize),
    /// To be multiplied by the factor of the directions.
    Eta(f64),
    /// To be multiplied by the typical distance a coordinate has to go.
    OfDistance(f64),
}

impl Settings {
    /// The published flow: 500 independent directions a step, a constant step `tau`, momentum 0.9.
    #[must_use]
    pub fn published(tau: f64, steps: u64) -> Self {
        let (directions, momentum) = PUBLISHED;
        Self {
            steps: steps.into(),
            step_size: StepRule::Tau(tau).into(),
            schedule: Decay::Constant.into(),
            momentum: momentum.into(),
            momentum_schedule: Decay::Constant.into(),
            slicing: Slicing::Gaussian.into(),
            directions: directions.into(),
            ..Self::default()
        }
    }

    /// Everything that is left open becomes a number, measured on the datasets where a rule says so. Numbers are in the
    /// units of the data.
    ///
    /// # Errors
    /// Settings that do not go together, numbers outside their ranges, datasets of different spaces.
    #[inline(never)]
    pub fn resolve<T: Scalar>(
        &self,
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
    ) -> Result<Resolved, SettingsError> {
        if source.dim() != target.dim() {
            let (source_dim, target_dim) = (source.dim(), target.dim());
            return Err(FunctionalError::Dimensions { source_dim, target_dim }.into());
        }
        let Some(units) = Units::of(Pair { source, target }) else {
            return self.resolve_near(source, target);
        };
        let (source, target) = (units.near(source), units.near(target));
        let kernel = self.kernel.in_units(1.0 / units.unit());
        let near = Self { kernel, ..self.clone() }.resolve_near(&source, &target)?;
        let power = near.length_power(&units, &source, &target)?;
        let resolved = near.in_units(units.exponent(), power)?;
        match self.step_size {
            // Given in the units of the data.
            Auto::Given(StepRule::Tau(_) | StepRule::Eta(_)) => {
                Ok(Resolved { step_size: near.step_size, ..resolved })
            }
            Auto::Auto | Auto::Given(StepRule::Adaptive(_)) => Ok(resolved),
        }
    }

    /// [`Self::resolve`] of data near 1.
    fn resolve_near<T: Scalar>(
        &self,
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
    ) -> Result<Resolved, SettingsError> {
        let dim = source.dim();
        self.check_functional()?;
        let (slicing, directions) = Slicing::usual(dim);
        let (directions, slicing) = (self.directions.or(directions), self.slicing.or(slicing));
        let sliced = self.functional.any(FunctionalName::is_sliced);
        let redrawn = sliced && self.redraw != Auto::Given(Redraw::Never);
        let (scheme, step, schedule) = self.stepping(if redrawn { seen(directions, dim) } else { 1.0 })?;
        let redraw = self.redraw.or(self.automatic_redraw());
        let target_batches = self.target_batches.map(|BatchSettings { size, estimator }| {
            let plain = !self.functional.all(FunctionalName::has_kernel);
            let usual = if plain { BatchEstimator::Plain } else { BatchEstimator::Debiased };
            MiniBatches { size, estimator: estimator.or(usual) }
        });
        let mut resolved = Resolved {
            functional: self.functional.clone(),
            kernel: None,
            steps: self.steps.or(STEPS),
            scheme,
            step_size: StepSize::Fixed(1.0),
            schedule,
            directions,
            slicing,
            redraw,
            target_batches,
            seed: self.seed,
            settle_every: self.settle_every,
        };
        // Parameters given as numbers are checked before anything is measured.
        resolved.flow()?;
        resolved.kernel = match self.functional.any(FunctionalName::has_kernel) {
            false => None,
            true => {
                let mut failed = None;
                let typical =
                    |base| typical(&resolved, base, source, target).map_err(|e| failed = Some(e)).ok();
                let kernel = self.kernel.resolve(typical);
                if let Some(error) = failed {
                    return Err(error.into());
                }
                Some(kernel?)
            }
        };
        resolved.step_size = measured(&resolved, step, source, target)?;
        // What the functional and the batches do not have together is refused before the run begins.
        resolved.objective(source, target)?;
        Ok(resolved)
    }

    /// Refuses settings that the functional does not have.
    fn check_functional(&self) -> Result<(), SettingsError> {
        let functional = &self.functional;
        let refuse = |given: bool, setting, with| match given {
            true => {
                Err(SettingsError::Foreign { setting, with, found: format!("the functional {functional}") })
            }
            false => Ok(()),
        };
        if !functional.any(FunctionalName::has_kernel) {
            refuse(self.kernel != KernelSettings::default(), "a kernel", "the functional mmd-sw")?;
        }
        if !functional.any(FunctionalName::is_sliced) {
            refuse(!self.directions.is_auto(), "directions", "sliced functionals")?;
            refuse(!self.slicing.is_auto(), "slicing", "sliced functionals")?;
            refuse(!self.redraw.is_auto(), "redraw", "sliced functionals")?;
            let eta = matches!(self.step_size, Auto::Given(StepRule::Eta(_)));
            refuse(eta, "step-size eta:X", "sliced functionals")?;
        }
        if !functional.all(FunctionalName::takes_batches) {
            refuse(self.target_batches.is_some(), "target-batch", "functionals other than pooled-mmd")?;
        }
        if !functional.all(FunctionalName::has_kernel) {
            let debiased =
                self.target_batches.is_some_and(|of| of.estimator == BatchEstimator::Debiased.into());
            refuse(debiased, "batch-estimator debiased", "the functional mmd-sw")?;
        }
        Ok(())
    }

    /// L-BFGS wants the same functional at every step.
    fn automatic_redraw(&self) -> Redraw {
        if self.scheme == SchemeName::Lbfgs { Redraw::Never } else { Redraw::EveryStep }
    }

    /// Scheme, step size and schedule of the step; what a scheme does not have is an error.
    ///
    /// `seen` is the share of all directions in space that a step sees. A move along directions that the next
    /// steps do not see goes on uncorrected: less is seen, less momentum is taken.
    fn stepping(&self, seen: f64) -> Result<(Scheme, Measured, Decay), SettingsError> {
        let name = self.scheme;
        let foreign =
            |setting, with| SettingsError::Foreign { setting, with, found: format!("scheme {name}") };
        if !self.momentum_schedule.is_auto() && !matches!(name, SchemeName::HeavyBall | SchemeName::Nesterov)
        {
            return Err(foreign("momentum-schedule", "scheme heavy-ball or nesterov"));
        }
        if name == SchemeName::Lbfgs {
            self.check_steady(&foreign)?;
        }
        let adam = name == SchemeName::Adam;
        let (multiple, momentum) = if name == SchemeName::Nesterov { NESTEROV } else { HEAVY_BALL };
        let step = match self.step_size {
            Auto::Given(StepRule::Adaptive(_) | StepRule::Eta(_)) if adam => {
                return Err(SettingsError::Excluded {
                    setting: "step-size",
                    expected: "auto or a number",
                    with: "scheme adam, whose steps have a length of their own".to_owned(),
                    found: "another kind of step".to_owned(),
                });
            }
            Auto::Auto if adam => Measured::OfDistance(ADAM),
            Auto::Auto if name == SchemeName::Lbfgs => Measured::Known(StepSize::Adaptive(1.0)),
            Auto::Auto => Measured::Known(StepSize::Adaptive(multiple)),
            Auto::Given(StepRule::Adaptive(multiple)) => Measured::Known(StepSize::Adaptive(multiple)),
            Auto::Given(StepRule::Eta(eta)) => Measured::Eta(eta),
            Auto::Given(StepRule::Tau(tau)) => Measured::Known(StepSize::Fixed(tau)),
        };
        // An adaptive step shrinks with the distance that is left: its momentum decays, it need not.
        let adaptive = matches!(step, Measured::Known(StepSize::Adaptive(_)));
        let (schedule, momentum_schedule) = match adaptive || name == SchemeName::Lbfgs {
            true => (Decay::Constant, Decay::Linear),
            false => (Decay::Cosine, Decay::Constant),
        };
        let momentum = self.momentum.or(if adaptive { momentum * seen } else { FIXED_MOMENTUM });
        let momentum_schedule = self.momentum_schedule.or(momentum_schedule);
        let scheme = match name {
            SchemeName::HeavyBall => Scheme::heavy_ball(momentum, momentum_schedule)?,
            SchemeName::Nesterov => Scheme::nesterov(momentum, momentum_schedule)?,
            SchemeName::Adam => Scheme::adam(self.momentum.or(ADAM_MOMENTS.0), ADAM_MOMENTS.1)?,
            SchemeName::Lbfgs => Scheme::lbfgs(PAIRS)?,
        };
        // Batches differ at every step: only shrinking steps come to rest.
        let schedule = if self.target_batches.is_some() { Decay::Cosine } else { schedule };
        Ok((scheme, step, self.schedule.or(schedule)))
    }

    /// What L-BFGS does not have.
    fn check_steady(
        &self,
        foreign: &dyn Fn(&'static str, &'static str) -> SettingsError,
    ) -> Result<(), SettingsError> {
        let excluded = |setting, expected, found: String| SettingsError::Excluded {
            setting,
            expected,
            with: "scheme lbfgs, which wants the same functional at every step".to_owned(),
            found,
        };
        if !self.momentum.is_auto() {
            return Err(foreign("momentum", "scheme heavy-ball, nesterov or adam"));
        }
        if self.redraw == Auto::Given(Redraw::EveryStep) {
            return Err(excluded("redraw", "never", Redraw::EveryStep.to_string()));
        }
        if self.target_batches.is_some() {
            return Err(foreign(
                "target-batch",
                "schemes other than lbfgs, which wants the same target at every step",
            ));
        }
        if !self.functional.all(FunctionalName::can_keep_directions) {
            return Err(excluded(
                "functional",
                "with directions that can be kept",
                self.functional.to_string(),
            ));
        }
        Ok(())
    }
}

impl Resolved {
    /// The scheme, the schedule and the stopping rule.
    ///
    /// # Errors
    /// Numbers outside their ranges.
    pub fn flow(&self) -> Result<Flow, ScheduleError> {
        Ok(Flow {
            scheme: self.scheme,
            schedule: StepSchedule::new(self.step_size, self.schedule, self.steps)?,
            settle: self.settle_every.map(Settle::new).transpose()?,
        })
    }

    /// The functional, for particles of the sizes and weights of `source`.
    ///
    /// # Errors
    /// What a functional, its directions and its batches do not have together, or not with these datasets.
    #[inline(never)]
    pub fn objective<'q, T: Scalar>(
        &self,
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
    ) -> Result<Objective<'q, T>, SettingsError> {
        let kernel = match self.kernel {
            Some(kernel) => kernel,
            // Nothing looks at it.
            None => KernelSettings::default().resolve(|_| None)?,
        };
        let settings = ObjectiveSettings {
            kernel,
            plan: self.plan(),
            redraw: self.redraw,
            batches: self.target_batches,
        };
        Ok(Objective::new(&self.functional, source, target, &settings)?)
    }

    /// The draws of the flow.
    #[must_use]
    pub fn plan(&self) -> SlicingPlan {
        SlicingPlan { slicing: self.slicing, count: self.directions, seed: self.seed }
    }
}

/// The share of all directions in space that so many see.
fn seen(directions: usize, dim: usize) -> f64 {
    (directions as f64 / dim as f64).min(1.0)
}

/// The mean distance between a source class and a target class.
fn typical<T: Scalar>(
    resolved: &Resolved,
    base: Base,
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
) -> Result<f64, SlicedError> {
    let SlicingPlan { slicing, count, seed } = resolved.plan();
    let stream = Stream::new(seed, Purpose::Evaluation, 0);
    Ok(PairwiseSliced::new(Pair { source, target }, slicing, count, stream)?.typical(base))
}

/// The first step, measured on the data where it is automatic.
fn measured<T: Scalar>(
    resolved: &Resolved,
    step: Measured,
    source: &MeasureOverMeasures<T>,
    target: &MeasureOverMeasures<T>,
) -> Result<StepSize, SettingsError> {
    // A step of a measured size: positive even where source and target are alike.
    let fixed = |size: f64| StepSize::Fixed(size.max(f64::MIN_POSITIVE));
    Ok(match step {
        Measured::Known(step) => step,
        Measured::Eta(eta) => {
            fixed(eta * dimension_factor(resolved.slicing, resolved.directions, source.dim()))
        }
        Measured::OfDistance(share) if resolved.functional == FunctionalName::PooledMmd.into() => {
            // Coordinates share a distance evenly.
            let coordinates = (source.dim() as f64).sqrt();
            fixed(share * PooledMmd::new(source, target)?.typical_distance(source) / coordinates)
        }
        // A slice sees a distance over sqrt(d), as a coordinate does.
        Measured::OfDistance(share) => {
            fixed(share * typical(resolved, Base::SquaredSw2, source, target)?.sqrt())
        }
    })
}
