//! Networks as maps of samples into features, with gradients back to the samples.

use wowflow::functional::FeatureMap;
use wowflow::rng::{Purpose, Stream};

use crate::architecture::{Architecture, Input};
use crate::error::LearnError;
use crate::layers::Kind;
use crate::network::Network;
use crate::pass::Pass;

/// Samples that go through a network together.
const BATCH: usize = 64;

/// The layers of a network before its last: drawn anew every step, or fixed.
#[derive(Clone, Debug)]
pub struct NetworkFeatures {
    network: Network,
    /// The seed of fresh networks.
    fresh: Option<u64>,
    points: Vec<f32>,
    pass: Pass<f32>,
}

impl NetworkFeatures {
    /// A network with fresh random parameters at every draw.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn random(architecture: Architecture, input: Input, seed: u64) -> Result<Self, LearnError> {
        let network = Network::new(architecture, input, 1, seed)?;
        Ok(Self { network, fresh: Some(seed), points: Vec::new(), pass: Pass::default() })
    }

    /// The features of one network, trained or not.
    #[must_use]
    pub fn fixed(network: Network) -> Self {
        Self { network, fresh: None, points: Vec::new(), pass: Pass::default() }
    }

    /// Whether features tell samples of different length apart: those of layers that are normalised do not.
    #[must_use]
    pub fn sees_scale(&self) -> bool {
        self.network.layers().iter().all(|layer| layer.kind != Kind::NormalizedPool)
    }

    fn last(&self) -> usize {
        self.network.layers().len() - 1
    }
}

impl FeatureMap<f32> for NetworkFeatures {
    fn feature_dim(&self, _dim: usize) -> usize {
        self.network.layers()[self.last()].input.len()
    }

    fn draw(&mut self, draw: u64) {
        if let Some(seed) = self.fresh {
            self.network.draw(Stream::new(seed, Purpose::Parameters, draw));
        }
    }

    fn forward(&mut self, points: &[f32], dim: usize) -> Vec<f32> {
        assert_eq!(dim, self.network.input().dim(), "samples that the network takes");
        self.points.clear();
        self.points.extend_from_slice(points);
        let layers = &self.network.layers()[..self.last()];
        let mut features = Vec::new();
        for batch in points.chunks(BATCH * dim) {
            let found = self.pass.forward(layers, self.network.parameters(), batch, batch.len() / dim);
            features.extend_from_slice(found);
        }
        features
    }

    fn backward(&mut self, cotangents: &[f32]) -> Vec<f32> {
        let (dim, k) = (self.network.input().dim(), self.feature_dim(0));
        let layers = &self.network.layers()[..self.last()];
        let mut out = vec![0.0; self.points.len()];
        let batches = self.points.chunks(BATCH * dim).zip(cotangents.chunks(BATCH * k));
        for ((points, cotangents), out) in batches.zip(out.chunks_mut(BATCH * dim)) {
            // What the layers saw is computed anew: of all batches it would fill the memory.
            let parameters = self.network.parameters();
            self.pass.forward(layers, parameters, points, points.len() / dim);
            self.pass.backward(layers, parameters, points, cotangents, None, Some(out));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wowflow::dataset::ImageShape;

    #[test]
    fn only_layers_that_are_normalised_miss_the_scale() {
        let input = Input::Image(ImageShape { width: 28, height: 28, channels: 1 });
        for (of, sees) in
            [(Architecture::ConvNet, false), (Architecture::LeNet5, true), (Architecture::Mlp, true)]
        {
            let mut map = NetworkFeatures::fixed(Network::new(of, input, 2, 1).unwrap());
            assert_eq!(map.sees_scale(), sees, "{of}");
            // Far from the biases, features of images ten times as long are the same, or others.
            let long = |scale: f32| (0..784).map(|i| scale * ((i * 37) % 101) as f32).collect::<Vec<f32>>();
            let (one, ten) = (map.forward(&long(10.0), 784), map.forward(&long(100.0), 784));
            let size = one.iter().map(|x| x.abs()).fold(0.0, f32::max);
            let change = one.iter().zip(&ten).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
            assert_eq!(change > 0.05 * size, sees, "{of}: {change} of {size}");
        }
    }

    #[test]
    fn what_goes_back_is_the_transposed_derivative() {
        let input = Input::Image(ImageShape { width: 9, height: 9, channels: 1 });
        let mut map = NetworkFeatures::random(Architecture::ConvNet, input, 3).unwrap();
        let noise = |step: u64, len: usize, scale: f64| -> Vec<f32> {
            let mut values = vec![0.0; len];
            Stream::new(21, Purpose::Test, step).normals(0, &mut values);
            values.iter().map(|x| (scale * x) as f32).collect()
        };
        map.draw(4);
        // More than a batch.
        let (count, k) = (70, map.feature_dim(81));
        let (x, v, c) = (noise(1, count * 81, 1.0), noise(2, count * 81, 1e-3), noise(3, count * k, 1.0));
        let dot =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let mut at = |sign: f32| {
            let moved: Vec<f32> = x.iter().zip(&v).map(|(x, v)| x + sign * v).collect();
            dot(&map.forward(&moved, 81), &c)
        };
        let expected = (at(1.0) - at(-1.0)) / 2.0;
        map.forward(&x, 81);
        let found = dot(&map.backward(&c), &v);
        assert!((found - expected).abs() < 0.02 * expected.abs() + 1e-3, "{found} {expected}");
        // Another draw is another network, the same draw the same.
        let first = map.forward(&x[..81], 81);
        map.draw(5);
        assert_ne!(map.forward(&x[..81], 81), first);
        map.draw(4);
        assert_eq!(map.forward(&x[..81], 81), first);
    }
}
