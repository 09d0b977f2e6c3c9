//! Normal numbers in bulk: Philox and Box–Muller on many counters at once.
//!
//! Logarithm, sine and cosine are series in additions, products and one division, which every
//! machine rounds alike: the same seed gives the same bits on any processor, at the speed of its
//! vector unit.

use std::f64::consts::{FRAC_PI_2, LN_2, SQRT_2};

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
                radius[i] = (-2.0 * ln_single(unit_single(words[2 * pair][i]))).sqrt();
            }
            for i in 0..PAIRS {
                let (sin, cos) = sin_cos_turns_single(unit_single(words[2 * pair + 1][i]));
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

/// [`ln`] in single precision.
#[inline(always)]
fn ln_single(x: f32) -> f32 {
    const MANTISSA: u32 = (1 << 23) - 1;
    let bits = x.to_bits();
    let mantissa = f32::from_bits((bits & MANTISSA) | 1.0f32.to_bits());
    let exponent = ((bits >> 23) as i32 - 127) as f32;
    let large = mantissa > std::f32::consts::SQRT_2;
    let mantissa = if large { 0.5 * mantissa } else { mantissa };
    let exponent = if large { exponent + 1.0 } else { exponent };
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut series = 1.0 / 9.0;
    for k in [7.0, 5.0, 3.0, 1.0] {
        series = series * square + 1.0 / k;
    }
    exponent * std::f32::consts::LN_2 + 2.0 * s * series
}

/// [`sin_cos_turns`] in single precision.
#[inline(always)]
fn sin_cos_turns_single(u: f32) -> (f32, f32) {
    let quarters = 4.0 * u;
    let quadrant = (quarters + 0.5) as i32;
    let x = (quarters - quadrant as f32) * std::f32::consts::FRAC_PI_2;
    let square = x * x;
    let mut sin = 1.0;
    for k in [8.0 * 9.0, 6.0 * 7.0, 4.0 * 5.0, 2.0 * 3.0] {
        sin = 1.0 - sin * square * (1.0 / k);
    }
    let sin = x * sin;
    let mut cos = 1.0;
    for k in [9.0 * 10.0, 7.0 * 8.0, 5.0 * 6.0, 3.0 * 4.0, 1.0 * 2.0] {
        cos = 1.0 - cos * square * (1.0 / k);
    }
    let odd = quadrant & 1 == 1;
    let (s, c) = if odd { (cos, sin) } else { (sin, cos) };
    let s = if quadrant & 2 == 2 { -s } else { s };
    let c = if (quadrant + 1) & 2 == 2 { -c } else { c };
    (s, c)
}

/// Natural logarithm of a normal positive number, to about 1e-16 of `1 + |ln x|`.
///
/// `x = 2^e m` with `m` near 1, and `ln m = 2 artanh s`, `s = (m - 1) / (m + 1)`, by its series.
#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let mantissa = f64::from_bits((bits & MANTISSA) | 1.0f64.to_bits());
    let exponent = f64::from((bits >> 52) as i32 - 1023);
    let large = mantissa > SQRT_2;
    let mantissa = if large { 0.5 * mantissa } else { mantissa };
    let exponent = if large { exponent + 1.0 } else { exponent };
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    // |s| <= 0.1716: the first term left out is below 2e-17 of the sum.
    let mut series = 1.0 / 21.0;
    for k in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        series = series * square + 1.0 / k;
    }
    exponent * LN_2 + 2.0 * s * series
}

/// Sine and cosine of `2 pi u` for `u` in [0, 1], to about 1e-16.
#[inline(always)]
pub(super) fn sin_cos_turns(u: f64) -> (f64, f64) {
    let quarters = 4.0 * u;
    let quadrant = (quarters + 0.5) as i32;
    let x = (quarters - f64::from(quadrant)) * FRAC_PI_2;
    let square = x * x;
    // |x| <= pi/4: the first terms left out are below 5e-17 and 2e-18.
    let mut sin = 1.0;
    for k in [14.0 * 15.0, 12.0 * 13.0, 10.0 * 11.0, 8.0 * 9.0, 6.0 * 7.0, 4.0 * 5.0, 2.0 * 3.0] {
        sin = 1.0 - sin * square * (1.0 / k);
    }
    let sin = x * sin;
    let mut cos = 1.0;
    for k in [15.0 * 16.0, 13.0 * 14.0, 11.0 * 12.0, 9.0 * 10.0, 7.0 * 8.0, 5.0 * 6.0, 3.0 * 4.0, 1.0 * 2.0] {
        cos = 1.0 - cos * square * (1.0 / k);
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
            assert!(u > 0.0 && u < 1.0 && ln_single(u) < 0.0, "{word}");
            let (sin, cos) = sin_cos_turns_single(u);
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
            let (sin, cos) = sin_cos_turns_single(u);
            let (expected_sin, expected_cos) = (std::f64::consts::TAU * f64::from(u)).sin_cos();
            assert!((f64::from(sin) - expected_sin).abs() < 3e-7, "{u}");
            assert!((f64::from(cos) - expected_cos).abs() < 3e-7, "{u}");
            for x in [u, u * 1e-7] {
                let expected = f64::from(x).ln();
                assert!((f64::from(ln_single(x)) - expected).abs() <= 2e-7 * (1.0 + expected.abs()), "{x}");
            }
        }
    }
}
