//! The normal distribution as far as rays of Gaussians need it: its density at its quantiles.

/// `phi(Phi^{-1}(u))`, the standard normal density at the quantile of level `u`; 0 outside (0, 1).
///
/// The integral of the quantile function between two levels is the difference of this: the inner product of
/// `Phi^{-1}` with a step function needs nothing else.
pub(super) fn density_at_quantile(level: f64) -> f64 {
    let tail = level.min(1.0 - level);
    if tail <= 0.0 {
        return 0.0;
    }
    // Halley's iteration on `upper_tail(z) = tail`, which is convex: a handful of steps from the bound
    // `z <= sqrt(-2 ln tail)`.
    let mut z = (-2.0 * tail.ln()).sqrt();
    for _ in 0..50 {
        let newton = (upper_tail(z) - tail) / density(z);
        let step = 2.0 * newton / (2.0 - newton * z);
        z = (z + step).max(0.0);
        if step.abs() <= 4.0 * f64::EPSILON * (1.0 + z) {
            break;
        }
    }
    density(z)
}

fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt()
}

/// `P(Z > z)` for `z >= 0`: a power series near 0, Laplace's continued fraction in the tail.
fn upper_tail(z: f64) -> f64 {
    const FRACTIONS: usize = 100;
    if z < 2.5 {
        let (mut term, mut sum, mut odd) = (z, z, 1.0);
        while term > f64::EPSILON * f64::EPSILON {
            odd += 2.0;
            term *= z * z / odd;
            sum += term;
        }
        return 0.5 - density(z) * sum;
    }
    let fraction = (1..=FRACTIONS).rev().fold(z, |below, k| z + k as f64 / below);
    density(z) / fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_and_quantiles_are_those_of_the_tables() {
        for (z, tail) in [
            (0.0, 0.5),
            (1.0, 0.158_655_253_931_457_05),
            (2.0, 0.022_750_131_948_179_21),
            (3.0, 0.001_349_898_031_630_094_6),
            (6.0, 9.865_876_450_376_946e-10),
        ] {
            assert!((upper_tail(z) / tail - 1.0).abs() < 1e-13, "{z}: {}", upper_tail(z));
            assert!((density_at_quantile(tail) / density(z) - 1.0).abs() < 1e-12);
            assert!((density_at_quantile(1.0 - tail) - density(z)).abs() < 1e-12);
        }
        // Both formulas meet where one takes over.
        let (below, above) = (upper_tail(2.5 - 1e-9), upper_tail(2.5 + 1e-9));
        assert!(below > above && (below - above - 2e-9 * density(2.5)).abs() < 1e-15);
        assert_eq!((density_at_quantile(0.0), density_at_quantile(1.0)), (0.0, 0.0));
        assert!(density_at_quantile(1e-300) < 1e-297 && density_at_quantile(1e-300) > 0.0);
    }
}
