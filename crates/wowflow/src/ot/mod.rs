//! Optimal transport: one-dimensional, sliced, exact, and between datasets.

pub mod exact;
pub mod one_d;
