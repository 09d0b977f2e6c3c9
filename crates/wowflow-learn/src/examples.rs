//! What networks learn from: samples in single precision with the numbers of their classes.

use crate::error::LearnError;

/// Samples with class numbers, validated once.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    inputs: Vec<f32>,
    labels: Vec<usize>,
    dim: usize,
    classes: usize,
}

impl Examples {
    /// Samples (`N x dim`, row-major; images channel after channel) with labels below `classes`.
    ///
    /// # Errors
    /// No samples, another number of coordinates, or labels out of range.
    pub fn new(inputs: Vec<f32>, dim: usize, labels: Vec<usize>, classes: usize) -> Result<Self, LearnError> {
        if labels.is_empty() {
            return Err(LearnError::NoExamples);
        }
        let expected = labels.len() * dim;
        if inputs.len() != expected {
            return Err(LearnError::ExampleCount { expected, examples: labels.len(), found: inputs.len() });
        }
        if let Some(&found) = labels.iter().find(|label| **label >= classes) {
            return Err(LearnError::Label { classes, found });
        }
        Ok(Self { inputs, labels, dim, classes })
    }

    /// Number of examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Never: examples hold at least one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Coordinates of all samples, `N x dim`, row-major.
    #[must_use]
    pub fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// Class numbers.
    #[must_use]
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Coordinates of a sample.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of classes, whether or not each has an example.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// These examples followed by others of the same dimension and classes.
    ///
    /// # Panics
    /// Another dimension or number of classes.
    #[must_use]
    pub fn with(mut self, others: &Self) -> Self {
        assert_eq!((self.dim, self.classes), (others.dim, others.classes), "examples of one kind");
        self.inputs.extend_from_slice(&others.inputs);
        self.labels.extend_from_slice(&others.labels);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(Examples::new(vec![], 2, vec![], 3), Err(LearnError::NoExamples));
        let count = LearnError::ExampleCount { expected: 4, examples: 2, found: 3 };
        assert_eq!(Examples::new(vec![0.0; 3], 2, vec![0, 1], 3), Err(count));
        let label = LearnError::Label { classes: 3, found: 3 };
        assert_eq!(Examples::new(vec![0.0; 4], 2, vec![0, 3], 3), Err(label));
        let one = Examples::new(vec![0.0; 2], 2, vec![0], 3).unwrap();
        assert_eq!(one.clone().with(&one).labels(), &[0, 0]);
    }
}
