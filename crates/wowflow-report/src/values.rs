//! Colours for values, and values as short text with one unit for all.

use crate::palette::{INK, PAPER, Rgb};

/// From the least value to the largest: pale to dark, so that it also reads in grey.
const ANCHORS: [Rgb; 6] =
    [[255, 251, 222], [205, 232, 196], [126, 201, 187], [52, 147, 175], [29, 88, 144], [16, 31, 84]];

/// The colour of a place in [0, 1] on the scale; places outside get the colour of the end.
pub(crate) fn value_color(place: f64) -> Rgb {
    let at = place.clamp(0.0, 1.0) * (ANCHORS.len() - 1) as f64;
    let below = (at as usize).min(ANCHORS.len() - 2);
    let part = at - below as f64;
    [0, 1, 2].map(|channel| {
        let (from, to) = (f64::from(ANCHORS[below][channel]), f64::from(ANCHORS[below + 1][channel]));
        (from + part * (to - from)).round() as u8
    })
}

/// How bright a colour looks, in [0, 255] (weights of ITU-R BT.601).
pub(crate) fn brightness([red, green, blue]: Rgb) -> f64 {
    0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue)
}

/// Ink or paper, whichever is read better on a colour.
pub(crate) fn text_color(background: Rgb) -> Rgb {
    if brightness(background) > 125.0 { INK } else { PAPER }
}

/// Numbers in three digits, small ones in fewer, all with one power of ten taken out if need be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The power of ten taken out.
    pub(crate) power: i32,
    decimals: usize,
}

impl Unit {
    /// The unit for numbers up to this size.
    pub(crate) fn of(largest: f64) -> Self {
        if !(largest.is_finite() && largest > 0.0) {
            return Self { power: 0, decimals: 0 };
        }
        let exponent = largest.log10().floor() as i32;
        let power = if (-2..5).contains(&exponent) { 0 } else { exponent };
        Self { power, decimals: (2 - (exponent - power)).max(0) as usize }
    }

    /// A number in this unit, with at most one decimal more than the largest has.
    pub(crate) fn write(self, value: f64) -> String {
        let scaled = value / 10f64.powi(self.power);
        let wanted = 2 - scaled.abs().log10().floor().clamp(-9.0, 9.0) as i32;
        let decimals = wanted.clamp(0, self.decimals as i32 + 1) as usize;
        let text = format!("{scaled:.decimals$}");
        // Not "-0.00".
        let zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
        if value == 0.0 {
            "0".into()
        } else if zero {
            text.trim_start_matches('-').into()
        } else {
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_values_are_darker_and_text_stands_out() {
        let shades: Vec<Rgb> = (0..=100).map(|i| value_color(f64::from(i) / 100.0)).collect();
        assert!(shades.windows(2).all(|w| brightness(w[0]) > brightness(w[1])));
        assert!(shades.iter().all(|&shade| (brightness(shade) - brightness(text_color(shade))).abs() > 75.0));
        assert_eq!((value_color(-3.0), value_color(7.0)), (ANCHORS[0], ANCHORS[5]));
    }

    #[test]
    fn numbers_share_a_unit() {
        let unit = Unit::of(23.456);
        assert_eq!([0.0, 23.456, 1.0, -0.01].map(|v| unit.write(v)), ["0", "23.5", "1.00", "-0.01"]);
        assert_eq!(Unit::of(0.0234).write(0.0234), "0.0234");
        let unit = Unit::of(2.34e7);
        assert_eq!((unit.power, unit.write(2.34e7), unit.write(1e6)), (7, "2.34".into(), "0.100".into()));
        assert_eq!((Unit::of(3e-5).power, Unit::of(0.0).write(0.0)), (-5, "0".into()));
        assert_eq!(Unit::of(12345.6).write(12345.6), "12346");
        assert_eq!([1e-9, -1e-9].map(|v| Unit::of(100.0).write(v)), ["0.0", "0.0"]);
    }
}
