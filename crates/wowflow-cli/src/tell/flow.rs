//! What a flow came to.

use anyhow::Result;
use wowflow_study::record::{RunDir, Summary};

use crate::console::Console;

/// A value that falls by a larger share at the end has not settled.
const STILL_FALLING: f64 = 0.05;

/// Which class became which, the values, the picture to open.
pub(crate) fn finished(summary: &Summary, run: &RunDir, console: &Console) -> Result<()> {
    for class in &summary.classes {
        let elsewhere = match class.ambiguity > 0.0 {
            true => format!(" ({:.0} % of it goes to other classes)", (100.0 * class.ambiguity).max(1.0)),
            false => String::new(),
        };
        let named = |label: &str, name: &Option<String>| {
            name.as_ref().map_or_else(|| label.to_owned(), |name| format!("{label} {name}"))
        };
        let (from, to) = (named(&class.source, &class.source_name), named(&class.target, &class.target_name));
        console.say(&format!("  class {from} became {to}{elsewhere}"));
    }
    let otherwise = summary.extra.get("classes_paired_otherwise").and_then(serde_json::Value::as_array);
    if let Some(otherwise) = otherwise.filter(|classes| !classes.is_empty()) {
        let (count, all) = (otherwise.len(), summary.classes.len());
        console.say(&format!(
            "{count} of {all} classes came to another class than `wowflow distance` couples them with, which looks at \
             the samples before they move"
        ));
    }
    let limit = summary.extra.get("wow2_samples_a_class").and_then(serde_json::Value::as_u64);
    let sampled = limit.map_or(String::new(), |limit| format!(", on {limit} samples a class"));
    let wow2 = |value: Option<f64>| value.map_or("unknown".to_owned(), |value| format!("{value:.4}"));
    console.say(&format!(
        "{} {:.4e} -> {:.4e}, W_W2^2 {} -> {}{sampled}, {} steps in {:.1} s",
        summary.functional.symbol,
        summary.value_initial,
        summary.value_final,
        wow2(summary.wow2_initial),
        wow2(summary.wow2_final),
        summary.steps,
        summary.seconds
    ));
    let falling = summary.extra.get("late_fall").and_then(serde_json::Value::as_f64);
    if let Some(fall) = falling.filter(|fall| *fall > STILL_FALLING) {
        console.say(&format!(
            "not settled: {} fell by {:.0} % from the last tenth of the steps but one to the last; more --steps go on",
            summary.functional.symbol,
            100.0 * fall
        ));
    }
    if summary.value_final < 0.0 {
        console.say(&format!("{} below 0 is 0 but for rounding and chance", summary.functional.symbol));
    }
    if let Some(first) = summary.pictures.first() {
        console.say(&format!("open {}", run.file(first).display()));
    }
    let mut object = serde_json::to_value(summary)?;
    object["out"] = run.root().display().to_string().into();
    console.object(&object)
}
