//! Experiments on agreement: pairs of datasets drawn by a rule, compared by many methods, ranked.

pub(crate) mod config;
pub(crate) mod draw;
pub(crate) mod figures;
pub(crate) mod file;
pub(crate) mod keys;
pub(crate) mod outcome;
pub(crate) mod table;
