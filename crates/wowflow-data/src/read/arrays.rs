//! Datasets as NumPy arrays: `.npz` archives and pairs of `.npy` files.

use std::path::Path;

use wowflow::dataset::{ImageShape, Label, Points};

use super::{Parsed, dataset, refused, take_pixels};
use crate::bounded::Budget;
use crate::columns::Columns;
use crate::error::DataError;
use crate::npy::{self, NpyArray, NpyData};
use crate::split::Split;

pub(crate) const WEIGHTS: &str = "weights";
pub(crate) const CLASS_WEIGHTS: &str = "class_weights";
pub(crate) const IMAGE_SHAPE: &str = "image_shape";

const POINTS: [&str; 5] = ["x", "data", "images", "features", "points"];
/// Names of sample weights, best first; [`WEIGHTS`] is the one that is written.
const WEIGHT_NAMES: [&str; 5] = [WEIGHTS, "sample_weight", "sample_weights", "weight", "w"];
const LABELS: [&str; 5] = ["y", "labels", "label", "target", "targets"];

/// Reads an archive: the arrays of the asked part, or the plain ones, or those of the training part.
pub(super) fn read_npz(path: &Path, split: Option<Split>) -> Result<Parsed, DataError> {
    let mut names = Vec::new();
    npy::for_each_name(path, |name| names.push(name.to_owned()))?;
    let choices: &[Option<Split>] = match split {
        Some(Split::Train) => &[Some(Split::Train)],
        Some(Split::Test) => &[Some(Split::Test)],
        Some(Split::Val) => &[Some(Split::Val)],
        None => &[None, Some(Split::Train)],
    };
    let chosen = choices.iter().find_map(|&split| {
        Some((find(&names, &POINTS, split)?.to_owned(), find(&names, &LABELS, split)?.to_owned()))
    });
    let (points, labels) = chosen.ok_or_else(|| {
        let expected = match split {
            None => "arrays X and y".to_owned(),
            Some(split) => format!("arrays x_{0} and y_{0}", split.name()),
        };
        DataError::format(path, expected, if names.is_empty() { "none".to_owned() } else { names.join(", ") })
    })?;
    let part =
        choices.iter().find(|&&split| find(&names, &POINTS, split) == Some(&points)).copied().flatten();
    let found: Vec<&str> = WEIGHT_NAMES.iter().filter_map(|name| find(&names, &[name], part)).collect();
    if let [one, other, ..] = found[..] {
        let expected = "one array of sample weights";
        return Err(DataError::format(path, expected, format!("{one} and {other}")));
    }
    let sample_weights = found.first().map_or(WEIGHTS.to_owned(), |name| (*name).to_owned());
    let extra = [sample_weights.as_str(), CLASS_WEIGHTS, IMAGE_SHAPE];
    let wanted = |name: &str| name == points || name == labels || extra.contains(&name);
    let budget = &Budget::default();
    let mut arrays = npy::read_entries(path, &wanted, budget)?;
    let mut take = |name: &str| {
        let index = arrays.iter().position(|(known, _)| known == name)?;
        Some(arrays.swap_remove(index).1)
    };
    let (x, y) = match (take(&points), take(&labels)) {
        (Some(x), Some(y)) => (x, y),
        _ => return Err(DataError::format(path, format!("arrays {points} and {labels}"), "others")),
    };
    let of = |name: &str| path.join(name);
    let (files, weights, class_weights, shape) =
        (vec![path.to_owned()], take(&sample_weights), take(CLASS_WEIGHTS), take(IMAGE_SHAPE));
    let shape = shape.map(|array| image_shape(&array, &of(IMAGE_SHAPE))).transpose()?;
    let mut dataset = assemble((&of(&points), x), (&of(&labels), y), shape, budget)?;
    if let Some(weights) = weights {
        let file = of(&sample_weights);
        let values = numbers(&weights, &file, budget)?;
        dataset = dataset.with_sample_weights(values).map_err(|error| refused(&file, error))?;
    }
    if let Some(weights) = class_weights {
        let values = numbers(&weights, &of(CLASS_WEIGHTS), budget)?;
        dataset = dataset.with_class_weights(values).map_err(|error| refused(&of(CLASS_WEIGHTS), error))?;
    }
    Ok(Parsed { dataset, files, notes: Vec::new(), columns: Columns::Places })
}

