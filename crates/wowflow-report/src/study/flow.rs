//! The pictures of a flow, from its run directory.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wowflow::dataset::ImageShape;
use wowflow_data::atomic;
use wowflow_study::record::{FrameUnits, MetricsRecord, RecordError, RunDir, Summary};

use crate::animation::{MOST_FRAMES, evenly};
use crate::chart::{AxisScale, LineChart, Series};
use crate::error::ReportError;
use crate::images::{ImageGrid, ImageRow};
use crate::picture::Picture;
use crate::project::PrincipalPlane;
use crate::scatter::{ScatterFlow, ScatterPanel};
use crate::ticks::number;

use super::recording::Recording;

/// Columns of the grid over time.
const KEY_FRAMES: usize = 8;
const MOST_CLASSES: usize = 20;
/// Up to this many classes there is room for several samples of each.
const FEW_CLASSES: usize = 10;

/// Makes the pictures of a run from its directory alone and returns their paths, the one to open
/// first at the front.
///
/// - images: `images.png` (rows are classes, columns are times, the matched target at the right),
///   then `flow.gif`;
/// - other points: `trajectories.png` (in the plane, or in the plane of the target's first two
///   principal components), then `flow.gif`;
/// - always `loss.png`, with a 95 % band where the metrics have standard errors;
/// - `distance.png` where the metrics have exact distances `wow2` along the flow;
/// - `accuracy.png` where the summary has a `neighbour_accuracy` along the flow.
///
/// Pictures of an earlier call are replaced, each as a whole.
///
/// # Errors
/// A file of the run directory is missing or does not hold what [`wowflow_study::record`] says, or a
/// picture cannot be written.
pub fn render(run: &RunDir) -> Result<Vec<PathBuf>, ReportError> {
    let recording = Recording::read(run)?;
    let loss = loss(run)?.to_png()?;
    let (first, still, animation) = match recording.index.shape() {
        Some(shape) => {
            let still = over_time(&recording, shape).draw()?;
            (run.images_picture(), still, image_animation(&recording, shape)?)
        }
        None => {
            let flow = scatter(&recording);
            (run.trajectories_picture(), flow.trajectories()?, flow.animation()?)
        }
    };
    write(&first, &still.to_png()?)?;
    write(&run.flow_animation(), &animation)?;
    write(&run.loss_picture(), &loss)?;
    let mut pictures = vec![first, run.flow_animation(), run.loss_picture()];
    if let Some(distance) = distance(run)? {
        write(&run.distance_picture(), &distance.to_png()?)?;
        pictures.push(run.distance_picture());
    }
    if let Some(accuracy) = accuracy(run)? {
        write(&run.accuracy_picture(), &accuracy.to_png()?)?;
        pictures.push(run.accuracy_picture());
    }
    Ok(pictures)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    atomic::write(path, |file| file.write_all(bytes)).map_err(|error| ReportError::io(path, error))
}

/// As [`render`], with the pictures named in `summary.json`, which finishes the run.
///
/// # Errors
/// As [`render`]; a run without a summary.
pub fn finish(run: &RunDir) -> Result<Summary, ReportError> {
    let pictures = render(run)?;
    let mut summary = run.read_summary()?;
    let name = |path: &PathBuf| path.strip_prefix(run.root()).unwrap_or(path).display().to_string();
    summary.pictures = pictures.iter().map(name).collect();
    run.write_summary(&summary)?;
    Ok(summary)
}

/// How the recorded quantity is called: as the summary says, where there is one.
fn quantity(run: &RunDir) -> Result<String, ReportError> {
    match run.read_summary() {
        Ok(summary) => Ok(summary.functional.symbol.replace("^2", "²")),
        Err(RecordError::Missing { .. }) => Ok("value".to_owned()),
        Err(error) => Err(error.into()),
    }
}

/// The loss curve of a run, on a logarithmic axis where all values are positive.
fn loss(run: &RunDir) -> Result<Picture, ReportError> {
    let metrics = run.read_metrics()?;
    let symbol = quantity(run)?;
    let points: Vec<(f64, f64)> = metrics.iter().map(|record| (record.step as f64, record.value)).collect();
    let finite = |record: &&MetricsRecord| record.value.is_finite();
    let (Some(first), Some(last)) = (metrics.iter().find(finite), metrics.iter().rfind(finite)) else {
        return Err(ReportError::content(&run.metrics(), "at least one finite value", "none"));
    };
    let title = format!(
        "{symbol} to the target: {} at step {}, {} at step {}",
        number(first.value, 3),
        first.step,
        number(last.value, 3),
        last.step
    );
    let band = |record: &MetricsRecord| {
        let reach = NORMAL_95 * record.value_standard_error?;
        Some((record.value - reach, record.value + reach))
    };
    let band = metrics.iter().map(band).collect();
    let series = vec![Series { name: "value".into(), points, band, ..Series::default() }];
    let (x_label, y_label) = ("step".into(), symbol);
    LineChart { title, x_label, y_label, x_scale: AxisScale::Linear, y_scale: AxisScale::Log, series }.draw()
}

