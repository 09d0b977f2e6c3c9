//! The data of a try: source, target and test set, drawn with its seed, in one shape and with one set of labels.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use wowflow::dataset::{LabeledDataset, Points};
use wowflow::measure::MeasureOverMeasures;
use wowflow::rng::{Purpose, Stream};
use wowflow_data::{DatasetSpec, resize};
use wowflow_learn::{Architecture, Examples, Input, subseed};

use super::experiment::Experiment;
use super::record::DataSum;
use crate::load::{Named, named};

/// Of a target without a test set and without a number of samples, one sample in this many is held out.
const HELD_OUT: usize = 5;
/// The seed of a test set, of those of its target: generated samples of one seed are the same on both sides.
const TEST: u64 = 4;

/// The data of a row and a try.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// Absent in a distillation.
    pub(crate) source: Option<Side>,
    pub(crate) target: Side,
    pub(crate) test: Option<Examples>,
    pub(crate) input: Input,
    pub(crate) sums: Vec<DataSum>,
    /// What was done to make the datasets fit.
    pub(crate) notes: Vec<String>,
}

/// A dataset and the same as a measure.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) named: Named,
    pub(crate) measure: MeasureOverMeasures<f32>,
}

impl Drawn {
    /// The side that moves.
    pub(crate) fn source(&self) -> Result<&Side> {
        self.source.as_ref().context("expected a source, found none")
    }
}

impl Side {
    fn new(named: Named) -> Result<Self> {
        let measure =
            MeasureOverMeasures::from_dataset(&named.dataset).with_context(|| named.name.clone())?;
        Ok(Self { named, measure })
    }

    /// The label of a class.
    pub(crate) fn label(&self, class: usize) -> String {
        self.named.dataset.classes()[class].to_string()
    }

    /// Samples with class numbers as a dataset with this one's labels and image shape.
    pub(crate) fn dataset_of(&self, points: &[f32], classes: &[usize]) -> Result<LabeledDataset> {
        let own = &self.named.dataset;
        let labels = classes.iter().map(|class| own.classes()[*class].clone()).collect();
        let made = LabeledDataset::new(Points::F32(points.to_vec()), own.dim(), labels)?;
        Ok(match own.image_shape() {
            Some(shape) => made.with_image_shape(shape)?,
            None => made,
        })
    }

    /// The range of the values of images, which moved samples are brought back to: 0 to 1 where they lie in it.
    pub(crate) fn range(&self) -> Option<(f32, f32)> {
        self.named.dataset.image_shape()?;
        let values = self.measure.points();
        let (low, high) = values.iter().fold((0.0f32, 1.0f32), |(low, high), x| (low.min(*x), high.max(*x)));
        Some((low, high))
    }
}

/// Loads and draws the data of a row for a try's seed; the target's with `target_seed`.
pub(crate) fn draw(
    experiment: &Experiment,
    row: &str,
    (seed, target_seed): (u64, u64),
    data_dir: Option<&Path>,
    with_test: bool,
) -> Result<Drawn> {
    let name = |text: &str| text.replace("{row}", row);
    let mut notes = Vec::new();
    let source = experiment.source.as_ref().map(|source| named(&name(source), data_dir, seed));
    let mut source = source.transpose()?;
    let target_name = name(&experiment.target);
    let (mut target, mut test) = match (&experiment.test, with_test) {
        (Some(test), true) => (
            named(&target_name, data_dir, target_seed)?,
            Some(named(&name(test), data_dir, subseed(target_seed, TEST))?),
        ),
        (None, true) => {
            let (few, rest) = held_out(&target_name, data_dir, target_seed)?;
            notes.push(format!(
                "{}: tested on the {} samples that were not drawn",
                few.name,
                rest.dataset.len()
            ));
            (few, Some(rest))
        }
        (_, false) => (named(&target_name, data_dir, target_seed)?, None),
    };
    let mut all: Vec<&mut Named> = std::iter::once(&mut target).chain(&mut source).chain(&mut test).collect();
    to_one_size(experiment, &mut all, &mut notes)?;
    let mut sums: Vec<DataSum> = all.iter().map(|named| DataSum::of(named)).collect();
    for path in experiment.networks_of(row) {
        sums.push(DataSum::of_file(path)?);
    }
    let input = match target.dataset.image_shape() {
        Some(shape) => Input::Image(shape),
        None => Input::Vector(target.dataset.dim()),
    };
    let test = test.map(|test| examples(&test, &target.dataset, &mut notes)).transpose()?;
    let target = Side::new(target)?;
    if let Some(test) = &test {
        notes.extend(overlap(target.measure.points(), test));
    }
    Ok(Drawn { source: source.map(Side::new).transpose()?, target, test, input, sums, notes })
}

