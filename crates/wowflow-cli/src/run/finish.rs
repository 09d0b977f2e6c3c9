//! After the last step: labels, distances, the flowed dataset, the summary, the pictures.

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};
use wowflow::dataset::LabeledDataset;
use wowflow::flow::StopReason;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::labels::match_classes;
use wowflow_data::npy::NpyArray;
use wowflow_data::write_npz_dataset;
use wowflow_report::render;
use wowflow_report::rundir::{ClassMatch, MetricsRecord, RunDir, SCHEMA, Summary, read_metrics};

use super::checkpoint::Stored;
use super::config::FlowConfig;
use super::directory::write_json;
use super::distance::exact_distance;
use super::execute::Data;
use super::recorder::{Recorder, VOTES};
use crate::ExitStatus;
use crate::console::Console;

type Measures<'a, T> = (&'a MeasureOverMeasures<T>, &'a MeasureOverMeasures<T>, &'a MeasureOverMeasures<T>);

/// Writes what a finished flow is for.
#[allow(clippy::too_many_arguments, reason = "the one place where all results of a run meet")]
pub(crate) fn finish<T: Stored>(
    run: &RunDir,
    config: &FlowConfig,
    data: &Data<'_>,
    (source, flowed, target): Measures<'_, T>,
    (mmd2_initial, mmd2_final): (f64, f64),
    stop: StopReason,
    recorder: &mut Recorder<'_>,
    steps: u64,
    console: &Console,
) -> Result<ExitStatus> {
    let seconds = recorder.seconds();
    let limit = config.exact_limit;
    let subsampled = [source, target].iter().any(|m| (0..m.class_count()).any(|c| m.class_size(c) > limit));
    let before = exact_distance(source, target, config)?;
    let after = exact_distance(flowed, target, config)?;
    let matching = match_classes(&after);

    let source_labels = data.source.dataset.classes();
    let target_labels = data.target.dataset.classes();
    let classes: Vec<ClassMatch> = source_labels
        .iter()
        .zip(matching.target.iter().zip(&matching.ambiguity))
        .map(|(label, (&to, &ambiguity))| ClassMatch {
            source: label.to_string(),
            target: target_labels[to].to_string(),
            ambiguity,
        })
        .collect();
    let datasets = (&data.source.dataset, &data.target.dataset);
    write_flowed(&run.flowed(), datasets, flowed, &matching.target, &[])?;
    recorder.set_new_labels(classes.iter().map(|class| class.target.clone()).collect());
    recorder.flush()?;
    recorder.complete(flowed, target, after.value)?;

    let mut extra = Map::new();
    extra.insert("wow2_samples_a_class".into(), if subsampled { json!(limit) } else { Value::Null });
    extra.insert("kernel".into(), serde_json::to_value(config.kernel)?);
    extra.insert("flowed".into(), json!("flowed.npz"));
    if config.neighbours_every.is_some() {
        let accuracy = neighbour_accuracy(&read_metrics(&run.metrics())?, &matching.target);
        extra.insert("neighbour_accuracy".into(), accuracy);
    }
    let mut summary = Summary {
        schema: SCHEMA,
        mmd2_initial,
        mmd2_final,
        wow2_initial: Some(before.value),
        wow2_final: Some(after.value),
        steps,
        seconds,
        stop_reason: stop_name(stop).to_owned(),
        classes,
        pictures: Vec::new(),
        extra,
    };
    write_json(&run.summary(), &summary)?;
    let pictures = render(run)?;
    summary.pictures = pictures
        .iter()
        .map(|path| path.strip_prefix(run.root()).unwrap_or(path).display().to_string())
        .collect();
    write_json(&run.summary(), &summary)?;

    for class in &summary.classes {
        let ambiguity = if class.ambiguity > 0.0 {
            format!(" (ambiguity {:.2})", class.ambiguity)
        } else {
            String::new()
        };
        console.say(&format!("  class {} became {}{ambiguity}", class.source, class.target));
    }
    let sampled = if subsampled { format!(", on {limit} samples a class") } else { String::new() };
    console.say(&format!(
        "MMD^2 {mmd2_initial:.4e} -> {mmd2_final:.4e}, W_W2^2 {:.4} -> {:.4}{sampled}, {steps} steps in {seconds:.1} s",
        before.value, after.value
    ));
    if let Some(first) = pictures.first() {
        console.say(&format!("open {}", first.display()));
    }
    console.object(&with_path(&summary, run)?)?;
    Ok(ExitStatus::Done)
}

