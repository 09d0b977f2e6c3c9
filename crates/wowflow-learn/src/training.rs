//! Training: batches in a seeded order, one optimiser step each.

use std::ops::ControlFlow;

use wowflow::rng::{Purpose, Stream};

use crate::adamw::{AdamW, Moments};
use crate::error::LearnError;
use crate::examples::Examples;
use crate::loss::cross_entropy;
use crate::network::Network;
use crate::pass::Pass;

/// How long a training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many times through the examples.
    Epochs(u64),
    /// So many steps of the optimiser.
    Steps(u64),
}

/// How a network is trained: mean cross entropy of shuffled batches, the last one of an epoch smaller.
///
/// ```
/// use std::ops::ControlFlow;
/// use wowflow_learn::{Architecture, Examples, Input, Length, Network, Training, accuracy};
/// let points: Vec<f32> = (0..80).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
/// let labels = (0..40).map(|i| i % 2).collect();
/// let points = points.chunks(2).enumerate().flat_map(|(i, p)| [p[0], if i % 2 == 0 { 1.0 } else { -1.0 }]);
/// let examples = Examples::new(points.collect(), 2, labels, 2)?;
/// let mut network = Network::new(Architecture::Mlp, Input::Vector(2), 2, 0)?;
/// let training = Training { length: Length::Epochs(60), ..Training::default() };
/// training.run(&mut network, &examples, |_| ControlFlow::Continue(()))?;
/// assert_eq!(accuracy(&network, &examples).share(), 1.0);
/// # Ok::<(), wowflow_learn::LearnError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// How long.
    pub length: Length,
    /// Examples a step.
    pub batch: usize,
    /// The optimiser.
    pub optimiser: AdamW,
    /// Seed of the order of the examples.
    pub seed: u64,
}

impl Default for Training {
    /// 50 epochs in batches of 64 with the published optimiser.
    fn default() -> Self {
        Self { length: Length::Epochs(50), batch: 64, optimiser: AdamW::default(), seed: 0 }
    }
}

/// Where a training stands, after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainProgress {
    /// Steps taken.
    pub step: u64,
    /// Steps of the whole training.
    pub steps: u64,
    /// Mean cross entropy of the step's batch, before the step.
    pub loss: f64,
}

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainEnd {
    /// All steps were taken.
    Finished,
    /// The observer asked for it.
    Interrupted,
}

impl Training {
    /// Number of steps on so many examples.
    #[must_use]
    pub fn steps(&self, examples: usize) -> u64 {
        match self.length {
            Length::Steps(steps) => steps,
            Length::Epochs(epochs) => epochs.saturating_mul(examples.div_ceil(self.batch.max(1)) as u64),
        }
    }

