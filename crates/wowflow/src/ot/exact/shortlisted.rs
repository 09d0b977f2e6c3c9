//! Transport on shortlists, for any masses: an auction guesses potentials, augmenting paths or pivots finish.

use super::auction::{Then, auction};
use super::masses::Units;
use super::prices::Prices;
use super::run::{Run, Solution};
use super::source::Source;
use super::{OtError, augmenting, pivoting};

/// Solves a transport problem whose masses are all positive and balanced, from potentials `g` of
/// the right points.
pub(super) fn transport<S: Source>(
    source: &S,
    masses: &Units,
    g: Vec<f64>,
    run: &Run<'_>,
) -> Result<Solution, OtError> {
    let stop = || run.is_interrupted();
    let mut prices = Prices::new(source, g, run.threads);
    let all: Vec<u32> = (0..source.shape().0 as u32).collect();
    prices.refill_all(&all, &stop);
    // Among equal masses paths empty what they reach. Unequal ones leave remainders, each of them a search.
    let then = if masses.are_alike() { Then::Paths } else { Then::Pivots };
    let bids = auction(&mut prices, (&masses.rows, &masses.cols), (run.start, then), &stop);
    prices.become_exact();
    prices.refill_all(&all, &stop);
    if stop() {
        return Err(OtError::Interrupted);
    }
    let found = match then {
        Then::Paths => augmenting::transport(prices, masses, run),
        Then::Pivots => pivoting::transport(prices, masses, run),
    }?;
    Ok(Solution { steps: bids + found.steps, ..found })
}
