//! Measures back on disk as labeled datasets: under labels of their own, or under those of a target they came to.

use std::path::Path;

use wowflow::dataset::{ImageShape, Label, LabeledDataset, Precision, Stored};
use wowflow::measure::MeasureOverMeasures;
use wowflow_data::npy::NpyArray;
use wowflow_data::write_npz_dataset;

use crate::error::{Result, require};

/// Labels of the source classes that samples came from.
const CAME_FROM: &str = "y_source";

/// Which samples of a dataset those of another belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Origins {
    /// The row of each, counted from 0 ([`LabeledDataset::source_row`]); `None` where there is none.
    pub rows: Vec<Option<usize>>,
    /// The name of each, where the dataset has names; empty where there is no row.
    pub names: Option<Vec<String>>,
}

impl Origins {
    /// Of rows of a dataset.
    pub(crate) fn new(data: &LabeledDataset, rows: impl Iterator<Item = Option<usize>> + Clone) -> Self {
        let name = |names: &[String], row: Option<usize>| row.map_or(String::new(), |row| names[row].clone());
        Self {
            names: data.sample_names().map(|names| rows.clone().map(|row| name(names, row)).collect()),
            rows: rows.map(|row| row.map(|row| data.source_row(row))).collect(),
        }
    }

    /// Of samples that belong to none.
    pub(crate) fn none(count: usize) -> Self {
        Self { rows: vec![None; count], names: None }
    }

    /// As arrays of these names.
    pub(crate) fn arrays(&self, [rows, names]: [String; 2]) -> Vec<(String, NpyArray)> {
        let count = [self.rows.len()];
        let numbers = self.rows.iter().map(|row| row.map_or(-1, |row| row as i64)).collect();
        let known = self.names.iter().map(|known| (names.clone(), NpyArray::text(count, known.clone())));
        std::iter::once((rows, NpyArray::i64(count, numbers))).chain(known).collect()
    }
}

/// A label within a longer one: in brackets if it is one of several parts itself.
pub(crate) fn within(label: &str) -> String {
    if label.contains("->") || label.contains('+') { format!("({label})") } else { label.to_owned() }
}

/// The dataset of a measure whose classes have different labels, stored in a precision.
pub(crate) fn labeled(
    measure: &MeasureOverMeasures<f64>,
    labels: &[Label],
    precision: Precision,
    shape: Option<ImageShape>,
) -> Result<LabeledDataset> {
    let data = match precision {
        Precision::F32 => measure.cast::<f32>()?.to_dataset(labels)?,
        Precision::F64 => measure.to_dataset(labels)?,
    };
    require!(
        data.class_count() == labels.len(),
        "expected {} classes of different labels, found {}: rename labels that contain -> or +",
        labels.len(),
        data.class_count()
    );
    shaped(data, shape)
}

/// The dataset with the shape of its images, if there is one.
pub(crate) fn shaped(data: LabeledDataset, shape: Option<ImageShape>) -> Result<LabeledDataset> {
    Ok(match shape {
        Some(shape) => data.with_image_shape(shape)?,
        None => data,
    })
}

/// Particles of the classes of a source under the labels of the target classes they came to, `target_of[c]` for class
/// `c`, in the order of the source and with its names; images are those of either.
pub(crate) fn flowed<T: Stored>(
    source: &LabeledDataset,
    target: &LabeledDataset,
    particles: &MeasureOverMeasures<T>,
    target_of: &[usize],
) -> Result<LabeledDataset> {
    let labels: Vec<Label> = target_of.iter().map(|&class| target.classes()[class].clone()).collect();
    let mut reached = target_of.to_vec();
    reached.sort_unstable();
    reached.dedup();
    // Weights are written where the uniform ones would not be right: weighted sources, and classes that became one.
    let weighted = source.sample_weights().is_some() || source.class_weights().is_some();
    let data = if weighted || reached.len() < target_of.len() {
        particles.to_weighted_dataset(&labels)?
    } else {
        particles.to_dataset(&labels)?
    };
    shaped(data.in_order_of(source)?, source.image_shape().or_else(|| target.image_shape()))
}

/// Writes what [`flowed`] gives, with the labels of the source beside the new ones as `y_source`; the dataset written is
/// returned.
pub(crate) fn write_flowed<T: Stored>(
    path: &Path,
    source: &LabeledDataset,
    target: &LabeledDataset,
    particles: &MeasureOverMeasures<T>,
    target_of: &[usize],
) -> Result<LabeledDataset> {
    let data = flowed(source, target, particles, target_of)?;
    let came_from: Vec<String> = (0..source.len()).map(|row| source.label(row).to_string()).collect();
    let came_from = NpyArray::text([came_from.len()], came_from);
    write_npz_dataset(path, &data, &[(CAME_FROM, &came_from)])?;
    Ok(data)
}

#[cfg(test)]
mod tests {
    use wowflow::dataset::Points;

    use super::*;

    fn dataset(labels: &[i64]) -> LabeledDataset {
        let points = (0..labels.len()).map(|row| row as f64).collect();
        let labels = labels.iter().copied().map(Label::Int).collect();
        LabeledDataset::new(Points::F64(points), 1, labels).unwrap()
    }

    #[test]
    fn parts_of_labels_stay_apart() {
        assert_eq!(["3", "3->7", "a+b"].map(within), ["3", "(3->7)", "(a+b)"]);
        let p = MeasureOverMeasures::uniform(vec![0.0, 1.0], 1, &[1, 1]).unwrap();
        let labels = [Label::from("a->b"), Label::from("a->b")];
        let text = labeled(&p, &labels, Precision::F64, None).unwrap_err().to_string();
        assert!(text.starts_with("expected 2 classes of different labels, found 1: rename"), "{text}");
        let single = labeled(&p, &[1, 2].map(Label::Int), Precision::F32, None).unwrap();
        assert_eq!(single.points(), &Points::F32(vec![0.0, 1.0]));
    }

    #[test]
    fn classes_that_became_one_keep_their_masses() {
        let (source, target) = (dataset(&[0, 1, 1]), dataset(&[7, 8]));
        let particles = MeasureOverMeasures::<f64>::from_dataset(&source).unwrap();
        let apart = flowed(&source, &target, &particles, &[1, 0]).unwrap();
        assert_eq!((apart.label(0), apart.sample_weights()), (&Label::Int(8), None));
        let one = flowed(&source, &target, &particles, &[1, 1]).unwrap();
        assert_eq!(one.classes(), [Label::Int(8)]);
        assert_eq!(one.sample_weights(), Some(&[0.5, 0.25, 0.25][..]));
    }
}
