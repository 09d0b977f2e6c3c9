//! The pictures of the rings: a panel a functional.

use wowflow_study::rings::{Panel, Solved};

use crate::error::ReportError;
use crate::scatter::{ScatterFlow, ScatterPanel};

/// `rings.png` and `rings.gif`: the paths side by side, and the same moving.
///
/// # Errors
/// Samples that fit no picture.
pub fn pictures(solved: &Solved) -> Result<[(&'static str, Vec<u8>); 2], ReportError> {
    let panel = |(panel, row): (&Panel, &wowflow_study::rings::Row)| ScatterPanel {
        title: panel.title.into(),
        note: format!("W^2 = {:.1e}", row.wow2_final),
        frames: panel.frames.clone(),
        targets: solved.targets.clone(),
    };
    let figure = ScatterFlow {
        title: format!("Three clouds flow to three rings, {} steps", solved.steps.last().unwrap_or(&0)),
        classes: solved.classes.clone(),
        labels: solved.labels.clone(),
        steps: solved.steps.clone(),
        panels: solved.panels.iter().zip(&solved.table.kernels).map(panel).collect(),
        ..ScatterFlow::default()
    };
    Ok([("rings.png", figure.trajectories()?.to_png()?), ("rings.gif", figure.animation()?)])
}
