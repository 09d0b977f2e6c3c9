//! The data of a try: source, target and test set, drawn with its seed, in one shape and with one set of labels.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use wowflow::dataset::{ImageShape, LabeledDataset, Points};
use wowflow::measure::MeasureOverMeasures;
use wowflow::rng::{Purpose, Stream};
use wowflow_data::{DatasetSpec, Lookup, Prepared, Size, bring_together, common_dimension, single_loss};
use wowflow_learn::{Examples, Input};

use super::parts::Part;
use crate::error::{Place, Result, require};
use crate::experiment::config::ExperimentConfig;
use crate::experiment::names::Task;
use crate::experiment::repetition::DataSum;

/// Of a target without a test set and without a number of samples, one sample in this many is held out.
const HELD_OUT: usize = 5;

/// The data of a row and a trial.
#[derive(Debug)]
pub(in super::super) struct Drawn {
    /// Absent in a distillation.
    source: Option<Sampled>,
    pub(super) target: Sampled,
    /// Absent in an adaptation.
    test: Option<Examples>,
    pub(in super::super) input: Input,
    pub(in super::super) sums: Vec<DataSum>,
    /// What was done to make the datasets fit.
    pub(in super::super) notes: Vec<String>,
}

/// A dataset and the same as a measure.
#[derive(Debug)]
pub(super) struct Sampled {
    pub(super) prepared: Prepared,
    pub(super) measure: MeasureOverMeasures<f32>,
    /// The units that the samples were brought to, where single precision does not hold them in their own.
    pub(super) units: Option<Units>,
}

/// Units of vectors that single precision holds: `x = centre + scale x'`. Moves and standardised trainings are the same
/// in them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Units {
    centre: Vec<f64>,
    scale: f64,
}

impl Units {
    /// Around the middle of a target, of the size of the largest distance from it; a power of two.
    fn around(target: &LabeledDataset, all: &[&LabeledDataset]) -> Self {
        let rows = |data: &LabeledDataset| (0..data.len()).map(|row| data.row(row)).collect::<Vec<_>>();
        let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); target.dim()];
        for row in rows(target) {
            ends.iter_mut().zip(row).for_each(|((low, high), x)| (*low, *high) = (low.min(x), high.max(x)));
        }
        let centre: Vec<f64> = ends.iter().map(|(low, high)| 0.5 * low + 0.5 * high).collect();
        let apart = |row: &Vec<f64>| row.iter().zip(&centre).map(|(x, c)| (x - c).abs()).fold(0.0, f64::max);
        let largest = all.iter().flat_map(|data| rows(data)).map(|row| apart(&row)).fold(0.0, f64::max);
        // Ordinary sizes stay: settings of methods are in them.
        let ordinary = largest == 0.0 || (1e-6..=1e6).contains(&largest);
        let exponent = largest.log2().floor().clamp(-1000.0, 1000.0);
        Self { centre, scale: if ordinary { 1.0 } else { f64::exp2(exponent) } }
    }

    fn bring(&self, data: &LabeledDataset) -> Result<LabeledDataset> {
        let near = |(x, centre): (f64, &f64)| (x - centre) / self.scale;
        let points = (0..data.len()).flat_map(|row| data.row(row).into_iter().zip(&self.centre).map(near));
        Ok(data.with_points(Points::F64(points.collect()))?)
    }

    fn restore(&self, points: &[f32]) -> Points {
        let far = |(x, centre): (&f32, &f64)| centre + self.scale * f64::from(*x);
        Points::F64(points.iter().zip(self.centre.iter().cycle()).map(far).collect())
    }
}

/// The seeds of a trial's data.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct DataSeeds {
    /// Of the source.
    pub(in super::super) trial: u64,
    /// Of the target and the test set.
    pub(in super::super) target: u64,
}

impl Drawn {
    /// What moves.
    pub(super) fn source(&self) -> Result<&Sampled> {
        self.source.as_ref().at(|| "expected a source, found none".to_owned())
    }

    /// What classifiers are tested on.
    pub(super) fn test(&self) -> Result<&Examples> {
        self.test.as_ref().at(|| "expected a test set, found none".to_owned())
    }
}

impl Sampled {
    fn new(prepared: Prepared, units: Option<Units>) -> Result<Self> {
        Ok(Self { measure: prepared.measure()?, prepared, units })
    }

    /// The labels of all classes.
    pub(super) fn labels(&self) -> Vec<String> {
        self.prepared.labels()
    }

    /// Samples with class numbers as a dataset with this one's labels and image shape, in the units of the data.
    pub(super) fn dataset_of(&self, points: &[f32], classes: &[usize]) -> Result<LabeledDataset> {
        let own = &self.prepared.dataset;
        let labels = classes.iter().map(|class| own.classes()[*class].clone()).collect();
        let points =
            self.units.as_ref().map_or_else(|| Points::F32(points.to_vec()), |units| units.restore(points));
        let made = LabeledDataset::new(points, own.dim(), labels)?;
        Ok(match own.image_shape() {
            Some(shape) => made.with_image_shape(shape)?,
            None => made,
        })
    }

    /// The range of the values of images, which moved samples are brought back to: 0 to 1 where they lie in it.
    pub(super) fn range(&self) -> Option<(f32, f32)> {
        self.prepared.dataset.image_shape()?;
        let values = self.measure.points();
        let (low, high) = values.iter().fold((0.0f32, 1.0f32), |(low, high), x| (low.min(*x), high.max(*x)));
        Some((low, high))
    }
}

