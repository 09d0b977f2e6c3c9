//! A transport problem put together step by step, and solved.

use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use super::auction::Start;
use super::cost::{checked_counts, first_bad};
use super::forest::{is_unique, without_cycles};
use super::masses::{self, Masses, Units};
use super::points::{Charges, PointSource, squared_distance};
use super::run::Run;
use super::shortlisted;
use super::source::{MatrixSource, Source};
use super::{Atom, CostMatrix, Coupling, DUST, Method, OtError, Transport, dual};
use crate::linalg::Threads;
use crate::scalar::Scalar;

/// Reduced costs up to this times the largest cost count as zero where uniqueness is concerned.
const TIGHT: f64 = 1e-12;
/// Costs kept at most by [`Storage::Auto`]: 1 GiB of them.
const KEPT: usize = 1 << 28;

/// What happens to the costs between points while a problem is being solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// Kept up to `2^28` of them (1 GiB), else recomputed.
    #[default]
    Auto,
    /// Kept, 4 bytes each: the fastest.
    Kept,
    /// Recomputed block by block when they are needed: memory grows as `n + m`.
    Recomputed,
}

/// A transport problem: costs, and what else is known or wanted.
///
/// ```
/// use wowflow::ot::exact::Problem;
/// let (x, y) = ([0.0, 1.0, 5.0], [0.0, 6.0]);
/// let first = Problem::points(&x, &y, 1).weights(Some(&[1.0, 1.0, 2.0]), None).solve()?;
/// assert_eq!((first.value, first.unique), (0.75, true));
/// // A problem nearby starts from the potentials of the first.
/// let again = Problem::points(&x, &[0.5, 6.0], 1).start(&first.g).solve()?;
/// assert!(again.gap < 1e-15);
/// # Ok::<(), wowflow::ot::exact::OtError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a, T> {
    costs: Costs<'a, T>,
    a: Option<&'a [f64]>,
    b: Option<&'a [f64]>,
    start: Option<&'a [f64]>,
    storage: Storage,
    threads: Threads,
    interrupt: Option<&'a AtomicBool>,
}

