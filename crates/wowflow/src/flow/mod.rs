//! The flow: a state moved along the velocity of a functional, step by step or to the end.
//!
//! The driver owns counting, stopping and observing; a [`Scheme`] writes one step; a
//! [`StepSchedule`] says how far. Observation 0 is the initial state, and a recorded loss belongs
//! to the recorded state.
//!
//! ```
//! use wowflow::directions::Slicing;
//! use wowflow::flow::{Decay, Flow, FlowState, Scheme, StepSchedule, StepSize, StopReason};
//! use wowflow::functional::{MmdSw, SlicingPlan};
//! use wowflow::kernel::{Kernel, Riesz};
//! use wowflow::measure::MeasureOverMeasures;
//! use std::ops::ControlFlow;
//!
//! let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0_f64], 2, &[2])?;
//! let q = MeasureOverMeasures::uniform(vec![3.0, 1.0, 4.0, 2.0], 2, &[2])?;
//! let plan = SlicingPlan { slicing: Slicing::Equispaced, count: 16, seed: 1 };
//! let mut mmd = MmdSw::new(&p, &q, Kernel::from(Riesz::new(1.0, 0.0)?), plan)?;
//!
//! let flow = Flow {
//!     scheme: Scheme::heavy_ball(0.5, Decay::Constant)?,
//!     schedule: StepSchedule::new(StepSize::Fixed(0.5), Decay::Linear, 200)?,
//!     settle: None,
//! };
//! let mut state = FlowState::new(p);
//! let mut losses = Vec::new();
//! let stop = flow.run(&mut state, &mut mmd, |record, _state| {
//!     losses.push(record.value);
//!     ControlFlow::Continue(())
//! });
//! assert_eq!(stop, StopReason::StepsDone);
//! assert_eq!(losses.len(), 201);
//! assert!(losses[200] < 1e-3 * losses[0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod driver;
mod near;
mod schedule;
mod scheme;
mod settings;
mod state;
mod stopping;
mod to;

pub use driver::{Flow, StepRecord, StopReason};
pub use near::Near;
pub use schedule::{Decay, ScheduleError, StepSchedule, StepSize};
pub use scheme::{Scheme, SchemeName};
pub use settings::{BatchSettings, Resolved, STEPS, Settings, SettingsError, StepRule};
pub use state::{FlowState, Memory, StateError};
pub use stopping::Settle;
pub use to::{EXACT_LIMIT, FlowError, Flowed, matched, to, to_observed};
