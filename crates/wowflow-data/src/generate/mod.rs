//! Synthetic datasets, each a pure function of its size and a seed.
