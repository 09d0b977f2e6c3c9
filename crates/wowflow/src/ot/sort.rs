//! Sorting a row of projections with its permutation.
//!
//! A row is short (tens to thousands of values, sorted for every class and direction of a step), so
//! that a comparison sort spends its time on mispredicted branches. Here a value goes straight to
//! about its place: to one of `2 n` equal slices of the row's range, by counting. Exchanging
//! neighbours, without branches, mends most of what is left, and insertion the rest. Rows that crowd
//! into few slices (far outliers) are noticed by the number of its steps and given to the standard
//! library's sort.

use std::ops::RangeInclusive;

use pulp::{Arch, NullaryFnOnce};

use crate::scalar::Scalar;

/// Up to this length insertion alone is fastest.
const INSERTION: usize = 10;
/// At these lengths the standard library's sort is, by networks without branches.
const NETWORKS: RangeInclusive<usize> = 21..=32;
/// Slices a value.
const SLICES: usize = 2;
/// Slices counted in one number.
const GROUP: usize = 4;
/// Rounds of exchanges between neighbours.
const EXCHANGES: usize = 2;
/// Up to this length positions fit 16 bits.
const SHORT: usize = u16::MAX as usize;
/// Steps of insertion a value before a row counts as crowded.
const STEPS: usize = 12;

/// Buffers of [`argsort`], kept between calls.
#[derive(Clone, Debug)]
pub struct SortScratch<T: Scalar> {
    keys: Vec<T::SortKey>,
    slices: Vec<u32>,
    /// Where slices start, for rows whose positions fit 16 bits, and for others.
    starts: Vec<[u16; GROUP]>,
    long_starts: Vec<[u32; GROUP]>,
}

impl<T: Scalar> Default for SortScratch<T> {
    fn default() -> Self {
        Self { keys: Vec::new(), slices: Vec::new(), starts: Vec::new(), long_starts: Vec::new() }
    }
}

impl<T: Scalar> SortScratch<T> {
    /// Buffers for rows of up to `largest` values: sorting them will not allocate.
    #[must_use]
    pub fn new(largest: usize) -> Self {
        let mut scratch = Self::default();
        scratch.reserve(largest);
        scratch
    }

    fn reserve(&mut self, len: usize) {
        if self.keys.len() < len {
            self.keys.resize(len, T::SortKey::default());
            self.slices.resize(len, 0);
            self.starts.resize(groups(len.min(SHORT)), [0; GROUP]);
            self.long_starts.resize(if len > SHORT { groups(len) } else { 0 }, [0; GROUP]);
        }
    }
}

fn groups(len: usize) -> usize {
    (SLICES * len).div_ceil(GROUP)
}

/// Sorts finite `values` in place and writes where each came from; ties keep the order of positions.
///
/// ```
/// use wowflow::ot::sort::{SortScratch, argsort};
/// let mut row = [2.0, -1.0, 2.0, 0.5];
/// let mut order = [0; 4];
/// argsort(&mut row, &mut order, &mut SortScratch::default());
/// assert_eq!((row, order), ([-1.0, 0.5, 2.0, 2.0], [1, 3, 0, 2]));
/// ```
///
/// # Panics
/// `order` has another length than `values`.
pub fn argsort<T: Scalar>(values: &mut [T], order: &mut [u32], scratch: &mut SortScratch<T>) {
    assert_eq!(values.len(), order.len(), "one position a value");
    scratch.reserve(values.len());
    Arch::new().dispatch(Argsort { values, order, scratch });
}

struct Argsort<'a, T: Scalar> {
    values: &'a mut [T],
    order: &'a mut [u32],
    scratch: &'a mut SortScratch<T>,
}

