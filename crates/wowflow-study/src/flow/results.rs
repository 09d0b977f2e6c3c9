//! After the last step: labels, distances, the flowed dataset, the summary.

use serde_json::{Map, Value, json};
use wowflow::flow::{Near, StopReason};
use wowflow::functional::Quantity;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::labels::match_classes;
use wowflow_data::Prepared;

use super::config::Config;
use super::pair::{Pair, exact_distance_observed};
use super::recorder::{Recorder, VOTES};

use crate::error::Result;
use crate::labeled::write_flowed;
use crate::observer::{Observer, transports};
use crate::record::{
    ClassMatch, FunctionalRecord, MetricsRecord, NpyScalar, RunDir, SCHEMA, Summary, file_sum, read_metrics,
};

/// Field of the summary: the checksum of the flowed dataset.
pub(super) const FLOWED_SUM: &str = "flowed_sha256";

/// What a flow came to.
pub(super) struct Results<'a, T: NpyScalar> {
    pub(super) near: &'a Near<'a, T>,
    /// In the units of `near`.
    pub(super) flowed: &'a MeasureOverMeasures<T>,
    pub(super) quantity: &'a Quantity,
    pub(super) value_initial: f64,
    pub(super) value_final: f64,
    pub(super) stop: StopReason,
    pub(super) steps: u64,
}

/// Writes what a finished flow is for; pictures are not in the summary yet.
pub(super) fn finish<T: NpyScalar>(
    run: &RunDir,
    config: &Config,
    pair: Pair<'_>,
    results: &Results<'_, T>,
    recorder: &mut Recorder<'_>,
    observer: &dyn Observer,
) -> Result<Summary> {
    let seconds = recorder.seconds();
    let (limit, seed) = (config.exact_limit, config.flow.seed);
    let Results { near, flowed, .. } = *results;
    let (source, target) = (near.source(), near.target());
    let subsampled = [source, target].iter().any(|m| (0..m.class_count()).any(|c| m.class_size(c) > limit));
    let pairs = source.class_count() * target.class_count();
    let [before, after] = transports(observer, 2 * pairs, "exact distances at both ends", |observe| {
        let of = |measure, before: usize| {
            exact_distance_observed(measure, target, limit, seed, &|done| observe(before + done))
        };
        [of(source, 0), of(flowed, pairs)]
    });
    let (before, after) = (before?, after?);
    let matching = match_classes(&after);
    let classes: Vec<ClassMatch> = matching
        .target
        .iter()
        .zip(&matching.ambiguity)
        .enumerate()
        .map(|(class, (&to, &ambiguity))| ClassMatch {
            source: pair.source.label(class),
            source_name: name_of(pair.source, class),
            target: pair.target.label(to),
            target_name: name_of(pair.target, to),
            ambiguity,
        })
        .collect();
    let paired = match_classes(&before).target;
    let otherwise: Vec<&str> = classes
        .iter()
        .zip(matching.target.iter().zip(&paired))
        .filter(|(_, (to, paired))| to != paired)
        .map(|(class, _)| class.source.as_str())
        .collect();
    let Pair { source: own, target: theirs } = pair;
    write_flowed(&run.flowed(), &own.dataset, &theirs.dataset, &near.restored(flowed), &matching.target)?;
    let names = pair.target.labels_with_names();
    recorder.set_new_labels(matching.target.iter().map(|&to| names[to].clone()).collect());
    recorder.flush()?;
    recorder.complete(flowed, target, near.squared(after.value))?;

    let mut extra = Map::new();
    extra.insert("wow2_samples_a_class".into(), if subsampled { json!(limit) } else { Value::Null });
    if let Some(kernel) = config.flow.kernel {
        extra.insert("kernel".into(), serde_json::to_value(kernel)?);
    }
    extra.insert("flowed".into(), json!("flowed.npz"));
    extra.insert("classes_paired_otherwise".into(), json!(otherwise));
    let falling = late_fall(&read_metrics(&run.metrics())?).filter(|_| results.stop == StopReason::StepsDone);
    extra.insert("late_fall".into(), json!(falling));
    extra.insert(FLOWED_SUM.into(), file_sum(&run.flowed())?.into());
    if config.neighbours_every.is_some() {
        let accuracy = neighbour_accuracy(&read_metrics(&run.metrics())?, &matching.target);
        extra.insert("neighbour_accuracy".into(), accuracy);
    }
    let summary = Summary {
        schema: SCHEMA,
        functional: FunctionalRecord::new(config.flow.functional.to_string(), results.quantity),
        value_initial: results.value_initial,
        value_final: results.value_final,
        wow2_initial: Some(near.squared(before.value)),
        wow2_final: Some(near.squared(after.value)),
        steps: results.steps,
        seconds,
        stop_reason: stop_name(results.stop).to_owned(),
        classes,
        pictures: Vec::new(),
        extra,
    };
    run.write_summary(&summary)?;
    Ok(summary)
}

/// What a class shows, where its label does not say.
fn name_of(data: &Prepared, class: usize) -> Option<String> {
    data.class_names.as_ref().map(|names| names[class].clone()).filter(|name| *name != data.label(class))
}

/// By which share the mean value of the last tenth of the states is below that of the tenth before; `None` for few
/// states.
fn late_fall(metrics: &[MetricsRecord]) -> Option<f64> {
    let tenth = metrics.len() / 10;
    if tenth == 0 {
        return None;
    }
    let mean = |part: &[MetricsRecord]| part.iter().map(|record| record.value).sum::<f64>() / tenth as f64;
    let (rest, last) = metrics.split_at(metrics.len() - tenth);
    let before = mean(&rest[rest.len() - tenth..]);
    (before > 0.0).then(|| 1.0 - mean(last) / before)
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

fn stop_name(stop: StopReason) -> &'static str {
    match stop {
        StopReason::StepsDone => "steps_done",
        StopReason::Interrupted => "interrupted",
        StopReason::Stationary => "stationary",
        StopReason::Settled => "settled",
        StopReason::Diverged { .. } => "diverged",
    }
}