/// Images are brought to the size asked for, or else to that of the target.
fn to_one_size(experiment: &Experiment, all: &mut [&mut Named], notes: &mut Vec<String>) -> Result<()> {
    let asked = experiment.size()?;
    let shape = all[0].dataset.image_shape();
    let size = asked.map(|size| (size.width, size.height)).or(shape.map(|of| (of.width, of.height)));
    for named in all.iter_mut() {
        let (Some((width, height)), Some(own)) = (size, named.dataset.image_shape()) else { continue };
        if (own.width, own.height) != (width, height) {
            named.dataset = resize(&named.dataset, width, height).with_context(|| named.name.clone())?;
            notes.push(format!(
                "{} resized from {}x{} to {width}x{height}",
                named.name, own.width, own.height
            ));
        }
    }
    let dim = all[0].dataset.dim();
    if let Some(other) = all.iter().find(|named| named.dataset.dim() != dim) {
        bail!(
            "expected samples of one dimension, found {} ({}) and {dim} ({}): bring images to the same channels, or embed both in a shared space first",
            other.dataset.dim(),
            other.name,
            all[0].name
        );
    }
    Ok(())
}

/// Few samples of a dataset and the rest of it: as many as its name says, or all but a fifth.
fn held_out(name: &str, data_dir: Option<&Path>, seed: u64) -> Result<(Named, Named)> {
    let spec: DatasetSpec = name.parse()?;
    let (whole, count) = match spec.per_class() {
        Some(count) => (name.rsplit_once(':').map_or(name, |(whole, _)| whole), Some(count)),
        None => (name, None),
    };
    let all = named(whole, data_dir, seed)?;
    let (mut few, mut rest) = (Vec::new(), Vec::new());
    for class in 0..all.dataset.class_count() {
        let rows = all.dataset.class_rows(class);
        // A class of one sample is all drawn.
        let drawn = count.unwrap_or(rows.len() - rows.len() / HELD_OUT).min(rows.len());
        let order =
            Stream::new(seed, Purpose::Subsample, class as u64).reader().sample(rows.len(), rows.len());
        few.extend(order[..drawn].iter().map(|&at| rows[at]));
        rest.extend(order[drawn..].iter().map(|&at| rows[at]));
    }
    ensure!(
        !rest.is_empty(),
        "expected more samples in {whole} than are drawn, to test on; found none left: give a test set"
    );
    few.sort_unstable();
    rest.sort_unstable();
    let part = |rows: &[usize], name: String| -> Result<Named> {
        Ok(Named { name, dataset: all.dataset.select(rows)?, ..all.clone() })
    };
    Ok((part(&few, spec.to_string())?, part(&rest, format!("the rest of {whole}"))?))
}