impl<T: Scalar> NullaryFnOnce for Argsort<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { values, order, scratch } = self;
        let len = values.len();
        let keys = &mut scratch.keys[..len];
        if NETWORKS.contains(&len) {
            pack(values, keys);
            keys.sort_unstable();
        } else if len <= INSERTION {
            pack(values, keys);
            insertion(keys, usize::MAX);
        } else {
            let slices = &mut scratch.slices[..len];
            if len <= SHORT {
                distribute(values, keys, slices, &mut scratch.starts[..groups(len)]);
            } else {
                distribute(values, keys, slices, &mut scratch.long_starts[..groups(len)]);
            }
            mend(keys);
        }
        for ((value, position), key) in values.iter_mut().zip(order).zip(keys.iter()) {
            (*value, *position) = T::from_sort_key(*key);
        }
    }
}

#[inline(always)]
fn pack<T: Scalar>(values: &[T], keys: &mut [T::SortKey]) {
    for (position, (key, value)) in keys.iter_mut().zip(values).enumerate() {
        *key = value.sort_key(position as u32);
    }
}

/// A position in a row.
trait Position: Copy + Default {
    /// Counts become the sums of all counts before them.
    fn accumulate(counts: &mut [[Self; GROUP]]);
    /// The position, which moves on.
    fn next(&mut self) -> usize;
}

impl Position for u16 {
    #[inline(always)]
    fn accumulate(counts: &mut [[Self; GROUP]]) {
        // Four numbers in one: a product with ones is their running sum.
        const ONES: u64 = 0x0001_0001_0001_0001;
        let mut before = 0;
        for group in counts {
            let [a, b, c, d] = group.map(u64::from);
            let sums = (a | b << 16 | c << 32 | d << 48).wrapping_mul(ONES);
            let starts = (sums << 16).wrapping_add(before * ONES);
            before += sums >> 48;
            *group = [starts as u16, (starts >> 16) as u16, (starts >> 32) as u16, (starts >> 48) as u16];
        }
    }

    #[inline(always)]
    fn next(&mut self) -> usize {
        let position = *self;
        // The end of a row of the greatest length is past the last position by one, and never read.
        *self = position.wrapping_add(1);
        usize::from(position)
    }
}

impl Position for u32 {
    #[inline(always)]
    fn accumulate(counts: &mut [[Self; GROUP]]) {
        let mut before = 0;
        for count in counts.as_flattened_mut() {
            before += std::mem::replace(count, before);
        }
    }

    #[inline(always)]
    fn next(&mut self) -> usize {
        let position = *self;
        *self = position + 1;
        position as usize
    }
}

/// Writes keys to their slices of the range, slice after slice, in the order of positions within one.
#[inline(always)]
fn distribute<T: Scalar, P: Position>(
    values: &[T],
    keys: &mut [T::SortKey],
    slices: &mut [u32],
    starts: &mut [[P; GROUP]],
) {
    let (low, high) = range(values);
    let last = GROUP * starts.len() - 1;
    let scale = T::from_f64(last as f64 / (high.to_f64() - low.to_f64()));
    if !scale.is_finite() {
        // All values are equal, or so close that the order of keys has to tell them apart.
        return pack(values, keys);
    }
    // Subtracting, scaling and rounding are monotone: no key belongs before a lower slice.
    for (slice, value) in slices.iter_mut().zip(values) {
        *slice = ((*value - low) * scale).nearest().min(last as u32);
    }
    starts.fill([P::default(); GROUP]);
    let flat = starts.as_flattened_mut();
    for slice in slices.iter() {
        flat[*slice as usize].next();
    }
    P::accumulate(starts);
    let flat = starts.as_flattened_mut();
    for (position, (slice, value)) in slices.iter().zip(values).enumerate() {
        keys[flat[*slice as usize].next()] = value.sort_key(position as u32);
    }
}

#[inline(always)]
fn range<T: Scalar>(values: &[T]) -> (T, T) {
    const LANES: usize = 16;
    let (mut low, mut high) = ([values[0]; LANES], [values[0]; LANES]);
    let chunks = values.chunks_exact(LANES);
    let (mut least, mut most) = (values[0], values[0]);
    for &value in chunks.remainder() {
        least = if value < least { value } else { least };
        most = if value > most { value } else { most };
    }
    for chunk in chunks {
        for k in 0..LANES {
            low[k] = if chunk[k] < low[k] { chunk[k] } else { low[k] };
            high[k] = if chunk[k] > high[k] { chunk[k] } else { high[k] };
        }
    }
    for k in 0..LANES {
        least = if low[k] < least { low[k] } else { least };
        most = if high[k] > most { high[k] } else { most };
    }
    (least, most)
}

