//! The architectures: which layers, in which order, for which inputs.

use std::fmt;

use wowflow::dataset::ImageShape;
use wowflow::name::Named;

use crate::error::LearnError;
use crate::layers::{Convolution, Kind, Layer, Shape, pool};

/// A classifier's architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// LeNet-5 with a 1x1 first kernel (61,562 parameters for 28x28 grey images and ten classes):
    /// convolutions 1x1 to 6, 5x5 to 16, 5x5 to 120 channels with rectifiers and average pools, then
    /// linear to 84 and to the classes.
    LeNet5,
    /// A small network for domain adaptation (918,781 parameters): convolution 4x4 to 3 channels,
    /// maximum of 2x2 at every place, linear to 512, sigmoid, linear to 64, rectifier, linear.
    Cnn,
    /// Three blocks of a 3x3 convolution to 128 channels, instance norm, rectifier, average pool, then
    /// linear (317,706 parameters for grey, 320,010 for colour images of 32x32).
    ConvNet,
    /// Linear to 256, rectifier, linear to 64, rectifier, linear: for samples that are no images.
    Mlp,
}

wowflow::named!(Architecture, "network", {
    LeNet5 = "lenet5": "LeNet-5 with a 1x1 first kernel.",
    Cnn = "cnn": "The small CNN of the published domain adaptation.",
    ConvNet = "convnet": "Three blocks of 128 channels with instance norm.",
    Mlp = "mlp": "A multilayer perceptron.",
});

/// What a network takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Images, channel after channel.
    Image(ImageShape),
    /// Vectors of so many coordinates.
    Vector(usize),
}

impl Input {
    /// Number of coordinates of a sample.
    #[must_use]
    pub fn dim(self) -> usize {
        match self {
            Self::Image(shape) => shape.len(),
            Self::Vector(dim) => dim,
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(shape) => write!(f, "images of {shape}"),
            Self::Vector(dim) => write!(f, "vectors of {dim} numbers"),
        }
    }
}

impl Architecture {
    /// The layers for an input and a number of classes.
    pub(crate) fn layers(self, input: Input, classes: usize) -> Result<Vec<Layer>, LearnError> {
        let start = match (self, input) {
            (Self::Mlp, _) => Shape::row(input.dim()),
            (_, Input::Image(ImageShape { width, height, channels })) => Shape { channels, height, width },
            (_, Input::Vector(dim)) => {
                return Err(LearnError::NoImages { architecture: self.name(), dim });
            }
        };
        if classes == 0 || start.len() == 0 {
            return Err(LearnError::NoExamples);
        }
        let too_small = || LearnError::TooSmall { architecture: self.name(), found: input.to_string() };
        let mut stack = Stack { layers: Vec::new(), shape: start, parameters: 0 };
        match self {
            Self::LeNet5 => {
                for (kernel, channels) in [(1, 6), (5, 16), (5, 120)] {
                    stack.convolution(kernel, 0, channels).ok_or_else(too_small)?;
                    stack.same(Kind::Rectifier);
                    if channels < 120 {
                        stack.average_pool().ok_or_else(too_small)?;
                    }
                }
                stack.linear(84);
                stack.same(Kind::Rectifier);
            }
            Self::Cnn => {
                stack.convolution(4, 0, 3).ok_or_else(too_small)?;
                stack.max_pool().ok_or_else(too_small)?;
                stack.same(Kind::Rectifier);
                stack.linear(512);
                stack.same(Kind::Sigmoid);
                stack.linear(64);
                stack.same(Kind::Rectifier);
            }
            Self::ConvNet => {
                // 28 pixels are brought to 32, so that three halvings lose no row.
                let wide = start.height == 28 && start.width == 28;
                for block in 0..3 {
                    let padding = if block == 0 && wide { 3 } else { 1 };
                    stack.convolution(3, padding, 128).ok_or_else(too_small)?;
                    stack.normalized_pool().ok_or_else(too_small)?;
                }
            }
            Self::Mlp => {
                for width in [256, 64] {
                    stack.linear(width);
                    stack.same(Kind::Rectifier);
                }
            }
        }
        stack.linear(classes);
        Ok(stack.layers)
    }
}

