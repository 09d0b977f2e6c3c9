//! Exact discrete optimal transport between small measures.
