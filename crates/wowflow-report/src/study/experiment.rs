//! Figures of experiments: accuracy by row, curves along the way beside what was published, sheets of samples.

use wowflow::dataset::Points;
use wowflow_data::Lookup;
use wowflow_study::experiment::{Cell, Curve, ExperimentConfig, Repetition, Results, SampleFile, Task};

use crate::chart::{AxisScale, LineChart, Series};
use crate::dotplot::{Dot, DotPair, DotPanel, DotPlot};
use crate::error::ReportError;
use crate::images::{ImageRow, contact_sheet};
use crate::picture::Picture;

/// Images shown of a class.
const SHOWN: usize = 12;

/// The figures of an experiment, each with the end of its file's name; none where nothing was run.
///
/// # Errors
/// Numbers that cannot be drawn.
pub fn figures(results: &Results) -> Result<Vec<(&'static str, Picture)>, ReportError> {
    let pictures = match results.config.task {
        Task::Transfer | Task::Distillation => {
            vec![("-by-row.png", by_row(&results.config, &results.outcome.cells)?)]
        }
        Task::Adaptation => vec![
            ("-steps.png", curves(results, Against::Steps)?),
            ("-seconds.png", curves(results, Against::Seconds)?),
        ],
    };
    Ok(pictures.into_iter().filter_map(|(end, picture)| Some((end, picture?))).collect())
}

/// A sheet with the first samples of every class; none of samples that are no images.
///
/// # Errors
/// A file that cannot be read.
pub fn sample_sheet(file: &SampleFile) -> Result<Option<Picture>, ReportError> {
    let samples = Lookup::default().load(&file.dataset.to_string_lossy(), 0)?.dataset;
    let (Some(shape), Points::F32(values)) = (samples.image_shape(), samples.points()) else {
        return Ok(None);
    };
    let class = |class: usize| ImageRow {
        label: samples.classes()[class].to_string(),
        images: samples
            .class_rows(class)
            .iter()
            .take(SHOWN)
            .map(|&at| &values[at * shape.len()..(at + 1) * shape.len()])
            .collect(),
        examples: Vec::new(),
    };
    let rows = (0..samples.class_count()).map(class).collect();
    let range = values.iter().fold((0.0f32, 1.0f32), |(low, high), x| (low.min(*x), high.max(*x)));
    contact_sheet(&format!("{}, {}", file.method, file.row), shape, range, rows).map(Some)
}

/// Accuracy of every method that was run, a panel a row, with what was published, also of what was not run there.
fn by_row(config: &ExperimentConfig, cells: &[Cell]) -> Result<Option<Picture>, ReportError> {
    let mut entries = config.labels();
    entries.retain(|label| cells.iter().any(|cell| cell.method == *label));
    let pair = |row: &String, label: &String| {
        let found = cells.iter().find(|cell| cell.row == *row && cell.method == *label);
        let methods = config.methods_of(row);
        let published = methods.iter().filter(|method| method.label() == *label);
        let published = published.filter_map(|method| method.published.get(row)).next();
        DotPair {
            own: found.map(|cell| Dot { value: cell.mean, deviation: cell.deviation }),
            reference: published.map(|&[value, deviation]| Dot { value, deviation: Some(deviation) }),
        }
    };
    let rows = config.rows.iter().filter(|row| cells.iter().any(|cell| cell.row == **row));
    let panel = |row: &String| DotPanel {
        name: format!("{} = {row}", config.row_name),
        pairs: entries.iter().map(|label| pair(row, label)).collect(),
    };
    let panels: Vec<DotPanel> = rows.map(panel).collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let title = format!("{}: accuracy, %", config.title);
    let kinds = ["here, mean and deviation over trainings".into(), "published".into()];
    Ok(Some(DotPlot { title, entries, kinds, panels }.draw()?))
}

/// What the curves are drawn against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Against {
    Steps,
    Seconds,
}

/// Accuracy along the way, mean over trials with a band of a deviation, published curves dashed in the colour of the
/// first method of their row; steps and seconds on a logarithmic axis.
fn curves(results: &Results, against: Against) -> Result<Option<Picture>, ReportError> {
    let Results { config, repetitions, published, .. } = results;
    let (mut series, mut dashed) = (Vec::new(), Vec::new());
    for row in &config.rows {
        let first = series.len();
        for method in config.methods_of(row) {
            let label = method.label();
            let own: Vec<&Repetition> =
                repetitions.iter().filter(|r| r.row == *row && r.method == label).collect();
            let curve = Curve::of(method.method, &own);
            let along = if against == Against::Steps { &curve.steps } else { &curve.seconds };
            let all =
                along.iter().copied().zip(curve.mean.iter().copied().zip(curve.deviation.iter().copied()));
            if let Some(drawn) = drawn(&format!("{row}, {label}"), all) {
                series.push(drawn);
            }
        }
        let theirs = published.as_ref().and_then(|all| all.of_row(row));
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
        title: config.title.clone(),
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
