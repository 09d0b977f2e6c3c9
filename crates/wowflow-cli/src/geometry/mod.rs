//! What geodesics and barycenters share: datasets that fit together, their names, and a clean stop.

pub(crate) mod average;
pub(crate) mod average_pictures;
pub(crate) mod average_summary;
pub(crate) mod curve;
pub(crate) mod curve_pictures;
pub(crate) mod curve_summary;

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wowflow::dataset::{ImageShape, LabeledDataset, Points};
use wowflow::measure::MeasureOverMeasures;
use wowflow_report::rundir::RunDir;

use crate::ExitStatus;
use crate::args::{ExactArgs, Precision};
use crate::console::Console;
use crate::interrupt;
use crate::load::{Named, named};
use crate::run::checkpoint::Stored;
use crate::run::directory::{claim, create};

/// Loads datasets and refuses those that exact transport between them cannot be asked of.
pub(crate) fn load(names: &[&str], args: &ExactArgs) -> Result<Vec<Named>> {
    let data_dir = args.common.data.data_dir.as_deref();
    let loaded: Vec<Named> =
        names.iter().map(|name| named(name, data_dir, args.seed)).collect::<Result<_>>()?;
    let mut first: Option<&Named> = None;
    for next in &loaded {
        let data = &next.dataset;
        if let Some(first) = first
            && first.dataset.dim() != data.dim()
        {
            bail!(
                "expected datasets of the same dimension, found {} ({}) and {} ({}): embed them in one space first, such as images scaled to one size or the features of one network",
                first.dataset.dim(),
                first.name,
                data.dim(),
                next.name
            );
        }
        first = first.or(Some(next));
        let sizes = (0..data.class_count()).map(|class| (data.class_rows(class).len(), class));
        if let Some((size, class)) = sizes.max().filter(|(size, _)| *size > args.exact_limit) {
            let limit = args.exact_limit;
            bail!(
                "expected at most {limit} samples a class for exact transport, found {size} in class {} of {}: choose fewer in the dataset's name, such as [train]:{}, or raise --exact-limit",
                data.classes()[class],
                next.name,
                limit.min(500)
            );
        }
    }
    image_shape(&loaded)?;
    Ok(loaded)
}

/// The shape of the images, if any of the datasets is of images.
pub(crate) fn image_shape(datasets: &[Named]) -> Result<Option<ImageShape>> {
    let mut shaped = datasets.iter().filter_map(|named| Some((named, named.dataset.image_shape()?)));
    let Some((first, shape)) = shaped.next() else { return Ok(None) };
    if let Some((other, found)) = shaped.find(|(_, other)| *other != shape) {
        bail!(
            "expected images of the same shape, found {shape} ({}) and {found} ({}): scale them to one size first",
            first.name,
            other.name
        );
    }
    Ok(Some(shape))
}

/// The precision asked for, or the finest of the datasets.
pub(crate) fn precision(datasets: &[Named], asked: Option<Precision>) -> Precision {
    let is_double = |named: &Named| matches!(named.dataset.points(), Points::F64(_));
    let own = if datasets.iter().any(is_double) { Precision::F64 } else { Precision::F32 };
    asked.unwrap_or(own)
}

/// The measures of datasets.
pub(crate) fn measures<T: Stored>(datasets: &[Named]) -> Result<Vec<MeasureOverMeasures<T>>> {
    let measure =
        |named: &Named| MeasureOverMeasures::from_dataset(&named.dataset).with_context(|| named.name.clone());
    datasets.iter().map(measure).collect()
}

/// What a class is called in pictures: its name where it has one, its label otherwise.
pub(crate) fn class_name(named: &Named, class: usize) -> String {
    let names = named.class_names.as_ref();
    names.map_or_else(|| named.dataset.classes()[class].to_string(), |names| names[class].clone())
}

/// The rows of a dataset in the order of its measure: class after class.
pub(crate) fn rows_by_class(data: &LabeledDataset) -> Vec<usize> {
    (0..data.class_count()).flat_map(|class| data.class_rows(class).iter().copied()).collect()
}

/// The values drawn black and white: pixels as they are, other data over the range they fill.
pub(crate) fn value_range<'a>(images: impl Iterator<Item = &'a [f32]>) -> (f32, f32) {
    let (low, high) =
        images.flatten().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    if low >= 0.0 && high <= 1.0 || low >= high { (0.0, 1.0) } else { (low, high) }
}

/// A stop asked for by the user while results are written.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Fails with [`Interrupted`] once a stop was asked for.
pub(crate) fn go_on() -> Result<()> {
    if interrupt::requested() { Err(Interrupted.into()) } else { Ok(()) }
}

/// Makes a run directory with all its content; when that fails or is interrupted, nothing of it stays.
pub(crate) fn write_all(
    out: &Path,
    console: &Console,
    mut fill: impl FnMut(&RunDir) -> Result<()>,
) -> Result<ExitStatus> {
    let made = create(out, |run| {
        let _claim = claim(run)?;
        fill(run)
    });
    match made {
        Ok(_) => Ok(ExitStatus::Done),
        Err(error) if error.is::<Interrupted>() => {
            console.say("interrupted; nothing was written");
            Ok(ExitStatus::Interrupted)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_run_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let console = Console::new(true);
        let write = |run: &RunDir, end: Result<()>| {
            std::fs::write(run.config(), "half")?;
            end
        };
        let status = write_all(&out, &console, |run| write(run, Err(Interrupted.into()))).unwrap();
        assert_eq!(status, ExitStatus::Interrupted);
        assert!(!out.exists());
        assert!(write_all(&out, &console, |run| write(run, Err(anyhow::anyhow!("full")))).is_err());
        assert!(!out.exists());
        assert_eq!(write_all(&out, &console, |run| write(run, Ok(()))).unwrap(), ExitStatus::Done);
        assert!(out.join("config.json").exists());
    }
}
