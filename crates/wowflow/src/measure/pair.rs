//! Two datasets side by side.

use super::MeasureOverMeasures;

/// The dataset that is moved or compared, and the one it is moved to or compared with.
///
/// ```
/// use wowflow::measure::{MeasureOverMeasures, Pair};
/// let p = MeasureOverMeasures::uniform(vec![0.0, 1.0, 5.0_f64], 1, &[2, 1])?;
/// let pair = Pair { source: &p, target: &p };
/// assert_eq!(pair.source.class_count(), pair.target.class_count());
/// # Ok::<(), wowflow::measure::MeasureError>(())
/// ```
#[derive(Debug)]
pub struct Pair<'a, T> {
    /// The source, `P`.
    pub source: &'a MeasureOverMeasures<T>,
    /// The target, `Q`.
    pub target: &'a MeasureOverMeasures<T>,
}

impl<T> Clone for Pair<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Pair<'_, T> {}
