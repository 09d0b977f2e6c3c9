//! Distances between labeled datasets: one question, many methods, one record of the answer.
//!
//! [`compare`] takes two datasets and a [`Method`] and returns a [`Comparison`]: the value, how certain it
//! is, and what it was made of. [`MethodSettings`] choose a method by name, with options that may be left open.
//! `book/src/mathematics.md`, "Distances between datasets", has the formulas.

mod busemann;
mod certainty;
mod classes;
mod double_sliced;
mod error;
mod factor;
mod hipm;
mod masses;
mod methods;
mod mmd;
mod normal;
mod options;
pub mod otdd;
mod otdd_method;
mod pooled;
mod s_otdd;
mod samples;
mod settings;
mod slices;
mod units;
mod wow;

use crate::measure::{MeasureOverMeasures, Pair};
use crate::ot::exact::{CostMatrix, Coupling};
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

pub use busemann::{Busemann, Rays};
pub use certainty::{Certainty, CertaintyRecord};
pub use classes::destinations;
pub use double_sliced::{DoubleSliced, Process, ProcessName};
pub use error::CompareError;
pub use hipm::Hipm;
pub use methods::Growth;
pub use mmd::Mmd;
pub use otdd_method::OtddMethod;
pub use pooled::PooledSliced;
pub use s_otdd::SlicedOtdd;
pub use settings::MethodSettings;
pub use slices::Slices;
pub use wow::Inner;

/// A distance between datasets by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MethodName {
    /// [`Method::Wow`] with [`Inner::Exact`].
    #[default]
    Wow,
    /// [`Method::Wow`] with [`Inner::Sliced`].
    WowSliced,
    /// [`Method::Wow`] with [`Inner::Gaussian`].
    WowGaussian,
    /// [`Method::Otdd`] with [`Inner::Exact`].
    Otdd,
    /// [`Method::Otdd`] with [`Inner::Gaussian`].
    OtddGaussian,
    /// [`Method::Otdd`] with [`Inner::Sliced`].
    OtddSliced,
    /// [`Method::Mmd`].
    MmdSw,
    /// [`Method::SlicedOtdd`].
    SOtdd,
    /// [`Method::Busemann`] with [`Rays::Gaussian1d`].
    Busemann,
    /// [`Method::Busemann`] with [`Rays::Gaussian`].
    BusemannGaussian,
    /// [`Method::DoubleSliced`].
    Dsw,
    /// [`Method::PooledSliced`].
    Sw,
    /// [`Method::PooledW2`].
    W2,
    /// [`Method::Hipm`].
    Hipm,
}

crate::named!(MethodName, "distance between datasets", {
    Wow = "wow": "Wasserstein over Wasserstein: classes coupled at their exact W_2^2.",
    WowSliced = "wow-sliced": "The same with SW_2^2 between classes.",
    WowGaussian = "wow-gaussian":
        "The same with W_2^2 between the Gaussians of the classes' means and covariances.",
    Otdd = "otdd": "OTDD: samples coupled at |x - y|^2 plus the exact W_2^2 of their classes.",
    OtddGaussian = "otdd-gaussian": "The same with W_2^2 between Gaussians.",
    OtddSliced = "otdd-sliced": "The same with d SW_2^2 between classes.",
    MmdSw = "mmd-sw": "Maximum mean discrepancy with a kernel on the sliced distance of classes.",
    SOtdd = "s-otdd": "s-OTDD: samples sliced together with moments of their classes.",
    Busemann = "busemann": "Busemann-sliced along rays of Gaussians on the line (SWB1DG).",
    BusemannGaussian = "busemann-gaussian":
        "Busemann-sliced along rays of Gaussians (SWBG), for some tens of dimensions.",
    Dsw = "dsw": "Double-sliced Wasserstein over Wasserstein.",
    Sw = "sw": "Sliced SW_p of the pooled samples: the baseline that forgets labels.",
    W2 = "w2": "Exact W_2 of the pooled samples: the baseline that forgets labels.",
    Hipm = "hipm": "Hierarchical integral probability metric, by a lower and an upper bound.",
});

/// A distance between two datasets, and what it was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The distance, in the units of the samples (for the MMD, in the root of the kernel's units).
    pub value: f64,
    /// What the definition minimises or averages: `value^order`.
    pub power: f64,
    /// The exponent between the two, `p`.
    pub order: f64,
    /// How certain the value is.
    pub certainty: Certainty,
    /// Costs between classes, `C_P x C_Q`, for methods that compare classes one by one: powers such as
    /// `W_2^2`, or the distances that the kernel is a function of.
    pub classes: Option<CostMatrix>,
    /// The optimal coupling: of the classes, or of the samples, class after class, for [`Method::PooledW2`] and
    /// exact [`Method::Otdd`].
    pub coupling: Option<Coupling>,
    /// The method with nothing left on "auto".
    pub method: Method,
}

impl Comparison {
    /// A result that was solved exactly: `power >= 0` and its gap.
    #[must_use]
    pub fn exact(method: Method, order: f64, power: f64, gap: f64) -> Self {
        let (value, certainty) = (power.max(0.0).powf(1.0 / order), Certainty::Exact { gap });
        Self { value, power, order, certainty, classes: None, coupling: None, method }
    }

    /// Refuses numbers that are not finite. Standard errors may be unknown.
    fn checked(self) -> Result<Self, CompareError> {
        let bounds = match self.certainty {
            Certainty::Exact { gap } => [gap, gap],
            Certainty::Interval { lower, upper } | Certainty::Bounds { lower, upper } => [lower, upper],
            Certainty::Sliced { .. } => [self.power; 2],
        };
        match [self.value, self.power].into_iter().chain(bounds).find(|number| !number.is_finite()) {
            None => Ok(self),
            Some(found) => {
                let (what, precision) = ("the distance and its power", f64::NAME);
                Err(CompareError::OutOfRange { what, precision, found })
            }
        }
    }

