//! What studies find, as figures: a file a study.

#[cfg(feature = "learn")]
pub mod experiment;
