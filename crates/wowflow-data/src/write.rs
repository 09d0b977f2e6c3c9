//! Datasets written as `.npz` archives that read back equal.

use std::path::Path;

use wowflow::dataset::{Label, LabeledDataset, Points};

use crate::error::DataError;
use crate::npy::{NpyArray, write_npz};
use crate::read::{CLASS_WEIGHTS, IMAGE_SHAPE, SAMPLE_NAMES, SOURCE_ROW, WEIGHTS};

/// Writes a dataset, and any further arrays, as an `.npz` file, replacing a file of that name.
///
/// Arrays: `X` (n x d, in the precision it has), `y` (n, whole numbers or else strings), where
/// there are any `weights` (n), `class_weights` (C, classes in increasing order), `sample_names` (n)
/// and, for images, `image_shape` (channels, height, width): the order in which a row is stored, in
/// NumPy `X.reshape(n, *image_shape)`. Of samples that were drawn or ordered anew, `source_row` (n)
/// says in which row, counted from 0, they were ([`LabeledDataset::source_row`]). Reading the file
/// gives an equal dataset, whose rows are those of the file.
///
/// # Errors
/// A path that cannot be written, a further array named like one of these or named twice, or a
/// label that is text but reads as a number.
///
/// ```
/// use wowflow_data::{LoadOptions, load, write_npz_dataset};
/// let rings = load(&"rings".parse()?, &LoadOptions::default())?.dataset;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("rings.npz");
/// write_npz_dataset(&path, &rings, &[])?;
/// let again = load(&path.to_string_lossy().parse()?, &LoadOptions::default())?.dataset;
/// assert_eq!(again, rings);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_npz_dataset(
    path: impl AsRef<Path>,
    dataset: &LabeledDataset,
    extra: &[(&str, &NpyArray)],
) -> Result<(), DataError> {
    write_to(path.as_ref(), dataset, extra)
}

fn write_to(path: &Path, dataset: &LabeledDataset, extra: &[(&str, &NpyArray)]) -> Result<(), DataError> {
    let (n, dim) = (dataset.len(), dataset.dim());
    let points = match dataset.points() {
        Points::F32(values) => NpyArray::f32([n, dim], values.clone()),
        Points::F64(values) => NpyArray::f64([n, dim], values.clone()),
    };
    let labels = labels(dataset, path)?;
    let weights = dataset.sample_weights().map(|weights| NpyArray::f64([n], weights.to_vec()));
    let class_weights =
        dataset.class_weights().map(|weights| NpyArray::f64([weights.len()], weights.to_vec()));
    let shape = dataset.image_shape().map(|shape| {
        let extents = [shape.channels, shape.height, shape.width].map(|extent| extent as i64);
        NpyArray::i64([3], extents.to_vec())
    });
    let names = dataset.sample_names().map(|names| NpyArray::text([n], names.to_vec()));
    let rows = dataset
        .is_drawn()
        .then(|| NpyArray::i64([n], (0..n).map(|row| dataset.source_row(row) as i64).collect()));
    let own = [
        ("X", Some(&points)),
        ("y", Some(&labels)),
        (WEIGHTS, weights.as_ref()),
        (CLASS_WEIGHTS, class_weights.as_ref()),
        (IMAGE_SHAPE, shape.as_ref()),
        (SAMPLE_NAMES, names.as_ref()),
    ];
    // The reader tells names apart without regard to case.
    if let Some((name, _)) =
        extra.iter().find(|(name, _)| own.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)))
    {
        return Err(DataError::format(
            path,
            "further arrays not named like the dataset's own",
            format!("`{name}`"),
        ));
    }
    // Not read back: others may name their rows like this.
    let rows = rows.iter().map(|rows| (SOURCE_ROW, rows));
    let own = own.iter().filter_map(|&(name, array)| Some((name, array?))).chain(rows);
    write_npz(path, &own.chain(extra.iter().copied()).collect::<Vec<_>>())
}

fn labels(dataset: &LabeledDataset, file: &Path) -> Result<NpyArray, DataError> {
    let n = dataset.len();
    let rows = (0..n).map(|row| dataset.label(row));
    let whole: Option<Vec<i64>> = rows
        .clone()
        .map(|label| match label {
            Label::Int(value) => Some(*value),
            Label::Text(_) => None,
        })
        .collect();
    if let Some(whole) = whole {
        return Ok(NpyArray::i64([n], whole));
    }
    if let Some(label) = dataset.classes().iter().find(|label| Label::parse(&label.to_string()) != **label) {
        let found = format!("the text {:?}", label.to_string());
        return Err(DataError::format(file, "text labels that do not read as numbers", found));
    }
    Ok(NpyArray::text([n], rows.map(ToString::to_string).collect()))
}

#[cfg(test)]
mod tests {
    use wowflow::dataset::ImageShape;

    use super::*;
    use crate::load::{LoadOptions, load};

    fn round_trip(dataset: &LabeledDataset) -> LabeledDataset {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.npz");
        let extra = NpyArray::f64([2], vec![1.0, 2.0]);
        write_npz_dataset(&path, dataset, &[("x_initial", &extra)]).unwrap();
        let first = std::fs::read(&path).unwrap();
        write_npz_dataset(&path, dataset, &[("x_initial", &extra)]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first, "the same dataset gives the same bytes");
        load(&path.to_string_lossy().parse().unwrap(), &LoadOptions::default()).unwrap().dataset
    }

    #[test]
    fn everything_comes_back() {
        let shape = ImageShape { width: 2, height: 1, channels: 3 };
        let points = Points::F32((0..18).map(|v| v as f32 / 7.0).collect());
        let whole =
            LabeledDataset::new(points, 6, vec![Label::Int(3), Label::Int(-1), Label::Int(3)]).unwrap();
        let whole = whole.with_image_shape(shape).unwrap();
        assert_eq!(round_trip(&whole), whole);
        let mixed = [Label::from("naïve cat"), Label::Int(4), Label::from("b")].to_vec();
        let mixed = LabeledDataset::new(Points::F64(vec![0.1, 0.2, 0.3]), 1, mixed).unwrap();
        let mixed = mixed.with_sample_weights(vec![1.0, 2.0, 0.5]).unwrap();
        let mixed = mixed.with_class_weights(vec![0.2, 0.0, 0.8]).unwrap();
        let mixed = mixed.with_sample_names(["1.png", "", "größe"].map(String::from).to_vec()).unwrap();
        assert_eq!(round_trip(&mixed), mixed);
        let drawn = round_trip(&mixed.select(&[2, 0]).unwrap());
        assert_eq!(
            (drawn.sample_names().unwrap(), drawn.source_row(0)),
            (&["größe", "1.png"].map(String::from)[..], 0)
        );
    }

    #[test]
    fn what_would_not_come_back_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.npz");
        let data = LabeledDataset::new(Points::F64(vec![0.0]), 1, vec![Label::from("3")]).unwrap();
        let error = write_npz_dataset(&path, &data, &[]).unwrap_err().to_string();
        assert!(
            error.ends_with("expected text labels that do not read as numbers, found the text \"3\""),
            "{error}"
        );
        let data = LabeledDataset::new(Points::F64(vec![0.0]), 1, vec![Label::Int(3)]).unwrap();
        let extra = NpyArray::f64([], vec![0.0]);
        assert!(write_npz_dataset(&path, &data, &[("x", &extra)]).is_err());
        assert!(write_npz_dataset(&path, &data, &[("a", &extra), ("a", &extra)]).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
