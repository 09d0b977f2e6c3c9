//! Figures and animations of wowflow runs.
//!
//! Two layers: pictures drawn from plain data ([`ImageGrid`], [`contact_sheet`], [`ScatterFlow`],
//! [`LineChart`]), which read and write no files and give a [`Picture`] or the bytes of a GIF; and
//! [`rundir`], the layout of a run directory, from which [`render`] makes the pictures of a run.

mod animation;
mod canvas;
mod chart;
mod error;
mod images;
mod palette;
mod picture;
mod project;
mod recording;
mod render;
pub mod rundir;
mod scatter;
mod ticks;

pub use chart::{AxisScale, LineChart, Series};
pub use error::ReportError;
pub use images::{ImageGrid, ImageRow, contact_sheet};
pub use picture::Picture;
pub use render::render;
pub use scatter::{ScatterFlow, ScatterPanel};
