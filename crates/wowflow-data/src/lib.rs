//! Labeled datasets from files, from named collections, from generators, and their download.

pub mod generate;