/// Half the width of a 95 % interval, in standard errors.
const NORMAL_95: f64 = 1.96;

/// The exact distance to the target along the flow, if recorded.
fn distance(run: &RunDir) -> Result<Option<Picture>, ReportError> {
    let point = |record: &MetricsRecord| Some((record.step as f64, record.extra.get("wow2")?.as_f64()?));
    let points: Vec<(f64, f64)> = run.read_metrics()?.iter().filter_map(point).collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(None) };
    let title =
        format!("Exact W² to the target: {} to {} at step {}", number(first.1, 4), number(last.1, 4), last.0);
    let series = vec![Series { name: "wow2".into(), points, ..Series::default() }];
    let (x_label, y_label) = ("step".into(), "W_{W2}²".into());
    Ok(Some(
        LineChart { title, x_label, y_label, x_scale: AxisScale::Linear, y_scale: AxisScale::Log, series }
            .draw()?,
    ))
}

/// The share of samples that a nearest-neighbour classifier takes for what they became, if recorded.
fn accuracy(run: &RunDir) -> Result<Option<Picture>, ReportError> {
    let summary = match run.read_summary() {
        Ok(summary) => summary,
        Err(RecordError::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(records) = summary.extra.get("neighbour_accuracy").and_then(Value::as_array) else {
        return Ok(None);
    };
    let point = |record: &Value| Some((record.get("step")?.as_f64()?, record.get("accuracy")?.as_f64()?));
    let points: Vec<(f64, f64)> = records.iter().filter_map(point).collect();
    let Some(last) = points.last() else { return Ok(None) };
    let title = format!("1-nearest-neighbour accuracy: {:.2} % at step {}", 100.0 * last.1, last.0);
    let series = vec![Series { name: "accuracy".into(), points, ..Series::default() }];
    let (x_label, y_label) = ("step".into(), "accuracy".into());
    Ok(Some(
        LineChart { title, x_label, y_label, x_scale: AxisScale::Linear, y_scale: AxisScale::Linear, series }
            .draw()?,
    ))
}

/// Recorded rows of the classes shown, in the order of the classes.
fn rows_by_class(recording: &Recording) -> Vec<(usize, Vec<usize>)> {
    let mut rows = BTreeMap::<usize, Vec<usize>>::new();
    for (row, &class) in recording.index.classes.iter().enumerate() {
        rows.entry(class).or_default().push(row);
    }
    rows.into_iter().take(MOST_CLASSES).collect()
}

/// The run's name and what the picture leaves out.
fn title(recording: &Recording, shown: usize, remark: &str) -> String {
    let mut title = recording.name.clone();
    let classes = recording.index.labels.len();
    if shown < classes {
        title += &format!(", {shown} of {classes} classes");
    }
    if let Some(step) = recording.diverged {
        title += &format!(", not finite from step {step}");
    }
    title + remark
}

/// Values drawn black and white, and how the title says so when they are not 0 and 1.
fn value_range(recording: &Recording) -> ((f32, f32), String) {
    let values = recording.target.iter().chain(&recording.frames[0]);
    let (low, high) =
        values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    if low >= 0.0 && high <= 1.0 {
        return ((0.0, 1.0), String::new());
    }
    let high = if high > low { high } else { low + 1.0 };
    let text = |value: f32| number(f64::from(value), 3);
    ((low, high), format!(", values {} to {}", text(low), text(high)))
}

/// The grid over time: rows are classes, columns are times.
fn over_time(recording: &Recording, shape: ImageShape) -> ImageGrid<'_> {
    let classes = rows_by_class(recording);
    let samples = if classes.len() <= FEW_CLASSES { 2 } else { 1 };
    let times = recording.key_frames(KEY_FRAMES);
    let (range, remark) = value_range(recording);
    let mut rows = Vec::new();
    for (class, members) in &classes {
        let targets = recording.matched_targets(*class);
        for (place, &row) in members.iter().take(samples).enumerate() {
            rows.push(ImageRow {
                label: if place == 0 { recording.class_name(*class) } else { String::new() },
                images: times.iter().map(|&time| recording.row(time, row)).collect(),
                examples: targets
                    .iter()
                    .skip(2 * place)
                    .take(2)
                    .map(|&row| recording.target_row(row))
                    .collect(),
            });
        }
    }
    let heading = |(place, &time): (usize, &usize)| {
        let step = recording.steps[time];
        if place == 0 { format!("step {step}") } else { step.to_string() }
    };
    ImageGrid {
        title: title(recording, classes.len(), &remark),
        caption: String::new(),
        shape,
        range,
        headings: times.iter().enumerate().map(heading).collect(),
        examples_heading: "target".into(),
        rows,
    }
}

/// The moving grid: rows are classes, columns are samples.
fn image_animation(recording: &Recording, shape: ImageShape) -> Result<Vec<u8>, ReportError> {
    let classes = rows_by_class(recording);
    let samples = if classes.len() <= FEW_CLASSES { 10 } else { 6 };
    let (range, remark) = value_range(recording);
    let title = title(recording, classes.len(), &remark);
    // Room for the longest step, so that all frames have one size.
    let width = recording.steps.iter().map(|step| step.to_string().len()).max().unwrap_or(0);
    let frame = |&time: &usize| ImageGrid {
        title: title.clone(),
        caption: format!("step {:>width$}", recording.steps[time]),
        shape,
        range,
        headings: Vec::new(),
        examples_heading: "target".into(),
        rows: classes
            .iter()
            .map(|(class, members)| ImageRow {
                label: recording.class_name(*class),
                images: members.iter().take(samples).map(|&row| recording.row(time, row)).collect(),
                examples: recording
                    .matched_targets(*class)
                    .first()
                    .map(|&row| recording.target_row(row))
                    .into_iter()
                    .collect(),
            })
            .collect(),
    };
    let frames: Vec<ImageGrid<'_>> = evenly(recording.frames.len(), MOST_FRAMES).iter().map(frame).collect();
    ImageGrid::animate(&frames)
}

/// Points that are no images, in the plane.
fn scatter(recording: &Recording) -> ScatterFlow {
    let dim = recording.index.dim;
    let by_class = rows_by_class(recording);
    let remark = match dim {
        1 => ", one line a class",
        2 => "",
        _ => ", principal plane of the target",
    };
    let rows: Vec<usize> = by_class.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
    let classes = rows.iter().map(|&row| recording.index.classes[row]).collect();
    let panel = if dim == 1 {
        lines_of_classes(recording, &by_class)
    } else {
        let plane = (dim > 2).then(|| PrincipalPlane::of(&recording.target, dim));
        let planar = |points: &[f32]| match &plane {
            Some(plane) => plane.project(points),
            None => points.chunks_exact(2).map(|p| [p[0], p[1]]).collect(),
        };
        let frame = |frame: &Vec<f32>| {
            let all = planar(frame);
            rows.iter().map(|&row| all[row]).collect()
        };
        ScatterPanel {
            frames: recording.frames.iter().map(frame).collect(),
            targets: planar(&recording.target),
            ..ScatterPanel::default()
        }
    };
    ScatterFlow {
        title: title(recording, by_class.len(), &format!("{remark}{}", units(recording))),
        classes,
        labels: (0..recording.index.labels.len()).map(|class| recording.class_name(class)).collect(),
        steps: recording.steps.clone(),
        panels: vec![panel],
        ..ScatterFlow::default()
    }
}

/// What the axes show where samples lie far from 1.
fn units(recording: &Recording) -> String {
    let Some(FrameUnits { centre, unit }) = &recording.index.units else { return String::new() };
    let of = if *unit == 1.0 { String::new() } else { format!(", in {}", number(*unit, 3)) };
    match centre.as_deref() {
        Some([x]) => format!("{of}, from {}", number(*x, 6)),
        Some([x, y]) => format!("{of}, from ({}, {})", number(*x, 6), number(*y, 6)),
        Some(_) => format!("{of}, from the middle of the data"),
        None => of,
    }
}

/// Points on a line: each class on a line of its own, its matched target on the same line and
/// targets of no class below.
fn lines_of_classes(recording: &Recording, by_class: &[(usize, Vec<usize>)]) -> ScatterPanel {
    let values = recording.frames[0].iter().chain(&recording.target);
    let (low, high) =
        values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    let pitch = if high > low { (high - low) / (by_class.len() + 1) as f32 } else { 1.0 };
    let height = |line: usize| (by_class.len() - line) as f32 * pitch;
    let frame = |frame: &Vec<f32>| {
        let lines = by_class.iter().enumerate();
        lines.flat_map(|(line, (_, rows))| rows.iter().map(move |&row| [frame[row], height(line)])).collect()
    };
    let mut targets = Vec::new();
    let mut placed = vec![false; recording.target.len()];
    for (line, (class, _)) in by_class.iter().enumerate() {
        for row in recording.matched_targets(*class) {
            placed[row] = true;
            targets.push([recording.target[row], height(line)]);
        }
    }
    let rest = recording.target.iter().zip(&placed).filter(|&(_, &placed)| !placed);
    targets.extend(rest.map(|(&value, _)| [value, 0.0]));
    ScatterPanel { frames: recording.frames.iter().map(frame).collect(), targets, ..ScatterPanel::default() }
}
