//! Figures and animations of wowflow runs.
//!
//! Two layers: pictures drawn from plain data ([`ImageGrid`], [`contact_sheet`], [`ScatterFlow`],
//! [`LineChart`], [`DotPlot`], [`HeatMap`], [`PointMap`], [`Agreement`], [`InterpolationSheet`]), which read and
//! write no files and give a [`Picture`] or the bytes of a GIF; and [`study`], which makes the pictures of studies from
//! their records and results.

mod agreement;
mod animation;
mod canvas;
mod chart;
mod dashes;
mod dotplot;
mod error;
mod heatmap;
mod images;
mod interpolation;
mod labels;
mod legend;
mod letters;
mod palette;
mod picture;
mod pointmap;
mod project;
mod scatter;
pub mod study;
mod ticks;
mod values;

pub use agreement::{Agreement, AgreementPanel};
pub use chart::{AxisScale, LineChart, Series};
pub use dotplot::{Dot, DotPair, DotPanel, DotPlot};
pub use error::ReportError;
pub use heatmap::HeatMap;
pub use images::{ImageGrid, ImageRow, contact_sheet};
pub use interpolation::{InterpolationRow, InterpolationSheet};
pub use picture::Picture;
pub use pointmap::{MapPoint, PointMap};
pub use scatter::{ScatterFlow, ScatterPanel};
pub use wowflow_study::text::seconds;
