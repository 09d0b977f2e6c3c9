//! Monte-Carlo estimates: a value, how far it is likely off, and an interval.

/// An estimate from a finite number of independent draws.
///
/// ```
/// use wowflow::stats::estimate::Estimate;
/// let mean = Estimate::of_mean(&[1.0, 2.0, 3.0, 4.0]);
/// assert_eq!(mean.value, 2.5);
/// let (low, high) = mean.interval(0.95);
/// assert!((high - low - 2.0 * 3.182 * mean.standard_error).abs() < 1e-3); // Student's t, 3 degrees
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate itself.
    pub value: f64,
    /// Its standard error; NaN where the draws are too few to tell.
    pub standard_error: f64,
    /// Degrees of freedom behind the standard error: draws, or batches of draws, less one.
    pub degrees_of_freedom: usize,
}

impl Estimate {
    /// A mean with its standard error, from the means of batches of the given sizes.
    pub(crate) fn of_batches(value: f64, batches: &[(f64, f64)]) -> Self {
        /// Fewer batches than this say nothing about the error.
        const BATCHES: usize = 8;
        if batches.len() < BATCHES {
            return Self { value, standard_error: f64::NAN, degrees_of_freedom: 0 };
        }
        let total: f64 = batches.iter().map(|(count, _)| count).sum();
        let squares: f64 = batches.iter().map(|(count, mean)| count / total * (mean - value).powi(2)).sum();
        let standard_error = (squares / (batches.len() - 1) as f64).sqrt();
        Self { value, standard_error, degrees_of_freedom: batches.len() - 1 }
    }

    /// A value without error.
    #[must_use]
    pub fn exact(value: f64) -> Self {
        Self { value, standard_error: 0.0, degrees_of_freedom: 0 }
    }

    /// The mean of independent draws of one distribution.
    #[must_use]
    pub fn of_mean(draws: &[f64]) -> Self {
        let count = draws.len() as f64;
        let value = draws.iter().sum::<f64>() / count;
        let squares: f64 = draws.iter().map(|draw| (draw - value).powi(2)).sum();
        let variance = if draws.len() > 1 { squares / (count - 1.0) } else { f64::NAN };
        Self {
            value,
            standard_error: (variance / count).sqrt(),
            degrees_of_freedom: draws.len().saturating_sub(1),
        }
    }

    /// The estimate of a smooth function of what is estimated, given its value and its derivative
    /// there (the delta method).
    #[must_use]
    pub fn mapped(self, value: f64, derivative: f64) -> Self {
        Self { value, standard_error: derivative.abs() * self.standard_error, ..self }
    }

    /// The interval that covers the truth with a probability of about `level`, by Student's t.
    ///
    /// # Panics
    /// A level outside (0, 1).
    #[must_use]
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let reach = student_quantile(level, self.degrees_of_freedom) * self.standard_error;
        (self.value - reach, self.value + reach)
    }
}

/// The `t` with `P(|T| <= t) = level` for Student's distribution.
///
/// With `T = sqrt(nu) tan(phi)` the density of `phi` is proportional to `cos(phi)^(nu - 1)`: the quantile
/// is found on its integral by Simpson's rule. Beyond 10,000 degrees of freedom nothing changes in the
/// first four digits.
///
/// # Panics
/// A level outside (0, 1).
#[must_use]
pub fn student_quantile(level: f64, degrees_of_freedom: usize) -> f64 {
    assert!(0.0 < level && level < 1.0, "the level of an interval lies between 0 and 1, found {level}");
    const CELLS: usize = 4000;
    let nu = degrees_of_freedom.clamp(1, 10_000) as f64;
    // Nearly all mass lies within 40 / sqrt(nu).
    let end = std::f64::consts::FRAC_PI_2.min(40.0 / nu.sqrt());
    let width = end / CELLS as f64;
    let density = |phi: f64| phi.cos().max(0.0).powf(nu - 1.0);
    let mut below = vec![0.0];
    for cell in 0..CELLS {
        let start = cell as f64 * width;
        let simpson = density(start) + 4.0 * density(start + 0.5 * width) + density(start + width);
        below.push(below[cell] + simpson * width / 6.0);
    }
    let wanted = level * below[CELLS];
    let cell = below.partition_point(|mass| *mass < wanted).clamp(1, CELLS);
    let (before, after) = (below[cell - 1], below[cell]);
    let phi = (cell as f64 - 1.0 + (wanted - before) / (after - before)) * width;
    nu.sqrt() * phi.tan()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (level, degrees, expected) in [
            (0.95, 1, 12.706),
            (0.95, 3, 3.182),
            (0.95, 31, 2.0395),
            (0.99, 10, 3.169),
            (0.9, 499, 1.6479),
            (0.95, 1_000_000, 1.9602),
        ] {
            let found = student_quantile(level, degrees);
            assert!((found / expected - 1.0).abs() < 3e-4, "{level} {degrees}: {found}");
        }
    }

    #[test]
    fn one_draw_has_no_error() {
        let one = Estimate::of_mean(&[3.0]);
        assert!(one.value == 3.0 && one.standard_error.is_nan());
    }
}