/// The array's name for a part, in any case: `x`, or `x_train`, or `train_x`.
fn find<'a>(names: &'a [String], known: &[&str], split: Option<Split>) -> Option<&'a str> {
    known.iter().find_map(|&word| {
        let spellings = match split {
            None => vec![word.to_owned()],
            Some(split) => {
                let of = |part: &&str| [format!("{word}_{part}"), format!("{part}_{word}")];
                split.spellings().iter().flat_map(of).collect()
            }
        };
        names
            .iter()
            .map(String::as_str)
            .find(|name| spellings.iter().any(|spelling| name.eq_ignore_ascii_case(spelling)))
    })
}

/// Reads `X.npy` or `NAME_X.npy` with the labels beside it.
pub(super) fn read_npy_beside(points: &Path) -> Result<Parsed, DataError> {
    let name = points.file_name().unwrap_or_default().to_string_lossy();
    match name.strip_suffix("X.npy") {
        Some(stem) if stem.is_empty() || stem.ends_with('_') => {
            read_npy_pair(points, &points.with_file_name(format!("{stem}y.npy")))
        }
        _ => {
            let expected = "a name X.npy or NAME_X.npy, with its labels in y.npy or NAME_y.npy";
            Err(DataError::format(points, expected, format!("`{name}`")))
        }
    }
}

pub(super) fn read_npy_pair(points: &Path, labels: &Path) -> Result<Parsed, DataError> {
    let budget = &Budget::default();
    let (x, y) = (npy::read_counted(points, budget)?, npy::read_counted(labels, budget)?);
    let dataset = assemble((points, x), (labels, y), None, budget)?;
    Ok(Parsed {
        dataset,
        files: vec![points.to_owned(), labels.to_owned()],
        notes: Vec::new(),
        columns: Columns::Places,
    })
}

fn assemble(
    (x_file, x): (&Path, NpyArray),
    (y_file, y): (&Path, NpyArray),
    declared: Option<ImageShape>,
    budget: &Budget,
) -> Result<wowflow::dataset::LabeledDataset, DataError> {
    let labels = labels(y, y_file, budget)?;
    let shape = format!("shape {:?}", x.shape);
    let (count, dim, inferred, order) = layout(&x.shape).ok_or_else(|| {
        let expected = "n x d points, n x h x w, n x h x w x 3 or n x 3 x h x w images";
        DataError::format(x_file, expected, shape)
    })?;
    if labels.len() != count {
        let expected = format!("{count} labels, one for each row of {}", x_file.display());
        return Err(DataError::format(y_file, expected, format!("{}", labels.len())));
    }
    if let (Some(declared), Some(inferred)) = (declared, inferred)
        && declared != inferred
    {
        return Err(DataError::format(x_file, format!("images of {declared}"), format!("{inferred}")));
    }
    let points = match x.data {
        NpyData::F32(values) => Points::F32(values),
        NpyData::F64(values) => Points::F64(values),
        NpyData::U8(values) => {
            let pixels = take_pixels(&values, x_file, budget)?;
            budget.give(values.len() as u64);
            Points::F32(pixels)
        }
        NpyData::Bool(values) => {
            budget.take_of::<f32>(values.len(), x_file)?;
            budget.give(values.len() as u64);
            Points::F32(values.into_iter().map(|v| f32::from(u8::from(v))).collect())
        }
        // In the same memory.
        NpyData::I64(values) => Points::F64(values.into_iter().map(|v| v as f64).collect()),
        NpyData::Text(_) => return Err(DataError::format(x_file, "numbers", "strings")),
    };
    let points = match (order, inferred) {
        (Channels::Last, Some(shape)) if shape.channels > 1 => {
            let size = match points {
                Points::F32(_) => 4,
                Points::F64(_) => 8,
            };
            budget.take((points.len() as u64).saturating_mul(size), x_file)?;
            let planar = to_planar(&points, shape);
            budget.give(points.len() as u64 * size);
            planar
        }
        _ => points,
    };
    dataset(x_file, points, dim, labels, declared.or(inferred), budget)
}

