//! Numbers by chance, the same for the same seed, and how many cases they make.

use std::collections::BTreeMap;
use std::env;
use std::io::Write;

/// A generator of numbers (splitmix64).
pub(crate) struct Chance(u64);

impl Chance {
    /// For the cases of a kind.
    pub(crate) fn of(kind: &str) -> Self {
        let seed = number("WOWFLOW_FAULTS_SEED").unwrap_or(1);
        Self(kind.bytes().fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))))
    }

    /// A whole number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }

    /// A number of `[0, 1)`.
    pub(crate) fn share(&mut self) -> f64 {
        self.below(1 << 30) as f64 / f64::from(1 << 30)
    }

    /// A number between two bounds whose logarithm is uniform.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> u64 {
        (low * (high / low).powf(self.share())) as u64
    }

    /// One of some.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("expected a whole number as {name}, found {text}")))
}

/// How many cases a kind has: a few, or as many as are asked for.
pub(crate) fn cases(few: usize) -> usize {
    number("WOWFLOW_FAULTS").map_or(few, |count| count as usize)
}

/// How cases ended, counted.
#[derive(Default)]
pub(crate) struct Counts(BTreeMap<String, usize>);

impl Counts {
    pub(crate) fn add(&mut self, how: &str) {
        *self.0.entry(how.to_owned()).or_default() += 1;
    }

    /// Says them, past the capture of the tests' output.
    pub(crate) fn say(&self, kind: &str) {
        let all: usize = self.0.values().sum();
        let each: Vec<String> = self.0.iter().map(|(how, count)| format!("{count} {how}")).collect();
        let _ = writeln!(std::io::stderr(), "{kind}: {all} cases: {}", each.join(", "));
    }
}
