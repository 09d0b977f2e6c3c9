//! Figures and animations of wowflow runs: drawing on plain data, and reading of run directories.

mod error;
pub mod rundir;

pub use error::ReportError;
