//! Values of a plan given by its potentials, and the gap that certifies them.

use super::costs::{BLOCK, Costs, by_pieces};
use super::loops::{gibbs, log_sum_exp, moments};
use super::settings::{Marginals, SinkhornSettings};
use super::solver::{Iterate, Problem, logs};

/// The plan `P_ij = a_i b_j exp((f_i + g_j - c_ij) / eps)` and what it is worth.
pub(super) struct Valued {
    pub(super) f: Vec<f64>,
    pub(super) g: Vec<f64>,
    pub(super) value: f64,
    pub(super) linear_cost: f64,
    pub(super) kl: f64,
    pub(super) gap: f64,
    pub(super) marginal_error: f64,
    pub(super) row_masses: Vec<f64>,
    pub(super) col_masses: Vec<f64>,
}

/// Sums over a plan: the masses of rows and columns, and mass times cost.
struct Sums {
    rows: Vec<f64>,
    cols: Vec<f64>,
    moved: f64,
}

/// Visits all rows of `a_i exp(phi_i + h_j - c_ij / eps)`, `phi_i` made by `potential` from the row's costs.
fn sum_plan(
    costs: &Costs<'_>,
    a: &[f64],
    h: &[f64],
    epsilon: f64,
    potential: impl Fn(usize, &[f64]) -> f64 + Sync,
) -> (Vec<f64>, Sums) {
    let m = costs.cols();
    let pieces = by_pieces(costs.rows(), m, |piece| {
        let mut scratch = Vec::new();
        let mut plan = vec![0.0; m];
        let mut sums = Sums { rows: Vec::new(), cols: vec![0.0; m], moved: 0.0 };
        let mut potentials = Vec::with_capacity(piece.len());
        for start in piece.clone().step_by(BLOCK) {
            let rows = start..(start + BLOCK).min(piece.end);
            let block = costs.block(rows.clone(), &mut scratch);
            for (i, row) in rows.zip(block.chunks_exact(m)) {
                let phi = potential(i, row);
                gibbs(row, h, phi, 1.0 / epsilon, &mut plan);
                let (mass, moved) = moments(&plan, row);
                sums.rows.push(a[i] * mass);
                sums.moved += a[i] * moved;
                sums.cols.iter_mut().zip(&plan).for_each(|(sum, p)| *sum += a[i] * p);
                potentials.push(phi);
            }
        }
        (potentials, sums)
    });
    let mut all = Vec::with_capacity(costs.rows());
    let mut total = Sums { rows: Vec::with_capacity(costs.rows()), cols: vec![0.0; m], moved: 0.0 };
    for (potentials, sums) in pieces {
        all.extend(potentials);
        total.rows.extend(sums.rows);
        total.cols.iter_mut().zip(&sums.cols).for_each(|(sum, part)| *sum += part);
        total.moved += sums.moved;
    }
    (all, total)
}

fn dot(u: &[f64], v: &[f64]) -> f64 {
    u.iter().zip(v).map(|(u, v)| u * v).sum()
}

fn total(w: &[f64]) -> f64 {
    w.iter().sum()
}

/// `KL(p | w) = sum p log(p / w) - p + w`.
fn divergence(p: &[f64], w: &[f64]) -> f64 {
    let term = |(p, w): (&f64, &f64)| if *p > 0.0 { p * (p / w).ln() - p + w } else { *w };
    p.iter().zip(w).map(term).sum()
}

