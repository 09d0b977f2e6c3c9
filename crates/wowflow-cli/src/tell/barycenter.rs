//! What is told about a barycenter.

use std::path::Path;

use wowflow::ot::geometry::Stop;
use wowflow_study::barycenter::{Problem, Summary};

use crate::console::Console;

/// The datasets, and where the results go.
pub(crate) fn beginning(problem: &Problem, out: &Path, console: &Console) {
    for data in problem.datasets() {
        console.say(&data.description);
    }
    console.say(&format!("barycenter of {} datasets in {}", problem.datasets().len(), out.display()));
}

/// What was found and written.
pub(crate) fn results(summary: &Summary, out: &Path, console: &Console) {
    for class in &summary.classes {
        console
            .say(&format!("  class {}: weight {:.4}, {} samples", class.label, class.weight, class.samples));
    }
    for coupling in &summary.couplings {
        console.say(&format!("  W_W2^2 {:.4} to {}", coupling.wow2, coupling.dataset));
    }
    let how = match summary.stop_reason {
        Stop::Interrupted => "interrupted after",
        Stop::IterationLimit => "stopped at the limit of",
        Stop::Converged | Stop::NoDecrease => "at rest after",
    };
    console.say(&format!(
        "objective {:.6} (from {:.6}; no dataset is below {:.6}), {how} {} steps from {}, in {:.1} s",
        summary.objective,
        summary.objective_initial,
        summary.lower_bound,
        summary.iterations,
        summary.start,
        summary.seconds
    ));
    if let Some(picture) = summary.pictures.first() {
        console.say(&format!("open {}", out.join(picture).display()));
    }
}
