//! A source with its target, and the labels that matched classes give to samples.

use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::labels::ClassLabels;
use wowflow::scalar::Scalar;

/// A source and the target it is transported to.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a, T> {
    /// What moves.
    pub source: &'a MeasureOverMeasures<T>,
    /// Where it goes.
    pub target: &'a MeasureOverMeasures<T>,
}

/// The label of every sample from those of its class.
pub(crate) fn labels_of<T: Scalar>(particles: &MeasureOverMeasures<T>, classes: &ClassLabels) -> Vec<usize> {
    let of = |class: usize| std::iter::repeat_n(classes.target[class], particles.class_size(class));
    (0..particles.class_count()).flat_map(of).collect()
}
