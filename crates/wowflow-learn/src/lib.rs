//! Classifiers, embeddings and augmentations; adaptation, transfer and distillation of datasets.
//!
//! Networks are few and fixed, so their layers are written out here on the matrix product of [`wowflow`]:
//! [`Architecture`] names them, [`Network`] has the parameters, [`Training`] finds them, [`accuracy()`]
//! counts what they get right. A [`Mover`] moves a source dataset to a target; what that is good for is asked
//! by [`Evaluation`] (transfer) and [`accuracy_along`] (adaptation).

mod accuracy;
mod adamw;
mod adapt;
mod architecture;
mod augment;
mod distill;
mod embedding;
mod error;
mod examples;
mod layers;
mod loss;
mod mover;
mod network;
mod pass;
mod seeds;
mod simd;
mod store;
mod training;
mod transfer;

pub use accuracy::{Accuracy, accuracy};
pub use adamw::AdamW;
pub use adapt::{AdaptPoint, accuracy_along, accuracy_along_geodesic, seen};
pub use architecture::{Architecture, Input};
pub use augment::{Augment, Augmentation};
pub use distill::{Distiller, Map, Normalization, Restored, distill, rescaled};
pub use embedding::NetworkFeatures;
pub use error::LearnError;
pub use examples::Examples;
pub use mover::{MmdFlow, MoveProgress, Moved, Mover, matched};
pub use network::Network;
pub use seeds::subseed;
pub use training::{Length, TrainEnd, TrainProgress, Training};
pub use transfer::{Evaluation, examples_of, moved_examples};
