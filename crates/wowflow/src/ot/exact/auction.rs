//! A first guess of potentials: an auction with falling increments, for any masses.
//!
//! Rows with mass to send bid for lots in the columns of their shortlists; a bid lowers the
//! potential of the lot it takes by the margin over the next best offer plus an increment, and who
//! held the lot bids again (Bertsekas, "A new algorithm for the assignment problem", 1981; for several
//! lots a column, Bertsekas and Castañón, "The auction algorithm for the transportation problem",
//! 1989). Large increments first end the wars over columns that everyone wants. What comes out is a
//! guess, and what follows does not rely on it: an auction may stop at any time.

use super::prices::Prices;
use super::source::{Source, power_of_two};
use crate::linalg::Threads;

const NONE: u32 = u32::MAX;
/// Each increment is this fraction of the one before.
const FACTOR: f64 = 0.125;
/// Rows looked at for the range of all costs, which the first increment is a fraction of.
const SAMPLE: usize = 16;
/// Bids a point in one round: far more than it takes, so that the end is certain.
const PATIENCE: usize = 256;

/// A part of a column's mass: who holds it at what potential.
#[derive(Clone, Copy, Debug)]
struct Lot {
    price: f64,
    units: i64,
    row: u32,
}

/// Where an auction starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// From nothing.
    Cold,
    /// From potentials that are nearly right.
    Warm,
}

/// What finishes the work, and so how good a guess has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Augmenting paths, which take long where prices are coarse.
    Paths,
    /// Pivots, which correct prices as well as bids do.
    Pivots,
}

impl Then {
    /// The last increment in units of the spread of the shortlists; a warm start begins with the last but one.
    fn last(self) -> f64 {
        match self {
            Self::Paths => 1.0 / 1024.0,
            Self::Pivots => 1.0 / 64.0,
        }
    }

    /// Units of mass a point: enough for a guess, and lots stay few.
    fn coarse(self) -> usize {
        match self {
            Self::Paths => 8,
            Self::Pivots => 2,
        }
    }
}

/// Lowers prices whose rows have shortlists; returns the number of bids.
///
/// Increments are powers of two: potentials that begin as whole numbers stay exact.
pub(super) fn auction<S: Source>(
    prices: &mut Prices<'_, S>,
    (rows, cols): (&[i64], &[i64]),
    (start, then): (Start, Then),
    stop: &(impl Fn() -> bool + Sync),
) -> usize {
    let spread = spread(prices);
    let count = then.coarse() * rows.len().max(cols.len());
    let (rows, cols) = (&coarse(rows, count)[..], &coarse(cols, count)[..]);
    let range = range(prices);
    let mut bids = 0;
    // Differences finer than the approximations are noise; if there are no others, there is nothing to guess.
    let finest = prices.error() * FACTOR;
    if !(spread > 0.0 && range > finest) {
        return bids;
    }
    let last = power_of_two((spread * then.last()).max(finest));
    let first = match start {
        Start::Cold => power_of_two(FACTOR * range),
        Start::Warm => last / FACTOR,
    };
    let mut increment = first.max(last);
    loop {
        bids += bid(prices, rows, cols, increment, stop);
        if increment <= last || stop() {
            return bids;
        }
        increment = (FACTOR * increment).max(last);
    }
}

/// The mean difference between the first and the last of all columns, for some rows.
fn range<S: Source>(prices: &Prices<'_, S>) -> f64 {
    let n = prices.lists.len();
    let count = n.min(SAMPLE);
    let rows: Vec<u32> = (0..count).map(|k| (k * n / count) as u32).collect();
    let mut block = Vec::new();
    prices.source.approximate(&rows, &mut block, Threads::One);
    let of = |row: &[f32]| {
        let values = row.iter().zip(&prices.g).map(|(cost, g)| f64::from(*cost) - g);
        let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (v.min(l), v.max(h)));
        most - least
    };
    block.chunks_exact(prices.g.len()).map(of).sum::<f64>() / count as f64
}