/// Samples with the class numbers of a target; those of classes that the target lacks are left out.
fn examples(test: &Named, target: &LabeledDataset, notes: &mut Vec<String>) -> Result<Examples> {
    let data = &test.dataset;
    let number = |label| target.classes().iter().position(|known| known == label);
    let of: Vec<Option<usize>> = data.classes().iter().map(number).collect();
    let rows: Vec<usize> = (0..data.len()).filter(|&row| of[data.class_of()[row]].is_some()).collect();
    ensure!(
        !rows.is_empty(),
        "expected test samples with labels of the target in {}, found none: its labels are {}, the target's {}",
        test.name,
        some(data),
        some(target)
    );
    if rows.len() < data.len() {
        notes.push(format!(
            "{} samples of {} left out: the target has no such classes",
            data.len() - rows.len(),
            test.name
        ));
    }
    let kept = data.select(&rows)?;
    let labels: Vec<usize> = rows.iter().filter_map(|&row| of[data.class_of()[row]]).collect();
    let untested: Vec<_> = (0..target.class_count()).filter(|class| !labels.contains(class)).collect();
    if !untested.is_empty() {
        let untested = first(untested.iter().map(|&class| &target.classes()[class]));
        notes.push(format!("{} has no samples of {untested}: accuracies say nothing of them", test.name));
    }
    Ok(Examples::new(numbers(kept.points()), kept.dim(), labels, target.class_count())?)
}

/// Says where test samples are among those trained on.
fn overlap(target: &[f32], test: &Examples) -> Option<String> {
    let hash = |sample: &[f32]| {
        let mut state = DefaultHasher::new();
        sample.iter().for_each(|x| x.to_bits().hash(&mut state));
        state.finish()
    };
    let dim = test.inputs().len() / test.len();
    let known: HashSet<u64> = target.chunks_exact(dim).map(hash).collect();
    let seen = test.inputs().chunks_exact(dim).filter(|sample| known.contains(&hash(sample))).count();
    let all = test.len();
    (seen > 0).then(|| {
        format!("{seen} of {all} test samples are the same as samples of the target: new ones may do worse")
    })
}

fn numbers(points: &Points) -> Vec<f32> {
    points.to_vec(0..points.len())
}

/// The first labels of a dataset, in words.
fn some(data: &LabeledDataset) -> String {
    first(data.classes().iter())
}

/// The first of some labels, in words.
fn first<'l, L: ToString + 'l>(labels: impl ExactSizeIterator<Item = &'l L>) -> String {
    let more = if labels.len() > 5 { ", ..." } else { "" };
    let named: Vec<String> = labels.take(5).map(ToString::to_string).collect();
    named.join(", ") + more
}

/// The network of an experiment for an input; `auto` is LeNet-5 for images that are large enough for it, the
/// ConvNet for smaller ones, and a multilayer perceptron for vectors.
pub(crate) fn architecture(
    name: &str,
    usual: Architecture,
    input: Input,
    classes: usize,
) -> Result<Architecture> {
    if name != "auto" {
        return Ok(name.parse()?);
    }
    let fits = |of: &Architecture| wowflow_learn::Network::new(*of, input, classes, 0).is_ok();
    [usual, Architecture::ConvNet, Architecture::Mlp]
        .into_iter()
        .find(fits)
        .context("expected samples of at least one coordinate, found none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_test_sets_share_no_sample_with_the_target() {
        let text = r#"
            title = "A"
            task = "transfer"
            row-name = "k"
            rows = ["3"]
            source = "gaussians:4"
            target = "gaussians:{row}"
            test = "gaussians:5"
            tries = 1
            epochs = 1
            methods = [{ method = "target-only" }]
        "#;
        let drawn = draw(&Experiment::parse(text).unwrap(), "3", (7, 7), None, true).unwrap();
        let test = drawn.test.unwrap();
        assert_eq!((test.len(), drawn.target.measure.sample_count()), (20, 12));
        assert_eq!(overlap(drawn.target.measure.points(), &test), None);
        let itself = wowflow_learn::examples_of(&drawn.target.measure).unwrap();
        let said = overlap(drawn.target.measure.points(), &itself).unwrap();
        assert!(said.starts_with("12 of 12 test samples are the same"), "{said}");
        let known: Vec<&[f32]> = drawn.target.measure.points().chunks(2).collect();
        assert!(test.inputs().chunks(2).all(|sample| !known.contains(&sample)));
    }
}
