//! Measures with weights: a measure over class measures, the form in which a dataset is moved.

mod dataset;
mod over;

pub use over::{MeasureError, MeasureOverMeasures};
