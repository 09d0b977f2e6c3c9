//! Correlation of paired values: Pearson, Spearman, Kendall, with bootstrap intervals.

use rayon::prelude::*;
use thiserror::Error;

use crate::rng::{Purpose, Stream};

/// Why a correlation was refused.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum CorrelationError {
    /// Lists of different lengths.
    #[error("expected as many values on both sides, found {left} and {right}")]
    Lengths {
        /// Values on the left.
        left: usize,
        /// Values on the right.
        right: usize,
    },
    /// Too few pairs of values.
    #[error("expected at least {expected} pairs of values, found {found}")]
    TooFew {
        /// The least number.
        expected: usize,
        /// Pairs found.
        found: usize,
    },
    /// A value that is NaN or infinite.
    #[error("expected finite values, found {found} as value {index} on the {side}")]
    NotFinite {
        /// "left" or "right".
        side: &'static str,
        /// Position, counted from 1.
        index: usize,
        /// The value.
        found: f64,
    },
    /// All values of a side are equal: no correlation is defined.
    #[error("expected values that differ on the {side}, found {found} alone")]
    Constant {
        /// "left" or "right".
        side: &'static str,
        /// The value they all have.
        found: f64,
    },
    /// A level outside (0, 1).
    #[error("expected the level of an interval between 0 and 1, found {found}")]
    BadLevel {
        /// The level found.
        found: f64,
    },
    /// No resamples to take an interval from.
    #[error("expected at least one resample with values that differ, found none among {drawn}")]
    NoResamples {
        /// Resamples drawn.
        drawn: usize,
    },
}

/// Pearson's correlation: of the values, as far as a straight line explains them.
///
/// ```
/// use wowflow::stats::correlation::pearson;
/// assert_eq!(pearson(&[1.0, 2.0, 3.0], &[5.0, 3.0, 1.0])?, -1.0);
/// # Ok::<(), wowflow::stats::correlation::CorrelationError>(())
/// ```
///
/// # Errors
/// Lists of different lengths, fewer than two pairs, NaN, infinite or constant values.
pub fn pearson(x: &[f64], y: &[f64]) -> Result<f64, CorrelationError> {
    checked(x, y)?;
    Ok(pearson_of(x, y))
}

/// Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank.
///
/// ```
/// use wowflow::stats::correlation::spearman;
/// assert_eq!(spearman(&[1.0, 2.0, 30.0], &[0.1, 0.2, 0.3])?, 1.0);
/// # Ok::<(), wowflow::stats::correlation::CorrelationError>(())
/// ```
///
/// # Errors
/// As [`pearson`].
pub fn spearman(x: &[f64], y: &[f64]) -> Result<f64, CorrelationError> {
    checked(x, y)?;
    Ok(pearson_of(&ranks(x), &ranks(y)))
}

/// Kendall's `tau_b`: pairs in the same order less pairs in opposite orders, over the geometric
/// mean of the pairs not tied on either side; by merge sort (Knight, 1966) in O(n log n).
///
/// ```
/// use wowflow::stats::correlation::kendall;
/// assert_eq!(kendall(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0])?, 1.0 / 3.0);
/// # Ok::<(), wowflow::stats::correlation::CorrelationError>(())
/// ```
///
/// # Errors
/// As [`pearson`].
pub fn kendall(x: &[f64], y: &[f64]) -> Result<f64, CorrelationError> {
    checked(x, y)?;
    Ok(kendall_of(x, y))
}

/// How intervals are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Resamples of the pairs, with replacement.
    pub resamples: usize,
    /// The part of the resamples between the ends of an interval.
    pub level: f64,
    /// Seed of the resamples.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 2000, level: 0.95, seed: 0 }
    }
}

/// A coefficient and its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficient {
    /// The coefficient of the values, in [-1, 1].
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// All three coefficients of the same pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlations {
    /// Pearson's, of the values.
    pub pearson: Coefficient,
    /// Spearman's, of the ranks.
    pub spearman: Coefficient,
    /// Kendall's `tau_b`.
    pub kendall: Coefficient,
    /// Pairs of values.
    pub pairs: usize,
    /// Resamples behind the intervals: those with values that differ on both sides.
    pub resamples: usize,
}

