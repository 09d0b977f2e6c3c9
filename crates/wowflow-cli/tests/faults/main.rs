//! What must not be lost, be wrong in silence or panic: runs that are killed, stopped, short of disk, memory, threads or
//! files, started twice, and damaged.
//!
//! Cases are drawn from a seed. `WOWFLOW_FAULTS=1000` runs so many of each kind in place of a few, and
//! `WOWFLOW_FAULTS_SEED` draws others; each kind says how its cases ended.
#![cfg(target_os = "linux")]

mod chance;
mod damage;
mod disk;
mod kill;
mod limits;
#[cfg(feature = "learn")]
mod reproduce;
mod subject;
#[path = "../program/support.rs"]
#[expect(dead_code, reason = "the tests of the program need more of it")]
mod support;
mod together;
