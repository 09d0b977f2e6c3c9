//! Datasets as NumPy arrays: `.npz` archives and pairs of `.npy` files.

use std::path::Path;

use wowflow::dataset::{ImageShape, Label, Points};

use super::labels::is_missing;
use super::{Parsed, dataset, foreign, refused, take_pixels};
use crate::bounded::Budget;
use crate::columns::Columns;
use crate::error::DataError;
use crate::npy::{self, NpyArray, NpyData};
use crate::split::Split;

pub(crate) const WEIGHTS: &str = "weights";
pub(crate) const CLASS_WEIGHTS: &str = "class_weights";
pub(crate) const IMAGE_SHAPE: &str = "image_shape";
pub(crate) const SAMPLE_NAMES: &str = "sample_names";
pub(crate) const SOURCE_ROW: &str = "source_row";

const POINTS: [&str; 8] = ["x", "data", "images", "features", "points", "image", "samples", "inputs"];
/// Names of sample weights, best first; [`WEIGHTS`] is the one that is written.
const WEIGHT_NAMES: [&str; 5] = [WEIGHTS, "sample_weight", "sample_weights", "weight", "w"];
/// Names of arrays of names, best first; they count where there is a name a sample.
const NAME_NAMES: [&str; 9] =
    [SAMPLE_NAMES, "names", "ids", "id", "filenames", "file_names", "files", "paths", "barcodes"];
const LABELS: [&str; 6] = ["y", "labels", "label", "target", "targets", "classes"];

/// Reads an archive: the arrays of the asked part, or the plain ones, or those of the training part.
pub(super) fn read_npz(path: &Path, split: Option<Split>) -> Result<Parsed, DataError> {
    let entries = npy::entries(path)?;
    let names: Option<Vec<String>> =
        entries.iter().map(|entry| entry.strip_suffix(".npy").map(str::to_owned)).collect();
    let names = names.ok_or_else(|| foreign::archive(&entries, path))?;
    let choices: &[Option<Split>] = match split {
        Some(Split::Train) => &[Some(Split::Train)],
        Some(Split::Test) => &[Some(Split::Test)],
        Some(Split::Val) => &[Some(Split::Val)],
        None => &[None, Some(Split::Train)],
    };
    let chosen = choices.iter().find_map(|&split| {
        Some((find(&names, &POINTS, split)?.to_owned(), find(&names, &LABELS, split)?.to_owned()))
    });
    let (points, labels) = chosen.ok_or_else(|| no_pair(&names, split, path))?;
    let part =
        choices.iter().find(|&&split| find(&names, &POINTS, split) == Some(&points)).copied().flatten();
    let found: Vec<&str> = WEIGHT_NAMES.iter().filter_map(|name| find(&names, &[name], part)).collect();
    if let [one, other, ..] = found[..] {
        let expected = "one array of sample weights";
        return Err(DataError::format(path, expected, format!("{one} and {other}")));
    }
    let sample_weights = found.first().map_or(WEIGHTS.to_owned(), |name| (*name).to_owned());
    let sample_names = find(&names, &NAME_NAMES, part).unwrap_or(SAMPLE_NAMES).to_owned();
    let extra = [sample_weights.as_str(), CLASS_WEIGHTS, IMAGE_SHAPE, sample_names.as_str()];
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
    // Images with axes of their own say nothing else by naming them.
    let axes: Vec<i64> = x.shape.iter().skip(1).map(|&extent| extent as i64).collect();
    let shape = shape.filter(|array| axes.len() < 2 || array.to_i64().is_none_or(|shape| shape != axes));
    let mut notes = Vec::new();
    if shape
        .as_ref()
        .and_then(NpyArray::to_i64)
        .is_some_and(|shape| matches!(shape[..], [height, _, 3] if height != 3))
    {
        notes.push("rows of X read as one plane a channel".to_owned());
    }
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
    if let Some(names) = take(&sample_names).and_then(|array| texts(array, dataset.len())) {
        notes.push(format!("names of samples in {sample_names}"));
        dataset = dataset.with_sample_names(names).map_err(|error| refused(&of(&sample_names), error))?;
    }
    Ok(Parsed { dataset, files, notes, columns: Columns::Places })
}

/// A name a sample, if that is what the array holds.
fn texts(array: NpyArray, count: usize) -> Option<Vec<String>> {
    let whole = |values: Vec<i64>| values.iter().map(ToString::to_string).collect();
    if array.shape != [count] {
        return None;
    }
    match array.data {
        NpyData::Text(names) => Some(names),
        _ => array.to_i64().map(whole),
    }
}

