//! The geodesic between two datasets: the shortest way from one into the other, solved, checked and written.
//!
//! [`solve`] loads two datasets and couples their classes and samples by exact transport; a [`Problem`] does so with
//! datasets from memory. The [`Solution`] knows `W_{W2}^2`, the dataset at any time and whether the way is the only
//! one; [`Solution::write`] leaves a folder with all of it (`book/src/mathematics.md`, "Geometry").
//!
//! ```
//! use wowflow_study::geodesic::{Request, solve};
//! use wowflow_study::record::Program;
//! let way = solve(&Request::new("rings:source:6", "rings:6"), &Program::default(), &())?;
//! assert!(way.summary().constant_speed.as_ref().is_some_and(|speed| speed.worst < 1e-12));
//! let halfway = way.at(0.5)?;
//! assert_eq!(halfway.dataset.class_count(), 3);
//! # Ok::<(), wowflow_study::StudyError>(())
//! ```

mod config;
mod moves;
mod problem;
mod solution;
mod summary;
mod times;

pub use config::{Config, Request, Settings};
pub use moves::{ClassMoves, Move, Ways};
pub use problem::Problem;
pub use solution::{Interpolated, Solution};
pub use summary::{EndPoints, PairOfClasses, Segment, Speed, Summary, Unique, Written};
pub use times::Times;

pub use crate::labeled::Origins;

use crate::error::Result;
use crate::observer::{Observer, note};
use crate::record::Program;

/// Loads two datasets and solves the transport between them.
///
/// # Errors
/// As [`Problem::load`] and [`Problem::solve`].
pub fn solve(request: &Request, program: &Program, observer: &dyn Observer) -> Result<Solution> {
    let problem = Problem::load(request, program)?;
    for data in [problem.source(), problem.target()] {
        note(observer, &data.description);
    }
    problem.solve(observer)
}
