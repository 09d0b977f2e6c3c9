//! Drives the built program from outside, and reads what it wrote.

mod agreement;
mod bad_input;
mod commands;
mod distance;
mod faults;
mod fetch;
mod flow;
mod geodesic;
#[cfg(feature = "learn")]
mod help;
mod kinds;
#[cfg(feature = "learn")]
mod learn;
mod library;
mod memory;
mod names;
mod outputs;
mod pairwise;
mod real_data;
#[cfg(feature = "learn")]
mod reproduce;
mod resume;
mod rows;
mod snapshot;
mod support;
mod units;
mod waiting;
#[cfg(not(feature = "learn"))]
mod without_learn;