/// What is missing in an archive without points and labels, and what to do.
fn no_pair(names: &[String], split: Option<Split>, path: &Path) -> DataError {
    let [x, y] = ["x", "y"].map(|name| match split {
        None => name.replace('x', "X"),
        Some(split) => format!("{name}_{}", split.name()),
    });
    let of = |known: &[&str]| find(names, known, split);
    let expected = match (of(&POINTS), of(&LABELS)) {
        (Some(points), None) => format!("labels {y} beside the points {points}"),
        (None, Some(labels)) => format!("points {x} beside the labels {labels}"),
        _ => format!("arrays {x} and {y}"),
    };
    let found = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let remedy = match split {
        Some(_) => "",
        None => ": name them as in numpy.savez(FILE, X=points, y=labels)",
    };
    DataError::format(path, expected, found + remedy)
}

/// The array's name for a part, in any case: `x`, or `x_train`, `train_x`, `trainX`.
fn find<'a>(names: &'a [String], known: &[&str], split: Option<Split>) -> Option<&'a str> {
    known.iter().find_map(|&word| {
        let spellings = match split {
            None => vec![word.to_owned()],
            Some(split) => {
                let of = |part: &&str| [format!("{word}{part}"), format!("{part}{word}")];
                split.spellings().iter().flat_map(of).collect()
            }
        };
        names
            .iter()
            .map(String::as_str)
            .find(|name| spellings.iter().any(|spelling| plain(name) == plain(spelling)))
    })
}

/// A name as names are compared: lower case, nothing between words.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '-', '.', ' '], "")
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
        let remedy = match x.shape[..] {
            [_, _, _, 4] => ": leave out the opacity, X[..., :3]",
            [_, 4, _, _] => ": leave out the opacity, X[:, :3]",
            [_, _, _, _, ..] => ": X.reshape(len(X), -1) makes points of them",
            _ => "",
        };
        DataError::format(x_file, expected, shape + remedy)
    })?;
    if labels.len() != count {
        let expected = format!("{count} labels, one for each row of {}", x_file.display());
        let columns = x.shape.len() == 2 && dim == labels.len();
        let remedy = if columns { ": where samples are columns, save X.T" } else { "" };
        return Err(DataError::format(y_file, expected, format!("{}{remedy}", labels.len())));
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
        NpyData::Text(_) => {
            return Err(DataError::format(x_file, "numbers", "strings: save X.astype(float)"));
        }
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
        let found = format!("shape {:?}{}", y.shape, instead_of_rows(&y));
        return Err(DataError::format(file, "one label a sample (n or n x 1)", found));
    }
    let size = npy::memory_of(&y.data);
    if let NpyData::Text(values) = &y.data {
        if let Some(row) = values.iter().position(|text| is_missing(text.trim())) {
            let found = format!(
                "`{}` at row {}: leave out such samples, or call them by another word",
                values[row],
                row + 1
            );
            return Err(DataError::format(file, "labels", found));
        }
        budget.take(size, file)?;
        let labels = super::labels::of_texts(values, file)?;
        budget.give(size);
        return Ok(labels);
    }
    budget.take_of::<i64>(y.data.len(), file)?;
    budget.take_of::<Label>(y.data.len(), file)?;
    let whole = y.to_i64().ok_or_else(|| {
        let finite = y.to_f64().is_some_and(|values| values.iter().all(|value| value.is_finite()));
        let found = if finite { "fractions" } else { "NaN or infinity: leave out samples without a label" };
        DataError::format(file, "whole numbers or strings", found)
    })?;
    drop(y);
    let labels: Vec<Label> = whole.into_iter().map(Label::Int).collect();
    budget.give(size + (labels.len() * size_of::<i64>()) as u64);
    Ok(labels)
}

