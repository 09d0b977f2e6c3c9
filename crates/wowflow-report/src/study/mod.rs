//! The pictures of studies, a file a study, from their records and results.

pub mod agreement;
pub mod barycenter;
pub mod distance;
#[cfg(feature = "learn")]
pub mod experiment;
pub mod flow;
pub mod geodesic;
mod recording;
pub mod rings;

use wowflow::dataset::LabeledDataset;

/// A sample in single precision.
fn sample(data: &LabeledDataset, row: usize) -> Vec<f32> {
    data.row(row).into_iter().map(|value| value as f32).collect()
}

/// A sample in the plane.
fn point(data: &LabeledDataset, row: usize) -> [f32; 2] {
    let place = data.row(row);
    [place[0] as f32, place[1] as f32]
}

/// The values drawn black and white: pixels as they are, other data over the range they fill.
fn value_range<'a>(images: impl Iterator<Item = &'a [f32]>) -> (f32, f32) {
    let (low, high) =
        images.flatten().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    if low >= 0.0 && high <= 1.0 || low >= high { (0.0, 1.0) } else { (low, high) }
}
