//! The times at which the datasets on a geodesic are written.

use std::str::FromStr;

use crate::error::{Result, StudyError, refuse, require};

/// More times than this would fill the disk before they showed anything.
const MOST: usize = 1000;

/// Increasing times in [0, 1].
///
/// Read as people write them: how many from 0 to 1, or the times themselves.
///
/// ```
/// use wowflow_study::geodesic::Times;
/// assert_eq!("3".parse::<Times>()?.values(), [0.0, 0.5, 1.0]);
/// assert_eq!("0.25,1".parse::<Times>()?, Times::new(vec![0.25, 1.0])?);
/// # Ok::<(), wowflow_study::StudyError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Times(Vec<f64>);

impl Default for Times {
    /// Eight from 0 to 1.
    fn default() -> Self {
        Self(evenly(8))
    }
}

fn evenly(count: usize) -> Vec<f64> {
    (0..count).map(|k| k as f64 / (count - 1) as f64).collect()
}

impl Times {
    /// These times.
    ///
    /// # Errors
    /// No times, more than a thousand, times outside [0, 1] or that do not increase.
    pub fn new(times: Vec<f64>) -> Result<Self> {
        let good = (1..=MOST).contains(&times.len())
            && times.iter().all(|t| (0.0..=1.0).contains(t))
            && times.windows(2).all(|pair| pair[0] < pair[1]);
        require!(good, "expected 1 to {MOST} increasing times from 0 to 1, found {times:?}");
        Ok(Self(times))
    }

    /// So many from 0 to 1, at equal distances.
    ///
    /// # Errors
    /// Fewer than two, more than a thousand.
    pub fn even(count: usize) -> Result<Self> {
        require!((2..=MOST).contains(&count), "expected a number of times from 2 to {MOST}, found {count}");
        Ok(Self(evenly(count)))
    }

    /// The times, increasing.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }
}

impl FromStr for Times {
    type Err = StudyError;

    fn from_str(text: &str) -> Result<Self> {
        let times = match text.parse::<usize>() {
            Ok(count) => Self::even(count).ok(),
            Err(_) => {
                let times: Option<Vec<f64>> = text.split(',').map(|time| time.trim().parse().ok()).collect();
                times.and_then(|times| Self::new(times).ok())
            }
        };
        let Some(times) = times else {
            refuse!(
                "expected a number of times from 2 to {MOST}, or increasing times from 0 to 1 separated by commas (one alone with its point, as 0.5 or 1.0), found `{text}`"
            )
        };
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_number_or_a_list() {
        assert_eq!("5".parse::<Times>().unwrap().values(), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!("0,0.25, 1".parse::<Times>().unwrap().values(), [0.0, 0.25, 1.0]);
        assert_eq!("1.0".parse::<Times>().unwrap().values(), [1.0]);
        assert_eq!("8".parse::<Times>().unwrap(), Times::default());
        for bad in ["", "0", "1", "1001", "-1", "nan", "0.5,", "0.5,0.5", "0,1.5", "a,b", "1e3"] {
            assert!(bad.parse::<Times>().is_err(), "{bad}");
        }
        assert!(Times::new(vec![]).is_err());
    }
}
