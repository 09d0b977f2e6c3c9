//! Labeled datasets as measures over measures, and the flows that move one into another.
//!
//! A dataset is `P = sum_c w_c delta_{mu_c}` in P(P(R^d)): a measure over its class measures.
//! This crate is pure mathematics: no files, clock, environment or global randomness.

pub mod dataset;
pub mod directions;
pub mod flow;
pub mod functional;
pub mod kernel;
pub mod linalg;
pub mod measure;
pub mod ot;
pub mod rng;
pub mod scalar;