/// Sorts keys that are at about their places.
#[inline(always)]
fn mend<K: Copy + Ord>(keys: &mut [K]) {
    for _ in 0..EXCHANGES {
        exchange(keys);
        exchange(&mut keys[1..]);
    }
    insertion(keys, STEPS * keys.len());
}

/// Sorts at least one key, which are at about their places.
pub(crate) fn order(keys: &mut [u64]) {
    struct Mend<'a>(&'a mut [u64]);
    impl NullaryFnOnce for Mend<'_> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            mend(self.0);
        }
    }
    Arch::new().dispatch(Mend(keys));
}

/// Orders each pair of neighbours.
#[inline(always)]
fn exchange<K: Copy + Ord>(keys: &mut [K]) {
    for pair in keys.as_chunks_mut::<2>().0 {
        let [a, b] = *pair;
        *pair = [a.min(b), a.max(b)];
    }
}

/// Sorts keys that are nearly in order; after `budget` steps the standard library takes over.
#[inline(always)]
fn insertion<K: Copy + Ord>(keys: &mut [K], mut budget: usize) {
    let mut greatest = keys[0];
    for i in 1..keys.len() {
        let key = keys[i];
        if key >= greatest {
            greatest = key;
            continue;
        }
        let mut hole = i;
        while hole > 0 && keys[hole - 1] > key {
            keys[hole] = keys[hole - 1];
            hole -= 1;
        }
        keys[hole] = key;
        let steps = i - hole;
        if steps > budget {
            return keys.sort_unstable();
        }
        budget -= steps;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::{Purpose, Stream};

    fn check<T: Scalar>(values: &[f64]) {
        let input: Vec<T> = values.iter().map(|&v| T::from_f64(v)).collect();
        let mut expected: Vec<T::SortKey> =
            input.iter().enumerate().map(|(i, v)| v.sort_key(i as u32)).collect();
        expected.sort_unstable();
        let (mut sorted, mut order) = (input.clone(), vec![u32::MAX; input.len()]);
        argsort(&mut sorted, &mut order, &mut SortScratch::default());
        let found: Vec<T::SortKey> = sorted.iter().zip(&order).map(|(v, &i)| v.sort_key(i)).collect();
        assert_eq!(found, expected, "{values:?}");
    }

    #[test]
    fn rows_of_every_length_and_kind() {
        for len in [
            1, 2, 9, 10, 11, 20, 21, 23, 32, 33, 25, 48, 49, 63, 65, 200, 1000, 1023, 5000, 65_535, 65_536,
            70_000,
        ] {
            let mut noise = vec![0.0; len];
            Stream::new(1, Purpose::Test, len as u64).normals(0, &mut noise);
            let kinds: [fn(usize, f64) -> f64; 8] = [
                |_, z| z,
                |_, z| z.abs(),
                |_, _| 0.25,
                |_, z| z.signum() * 0.0,
                |i, _| -(i as f64),
                |_, z| (3.0 * z).round(),
                |i, z| if i == 0 { 1e30 } else { z },
                |_, z| (8.0 * z).exp(),
            ];
            for kind in kinds {
                let row: Vec<f64> = noise.iter().enumerate().map(|(i, &z)| kind(i, z)).collect();
                check::<f32>(&row);
                check::<f64>(&row);
            }
        }
    }

    proptest! {
        #[test]
        fn any_finite_row_is_sorted(row in prop::collection::vec(-3e38f32..3e38, 1..300)) {
            check::<f32>(&row.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
        }

        #[test]
        fn ties_keep_their_order(row in prop::collection::vec(-2i32..3, 1..300)) {
            check::<f64>(&row.iter().map(|&v| f64::from(v) * 1e-320).collect::<Vec<_>>());
        }
    }
}
