//! Labeled datasets as measures over measures, and the flows that move one into another.
//!
//! A dataset is `P = sum_c w_c delta_{mu_c}` in P(P(R^d)): a measure over its class measures. It is
//! moved along the Wasserstein-over-Wasserstein (WoW) gradient of a functional, here half the squared
//! maximum mean discrepancy (MMD) to a target, with a kernel on the sliced-Wasserstein distance (SW).
//! This crate is pure mathematics: no files, clock, environment or global randomness.
//!
//! Start with the example in [`flow`]. In the order data takes: [`dataset`] (validated samples and
//! labels), [`measure`] (the same as measures), [`directions`] and [`ot`] (transport on the line,
//! sliced, exact, between datasets), [`kernel`], [`functional`] (value and velocity), [`flow`].
//! The formulas are stated in `book/src/mathematics.md` of the repository.

mod aligned;
pub mod auto;
pub mod compare;
pub mod dataset;
pub mod directions;
pub mod embedding;
pub mod flow;
pub mod functional;
mod instances;
pub mod kernel;
pub mod linalg;
pub mod measure;
pub mod name;
pub mod ot;
pub mod prelude;
pub mod rng;
pub mod scalar;
mod simd;
pub mod stats;
pub mod text;

#[doc(hidden)]
pub use instances::instances;

/// For [`named!`] in other crates.
#[cfg(feature = "serde")]
#[doc(hidden)]
pub use serde as __serde;
