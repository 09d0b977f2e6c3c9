//! The version of what is stored.

/// Version of the layout of run directories; every JSON file with a `schema` field names it.
pub const SCHEMA: u32 = 4;