/// The three coefficients with percentile bootstrap intervals (Efron and Tibshirani, "An
/// introduction to the bootstrap", 1993, chapter 13): all coefficients from the same resamples, the
/// same bits for any number of threads.
///
/// Pairs are resampled as if independent; pairs that share a dataset are not quite.
///
/// ```
/// use wowflow::stats::correlation::{Bootstrap, correlations};
/// let x: Vec<f64> = (0..30).map(f64::from).collect();
/// let y: Vec<f64> = x.iter().map(|x| x * x + 40.0 * (x % 3.0)).collect();
/// let found = correlations(&x, &y, &Bootstrap::default())?.spearman;
/// assert!(found.low < found.value && found.value < found.high && found.high < 1.0);
/// # Ok::<(), wowflow::stats::correlation::CorrelationError>(())
/// ```
///
/// # Errors
/// As [`pearson`] with at least three pairs, a level outside (0, 1), no resamples.
pub fn correlations(x: &[f64], y: &[f64], bootstrap: &Bootstrap) -> Result<Correlations, CorrelationError> {
    let &Bootstrap { resamples, level, seed } = bootstrap;
    checked(x, y)?;
    if x.len() < 3 {
        return Err(CorrelationError::TooFew { expected: 3, found: x.len() });
    }
    if !(0.0 < level && level < 1.0) {
        return Err(CorrelationError::BadLevel { found: level });
    }
    let all = |x: &[f64], y: &[f64]| [pearson_of(x, y), pearson_of(&ranks(x), &ranks(y)), kendall_of(x, y)];
    let resample = |draw: usize| {
        let mut draws = Stream::new(seed, Purpose::Bootstrap, draw as u64).reader();
        let rows: Vec<usize> = (0..x.len()).map(|_| draws.below(x.len())).collect();
        let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let (x, y) = (pick(x), pick(y));
        (!is_constant(&x) && !is_constant(&y)).then(|| all(&x, &y))
    };
    let drawn: Vec<[f64; 3]> = (0..resamples).into_par_iter().filter_map(resample).collect();
    if drawn.is_empty() {
        return Err(CorrelationError::NoResamples { drawn: resamples });
    }
    let values = all(x, y);
    let [pearson, spearman, kendall] = [0, 1, 2].map(|which| {
        let mut sorted: Vec<f64> = drawn.iter().map(|coefficients| coefficients[which]).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - level);
        Coefficient {
            value: values[which],
            low: quantile(&sorted, tail),
            high: quantile(&sorted, 1.0 - tail),
        }
    });
    Ok(Correlations { pearson, spearman, kendall, pairs: x.len(), resamples: drawn.len() })
}

fn checked(x: &[f64], y: &[f64]) -> Result<(), CorrelationError> {
    if x.len() != y.len() {
        return Err(CorrelationError::Lengths { left: x.len(), right: y.len() });
    }
    if x.len() < 2 {
        return Err(CorrelationError::TooFew { expected: 2, found: x.len() });
    }
    for (side, values) in [("left", x), ("right", y)] {
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(CorrelationError::NotFinite { side, index: at + 1, found: values[at] });
        }
        if is_constant(values) {
            return Err(CorrelationError::Constant { side, found: values[0] });
        }
    }
    Ok(())
}

fn is_constant(values: &[f64]) -> bool {
    values.iter().all(|value| *value == values[0])
}

/// Of checked values.
fn pearson_of(x: &[f64], y: &[f64]) -> f64 {
    let (x, y) = (standard(x), standard(y));
    let product: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
    product.clamp(-1.0, 1.0)
}

/// Values less their mean, over the root of the sum of squares; values of any size will do.
fn standard(values: &[f64]) -> Vec<f64> {
    let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let scaled = values.iter().map(|value| value / largest);
    let mean = scaled.clone().sum::<f64>() / values.len() as f64;
    let centered: Vec<f64> = scaled.map(|value| value - mean).collect();
    let reach = centered.iter().fold(0.0f64, |reach, value| reach.max(value.abs()));
    let norm = centered.iter().map(|value| (value / reach).powi(2)).sum::<f64>().sqrt() * reach;
    centered.iter().map(|value| value / norm).collect()
}

