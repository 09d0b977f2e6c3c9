//! Where the ticks of an axis go and how they are written.

pub(crate) use wowflow_study::text::number;

/// A tick: its place on the axis and its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: Label,
}

/// How a tick is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// A plain number.
    Number(String),
    /// A power of ten.
    Power(i32),
    /// A short unlabeled tick between others.
    None,
}

/// About `wanted` ticks at multiples of 1, 2 or 5 times a power of ten within `low..=high`.
pub(crate) fn linear(low: f64, high: f64, wanted: usize) -> Vec<Tick> {
    let span = high - low;
    if !(span.is_finite() && span > 0.0) {
        return vec![Tick { value: low, label: Label::Number(number(low, 6)) }];
    }
    let raw = span / wanted.max(1) as f64;
    let decade = 10f64.powi(raw.log10().floor() as i32);
    let nice = [1.0, 2.0, 5.0, 10.0].into_iter().find(|&nice| nice * decade >= raw * 0.999).unwrap_or(10.0);
    let step = nice * decade;
    // Digits needed to tell neighbours apart, counted from the largest value shown.
    let largest = low.abs().max(high.abs());
    let digits = (largest / step).log10().floor().max(0.0) as usize + 2;
    // A hair of room, so that the ends are ticks when they are multiples up to rounding.
    let first = (low / step - 1e-9).ceil();
    let last = (high / step + 1e-9).floor();
    (0..=(last - first).clamp(0.0, 100.0) as usize)
        .map(|i| (first + i as f64) * step)
        .map(|value| Tick { value, label: Label::Number(number(value, digits)) })
        .collect()
}

/// Ticks at the decades within `low..=high` (both positive), labeled so that at most about `wanted`
/// texts appear; between decades short ticks at 2, ..., 9 while there are few decades.
pub(crate) fn logarithmic(low: f64, high: f64, wanted: usize) -> Vec<Tick> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let inside = |value: f64| value >= low * (1.0 - 1e-9) && value <= high * (1.0 + 1e-9);
    let every = ((last - first) as usize).div_ceil(wanted.max(1)).max(1) as i32;
    let decades = (first..=last).filter(|&power| inside(10f64.powi(power))).count();
    let mut ticks = Vec::new();
    for power in first..=last {
        let decade = 10f64.powi(power);
        for multiple in 1..10 {
            let value = f64::from(multiple) * decade;
            let label = match multiple {
                _ if !inside(value) => continue,
                // With few decades in sight their multiples must be readable.
                1 | 2 | 5 if decades <= 2 => Label::Number(number(value, 3)),
                1 if power.rem_euclid(every) == 0 => Label::Power(power),
                1 => Label::None,
                _ if last - first > 8 => continue,
                _ => Label::None,
            };
            ticks.push(Tick { value, label });
        }
    }
    // A range so narrow that it holds no round multiples is read best with evenly spaced numbers.
    let labeled = ticks.iter().filter(|tick| tick.label != Label::None).count();
    if labeled < 2 { linear(low, high, wanted.min(4)) } else { ticks }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: &[Tick]) -> Vec<String> {
        let text = |tick: &Tick| match &tick.label {
            Label::Number(text) => Some(text.clone()),
            Label::Power(power) => Some(format!("10^{power}")),
            Label::None => None,
        };
        ticks.iter().filter_map(text).collect()
    }

    #[test]
    fn linear_ticks_are_round_numbers_inside_the_range() {
        assert_eq!(texts(&linear(0.0, 500.0, 5)), ["0", "100", "200", "300", "400", "500"]);
        assert_eq!(texts(&linear(-1.0, 1.0, 4)), ["-1", "-0.5", "0", "0.5", "1"]);
        assert_eq!(
            texts(&linear(0.1234, 0.1239, 5)),
            ["0.1234", "0.1235", "0.1236", "0.1237", "0.1238", "0.1239"]
        );
        assert_eq!(texts(&linear(0.0, 3e7, 3)), ["0", "1e7", "2e7", "3e7"]);
        assert_eq!(texts(&linear(2.0, 2.0, 5)), ["2"]);
        assert_eq!(texts(&linear(0.0, 1.0, 1)), ["0", "1"]);
        for (low, high) in [(0.3, 17.0), (-5.2e-9, 4e-9), (1e5, 1.1e5), (-3.0, -2.9)] {
            let ticks = linear(low, high, 6);
            assert!((3..=14).contains(&ticks.len()), "{low} {high}: {ticks:?}");
            assert!(
                ticks
                    .iter()
                    .all(|t| t.value >= low - 1e-6 * (high - low) && t.value <= high + 1e-6 * (high - low))
            );
            let mut unique = texts(&ticks);
            unique.dedup();
            assert_eq!(unique.len(), ticks.len(), "{ticks:?}");
        }
    }

    #[test]
    fn decades_are_labeled_and_thinned_when_many() {
        assert_eq!(texts(&logarithmic(0.01, 10.0, 8)), ["10^-2", "10^-1", "10^0", "10^1"]);
        assert_eq!(logarithmic(0.01, 10.0, 8).len(), 3 * 9 + 1);
        let many = logarithmic(1e-20, 1.0, 6);
        assert!(texts(&many).len() <= 7, "{:?}", texts(&many));
        assert!(texts(&many).contains(&"10^0".to_owned()));
    }

    #[test]
    fn a_range_within_one_decade_still_has_texts() {
        assert_eq!(texts(&logarithmic(0.11, 0.6, 8)), ["0.2", "0.5"]);
        assert_eq!(texts(&logarithmic(0.6, 3.0, 8)), ["1", "2"]);
        assert_eq!(texts(&logarithmic(1.0, 10.0, 8)), ["1", "2", "5", "10"]);
        assert_eq!(texts(&logarithmic(0.21, 0.24, 8)), ["0.21", "0.22", "0.23", "0.24"]);
    }
}
