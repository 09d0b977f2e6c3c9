//! Measures with weights: a measure over class measures, the form in which a dataset is moved.

mod dataset;
mod over;
mod pair;

pub use over::{MeasureError, MeasureOverMeasures};
pub use pair::Pair;
