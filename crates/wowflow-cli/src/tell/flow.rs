//! What a flow came to.

use anyhow::Result;
use wowflow_study::record::{RunDir, Summary};

use crate::console::Console;

/// Which class became which, the values, the picture to open.
pub(crate) fn finished(summary: &Summary, run: &RunDir, console: &Console) -> Result<()> {
    for class in &summary.classes {
        let ambiguity = match class.ambiguity > 0.0 {
            true => format!(" (ambiguity {:.2})", class.ambiguity),
            false => String::new(),
        };
        console.say(&format!("  class {} became {}{ambiguity}", class.source, class.target));
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
    if let Some(first) = summary.pictures.first() {
        console.say(&format!("open {}", run.file(first).display()));
    }
    let mut object = serde_json::to_value(summary)?;
    object["out"] = run.root().display().to_string().into();
    console.object(&object)
}
