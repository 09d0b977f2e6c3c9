//! What options take: names, step sizes, bandwidths, times.

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde::{Deserialize, Serialize};
use wowflow::name::Named;

use super::positive_number;

/// A choice by its name.
pub(crate) fn by_name<T: Named + Send + Sync>() -> impl TypedValueParser<Value = T> {
    let value = |choice: &T| PossibleValue::new(choice.name()).help(choice.summary());
    PossibleValuesParser::new(T::ALL.iter().map(value)).try_map(|text| T::from_name(&text))
}

/// A kernel by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KernelName {
    /// -SW_2^r, the published one with r = 1.
    Riesz,
    /// exp(-SW_2^2 / (2h)).
    Gaussian,
    /// exp(-SW_1 / h).
    Laplace,
    /// (h + SW_2^2)^(-1/2).
    Imq,
    /// -|x - y| on the pooled samples: the baseline that forgets classes.
    Pooled,
}

/// A scheme by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemeName {
    /// Velocities accumulate: u <- v + m u, x <- x - tau u.
    HeavyBall,
    /// The same, looking one step ahead.
    Nesterov,
    /// Steps of one length a coordinate, whatever the force.
    Adam,
    /// Quasi-Newton with backtracking, on directions drawn once.
    Lbfgs,
}

/// When directions are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RedrawName {
    /// Anew at every step.
    EveryStep,
    /// Once.
    Never,
}

/// How distances are estimated from mini-batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EstimatorName {
    /// A batch stands for its class; distances come out too large.
    Plain,
    /// Two independent batches, an inner product in place of a square.
    Debiased,
}

/// How a step size or a momentum shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Schedule {
    /// Not at all.
    Constant,
    /// To 0 along a line.
    Linear,
    /// To 0 along half a cosine.
    Cosine,
}

/// A kind of directions by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SlicingName {
    /// Independent, uniform on the sphere.
    Gaussian,
    /// Blocks of orthonormal directions.
    Orthonormal,
    /// Structured orthogonal directions by fast Walsh-Hadamard transforms.
    Hadamard,
    /// Equispaced angles, in the plane only.
    Equispaced,
}

/// Precision of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Precision {
    /// Single.
    F32,
    /// Double.
    F64,
}

/// `--bandwidth`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bandwidth {
    Auto,
    Value(f64),
}

impl std::str::FromStr for Bandwidth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        positive_number(text)
            .map(Self::Value)
            .ok_or_else(|| format!("expected auto or a positive number, found `{text}`"))
    }
}

/// `--step-size`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TypedStep {
    Auto,
    Adaptive(f64),
    Eta(f64),
    Tau(f64),
}

impl std::str::FromStr for TypedStep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = match text.split_once(':') {
            None if text == "auto" => Some(Self::Auto),
            None => positive_number(text).map(Self::Tau),
            Some(("adaptive", value)) => positive_number(value).map(Self::Adaptive),
            Some(("eta", value)) => positive_number(value).map(Self::Eta),
            Some(("tau", value)) => positive_number(value).map(Self::Tau),
            Some(_) => None,
        };
        parsed.ok_or_else(|| format!("expected auto, adaptive:X, eta:X or a positive number, found `{text}`"))
    }
}

/// `--times`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Times {
    /// So many from 0 to 1, at equal distances.
    Count(usize),
    /// These.
    List(Vec<f64>),
}

/// More times than this would fill the disk before they showed anything.
const MOST_TIMES: usize = 1000;

impl Times {
    /// The times, increasing.
    pub(crate) fn values(&self) -> Vec<f64> {
        match self {
            Self::Count(count) => (0..*count).map(|k| k as f64 / (count - 1) as f64).collect(),
            Self::List(times) => times.clone(),
        }
    }
}

impl std::str::FromStr for Times {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "expected a number of times from 2 to {MOST_TIMES}, or increasing times from 0 to 1 separated by commas (one alone with its point, as 0.5 or 1.0), found `{text}`"
            )
        };
        if let Ok(count) = text.parse::<usize>() {
            return Some(count).filter(|n| (2..=MOST_TIMES).contains(n)).map(Self::Count).ok_or_else(refused);
        }
        let times: Option<Vec<f64>> = text.split(',').map(|time| time.trim().parse().ok()).collect();
        let is_good = |times: &Vec<f64>| {
            times.len() <= MOST_TIMES
                && times.iter().all(|t| (0.0..=1.0).contains(t))
                && times.windows(2).all(|pair| pair[0] < pair[1])
        };
        times.filter(is_good).map(Self::List).ok_or_else(refused)
    }
}
