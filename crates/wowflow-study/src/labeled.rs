//! Moved samples as a dataset: with the labels of the target, and where each came from.

use std::path::Path;

use wowflow::dataset::{Label, LabeledDataset};
use wowflow::measure::MeasureOverMeasures;
use wowflow_data::npy::NpyArray;
use wowflow_data::write_npz_dataset;

use crate::error::Result;
use crate::record::NpyScalar;

/// Writes moved samples with the labels of their target classes, with the label they had as `y_source` and further
/// arrays beside.
pub(crate) fn write_flowed<T: NpyScalar>(
    path: &Path,
    (source, target): (&LabeledDataset, &LabeledDataset),
    flowed: &MeasureOverMeasures<T>,
    target_of: &[usize],
    extra: &[(&str, &NpyArray)],
) -> Result<()> {
    let labels: Vec<Label> = target_of.iter().map(|&class| target.classes()[class].clone()).collect();
    let mut result = flowed.to_dataset(&labels)?;
    if let Some(shape) = source.image_shape().or_else(|| target.image_shape()) {
        result = result.with_image_shape(shape)?;
    }
    let came_from: Vec<String> =
        flowed.class_of().into_iter().map(|class| source.classes()[class].to_string()).collect();
    let came_from = NpyArray::text(vec![came_from.len()], came_from);
    write_npz_dataset(path, &result, &[&[("y_source", &came_from)], extra].concat())?;
    Ok(())
}
