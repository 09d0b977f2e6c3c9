//! What studies came to, in lines for people.

pub(crate) mod distance;
pub(crate) mod flow;
