//! What studies came to, in lines for people, a file a study.

pub(crate) mod barycenter;
pub(crate) mod distance;
#[cfg(feature = "learn")]
pub(crate) mod experiment;
pub(crate) mod flow;
pub(crate) mod geodesic;
