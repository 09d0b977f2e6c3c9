//! Transport on shortlists, for any masses: an auction guesses potentials, augmenting paths or pivots finish.

use super::auction::{Then, auction};
use super::masses::Units;
use super::prices::Prices;
use super::run::{Run, Solution};
use super::source::Source;
use super::{OtError, augmenting, pivoting};

/// Units a point up to which paths finish: among masses of few units they empty what they reach. Others leave remainders,
/// each of them a search of its own; from here on pivots take less time (measured: 1,000 points against 875).
const FEW: i64 = 8;

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
    let then = if masses.are_at_most(FEW) { Then::Paths } else { Then::Pivots };
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
