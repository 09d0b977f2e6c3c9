//! Units in which data of any scale and place are near 1.

use super::{MeasureOverMeasures, Pair};
use crate::scalar::Scalar;

/// Coordinates whose largest is from `2^-20` to `2^20` stay as they are.
const ORDINARY: i32 = 20;
/// Offsets above this many times the largest half range of a coordinate are taken off.
const FAR: f64 = 32.0;
/// Beyond this a factor would leave the range of doubles.
const LARGEST: f64 = 1000.0;

/// Units in which two datasets are near 1: `x = centre + 2^exponent x'`.
///
/// Distances and flows scale with the data, and do not change when both datasets are moved; their squares leave the
/// range of floating-point numbers far earlier than they do, and a common offset takes digits from every difference.
/// Scales are powers of two, so that nothing is rounded on the way.
///
/// ```
/// use wowflow::measure::{MeasureOverMeasures, Pair, Units};
/// let p = MeasureOverMeasures::uniform(vec![1e-170, 3e-170_f64], 1, &[2])?;
/// let units = Units::of(Pair { source: &p, target: &p }).expect("data far from 1");
/// let near = units.near(&p);
/// assert!((1.0..2.0).contains(&near.points()[1]));
/// assert_eq!(units.restored(&near), p);
/// # Ok::<(), wowflow::measure::MeasureError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Units {
    centre: Option<Vec<f64>>,
    exponent: i32,
}

impl Units {
    /// Of a pair; `None` for data of ordinary scale and place, which are left as they are.
    #[must_use]
    pub fn of<T: Scalar>(pair: Pair<'_, T>) -> Option<Self> {
        let extent = Extent::of(pair);
        let far = extent.reach > FAR * extent.half;
        Self::new(if far { extent.half } else { extent.reach }, far.then_some(extent.centre))
    }

    /// Those that leave data at their place, for what does change when both datasets are moved.
    #[must_use]
    pub fn of_scale<T: Scalar>(pair: Pair<'_, T>) -> Option<Self> {
        Self::new(Extent::of(pair).reach, None)
    }

    fn new(largest: f64, centre: Option<Vec<f64>>) -> Option<Self> {
        let exponent = match largest > 0.0 {
            true => largest.log2().floor().clamp(-LARGEST, LARGEST) as i32,
            false => 0,
        };
        let exponent = if exponent.abs() > ORDINARY { exponent } else { 0 };
        (centre.is_some() || exponent != 0).then_some(Self { centre, exponent })
    }

    /// The power of two that is one unit.
    #[must_use]
    pub fn exponent(&self) -> i32 {
        self.exponent
    }

    /// One of these units in the units of the data.
    #[must_use]
    pub fn unit(&self) -> f64 {
        f64::exp2(f64::from(self.exponent))
    }

    /// Where the data lie, coordinate by coordinate, if they were moved.
    #[must_use]
    pub fn centre(&self) -> Option<&[f64]> {
        self.centre.as_deref()
    }

    /// Data in these units.
    #[must_use]
    pub fn near<T: Scalar>(&self, measure: &MeasureOverMeasures<T>) -> MeasureOverMeasures<T> {
        let factor = f64::exp2(f64::from(-self.exponent));
        self.each(measure, |x, centre| (x - centre) * factor)
    }

    /// Data of these units in those they had.
    #[must_use]
    pub fn restored<T: Scalar>(&self, measure: &MeasureOverMeasures<T>) -> MeasureOverMeasures<T> {
        let unit = self.unit();
        self.each(measure, |x, centre| centre + x * unit)
    }

    fn each<T: Scalar>(
        &self,
        measure: &MeasureOverMeasures<T>,
        moved: impl Fn(f64, f64) -> f64,
    ) -> MeasureOverMeasures<T> {
        let mut found = measure.clone();
        for sample in found.points_mut().chunks_exact_mut(measure.dim()) {
            for (k, x) in sample.iter_mut().enumerate() {
                let centre = self.centre.as_ref().map_or(0.0, |centre| centre[k]);
                *x = T::from_f64(moved(x.to_f64(), centre));
            }
        }
        found
    }

    /// A number that grows with this power of the scale, in the units of the data.
    #[must_use]
    pub fn scaled(&self, number: f64, degree: f64) -> f64 {
        // In two parts: their product may be out of range where the result is not.
        let half = f64::exp2(0.5 * degree * f64::from(self.exponent));
        number * half * half
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
            for sample in measure.points().chunks_exact(measure.dim()) {
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
