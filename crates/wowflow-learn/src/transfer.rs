//! k-shot transfer: a large source transported to a small target, and a classifier trained on both.

use std::ops::ControlFlow;

use rayon::prelude::*;
use wowflow::measure::MeasureOverMeasures;

use crate::accuracy::{Accuracy, accuracy};
use crate::architecture::{Architecture, Input};
use crate::distill::Normalization;
use crate::error::LearnError;
use crate::examples::Examples;
use crate::methods::Transported;
use crate::network::Network;
use crate::seeds::subseed;
use crate::training::{Length, TrainEnd, TrainProgress, Training};

/// Samples of a measure with the numbers of their classes as labels, in order.
///
/// # Errors
/// None for a valid measure.
pub fn examples_of(measure: &MeasureOverMeasures<f32>) -> Result<Examples, LearnError> {
    let of = |class: usize| std::iter::repeat_n(class, measure.class_size(class));
    let labels = (0..measure.class_count()).flat_map(of).collect();
    Examples::new(measure.points().to_vec(), measure.dim(), labels, measure.class_count())
}

/// Transported samples as examples of the target's classes, values brought into a range where there is one.
///
/// # Errors
/// A target of fewer classes than the labels name.
pub fn transported_examples(
    found: &Transported<f32>,
    classes: usize,
    range: Option<(f32, f32)>,
) -> Result<Examples, LearnError> {
    let clipped = |x: &f32| range.map_or(*x, |(low, high)| x.clamp(low, high));
    let points = found.particles.points().iter().map(clipped).collect();
    Examples::new(points, found.particles.dim(), found.labels.clone(), classes)
}

/// How classifiers are trained and tested, several times with other seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The network.
    pub architecture: Architecture,
    /// What it takes.
    pub input: Input,
    /// How it is trained; its seed is not used.
    pub training: Training,
    /// How many are trained, side by side.
    pub runs: usize,
}

impl Evaluation {
    /// Accuracies on a test set of networks trained on examples, in the order of their seeds.
    ///
    /// Vectors are standardised, by the mean and the deviation of every coordinate of the examples; images are taken
    /// as they are.
    ///
    /// The trainings share the threads of the current pool; their results do not depend on it. The observer
    /// is called from all of them, with the number of the training.
    ///
    /// # Errors
    /// As [`Network::new`] and [`Training::run`]; [`LearnError::Interrupted`] when the observer breaks.
    pub fn run(
        &self,
        train: &Examples,
        test: &Examples,
        seed: u64,
        observe: impl Fn(usize, &TrainProgress) -> ControlFlow<()> + Sync,
    ) -> Result<Vec<Accuracy>, LearnError> {
        // Coordinates of vectors have units of their own; a perceptron learns of those of the size of 1.
        let units = match self.input {
            Input::Vector(dim) => Some(Normalization::of_vectors(train.inputs(), dim)),
            Input::Image(_) => None,
        };
        let scaled = |units: Normalization| -> Result<_, LearnError> {
            Ok((units.examples(train)?, units.examples(test)?))
        };
        let scaled = units.map(scaled).transpose()?;
        let (train, test) = scaled.as_ref().map_or((train, test), |(train, test)| (train, test));
        let one = |index: usize| {
            let seed = subseed(seed, index as u64);
            let mut network = Network::new(self.architecture, self.input, train.classes(), seed)?;
            let training = Training { seed, ..self.training };
            match training.run(&mut network, train, |progress| observe(index, progress))? {
                TrainEnd::Finished => Ok(accuracy(&network, test)),
                TrainEnd::Interrupted => Err(LearnError::Interrupted),
            }
        };
        (0..self.runs).into_par_iter().map(one).collect()
    }

    /// The same with as many steps of the optimiser as it would take on another number of examples.
    #[must_use]
    pub fn with_steps_of(self, examples: usize) -> Self {
        let length = Length::Steps(self.training.steps(examples));
        Self { training: Training { length, ..self.training }, ..self }
    }
}
