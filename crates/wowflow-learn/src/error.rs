//! Why something could not be learned.

use thiserror::Error;

/// Bad input to a network, a training or an application.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum LearnError {
    /// Images and labels do not fit together.
    #[error("expected {expected} numbers for {examples} examples, found {found}")]
    ExampleCount {
        /// Numbers expected.
        expected: usize,
        /// Examples, as many as there are labels.
        examples: usize,
        /// Numbers found.
        found: usize,
    },
    /// A label that names no class.
    #[error("expected labels below {classes}, found {found}")]
    Label {
        /// Number of classes.
        classes: usize,
        /// The label found.
        found: usize,
    },
    /// Nothing to learn from.
    #[error("expected at least one example, found none")]
    NoExamples,
}
