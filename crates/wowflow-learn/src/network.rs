//! A classifier: an architecture with its parameters.

use std::ops::Range;

use wowflow::rng::{Purpose, Stream};

use crate::architecture::{Architecture, Input};
use crate::error::LearnError;
use crate::layers::{Kind, Layer};
use crate::pass::Pass;

/// Samples that are looked at together when a network predicts.
const BATCH: usize = 128;

/// A classifier.
///
/// ```
/// use wowflow::dataset::ImageShape;
/// use wowflow_learn::{Architecture, Input, Network};
/// let input = Input::Image(ImageShape { width: 28, height: 28, channels: 1 });
/// let network = Network::new(Architecture::LeNet5, input, 10, 1)?;
/// assert_eq!(network.parameter_count(), 61_562);
/// assert_eq!(network.logits(&[0.5; 2 * 784]).len(), 20);
/// # Ok::<(), wowflow_learn::LearnError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    architecture: Architecture,
    input: Input,
    classes: usize,
    labels: Vec<String>,
    layers: Vec<Layer>,
    parameters: Vec<f32>,
}

impl Network {
    /// A network with random parameters: weights and biases uniform in `+-1 / sqrt(fan in)`, gains 1 and
    /// biases 0 of norms.
    ///
    /// # Errors
    /// Images too small for the architecture, vectors for one that takes images, no classes.
    pub fn new(
        architecture: Architecture,
        input: Input,
        classes: usize,
        seed: u64,
    ) -> Result<Self, LearnError> {
        let layers = architecture.layers(input, classes)?;
        let count = layers.last().map_or(0, |layer| layer.biases.end);
        let parameters = vec![0.0; count];
        let mut network = Self { architecture, input, classes, labels: Vec::new(), layers, parameters };
        network.draw(Stream::new(seed, Purpose::Parameters, 0));
        Ok(network)
    }

    /// Draws all parameters anew.
    pub(crate) fn draw(&mut self, stream: Stream) {
        for layer in &self.layers {
            if layer.kind == Kind::NormalizedPool {
                self.parameters[layer.weights.clone()].fill(1.0);
                self.parameters[layer.biases.clone()].fill(0.0);
                continue;
            }
            let bound = 1.0 / (layer.fan_in() as f64).sqrt();
            for at in layer.weights.start..layer.biases.end {
                self.parameters[at] = (bound * (2.0 * stream.uniform(at as u64) - 1.0)) as f32;
            }
        }
    }

    /// The architecture.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// What it takes.
    #[must_use]
    pub fn input(&self) -> Input {
        self.input
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The labels of its classes, in order; none where they were never given.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The same network with labels for its classes, which its file keeps.
    ///
    /// # Errors
    /// A number of labels that is not that of the classes.
    pub fn with_labels(self, labels: Vec<String>) -> Result<Self, LearnError> {
        if labels.len() != self.classes {
            return Err(LearnError::Labels { expected: self.classes, found: labels.len() });
        }
        Ok(Self { labels, ..self })
    }

    /// Number of parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.parameters.len()
    }

    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    pub(crate) fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    pub(crate) fn parameters_mut(&mut self) -> &mut [f32] {
        &mut self.parameters
    }

    /// Weights and biases of every layer that has some, by the number of the layer.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> {
        let with = self.layers.iter().filter(|layer| !layer.weights.is_empty()).enumerate();
        with.map(|(at, layer)| (at, layer.weights.clone(), layer.biases.clone()))
    }

    /// Scores of the classes, `N x classes`; the largest is the prediction, and their softmax the
    /// probabilities. Inputs are `N x d`, row-major.
    ///
    /// # Panics
    /// A number of inputs that is no multiple of the network's.
    #[must_use]
    pub fn logits(&self, inputs: &[f32]) -> Vec<f32> {
        self.through(&self.layers, inputs)
    }

    /// What the last layer takes, `N x` its inputs: the features of a sample.
    ///
    /// # Panics
    /// As [`Self::logits`].
    #[must_use]
    pub fn features(&self, inputs: &[f32]) -> Vec<f32> {
        self.through(&self.layers[..self.layers.len() - 1], inputs)
    }

    fn through(&self, layers: &[Layer], inputs: &[f32]) -> Vec<f32> {
        let dim = self.input.dim();
        assert_eq!(inputs.len() % dim, 0, "inputs of {dim} numbers each");
        let mut pass = Pass::default();
        let outputs = layers.last().map_or(0, |layer| layer.output.len());
        let mut all = Vec::with_capacity(inputs.len() / dim * outputs);
        for batch in inputs.chunks(BATCH * dim) {
            all.extend_from_slice(pass.forward(layers, &self.parameters, batch, batch.len() / dim));
        }
        all
    }

    /// The class of the largest score, the first of equal ones, for every input.
    ///
    /// # Panics
    /// As [`Self::logits`].
    #[must_use]
    pub fn predict(&self, inputs: &[f32]) -> Vec<usize> {
        let largest = |scores: &[f32]| {
            (1..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best })
        };
        self.logits(inputs).chunks_exact(self.classes).map(largest).collect()
    }
}
