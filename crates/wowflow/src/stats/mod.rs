//! Statistics of what is measured: estimates with errors, correlations, differences of means.

pub mod correlation;
pub mod estimate;
pub mod significance;
