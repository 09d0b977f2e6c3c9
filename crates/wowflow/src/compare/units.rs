//! Data of any scale and place brought near 1 for a comparison ([`Units`]), and what was found back to their units.

use super::{Certainty, CompareError, Comparison, Method};
use crate::measure::{MeasureOverMeasures, Pair, Units};
use crate::ot::sliced::Base;
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

/// Two datasets near 1.
pub(super) struct NearOne<T> {
    source: MeasureOverMeasures<T>,
    target: MeasureOverMeasures<T>,
    units: Units,
}

impl<T: Scalar> NearOne<T> {
    /// The pair near 1, or `None` where it is.
    pub(super) fn of(pair: Pair<'_, T>, method: &Method) -> Option<Self> {
        // Moments of projections do change when samples are moved.
        let moves = !matches!(method, Method::SlicedOtdd(_));
        let units = if moves { Units::of(pair) } else { Units::of_scale(pair) }?;
        Some(Self { source: units.near(pair.source), target: units.near(pair.target), units })
    }

    pub(super) fn pair(&self) -> Pair<'_, T> {
        Pair { source: &self.source, target: &self.target }
    }

    /// One unit of these data in units of the given ones.
    pub(super) fn unit(&self) -> f64 {
        self.units.unit()
    }

    /// The method with the parameters that have units in those of these data.
    pub(super) fn method(&self, method: &Method) -> Method {
        with_units(method, -self.units.exponent())
    }

    /// An error with its numbers in the units of the given data.
    pub(super) fn restored_error(&self, error: CompareError) -> CompareError {
        let squared = |number: f64| number * self.units.unit() * self.units.unit();
        match error {
            CompareError::NotConverged { iterations, lower, upper, regularisation } => {
                CompareError::NotConverged {
                    iterations,
                    lower: squared(lower),
                    upper: squared(upper),
                    regularisation: squared(regularisation),
                }
            }
            error => error,
        }
    }

    /// What was found of these data, in the units of the given ones.
    pub(super) fn restored(&self, found: Comparison, method: &Method) -> Result<Comparison, CompareError> {
        let (degree, classes_degree) = degrees(&found.method);
        let scale = |number: f64, degree: f64| self.units.scaled(number, degree);
        let value = |number: f64| scale(number, degree);
        let power = |number: f64| scale(number, degree * found.order);
        let estimate = |of: Estimate, scaled: &dyn Fn(f64) -> f64| Estimate {
            value: scaled(of.value),
            standard_error: scaled(of.standard_error),
            ..of
        };
        let certainty = match found.certainty {
            Certainty::Exact { gap } => Certainty::Exact { gap: power(gap) },
            Certainty::Interval { lower, upper } => {
                Certainty::Interval { lower: power(lower), upper: power(upper) }
            }
            Certainty::Sliced { power: powers, value: values } => {
                Certainty::Sliced { power: estimate(powers, &power), value: estimate(values, &value) }
            }
            Certainty::Bounds { lower, upper } => {
                Certainty::Bounds { lower: value(lower), upper: value(upper) }
            }
        };
        let classes = found.classes.as_ref().map(|costs| costs.in_unit(|cost| scale(cost, classes_degree)));
        let classes = classes.transpose().map_err(|found| {
            let (what, precision) = ("costs between classes", f64::NAME);
            CompareError::OutOfRange { what, precision, found }
        })?;
        // Only a bandwidth may have been measured.
        let method = if method.measures_bandwidth() {
            with_units(&found.method, self.units.exponent())
        } else {
            method.clone()
        };
        Ok(Comparison {
            value: value(found.value),
            power: power(found.power),
            certainty,
            classes,
            method,
            ..found
        })
    }
}

/// By which power of the scale the distance and the costs of classes grow.
fn degrees(method: &Method) -> (f64, f64) {
    match method {
        // Parameters that are refused are so later, with words.
        Method::Mmd(mmd) => mmd.kernel.resolve(|_| Some(1.0)).map_or((1.0, 2.0), |kernel| {
            (0.5 * kernel.length_power(), if kernel.base() == Base::Sw1 { 1.0 } else { 2.0 })
        }),
        Method::Hipm(_) => (1.0, 1.0),
        _ => (1.0, 2.0),
    }
}

/// A method whose parameters in units of the data are multiplied by those powers of `2^exponent`.
fn with_units(method: &Method, exponent: i32) -> Method {
    let unit = f64::exp2(f64::from(exponent));
    let mut method = method.clone();
    match &mut method {
        Method::Otdd(otdd) => otdd.regularisation = otdd.regularisation.map(|epsilon| epsilon * unit * unit),
        Method::Mmd(mmd) => mmd.kernel = mmd.kernel.in_units(unit),
        _ => {}
    }
    method
}
