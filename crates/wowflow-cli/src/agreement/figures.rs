//! The picture of an experiment: a panel a method, against one reference.

use anyhow::Result;
use wowflow_report::{Agreement, AgreementPanel, Picture, seconds};

use super::config::AgreementConfig;
use super::draw::Made;
use super::outcome::{MethodOutcome, PairRecord, values};

/// Panels of all methods but the reference.
pub(crate) fn against(
    config: &AgreementConfig,
    made: &[Made],
    records: &[PairRecord],
    outcomes: &[MethodOutcome],
    reference: usize,
) -> Result<Picture> {
    let name = &config.methods[reference].label;
    let truth = values(records, reference);
    // A legend of one group says nothing.
    let mixed = [true, false].map(|same| made.iter().any(|made| (made.left == made.right) == same));
    let groups: Vec<String> = match mixed {
        [true, true] => vec!["two datasets".into(), "two parts of one dataset".into()],
        _ => Vec::new(),
    };
    let group = |made: &Made| usize::from(made.left == made.right);
    let mut panels = Vec::new();
    for (index, outcome) in outcomes.iter().enumerate().filter(|(index, _)| *index != reference) {
        let found = outcome.against.iter().find(|against| against.reference == *name);
        panels.push(AgreementPanel {
            name: outcome.label.clone(),
            points: truth.iter().copied().zip(values(records, index)).collect(),
            groups: if groups.is_empty() { Vec::new() } else { made.iter().map(group).collect() },
            correlations: found.and_then(|against| against.correlations),
            note: format!("{} a pair", seconds(outcome.median_seconds)),
        });
    }
    let clock = seconds(outcomes[reference].median_seconds);
    let figure = Agreement {
        title: format!("{} Against {name} ({clock} a pair)", config.title),
        reference: name.clone(),
        groups,
        panels,
    };
    Ok(figure.draw()?)
}
