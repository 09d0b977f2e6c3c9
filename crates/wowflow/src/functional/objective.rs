//! The functionals that a flow can be asked for by name, and weighted sums of them.

use std::fmt;
use std::str::FromStr;

use super::{
    Evaluation, Functional, FunctionalError, Identity, MatchedSw, MeanMatching, MiniBatches, MmdSw,
    PooledMmd, Quantity, Redraw, SlicingPlan,
};
use crate::kernel::Kernel;
use crate::measure::MeasureOverMeasures;
use crate::name::{Named, UnknownName};
use crate::scalar::Scalar;
use crate::stats::estimate::Estimate;

/// A functional of a source that moves to a target, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FunctionalName {
    /// [`MmdSw`].
    #[default]
    MmdSw,
    /// [`PooledMmd`].
    PooledMmd,
    /// [`MatchedSw`].
    MatchedSw,
    /// [`MeanMatching`].
    MeanMatching,
}

crate::named!(FunctionalName, "functional", {
    MmdSw = "mmd-sw": "Half the squared MMD with a kernel on the sliced distance of classes.",
    PooledMmd = "pooled-mmd": "Half the squared MMD of the pooled samples with -|x - y|: the baseline that forgets classes.",
    MatchedSw = "matched-sw": "Half the squared sliced distance of class c to class c of the target.",
    MeanMatching = "mean-matching": "The squared distance of the mean of class c to that of class c of the target.",
});

impl FunctionalName {
    /// Whether it has a kernel of a sliced distance.
    #[must_use]
    pub fn has_kernel(self) -> bool {
        self == Self::MmdSw
    }

    /// Whether it looks along slicing directions.
    #[must_use]
    pub fn is_sliced(self) -> bool {
        matches!(self, Self::MmdSw | Self::MatchedSw)
    }

    /// Whether its directions can be drawn once and kept.
    #[must_use]
    pub fn can_keep_directions(self) -> bool {
        matches!(self, Self::MmdSw | Self::PooledMmd | Self::MeanMatching)
    }

    /// Whether it takes mini-batches of the target.
    #[must_use]
    pub fn takes_batches(self) -> bool {
        self != Self::PooledMmd
    }
}

/// A sum of functionals with positive weights, such as `mmd-sw` or `mmd-sw+0.5*pooled-mmd`.
///
/// ```
/// use wowflow::functional::{FunctionalName, Sum};
/// let sum: Sum = "mmd-sw+0.5*pooled-mmd".parse()?;
/// assert_eq!(sum.terms()[1], (0.5, FunctionalName::PooledMmd));
/// assert_eq!(sum.to_string(), "mmd-sw+0.5*pooled-mmd");
/// assert_eq!(Sum::default().to_string(), "mmd-sw");
/// # Ok::<(), wowflow::functional::SumError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Sum(Vec<(f64, FunctionalName)>);

/// Why something is no sum of functionals.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SumError {
    /// A name that no functional has.
    #[error(transparent)]
    Name(#[from] UnknownName),
    /// A weight that is not positive and finite.
    #[error("expected a positive weight of {name}, such as 0.5*{name}, found `{found}`")]
    Weight {
        /// The functional.
        name: FunctionalName,
        /// What was given.
        found: String,
    },
    /// No term, or one term twice.
    #[error("expected every functional at most once and one at least, found `{0}`")]
    Terms(String),
}

impl Default for Sum {
    fn default() -> Self {
        Self::from(FunctionalName::default())
    }
}

impl From<FunctionalName> for Sum {
    fn from(name: FunctionalName) -> Self {
        Self(vec![(1.0, name)])
    }
}

