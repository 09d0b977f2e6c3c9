//! Normal numbers in bulk: Philox and Box–Muller on many counters at once.
//!
//! Logarithm, sine and cosine are series in additions, products and one division, which every
//! machine rounds alike: the same seed gives the same bits on any processor, at the speed of its
//! vector unit.

use std::f64::consts::{FRAC_PI_2, LN_2, SQRT_2};
use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::{Arch, NullaryFnOnce};

use super::{philox_round, unit};

/// Pairs of numbers made at a time: so many that the compiler keeps the loops over them as loops, and
/// vectorises them.
pub(super) const PAIRS: usize = 64;

/// The numbers of the blocks `start..start + PAIRS`, two a block, in order.
pub(super) fn normals(key: [u32; 2], high: [u32; 2], start: u64) -> [f64; 2 * PAIRS] {
    Arch::new().dispatch(Batch { key, high, start })
}

struct Batch {
    key: [u32; 2],
    high: [u32; 2],
    start: u64,
}

impl NullaryFnOnce for Batch {
    type Output = [f64; 2 * PAIRS];

    #[inline(always)]
    fn call(self) -> Self::Output {
        let words = blocks(self.key, self.high, self.start);
        let mut out = [0.0; 2 * PAIRS];
        let mut radius = [0.0; PAIRS];
        for i in 0..PAIRS {
            radius[i] = (-2.0 * ln(unit(words[0][i], words[1][i]))).sqrt();
        }
        for i in 0..PAIRS {
            let (sin, cos) = sin_cos_turns(unit(words[2][i], words[3][i]));
            out[2 * i] = radius[i] * cos;
            out[2 * i + 1] = radius[i] * sin;
        }
        out
    }
}

/// Single-precision numbers made at a time: four a block.
pub(super) const SINGLES: usize = 4 * PAIRS;

/// The single-precision numbers of the blocks `start..start + PAIRS`: the cosines of all blocks'
/// first pairs of words, their sines, then the same of the second pairs.
pub(super) fn singles(key: [u32; 2], high: [u32; 2], start: u64) -> [f32; SINGLES] {
    Arch::new().dispatch(SingleBatch { key, high, start })
}

struct SingleBatch {
    key: [u32; 2],
    high: [u32; 2],
    start: u64,
}

impl NullaryFnOnce for SingleBatch {
    type Output = [f32; SINGLES];

    #[inline(always)]
    fn call(self) -> Self::Output {
        let words = blocks(self.key, self.high, self.start);
        let mut out = [0.0; SINGLES];
        for pair in 0..2 {
            let mut radius = [0.0; PAIRS];
            for i in 0..PAIRS {
                radius[i] = (-2.0 * ln(unit_single(words[2 * pair][i]))).sqrt();
            }
            for i in 0..PAIRS {
                let (sin, cos) = sin_cos_turns(unit_single(words[2 * pair + 1][i]));
                out[2 * pair * PAIRS + i] = radius[i] * cos;
                out[(2 * pair + 1) * PAIRS + i] = radius[i] * sin;
            }
        }
        out
    }
}

/// The four words of `PAIRS` consecutive blocks, word by word.
#[inline(always)]
fn blocks(mut key: [u32; 2], high: [u32; 2], start: u64) -> [[u32; PAIRS]; 4] {
    let block = |i: usize| start.wrapping_add(i as u64);
    let mut words = [
        std::array::from_fn(|i| block(i) as u32),
        std::array::from_fn(|i| (block(i) >> 32) as u32),
        [high[0]; PAIRS],
        [high[1]; PAIRS],
    ];
    for _ in 0..10 {
        philox_rounds(&mut words, key);
        key = super::next_key(key);
    }
    words
}

#[inline(always)]
fn philox_rounds(words: &mut [[u32; PAIRS]; 4], key: [u32; 2]) {
    let [w0, w1, w2, w3] = words;
    for (((w0, w1), w2), w3) in w0.iter_mut().zip(w1).zip(w2).zip(w3) {
        [*w0, *w1, *w2, *w3] = philox_round([*w0, *w1, *w2, *w3], key);
    }
}

/// A number in (0, 1) from the upper 23 bits of a word: with the half added it still is exact, so that
/// neither 1 (radius 0) nor a whole quarter turn comes out, and no normal number is 0.
#[inline(always)]
fn unit_single(word: u32) -> f32 {
    ((word >> 9) as i32 as f32 + 0.5) * (1.0 / (1u32 << 23) as f32)
}

/// What the series need of `f32` and `f64`.
pub(super) trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Denominators of the series of artanh; |s| <= 0.1716, and the first term left out is below
    /// half a last place.
    const ARTANH: &'static [f64];
    /// Ratios of the denominators of successive terms of sine and cosine; |x| <= pi/4, and the first
    /// terms left out are below half a last place.
    const SIN: &'static [f64];
    /// See [`Self::SIN`].
    const COS: &'static [f64];
    /// A constant, rounded.
    fn of(value: f64) -> Self;
    /// The integer part of a small positive number, also as a number.
    fn whole(self) -> (i32, Self);
    /// `(m, e)` with `self = 2^e m` and `m` in [1, 2), for a normal positive number.
    fn split(self) -> (Self, Self);
}

