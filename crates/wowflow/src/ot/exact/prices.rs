//! What auction and searches share: potentials of the columns, and the shortlists they imply.

use rayon::prelude::*;

use super::shortlist::{Precision, Scratch, Shortlist, list, lowered};
use super::source::Source;
use crate::linalg::Threads;

/// Columns listed by a row whose other costs are at hand.
const SHORT: usize = 8;
/// The same for exact costs: potentials are nearly right by then, and each cost takes a sum.
const EXACT: usize = 4;
/// Columns listed at first by a row that has to be computed again for more.
const LONG: usize = 256;
/// Costs in a block of rows that are computed together.
const BLOCK: usize = 1 << 23;

/// Potentials that only ever fall, and a shortlist for every row.
pub(super) struct Prices<'a, S> {
    pub(super) source: &'a S,
    pub(super) g: Vec<f64>,
    pub(super) lists: Vec<Shortlist>,
    /// Of the lists made from now on.
    precision: Precision,
    /// [`lowered`] potentials, kept in step with `g`.
    bounds: Vec<f32>,
    errors: Vec<f64>,
    /// Columns the next list of a row shall have.
    wanted: Vec<usize>,
    threads: Threads,
    scratch: Scratch,
    block: Vec<f32>,
}

impl<'a, S: Source> Prices<'a, S> {
    pub(super) fn new(source: &'a S, start: Vec<f64>, threads: Threads) -> Self {
        let (n, m) = source.shape();
        let errors: Vec<f64> = (0..m).map(|col| source.col_error(col)).collect();
        let bounds = start.iter().zip(&errors).map(|(g, error)| lowered(*g, *error)).collect();
        let wanted = if source.stored().is_some() { SHORT } else { LONG };
        Self {
            source,
            g: start,
            lists: vec![Shortlist { entries: Vec::new(), rest: f64::NEG_INFINITY }; n],
            precision: Precision::Approximate,
            bounds,
            errors,
            wanted: vec![wanted; n],
            threads,
            scratch: Scratch::default(),
            block: Vec::new(),
        }
    }

    /// From now on lists are exact.
    pub(super) fn become_exact(&mut self) {
        self.precision = Precision::Exact;
        if self.source.stored().is_some() {
            self.wanted.fill(EXACT);
        }
    }

    /// A bound on the error of approximations, in the mean.
    pub(super) fn error(&self) -> f64 {
        let rows = self.lists.len();
        let of_rows: f64 = (0..rows).map(|row| self.source.row_error(row)).sum();
        of_rows / rows as f64 + self.errors.iter().sum::<f64>() / self.errors.len() as f64
    }

    /// Lowers the potential of a column.
    pub(super) fn lower(&mut self, col: usize, g: f64) {
        self.g[col] = g;
        self.bounds[col] = lowered(g, self.errors[col]);
    }

    /// Other potentials, up or down: lists that were made before say nothing about the columns they left out.
    pub(super) fn reset(&mut self, g: &[f64]) {
        (0..g.len()).for_each(|col| self.lower(col, g[col]));
        self.lists.iter_mut().for_each(|list| list.rest = f64::NEG_INFINITY);
    }

    /// A new list for a row.
    pub(super) fn refill(&mut self, row: usize) {
        let m = self.g.len();
        let approximations = match self.source.stored() {
            Some(stored) => &stored[row * m..][..m],
            None => {
                self.source.approximate(&[row as u32], &mut self.block, self.threads);
                &self.block[..]
            }
        };
        let prices = (&self.g[..], &self.bounds[..]);
        let wanted = (self.wanted[row], self.precision);
        let found = list(self.source, row, approximations, prices, wanted, &mut self.scratch);
        self.renew(row, found);
    }

    fn renew(&mut self, row: usize, found: Shortlist) {
        if found.rest <= self.lists[row].rest {
            // No progress, as among many ties: look further next time.
            self.wanted[row] = (2 * self.wanted[row]).min(self.g.len());
        }
        self.lists[row] = found;
    }

    /// New lists for some rows together. Stops early if `stop` says so.
    pub(super) fn refill_all(&mut self, rows: &[u32], stop: &(impl Fn() -> bool + Sync)) {
        let (source, g, bounds, wanted) = (self.source, &self.g, &self.bounds, &self.wanted);
        let (m, precision) = (g.len(), self.precision);
        let stored = source.stored();
        let mut block = Vec::new();
        let mut found = Vec::with_capacity(rows.len());
        for rows in rows.chunks((BLOCK / m).max(64)) {
            if stop() {
                return;
            }
            if stored.is_none() {
                source.approximate(rows, &mut block, self.threads);
            }
            let one = |scratch: &mut Scratch, (at, &row): (usize, &u32)| {
                let row = row as usize;
                let approximations = stored.map_or_else(|| &block[at * m..][..m], |s| &s[row * m..][..m]);
                list(source, row, approximations, (g, bounds), (wanted[row], precision), scratch)
            };
            match self.threads {
                Threads::One => {
                    let scratch = &mut self.scratch;
                    found.extend(rows.iter().enumerate().map(|row| one(scratch, row)));
                }
                Threads::Pool => {
                    let lists = rows.par_iter().enumerate().with_min_len(16);
                    found.par_extend(lists.map_init(Scratch::default, |scratch, row| one(scratch, row)));
                }
            }
        }
        rows.iter().zip(found).for_each(|(&row, found)| self.renew(row as usize, found));
    }
}
