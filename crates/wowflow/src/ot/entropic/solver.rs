//! The Sinkhorn iteration: log-domain updates, matrix products with an absorbed kernel between them,
//! epsilon scaling and over-relaxation.

use super::costs::{Costs, by_pieces};
use super::loops::{GROUP, LogSums, add_rows, gibbs, log_sum_exp, merge_columns, products};
use super::relaxation::Relaxation;
use super::settings::{Marginals, SinkhornSettings};

/// Rows whose costs are looked at together.
const BLOCK: usize = super::costs::BLOCK;
/// Rows merged into the columns' sums together: few enough to stay in a near cache.
const MERGED: usize = 16;
/// Scalings of the absorbed kernel beyond `e^DRIFT` are absorbed anew, long before they overflow.
const DRIFT: f64 = 100.0;
/// Epsilon falls by this factor from stage to stage.
const STAGE_FACTOR: f64 = 0.25;
/// A stage but the last ends at this error ...
const STAGE_TOLERANCE: f64 = 0.05;
/// ... or after so many iterations.
const STAGE_ITERATIONS: usize = 12;

/// A problem between points that all have mass.
pub(super) struct Problem<'a> {
    pub(super) costs: &'a Costs<'a>,
    pub(super) a: &'a [f64],
    pub(super) b: &'a [f64],
    pub(super) settings: &'a SinkhornSettings,
    /// Whether the absorbed kernel may be held.
    pub(super) hold_kernel: bool,
    /// Right potentials in the unit of the costs to start from, in place of an epsilon scaling.
    pub(super) start: Option<&'a [f64]>,
}

/// Where an iteration got to: the right potentials, in the unit of the costs, which imply the left ones.
pub(super) struct Iterate {
    pub(super) g: Vec<f64>,
    pub(super) iterations: usize,
    pub(super) converged: bool,
}

/// Potentials in units of the current epsilon.
struct Scaled {
    phi: Vec<f64>,
    gamma: Vec<f64>,
}

/// The two slopes of a stage.
#[derive(Clone, Copy)]
struct Stage {
    epsilon: f64,
    slope: f64,
}

pub(super) fn logs(weights: &[f64]) -> Vec<f64> {
    weights.iter().map(|w| w.ln()).collect()
}

/// Epsilons from the scale of the costs down to the one asked for.
fn stages(from: f64, to: f64) -> Vec<f64> {
    let mut all = vec![to];
    let mut epsilon = to / STAGE_FACTOR;
    while epsilon < from {
        all.push(epsilon);
        epsilon /= STAGE_FACTOR;
    }
    all.reverse();
    all
}

impl Problem<'_> {
    fn scale(&self) -> f64 {
        let total = |w: &[f64]| w.iter().sum::<f64>();
        self.costs.mean(self.a, self.b) / (total(self.a) * total(self.b))
    }

    /// Solves for two different sides.
    pub(super) fn solve(&self) -> Iterate {
        self.run(Sides::Two)
    }

    /// Solves for a measure and itself at symmetric costs, by averaged updates of one potential.
    pub(super) fn solve_symmetric(&self) -> Iterate {
        self.run(Sides::One)
    }

    fn run(&self, sides: Sides) -> Iterate {
        let log_a = logs(self.a);
        let log_b = logs(self.b);
        let mut work = Work {
            problem: self,
            log_a,
            log_b,
            kernel: Vec::new(),
            at: Scaled { phi: vec![0.0; self.a.len()], gamma: vec![0.0; self.b.len()] },
            iterations: 0,
        };
        let mut before = None;
        let mut converged = false;
        let stages = match self.start {
            None => stages(self.scale(), self.settings.epsilon),
            Some(start) => {
                work.at.gamma = start.iter().map(|g| g / self.settings.epsilon).collect();
                vec![self.settings.epsilon]
            }
        };
        for epsilon in stages {
            let rescale = before.map_or(1.0, |before: f64| before / epsilon);
            work.at.phi.iter_mut().chain(&mut work.at.gamma).for_each(|v| *v *= rescale);
            let last = epsilon == self.settings.epsilon;
            let tolerance = if last { self.settings.tolerance } else { STAGE_TOLERANCE };
            let left = self.settings.max_iterations - work.iterations;
            let budget = if last { left } else { left.min(STAGE_ITERATIONS) };
            let stage = Stage { epsilon, slope: self.settings.slope(epsilon) };
            converged = match sides {
                Sides::Two => work.two_sided(stage, tolerance, budget),
                Sides::One => work.one_sided(stage, tolerance, budget),
            } && last;
            before = Some(epsilon);
        }
        let g = work.at.gamma.into_iter().map(|v| v * self.settings.epsilon).collect();
        Iterate { g, iterations: work.iterations, converged }
    }
}

