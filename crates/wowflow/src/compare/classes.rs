//! Which class goes where: the coupling of a comparison, summed over classes.

use super::Comparison;
use crate::measure::MeasureOverMeasures;
use crate::scalar::Scalar;

impl Comparison {
    /// The mass that goes from every class of `p` to every class of `q`, `C_P x C_Q` row-major; `None` for methods that
    /// couple nothing. Couplings of samples are summed over classes. `p` and `q` are the datasets that were compared.
    ///
    /// ```
    /// use wowflow::compare::{Method, compare};
    /// use wowflow::measure::MeasureOverMeasures;
    /// let p = MeasureOverMeasures::uniform(vec![0.0, 1.0, 8.0, 9.0], 1, &[2, 2])?;
    /// let q = MeasureOverMeasures::uniform(vec![8.0, 9.0, 0.0, 1.0], 1, &[2, 2])?;
    /// let found = compare(&p, &q, &Method::PooledW2, 0)?;
    /// assert_eq!(found.class_masses(&p, &q), Some(vec![0.0, 0.5, 0.5, 0.0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn class_masses<T: Scalar>(
        &self,
        p: &MeasureOverMeasures<T>,
        q: &MeasureOverMeasures<T>,
    ) -> Option<Vec<f64>> {
        let coupling = self.coupling.as_ref()?;
        let cols = q.class_count();
        if (coupling.rows(), coupling.cols()) == (p.class_count(), cols) {
            return Some(coupling.to_dense());
        }
        let classes = |measure: &MeasureOverMeasures<T>| -> Vec<usize> {
            (0..measure.class_count()).flat_map(|c| std::iter::repeat_n(c, measure.class_size(c))).collect()
        };
        let (left, right) = (classes(p), classes(q));
        let mut masses = vec![0.0; p.class_count() * cols];
        for atom in coupling.atoms() {
            masses[left[atom.row] * cols + right[atom.col]] += atom.mass;
        }
        Some(masses)
    }
}

/// Where a class goes, from its row of masses: the other classes with a share of its mass, the largest first.
///
/// ```
/// use wowflow::compare::destinations;
/// assert_eq!(destinations(&[1.0, 0.0, 3.0]), [(2, 0.75), (0, 0.25)]);
/// ```
#[must_use]
pub fn destinations(row: &[f64]) -> Vec<(usize, f64)> {
    /// What is less than this of a class is rounding.
    const ROUNDING: f64 = 1e-9;
    let total: f64 = row.iter().sum();
    if total <= 0.0 {
        return Vec::new();
    }
    let shares = row.iter().map(|mass| mass / total).enumerate();
    let mut found: Vec<(usize, f64)> = shares.filter(|(_, share)| *share > ROUNDING).collect();
    found.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
    found
}
