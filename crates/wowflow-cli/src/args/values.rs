//! What options take: choices by name, times.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use wowflow::name::Named;

/// A choice by its name, as every front end calls it, each with its sentence in the help.
pub(crate) fn by_name<T: Named + Send + Sync>() -> impl TypedValueParser<Value = T> + Clone {
    let value = |choice: &T| {
        // As clap has sentences of its own.
        PossibleValue::new(choice.name()).help(choice.summary().trim_end_matches('.'))
    };
    PossibleValuesParser::new(T::ALL.iter().map(value)).try_map(|text| T::from_name(&text))
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