/// What to do about several values a label, by what they are.
fn instead_of_rows(y: &NpyArray) -> &'static str {
    let (Some(values), [count, width]) = (y.to_f64(), &y.shape[..]) else { return "" };
    if *count == 1 {
        return ": save y.reshape(-1)";
    }
    let hot = |row: &[f64]| {
        let ones = row.iter().filter(|&&value| value == 1.0).count();
        (ones, row.iter().all(|&value| value == 0.0 || value == 1.0))
    };
    let rows: Vec<(usize, bool)> = values.chunks_exact((*width).max(1)).map(hot).collect();
    match rows.iter().all(|(_, plain)| *plain) {
        true if rows.iter().all(|(ones, _)| *ones == 1) => ", one-hot: save y.argmax(axis=1)",
        true => ", several labels a sample, of which one has to be chosen",
        false => {
            ", numbers for each class or several targets: save one label, as y.argmax(axis=1) for probabilities"
        }
    }
}

fn numbers(array: &NpyArray, file: &Path, budget: &Budget) -> Result<Vec<f64>, DataError> {
    budget.take_of::<f64>(array.data.len(), file)?;
    array.to_f64().ok_or_else(|| DataError::format(file, "numbers", "strings"))
}

/// The shape of rows of one plane a channel: `X.reshape(n, *image_shape)`, or with the channels named last.
fn image_shape(array: &NpyArray, file: &Path) -> Result<ImageShape, DataError> {
    let extents = if array.data.len() < 4 { array.to_i64().unwrap_or_default() } else { Vec::new() };
    let sizes: Vec<usize> = extents.iter().map(|&extent| usize::try_from(extent).unwrap_or(0)).collect();
    let shape = match sizes[..] {
        [height, width] | [height, width, 1] => Some(ImageShape { width, height, channels: 1 }),
        [channels @ (1 | 3), height, width] => Some(ImageShape { width, height, channels }),
        // As they were declared once: rows are planes all the same.
        [height, width, 3] => Some(ImageShape { width, height, channels: 3 }),
        _ => None,
    };
    let pixels = shape.and_then(|s| s.width.checked_mul(s.height)?.checked_mul(s.channels));
    shape
        .filter(|_| pixels.is_some_and(|pixels| pixels > 0))
        .ok_or_else(|| DataError::format(file, "1 or 3 channels, height and width", format!("{extents:?}")))
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
        assert_eq!(
            error,
            "d.npz: expected arrays X and y, found a: name them as in numpy.savez(FILE, X=points, y=labels)"
        );
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
    fn the_declared_shape_is_the_order_of_storage() {
        let values: Vec<f64> = (0..12).map(f64::from).collect();
        let declared = |shape: &[usize], image_shape: &[i64]| {
            let x = NpyArray::f64(shape, values.clone());
            read(&[("X", x), ("y", ints(&[0])), ("image_shape", ints(image_shape))], None)
        };
        let colour = ImageShape { width: 2, height: 2, channels: 3 };
        let flat = declared(&[1, 12], &[3, 2, 2]).unwrap();
        assert_eq!((flat.image_shape(), flat.row(0)[1]), (Some(colour), 1.0));
        let own = declared(&[1, 2, 2, 3], &[2, 2, 3]).unwrap();
        assert_eq!((own.image_shape(), own.row(0)[1]), (Some(colour), 3.0));
        assert_eq!(declared(&[1, 3, 2, 2], &[3, 2, 2]).unwrap(), flat);
        let grey = Some(ImageShape { width: 4, height: 3, channels: 1 });
        for shape in [&[3, 4][..], &[3, 4, 1], &[1, 3, 4]] {
            assert_eq!(declared(&[1, 12], shape).unwrap().image_shape(), grey, "{shape:?}");
        }
        assert_eq!(declared(&[1, 12], &[2, 2, 3]).unwrap(), flat);
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
        for (name, names) in [
            ("sample_names", NpyArray::text([2], vec!["a.png".into(), "b.png".into()])),
            ("IDs", NpyArray::text([2], vec!["a.png".into(), "b.png".into()])),
            ("filenames", NpyArray::text([2], vec!["a.png".into(), "b.png".into()])),
        ] {
            let data = read(&[("X", points()), ("y", ints(&[2, 1])), (name, names)], None).unwrap();
            assert_eq!(data.sample_names().unwrap(), ["a.png", "b.png"], "{name}");
        }
        let numbers = read(&[("X", points()), ("y", ints(&[2, 1])), ("id", ints(&[70, 12]))], None).unwrap();
        assert_eq!(numbers.sample_names().unwrap(), ["70", "12"]);
        // Names of classes, say.
        let three = ("names", NpyArray::text([3], vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(read(&[("X", points()), ("y", ints(&[2, 1])), three], None).unwrap().sample_names(), None);
        let column = NpyArray::f64([2, 1], vec![1.0, 2.0]);
        assert_eq!(read(&[("X", points()), ("y", column)], None).unwrap().classes().len(), 2);
    }

    #[test]
    fn texts_that_become_one_label_are_refused_but_for_spellings_of_unicode() {
        let of = |texts: [&str; 2]| {
            let text = NpyArray::text([2], texts.map(str::to_owned).to_vec());
            read(&[("X", points()), ("y", text)], None)
        };
        for (a, b, one) in [("1", "+1", "1"), ("1.0", "1", "1"), ("a ", "a", "a"), ("-2", "-2.0", "-2")] {
            let error = of([a, b]).unwrap_err().to_string();
            let found =
                format!("expected one spelling of a label, found `{a}` and `{b}`, both read as {one}");
            assert!(error.ends_with(&found), "{error}");
        }
        for [a, b] in
            [["1", "01"], ["0e12", "0e99"], ["A", "a"], ["a", "a\u{a0}"], ["1", "\u{ff11}"], ["I", "ı"]]
        {
            assert_eq!(of([a, b]).unwrap().class_count(), 2, "{a}, {b}");
        }
        assert_eq!(of(["caf\u{e9}", "cafe\u{301}"]).unwrap().class_count(), 1);
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
                "d.npz/y: expected one label a sample (n or n x 1), found shape [2, 3], numbers for each class or several \
                 targets: save one label, as y.argmax(axis=1) for probabilities",
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
                "d.npz/image_shape: expected 1 or 3 channels, height and width, found [2, -2, 1]",
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
    fn what_is_missing_or_of_another_shape_gets_a_remedy() {
        let of = |shape: &[usize], values: &[f64]| NpyArray::f64(shape, values.to_vec());
        let (x, y) = (points(), ints(&[0, 1]));
        for (arrays, says) in [
            (vec![("arr_0", x.clone()), ("arr_1", y.clone())], "numpy.savez(FILE, X=points, y=labels)"),
            (vec![("X", x.clone())], "expected labels y beside the points X, found X"),
            (vec![("y", y.clone()), ("a", x.clone())], "expected points X beside the labels y"),
            (
                vec![("X", x.clone()), ("y", of(&[2, 2], &[0.0, 1.0, 1.0, 0.0]))],
                "one-hot: save y.argmax(axis=1)",
            ),
            (vec![("X", x.clone()), ("y", of(&[2, 2], &[1.0, 1.0, 1.0, 0.0]))], "several labels a sample"),
            (vec![("X", x.clone()), ("y", of(&[2, 2], &[0.5, 0.5, 1.0, 0.0]))], "probabilities"),
            (vec![("X", x.clone()), ("y", of(&[1, 2], &[0.0, 1.0]))], "y.reshape(-1)"),
            (vec![("X", x.clone()), ("y", ints(&[0, 1, 1]))], "save X.T"),
            (vec![("X", x.clone()), ("y", of(&[2], &[f64::NAN, 1.0]))], "found NaN or infinity"),
            (
                vec![("X", x.clone()), ("y", NpyArray::text([2], vec!["a".into(), "nan".into()]))],
                "`nan` at row 2",
            ),
            (
                vec![("X", NpyArray::text([2, 1], vec!["1".into(), "2".into()])), ("y", y.clone())],
                "X.astype(float)",
            ),
            (vec![("X", NpyArray::f32([1, 2, 1, 4], vec![0.0; 8])), ("y", ints(&[0]))], "X[..., :3]"),
        ] {
            let error = read(&arrays, None).unwrap_err();
            assert!(error.contains(says) && !error.contains('\n'), "{error}");
        }
        for (a, b) in [
            ("X-train", "y-train"),
            ("Xtrain", "Ytrain"),
            ("trainImages", "train labels"),
            ("training_x", "training_y"),
        ] {
            let arrays = [(a, x.clone()), (b, y.clone()), ("x_test", points()), ("y_test", ints(&[5, 6]))];
            assert_eq!(read(&arrays, None).unwrap().label(1), &Label::Int(1), "{a}");
            assert_eq!(read(&arrays, Some(Split::Test)).unwrap().label(1), &Label::Int(6), "{a}");
        }
        for (a, b) in [("image", "classes"), ("samples", "Y"), ("inputs", "targets")] {
            assert_eq!(read(&[(a, x.clone()), (b, y.clone())], None).unwrap().dim(), 3, "{a}");
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
