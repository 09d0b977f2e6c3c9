//! Counter-based randomness: Philox4x32-10, so that any draw is addressed, never replayed.
//!
//! A [`Stream`] is a pure function of (seed, purpose, step); its `i`-th draw does not depend on
//! which thread or process asks for it. Reference: Salmon, Moraes, Dror, Shaw, "Parallel random
//! numbers: as easy as 1, 2, 3", SC 2011.

mod normal;

/// What a stream of random numbers is for; streams of different purposes never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Slicing directions of a flow step or of a distance.
    Directions,
    /// Directions on which states are compared, apart from those that move them.
    Evaluation,
    /// What a slice of datasets takes besides its direction: weights, orders of moments, rays, functions.
    Slices,
    /// Choosing samples of a dataset.
    Subsample,
    /// Mini-batches of a target.
    Batches,
    /// Generating a synthetic dataset.
    Generate,
    /// Resampling observations to see how much a statistic varies.
    Bootstrap,
    /// Pairs of datasets in an experiment: their classes and samples.
    Pairs,
    /// Parameters of a network at its start.
    Parameters,
    /// The order of training examples.
    Shuffle,
    /// Augmentations of images.
    Augment,
    /// Noise added to a flow.
    Noise,
    /// Repetitions of an experiment: the seeds of their parts.
    Repetitions,
    /// Anything a test needs.
    Test,
}

const MULTIPLIER_0: u32 = 0xD251_1F53;
const MULTIPLIER_1: u32 = 0xCD9E_8D57;
const WEYL_0: u32 = 0x9E37_79B9;
const WEYL_1: u32 = 0xBB67_AE85;

/// One Philox4x32-10 block: four 32-bit words from a 128-bit counter and a 64-bit key.
#[inline]
#[must_use]
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut counter, mut key) = (counter, key);
    for _ in 0..10 {
        counter = philox_round(counter, key);
        key = next_key(key);
    }
    counter
}

#[inline(always)]
fn philox_round([c0, c1, c2, c3]: [u32; 4], [k0, k1]: [u32; 2]) -> [u32; 4] {
    let p0 = u64::from(MULTIPLIER_0) * u64::from(c0);
    let p1 = u64::from(MULTIPLIER_1) * u64::from(c2);
    [(p1 >> 32) as u32 ^ c1 ^ k0, p1 as u32, (p0 >> 32) as u32 ^ c3 ^ k1, p0 as u32]
}

#[inline(always)]
fn next_key([k0, k1]: [u32; 2]) -> [u32; 2] {
    [k0.wrapping_add(WEYL_0), k1.wrapping_add(WEYL_1)]
}

/// An addressable stream of random numbers.
///
/// ```
/// use wowflow::rng::{Purpose, Stream};
/// let stream = Stream::new(7, Purpose::Test, 0);
/// assert_eq!(stream.uniform(12), Stream::new(7, Purpose::Test, 0).uniform(12));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    high: [u32; 2],
}

impl Stream {
    /// The stream of a seed, a purpose and a step (any 48-bit sub-address).
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, step: u64) -> Self {
        let tag = match purpose {
            Purpose::Directions => 1u64,
            Purpose::Subsample => 2,
            Purpose::Generate => 3,
            Purpose::Test => 4,
            Purpose::Evaluation => 5,
            Purpose::Slices => 6,
            Purpose::Batches => 8,
            Purpose::Bootstrap => 7,
            Purpose::Pairs => 9,
            Purpose::Parameters => 10,
            Purpose::Shuffle => 11,
            Purpose::Augment => 12,
            Purpose::Noise => 13,
            Purpose::Repetitions => 14,
        };
        let high = (tag << 48) ^ (step & 0xFFFF_FFFF_FFFF);
        Self { key: [seed as u32, (seed >> 32) as u32], high: [high as u32, (high >> 32) as u32] }
    }

    /// The `block`-th group of four 32-bit words.
    #[inline]
    #[must_use]
    pub fn words(&self, block: u64) -> [u32; 4] {
        philox4x32([block as u32, (block >> 32) as u32, self.high[0], self.high[1]], self.key)
    }

    /// The `index`-th uniform number in the open interval (0, 1), 52 random bits.
    #[inline]
    #[must_use]
    pub fn uniform(&self, index: u64) -> f64 {
        let words = self.words(index / 2);
        let half = (index % 2) as usize * 2;
        unit(words[half], words[half + 1])
    }

    /// Fills `out` with standard normal numbers; element `i` depends on `offset + i` alone.
    ///
    /// Two numbers come from one block by the Box–Muller transform.
    ///
    /// # Panics
    /// An odd `offset`: it would cut a block in two.
    pub fn normals(&self, offset: u64, out: &mut [f64]) {
        assert!(offset.is_multiple_of(2), "the offset into a stream of normals must be even, found {offset}");
        for (batch, chunk) in out.chunks_mut(2 * normal::PAIRS).enumerate() {
            let start = offset / 2 + (batch * normal::PAIRS) as u64;
            let numbers = normal::normals(self.key, self.high, start);
            chunk.copy_from_slice(&numbers[..chunk.len()]);
        }
    }

    /// Fills `out` with standard normal numbers of single precision, twice as fast as
    /// [`Self::normals`]; element `i` depends on `offset + i` alone.
    ///
    /// From 23 bits a uniform number: no value beyond 5.8 standard deviations, which a direction
    /// does not miss.
    ///
    /// # Panics
    /// An `offset` that is no multiple of 256, the numbers made at a time.
    pub fn normals_single(&self, offset: u64, out: &mut [f32]) {
        let batch = normal::SINGLES as u64;
        assert!(offset.is_multiple_of(batch), "the offset must be a multiple of {batch}, found {offset}");
        for (index, chunk) in out.chunks_mut(normal::SINGLES).enumerate() {
            let start = offset / 4 + (index * normal::PAIRS) as u64;
            let numbers = normal::singles(self.key, self.high, start);
            chunk.copy_from_slice(&numbers[..chunk.len()]);
        }
    }

    /// A sequential reader of this stream, for code that draws a varying number of values.
    #[must_use]
    pub fn reader(self) -> Reader {
        Reader { stream: self, next: 0 }
    }
}