/// Loads and draws the data of a row.
pub(in super::super) fn draw(
    config: &ExperimentConfig,
    row: &str,
    seeds: DataSeeds,
    lookup: &Lookup,
) -> Result<Drawn> {
    let mut notes = Vec::new();
    // Images of one size are resized below, with a note.
    let lookup = &Lookup { resize: config.resize, ..lookup.clone() };
    let source = config.source.as_ref().map(|source| lookup.load_as_it_is(&source.in_row(row), seeds.trial));
    let source = source.transpose()?;
    let target_name = config.target.in_row(row);
    let (target, test) = match &config.test {
        _ if config.task == Task::Adaptation => (lookup.load_as_it_is(&target_name, seeds.target)?, None),
        Some(test) => {
            let target = lookup.load_as_it_is(&target_name, seeds.target)?;
            (target, Some(lookup.load_as_it_is(&test.in_row(row), Part::TestSet.seed(seeds.target))?))
        }
        None => {
            let (few, rest) = held_out(&target_name, seeds.target, lookup)?;
            notes.push(format!(
                "{}: tested on the {} samples that were not drawn",
                few.name,
                rest.dataset.len()
            ));
            (few, Some(rest))
        }
    };
    let (mut source, mut target, mut test) = (source, target, test);
    bring_together([&mut target].into_iter().chain(&mut source).chain(&mut test))?;
    let size = config.resize.or(target.dataset.image_shape().map(size_of));
    let mut fit = |prepared| resized(prepared, size, &mut notes);
    let target = fit(target)?;
    let source = source.map(&mut fit).transpose()?;
    let test = test.map(&mut fit).transpose()?;
    common_dimension([&target].into_iter().chain(&source).chain(&test))?;
    let mut sums: Vec<DataSum> = [&target].into_iter().chain(&source).chain(&test).map(DataSum::of).collect();
    for path in config.networks_of(row) {
        sums.push(DataSum::of_file(path)?);
    }
    let input = match target.dataset.image_shape() {
        Some(shape) => Input::Image(shape),
        None => Input::Vector(target.dataset.dim()),
    };
    let all = || [&target].into_iter().chain(&source).chain(&test);
    let units = match (input, single_loss(all())) {
        (Input::Vector(_), Some(loss)) => {
            notes.push(format!("moved near 0, where single precision holds them: {loss}"));
            Some(Units::around(&target.dataset, &all().map(|data| &data.dataset).collect::<Vec<_>>()))
        }
        _ => None,
    };
    let near = |prepared: Prepared| -> Result<Prepared> {
        match &units {
            Some(units) => Ok(Prepared { dataset: units.bring(&prepared.dataset)?, ..prepared }),
            None => Ok(prepared),
        }
    };
    let (target, source, test) =
        (near(target)?, source.map(&near).transpose()?, test.map(&near).transpose()?);
    let test = test.map(|test| examples(&test, &target.dataset, &mut notes)).transpose()?;
    let target = Sampled::new(target, units.clone())?;
    if let Some(test) = &test {
        notes.extend(overlap(target.measure.points(), test));
    }
    Ok(Drawn {
        source: source.map(|source| Sampled::new(source, units)).transpose()?,
        target,
        test,
        input,
        sums,
        notes,
    })
}

fn size_of(shape: ImageShape) -> Size {
    Size { width: shape.width, height: shape.height }
}

/// Images at a size, and a note where they had another.
fn resized(prepared: Prepared, size: Option<Size>, notes: &mut Vec<String>) -> Result<Prepared> {
    let (Some(size), Some(shape)) = (size, prepared.dataset.image_shape()) else { return Ok(prepared) };
    let own = size_of(shape);
    if own == size {
        return Ok(prepared);
    }
    notes.push(format!("{} resized from {own} to {size}", prepared.name));
    Ok(prepared.resized(size)?)
}

/// Few samples of a dataset and the rest of it: as many as its name says, or all but a fifth.
fn held_out(name: &str, seed: u64, lookup: &Lookup) -> Result<(Prepared, Prepared)> {
    let spec: DatasetSpec = name.parse()?;
    let (whole, count) = match spec.per_class() {
        Some(count) => (name.rsplit_once(':').map_or(name, |(whole, _)| whole), Some(count)),
        None => (name, None),
    };
    let all = lookup.load_as_it_is(whole, seed)?;
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
    require!(
        !rest.is_empty(),
        "expected more samples in {whole} than are drawn, to test on; found none left: give a test set"
    );
    few.sort_unstable();
    rest.sort_unstable();
    let part = |rows: &[usize], name: String| -> Result<Prepared> {
        Ok(Prepared { name, dataset: all.dataset.select(rows)?, ..all.clone() })
    };
    Ok((part(&few, spec.to_string())?, part(&rest, format!("the rest of {whole}"))?))
}

/// Samples with the class numbers of a target; those of classes that the target lacks are left out.
fn examples(test: &Prepared, target: &LabeledDataset, notes: &mut Vec<String>) -> Result<Examples> {
    let data = &test.dataset;
    let number = |label| target.classes().iter().position(|known| known == label);
    let of: Vec<Option<usize>> = data.classes().iter().map(number).collect();
    let rows: Vec<usize> = (0..data.len()).filter(|&row| of[data.class_of()[row]].is_some()).collect();
    require!(
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
        let config = ExperimentConfig::parse(text).unwrap();
        let seeds = DataSeeds { trial: 7, target: 7 };
        let drawn = draw(&config, "3", seeds, &Lookup::default()).unwrap();
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
