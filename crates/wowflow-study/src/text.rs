//! Numbers and names in words, as tables, figures and files have them.

/// A name as part of the name of a file: letters and digits in lower case, with dashes between.
///
/// ```
/// assert_eq!(wowflow_study::text::slug("mnist[train] Ours"), "mnist-train-ours");
/// ```
#[must_use]
pub fn slug(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// A number in at most `digits` significant digits, without trailing zeros.
///
/// ```
/// use wowflow_study::text::number;
/// assert_eq!((number(0.1 + 0.2, 6), number(0.000_012_34, 3)), ("0.3".to_owned(), "1.23e-5".to_owned()));
/// ```
#[must_use]
pub fn number(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return value.to_string();
    }
    let digits = digits.clamp(1, 15);
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        trim(&format!("{value:.decimals$}")).to_owned()
    } else {
        format!("{}e{exponent}", trim(mantissa))
    }
}

fn trim(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A time in seconds as people read it, with the unit: `0.012 s`, `3.4 s`, `125 s`.
#[must_use]
pub fn seconds(value: f64) -> String {
    format!("{} s", number(value, 3))
}

/// A count with its unit in singular or plural: `1 try`, `3 tries`.
#[cfg(feature = "learn")]
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(0.000_012_34, 3), "1.23e-5");
        assert_eq!(number(1234.0, 3), "1234");
        assert_eq!(number(0.1 + 0.2, 6), "0.3");
        assert_eq!(number(-0.0, 3), "0");
        assert_eq!(number(f64::INFINITY, 3), "inf");
        assert_eq!(seconds(0.0123), "0.0123 s");
    }
}
