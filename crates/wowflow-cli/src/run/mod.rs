//! One flow as the program runs it: configuration, provenance, records, checkpoints, execution.

pub(crate) mod checkpoint;
pub(crate) mod config;
pub(crate) mod directory;
pub(crate) mod distance;
pub(crate) mod execute;
pub(crate) mod finish;
pub(crate) mod problem;
pub(crate) mod provenance;
pub(crate) mod recorder;
pub(crate) mod scheme;
