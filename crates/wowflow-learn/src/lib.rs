//! Classifiers, embeddings and augmentations; adaptation, transfer and distillation of datasets.
//!
//! Networks are few and fixed, so their layers are written out here on the matrix product of [`wowflow`]:
//! [`Architecture`] names them, [`Network`] has the parameters, [`Training`] finds them, [`accuracy()`]
//! counts what they get right. A [`TransportMethod`] moves a source dataset to a target; what that is good for is
//! asked by [`Evaluation`] (transfer) and [`accuracy_along`] (adaptation).

mod accuracy;
mod adamw;
mod adapt;
mod architecture;
mod augment;
mod distill;
mod embedding;
mod error;
mod examples;
mod geodesic;
mod layers;
mod loss;
mod methods;
mod network;
mod pair;
mod pass;
mod seeds;
mod simd;
mod store;
mod training;
mod transfer;

pub use accuracy::{Accuracy, accuracy};
pub use adamw::AdamW;
pub use adapt::{AdaptPoint, accuracy_along, accuracy_along_geodesic, matched_accuracy};
pub use architecture::{Architecture, Input};
pub use augment::{Augment, Augmentation, AugmentationSet};
pub use distill::{
    Distiller, Map, Normalization, Restored, distill, in_short_steps, over_fresh_maps, rescaled,
};
pub use embedding::NetworkFeatures;
pub use error::LearnError;
pub use examples::Examples;
pub use geodesic::Geodesic;
pub use methods::{TransportMethod, TransportProgress, Transported};
pub use network::Network;
pub use pair::Pair;
pub use seeds::subseed;
pub use training::{Length, TrainEnd, TrainProgress, Training};
pub use transfer::{Evaluation, examples_of, transported_examples};
