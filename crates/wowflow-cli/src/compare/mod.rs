//! Comparisons as the program runs them: methods, data, results, pictures.

pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod figures;
pub(crate) mod method;
pub(crate) mod outcome;
pub(crate) mod pairs;
