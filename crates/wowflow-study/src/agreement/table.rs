//! An experiment as tables: every pair in CSV, every method in Markdown.

use std::fmt::Write;

use super::config::Config;
use super::draw::Made;
use super::outcome::{MethodOutcome, PairRecord, best};
use crate::text::{csv_line, seconds};
use wowflow::stats::correlation::Coefficient;

/// A line a pair: what it was made of, the values, the seconds.
pub(super) fn csv(config: &Config, made: &[Made], records: &[PairRecord]) -> String {
    let labels = config.methods.iter().map(|method| method.label.clone());
    let clocks = config.methods.iter().map(|method| format!("seconds of {}", method.label));
    let head = ["pair", "left", "right", "left classes", "right classes", "samples a class"];
    let mut text = csv_line(head.into_iter().map(str::to_owned).chain(labels).chain(clocks));
    for (record, made) in records.iter().zip(made) {
        let classes = [&made.left_classes, &made.right_classes].map(|classes| classes.join(" "));
        let [left, right] = classes;
        let first = [record.pair.to_string(), made.left.clone(), made.right.clone(), left, right];
        let values = record.found.iter().map(|found| found.value.to_string());
        let clocks = record.found.iter().map(|found| format!("{:.6}", found.seconds));
        text += &csv_line(first.into_iter().chain([made.samples.to_string()]).chain(values).chain(clocks));
    }
    text
}

/// `0.934 [0.880, 0.961]`.
fn interval(of: &Coefficient) -> String {
    format!("{:.3} [{:.3}, {:.3}]", of.value, of.low, of.high)
}

/// A table a reference, the methods that rank most as it does first.
pub(super) fn markdown(config: &Config, outcomes: &[MethodOutcome]) -> String {
    // Writing into a string does not fail.
    let mut text = format!("# {}\n\n{}\n", config.title, config.describe());
    for &reference in &config.references {
        let of = &config.methods[reference].label;
        let clock = seconds(outcomes[reference].median_seconds);
        let _ =
            write!(text, "\nAgreement with {of} ({clock} a pair), 95 % bootstrap intervals over pairs:\n\n");
        text += "| method | Spearman | Kendall | Pearson | median time a pair | cost |\n";
        text += "| --- | --- | --- | --- | --- | --- |\n";
        let mut rows: Vec<(f64, String)> = Vec::new();
        for outcome in outcomes {
            let Some(against) = outcome.against.iter().find(|against| against.reference == *of) else {
                continue;
            };
            let (rank, cells) = match &against.correlations {
                Some(found) => {
                    let cells = [&found.spearman, &found.kendall, &found.pearson].map(interval);
                    (found.spearman.value, cells)
                }
                None => (f64::NEG_INFINITY, ["-"; 3].map(str::to_owned)),
            };
            let label = outcome.label.replace('|', "\\|");
            let (cost, clock) = (outcome.growth, seconds(outcome.median_seconds));
            rows.push((rank, format!("| {label} | {} | {clock} | {cost} |\n", cells.join(" | "))));
        }
        rows.sort_by(|x, y| y.0.total_cmp(&x.0));
        text.extend(rows.into_iter().map(|(_, row)| row));
        if let Some(words) = best_in_words(outcomes, of) {
            let _ = write!(text, "\n{words}\n");
        }
    }
    text
}

/// Which method of linear cost is best, in a sentence.
pub(super) fn best_in_words(outcomes: &[MethodOutcome], reference: &str) -> Option<String> {
    let (outcome, found) = best(outcomes, reference)?;
    Some(format!(
        "Best of the methods of linear cost against {reference}: {}, Spearman {} over {} pairs.",
        outcome.label,
        interval(&found.spearman),
        found.pairs
    ))
}
