//! The picture of an experiment: a panel a method, against one reference.

use wowflow_study::agreement::{Finished, Made, values};
use wowflow_study::text::{seconds, slug};

use crate::agreement::{Agreement, AgreementPanel};
use crate::error::ReportError;
use crate::picture::Picture;

/// A picture a reference, with its file name: `agreement.png` for the first.
///
/// # Errors
/// Values that fit no picture.
pub fn pictures(finished: &Finished) -> Result<Vec<(String, Picture)>, ReportError> {
    let config = &finished.config;
    let one = |(place, &reference): (usize, &usize)| {
        let name = match place {
            0 => "agreement.png".to_owned(),
            _ => format!("agreement-{}.png", slug(&config.methods[reference].label)),
        };
        Ok((name, against(finished, reference)?))
    };
    config.references.iter().enumerate().map(one).collect()
}

/// Panels of all methods but the reference.
fn against(finished: &Finished, reference: usize) -> Result<Picture, ReportError> {
    let Finished { config, made, records, outcomes, .. } = finished;
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
    figure.draw()
}