    /// Trains a network; the same seed gives the same parameters on any number of threads.
    ///
    /// # Errors
    /// Examples of another dimension or number of classes, batches of none, and a loss that is no longer
    /// a number.
    pub fn run(
        &self,
        network: &mut Network,
        examples: &Examples,
        mut observe: impl FnMut(&TrainProgress) -> ControlFlow<()>,
    ) -> Result<TrainEnd, LearnError> {
        let (dim, classes) = (examples.dim(), examples.classes());
        if dim != network.input().dim() || classes != network.classes() {
            let found = format!("{dim} numbers a sample and {classes} classes");
            let expected = format!("{} and {} classes", network.input(), network.classes());
            return Err(LearnError::Examples { expected, found });
        }
        if self.batch == 0 {
            return Err(LearnError::EmptyBatch);
        }
        let steps = self.steps(examples.len());
        let mut moments = Moments::new(network.parameter_count());
        let mut gradient = vec![0.0f32; network.parameter_count()];
        let (mut inputs, mut labels, mut of_scores) = (Vec::new(), Vec::new(), Vec::new());
        let mut pass = Pass::default();
        let mut order: Vec<usize> = Vec::new();
        let (mut step, mut epoch) = (0, 0);
        while step < steps {
            if order.is_empty() {
                let stream = Stream::new(self.seed, Purpose::Shuffle, epoch);
                order = stream.reader().sample(examples.len(), examples.len());
                epoch += 1;
            }
            let batch = order.split_off(order.len() - self.batch.min(order.len()));
            inputs.clear();
            labels.clear();
            for &row in &batch {
                inputs.extend_from_slice(&examples.inputs()[row * dim..(row + 1) * dim]);
                labels.push(examples.labels()[row]);
            }
            let scores = pass.forward(network.layers(), network.parameters(), &inputs, batch.len());
            of_scores.resize(scores.len(), 0.0);
            let loss = cross_entropy(scores, &labels, &mut of_scores);
            if !loss.is_finite() {
                return Err(LearnError::Diverged { step });
            }
            gradient.fill(0.0);
            let (layers, parameters) = (network.layers(), network.parameters());
            pass.backward(layers, parameters, &inputs, &of_scores, Some(&mut gradient), None);
            self.optimiser.step(network.parameters_mut(), &gradient, &mut moments);
            step += 1;
            if observe(&TrainProgress { step, steps, loss }).is_break() {
                return Ok(TrainEnd::Interrupted);
            }
        }
        // What the last step did, no loss has seen.
        match network.parameters().iter().all(|value| value.is_finite()) {
            true => Ok(TrainEnd::Finished),
            false => Err(LearnError::Diverged { step }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::accuracy;
    use crate::architecture::{Architecture, Input};
    use wowflow::dataset::ImageShape;

    /// Bars that stand or lie, in noise: more than one part of a batch, and a last batch that is smaller.
    fn bars(count: usize, seed: u64) -> Examples {
        let stream = Stream::new(seed, Purpose::Test, 0);
        let mut reader = stream.reader();
        let (mut inputs, mut labels) = (Vec::new(), Vec::new());
        for i in 0..count {
            let at = reader.below(12);
            let bar = |row: usize, col: usize| if i % 2 == 0 { row == at } else { col == at };
            for pixel in 0..144 {
                let light = f32::from(u8::from(bar(pixel / 12, pixel % 12)));
                inputs.push(light + 0.3 * reader.normal() as f32);
            }
            labels.push(i % 2);
        }
        Examples::new(inputs, 144, labels, 2).unwrap()
    }

    fn trained(threads: usize) -> Network {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let input = Input::Image(ImageShape { width: 12, height: 12, channels: 1 });
        let mut network = Network::new(Architecture::ConvNet, input, 2, 3).unwrap();
        let training = Training { length: Length::Epochs(3), seed: 5, ..Training::default() };
        let mut losses = Vec::new();
        let end = pool.install(|| {
            training.run(&mut network, &bars(100, 1), |at| {
                losses.push((at.step, at.steps));
                ControlFlow::Continue(())
            })
        });
        assert_eq!((end, losses.last()), (Ok(TrainEnd::Finished), Some(&(6, 6))));
        network
    }

    #[test]
    fn threads_do_not_change_the_bits_and_bars_are_told_apart() {
        let network = trained(1);
        assert!(network == trained(2) && network == trained(3));
        let found = accuracy(&network, &bars(301, 2));
        assert!(found.total == 301 && found.share() > 0.85, "{found:?}");
    }

    #[test]
    fn what_cannot_be_trained_is_refused() {
        let input = Input::Image(ImageShape { width: 12, height: 12, channels: 1 });
        let mut network = Network::new(Architecture::ConvNet, input, 3, 3).unwrap();
        let training = Training { length: Length::Steps(2), ..Training::default() };
        let go = |_: &TrainProgress| ControlFlow::Continue(());
        let error = training.run(&mut network, &bars(4, 1), go).unwrap_err();
        assert!(error.to_string().contains("144 numbers a sample and 2 classes"), "{error}");
        let mut network = Network::new(Architecture::ConvNet, input, 2, 3).unwrap();
        let none = Training { batch: 0, ..training };
        assert_eq!(none.run(&mut network, &bars(4, 1), go), Err(LearnError::EmptyBatch));
        let far = Training { optimiser: AdamW { rate: f64::MAX, ..AdamW::default() }, ..training };
        assert_eq!(far.run(&mut network, &bars(4, 1), go), Err(LearnError::Diverged { step: 1 }));
        let mut network = Network::new(Architecture::Mlp, Input::Vector(144), 2, 3).unwrap();
        let stop = |_: &TrainProgress| ControlFlow::Break(());
        assert_eq!(training.run(&mut network, &bars(1, 1), stop), Ok(TrainEnd::Interrupted));
    }
}