/// Ends an iteration by one exact update of `f`, then values the plan and certifies it.
pub(super) fn certify(problem: &Problem<'_>, iterate: &Iterate) -> Valued {
    let Problem { costs, a, b, settings, .. } = *problem;
    let (epsilon, slope) = (settings.epsilon, settings.slope(settings.epsilon));
    let gamma: Vec<f64> = iterate.g.iter().map(|g| g / epsilon).collect();
    let h: Vec<f64> = gamma.iter().zip(logs(b)).map(|(g, b)| g + b).collect();
    let exact = |_: usize, row: &[f64]| -slope * log_sum_exp(row, &h, 1.0 / epsilon);
    let (phi, sums) = sum_plan(costs, a, &h, epsilon, exact);
    let mass = total(&sums.rows);
    let kl =
        dot(&sums.rows, &phi) + dot(&sums.cols, &gamma) - sums.moved / epsilon - mass + total(a) * total(b);
    let mut f: Vec<f64> = phi.iter().map(|phi| phi * epsilon).collect();
    let mut g = iterate.g.clone();
    let off = |masses: &[f64], w: &[f64], potential: &[f64]| -> f64 {
        let wanted = |(w, p): (&f64, &f64)| match settings.marginals {
            Marginals::Exact => *w,
            Marginals::Relaxed { rho } => w * (-p / rho).exp(),
        };
        w.iter().zip(potential).map(wanted).zip(masses).map(|(wanted, found)| (found - wanted).abs()).sum()
    };
    let marginal_error = (off(&sums.rows, a, &f) + off(&sums.cols, b, &g)) / total(b);
    let loss = epsilon * (total(a) * total(b) - mass);
    let (value, primal) = match settings.marginals {
        Marginals::Exact => {
            let shift = 0.5 * (dot(b, &g) - dot(a, &f));
            f.iter_mut().for_each(|f| *f += shift);
            g.iter_mut().for_each(|g| *g -= shift);
            let primal = rounded_primal(problem, &phi, &gamma, &sums.cols);
            (dot(a, &f) + dot(b, &g) + loss, primal)
        }
        Marginals::Relaxed { rho } => {
            let conjugate = |w: &[f64], p: &[f64]| -> f64 {
                w.iter().zip(p).map(|(w, p)| -rho * w * (-p / rho).exp_m1()).sum()
            };
            let charges = rho * (divergence(&sums.rows, a) + divergence(&sums.cols, b));
            (conjugate(a, &f) + conjugate(b, &g) + loss, sums.moved + epsilon * kl + charges)
        }
    };
    Valued {
        value,
        gap: (primal - value).max(0.0),
        linear_cost: sums.moved,
        kl,
        marginal_error,
        row_masses: sums.rows,
        col_masses: sums.cols,
        f,
        g,
    }
}

/// The regularised cost of a coupling with the right marginals near the plan, or more.
///
/// Columns that got too much are scaled down, then what the rows `r` and columns `e` lack, `d` in total, is
/// added as `r e^T / d` (Altschuler, Weed, Rigollet 2017). The divergence of the sum is at most the mean of
/// the divergences of its parts, which takes sums over rows and columns alone.
fn rounded_primal(problem: &Problem<'_>, phi: &[f64], gamma: &[f64], cols: &[f64]) -> f64 {
    let Problem { costs, a, b, settings, .. } = *problem;
    let epsilon = settings.epsilon;
    let kept: Vec<f64> = cols.iter().zip(b).map(|(q, b)| if q > b { b / q } else { 1.0 }).collect();
    let gamma: Vec<f64> = gamma.iter().zip(&kept).map(|(g, kept)| g + kept.ln()).collect();
    let h: Vec<f64> = gamma.iter().zip(logs(b)).map(|(g, b)| g + b).collect();
    let (_, sums) = sum_plan(costs, a, &h, epsilon, |i, _| phi[i]);
    let lack = |w: &[f64], masses: &[f64]| -> Vec<f64> {
        w.iter().zip(masses).map(|(w, mass)| (w - mass).max(0.0)).collect()
    };
    let (r, e) = (lack(a, &sums.rows), lack(b, &sums.cols));
    let lacking = total(&r).max(total(&e));
    let kl = dot(&sums.rows, phi) + dot(&sums.cols, &gamma) - sums.moved / epsilon;
    let rounded = sums.moved + epsilon * kl;
    // Rounding of the sums can leave one side alone without a lack; there is nothing to move then.
    if total(&r) <= 0.0 || total(&e) <= 0.0 {
        return rounded;
    }
    let share = 1.0 - lacking;
    let mixing = if share > 0.0 { -share * share.ln() } else { 0.0 };
    let entropy = |lack: &[f64], w: &[f64]| -> f64 {
        let part = |(l, w): (&f64, &f64)| if *l > 0.0 { l * (l / (lacking * w)).ln() } else { 0.0 };
        lack.iter().zip(w).map(part).sum()
    };
    let added = costs.mean(&r, &e) / lacking + epsilon * (mixing + entropy(&r, a) + entropy(&e, b));
    rounded + added
}

/// Potentials of the rows of `costs` as the updates make them from the other side's: also for points of
/// weight 0, which take no part in the iteration.
pub(super) fn extend(costs: &Costs<'_>, g: &[f64], b: &[f64], settings: &SinkhornSettings) -> Vec<f64> {
    let (epsilon, m) = (settings.epsilon, costs.cols());
    let h: Vec<f64> = g.iter().zip(logs(b)).map(|(g, b)| g / epsilon + b).collect();
    let factor = -epsilon * settings.slope(epsilon);
    let pieces = by_pieces(costs.rows(), m, |piece| {
        let mut scratch = Vec::new();
        let mut found = Vec::with_capacity(piece.len());
        for start in piece.clone().step_by(BLOCK) {
            let block = costs.block(start..(start + BLOCK).min(piece.end), &mut scratch);
            found.extend(block.chunks_exact(m).map(|row| factor * log_sum_exp(row, &h, 1.0 / epsilon)));
        }
        found
    });
    pieces.concat()
}
