//! Every reader on many damaged inputs: no panic, no hang, no more memory than promised, errors of one short line.
//!
//! An input follows from its format and its seed. `WOWFLOW_FUZZ_INPUTS=1000000 cargo test --release -p wowflow-study
//! --test fuzz npz` reads a million archives; a failure names the seed, with which `WOWFLOW_FUZZ_SEED` and one input
//! repeat it. The book says what is promised (`book/src/start.md`).
#![cfg(feature = "learn")]

mod arrays;
mod cifar;
mod harness;
mod images;
mod mutate;
mod pack;
mod records;
mod tables;
