//! Layers: what they compute for a batch, and how gradients go back through them.
//!
//! A layer is a function of its input and its slice of the parameters; it keeps nothing. Going back it
//! takes the same input again and computes anew what it needs of it, which costs less than storing it.
//! A batch is `N` images one after another, each channel after channel. Work is cut by images, in parts
//! of a fixed size whose sums are added in order: the bits do not depend on threads.

mod activation;
mod convolution;
mod linear;
mod normalized;
pub(crate) mod pool;
mod winograd;

use wowflow::scalar::Scalar;

pub(crate) use convolution::Convolution;

/// Images that one task works on.
const PART: usize = 16;

/// Channels and size of an image between two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Shape {
    /// A row of numbers.
    pub(crate) fn row(len: usize) -> Self {
        Self { channels: len, height: 1, width: 1 }
    }

    /// Numbers of one image.
    pub(crate) fn len(self) -> usize {
        self.channels * self.plane()
    }

    /// Pixels of one channel.
    pub(crate) fn plane(self) -> usize {
        self.height * self.width
    }
}

/// What a layer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A convolution with biases.
    Convolution(Convolution),
    /// `W x + b`; a convolution whose kernel covers its input is one.
    Linear,
    /// `max(x, 0)`.
    Rectifier,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// Means of 2 x 2 pixels, side by side; a last odd row or column is left out.
    AveragePool,
    /// Maxima of 2 x 2 pixels at every place.
    MaxPool,
    /// Instance norm with gain and bias a channel, rectifier and average pool in one.
    NormalizedPool,
}

/// A layer with its place in a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) kind: Kind,
    pub(crate) input: Shape,
    pub(crate) output: Shape,
    /// Its weights (or gains), then its biases, among the parameters of the network.
    pub(crate) weights: std::ops::Range<usize>,
    pub(crate) biases: std::ops::Range<usize>,
}

impl Layer {
    /// Numbers that each output is a sum over, for layers with weights; what initial weights are scaled by.
    pub(crate) fn fan_in(&self) -> usize {
        self.weights.len() / self.output.channels.max(1)
    }

    /// Outputs of a batch.
    ///
    /// # Panics
    /// Slices of other sizes than `batch` images ask for.
    pub(crate) fn forward<T: Scalar>(&self, parameters: &[T], batch: usize, input: &[T], output: &mut [T]) {
        assert_eq!(input.len(), batch * self.input.len(), "a batch of inputs");
        assert_eq!(output.len(), batch * self.output.len(), "a batch of outputs");
        let (weights, biases) = (&parameters[self.weights.clone()], &parameters[self.biases.clone()]);
        match self.kind {
            Kind::Convolution(of) => of.forward(self, weights, biases, input, output),
            Kind::Linear => linear::forward(weights, biases, batch, input, output),
            Kind::Rectifier => activation::rectifier(input, output),
            Kind::Sigmoid => activation::sigmoid(input, output),
            Kind::AveragePool => pool::average(self.input, input, output),
            Kind::MaxPool => pool::max(self.input, input, output),
            Kind::NormalizedPool => normalized::forward(self.input, weights, biases, input, output),
        }
    }

    /// The gradient with respect to the input, and that of the parameters added to `gradient`, each where
    /// it is asked for, from the one with respect to the output.
    ///
    /// # Panics
    /// As [`Self::forward`].
    pub(crate) fn backward<T: Scalar>(
        &self,
        parameters: &[T],
        batch: usize,
        (input, output): (&[T], &[T]),
        of_output: &[T],
        of_input: Option<&mut [T]>,
        gradient: Option<&mut [T]>,
    ) {
        assert_eq!(of_output.len(), batch * self.output.len(), "a batch of gradients");
        let (weights, biases) = (&parameters[self.weights.clone()], &parameters[self.biases.clone()]);
        let own = gradient.map(|all| {
            // Biases follow weights.
            all[self.weights.start..self.biases.end].split_at_mut(self.weights.len())
        });
        match self.kind {
            Kind::Convolution(of) => of.backward(self, weights, input, of_output, of_input, own),
            Kind::Linear => linear::backward(weights, batch, input, of_output, of_input, own),
            Kind::NormalizedPool => {
                normalized::backward(self.input, (weights, biases), input, of_output, of_input, own);
            }
            kind => {
                let Some(of_input) = of_input else { return };
                match kind {
                    Kind::Rectifier => activation::rectifier_back(output, of_output, of_input),
                    Kind::Sigmoid => activation::sigmoid_back(output, of_output, of_input),
                    Kind::AveragePool => pool::average_back(self.input, of_output, of_input),
                    _ => pool::max_back(self.input, input, of_output, of_input),
                }
            }
        }
    }
}

/// Adds sums of parts to a total, in order.
fn add_parts<T: Scalar>(total: &mut [T], parts: &[Vec<T>]) {
    for part in parts {
        total.iter_mut().zip(part).for_each(|(sum, value)| *sum += *value);
    }
}

#[cfg(test)]
mod tests;