/// Masses in at most `count` units: coarse masses keep bids from splitting lots to ever smaller pieces.
fn coarse(masses: &[i64], count: usize) -> Vec<i64> {
    let total: i128 = masses.iter().map(|&mass| i128::from(mass)).sum();
    if total <= count as i128 {
        return masses.to_vec();
    }
    let (mut sum, mut before) = (0, 0);
    let cut = |&mass: &i64| {
        sum += i128::from(mass);
        let upto = ((sum * count as i128 + total / 2) / total) as i64;
        let units = upto - before;
        before = upto;
        units
    };
    masses.iter().map(cut).collect()
}

/// The mean difference between the first column and the rest of a shortlist.
fn spread<S: Source>(prices: &Prices<'_, S>) -> f64 {
    let of = |row: usize| {
        let list = &prices.lists[row];
        let values = list.entries.iter().map(|entry| entry.cost - prices.g[entry.col as usize]);
        values.fold(f64::NEG_INFINITY, f64::max) - list.least(&prices.g)
    };
    (0..prices.lists.len()).map(of).sum::<f64>() / prices.lists.len() as f64
}

/// One round, from empty columns. Rows that have to be computed to go on wait for each other.
fn bid<S: Source>(
    prices: &mut Prices<'_, S>,
    rows: &[i64],
    cols: &[i64],
    increment: f64,
    stop: &(impl Fn() -> bool + Sync),
) -> usize {
    let whole = |(&units, &price): (&i64, &f64)| vec![Lot { price, units, row: NONE }];
    // The last lot of a column is the one on offer: it has the highest potential.
    let mut lots: Vec<Vec<Lot>> = cols.iter().zip(&prices.g).map(whole).collect();
    let mut supply = rows.to_vec();
    let mut active: Vec<u32> = (0..rows.len() as u32).rev().collect();
    let mut waiting: Vec<u32> = Vec::new();
    let patience = PATIENCE * (rows.len() + cols.len());
    let mut bids = 0;
    loop {
        let Some(row) = active.pop() else {
            if waiting.is_empty() {
                return bids;
            }
            waiting.sort_unstable_by(|a, b| b.cmp(a));
            prices.refill_all(&waiting, stop);
            std::mem::swap(&mut active, &mut waiting);
            continue;
        };
        let i = row as usize;
        while supply[i] > 0 {
            bids += 1;
            if bids > patience || bids % 1024 == 0 && stop() {
                return bids;
            }
            let (mut best, mut next, mut at, mut cost) = (f64::INFINITY, f64::INFINITY, 0, 0.0);
            let list = &prices.lists[i];
            for entry in &list.entries {
                let value = entry.cost - prices.g[entry.col as usize];
                if value < next {
                    if value < best {
                        (best, next, at, cost) = (value, best, entry.col as usize, entry.cost);
                    } else {
                        next = value;
                    }
                }
            }
            if best > list.rest {
                if prices.source.stored().is_some() {
                    prices.refill(i);
                    continue;
                }
                waiting.push(row);
                break;
            }
            next = next.min(list.rest);
            let column = &mut lots[at];
            let Some(mut lot) = column.pop() else { break };
            let units = lot.units.min(supply[i]);
            if units < lot.units {
                lot.units -= units;
                column.push(lot);
            }
            if let Some(other) = column.last() {
                next = next.min(cost - other.price);
            }
            let mut price = lot.price - increment;
            if next.is_finite() {
                price -= (next - best).max(0.0);
            }
            let place = column.iter().position(|other| other.price >= price).unwrap_or(column.len());
            column.insert(place, Lot { price, units, row });
            if let Some(offer) = column.last()
                && offer.price < prices.g[at]
            {
                prices.lower(at, offer.price);
            }
            supply[i] -= units;
            if lot.row != NONE {
                let holder = lot.row as usize;
                if holder != i && supply[holder] == 0 {
                    active.push(lot.row);
                }
                supply[holder] += units;
            }
        }
    }
}
