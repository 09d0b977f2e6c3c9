//! Data of any scale and place brought near 1 for a comparison, and what was found back to their units.
//!
//! Distances scale with the data, and do not change when both datasets are moved; their squares leave the range of
//! floating-point numbers far earlier than they do, and a common offset takes digits from every difference. Scales are
//! powers of two, so that nothing is rounded on the way. Data of ordinary scale and place are left as they are.

use super::{Certainty, CompareError, Comparison, Method};
use crate::auto::Auto;
use crate::kernel::KernelSettings;
use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::sliced::Base;
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

/// Coordinates whose largest is from `2^-20` to `2^20` stay as they are.
const ORDINARY: i32 = 20;
/// Offsets above this many times the largest half range of a coordinate are taken off.
const FAR: f64 = 1024.0;
/// Beyond this a factor would leave the range of doubles.
const LARGEST: f64 = 1000.0;

/// Two datasets near 1: `x = centre + 2^exponent x'`.
pub(super) struct NearOne<T> {
    source: MeasureOverMeasures<T>,
    target: MeasureOverMeasures<T>,
    exponent: i32,
}

impl<T: Scalar> NearOne<T> {
    /// The pair near 1, or `None` where it is.
    pub(super) fn of(pair: Pair<'_, T>, method: &Method) -> Option<Self> {
        let Extent { reach, centre, half } = Extent::of(pair);
        // Moments of projections do change when samples are moved.
        let moved = !matches!(method, Method::SlicedOtdd(_)) && reach > FAR * half;
        let largest = if moved { half } else { reach };
        let exponent = match largest > 0.0 {
            true => largest.log2().floor().clamp(-LARGEST, LARGEST) as i32,
            false => 0,
        };
        let exponent = if exponent.abs() > ORDINARY { exponent } else { 0 };
        if !moved && exponent == 0 {
            return None;
        }
        let factor = f64::exp2(f64::from(-exponent));
        let near = |measure: &MeasureOverMeasures<T>| {
            let mut near = measure.clone();
            for sample in near.points_mut().chunks_exact_mut(measure.dim()) {
                for (x, centre) in sample.iter_mut().zip(&centre) {
                    let centre = if moved { *centre } else { 0.0 };
                    *x = T::from_f64((x.to_f64() - centre) * factor);
                }
            }
            near
        };
        Some(Self { source: near(pair.source), target: near(pair.target), exponent })
    }

    pub(super) fn pair(&self) -> Pair<'_, T> {
        Pair { source: &self.source, target: &self.target }
    }

    /// One unit of these data in units of the given ones.
    pub(super) fn unit(&self) -> f64 {
        f64::exp2(f64::from(self.exponent))
    }

    /// The method with the parameters that have units in those of these data.
    pub(super) fn method(&self, method: &Method) -> Method {
        with_units(method, -self.exponent)
    }

    /// An error with its numbers in the units of the given data.
    pub(super) fn restored_error(&self, error: CompareError) -> CompareError {
        let squared = |number: f64| number * self.unit() * self.unit();
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
        let scale = |number: f64, degree: f64| {
            // In two parts: their product may be out of range where the result is not.
            let half = f64::exp2(0.5 * degree * f64::from(self.exponent));
            number * half * half
        };
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
            with_units(&found.method, self.exponent)
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

/// Where the samples of a pair lie.
struct Extent {
    /// The largest absolute value of a coordinate.
    reach: f64,
    /// The middle of each coordinate.
    centre: Vec<f64>,
    /// The largest half range of a coordinate.
    half: f64,
}

impl Extent {
    fn of<T: Scalar>(pair: Pair<'_, T>) -> Self {
        let dim = pair.source.dim();
        let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); dim];
        for measure in [pair.source, pair.target] {
            for sample in measure.points().chunks_exact(dim) {
                for ((low, high), x) in ranges.iter_mut().zip(sample) {
                    let x = x.to_f64();
                    (*low, *high) = (low.min(x), high.max(x));
                }
            }
        }
        Self {
            reach: ranges.iter().map(|(low, high)| low.abs().max(high.abs())).fold(0.0, f64::max),
            centre: ranges.iter().map(|(low, high)| 0.5 * low + 0.5 * high).collect(),
            half: ranges.iter().map(|(low, high)| 0.5 * high - 0.5 * low).fold(0.0, f64::max),
        }
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
    let in_units = |parameter: Auto<f64>, squared: bool| match parameter {
        Auto::Given(value) if squared => Auto::Given(value * unit * unit),
        Auto::Given(value) => Auto::Given(value * unit),
        Auto::Auto => Auto::Auto,
    };
    let mut method = method.clone();
    match &mut method {
        Method::Otdd(otdd) => otdd.regularisation = otdd.regularisation.map(|epsilon| epsilon * unit * unit),
        Method::Mmd(mmd) => {
            let KernelSettings { name, bandwidth, smoothing, .. } = mmd.kernel;
            mmd.kernel.bandwidth = in_units(bandwidth, name.base() == Base::SquaredSw2);
            mmd.kernel.smoothing = in_units(smoothing, false);
        }
        _ => {}
    }
    method
}
