//! What comparisons came to: which class goes where, the value and its certainty, the pairs of many.

use std::path::Path;

use anyhow::Result;
use serde_json::json;
use wowflow::compare::destinations;
use wowflow_study::distance::{Compared, Finished};

use crate::console::{Console, short};

/// Classes that a class goes to that are named in a line.
const NAMED_DESTINATIONS: usize = 3;

/// Two datasets.
pub(crate) fn pair(
    compared: &Compared,
    figure: Option<&Path>,
    plan: Option<&Path>,
    console: &Console,
) -> Result<()> {
    let symbol = &compared.distance;
    let (sum, power) = match compared.order {
        1.0 => (symbol.clone(), String::new()),
        order => (format!("{symbol}^{order}"), format!(", {symbol}^{order} = {:.6}", compared.power)),
    };
    classes(compared, &sum, console);
    console.say(&format!("{symbol} = {:.6}{power}: {}", compared.value, compared.certainty));
    let seconds = compared.seconds;
    console.say(&format!("loaded in {:.2} s, compared in {:.2} s", seconds.load, seconds.compare));
    if let Some(path) = figure {
        console.say(&format!("open {}", path.display()));
    }
    let path = |path: Option<&Path>| path.map(|path| path.display().to_string());
    let mut object = serde_json::to_value(compared)?;
    object["figure"] = json!(path(figure));
    object["plan"] = json!(path(plan));
    console.object(&object)
}

/// Which class goes where, one a line; `sum` is what their costs add up to.
fn classes(compared: &Compared, sum: &str, console: &Console) {
    let classes = &compared.classes;
    let Some(coupling) = &classes.coupling else { return };
    let costs =
        if classes.costs.is_some() { format!(", and the cost of the pair in {sum}") } else { String::new() };
    console.say(&format!("classes that are coupled, the share of the mass{costs}:"));
    let [left, right] = &classes.shown;
    let left: Vec<String> = left.iter().map(|label| short(label)).collect();
    let width = left.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    for (class, (label, row)) in left.iter().zip(coupling).enumerate() {
        let found = destinations(row);
        let one = |&(to, share): &(usize, f64)| {
            let cost = classes.costs.as_ref().map(|costs| format!(", cost {:.4}", costs[class][to]));
            format!("{} ({:.0} %{})", short(&right[to]), 100.0 * share, cost.unwrap_or_default())
        };
        let named: Vec<String> = found.iter().take(NAMED_DESTINATIONS).map(one).collect();
        let text = match found.len() {
            0 => "no mass".to_owned(),
            count if count > named.len() => format!("{}, {} more", named.join(", "), count - named.len()),
            _ => named.join(", "),
        };
        console.say(&format!("  {label:width$} -> {text}"));
    }
}

/// Many datasets, two by two.
pub(crate) fn pairs(finished: &Finished, console: &Console) -> Result<()> {
    let (names, summary) = (&finished.config.datasets, &finished.summary);
    for record in &finished.records {
        let (left, right) = (&names[record.left], &names[record.right]);
        let symbol = &summary.distance;
        console.say(&format!("  {left} - {right}: {symbol} = {:.6}, {}", record.value, record.certainty));
    }
    console.say(&format!("{} pairs in {:.1} s", summary.pairs, summary.seconds));
    console.say(&format!("open {}", finished.run.file(&summary.pictures[0]).display()));
    let mut object = serde_json::to_value(summary)?;
    object["out"] = json!(finished.run.root().display().to_string());
    object["distances"] = finished.table.clone();
    console.object(&object)
}
