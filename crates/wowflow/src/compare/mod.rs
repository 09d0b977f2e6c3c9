//! Distances between labeled datasets.

pub mod otdd;
