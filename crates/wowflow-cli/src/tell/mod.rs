//! What studies find, told to people and drawn for them: a file a study.

#[cfg(feature = "learn")]
pub(crate) mod experiment;
