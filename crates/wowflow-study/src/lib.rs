//! Studies of labeled datasets: everything between what is asked and what is on disk.
//!
//! A study is asked for by plain values, watched and stopped through an [`Observer`], and leaves a folder with its
//! configuration, its provenance and its results, from which it goes on after an interruption or a crash. Nothing here
//! parses arguments, draws, prints, or reads the environment: programs, notebooks and services do, on top.

pub mod agreement;
pub mod barycenter;
pub mod distance;
mod error;
mod exact;
#[cfg(feature = "learn")]
pub mod experiment;
pub mod flow;
pub mod geodesic;
mod labeled;
mod observer;
pub mod record;
pub mod rings;
pub mod text;

pub use error::{Result, StudyError};
pub use exact::ExactSettings;
pub use observer::{Event, Observer, Unit};
