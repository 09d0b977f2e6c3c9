//! What most programs need: `use wowflow::prelude::*;`.
//!
//! ```
//! use wowflow::prelude::*;
//! let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 1.0, 0.0_f64], 2, &[1, 1])?;
//! let q = MeasureOverMeasures::uniform(vec![4.0, 1.0, 3.0, 1.0], 2, &[1, 1])?;
//! let flowed = flow::to(&p, &q, &Settings::default())?;
//! let left = compare(&flowed.particles, &q, &Method::Wow(Inner::Exact), 0)?;
//! assert!(left.value < 1e-3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use crate::auto::Auto;
pub use crate::compare::{Comparison, Inner, Method, compare};
pub use crate::dataset::{ImageShape, Label, LabeledDataset, Points, Precision};
pub use crate::directions::Slicing;
pub use crate::flow::{self, Flow, FlowState, Flowed, Settings, StepRecord, StopReason};
pub use crate::functional::Functional;
pub use crate::kernel::{Kernel, KernelName, KernelSettings};
pub use crate::measure::MeasureOverMeasures;
pub use crate::name::Named;