#[derive(Clone, Copy, Debug)]
enum Costs<'a, T> {
    Matrix(&'a CostMatrix),
    Points { x: &'a [T], y: &'a [T], dim: usize, charges: Option<Charges<'a>> },
}

impl<'a> Problem<'a, f64> {
    /// Between points known by their costs alone.
    #[must_use]
    pub fn costs(costs: &'a CostMatrix) -> Self {
        Self::new(Costs::Matrix(costs))
    }
}

impl<'a, T: Scalar> Problem<'a, T> {
    /// Between `n x dim` and `m x dim` row-major points at squared Euclidean cost.
    #[must_use]
    pub fn points(x: &'a [T], y: &'a [T], dim: usize) -> Self {
        Self::new(Costs::Points { x, y, dim, charges: None })
    }

    /// Between points with classes: `|x_i - y_j|^2` plus the entry of a table at the classes of `x_i` and `y_j`. No more
    /// memory than without.
    ///
    /// ```
    /// use wowflow::ot::exact::{CostMatrix, Problem};
    /// let table = CostMatrix::new(2, 2, vec![0.0, 9.0, 9.0, 0.0])?;
    /// let found = Problem::labeled_points(&[0.0, 1.0], &[0.0, 1.0], 1, (&[0, 1], &[1, 0]), &table).solve()?;
    /// assert_eq!(found.value, 1.0); // each goes to the other place, where its class is
    /// # Ok::<(), wowflow::ot::exact::OtError>(())
    /// ```
    ///
    /// # Panics
    /// Not one class a point, when the problem is solved, or a class that the table lacks.
    #[must_use]
    pub fn labeled_points(
        x: &'a [T],
        y: &'a [T],
        dim: usize,
        (left, right): (&'a [usize], &'a [usize]),
        table: &'a CostMatrix,
    ) -> Self {
        Self::new(Costs::Points { x, y, dim, charges: Some(Charges { left, right, table }) })
    }

    fn new(costs: Costs<'a, T>) -> Self {
        Self {
            costs,
            a: None,
            b: None,
            start: None,
            storage: Storage::Auto,
            threads: Threads::Pool,
            interrupt: None,
        }
    }

    /// Weights of the left and right points; they are normalised, `None` is uniform.
    #[must_use]
    pub fn weights(self, a: Option<&'a [f64]>, b: Option<&'a [f64]>) -> Self {
        Self { a, b, ..self }
    }

    /// Potentials of the right points to start from, such as those of a problem nearby: the closer
    /// to optimal they are, the less is left to do. The result is optimal whatever they are.
    #[must_use]
    pub fn start(self, g: &'a [f64]) -> Self {
        Self { start: Some(g), ..self }
    }

    /// What happens to the costs between points; costs given as a matrix are always kept.
    #[must_use]
    pub fn storage(self, storage: Storage) -> Self {
        Self { storage, ..self }
    }

    /// Who computes costs and shortlists: the current rayon pool unless set. The result is the same.
    #[must_use]
    pub fn threads(self, threads: Threads) -> Self {
        Self { threads, ..self }
    }

    /// Gives up with [`OtError::Interrupted`] soon after the flag is set.
    #[must_use]
    pub fn interrupt(self, flag: &'a AtomicBool) -> Self {
        Self { interrupt: Some(flag), ..self }
    }

    /// Solves the problem: see [`Transport`] for what comes back.
    ///
    /// # Errors
    /// No points, incomplete rows, costs that are not finite or too large, a wrong number of weights or
    /// starting potentials, bad ones among them, a side of total weight 0, or an interruption.
    #[inline(never)]
    pub fn solve(self) -> Result<Transport, OtError> {
        let (n, m) = match self.costs {
            Costs::Matrix(costs) => (costs.rows(), costs.cols()),
            Costs::Points { x, y, dim, charges } => {
                let (n, m) = checked_counts(x, y, dim)?;
                if let Some(Charges { left, right, .. }) = charges {
                    assert_eq!((left.len(), right.len()), (n, m), "a class for every point");
                }
                (n, m)
            }
        };
        let masses = Masses::new(n, m, self.a, self.b)?;
        self.check_start(m)?;
        let uniform = masses == Masses::Uniform;
        let units = match masses {
            Masses::Units(units) => units,
            Masses::Uniform => masses::units(n, m, None, None),
        };
        let places = |masses: &[i64]| (0..masses.len()).filter(|&at| masses[at] > 0).collect::<Vec<_>>();
        let (rows, cols) = (places(&units.rows), places(&units.cols));
        let pick = |masses: &[i64], at: &[usize]| at.iter().map(|&at| masses[at]).collect();
        let active = Active {
            units: Units { rows: pick(&units.rows, &rows), cols: pick(&units.cols, &cols), ..units },
            rows,
            cols,
        };
        let whole = active.rows.len() == n && active.cols.len() == m;
        let run = Run {
            start: if self.start.is_some() { Start::Warm } else { Start::Cold },
            interrupt: self.interrupt,
            threads: self.threads,
        };
        match self.costs {
            Costs::Matrix(costs) => {
                let part = if whole { None } else { Some(costs.select(&active.rows, &active.cols)) };
                let source = MatrixSource::new(part.as_ref().unwrap_or(costs));
                let found = self.run(&source, &active, &run, || source.column_means())?;
                let coupling = active.coupling(n, m, &found.flows);
                let mut g = vec![None; m];
                active.cols.iter().zip(&found.g).for_each(|(&col, &potential)| g[col] = Some(potential));
                let mut seen = vec![false; n];
                active.rows.iter().for_each(|&row| seen[row] = true);
                let (f, g) = dual::feasible(costs, &seen, &g);
                Ok(found.into_transport(coupling, f, g, uniform, |row, col| costs.get(row, col)))
            }
            Costs::Points { x, y, dim, charges } => {
                let gather = |points: &[T], at: &[usize]| -> Vec<T> {
                    at.iter().flat_map(|&at| &points[at * dim..(at + 1) * dim]).copied().collect()
                };
                let (left, right) = if whole {
                    (Vec::new(), Vec::new())
                } else {
                    (gather(x, &active.rows), gather(y, &active.cols))
                };
                let (left, right) = if whole { (x, y) } else { (&left[..], &right[..]) };
                let store = match self.storage {
                    Storage::Auto => active.rows.len() * active.cols.len() <= KEPT,
                    Storage::Kept => true,
                    Storage::Recomputed => false,
                };
                let classes = |of: &[usize], at: &[usize]| at.iter().map(|&at| of[at]).collect::<Vec<_>>();
                let kept = charges.map(|c| [classes(c.left, &active.rows), classes(c.right, &active.cols)]);
                let kept = charges.zip(kept.as_ref()).map(|(charges, [left, right])| Charges {
                    left,
                    right,
                    ..charges
                });
                let source = PointSource::new(left, right, dim, kept, store, self.threads);
                // Points without weight do not show in the source.
                let reach = (CostMatrix::LARGEST / (4.0 * dim as f64)).sqrt();
                let are_small = || x.iter().chain(y).all(|v| v.to_f64().abs() < reach);
                if !source.is_bounded(CostMatrix::LARGEST) || !whole && !are_small() {
                    first_bad(x, y, dim)?;
                }
                let found = self.run(&source, &active, &run, || vec![0.0; active.cols.len()])?;
                let coupling = active.coupling(n, m, &found.flows);
                let cost = |row: usize, col: usize| {
                    let (x, y) = (&x[row * dim..(row + 1) * dim], &y[col * dim..(col + 1) * dim]);
                    squared_distance(x, y) + charges.map_or(0.0, |charges| charges.of(row, col))
                };
                let (f, g) = extended(&active, (n, m), &found, cost);
                Ok(found.into_transport(coupling, f, g, uniform, cost))
            }
        }
    }

    fn check_start(&self, expected: usize) -> Result<(), OtError> {
        let Some(g) = self.start else { return Ok(()) };
        if g.len() != expected {
            return Err(OtError::StartCount { expected, found: g.len() });
        }
        match g.iter().position(|g| !g.is_finite()) {
            Some(at) => Err(OtError::BadStart { index: at + 1, found: g[at] }),
            None => Ok(()),
        }
    }

    /// Solves for the active points, in the user's units.
    fn run<S: Source>(
        &self,
        source: &S,
        active: &Active,
        run: &Run<'_>,
        cold: impl FnOnce() -> Vec<f64>,
    ) -> Result<Found, OtError> {
        let scale = source.scale();
        let start = match self.start {
            None => cold(),
            Some(g) => {
                let reduced = |(at, &col): (usize, &usize)| {
                    ((g[col] - source.col_shift(at)) / scale).clamp(-1e300, 1e300)
                };
                let mut start: Vec<f64> = active.cols.iter().enumerate().map(reduced).collect();
                // Optimal potentials differ by no more than costs do: what lies further off is no guess.
                let most = start.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                start.iter_mut().for_each(|g| *g = (*g - most).max(-4.0 * source.largest()));
                start
            }
        };
        let solution = shortlisted::transport(source, &active.units, start, run)?;
        let (n, m) = source.shape();
        let flows = without_cycles(n, m, solution.flows);
        let f: Vec<f64> = solution.lists.iter().map(|list| list.least(&solution.g).min(list.rest)).collect();
        let largest = solution
            .lists
            .iter()
            .flat_map(|list| &list.entries)
            .fold(0.0f64, |most, entry| most.max(entry.cost.abs()));
        let unique = is_unique(&flows, &solution.lists, (&f, &solution.g), TIGHT * largest);
        let f = f.iter().enumerate().map(|(row, f)| source.row_shift(row) + scale * f).collect();
        let g = solution.g.iter().enumerate().map(|(col, g)| source.col_shift(col) + scale * g).collect();
        Ok(Found { flows, f, g, unique, steps: solution.steps })
    }
}

/// Points that take part, and their masses.
struct Active {
    rows: Vec<usize>,
    cols: Vec<usize>,
    units: Units,
}

impl Active {
    fn coupling(&self, n: usize, m: usize, flows: &[(usize, usize, i64)]) -> Coupling {
        let atoms = flows.iter().filter_map(|&(row, col, flow)| {
            let least = self.units.rows[row].min(self.units.cols[col]) as f64;
            let mass = self.units.mass(flow);
            (flow as f64 >= DUST * least).then(|| Atom { row: self.rows[row], col: self.cols[col], mass })
        });
        Coupling::new(n, m, atoms.collect())
    }
}

/// What the solver says about the active points.
struct Found {
    flows: Vec<(usize, usize, i64)>,
    f: Vec<f64>,
    g: Vec<f64>,
    unique: bool,
    steps: usize,
}

impl Found {
    fn into_transport(
        self,
        coupling: Coupling,
        f: Vec<f64>,
        g: Vec<f64>,
        uniform: bool,
        cost: impl Fn(usize, usize) -> f64,
    ) -> Transport {
        let (mut value, mut gap) = (0.0, 0.0);
        for atom in coupling.atoms() {
            let cost = cost(atom.row, atom.col);
            // Divided once at the end, a sum of whole numbers is exact.
            value += if uniform { cost } else { atom.mass * cost };
            gap += atom.mass * (cost - (f[atom.row] + g[atom.col])).max(0.0);
        }
        if uniform {
            value /= coupling.rows() as f64;
        }
        let method = Method::Shortlists;
        Transport { value, coupling, f, g, gap, unique: self.unique, method, steps: self.steps }
    }
}

/// Potentials of all points: those without mass get the largest that are compatible with the others.
fn extended(
    active: &Active,
    (n, m): (usize, usize),
    found: &Found,
    cost: impl Fn(usize, usize) -> f64 + Sync,
) -> (Vec<f64>, Vec<f64>) {
    if active.rows.len() == n && active.cols.len() == m {
        return (found.f.clone(), found.g.clone());
    }
    let spread = |places: &[usize], values: &[f64], count: usize| {
        let mut all = vec![None; count];
        places.iter().zip(values).for_each(|(&at, &value)| all[at] = Some(value));
        all
    };
    let f = spread(&active.rows, &found.f, n);
    let known = spread(&active.cols, &found.g, m);
    let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    let g: Vec<f64> = (0..m)
        .into_par_iter()
        .map(|col| {
            known[col].unwrap_or_else(|| {
                least(&mut active.rows.iter().zip(&found.f).map(|(&row, f)| cost(row, col) - f))
            })
        })
        .collect();
    let f = (0..n)
        .into_par_iter()
        .map(|row| f[row].unwrap_or_else(|| least(&mut (0..m).map(|col| cost(row, col) - g[col]))))
        .collect();
    (f, g)
}