    /// A result that was estimated on slices, from the estimate of its power.
    #[must_use]
    pub fn sliced(method: Method, order: f64, power: Estimate) -> Self {
        let root = power.value.max(0.0).powf(1.0 / order);
        let slope = if root > 0.0 { root / (order * power.value) } else { 0.0 };
        let value = power.mapped(root, slope);
        let certainty = Certainty::Sliced { power, value };
        Self { value: root, power: power.value, order, certainty, classes: None, coupling: None, method }
    }
}

/// The distances between datasets, with checked parameters.
///
/// Stored, a method is a table with its `name` and the options it has, [`MethodSettings`] with nothing left open but a
/// bandwidth that is to be measured; it is checked when it is read back.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "MethodSettings", into = "MethodSettings"))]
#[non_exhaustive]
pub enum Method {
    /// `W_{W2}`: classes coupled at the cost of the distance between them.
    Wow(Inner),
    /// OTDD: samples coupled at the cost of their distance and that of their labels.
    Otdd(OtddMethod),
    /// The MMD with a sliced kernel.
    Mmd(Mmd),
    /// Exact `W_2` of the pooled samples: labels are forgotten.
    PooledW2,
    /// Sliced-Wasserstein distance of the pooled samples.
    PooledSliced(PooledSliced),
    /// s-OTDD.
    SlicedOtdd(SlicedOtdd),
    /// Busemann-sliced distances: SWB1DG and SWBG.
    Busemann(Busemann),
    /// Double-sliced Wasserstein over Wasserstein.
    DoubleSliced(DoubleSliced),
    /// The hierarchical integral probability metric, by bounds.
    Hipm(Hipm),
}

/// The distance between two datasets by a method. The seed addresses all randomness: the same seed gives
/// every pair of datasets of one dimension the same slices, so that values compare.
///
/// Where both datasets are far from 0, or their scale is far from 1, they are compared near 0 and at scale 1, and the
/// result is brought back; parameters keep their units.
///
/// Nothing is drawn from the samples: memory and time of the exact methods are the caller's to bound.
///
/// ```
/// use wowflow::compare::{Certainty, Inner, Method, SlicedOtdd, Slices, compare};
/// use wowflow::measure::MeasureOverMeasures;
/// let p = MeasureOverMeasures::uniform(vec![0.0, 0.5, 3.0, 0.5], 2, &[1, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![3.0, 1.5, 0.0, 1.5], 2, &[1, 1])?;
/// let exact = compare(&p, &q, &Method::Wow(Inner::Exact), 0)?;
/// assert_eq!((exact.value, exact.power), (1.0, 1.0)); // both classes moved up by 1
/// let s_otdd = SlicedOtdd::new(Slices::standard(2, 200)?, SlicedOtdd::MOMENTS, 2.0)?;
/// let sliced = compare(&p, &q, &Method::SlicedOtdd(s_otdd), 0)?;
/// assert!(matches!(sliced.certainty, Certainty::Sliced { value, .. } if value.standard_error > 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Datasets of different dimension, directions that do not exist in theirs, numbers that grow beyond the
/// precision of the samples, distances or powers that are not finite, entropic transport that does not converge.
#[inline(never)]
pub fn compare<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
    method: &Method,
    seed: u64,
) -> Result<Comparison, CompareError> {
    compare_observed(p, q, method, seed, &|_| ())
}

/// As [`compare`], and tells how many pairs of classes are solved, where a method solves one after another for long:
/// [`Method::Wow`] with [`Inner::Exact`].
///
/// # Errors
/// As [`compare`].
#[inline(never)]
pub fn compare_observed<T: Scalar>(
    p: &MeasureOverMeasures<T>,
    q: &MeasureOverMeasures<T>,
    method: &Method,
    seed: u64,
    observe: &(dyn Fn(usize) + Sync),
) -> Result<Comparison, CompareError> {
    if p.dim() != q.dim() {
        return Err(CompareError::Dimensions { left: p.dim(), right: q.dim() });
    }
    let pair = Pair { source: p, target: q };
    let found = match units::NearOne::of(pair, method) {
        None => of_pair(pair, 1.0, method, seed, observe)?,
        Some(near) => {
            let found = of_pair(near.pair(), near.unit(), &near.method(method), seed, observe);
            near.restored(found.map_err(|error| near.restored_error(error))?, method)?
        }
    };
    found.checked()
}

/// The distance of data as they are, of which one unit is `unit` of those that were given.
fn of_pair<T: Scalar>(
    pair: Pair<'_, T>,
    unit: f64,
    method: &Method,
    seed: u64,
    observe: &(dyn Fn(usize) + Sync),
) -> Result<Comparison, CompareError> {
    match method {
        Method::Wow(inner) => wow::compare(pair, *inner, seed, observe),
        Method::Otdd(otdd) => otdd.compare(pair, seed),
        Method::Mmd(mmd) => mmd.compare(pair, seed),
        Method::PooledW2 => pooled::w2(pair.source, pair.target),
        Method::PooledSliced(pooled) => pooled.compare(pair, seed),
        Method::SlicedOtdd(s_otdd) => s_otdd.compare(pair, unit, seed),
        Method::Busemann(busemann) => busemann.compare(pair, seed),
        Method::DoubleSliced(double_sliced) => double_sliced.compare(pair, seed),
        Method::Hipm(hipm) => hipm.compare(pair, seed),
    }
}
