//! Comparisons as the program runs them: data, results, pictures.

pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod figures;
pub(crate) mod pairs;
