//! The geometry of the space of datasets: velocity plans, geodesics, barycenters.
//!
//! The space of measures over measures with the distance `W_{W2}` is geodesic and, as one level down,
//! positively curved. A tangent vector at a dataset `P` is a [`VelocityPlan`]: a velocity for every
//! particle, where a sample may split into several. [`VelocityPlan::log`] finds the optimal one from
//! `P` to `Q`; [`VelocityPlan::exp`] follows it; [`VelocityPlan::at`] is the geodesic.
//! [`constant_speed`] checks it, [`plan_uniqueness`] says whether there are others, [`barycenter()`]
//! averages several datasets (`book/src/mathematics.md`, "Geometry").

mod barycenter;
mod curve;
mod error;
mod plan;
mod speed;
mod unique;

pub(crate) use barycenter::iterate;
pub use barycenter::{Barycenter, BarycenterOptions, Iteration, Stop, barycenter, barycenter_observed};
pub use curve::{Interpolation, Origin};
pub use error::GeometryError;
pub use plan::{ClassPair, Particle, VelocityPlan};
pub use speed::{Segment, SpeedCheck, constant_speed};
pub use unique::{PlanUniqueness, TIGHT, Uniqueness, plan_uniqueness, uniqueness};
