//! Measures with weights: a measure over class measures, the form in which a dataset is moved.

mod dataset;
mod over;
mod pair;
mod units;

pub use over::{MeasureError, MeasureOverMeasures};
pub use pair::Pair;
pub use units::Units;
