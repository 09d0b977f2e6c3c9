//! The pictures of studies, a file a study, from their records and results.

pub mod agreement;
pub mod distance;
pub mod flow;
mod recording;
pub mod rings;
