//! Differences of means with their errors: paired, or between two independent sets of draws.

use crate::stats::estimate::Estimate;

/// The mean of `a_i - b_i` with its standard error: for draws that share what they depend on.
///
/// `degrees_of_freedom` is the number of pairs less one; the error is NaN for a single pair.
///
/// ```
/// use wowflow::stats::significance::{differs, paired};
/// let found = paired(&[3.0, 5.1, 6.9], &[1.0, 3.0, 5.0]);
/// assert!((found.value - 2.0).abs() < 1e-12);
/// assert_eq!(differs(&found, 0.95), Some(true));
/// ```
///
/// # Panics
/// Different numbers of draws, or none.
#[must_use]
pub fn paired(a: &[f64], b: &[f64]) -> Estimate {
    assert_eq!(a.len(), b.len(), "draws come in pairs");
    assert!(!a.is_empty(), "at least one pair");
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    Estimate::of_mean(&differences)
}

/// Mean, standard deviation and number of independent draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draws {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with one draw less in its denominator.
    pub deviation: f64,
    /// How many there are.
    pub count: usize,
}

impl Draws {
    /// Of values; the deviation of a single one is NaN.
    ///
    /// # Panics
    /// No values.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        assert!(!values.is_empty(), "at least one draw");
        let mean = Estimate::of_mean(values);
        let count = values.len();
        Self { mean: mean.value, deviation: mean.standard_error * (count as f64).sqrt(), count }
    }
}

/// The difference of two means of independent draws, their variances not assumed equal (Welch 1947), the
/// degrees of freedom rounded down.
#[must_use]
pub fn welch(a: Draws, b: Draws) -> Estimate {
    let part = |of: Draws| of.deviation * of.deviation / of.count as f64;
    let (u, v) = (part(a), part(b));
    let freedom = |part: f64, of: Draws| part * part / of.count.saturating_sub(1).max(1) as f64;
    let degrees = (u + v) * (u + v) / (freedom(u, a) + freedom(v, b));
    let degrees_of_freedom = if degrees.is_finite() { (degrees as usize).max(1) } else { 1 };
    Estimate { value: a.mean - b.mean, standard_error: (u + v).sqrt(), degrees_of_freedom }
}

/// Whether an interval of a level around a difference excludes 0; `None` where its error is not known: for a single
/// draw, and for draws that all agree, which say nothing of how much others would.
#[must_use]
pub fn differs(difference: &Estimate, level: f64) -> Option<bool> {
    let (low, high) = difference.interval(level);
    // Rounding is no error either.
    let known = difference.standard_error > 1e-12 * difference.value.abs();
    (known && !low.is_nan() && !high.is_nan()).then_some(low > 0.0 || high < 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welch_is_the_textbook_one() {
        // Two sets of values with means 4 and 8.
        let (a, b) = (Draws::of(&[2.0, 4.0, 6.0]), Draws::of(&[7.0, 8.0, 8.0, 9.0]));
        let found = welch(a, b);
        let (u, v) = (4.0 / 3.0, (2.0 / 3.0) / 4.0);
        assert!((found.value + 4.0).abs() < 1e-12);
        assert!((found.standard_error - f64::sqrt(u + v)).abs() < 1e-12);
        let degrees: f64 = (u + v) * (u + v) / (u * u / 2.0 + v * v / 3.0);
        assert_eq!(found.degrees_of_freedom, degrees as usize);
        assert_eq!(differs(&found, 0.95), Some(4.0 / found.standard_error > 4.303));
    }

    /// Hours of sleep gained by ten patients with two drugs (Student 1908, the data of his first table).
    const FIRST: [f64; 10] = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    const SECOND: [f64; 10] = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

    #[test]
    fn pairs_tell_what_independent_draws_do_not() {
        let pairs = paired(&FIRST, &SECOND);
        assert!((pairs.value / pairs.standard_error + 4.0621).abs() < 1e-4);
        assert_eq!(pairs.degrees_of_freedom, 9);
        let (low, high) = pairs.interval(0.95);
        assert!((low + 2.4599).abs() < 1e-3 && (high + 0.7001).abs() < 1e-3, "{low} {high}");
        assert_eq!(differs(&pairs, 0.95), Some(true));

        let apart = welch(Draws::of(&FIRST), Draws::of(&SECOND));
        assert!((apart.value / apart.standard_error + 1.8608).abs() < 1e-4);
        // 17.776, rounded down.
        assert_eq!(apart.degrees_of_freedom, 17);
        assert_eq!(differs(&apart, 0.95), Some(false));
    }

    #[test]
    fn what_is_not_known_is_not_significant() {
        assert_eq!(differs(&paired(&[1.0], &[0.0]), 0.95), None);
        assert_eq!(differs(&paired(&[1.0, 1.0], &[0.0, 0.0]), 0.95), None);
        assert_eq!(differs(&paired(&[1.0, 1.1], &[0.0, 0.0]), 0.95), Some(true));
        assert_eq!(differs(&paired(&[1.0, 3.0], &[1.5, 2.0]), 0.95), Some(false));
        let single = welch(Draws::of(&[1.0]), Draws { mean: 0.0, deviation: 1.0, count: 15 });
        assert_eq!(differs(&single, 0.95), None);
    }
}
