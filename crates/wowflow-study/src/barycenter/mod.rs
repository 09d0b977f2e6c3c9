//! The barycenter of several datasets: the dataset nearest to all of them, iterated, bounded from below and written.
//!
//! [`solve`] loads the datasets and iterates; a [`Problem`] does so with datasets from memory. The [`Solution`] knows
//! the objective at every step and a bound that nothing gets below; [`Solution::write`] leaves a folder with all of it
//! (`book/src/mathematics.md`, "Geometry").
//!
//! ```
//! use wowflow_study::barycenter::{Request, solve};
//! use wowflow_study::record::Program;
//! let mean = solve(&Request::new(["rings:6", "moons:6"]), &Program::default(), &())?;
//! assert!(mean.barycenter().objective() >= mean.barycenter().lower_bound);
//! assert_eq!(mean.dataset().dim(), 2);
//! # Ok::<(), wowflow_study::StudyError>(())
//! ```

mod config;
mod problem;
mod solution;
mod steps;
mod summary;
mod written;

pub use config::{Config, Request, Settings};
pub use problem::Problem;
pub use solution::Solution;
pub use steps::Step;
pub use summary::{Class, Coupling, PairOfClasses, Summary};

use crate::error::Result;
use crate::observer::{Observer, note};
use crate::record::Program;

/// Loads datasets and iterates to their barycenter; an observer that asks to stop gets what is reached.
///
/// # Errors
/// As [`Problem::load`] and [`Problem::solve`].
pub fn solve(request: &Request, program: &Program, observer: &dyn Observer) -> Result<Solution> {
    let problem = Problem::load(request, program)?;
    for data in problem.datasets() {
        note(observer, &data.description);
    }
    problem.solve(observer)
}
