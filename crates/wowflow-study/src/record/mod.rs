//! What a study leaves on disk: the layout of its folder, who may write there, where its numbers come from, its log,
//! its checkpoints, and a session that starts, resumes and finishes.

mod attachment;
mod checkpoint;
mod directory;
mod json;
mod layout;
mod log;
mod metrics;
mod provenance;
mod schema;
mod seal;
mod session;

pub use crate::error::RecordError;
pub use attachment::Attachment;
pub use checkpoint::{Checkpoint, NpyScalar};
pub(crate) use checkpoint::{latest_checkpoint, remove_checkpoints_before, write_checkpoint};
pub use directory::{free_name, in_free_folder, refuse_existing};
pub use json::{write_bytes, write_json};
pub use layout::{RunDir, RunNames};
#[cfg(feature = "learn")]
pub(crate) use log::lines_of;
pub use log::{LineLog, read_lines};
pub use metrics::{
    ClassMatch, FrameUnits, FramesIndex, FunctionalRecord, MetricsRecord, Summary, read_metrics,
};
#[cfg(feature = "learn")]
pub(crate) use provenance::{PLATFORM, REVISION};
pub use provenance::{Program, Provenance, RunProvenance};
pub use schema::SCHEMA;
#[cfg(feature = "learn")]
pub(crate) use seal::read_sealed;
pub(crate) use seal::{Seal, Sealed, chained, file_sum, same, write_sealed};
pub(crate) use session::Held;
pub use session::{Config, Session, config_sha256};