impl Sum {
    /// A sum of terms, each a weight and a functional.
    ///
    /// # Errors
    /// No terms, one functional twice, a weight that is not positive and finite.
    pub fn new(terms: Vec<(f64, FunctionalName)>) -> Result<Self, SumError> {
        if let Some(&(found, name)) = terms.iter().find(|(weight, _)| !(*weight > 0.0 && weight.is_finite()))
        {
            return Err(SumError::Weight { name, found: found.to_string() });
        }
        let repeated = |at: usize| terms[..at].iter().any(|(_, name)| *name == terms[at].1);
        let fits = !terms.is_empty() && !(0..terms.len()).any(repeated);
        let sum = Self(terms);
        if fits { Ok(sum) } else { Err(SumError::Terms(sum.to_string())) }
    }

    /// Weights and functionals, in order.
    #[must_use]
    pub fn terms(&self) -> &[(f64, FunctionalName)] {
        &self.0
    }

    /// Whether all terms have a property.
    pub fn all(&self, of: impl Fn(FunctionalName) -> bool) -> bool {
        self.0.iter().all(|(_, name)| of(*name))
    }

    /// Whether a term has a property.
    pub fn any(&self, of: impl Fn(FunctionalName) -> bool) -> bool {
        self.0.iter().any(|(_, name)| of(*name))
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let term = |(weight, name): &(f64, FunctionalName)| match *weight {
            1.0 => name.name().to_owned(),
            weight => format!("{weight}*{name}"),
        };
        f.pad(&self.0.iter().map(term).collect::<Vec<_>>().join("+"))
    }
}

impl FromStr for Sum {
    type Err = SumError;

    fn from_str(text: &str) -> Result<Self, SumError> {
        let term = |term: &str| -> Result<(f64, FunctionalName), SumError> {
            let Some((weight, name)) = term.split_once('*') else { return Ok((1.0, term.trim().parse()?)) };
            let name: FunctionalName = name.trim().parse()?;
            let number = weight.trim().parse().ok();
            Ok((number.ok_or_else(|| SumError::Weight { name, found: weight.to_owned() })?, name))
        };
        Self::new(terms_of(text).map(term).collect::<Result<_, _>>()?)
    }
}

/// The parts between plus signs, but for those of exponents such as `1e+3`.
fn terms_of(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let exponent =
        |at: usize| at > 1 && matches!(bytes[at - 1], b'e' | b'E') && bytes[at - 2].is_ascii_digit();
    let plus = (0..bytes.len()).filter(move |&at| bytes[at] == b'+' && !exponent(at));
    let mut start = 0;
    plus.chain([bytes.len()]).map(move |end| {
        let part = &text[start..end];
        start = end + 1;
        part
    })
}

impl TryFrom<String> for Sum {
    type Error = SumError;

    fn try_from(text: String) -> Result<Self, SumError> {
        text.parse()
    }
}

impl From<Sum> for String {
    fn from(sum: Sum) -> Self {
        sum.to_string()
    }
}

/// What functionals are made with; each takes what it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectiveSettings {
    /// The kernel of those that have one.
    pub kernel: Kernel,
    /// Directions, and the seed of all draws.
    pub plan: SlicingPlan,
    /// When directions are drawn.
    pub redraw: Redraw,
    /// Mini-batches of the target.
    pub batches: Option<MiniBatches>,
}

