//! A flow of data of any scale and place, run where they are near 1 ([`Units`]).

use std::borrow::Cow;

use super::{FlowState, Resolved, SettingsError, StepRecord, StepSize};
use crate::kernel::{Kernel, KernelSettings};
use crate::measure::{MeasureOverMeasures, Pair, Units};
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

/// Two datasets, and settings of a flow from one to the other, in units in which the data are near 1; data of ordinary
/// scale and place in their own.
///
/// A flow scales with the data and moves with them: what it does in these units is what it does, without squares that
/// are lost.
#[derive(Clone, Debug)]
pub struct Near<'a, T: Scalar> {
    source: Cow<'a, MeasureOverMeasures<T>>,
    target: Cow<'a, MeasureOverMeasures<T>>,
    settings: Cow<'a, Resolved>,
    units: Option<Units>,
    /// The power of the unit of length that the functional is measured in.
    power: f64,
}

impl Resolved {
    /// Data of a flow and its settings in units in which the data are near 1.
    ///
    /// # Errors
    /// A functional whose terms have different units, of data far from 1; settings that do not fit the data.
    #[inline(never)]
    pub fn near<'a, T: Scalar>(
        &'a self,
        source: &'a MeasureOverMeasures<T>,
        target: &'a MeasureOverMeasures<T>,
    ) -> Result<Near<'a, T>, SettingsError> {
        let Some(units) = Units::of(Pair { source, target }) else {
            let (source, target) = (Cow::Borrowed(source), Cow::Borrowed(target));
            return Ok(Near { source, target, settings: Cow::Borrowed(self), units: None, power: 0.0 });
        };
        let (source, target) = (units.near(source), units.near(target));
        let power = self.length_power(&units, &source, &target)?;
        let settings = self.in_units(-units.exponent(), power)?;
        Ok(Near {
            source: Cow::Owned(source),
            target: Cow::Owned(target),
            settings: Cow::Owned(settings),
            units: Some(units),
            power,
        })
    }

    /// The power of the unit of length that the functional is measured in.
    pub(super) fn length_power<T: Scalar>(
        &self,
        units: &Units,
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
    ) -> Result<f64, SettingsError> {
        use crate::functional::Functional as _;
        match self.objective(source, target)?.quantity().length_power {
            Some(power) => Ok(power),
            None if units.exponent() == 0 => Ok(0.0),
            None => {
                let (functional, size) = (self.functional.to_string(), units.unit());
                Err(SettingsError::SeveralUnits { functional, size })
            }
        }
    }

    /// These settings of data that are multiplied by `2^exponent`.
    pub(super) fn in_units(&self, exponent: i32, power: f64) -> Result<Self, SettingsError> {
        let mut settings = self.clone();
        if let Some(kernel) = self.kernel {
            let scaled = KernelSettings::from(kernel).in_units(f64::exp2(f64::from(exponent)));
            settings.kernel = Some(Kernel::try_from(scaled)?);
        }
        if let StepSize::Fixed(tau) = self.step_size {
            let half = f64::exp2(0.5 * self.step_power(power) * f64::from(exponent));
            settings.step_size = StepSize::Fixed(tau * half * half);
        }
        Ok(settings)
    }

    /// The power of the unit of length that a step is measured in: that of `x` over that of `dF/dx`, and of `x` where
    /// steps have a length of their own.
    fn step_power(&self, power: f64) -> f64 {
        if self.scheme.steps_are_lengths() { 1.0 } else { 2.0 - power }
    }
}

impl<T: Scalar> Near<'_, T> {
    /// The dataset that moves, near 1.
    #[must_use]
    pub fn source(&self) -> &MeasureOverMeasures<T> {
        &self.source
    }

    /// The dataset that it moves to, near 1.
    #[must_use]
    pub fn target(&self) -> &MeasureOverMeasures<T> {
        &self.target
    }

    /// The settings in these units.
    #[must_use]
    pub fn settings(&self) -> &Resolved {
        &self.settings
    }

    /// The units, unless they are those of the data.
    #[must_use]
    pub fn units(&self) -> Option<&Units> {
        self.units.as_ref()
    }

    /// A value of the functional in the units of the data.
    #[must_use]
    pub fn value(&self, value: f64) -> f64 {
        self.scaled(value, self.power)
    }

    /// A squared length, such as `W_{W2}^2`, in the units of the data.
    #[must_use]
    pub fn squared(&self, square: f64) -> f64 {
        self.scaled(square, 2.0)
    }

    /// A record in the units of the data.
    #[must_use]
    pub fn record(&self, record: &StepRecord) -> StepRecord {
        let change = |change: Estimate| Estimate {
            value: self.value(change.value),
            standard_error: self.value(change.standard_error),
            ..change
        };
        StepRecord {
            value: self.value(record.value),
            standard_error: record.standard_error.map(|error| self.value(error)),
            velocity_rms: self.scaled(record.velocity_rms, self.power - 1.0),
            step_size: self.scaled(record.step_size, self.settings.step_power(self.power)),
            change: record.change.map(change),
            ..*record
        }
    }

    /// Samples in the units of the data.
    #[must_use]
    pub fn restored<'m>(&self, near: &'m MeasureOverMeasures<T>) -> Cow<'m, MeasureOverMeasures<T>> {
        match &self.units {
            None => Cow::Borrowed(near),
            Some(units) => Cow::Owned(units.restored(near)),
        }
    }

    /// A state whose samples are in the units of the data; what the scheme remembers stays in these.
    pub(super) fn restored_state<'s>(&self, state: &'s FlowState<T>) -> Cow<'s, FlowState<T>> {
        match &self.units {
            None => Cow::Borrowed(state),
            Some(units) => {
                Cow::Owned(FlowState { particles: units.restored(state.particles()), ..state.clone() })
            }
        }
    }

    fn scaled(&self, number: f64, degree: f64) -> f64 {
        self.units.as_ref().map_or(number, |units| units.scaled(number, degree))
    }
}