/// Ranks from 1; equal values share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    // Zeros of either sign are equal, though sorted apart.
    for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let rank = start as f64 + 0.5 * (tied.len() + 1) as f64;
        tied.iter().for_each(|&i| ranks[i] = rank);
        start += tied.len();
    }
    ranks
}

/// Of checked values.
fn kendall_of(x: &[f64], y: &[f64]) -> f64 {
    // Ranks know ties, zeros of either sign among them.
    let (x, y) = (ranks(x), ranks(y));
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_unstable_by(|&i, &j| x[i].total_cmp(&x[j]).then(y[i].total_cmp(&y[j])));
    let pairs = |count: usize| count as f64 * (count as f64 - 1.0) * 0.5;
    let tied_x: f64 = order.chunk_by(|&i, &j| x[i] == x[j]).map(|tied| pairs(tied.len())).sum();
    let tied_both: f64 =
        order.chunk_by(|&i, &j| (x[i], y[i]) == (x[j], y[j])).map(|tied| pairs(tied.len())).sum();
    let mut values: Vec<f64> = order.iter().map(|&i| y[i]).collect();
    let discordant = sort_counting(&mut values) as f64;
    let tied_y: f64 = values.chunk_by(|a, b| a == b).map(|tied| pairs(tied.len())).sum();
    let all = pairs(x.len());
    let concordant = all - tied_x - tied_y + tied_both - discordant;
    (concordant - discordant) / ((all - tied_x) * (all - tied_y)).sqrt()
}

/// Sorts by merging and returns the number of pairs that stood in the wrong order.
fn sort_counting(values: &mut [f64]) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let middle = values.len() / 2;
    let mut count = sort_counting(&mut values[..middle]) + sort_counting(&mut values[middle..]);
    let mut merged = Vec::with_capacity(values.len());
    let (mut left, mut right) = (0, middle);
    while left < middle || right < values.len() {
        if right == values.len() || (left < middle && values[left] <= values[right]) {
            merged.push(values[left]);
            left += 1;
        } else {
            count += (middle - left) as u64;
            merged.push(values[right]);
            right += 1;
        }
    }
    values.copy_from_slice(&merged);
    count
}

