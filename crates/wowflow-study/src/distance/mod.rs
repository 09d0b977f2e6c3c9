//! How far apart datasets are: two of them, or many two by two.
//!
//! ```
//! use wowflow_study::distance::{Request, compare_pair};
//! use wowflow_study::record::Program;
//! let names = ["rings:source:20", "rings:20"];
//! let found = compare_pair(names, &Request::default(), &Program::default(), &())?;
//! assert!(found.value > 0.0 && found.distance == "W_W2");
//! # Ok::<(), wowflow_study::StudyError>(())
//! ```

mod config;
pub(crate) mod data;
mod pair;
mod pairwise;

pub use config::{Config, Request};
pub use data::Counts;
pub use pair::{Classes, Compared, Seconds, compare_pair, compare_prepared};
pub use pairwise::{Finished, Outcome, PairRecord, Summary, resume, start};
