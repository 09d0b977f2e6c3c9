//! Classifiers, embeddings and augmentations; adaptation, transfer and distillation of datasets.

mod error;
mod examples;

pub use error::LearnError;
pub use examples::Examples;
