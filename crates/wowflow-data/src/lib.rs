//! Labeled datasets from files, from named collections, from generators, and their download.

pub mod atomic;
pub mod error;
pub mod generate;
pub mod npy;

mod bounded;

pub use error::DataError;