/// Along the flow, the share of samples whose nearest neighbour in the target is of the class that
/// theirs became.
fn neighbour_accuracy(metrics: &[MetricsRecord], target_of: &[usize]) -> Value {
    let at = |record: &MetricsRecord| {
        let votes: Vec<u64> = record.extra.get(VOTES)?.as_array()?.iter().filter_map(Value::as_u64).collect();
        let all: u64 = votes.iter().sum();
        let targets = votes.len() / target_of.len();
        let right: u64 = votes.chunks(targets).zip(target_of).map(|(row, &class)| row[class]).sum();
        let accuracy = right as f64 / all as f64;
        Some(json!({ "step": record.step, "seconds": record.seconds, "accuracy": accuracy }))
    };
    metrics.iter().filter_map(at).collect()
}

fn with_path(summary: &Summary, run: &RunDir) -> Result<Value> {
    let mut object = serde_json::to_value(summary)?;
    object["out"] = json!(run.root().display().to_string());
    Ok(object)
}

fn stop_name(stop: StopReason) -> &'static str {
    match stop {
        StopReason::StepsDone => "steps_done",
        StopReason::Interrupted => "interrupted",
        StopReason::Stationary => "stationary",
        StopReason::Settled => "settled",
        StopReason::Diverged { .. } => "diverged",
    }
}

/// The flowed samples with the labels of their target classes; where they came from beside them.
pub(crate) fn write_flowed<T: Stored>(
    path: &Path,
    (source, target): (&LabeledDataset, &LabeledDataset),
    flowed: &MeasureOverMeasures<T>,
    target_of: &[usize],
    extra: &[(&str, &NpyArray)],
) -> Result<()> {
    let classes = || (0..flowed.class_count()).flat_map(|c| std::iter::repeat_n(c, flowed.class_size(c)));
    let labels = classes().map(|c| target.classes()[target_of[c]].clone()).collect();
    let points = T::points(flowed.points().to_vec());
    let mut result = LabeledDataset::new(points, flowed.dim(), labels)?;
    if let Some(shape) = source.image_shape().or_else(|| target.image_shape()) {
        result = result.with_image_shape(shape)?;
    }
    // Weights are written where the uniform ones would not be right: weighted sources, and classes
    // that became one.
    let mut totals = vec![0.0; target.class_count()];
    let mut members = vec![0; target.class_count()];
    for (class, &to) in target_of.iter().enumerate() {
        totals[to] += flowed.outer_weights()[class];
        members[to] += 1;
    }
    let weighted = source.sample_weights().is_some() || source.class_weights().is_some();
    if weighted || members.iter().any(|m| *m > 1) {
        let weights = (0..flowed.class_count()).flat_map(|c| {
            let uniform = 1.0 / flowed.class_size(c) as f64;
            let outer = if totals[target_of[c]] > 0.0 { flowed.outer_weights()[c] } else { 1.0 };
            (0..flowed.class_size(c)).map(move |i| outer * flowed.class_weights(c).map_or(uniform, |a| a[i]))
        });
        result = result.with_sample_weights(weights.collect())?;
        let reached = (0..totals.len()).filter(|to| members[*to] > 0).map(|to| totals[to]).collect();
        result = result.with_class_weights(reached)?;
    }
    let came_from: Vec<String> = classes().map(|c| source.classes()[c].to_string()).collect();
    let came_from = NpyArray::text(vec![came_from.len()], came_from);
    write_npz_dataset(path, &result, &[&[("y_source", &came_from)], extra].concat())?;
    Ok(())
}
