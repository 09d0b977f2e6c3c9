//! After the last step: labels, distances, the flowed dataset, the summary.

use serde_json::{Map, Value, json};
use wowflow::flow::StopReason;
use wowflow::functional::Quantity;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::labels::match_classes;

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
pub(super) struct Results<'a, T> {
    pub(super) source: &'a MeasureOverMeasures<T>,
    pub(super) flowed: &'a MeasureOverMeasures<T>,
    pub(super) target: &'a MeasureOverMeasures<T>,
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
    let Results { source, flowed, target, .. } = *results;
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
            target: pair.target.label(to),
            ambiguity,
        })
        .collect();
    let Pair { source: own, target: theirs } = pair;
    write_flowed(&run.flowed(), &own.dataset, &theirs.dataset, flowed, &matching.target, &[])?;
    recorder.set_new_labels(classes.iter().map(|class| class.target.clone()).collect());
    recorder.flush()?;
    recorder.complete(flowed, target, after.value)?;

    let mut extra = Map::new();
    extra.insert("wow2_samples_a_class".into(), if subsampled { json!(limit) } else { Value::Null });
    if let Some(kernel) = config.flow.kernel {
        extra.insert("kernel".into(), serde_json::to_value(kernel)?);
    }
    extra.insert("flowed".into(), json!("flowed.npz"));
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
        wow2_initial: Some(before.value),
        wow2_final: Some(after.value),
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