impl Real for f32 {
    const ARTANH: &'static [f64] = &[9.0, 7.0, 5.0, 3.0, 1.0];
    const SIN: &'static [f64] = &[8.0 * 9.0, 6.0 * 7.0, 4.0 * 5.0, 2.0 * 3.0];
    const COS: &'static [f64] = &[9.0 * 10.0, 7.0 * 8.0, 5.0 * 6.0, 3.0 * 4.0, 1.0 * 2.0];

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn whole(self) -> (i32, Self) {
        let whole = self as i32;
        (whole, whole as f32)
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        const MANTISSA: u32 = (1 << 23) - 1;
        let bits = self.to_bits();
        let mantissa = f32::from_bits((bits & MANTISSA) | 1.0f32.to_bits());
        (mantissa, ((bits >> 23) as i32 - 127) as f32)
    }
}

impl Real for f64 {
    const ARTANH: &'static [f64] = &[21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0];
    const SIN: &'static [f64] =
        &[14.0 * 15.0, 12.0 * 13.0, 10.0 * 11.0, 8.0 * 9.0, 6.0 * 7.0, 4.0 * 5.0, 2.0 * 3.0];
    const COS: &'static [f64] =
        &[15.0 * 16.0, 13.0 * 14.0, 11.0 * 12.0, 9.0 * 10.0, 7.0 * 8.0, 5.0 * 6.0, 3.0 * 4.0, 1.0 * 2.0];

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn whole(self) -> (i32, Self) {
        let whole = self as i32;
        (whole, f64::from(whole))
    }

    #[inline(always)]
    fn split(self) -> (Self, Self) {
        const MANTISSA: u64 = (1 << 52) - 1;
        let bits = self.to_bits();
        let mantissa = f64::from_bits((bits & MANTISSA) | 1.0f64.to_bits());
        (mantissa, f64::from((bits >> 52) as i32 - 1023))
    }
}

/// Natural logarithm of a normal positive number, to about a last place of `1 + |ln x|`.
///
/// `x = 2^e m` with `m` near 1, and `ln m = 2 artanh s`, `s = (m - 1) / (m + 1)`, by its series.
#[inline(always)]
pub(super) fn ln<F: Real>(x: F) -> F {
    let one = F::of(1.0);
    let (mantissa, exponent) = x.split();
    let large = mantissa > F::of(SQRT_2);
    let mantissa = if large { F::of(0.5) * mantissa } else { mantissa };
    let exponent = if large { exponent + one } else { exponent };
    let s = (mantissa - one) / (mantissa + one);
    let square = s * s;
    let mut series = one / F::of(F::ARTANH[0]);
    for &k in &F::ARTANH[1..] {
        series = series * square + one / F::of(k);
    }
    exponent * F::of(LN_2) + F::of(2.0) * s * series
}

/// Sine and cosine of `2 pi u` for `u` in [0, 1], to about a last place.
#[inline(always)]
pub(super) fn sin_cos_turns<F: Real>(u: F) -> (F, F) {
    let one = F::of(1.0);
    let quarters = F::of(4.0) * u;
    let (quadrant, nearest) = (quarters + F::of(0.5)).whole();
    let x = (quarters - nearest) * F::of(FRAC_PI_2);
    let square = x * x;
    let (mut sin, mut cos) = (one, one);
    for &k in F::SIN {
        sin = one - sin * square * (one / F::of(k));
    }
    let sin = x * sin;
    for &k in F::COS {
        cos = one - cos * square * (one / F::of(k));
    }
    let odd = quadrant & 1 == 1;
    let (s, c) = if odd { (cos, sin) } else { (sin, cos) };
    let s = if quadrant & 2 == 2 { -s } else { s };
    let c = if (quadrant + 1) & 2 == 2 { -c } else { c };
    (s, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_single_normal_is_zero() {
        // A direction in one dimension is a normal number over its length.
        for word in [0, 1 << 30, 1 << 31, 3 << 30, u32::MAX] {
            let u = unit_single(word);
            assert!(u > 0.0 && u < 1.0 && ln(u) < 0.0, "{word}");
            let (sin, cos) = sin_cos_turns(u);
            assert!(sin != 0.0 && cos != 0.0, "{word}");
        }
    }

    #[test]
    fn the_series_match_the_functions() {
        for k in 1..20_000 {
            let u = f64::from(k) / 20_000.0;
            let (sin, cos) = sin_cos_turns(u);
            let (expected_sin, expected_cos) = (std::f64::consts::TAU * u).sin_cos();
            assert!((sin - expected_sin).abs() < 2e-15 && (cos - expected_cos).abs() < 2e-15, "{u}");
            for x in [u, u * 1e-9, u * 1e-300, 3.0 * u] {
                assert!((ln(x) - x.ln()).abs() <= 4e-16 * (1.0 + x.ln().abs()), "{x}");
            }
        }
        assert_eq!(sin_cos_turns(0.0), (0.0, 1.0));
        for k in 1..20_000 {
            let u = k as f32 / 20_000.0;
            let (sin, cos) = sin_cos_turns(u);
            let (expected_sin, expected_cos) = (std::f64::consts::TAU * f64::from(u)).sin_cos();
            assert!((f64::from(sin) - expected_sin).abs() < 3e-7, "{u}");
            assert!((f64::from(cos) - expected_cos).abs() < 3e-7, "{u}");
            for x in [u, u * 1e-7] {
                let expected = f64::from(x).ln();
                assert!((f64::from(ln(x)) - expected).abs() <= 2e-7 * (1.0 + expected.abs()), "{x}");
            }
        }
    }
}
