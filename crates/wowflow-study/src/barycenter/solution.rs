//! A barycenter that is reached: a dataset with labels from those its classes are matched to.

use std::collections::BTreeMap;

use wowflow::dataset::{ImageShape, Label, LabeledDataset};
use wowflow::ot::geometry::Barycenter;
use wowflow::ot::labels::match_classes;
use wowflow_data::Prepared;

use super::config::Config;
use super::steps::Step;
use crate::error::Result;
use crate::labeled::{labeled, within};

/// The file of the barycenter.
pub(super) const FILE: &str = "barycenter.npz";

/// A barycenter and the datasets it is of.
#[derive(Clone, Debug)]
pub struct Solution {
    config: Config,
    datasets: Vec<Prepared>,
    shape: Option<ImageShape>,
    mean: Barycenter<f64>,
    matched: Vec<Vec<usize>>,
    labels: Vec<Label>,
    dataset: LabeledDataset,
    steps: Vec<Step>,
    seconds: f64,
}

impl Solution {
    pub(super) fn new(
        config: Config,
        datasets: Vec<Prepared>,
        shape: Option<ImageShape>,
        mean: Barycenter<f64>,
        steps: Vec<Step>,
        seconds: f64,
    ) -> Result<Self> {
        let matched: Vec<Vec<usize>> =
            mean.transports.iter().map(|transport| match_classes(transport).target).collect();
        let labels = labels(&datasets, &matched, mean.measure.class_count());
        let dataset = labeled(&mean.measure, &labels, config.precision, shape)?;
        Ok(Self { config, datasets, shape, mean, matched, labels, dataset, steps, seconds })
    }

    /// What was asked, resolved.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The datasets it is of.
    #[must_use]
    pub fn datasets(&self) -> &[Prepared] {
        &self.datasets
    }

    /// The shape of the images, if any of the datasets is of images.
    #[must_use]
    pub fn image_shape(&self) -> Option<ImageShape> {
        self.shape
    }

    /// The barycenter as a measure, with its objectives, its bound and its couplings.
    #[must_use]
    pub fn barycenter(&self) -> &Barycenter<f64> {
        &self.mean
    }

    /// The barycenter as a dataset, class after class in the order of the measure.
    #[must_use]
    pub fn dataset(&self) -> &LabeledDataset {
        &self.dataset
    }

    /// One label a class of the measure: `3+7` where the datasets have 3 and 7.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The start and every step.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The class of dataset `k` that the most mass of a class goes to.
    #[must_use]
    pub fn matched(&self, k: usize, class: usize) -> usize {
        self.matched[k][class]
    }

    /// The label of that class.
    #[must_use]
    pub fn matched_label(&self, k: usize, class: usize) -> String {
        self.datasets[k].label(self.matched[k][class])
    }

    /// Where the samples of a class go in the matched class of dataset `k`: for each the sample of the matched class,
    /// counted within it, that gets the most of its mass; `None` for samples that all go to other classes.
    #[must_use]
    pub fn partners(&self, k: usize, class: usize) -> Vec<Option<usize>> {
        let mut best: Vec<Option<(f64, usize)>> = vec![None; self.mean.measure.class_size(class)];
        let plan = self.mean.transports[k].plan(class, self.matched[k][class]);
        for atom in plan.iter().flat_map(|plan| plan.atoms()) {
            if best[atom.row].is_none_or(|(mass, _)| atom.mass > mass) {
                best[atom.row] = Some((atom.mass, atom.col));
            }
        }
        best.into_iter().map(|best| best.map(|(_, col)| col)).collect()
    }

    /// Seconds of the iteration.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds
    }
}

/// One label a class, from those of the matched classes.
fn labels(datasets: &[Prepared], matched: &[Vec<usize>], classes: usize) -> Vec<Label> {
    let mut seen = BTreeMap::<String, usize>::new();
    let mut label = |class: usize| {
        let parts = datasets.iter().zip(matched).map(|(data, matched)| within(&data.label(matched[class])));
        let label = parts.collect::<Vec<_>>().join("+");
        let count = seen.entry(label.clone()).or_default();
        *count += 1;
        // Classes that are matched alike, such as two halves of one, are told apart by a number.
        Label::parse(&if *count > 1 { format!("{label}#{count}") } else { label })
    };
    (0..classes).map(&mut label).collect()
}
