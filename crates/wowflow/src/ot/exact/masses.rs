//! Weights as whole numbers of a common unit, so that moving mass around is exact.
//!
//! Every flow of the simplex is a signed sum of weights. In whole numbers such sums have no
//! rounding: marginals hold exactly, and a flow that should vanish is 0.

use super::OtError;

/// Weights that are given as floating-point numbers count in units of `2^-61` of the total.
const TOTAL: f64 = (1u64 << 61) as f64;

/// Both sides of a transport problem.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Masses {
    /// Uniform on both sides and as many points: an assignment.
    Uniform,
    /// Anything else.
    Units(Units),
}

/// Masses in whole numbers; both sides have the same sum.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Units {
    pub(super) rows: Vec<i64>,
    pub(super) cols: Vec<i64>,
    /// How many units are the mass 1.
    pub(super) total: f64,
}

impl Units {
    /// Whether no point has more than so many units.
    pub(super) fn are_at_most(&self, most: i64) -> bool {
        self.rows.iter().chain(&self.cols).all(|mass| *mass <= most)
    }

    /// What `units` are worth.
    pub(super) fn mass(&self, units: i64) -> f64 {
        units as f64 / self.total
    }
}

impl Masses {
    /// Checks the weights of `n` and `m` points; `None`, and weights that are all equal, are uniform.
    pub(super) fn new(n: usize, m: usize, a: Option<&[f64]>, b: Option<&[f64]>) -> Result<Self, OtError> {
        let (a, b) = (check("left", n, a)?, check("right", m, b)?);
        if a.is_none() && b.is_none() && n == m {
            Ok(Self::Uniform)
        } else {
            Ok(Self::Units(units(n, m, a, b)))
        }
    }
}

/// The masses of a simplex run, whatever the sizes.
pub(super) fn units(n: usize, m: usize, a: Option<&[f64]>, b: Option<&[f64]>) -> Units {
    if a.is_none() && b.is_none() {
        // Each of n points sends m/g units, each of m receives n/g: ties stay ties.
        let g = gcd(n, m);
        let (row, col) = ((m / g) as i64, (n / g) as i64);
        return Units { rows: vec![row; n], cols: vec![col; m], total: (n / g * m) as f64 };
    }
    let mut rows = quantised(n, a);
    let mut cols = quantised(m, b);
    let surplus = rows.iter().sum::<i64>() - cols.iter().sum::<i64>();
    // Rounding leaves at most half a unit a point. The lighter side gets it, a unit a point, so
    // that equal measures in another order, which leave nothing, stay equal.
    if surplus > 0 {
        spread(&mut cols, surplus);
    } else {
        spread(&mut rows, -surplus);
    }
    Units { rows, cols, total: TOTAL }
}

/// Weights with every complaint about them made; `None` for uniform.
pub(super) fn check<'a>(
    side: &'static str,
    expected: usize,
    weights: Option<&'a [f64]>,
) -> Result<Option<&'a [f64]>, OtError> {
    let Some(weights) = weights else { return Ok(None) };
    if weights.len() != expected {
        return Err(OtError::WeightCount { side, expected, found: weights.len() });
    }
    if let Some(at) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        return Err(OtError::BadWeight { side, index: at + 1, found: weights[at] });
    }
    if weights.iter().all(|w| *w == 0.0) {
        return Err(OtError::ZeroMass { side });
    }
    Ok(if weights.iter().all(|w| *w == weights[0]) { None } else { Some(weights) })
}

fn quantised(count: usize, weights: Option<&[f64]>) -> Vec<i64> {
    let Some(weights) = weights else { return vec![(TOTAL / count as f64).round() as i64; count] };
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let relative: Vec<f64> = weights.iter().map(|w| w / largest).collect();
    // Summed in sorted order, the total does not depend on the order of the points.
    let mut sorted = relative.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let total: f64 = sorted.iter().sum();
    relative.iter().map(|w| (w / total * TOTAL).round() as i64).collect()
}

fn spread(masses: &mut [i64], mut surplus: i64) {
    while surplus > 0 {
        for mass in masses.iter_mut().filter(|mass| **mass > 0) {
            if surplus == 0 {
                return;
            }
            *mass += 1;
            surplus -= 1;
        }
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(a: Option<&[f64]>, b: Option<&[f64]>, n: usize, m: usize) -> Units {
        match Masses::new(n, m, a, b).unwrap() {
            Masses::Units(units) => units,
            Masses::Uniform => panic!("expected weights"),
        }
    }

    #[test]
    fn sides_balance_and_order_does_not_matter() {
        let a: Vec<f64> = (1..=301).map(|i| 1.0 / f64::from(i)).collect();
        let mut b = a.clone();
        b.reverse();
        let units = of(Some(&a), Some(&b), 301, 301);
        let mut reversed = units.cols.clone();
        reversed.reverse();
        assert_eq!(units.rows, reversed);
        let units = of(Some(&a), None, 301, 7);
        assert_eq!(units.rows.iter().sum::<i64>(), units.cols.iter().sum::<i64>());
        let total: f64 = a.iter().sum();
        for (mass, weight) in units.rows.iter().zip(&a) {
            assert!((units.mass(*mass) - weight / total).abs() < 1e-15);
        }
    }

    #[test]
    fn uniform_sides_are_fractions() {
        let units = of(None, Some(&[0.1; 6]), 4, 6);
        assert_eq!((units.rows, units.cols), (vec![3; 4], vec![2; 6]));
        assert_eq!(Masses::new(3, 3, None, Some(&[7.0; 3])), Ok(Masses::Uniform));
    }

    #[test]
    fn weights_of_any_size_work_and_bad_ones_do_not() {
        let units = of(Some(&[1e308, 1e308, 0.0]), Some(&[1e-320, 3e-320]), 3, 2);
        assert_eq!(units.rows, vec![1 << 60, 1 << 60, 0]);
        assert!((units.mass(units.cols[0]) - 0.25).abs() < 1e-3);
        let refused = |a: &[f64]| Masses::new(2, 1, Some(a), None).unwrap_err();
        assert_eq!(refused(&[1.0]), OtError::WeightCount { side: "left", expected: 2, found: 1 });
        assert_eq!(refused(&[1.0, -0.5]), OtError::BadWeight { side: "left", index: 2, found: -0.5 });
        assert!(matches!(refused(&[f64::NAN, 1.0]), OtError::BadWeight { index: 1, .. }));
        assert_eq!(refused(&[0.0, 0.0]), OtError::ZeroMass { side: "left" });
    }
}
