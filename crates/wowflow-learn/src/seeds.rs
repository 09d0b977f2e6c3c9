//! Seeds that derive from a seed.

use wowflow::rng::{Purpose, Stream};

/// Seed number `index` of those that belong to a seed.
#[must_use]
pub fn subseed(seed: u64, index: u64) -> u64 {
    let [low, high, ..] = Stream::new(seed, Purpose::Repetitions, 0).words(index);
    u64::from(high) << 32 | u64::from(low)
}