#[derive(Clone, Copy)]
enum Sides {
    One,
    Two,
}

struct Work<'a> {
    problem: &'a Problem<'a>,
    log_a: Vec<f64>,
    log_b: Vec<f64>,
    kernel: Vec<f64>,
    at: Scaled,
    iterations: usize,
}

/// The update of one scaled potential from `log sum exp` of its row, and its part in the error.
#[inline]
fn update(old: f64, lse: f64, slope: f64, omega: f64) -> (f64, f64) {
    let exact = -slope * lse;
    let new = if omega == 1.0 { exact } else { old + omega * (exact - old) };
    (new, exact)
}

/// Whether potentials are too far from the absorbed ones, or no numbers.
fn drifted(at: &[f64], absorbed: &[f64]) -> bool {
    at.iter().zip(absorbed).any(|(x, y)| (x - y).is_nan() || (x - y).abs() >= DRIFT)
}

impl Work<'_> {
    /// Iterates at one epsilon until the error is small enough; whether it is.
    fn two_sided(&mut self, stage: Stage, tolerance: f64, budget: usize) -> bool {
        let end = self.iterations + budget;
        let mut relaxation = Relaxation::new();
        while self.iterations < end {
            let error = self.log_pass(stage, relaxation.omega());
            relaxation.observe(error);
            if error <= tolerance {
                return true;
            }
            if self.problem.hold_kernel && self.iterations < end {
                self.fill_kernel(stage);
                if self.kernel_passes(stage, tolerance, end, &mut relaxation) {
                    return true;
                }
            }
        }
        false
    }

    /// One iteration in the log domain. Returns the error of the plan it started from.
    fn log_pass(&mut self, stage: Stage, omega: f64) -> f64 {
        let Problem { costs, a, b, .. } = *self.problem;
        let (inverse, m) = (1.0 / stage.epsilon, costs.cols());
        let h: Vec<f64> = self.at.gamma.iter().zip(&self.log_b).map(|(g, b)| g + b).collect();
        let pieces = by_pieces(costs.rows(), m, |piece| {
            let mut scratch = Vec::new();
            let mut columns = LogSums::new(m);
            let mut phi = Vec::with_capacity(piece.len());
            let mut error = 0.0;
            for start in piece.clone().step_by(BLOCK) {
                let rows = start..(start + BLOCK).min(piece.end);
                let block = costs.block(rows.clone(), &mut scratch);
                let mut p = Vec::with_capacity(rows.len());
                for (i, row) in rows.zip(block.chunks_exact(m)) {
                    let lse = log_sum_exp(row, &h, inverse);
                    let (new, exact) = update(self.at.phi[i], lse, stage.slope, omega);
                    error += a[i] * (new - exact).exp_m1().abs();
                    phi.push(new);
                    p.push(new + self.log_a[i]);
                }
                for (block, p) in block.chunks(MERGED * m).zip(p.chunks(MERGED)) {
                    merge_columns(block, p, inverse, &mut columns);
                }
            }
            (phi, columns, error)
        });
        let mut columns = LogSums::new(m);
        let mut error = 0.0;
        self.at.phi.clear();
        for (phi, sums, part) in pieces {
            self.at.phi.extend(phi);
            columns.add(&sums);
            error += part;
        }
        for (j, lse) in columns.logs().into_iter().enumerate() {
            let old = self.at.gamma[j];
            let (new, exact) = update(old, lse, stage.slope, omega);
            error += b[j] * (old - exact).exp_m1().abs();
            self.at.gamma[j] = new;
        }
        self.translate(stage);
        self.iterations += 1;
        error / b.iter().sum::<f64>()
    }

    /// Fills `kernel_ij = exp(phi_i + gamma_j + log b_j - c_ij / eps)`, the plan's rows over their weights.
    fn fill_kernel(&mut self, stage: Stage) {
        let costs = self.problem.costs;
        let (inverse, m) = (1.0 / stage.epsilon, costs.cols());
        let h: Vec<f64> = self.at.gamma.iter().zip(&self.log_b).map(|(g, b)| g + b).collect();
        self.kernel.resize(costs.rows() * m, 0.0);
        let phi = &self.at.phi;
        let fill = |(block, kernel): (usize, &mut [f64])| {
            let mut scratch = Vec::new();
            let start = block * BLOCK;
            let rows = start..start + kernel.len() / m;
            let costs = costs.block(rows.clone(), &mut scratch);
            for ((i, row), kernel) in rows.zip(costs.chunks_exact(m)).zip(kernel.chunks_exact_mut(m)) {
                gibbs(row, &h, phi[i], inverse, kernel);
            }
        };
        super::costs::for_blocks(&mut self.kernel, BLOCK * m, fill);
    }

    /// Iterates by products with the kernel until the error is small (true), the iterations are spent
    /// or the scalings have gone too far from 1.
    fn kernel_passes(
        &mut self,
        stage: Stage,
        tolerance: f64,
        end: usize,
        relaxation: &mut Relaxation,
    ) -> bool {
        let Problem { costs, a, b, .. } = *self.problem;
        let (n, m) = (costs.rows(), costs.cols());
        let absorbed = Scaled { phi: self.at.phi.clone(), gamma: self.at.gamma.clone() };
        let total: f64 = b.iter().sum();
        let scalings = |at: &[f64], absorbed: &[f64]| -> Vec<f64> {
            at.iter().zip(absorbed).map(|(at, absorbed)| (at - absorbed).exp()).collect()
        };
        while self.iterations < end {
            let omega = relaxation.omega();
            let v = scalings(&self.at.gamma, &absorbed.gamma);
            let (kernel, phi_before) = (&self.kernel, &self.at.phi);
            let pieces = by_pieces(n, m, |piece| {
                let mut columns = vec![0.0; m];
                let mut phi = Vec::with_capacity(piece.len());
                let mut error = 0.0;
                for start in piece.clone().step_by(GROUP) {
                    let rows = start..(start + GROUP).min(piece.end);
                    let kernel = &kernel[rows.start * m..rows.end * m];
                    let sums = products(kernel, &v);
                    let mut factors = [0.0; GROUP];
                    for ((i, sum), factor) in rows.clone().zip(sums).zip(&mut factors) {
                        let lse = sum.ln() - absorbed.phi[i];
                        let (new, exact) = update(phi_before[i], lse, stage.slope, omega);
                        error += a[i] * (new - exact).exp_m1().abs();
                        *factor = a[i] * (new - absorbed.phi[i]).exp();
                        phi.push(new);
                    }
                    add_rows(kernel, &factors[..rows.len()], &mut columns);
                }
                (phi, columns, error)
            });
            let mut next = Scaled { phi: Vec::with_capacity(n), gamma: Vec::with_capacity(m) };
            let mut columns = vec![0.0; m];
            let mut error = 0.0;
            for (phi, sums, part) in pieces {
                next.phi.extend(phi);
                columns.iter_mut().zip(&sums).for_each(|(sum, part)| *sum += part);
                error += part;
            }
            for (j, sum) in columns.into_iter().enumerate() {
                let (old, lse) = (self.at.gamma[j], (sum / b[j]).ln() - absorbed.gamma[j]);
                let (new, exact) = update(old, lse, stage.slope, omega);
                error += b[j] * (old - exact).exp_m1().abs();
                next.gamma.push(new);
            }
            // A sum of the kernel that vanished or overflowed shows as well. What was reached before is
            // kept, and the log domain goes on from there.
            if drifted(&next.phi, &absorbed.phi) || drifted(&next.gamma, &absorbed.gamma) {
                return false;
            }
            self.at = next;
            self.translate(stage);
            self.iterations += 1;
            let error = error / total;
            relaxation.observe(error);
            if error <= tolerance {
                return true;
            }
        }
        false
    }

    /// With relaxed marginals, moves `f` up and `g` down by the constant that is best for the dual value;
    /// alone, the iteration takes `rho / eps` steps for that (Séjourné, Vialard, Peyré 2022). The plan stays.
    fn translate(&mut self, stage: Stage) {
        let Marginals::Relaxed { rho } = self.problem.settings.marginals else { return };
        let Problem { a, b, .. } = *self.problem;
        let rate = stage.epsilon / rho;
        let log_mass = |weights: &[f64], potential: &[f64]| {
            let least = potential.iter().copied().fold(f64::INFINITY, f64::min);
            let sum: f64 = weights.iter().zip(potential).map(|(w, p)| w * (-rate * (p - least)).exp()).sum();
            sum.ln() - rate * least
        };
        let shift = (log_mass(a, &self.at.phi) - log_mass(b, &self.at.gamma)) / (2.0 * rate);
        self.at.phi.iter_mut().for_each(|v| *v += shift);
        self.at.gamma.iter_mut().for_each(|v| *v -= shift);
    }

    /// As [`Self::two_sided`] for one potential on both sides: `f <- f + 2/3 (T f - f)`. At positive
    /// definite kernels every mode of the error shrinks to a third or less.
    fn one_sided(&mut self, stage: Stage, tolerance: f64, budget: usize) -> bool {
        const OMEGA: f64 = 2.0 / 3.0;
        let Problem { costs, a, hold_kernel, .. } = *self.problem;
        let (inverse, n) = (1.0 / stage.epsilon, costs.rows());
        let total: f64 = a.iter().sum();
        let end = self.iterations + budget;
        let step = |phi: &[f64], lse: &[f64]| -> (Vec<f64>, f64) {
            let both = phi.iter().zip(lse).map(|(old, lse)| update(*old, *lse, stage.slope, OMEGA));
            let (new, exact): (Vec<f64>, Vec<f64>) = both.unzip();
            let terms = a.iter().zip(phi).zip(&exact);
            let error: f64 = terms.map(|((a, old), exact)| a * (old - exact).exp_m1().abs()).sum();
            (new, error / total)
        };
        while self.iterations < end {
            let h: Vec<f64> = self.at.phi.iter().zip(&self.log_a).map(|(p, a)| p + a).collect();
            let lse = by_pieces(n, n, |piece| {
                let mut scratch = Vec::new();
                let mut found = Vec::with_capacity(piece.len());
                for start in piece.clone().step_by(BLOCK) {
                    let block = costs.block(start..(start + BLOCK).min(piece.end), &mut scratch);
                    found.extend(block.chunks_exact(n).map(|row| log_sum_exp(row, &h, inverse)));
                }
                found
            });
            let (new, error) = step(&self.at.phi, &lse.concat());
            self.at = Scaled { gamma: new.clone(), phi: new };
            self.iterations += 1;
            if error <= tolerance {
                return true;
            }
            if !hold_kernel {
                continue;
            }
            self.fill_kernel(stage);
            let absorbed = self.at.phi.clone();
            while self.iterations < end {
                let v: Vec<f64> = self.at.phi.iter().zip(&absorbed).map(|(p, q)| (p - q).exp()).collect();
                let kernel = &self.kernel;
                let lse = by_pieces(n, n, |piece| {
                    let mut found = Vec::with_capacity(piece.len());
                    for start in piece.clone().step_by(GROUP) {
                        let rows = start..(start + GROUP).min(piece.end);
                        let sums = products(&kernel[rows.start * n..rows.end * n], &v);
                        found.extend(rows.zip(sums).map(|(i, sum)| sum.ln() - absorbed[i]));
                    }
                    found
                });
                let (new, error) = step(&self.at.phi, &lse.concat());
                if drifted(&new, &absorbed) {
                    break;
                }
                self.at = Scaled { gamma: new.clone(), phi: new };
                self.iterations += 1;
                if error <= tolerance {
                    return true;
                }
            }
        }
        false
    }
}