#[derive(Clone, Copy)]
enum Channels {
    First,
    Last,
}

/// Count, dimension, image shape and channel order of an array of points.
fn layout(shape: &[usize]) -> Option<(usize, usize, Option<ImageShape>, Channels)> {
    let image = |width, height, channels| Some(ImageShape { width, height, channels });
    Some(match *shape {
        [count] => (count, 1, None, Channels::First),
        [count, dim] => (count, dim, None, Channels::First),
        [count, height, width] => {
            (count, height.checked_mul(width)?, image(width, height, 1), Channels::First)
        }
        [count, height, width, channels @ (1 | 3)] => {
            let dim = height.checked_mul(width)?.checked_mul(channels)?;
            (count, dim, image(width, height, channels), Channels::Last)
        }
        [count, channels @ (1 | 3), height, width] => {
            let dim = height.checked_mul(width)?.checked_mul(channels)?;
            (count, dim, image(width, height, channels), Channels::First)
        }
        _ => return None,
    })
}

/// From channels that vary fastest to one plane a channel.
fn to_planar(points: &Points, shape: ImageShape) -> Points {
    fn reorder<T: Copy>(values: &[T], shape: ImageShape) -> Vec<T> {
        let plane = |image: &[T], channel: usize| {
            image.iter().skip(channel).step_by(shape.channels).copied().collect::<Vec<T>>()
        };
        let images = values.chunks_exact(shape.len().max(1));
        images.flat_map(|image| (0..shape.channels).flat_map(move |channel| plane(image, channel))).collect()
    }
    match points {
        Points::F32(values) => Points::F32(reorder(values, shape)),
        Points::F64(values) => Points::F64(reorder(values, shape)),
    }
}

fn labels(y: NpyArray, file: &Path, budget: &Budget) -> Result<Vec<Label>, DataError> {
    if !matches!(y.shape[..], [_] | [_, 1]) {
        let found = format!("shape {:?}", y.shape);
        return Err(DataError::format(file, "one label a sample (n or n x 1)", found));
    }
    let size = npy::memory_of(&y.data);
    if let NpyData::Text(values) = &y.data {
        budget.take(size, file)?;
        let labels = values.iter().map(|text| super::labels::of_text(text)).collect();
        budget.give(size);
        return Ok(labels);
    }
    budget.take_of::<i64>(y.data.len(), file)?;
    budget.take_of::<Label>(y.data.len(), file)?;
    let whole = y.to_i64().ok_or_else(|| DataError::format(file, "whole numbers or strings", "fractions"))?;
    drop(y);
    let labels: Vec<Label> = whole.into_iter().map(Label::Int).collect();
    budget.give(size + (labels.len() * size_of::<i64>()) as u64);
    Ok(labels)
}

fn numbers(array: &NpyArray, file: &Path, budget: &Budget) -> Result<Vec<f64>, DataError> {
    budget.take_of::<f64>(array.data.len(), file)?;
    array.to_f64().ok_or_else(|| DataError::format(file, "numbers", "strings"))
}