/// Layers put on top of each other.
struct Stack {
    layers: Vec<Layer>,
    shape: Shape,
    parameters: usize,
}

impl Stack {
    fn push(&mut self, kind: Kind, output: Shape, weights: usize, biases: usize) {
        let middle = self.parameters + weights;
        let layer = Layer {
            kind,
            input: self.shape,
            output,
            weights: self.parameters..middle,
            biases: middle..middle + biases,
        };
        self.layers.push(layer);
        (self.shape, self.parameters) = (output, middle + biases);
    }

    fn same(&mut self, kind: Kind) {
        self.push(kind, self.shape, 0, 0);
    }

    fn linear(&mut self, width: usize) {
        let depth = self.shape.len();
        self.push(Kind::Linear, Shape::row(width), width * depth, width);
    }

    /// `None` where the kernel does not fit.
    fn convolution(&mut self, kernel: usize, padding: usize, channels: usize) -> Option<()> {
        let of = Convolution { kernel, padding };
        let output = of.output(self.shape, channels)?;
        let covers = padding == 0 && output.plane() == 1;
        let kind = if covers { Kind::Linear } else { Kind::Convolution(of) };
        self.push(kind, output, channels * self.shape.channels * kernel * kernel, channels);
        Some(())
    }

    fn average_pool(&mut self) -> Option<()> {
        let output = pool::averaged(self.shape);
        (output.plane() > 0).then(|| self.push(Kind::AveragePool, output, 0, 0))
    }

    fn max_pool(&mut self) -> Option<()> {
        let output = pool::maximal(self.shape);
        (output.plane() > 0).then(|| self.push(Kind::MaxPool, output, 0, 0))
    }

    fn normalized_pool(&mut self) -> Option<()> {
        let output = pool::averaged(self.shape);
        let channels = self.shape.channels;
        (output.plane() > 0).then(|| self.push(Kind::NormalizedPool, output, channels, channels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(side: usize) -> Input {
        Input::Image(ImageShape { width: side, height: side, channels: 1 })
    }

    fn count(architecture: Architecture, input: Input) -> usize {
        architecture.layers(input, 10).unwrap().last().unwrap().biases.end
    }

    #[test]
    fn architectures_have_the_published_numbers_of_parameters() {
        assert_eq!(count(Architecture::LeNet5, grey(28)), 61_562);
        assert_eq!(count(Architecture::Cnn, grey(28)), 918_781);
        assert_eq!(count(Architecture::ConvNet, grey(28)), 317_706);
        assert_eq!(count(Architecture::ConvNet, grey(32)), 317_706);
        let colour = Input::Image(ImageShape { width: 32, height: 32, channels: 3 });
        assert_eq!(count(Architecture::ConvNet, colour), 320_010);
        assert_eq!(count(Architecture::Mlp, Input::Vector(20)), 21 * 256 + 257 * 64 + 65 * 10);
    }

    #[test]
    fn inputs_that_do_not_fit_are_refused() {
        let too_small = Architecture::LeNet5.layers(grey(12), 10).unwrap_err();
        assert_eq!(too_small.to_string(), "expected larger images for lenet5, found images of 12x12x1");
        let vector = Architecture::Cnn.layers(Input::Vector(7), 10).unwrap_err();
        assert_eq!(
            vector.to_string(),
            "expected images for cnn, found vectors of 7 numbers: mlp takes those"
        );
        assert!(Architecture::ConvNet.layers(grey(8), 2).is_ok());
        assert!("lenet".parse::<Architecture>().is_err());
        assert_eq!("lenet5".parse(), Ok(Architecture::LeNet5));
    }
}
