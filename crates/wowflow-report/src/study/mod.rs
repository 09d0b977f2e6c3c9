//! The pictures of studies, a file a study, from their records and results.

pub mod agreement;
pub mod distance;
#[cfg(feature = "learn")]
pub mod experiment;
pub mod flow;
mod recording;
pub mod rings;
