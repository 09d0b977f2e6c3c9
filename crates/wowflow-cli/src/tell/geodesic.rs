//! What is told about a geodesic.

use std::path::Path;

use wowflow_study::geodesic::{Problem, Summary, Unique};

use crate::console::Console;

/// The datasets, and where the results go.
pub(crate) fn beginning(problem: &Problem, out: &Path, console: &Console) {
    let (source, target) = (problem.source(), problem.target());
    for data in [source, target] {
        console.say(&data.description);
    }
    console.say(&format!("geodesic from {} to {} in {}", source.name, target.name, out.display()));
}

/// What was found and written.
pub(crate) fn results(summary: &Summary, out: &Path, console: &Console) {
    for pair in &summary.classes {
        let distance = pair.cost.max(0.0).sqrt();
        console.say(&format!(
            "  class {} -> {}: mass {:.4}, W_2 {distance:.4}",
            pair.source, pair.target, pair.mass
        ));
    }
    let speed = summary.constant_speed.as_ref();
    let speed = speed.map_or(String::new(), |speed| format!(", speed constant up to {:.1e}", speed.worst));
    console.say(&format!("{}{speed}", ways(&summary.unique)));
    if let Some(spread) = summary.barycentric_spread {
        console.say(&format!(
            "an approximation: at t = 1 it is within W_W2^2 {spread:.4} of {}",
            summary.target
        ));
    }
    let written = format!("{} datasets in {:.1} s", summary.times.len(), summary.seconds);
    console.say(&match summary.pictures.first() {
        Some(picture) => format!("{written}; open {}", out.join(picture).display()),
        None => written,
    });
}

/// Whether there are other shortest ways.
fn ways(unique: &Unique) -> String {
    let pairs = unique.pairs_with_others.len();
    if unique.classes && pairs == 0 {
        return "the only shortest way".to_owned();
    }
    let outer = if unique.classes { "" } else { ": classes could be matched otherwise" };
    let inner =
        if pairs == 0 { String::new() } else { format!(": samples of {pairs} pairs of classes could") };
    format!("one of several shortest ways{outer}{inner}")
}
