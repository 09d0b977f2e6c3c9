//! What one step does: a scheme turns a velocity into a move of the particles.

mod adam;
mod lbfgs;
mod momentum;
mod tangent;

use super::schedule::{Decay, ScheduleError};
use super::state::FlowState;
use crate::scalar::Scalar;

pub(super) use tangent::Tangent;

/// A scheme with checked parameters. Each is explicit: one evaluation of the functional a step.
///
/// `v` is the WoW gradient at `x`, `tau` its step size; vectors are measured in
/// the tangent space, `<u, v> = sum_c w_c sum_i a_{c,i} u_{c,i} . v_{c,i}`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Kind", into = "Kind"))]
pub struct Scheme(Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "name", rename_all = "kebab-case"))]
enum Kind {
    HeavyBall { momentum: f64, momentum_schedule: Decay },
    Nesterov { momentum: f64, momentum_schedule: Decay },
    Adam { first_moment: f64, second_moment: f64 },
    Lbfgs { pairs: usize },
}

/// A scheme by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SchemeName {
    /// [`Scheme::heavy_ball`].
    #[default]
    HeavyBall,
    /// [`Scheme::nesterov`].
    Nesterov,
    /// [`Scheme::adam`].
    Adam,
    /// [`Scheme::lbfgs`].
    Lbfgs,
}

crate::named!(SchemeName, "scheme", {
    HeavyBall = "heavy-ball": "Velocities accumulate: u <- v + m u, x <- x - tau u.",
    Nesterov = "nesterov": "The same, looking one step ahead.",
    Adam = "adam": "Steps of one length a coordinate, whatever the force.",
    Lbfgs = "lbfgs": "Quasi-Newton with backtracking, on directions drawn once.",
});

/// Stored schemes are checked as new ones are.
#[cfg(feature = "serde")]
impl TryFrom<Kind> for Scheme {
    type Error = ScheduleError;

    fn try_from(kind: Kind) -> Result<Self, ScheduleError> {
        match kind {
            Kind::HeavyBall { momentum, momentum_schedule } => Self::heavy_ball(momentum, momentum_schedule),
            Kind::Nesterov { momentum, momentum_schedule } => Self::nesterov(momentum, momentum_schedule),
            Kind::Adam { first_moment, second_moment } => Self::adam(first_moment, second_moment),
            Kind::Lbfgs { pairs } => Self::lbfgs(pairs),
        }
    }
}

#[cfg(feature = "serde")]
impl From<Scheme> for Kind {
    fn from(scheme: Scheme) -> Self {
        scheme.0
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// The particles moved, or wait for momentum to build up.
    Taken,
    /// No step along the velocity lowers the functional any more.
    Stuck,
}

impl Scheme {
    /// Explicit Euler with heavy-ball momentum (Polyak 1964): `u <- v + m u`, `x <- x - tau u`.
    ///
    /// A momentum `m` multiplies the effective step by `1 / (1 - m)`; `m = 0` is plain WoW gradient
    /// descent (deck section "WoW Gradient Descent"). A momentum that decays over the run carries the
    /// flow through flat country at first, and lets it settle at the end.
    ///
    /// # Errors
    /// A momentum outside [0, 1).
    pub fn heavy_ball(momentum: f64, decay: Decay) -> Result<Self, ScheduleError> {
        let momentum = below_one("momentum", momentum)?;
        Ok(Self(Kind::HeavyBall { momentum, momentum_schedule: decay }))
    }

    /// Nesterov's momentum, with the velocity taken at the point looked ahead to:
    /// `u <- v + m u`, `x <- x - tau (v + m u)` (Sutskever, Martens, Dahl, Hinton 2013).
    ///
    /// # Errors
    /// A momentum outside [0, 1).
    pub fn nesterov(momentum: f64, decay: Decay) -> Result<Self, ScheduleError> {
        let momentum = below_one("momentum", momentum)?;
        Ok(Self(Kind::Nesterov { momentum, momentum_schedule: decay }))
    }

    /// Adam (Kingma and Ba 2015): every coordinate moves by about `tau` in units of length, whatever
    /// the size of the force. `first` and `second` are the decays of the moments, by custom 0.9 and
    /// 0.999.
    ///
    /// # Errors
    /// A decay outside [0, 1).
    pub fn adam(first: f64, second: f64) -> Result<Self, ScheduleError> {
        let first_moment = below_one("decay of the first moment", first)?;
        let second_moment = below_one("decay of the second moment", second)?;
        Ok(Self(Kind::Adam { first_moment, second_moment }))
    }

    /// L-BFGS (Liu and Nocedal 1989) with the last `pairs` changes of the velocity and backtracking;
    /// step sizes `tau` are its first guess of the inverse curvature. For functionals that are the same
    /// at every step: on fresh directions, changes of the velocity say nothing about curvature.
    ///
    /// # Errors
    /// No pairs.
    pub fn lbfgs(pairs: usize) -> Result<Self, ScheduleError> {
        if pairs == 0 {
            return Err(ScheduleError { parameter: "pairs", expected: "at least 1", found: 0.0 });
        }
        Ok(Self(Kind::Lbfgs { pairs }))
    }

    /// Whether a step is a length, whatever the velocity, rather than what a velocity is multiplied by.
    pub(super) fn steps_are_lengths(&self) -> bool {
        matches!(self.0, Kind::Adam { .. })
    }

    /// What the scheme is called.
    #[must_use]
    pub fn name(&self) -> SchemeName {
        match self.0 {
            Kind::HeavyBall { .. } => SchemeName::HeavyBall,
            Kind::Nesterov { .. } => SchemeName::Nesterov,
            Kind::Adam { .. } => SchemeName::Adam,
            Kind::Lbfgs { .. } => SchemeName::Lbfgs,
        }
    }

    /// Whether a state is a trial that the scheme will take back.
    pub(super) fn climbed<T: Scalar>(&self, state: &FlowState<T>, value: f64) -> bool {
        matches!(self.0, Kind::Lbfgs { .. }) && lbfgs::climbed(&state.memory, value)
    }

    /// Takes a trial that climbed back to where it came from.
    pub(super) fn retreat<T: Scalar>(&self, state: &mut FlowState<T>) {
        lbfgs::retreat(state.particles.points_mut(), &mut state.memory);
    }

    /// Takes one step from a state along its velocity, the share `left` of the run still to come.
    pub(super) fn advance<T: Scalar>(
        &self,
        state: &mut FlowState<T>,
        left: f64,
        value: f64,
        velocity: &[T],
        tangent: &Tangent<'_>,
    ) -> Move {
        let FlowState { particles, memory, step, .. } = state;
        let points = particles.points_mut();
        let outcome = match self.0 {
            Kind::HeavyBall { momentum, momentum_schedule: decay } => {
                momentum::heavy_ball(momentum * decay.share(left), points, memory, velocity, tangent)
            }
            Kind::Nesterov { momentum, momentum_schedule: decay } => {
                momentum::nesterov(momentum * decay.share(left), points, memory, velocity, tangent)
            }
            Kind::Adam { first_moment, second_moment } => {
                adam::step((first_moment, second_moment), *step, points, memory, velocity, tangent)
            }
            Kind::Lbfgs { pairs } => lbfgs::step(pairs, points, memory, value, velocity, tangent),
        };
        *step += 1;
        outcome
    }
}

fn below_one(parameter: &'static str, found: f64) -> Result<f64, ScheduleError> {
    if (0.0..1.0).contains(&found) {
        Ok(found)
    } else {
        Err(ScheduleError { parameter, expected: "at least 0 and below 1", found })
    }
}