/// A functional chosen by name, or a weighted sum of some: the sum type over those that flows are asked for.
///
/// ```
/// use wowflow::directions::Slicing;
/// use wowflow::functional::{Functional, MmdSw, Objective, PooledMmd, SlicingPlan};
/// use wowflow::kernel::{Kernel, Riesz};
/// use wowflow::measure::MeasureOverMeasures;
/// let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0_f64], 2, &[1, 1])?;
/// let q = MeasureOverMeasures::uniform(vec![3.0, 1.0, 4.0, 1.0], 2, &[1, 1])?;
/// let plan = SlicingPlan { slicing: Slicing::Equispaced, count: 16, seed: 1 };
/// let mmd = MmdSw::new(&p, &q, Kernel::from(Riesz::new(1.0, 0.0)?), plan)?;
/// let pooled = Objective::Pooled(PooledMmd::new(&p, &q)?);
/// let mut sum = Objective::sum(vec![(1.0, Objective::Mmd(Box::new(mmd))), (0.5, pooled)], p.points().len());
/// let mut velocity = vec![0.0; 4];
/// assert!(sum.evaluate(&p, 0, &mut velocity).value > 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub enum Objective<'q, T: Scalar> {
    /// Half the squared sliced MMD.
    Mmd(Box<MmdSw<'q, T>>),
    /// Half the squared MMD of the pooled samples.
    Pooled(PooledMmd),
    /// Half the squared sliced distances of matched classes.
    Matched(Box<MatchedSw<'q, T, Identity>>),
    /// Squared distances of the means of matched classes.
    Means(MeanMatching<'q, T, Identity>),
    /// A weighted sum.
    Sum(WeightedSum<'q, T>),
}

/// Functionals with their weights, and the memory that adding them up takes.
#[derive(Clone, Debug)]
pub struct WeightedSum<'q, T: Scalar> {
    terms: Vec<(f64, Objective<'q, T>)>,
    velocity: Vec<T>,
    curvatures: Vec<f64>,
}

impl<'q, T: Scalar> Objective<'q, T> {
    /// The functional, for particles of the sizes and weights of `source`.
    ///
    /// # Errors
    /// What a functional, its directions and its batches do not have together; different spaces, and different
    /// numbers of classes where these are matched.
    #[inline(never)]
    pub fn new(
        functional: &Sum,
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        settings: &ObjectiveSettings,
    ) -> Result<Self, FunctionalError> {
        let one = |name| Self::named(name, source, target, settings);
        match functional.terms() {
            [(1.0, name)] => one(*name),
            terms => {
                let terms = terms.iter().map(|&(weight, name)| Ok((weight, one(name)?)));
                Ok(Self::sum(terms.collect::<Result<_, FunctionalError>>()?, source.points().len()))
            }
        }
    }

    fn named(
        name: FunctionalName,
        source: &MeasureOverMeasures<T>,
        target: &'q MeasureOverMeasures<T>,
        settings: &ObjectiveSettings,
    ) -> Result<Self, FunctionalError> {
        let ObjectiveSettings { kernel, plan, redraw, batches } = *settings;
        let batch = batches.map(|batches| batches.size);
        Ok(match name {
            FunctionalName::MmdSw => {
                let mmd = MmdSw::new(source, target, kernel, plan)?.with_redraw(redraw);
                Self::Mmd(Box::new(match batches {
                    None => mmd,
                    Some(batches) => mmd.with_batches(source, batches)?,
                }))
            }
            FunctionalName::PooledMmd => Self::Pooled(PooledMmd::new(source, target)?),
            FunctionalName::MatchedSw => {
                Self::Matched(Box::new(MatchedSw::new(source, target, plan, batch, Identity)?))
            }
            FunctionalName::MeanMatching => {
                Self::Means(MeanMatching::new(source, target, batch, Identity, plan.seed)?)
            }
        })
    }

    /// A weighted sum of functionals of particles of so many coordinates in all.
    #[must_use]
    #[inline(never)]
    pub fn sum(terms: Vec<(f64, Self)>, coordinates: usize) -> Self {
        let samples = terms.first().map_or(0, |(_, term)| term.curvatures().len());
        Self::Sum(WeightedSum { terms, velocity: vec![T::ZERO; coordinates], curvatures: vec![0.0; samples] })
    }

    fn inner(&self) -> &dyn Functional<T> {
        match self {
            Self::Mmd(mmd) => mmd.as_ref(),
            Self::Pooled(mmd) => mmd,
            Self::Matched(matched) => matched.as_ref(),
            Self::Means(means) => means,
            Self::Sum(sum) => sum,
        }
    }

    fn inner_mut(&mut self) -> &mut dyn Functional<T> {
        match self {
            Self::Mmd(mmd) => mmd.as_mut(),
            Self::Pooled(mmd) => mmd,
            Self::Matched(matched) => matched.as_mut(),
            Self::Means(means) => means,
            Self::Sum(sum) => sum,
        }
    }
}

impl<T: Scalar> Functional<T> for Objective<'_, T> {
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        self.inner_mut().evaluate(particles, step, velocity)
    }

    fn curvatures(&self) -> &[f64] {
        self.inner().curvatures()
    }

    fn change(
        &mut self,
        before: &MeasureOverMeasures<T>,
        after: &MeasureOverMeasures<T>,
        draw: u64,
    ) -> Estimate {
        self.inner_mut().change(before, after, draw)
    }

    fn held_out(&mut self, particles: &MeasureOverMeasures<T>, draw: u64) -> Estimate {
        self.inner_mut().held_out(particles, draw)
    }

    fn quantity(&self) -> Quantity {
        self.inner().quantity()
    }

    fn lower_bound(&self) -> Option<f64> {
        self.inner().lower_bound()
    }
}

impl<T: Scalar> WeightedSum<'_, T> {
    /// Values that may share their draws: their errors add up at most.
    fn total(&mut self, mut one: impl FnMut(&mut Objective<'_, T>) -> Estimate) -> Estimate {
        let mut total = Estimate::exact(0.0);
        for (weight, term) in &mut self.terms {
            let found = one(term);
            total.value += *weight * found.value;
            total.standard_error += *weight * found.standard_error;
            let own = found.degrees_of_freedom;
            total.degrees_of_freedom = match total.degrees_of_freedom {
                0 => own,
                others if own > 0 => others.min(own),
                others => others,
            };
        }
        total
    }
}

impl<T: Scalar> Functional<T> for WeightedSum<'_, T> {
    fn evaluate(&mut self, particles: &MeasureOverMeasures<T>, step: u64, velocity: &mut [T]) -> Evaluation {
        let mut total = Evaluation { value: 0.0, standard_error: Some(0.0) };
        velocity.fill(T::ZERO);
        self.curvatures.fill(0.0);
        for (weight, term) in &mut self.terms {
            let found = term.evaluate(particles, step, &mut self.velocity);
            total.value += *weight * found.value;
            total.standard_error = match (total.standard_error, found.standard_error) {
                (Some(all), Some(own)) => Some(all + *weight * own),
                _ => None,
            };
            let factor = T::from_f64(*weight);
            velocity.iter_mut().zip(&self.velocity).for_each(|(sum, own)| *sum += factor * *own);
            let own = term.curvatures();
            self.curvatures.iter_mut().zip(own).for_each(|(sum, own)| *sum += *weight * own);
        }
        total
    }

    /// The sum of those of the terms: a sum of majorants majorises the sum.
    fn curvatures(&self) -> &[f64] {
        &self.curvatures
    }

    fn change(
        &mut self,
        before: &MeasureOverMeasures<T>,
        after: &MeasureOverMeasures<T>,
        draw: u64,
    ) -> Estimate {
        self.total(|term| term.change(before, after, draw))
    }

    fn held_out(&mut self, particles: &MeasureOverMeasures<T>, draw: u64) -> Estimate {
        self.total(|term| term.held_out(particles, draw))
    }

    fn lower_bound(&self) -> Option<f64> {
        self.terms.iter().map(|(weight, term)| Some(weight * term.lower_bound()?)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_and_written() {
        for (text, terms) in [
            ("mmd-sw", vec![(1.0, FunctionalName::MmdSw)]),
            ("0.5*mmd-sw", vec![(0.5, FunctionalName::MmdSw)]),
            (
                "1e+3*matched-sw + pooled-mmd",
                vec![(1000.0, FunctionalName::MatchedSw), (1.0, FunctionalName::PooledMmd)],
            ),
        ] {
            let sum: Sum = text.parse().unwrap();
            assert_eq!(sum.terms(), terms, "{text}");
            assert_eq!(sum.to_string().parse(), Ok(sum));
        }
        for bad in ["", "mmd", "-1*mmd-sw", "0*mmd-sw", "x*mmd-sw", "nan*mmd-sw", "mmd-sw+mmd-sw", "mmd-sw+"]
        {
            assert!(bad.parse::<Sum>().is_err(), "{bad}");
        }
    }
}
