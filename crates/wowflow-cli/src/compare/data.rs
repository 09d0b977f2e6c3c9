//! The datasets of a comparison: loaded, resized, sampled, checked to fit together.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use wowflow::compare::Method;
use wowflow::dataset::Points;
use wowflow::measure::MeasureOverMeasures;
use wowflow::scalar::Scalar;
use wowflow_data::resize;

use super::config::CompareConfig;
use crate::args::Precision;
use crate::args::compare::Size;
use crate::load::{Named, named};

/// Costs between samples that may be kept at once: 8 GiB.
pub(crate) const MOST_COSTS: usize = 1 << 30;

/// How many samples of a dataset are compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Counts {
    pub(crate) classes: usize,
    pub(crate) samples: usize,
    /// Samples that take part, fewer than all with `--sample`.
    pub(crate) compared: usize,
}

/// Loads a dataset and brings its images to a size.
pub(crate) fn load(name: &str, data_dir: Option<&Path>, seed: u64, size: Option<Size>) -> Result<Named> {
    let mut loaded = named(name, data_dir, seed)?;
    if let Some(Size { width, height }) = size {
        loaded.dataset = resize(&loaded.dataset, width, height).with_context(|| loaded.name.clone())?;
    }
    Ok(loaded)
}

/// The dimension that all datasets share.
pub(crate) fn common_dimension(datasets: &[Named]) -> Result<usize> {
    let first = datasets.first().context("expected datasets to compare, found none")?;
    let dim = first.dataset.dim();
    if let Some(other) = datasets.iter().find(|named| named.dataset.dim() != dim) {
        let images = [first, other].iter().all(|named| named.dataset.image_shape().is_some());
        let remedy = if images { "bring images to one size with --resize, or embed" } else { "embed" };
        bail!(
            "expected datasets of one dimension, found {dim} ({}) and {} ({}): {remedy} all in a shared space first",
            first.name,
            other.dataset.dim(),
            other.name
        );
    }
    Ok(dim)
}

/// The precision that loses nothing of the datasets.
pub(crate) fn precision_of(datasets: &[Named]) -> Precision {
    let double = datasets.iter().any(|named| matches!(named.dataset.points(), Points::F64(_)));
    if double { Precision::F64 } else { Precision::F32 }
}

/// A dataset as a measure, with as many samples of a class as the configuration asks for.
pub(crate) fn measure<T: Scalar>(named: &Named, config: &CompareConfig) -> Result<MeasureOverMeasures<T>> {
    let whole = MeasureOverMeasures::from_dataset(&named.dataset).with_context(|| named.name.clone())?;
    match config.sample {
        Some(limit) if (0..whole.class_count()).any(|class| whole.class_size(class) > limit) => {
            Ok(whole.subsample(limit, config.seed))
        }
        _ => Ok(whole),
    }
}

/// Refuses what would not fit in memory.
pub(crate) fn check_size(method: &Method, names: (&str, &str), n: usize, m: usize) -> Result<()> {
    if method.memory(n, m) > MOST_COSTS {
        let (left, right) = names;
        bail!(
            "expected at most {MOST_COSTS} costs between samples with --method {}, found more between {n} ({left}) and {m} ({right}): take --sample N or another method",
            method.name()
        );
    }
    Ok(())
}

/// Counts of a dataset and of what is compared of it.
pub(crate) fn counts<T: Scalar>(named: &Named, measure: &MeasureOverMeasures<T>) -> Counts {
    let (classes, samples) = (named.dataset.class_count(), named.dataset.len());
    Counts { classes, samples, compared: measure.sample_count() }
}

/// `5000 of 60000 samples of mnist`, or `5000 samples of mnist`.
pub(crate) fn in_words(name: &str, counts: &Counts) -> String {
    let of = if counts.compared < counts.samples { format!(" of {}", counts.samples) } else { String::new() };
    format!("{}{of} samples of {name}", counts.compared)
}

/// Labels of a dataset's classes, with what they show where that is known.
pub(crate) fn class_names(named: &Named) -> Vec<String> {
    let labels = named.dataset.classes().iter().map(ToString::to_string);
    match &named.class_names {
        None => labels.collect(),
        Some(names) => {
            let both = |(label, name): (String, &String)| {
                if label == *name { label } else { format!("{label} {name}") }
            };
            labels.zip(names).map(both).collect()
        }
    }
}