/// The quantile of sorted values, interpolated.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (place - place.floor()) * (above - below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(len: usize, step: u64, kinds: f64) -> Vec<f64> {
        let stream = Stream::new(8, Purpose::Test, step);
        (0..len as u64).map(|i| (stream.uniform(i) * kinds).floor()).collect()
    }

    /// Kendall's coefficient by its definition.
    fn plain_kendall(x: &[f64], y: &[f64]) -> f64 {
        let (mut score, mut in_x, mut in_y) = (0.0, 0.0, 0.0);
        for i in 0..x.len() {
            for j in 0..i {
                let sign = |values: &[f64]| match values[i] - values[j] {
                    0.0 => 0.0,
                    difference => f64::signum(difference),
                };
                score += sign(x) * sign(y);
                in_x += sign(x).abs();
                in_y += sign(y).abs();
            }
        }
        score / f64::sqrt(in_x * in_y)
    }

    #[test]
    fn known_values_with_ties() {
        // Scipy's documented example of tau_b, and hand-computed ranks.
        let (x, y) = ([12.0, 2.0, 1.0, 12.0, 2.0], [1.0, 4.0, 7.0, 1.0, 0.0]);
        assert!((kendall(&x, &y).unwrap() + 0.471_404_520_791_031_7).abs() < 1e-15);
        assert_eq!(ranks(&x), [4.5, 2.5, 1.0, 4.5, 2.5]);
        assert_eq!(ranks(&[0.0, -0.0, 1.0]), [1.5, 1.5, 3.0]);
        // Ranks (4.5, 2.5, 1, 4.5, 2.5) and (2.5, 4, 5, 2.5, 1): sums of squares 9 and 9.5, of products -5.
        assert!((spearman(&x, &y).unwrap() + 5.0 / (9.0f64 * 9.5).sqrt()).abs() < 1e-15);
        assert!(
            (pearson(&[1.0, 2.0, 4.0], &[1.0, 3.0, 2.0]).unwrap() - 1.0 / (14.0f64 / 3.0 * 2.0).sqrt()).abs()
                < 1e-15
        );
    }

    #[test]
    fn kendall_by_sorting_is_kendall_by_pairs() {
        for (case, len) in (0..60).zip([2, 3, 5, 8, 40].into_iter().cycle()) {
            let (x, y) = (draws(len, 2 * case, 6.0), draws(len, 2 * case + 1, 1.0 + case as f64));
            if is_constant(&x) || is_constant(&y) {
                continue;
            }
            let (found, expected) = (kendall(&x, &y).unwrap(), plain_kendall(&x, &y));
            assert!((found - expected).abs() < 1e-14, "{x:?} {y:?}: {found} {expected}");
        }
    }

    #[test]
    fn ranks_ignore_scales_and_extremes_do_not_overflow() {
        let x = draws(50, 1, 1e6);
        let y: Vec<f64> = x.iter().zip(draws(50, 2, 3e5)).map(|(x, noise)| x + noise).collect();
        let bent: Vec<f64> = y.iter().map(|y| (y / 2e5).exp()).collect();
        assert_eq!(spearman(&x, &y), spearman(&x, &bent));
        assert_eq!(kendall(&x, &y), kendall(&x, &bent));
        for scale in [1e300, 1e-300] {
            let scaled: Vec<f64> = y.iter().map(|y| y * scale).collect();
            let both = (pearson(&x, &y).unwrap(), pearson(&x, &scaled).unwrap());
            assert!((both.0 - both.1).abs() < 1e-14, "{both:?}");
        }
    }

    #[test]
    fn intervals_cover_about_as_often_as_they_say() {
        // Normal pairs of correlation 0.8.
        let mut covered = 0;
        for case in 0..200 {
            let mut noise = vec![0.0; 120];
            Stream::new(9, Purpose::Test, case).normals(0, &mut noise);
            let (x, z) = noise.split_at(60);
            let y: Vec<f64> = x.iter().zip(z).map(|(x, z)| 0.8 * x + 0.6 * z).collect();
            let bootstrap = Bootstrap { resamples: 400, level: 0.9, seed: case };
            let found = correlations(x, &y, &bootstrap).unwrap().pearson;
            covered += usize::from(found.low <= 0.8 && 0.8 <= found.high);
        }
        assert!((165..=192).contains(&covered), "{covered} of 200");
    }

    #[test]
    fn intervals_depend_on_the_seed_alone() {
        let (x, y) = (draws(30, 3, 9.0), draws(30, 4, 9.0));
        let with = |seed| correlations(&x, &y, &Bootstrap { resamples: 99, level: 0.95, seed }).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(with(1), pool.install(|| with(1)));
        assert_ne!(with(1).spearman, with(2).spearman);
        // Resamples without two different values are left out.
        let three = correlations(&[1.0, 2.0, 3.0], &[1.0, 2.0, 2.0], &Bootstrap::default()).unwrap();
        assert!(three.resamples < 2000 && three.resamples > 1000 && three.spearman.high <= 1.0);
    }

    #[test]
    fn what_has_no_correlation_is_refused() {
        let refused = |x: &[f64], y: &[f64]| correlations(x, y, &Bootstrap::default()).unwrap_err();
        assert_eq!(refused(&[1.0], &[1.0, 2.0]), CorrelationError::Lengths { left: 1, right: 2 });
        assert_eq!(refused(&[1.0, 2.0], &[1.0, 2.0]), CorrelationError::TooFew { expected: 3, found: 2 });
        assert_eq!(pearson(&[1.0], &[1.0]), Err(CorrelationError::TooFew { expected: 2, found: 1 }));
        assert!(matches!(
            kendall(&[1.0, f64::NAN], &[1.0, 2.0]),
            Err(CorrelationError::NotFinite { index: 2, .. })
        ));
        assert_eq!(
            spearman(&[1.0, 2.0], &[0.1, 0.1]),
            Err(CorrelationError::Constant { side: "right", found: 0.1 })
        );
        let three = [1.0, 2.0, 3.0];
        for (resamples, level) in [(0, 0.95), (10, 1.0), (10, f64::NAN)] {
            assert!(correlations(&three, &three, &Bootstrap { resamples, level, seed: 0 }).is_err());
        }
    }
}
