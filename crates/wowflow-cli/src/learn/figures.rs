//! Figures of an experiment: accuracy by row, and curves along the way, beside what was published.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use wowflow_report::{AxisScale, Dot, DotPair, DotPanel, DotPlot, LineChart, Picture, Series};

use super::along::Curve;
use super::experiment::Experiment;
use super::outcome::Cell;
use super::record::Record;

/// Published accuracy curves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Published {
    /// Where they are from.
    pub(crate) source: String,
    pub(crate) curves: Vec<PublishedCurve>,
}

/// A published curve: mean and deviation at steps, in shares.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishedCurve {
    pub(crate) row: String,
    pub(crate) steps: Vec<f64>,
    pub(crate) mean: Vec<f64>,
    pub(crate) deviation: Vec<f64>,
}

impl Published {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let published: Self = serde_json::from_str(text).context("expected published curves")?;
        for curve in &published.curves {
            let len = curve.steps.len();
            ensure!(
                curve.mean.len() == len && curve.deviation.len() == len,
                "expected {len} means and deviations in the curve of {}",
                curve.row
            );
        }
        Ok(published)
    }
}

/// Accuracy of every method that was run, a panel a row, with what was published, also of what was not run there.
pub(crate) fn by_row(experiment: &Experiment, cells: &[Cell]) -> Result<Option<Picture>> {
    let mut entries = experiment.labels();
    entries.retain(|label| cells.iter().any(|cell| cell.method == *label));
    let pair = |row: &String, label: &String| {
        let found = cells.iter().find(|cell| cell.row == *row && cell.method == *label);
        let methods = experiment.methods_of(row);
        let published = methods.iter().filter(|method| method.label() == *label);
        let published = published.filter_map(|method| method.published.get(row)).next();
        DotPair {
            own: found.map(|cell| Dot { value: cell.mean, deviation: cell.deviation }),
            reference: published.map(|&[value, deviation]| Dot { value, deviation: Some(deviation) }),
        }
    };
    let rows = experiment.rows.iter().filter(|row| cells.iter().any(|cell| cell.row == **row));
    let panel = |row: &String| DotPanel {
        name: format!("{} = {row}", experiment.row_name),
        pairs: entries.iter().map(|label| pair(row, label)).collect(),
    };
    let panels: Vec<DotPanel> = rows.map(panel).collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let title = format!("{}: accuracy, %", experiment.title);
    let kinds = ["here, mean and deviation over trainings".into(), "published".into()];
    Ok(Some(DotPlot { title, entries, kinds, panels }.draw()?))
}

/// What the curves are drawn against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    Steps,
    Seconds,
}

/// Accuracy along the way, mean over tries with a band of a deviation, published curves dashed in the colour of the
/// first method of their row; steps and seconds on a logarithmic axis.
pub(crate) fn curves(
    experiment: &Experiment,
    records: &[Record],
    published: Option<&Published>,
    against: Against,
) -> Result<Option<Picture>> {
    let (mut series, mut dashed) = (Vec::new(), Vec::new());
    for row in &experiment.rows {
        let first = series.len();
        for method in experiment.methods_of(row) {
            let label = method.label();
            let own: Vec<&Record> = records.iter().filter(|r| r.row == *row && r.method == label).collect();
            let curve = Curve::of(method.method, &own);
            let along = if against == Against::Steps { &curve.steps } else { &curve.seconds };
            let all =
                along.iter().copied().zip(curve.mean.iter().copied().zip(curve.deviation.iter().copied()));
            if let Some(drawn) = drawn(&format!("{row}, {label}"), all) {
                series.push(drawn);
            }
        }
        let theirs = published.and_then(|all| all.curves.iter().find(|curve| curve.row == *row));
        if let Some(curve) = theirs.filter(|_| against == Against::Steps && series.len() > first) {
            let all = curve
                .steps
                .iter()
                .copied()
                .zip(curve.mean.iter().copied().zip(curve.deviation.iter().copied()));
            let drawn = drawn(&format!("{row}, published"), all);
            dashed.extend(drawn.map(|drawn| Series { dashed_like: Some(first), ..drawn }));
        }
    }
    if series.is_empty() {
        return Ok(None);
    }
    series.append(&mut dashed);
    let what = if against == Against::Steps { "steps" } else { "seconds of the move" };
    let chart = LineChart {
        title: experiment.title.clone(),
        x_label: what.into(),
        y_label: "accuracy of the target's classifier, %".into(),
        x_scale: AxisScale::Log,
        y_scale: AxisScale::Linear,
        series,
    };
    Ok(Some(chart.draw()?))
}

/// A curve of shares with their deviations, in percent; a start at 0 has no place on a logarithmic axis.
fn drawn(name: &str, all: impl Iterator<Item = (f64, (f64, f64))>) -> Option<Series> {
    let (mut points, mut band) = (Vec::new(), Vec::new());
    for (at, (mean, deviation)) in all.filter(|(at, _)| *at > 0.0) {
        points.push((at, 100.0 * mean));
        band.push((100.0 * (mean - deviation), 100.0 * (mean + deviation)));
    }
    let name = name.to_owned();
    (!points.is_empty()).then_some(Series { name, points, band: Some(band), ..Series::default() })
}
