//! Which distances rank pairs of datasets as a reference does: an experiment from a file.

mod config;
mod draw;
mod keys;
mod outcome;
mod request;
mod session;
mod table;

pub use config::{Config, NamedMethod, PairRule, SameSet};
pub use draw::Made;
pub use outcome::{Against, Found, MethodOutcome, PairRecord, best, values};
pub use request::Request;
pub use session::{Finished, Outcome, resume, start};
