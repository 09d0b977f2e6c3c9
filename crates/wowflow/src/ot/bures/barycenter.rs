//! Barycenters of Gaussians by the fixed point of optimal maps.

use super::gaussian::{gram, normalised, root};
use super::spectral::polar;
use super::{BuresError, Gaussian, apply, factor_product, same_dim, w2_pow};

/// When the fixed-point iteration ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BarycenterSettings {
    /// Largest [`Barycenter::residual`] that counts as solved.
    pub tolerance: f64,
    /// Most iterations, one decomposition for every Gaussian each.
    pub max_iterations: usize,
}

impl Default for BarycenterSettings {
    fn default() -> Self {
        Self { tolerance: 1e-9, max_iterations: 500 }
    }
}

/// A barycenter with what certifies it.
#[derive(Clone, Debug, PartialEq)]
pub struct Barycenter {
    /// The minimiser found of `sum_i w_i W_2^2(., N_i)`.
    pub gaussian: Gaussian,
    /// The sum at the minimiser.
    pub value: f64,
    /// How far from the fixed point: the length of the gradient, `|x - sum_i w_i T_i(x)|` in mean square,
    /// over the root of the total variance.
    pub residual: f64,
    /// Iterations taken.
    pub iterations: usize,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

/// The Gaussian that minimises `sum_i w_i W_2^2(., N_i)`; weights are normalised, `None` is uniform.
///
/// The fixed point `S = T S T` with `T = sum_i w_i T_i` the mean of the optimal maps from `S`
/// (Álvarez-Esteban, del Barrio, Cuesta-Albertos, Matrán 2016), iterated on a factor of `S`.
///
/// ```
/// use wowflow::ot::bures::{BarycenterSettings, Gaussian, barycenter};
/// let normal = |mean, variance| Gaussian::from_covariance(vec![mean], &[variance]);
/// let parts = [normal(0.0, 1.0)?, normal(4.0, 9.0)?];
/// let middle = barycenter(&parts, None, &BarycenterSettings::default())?;
/// assert_eq!(middle.gaussian.mean(), [2.0]);
/// assert!(middle.converged && (middle.gaussian.trace() - 4.0).abs() < 1e-9); // ((1 + 3) / 2)^2
/// # Ok::<(), wowflow::ot::bures::BuresError>(())
/// ```
///
/// # Errors
/// No Gaussians, different dimensions, weights of another number, negative or of total 0.
pub fn barycenter(
    gaussians: &[Gaussian],
    weights: Option<&[f64]>,
    settings: &BarycenterSettings,
) -> Result<Barycenter, BuresError> {
    let Some(first) = gaussians.first() else { return Err(BuresError::Empty { what: "Gaussian" }) };
    gaussians.iter().try_for_each(|other| same_dim(first, other))?;
    let weights = normalised(weights, gaussians.len(), "weights")?;
    let parts: Vec<(&Gaussian, f64)> =
        gaussians.iter().zip(weights).filter(|(_, weight)| *weight > 0.0).collect();
    let dim = first.dim();
    let mut mean = vec![0.0; dim];
    for (part, weight) in &parts {
        mean.iter_mut().zip(part.mean()).for_each(|(mean, m)| *mean += weight * m);
    }
    // The mixture of the covariances: it covers all directions that any part covers.
    let mut factor: Vec<f64> =
        parts.iter().flat_map(|(part, weight)| part.factor().iter().map(|v| weight.sqrt() * v)).collect();
    if factor.len() > dim * dim {
        factor = root(&gram(&factor, dim), dim)?;
    }
    let mut at = Gaussian::from_factor(mean, factor);
    let (mut iterations, mut residual) = (0, step(&at, &parts)?);
    while residual.0 > settings.tolerance && iterations < settings.max_iterations {
        at = Gaussian::from_factor(at.mean().to_vec(), residual.1);
        iterations += 1;
        residual = step(&at, &parts)?;
    }
    let mut value = 0.0;
    for (part, weight) in &parts {
        value += weight * w2_pow(&at, part)?;
    }
    let converged = residual.0 <= settings.tolerance;
    Ok(Barycenter { gaussian: at, value, residual: residual.0, iterations, converged })
}

/// The residual at a covariance and the factor of the next one, `sum_i w_i U_i F_i`.
fn step(at: &Gaussian, parts: &[(&Gaussian, f64)]) -> Result<(f64, Vec<f64>), BuresError> {
    let rows = at.factor_rows();
    let mut next = vec![0.0; at.factor().len()];
    for (part, weight) in parts {
        if rows > 0 && part.factor_rows() > 0 {
            let (factor, _) = polar(&factor_product(at, part), rows, part.factor_rows())?;
            let moved = apply(&factor, part, rows);
            next.iter_mut().zip(moved).for_each(|(next, moved)| *next += weight * moved);
        }
    }
    let change: f64 = at.factor().iter().zip(&next).map(|(x, y)| (x - y) * (x - y)).sum();
    let trace = at.trace();
    Ok((if trace > 0.0 { (change / trace).sqrt() } else { 0.0 }, next))
}
