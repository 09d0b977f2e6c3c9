//! How many samples a network gets right.

use crate::examples::Examples;
use crate::network::Network;

/// Right predictions, counted sample by sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accuracy {
    /// Samples with the right class.
    pub correct: usize,
    /// Samples in all.
    pub total: usize,
}

impl Accuracy {
    /// The share of right predictions, in [0, 1].
    #[must_use]
    pub fn share(self) -> f64 {
        self.correct as f64 / self.total as f64
    }
}

/// How often a network names the class that an example has.
///
/// # Panics
/// Examples of another dimension than the network's.
#[must_use]
pub fn accuracy(network: &Network, examples: &Examples) -> Accuracy {
    let predicted = network.predict(examples.inputs());
    let correct = predicted.iter().zip(examples.labels()).filter(|(found, label)| found == label).count();
    Accuracy { correct, total: examples.len() }
}
