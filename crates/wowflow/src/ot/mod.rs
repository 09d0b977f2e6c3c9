//! Optimal transport: one-dimensional, sliced, exact, and between datasets.

pub mod bures;
pub mod entropic;
pub mod exact;
pub mod geometry;
pub mod labels;
pub mod one_d;
pub mod sliced;
pub mod sort;
pub mod wow;
