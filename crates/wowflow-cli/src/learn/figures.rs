//! Figures of an experiment: accuracy by row, and curves along the way beside published ones.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use wowflow_report::{AxisScale, LineChart, Picture, Series};

use super::experiment::Experiment;
use super::outcome::Cell;
use super::record::Record;

/// Published accuracy curves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Published {
    /// Where they are from.
    #[allow(dead_code, reason = "for the readers of the file")]
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

/// Accuracy by row, a curve a method with a band of a deviation to both sides, published means dotted by their name.
pub(crate) fn by_row(experiment: &Experiment, cells: &[Cell]) -> Result<Option<Picture>> {
    let place = |row: &str| experiment.rows.iter().position(|r| r == row).unwrap_or(0) as f64;
    let number = |row: &str| row.parse::<f64>().ok().filter(|x| *x > 0.0).map(f64::log10);
    let numbers = experiment.rows.len() > 1 && experiment.rows.iter().all(|row| number(row).is_some());
    if !numbers {
        return Ok(None);
    }
    let at = |row: &str| number(row).unwrap_or_else(|| place(row));
    let mut series = Vec::new();
    for label in experiment.labels() {
        let own: Vec<&Cell> = cells.iter().filter(|cell| cell.method == label).collect();
        if own.is_empty() {
            continue;
        }
        let points = own.iter().map(|cell| (at(&cell.row), cell.mean)).collect();
        let band = own.iter().map(|cell| {
            let deviation = cell.deviation.unwrap_or(0.0);
            (cell.mean - deviation, cell.mean + deviation)
        });
        series.push(Series { name: label.clone(), points, band: Some(band.collect()) });
        let published: Vec<(f64, f64)> =
            own.iter().filter_map(|cell| Some((at(&cell.row), cell.published?[0]))).collect();
        if !published.is_empty() {
            series.push(Series { name: format!("{label}, published"), points: published, band: None });
        }
    }
    let chart = LineChart {
        title: experiment.title.clone(),
        x_label: format!("log10 of {}", experiment.row_name),
        y_label: "accuracy, %".into(),
        scale: AxisScale::Linear,
        series,
    };
    Ok(Some(chart.draw()?))
}

/// What the curves are drawn against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    Steps,
    Seconds,
}

/// Accuracy along the way, mean over tries with a band of a deviation; steps and seconds as their logarithm.
pub(crate) fn curves(
    experiment: &Experiment,
    records: &[Record],
    published: Option<&Published>,
    against: Against,
) -> Result<Option<Picture>> {
    let mut series = Vec::new();
    for row in &experiment.rows {
        for label in experiment.labels() {
            let own: Vec<&Record> = records
                .iter()
                .filter(|r| r.row == *row && r.method == label && r.steps > 1 && !r.curve.is_empty())
                .collect();
            let shortest = own.iter().map(|record| record.curve.len()).min().unwrap_or(0);
            let (mut points, mut band) = (Vec::new(), Vec::new());
            for at in 0..shortest {
                let x = match against {
                    Against::Steps => own[0].curve[at].at,
                    Against::Seconds => {
                        own.iter().map(|r| r.curve[at].seconds).sum::<f64>() / own.len() as f64
                    }
                };
                // A logarithmic axis has no place for the start.
                let Some(x) = Some(x).filter(|x| *x > 0.0).map(f64::log10) else { continue };
                let values: Vec<f64> = own.iter().map(|r| 100.0 * r.curve[at].accuracy).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
                let deviation = (squares / (values.len() as f64 - 1.0).max(1.0)).sqrt();
                points.push((x, mean));
                band.push((mean - deviation, mean + deviation));
            }
            if !points.is_empty() {
                series.push(Series { name: format!("{row}, {label}"), points, band: Some(band) });
            }
        }
        let theirs = published.iter().flat_map(|all| &all.curves).filter(|curve| curve.row == *row);
        for curve in theirs.filter(|_| against == Against::Steps) {
            let all = curve.steps.iter().zip(curve.mean.iter().zip(&curve.deviation));
            let (mut points, mut band) = (Vec::new(), Vec::new());
            for (step, (mean, deviation)) in all.filter(|(step, _)| **step > 0.0) {
                points.push((step.log10(), 100.0 * mean));
                band.push((100.0 * (mean - deviation), 100.0 * (mean + deviation)));
            }
            series.push(Series { name: format!("{row}, published"), points, band: Some(band) });
        }
    }
    if series.is_empty() {
        return Ok(None);
    }
    let what = if against == Against::Steps { "steps" } else { "seconds of the flow" };
    let chart = LineChart {
        title: experiment.title.clone(),
        x_label: format!("log10 of {what}"),
        y_label: "accuracy of the target's classifier, %".into(),
        scale: AxisScale::Linear,
        series,
    };
    Ok(Some(chart.draw()?))
}