#[inline(always)]
fn unit(high: u32, low: u32) -> f64 {
    let bits = (u64::from(high) << 32 | u64::from(low)) >> 12;
    (bits as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

/// Draws from a [`Stream`] one after another.
#[derive(Clone, Debug)]
pub struct Reader {
    stream: Stream,
    next: u64,
}

impl Reader {
    /// A uniform number in (0, 1).
    pub fn uniform(&mut self) -> f64 {
        let value = self.stream.uniform(self.next);
        self.next += 1;
        value
    }

    /// A uniform number in (`low`, `high`).
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// A standard normal number.
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        (-2.0 * normal::ln(u)).sqrt() * normal::sin_cos_turns(v).1
    }

    /// A uniform index below `bound`, which must be positive.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "an index below 0 was asked for");
        ((self.uniform() * bound as f64) as usize).min(bound - 1)
    }

    /// The first `count` entries of a uniform random permutation of `0..len`, in draw order.
    ///
    /// A smaller `count` gives a prefix of a larger one: samples are nested.
    pub fn sample(&mut self, len: usize, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..len).collect();
        let count = count.min(len);
        for i in 0..count {
            let j = i + self.below(len - i);
            order.swap(i, j);
        }
        order.truncate(count);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_matches_the_published_test_vectors() {
        // Known-answer vectors of the Random123 distribution (philox4x32, 10 rounds).
        assert_eq!(philox4x32([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox4x32([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn normals_have_unit_moments_and_do_not_depend_on_the_split() {
        let stream = Stream::new(3, Purpose::Test, 5);
        let mut all = vec![0.0; 100_000];
        stream.normals(0, &mut all);
        let n = all.len() as f64;
        let mean = all.iter().sum::<f64>() / n;
        let variance = all.iter().map(|x| x * x).sum::<f64>() / n;
        let fourth = all.iter().map(|x| x.powi(4)).sum::<f64>() / n;
        assert!(mean.abs() < 0.015, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
        assert!((fourth - 3.0).abs() < 0.15, "fourth moment {fourth}");
        let mut part = vec![0.0; 77];
        stream.normals(1000, &mut part);
        assert_eq!(part[..], all[1000..1077]);
        // The batches against the definition, block by block.
        for pair in [0u64, 1, 15, 16, 499] {
            let words = stream.words(pair);
            let radius = (-2.0 * unit(words[0], words[1]).ln()).sqrt();
            let angle = std::f64::consts::TAU * unit(words[2], words[3]);
            assert!((all[2 * pair as usize] - radius * angle.cos()).abs() < 1e-14);
            assert!((all[2 * pair as usize + 1] - radius * angle.sin()).abs() < 1e-14);
        }
    }

    #[test]
    fn single_normals_have_unit_moments_and_do_not_depend_on_the_split() {
        let stream = Stream::new(3, Purpose::Test, 6);
        let mut all = vec![0.0; 400_000];
        stream.normals_single(0, &mut all);
        let n = all.len() as f64;
        let moment = |power: i32| all.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / n;
        for (power, expected, tolerance) in [(1, 0.0, 0.008), (2, 1.0, 0.01), (3, 0.0, 0.03), (4, 3.0, 0.08)]
        {
            assert!((moment(power) - expected).abs() < tolerance, "moment {power}: {}", moment(power));
        }
        let beyond = all.iter().filter(|x| x.abs() > 3.0).count() as f64 / n;
        assert!((beyond - 0.0027).abs() < 0.0004, "{beyond}");
        let mut part = vec![0.0; 77];
        stream.normals_single(256, &mut part);
        assert_eq!(part[..], all[256..333]);
    }

    #[test]
    fn samples_are_nested_and_without_replacement() {
        let draw = |count| Stream::new(1, Purpose::Subsample, 9).reader().sample(50, count);
        let (small, large) = (draw(7), draw(50));
        assert_eq!(small[..], large[..7]);
        let mut sorted = large;
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(i, &v)| i == v));
    }
}
