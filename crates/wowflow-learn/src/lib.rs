//! Classifiers, embeddings and augmentations; adaptation, transfer and distillation of datasets.
//!
//! Networks are few and fixed, so their layers are written out here on the matrix product of [`wowflow`]:
//! [`Architecture`] names them, [`Network`] has the parameters, [`Training`] finds them, [`accuracy`]
//! counts what they get right.

mod accuracy;
mod adamw;
mod architecture;
mod error;
mod examples;
mod layers;
mod loss;
mod network;
mod pass;
mod store;
mod training;

pub use accuracy::{Accuracy, accuracy};
pub use adamw::AdamW;
pub use architecture::{Architecture, Input};
pub use error::LearnError;
pub use examples::Examples;
pub use network::Network;
pub use training::{Length, TrainEnd, TrainProgress, Training};
