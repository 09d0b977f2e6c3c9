//! The barycenter as a dataset: labels of its classes from those they are matched to, and what moves where.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use wowflow::dataset::{ImageShape, Label};
use wowflow::ot::geometry::Barycenter;
use wowflow::ot::labels::match_classes;
use wowflow_data::npy::NpyArray;
use wowflow_data::write_npz_dataset;

use super::curve::{labeled, within};
use crate::load::Named;
use crate::run::checkpoint::Stored;

/// A barycenter, the datasets it is of, and which of their classes its own are matched to.
pub(crate) struct Average<'a, T> {
    pub(crate) mean: &'a Barycenter<T>,
    pub(crate) datasets: &'a [Named],
    pub(crate) shape: Option<ImageShape>,
    /// Class of the dataset with the most mass, for every dataset and class of the barycenter.
    pub(crate) matched: Vec<Vec<usize>>,
    /// One label a class: `3+7` where the datasets have 3 and 7.
    pub(crate) labels: Vec<Label>,
}

impl<'a, T: Stored> Average<'a, T> {
    pub(crate) fn new(mean: &'a Barycenter<T>, datasets: &'a [Named], shape: Option<ImageShape>) -> Self {
        let matched: Vec<Vec<usize>> =
            mean.transports.iter().map(|transport| match_classes(transport).target).collect();
        let mut average = Self { mean, datasets, shape, matched, labels: Vec::new() };
        let mut seen = BTreeMap::<String, usize>::new();
        for class in 0..mean.measure.class_count() {
            let parts: Vec<String> =
                (0..datasets.len()).map(|k| within(&average.matched_label(k, class))).collect();
            let label = parts.join("+");
            let count = seen.entry(label.clone()).or_default();
            *count += 1;
            // Classes that are matched alike, such as two halves of one, are told apart by a number.
            let label = if *count > 1 { format!("{label}#{count}") } else { label };
            average.labels.push(Label::parse(&label));
        }
        average
    }

    /// The label that dataset `k` has for a class of the barycenter.
    pub(crate) fn matched_label(&self, k: usize, class: usize) -> String {
        self.datasets[k].dataset.classes()[self.matched[k][class]].to_string()
    }

    /// Writes the barycenter, with the labels of every dataset beside its own.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let measure = &self.mean.measure;
        let mut data = labeled(measure, &self.labels)?;
        if let Some(shape) = self.shape {
            data = data.with_image_shape(shape)?;
        }
        let of_dataset = |k: usize| {
            let classes = 0..measure.class_count();
            let labels: Vec<String> = classes
                .flat_map(|c| std::iter::repeat_n(self.matched_label(k, c), measure.class_size(c)))
                .collect();
            (format!("y_{}", k + 1), NpyArray::text([labels.len()], labels))
        };
        let theirs: Vec<(String, NpyArray)> = (0..self.datasets.len()).map(of_dataset).collect();
        let theirs: Vec<(&str, &NpyArray)> = theirs.iter().map(|(name, array)| (&name[..], array)).collect();
        Ok(write_npz_dataset(path, &data, &theirs)?)
    }

    /// Where the samples of a class go in the matched class of dataset `k`: for each that end with the
    /// most mass, a sample of the matched class; `None` for samples that all go to other classes.
    pub(crate) fn partners(&self, k: usize, class: usize) -> Vec<Option<usize>> {
        let mut best: Vec<Option<(f64, usize)>> = vec![None; self.mean.measure.class_size(class)];
        let plan = self.mean.transports[k].plan(class, self.matched[k][class]);
        for atom in plan.iter().flat_map(|plan| plan.atoms()) {
            if best[atom.row].is_none_or(|(mass, _)| atom.mass > mass) {
                best[atom.row] = Some((atom.mass, atom.col));
            }
        }
        best.into_iter().map(|best| best.map(|(_, col)| col)).collect()
    }
}
