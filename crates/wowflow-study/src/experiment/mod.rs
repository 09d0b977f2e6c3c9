//! Experiments with classifiers: what a method that moves one dataset to another is good for, in rows, methods and
//! trials, run, recorded and put into tables.
//!
//! An [`ExperimentConfig`] is read from a TOML file, is one of those that come with this crate ([`NamedExperiment`]),
//! or is put together from plain values ([`TransferRequest`], [`AdaptRequest`], [`DistillRequest`]). [`start`] and
//! [`resume`] run one in a folder of its own, [`grow`] adds to one whose rows and methods may become more. Every
//! finished repetition is on disk before the next begins, with a checksum of the settings behind it.
//!
//! ```
//! use wowflow_study::experiment::{Ended, MethodKind, TransferRequest, start};
//! use wowflow_study::record::Program;
//! let request = TransferRequest {
//!     methods: vec![MethodKind::TargetOnly, MethodKind::Geodesic],
//!     epochs: 2,
//!     runs_per_trial: 1,
//!     ..TransferRequest::new("gaussians:9", "gaussians:3")
//! };
//! let folder = tempfile::tempdir()?;
//! let ended = start(&request.config()?, &folder.path().join("run"), &Program::default(), &())?;
//! let Ended::Finished(results) = ended else { panic!("nobody stopped it") };
//! assert_eq!(results.outcome.cells.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accuracy_curve;
mod config;
mod known;
mod log;
mod method;
mod methods;
mod names;
mod outcome;
mod published;
mod repetition;
mod request;
mod results;
mod run;
mod samples;
mod session;
mod stored;
mod table;
mod trial;

pub use accuracy_curve::{Curve, Reach};
pub use config::{ExperimentConfig, Quick};
pub use known::{NamedExperiment, Version, known};
pub use log::Outdated;
pub use method::{Embed, MethodConfig};
pub use names::{MethodKind, Preset, TargetSpread, Task};
pub use outcome::{Cell, Difference, Outcome, Versus};
pub use published::{Published, PublishedCurve};
pub use repetition::{CurvePoint, DataSum, Repetition};
pub use request::{
    AdaptRequest, DISTILLING_BATCH, DISTILLING_EPOCHS, DISTILLING_RUNS, DistillRequest, ENLARGED, LOOK_EVERY,
    PER_CLASS, TRAINING_STEPS, TRANSFER_EPOCHS, TRANSFER_RUNS, TRIALS, TransferRequest,
};
pub use results::Results;
pub use run::Filter;
pub use samples::{SampleFile, sample_files};
pub use session::{Ended, Growth, grow, resume, start, stored};
pub use stored::Template;
pub use wowflow_learn::{Architecture, AugmentationSet};