fn image_shape(array: &NpyArray, file: &Path) -> Result<ImageShape, DataError> {
    let extents = if array.data.len() < 4 { array.to_i64().unwrap_or_default() } else { Vec::new() };
    let sizes: Vec<usize> = extents.iter().map(|&extent| usize::try_from(extent).unwrap_or(0)).collect();
    let shape = match sizes[..] {
        [height, width] => Some(ImageShape { width, height, channels: 1 }),
        [height, width, channels @ (1 | 3)] => Some(ImageShape { width, height, channels }),
        _ => None,
    };
    let pixels = shape.and_then(|s| s.width.checked_mul(s.height)?.checked_mul(s.channels));
    shape
        .filter(|_| pixels.is_some_and(|pixels| pixels > 0))
        .ok_or_else(|| DataError::format(file, "height, width and 1 or 3 channels", format!("{extents:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy::{write_npy, write_npz};

    fn read(
        arrays: &[(&str, NpyArray)],
        split: Option<Split>,
    ) -> Result<wowflow::dataset::LabeledDataset, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.npz");
        let arrays: Vec<(&str, &NpyArray)> = arrays.iter().map(|(name, array)| (*name, array)).collect();
        write_npz(&path, &arrays).unwrap();
        let prefix = format!("{}/", folder.path().display());
        super::super::read_path(&path, split)
            .map(|parsed| parsed.dataset)
            .map_err(|error| error.to_string().replace(&prefix, ""))
    }

    fn points() -> NpyArray {
        NpyArray::f32([2, 3], vec![0.0, 1.5, 2.0, 3.0, 4.0, 5.0])
    }

    fn ints(values: &[i64]) -> NpyArray {
        NpyArray::i64([values.len()], values.to_vec())
    }

    #[test]
    fn usual_names_and_parts() {
        for (x, y) in [("X", "y"), ("data", "target"), ("images", "labels"), ("x_train", "y_train")] {
            let data = read(&[(x, points()), (y, ints(&[4, 2]))], None).unwrap();
            assert_eq!(data.points(), &Points::F32(vec![0.0, 1.5, 2.0, 3.0, 4.0, 5.0]), "{x}");
            assert_eq!(data.label(0), &Label::Int(4));
        }
        let both = [
            ("train_images", points()),
            ("train_labels", ints(&[0, 1])),
            ("test_images", NpyArray::f64([1, 3], vec![7.0, 8.0, 9.0])),
            ("test_labels", ints(&[5])),
        ];
        assert_eq!(read(&both, None).unwrap().len(), 2);
        assert_eq!(read(&both, Some(Split::Test)).unwrap().label(0), &Label::Int(5));
        let error = read(&[("X", points()), ("y", ints(&[1, 2]))], Some(Split::Test)).unwrap_err();
        assert_eq!(error, "d.npz: expected arrays x_test and y_test, found X, y");
        let error = read(&[("a", points())], None).unwrap_err();
        assert_eq!(error, "d.npz: expected arrays X and y, found a");
    }

    #[test]
    fn only_bytes_are_scaled() {
        let labels = ("y", ints(&[0, 1]));
        let bytes = read(&[("X", NpyArray::u8([2, 1], vec![51, 255])), labels.clone()], None).unwrap();
        assert_eq!(bytes.points(), &Points::F32(vec![0.2, 1.0]));
        let truth = NpyArray { shape: vec![2, 1], data: NpyData::Bool(vec![true, false]) };
        let truth = read(&[("X", truth), labels.clone()], None).unwrap();
        assert_eq!(truth.points(), &Points::F32(vec![1.0, 0.0]));
        let whole = read(&[("X", ints(&[51, 255])), labels], None).unwrap();
        assert_eq!(whole.points(), &Points::F64(vec![51.0, 255.0]));
    }

    #[test]
    fn images_in_either_order_of_axes() {
        let planar: Vec<f64> = (0..24).map(f64::from).collect();
        let image = |pixel: usize| (0..3).map(move |channel| (channel * 4 + pixel) as f64);
        let last: Vec<f64> = (0..4).flat_map(image).collect();
        let last = [last.clone(), last.iter().map(|v| v + 12.0).collect()].concat();
        let shape = ImageShape { width: 2, height: 2, channels: 3 };
        for array in [NpyArray::f64([2, 3, 2, 2], planar.clone()), NpyArray::f64([2, 2, 2, 3], last)] {
            let data = read(&[("X", array), ("y", ints(&[0, 1]))], None).unwrap();
            assert_eq!(data.points(), &Points::F64(planar.clone()));
            assert_eq!(data.image_shape(), Some(shape));
        }
        let grey = read(&[("X", NpyArray::f64([1, 4, 6], planar.clone())), ("y", ints(&[0]))], None).unwrap();
        assert_eq!(grey.image_shape(), Some(ImageShape { width: 6, height: 4, channels: 1 }));
        let declared =
            [("X", NpyArray::f64([1, 24], planar)), ("y", ints(&[0])), ("image_shape", ints(&[4, 6]))];
        assert_eq!(read(&declared, None).unwrap().image_shape(), grey.image_shape());
    }

    #[test]
    fn labels_and_weights() {
        let text = NpyArray::text([2], vec!["cat".into(), "3".into()]);
        let weights = NpyArray::f64([2], vec![0.5, 2.0]);
        let data = read(&[("X", points()), ("y", text), ("weights", weights)], None).unwrap();
        assert_eq!(data.classes(), &[Label::Int(3), Label::from("cat")]);
        assert_eq!(data.sample_weights(), Some(&[0.5, 2.0][..]));
        for name in ["sample_weight", "weight", "W"] {
            let weights = NpyArray::f64([2], vec![0.5, 2.0]);
            let data = read(&[("X", points()), ("y", ints(&[1, 2])), (name, weights)], None).unwrap();
            assert_eq!(data.sample_weights(), Some(&[0.5, 2.0][..]), "{name}");
        }
        let column = NpyArray::f64([2, 1], vec![1.0, 2.0]);
        assert_eq!(read(&[("X", points()), ("y", column)], None).unwrap().classes().len(), 2);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let nan = NpyArray::f64([2, 2], vec![0.0, 0.0, 0.0, f64::NAN]);
        let cases = [
            (
                vec![("X", points()), ("y", ints(&[1]))],
                "d.npz/y: expected 2 labels, one for each row of d.npz/X, found 1",
            ),
            (
                vec![("X", nan), ("y", ints(&[1, 2]))],
                "d.npz/X: expected a finite number at row 2, column 2, found NaN",
            ),
            (
                vec![("X", points()), ("y", points())],
                "d.npz/y: expected one label a sample (n or n x 1), found shape [2, 3]",
            ),
            (
                vec![("X", points()), ("y", NpyArray::f64([2], vec![0.5, 1.0]))],
                "d.npz/y: expected whole numbers or strings, found fractions",
            ),
            (
                vec![("X", points()), ("y", ints(&[1, 2])), ("image_shape", ints(&[2, 2, 1]))],
                "d.npz/X: expected 4 coordinates a sample for images of 2x2x1, found 3",
            ),
            (
                vec![("X", points()), ("y", ints(&[1, 2])), ("image_shape", ints(&[2, -2, 1]))],
                "d.npz/image_shape: expected height, width and 1 or 3 channels, found [2, -2, 1]",
            ),
            (
                vec![("X", points()), ("y", ints(&[1, 2])), ("weights", NpyArray::f64([2], vec![1.0, -1.0]))],
                "d.npz/weights: expected finite weights of at least 0, found -1 as sample weight 2",
            ),
        ];
        for (arrays, expected) in cases {
            assert_eq!(read(&arrays, None).unwrap_err(), expected);
        }
    }

    #[test]
    fn pairs_of_npy_files() {
        let folder = tempfile::tempdir().unwrap();
        for stem in ["", "small_"] {
            write_npy(folder.path().join(format!("{stem}X.npy")), &points()).unwrap();
            write_npy(folder.path().join(format!("{stem}y.npy")), &ints(&[1, 2])).unwrap();
        }
        for path in ["", "X.npy", "small_X.npy"] {
            let parsed = super::super::read_path(&folder.path().join(path), None).unwrap();
            assert_eq!((parsed.dataset.len(), parsed.files.len()), (2, 2));
        }
        let error = super::super::read_path(&folder.path().join("y.npy"), None).unwrap_err().to_string();
        assert!(error.contains("expected a name X.npy or NAME_X.npy"), "{error}");
    }
}
