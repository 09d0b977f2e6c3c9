//! Reading a dataset from a file or a folder whose format is seen in its content.
//!
//! The crate's front page lists the formats and what happens to numbers on the way.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use wowflow::dataset::{DatasetError, ImageShape, Label, LabeledDataset, Points};

use crate::bounded::Budget;
use crate::columns::Columns;
use crate::error::{DataError, Place};
use crate::resize::Size;
use crate::split::Split;
use crate::table_options::TableOptions;

mod arrays;
mod bmp;
mod cifar;
mod decode;
mod foreign;
mod idx;
mod images;
pub(crate) mod labels;
mod libsvm;
mod mat;
mod pickle;
mod raster;
pub(crate) mod source;
mod table;

#[cfg(test)]
mod robustness;

pub(crate) use arrays::{CLASS_WEIGHTS, IMAGE_SHAPE, SAMPLE_NAMES, SOURCE_ROW, WEIGHTS};
pub(crate) use cifar::read_named as read_cifar;
pub(crate) use idx::read_named as read_idx;
pub(crate) use libsvm::{Convention, read_file as read_libsvm};
pub(crate) use mat::read_file as read_mat;

/// A dataset and the files it came from.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) dataset: LabeledDataset,
    pub(crate) files: Vec<PathBuf>,
    /// What was taken for what, for people.
    pub(crate) notes: Vec<String>,
    /// How its coordinates are told apart.
    pub(crate) columns: Columns,
}

/// What reading is told besides the path.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The size that images are brought to where those of a folder differ in size; elsewhere nothing is resized.
    pub(crate) resize: Option<Size>,
    /// Whether of transparent pixels colours alone are taken.
    pub(crate) without_alpha: bool,
    /// What is said of a table.
    pub(crate) table: TableOptions,
}

/// [`read`] with nothing said.
#[cfg(test)]
pub(crate) fn read_path(path: &Path, split: Option<Split>) -> Result<Parsed, DataError> {
    read(path, split, &Reading::default())
}

/// Reads the dataset at a path; `split` chooses among the parts of one that has parts.
pub(crate) fn read(path: &Path, split: Option<Split>, reading: &Reading) -> Result<Parsed, DataError> {
    let metadata = std::fs::metadata(path).map_err(|error| DataError::io(path, error))?;
    if metadata.is_dir() { read_folder(path, split, reading) } else { read_file(path, split, &reading.table) }
}

fn read_folder(folder: &Path, split: Option<Split>, reading: &Reading) -> Result<Parsed, DataError> {
    reading.table.only_for_tables(folder)?;
    let points = folder.join("X.npy");
    if points.is_file() {
        without_split(folder, split)?;
        return arrays::read_npy_pair(&points, &folder.join("y.npy"));
    }
    if let Some(parsed) = idx::read_named(folder, split.unwrap_or_default()).transpose() {
        return parsed;
    }
    if let Some(parsed) = cifar::read_named(folder, split.unwrap_or_default()).transpose() {
        return parsed;
    }
    images::read_folder(folder, split, reading)
}

fn read_file(path: &Path, split: Option<Split>, options: &TableOptions) -> Result<Parsed, DataError> {
    let format = Format::detect(&source::open(path, &Budget::default())?.head, path)?;
    if format != Format::Table {
        options.only_for_tables(path)?;
    }
    match format {
        Format::Npz => arrays::read_npz(path, split),
        Format::Tar => cifar::read_archive(path, split.unwrap_or_default()),
        format => {
            without_split(path, split)?;
            match format {
                Format::Idx => idx::read_beside(path),
                Format::Npy => arrays::read_npy_beside(path),
                Format::Pickle => cifar::read_batch(path).map_err(foreign::pickle),
                Format::CifarBinary => cifar::read_batch(path),
                Format::Mat => mat::read_file(path),
                Format::Libsvm => libsvm::read_file(path, Convention::AsWritten),
                Format::Table | Format::Npz | Format::Tar => table::read_file(path, options),
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Npz,
    Npy,
    Idx,
    Pickle,
    CifarBinary,
    Tar,
    Mat,
    Libsvm,
    Table,
}

impl Format {
    /// Tells the format from the first bytes; only headerless CIFAR-10 batches need their name.
    fn detect(head: &[u8], path: &Path) -> Result<Self, DataError> {
        let unsupported = |found: &str, instead: &str| DataError::Unsupported {
            file: path.to_owned(),
            found: found.to_owned(),
            instead: instead.to_owned(),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let ends_in = |ending: &str| name.strip_suffix(".gz").unwrap_or(&name).ends_with(ending);
        if let Some(error) = foreign::by_content(head, &name, path) {
            return Err(error);
        }
        Ok(match head {
            [] => return Err(DataError::format(path, "a dataset", "an empty file")),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Npz,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Self::Npy,
            _ if head.starts_with(b"MATLAB 5.") => Self::Mat,
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => {
                let instead = "name a folder that holds a folder of images a class";
                return Err(unsupported("a single image", instead));
            }
            _ if ends_in(".bin") => Self::CifarBinary,
            [0x80, 0..=5, ..] => Self::Pickle,
            _ if head.get(257..262) == Some(b"ustar") => Self::Tar,
            [0, 0, 8..=14, 1..=4, ..] => Self::Idx,
            _ if ends_in("ubyte") => {
                let found = format!("{:#010x}", u32::from_be_bytes(first_four(head)));
                return Err(DataError::format(path, "the IDX magic number 0x00000803 (images)", found));
            }
            _ if table::text::is_utf16(head) || table::text::is_utf32(head) => Self::Table,
            _ if head.contains(&0) => {
                let expected = "IDX, .npz, .npy, CSV, LIBSVM, CIFAR-10 or MATLAB 5 data";
                let found = "other binary data: in Python numpy.savez('data.npz', X=points, y=labels)";
                return Err(DataError::format(path, expected, found));
            }
            _ if libsvm::looks_like(head) => Self::Libsvm,
            _ => Self::Table,
        })
    }
}

fn first_four(head: &[u8]) -> [u8; 4] {
    std::array::from_fn(|index| head.get(index).copied().unwrap_or(0))
}

fn without_split(path: &Path, split: Option<Split>) -> Result<(), DataError> {
    match split {
        None => Ok(()),
        Some(split) => {
            let found = format!("one dataset where [{}] was asked", split.name());
            Err(DataError::format(path, "a dataset with a training and a test part", found))
        }
    }
}

/// Memory of a dataset for each sample: its label, its class, and its place in that.
const SAMPLE: usize = 64;
/// For each class.
const CLASS: usize = 256;

/// Takes the memory of a dataset but for its coordinates.
fn take_samples(labels: &[Label], file: &Path, budget: &Budget) -> Result<(), DataError> {
    let samples = labels.len();
    // Every sample may be a class; they are counted where that matters.
    if budget.take_of::<[u8; SAMPLE + CLASS]>(samples, file).is_ok() {
        return Ok(());
    }
    budget.take_of::<[u8; SAMPLE]>(samples, file)?;
    let mut classes = HashSet::new();
    for label in labels {
        if classes.insert(label) {
            budget.take(CLASS as u64, file)?;
        }
    }
    Ok(())
}

/// Pixels of 8 bits as numbers in [0, 1], in memory of the budget.
pub(crate) fn take_pixels(bytes: &[u8], file: &Path, budget: &Budget) -> Result<Vec<f32>, DataError> {
    budget.take_of::<f32>(bytes.len(), file)?;
    Ok(pixels(bytes))
}

/// Pixels of 8 bits as numbers in [0, 1].
fn pixels(bytes: &[u8]) -> Vec<f32> {
    bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect()
}

/// Builds the dataset; a coordinate that is not finite is named by row and column of `file`.
pub(crate) fn dataset(
    file: &Path,
    points: Points,
    dim: usize,
    labels: Vec<Label>,
    shape: Option<ImageShape>,
    budget: &Budget,
) -> Result<LabeledDataset, DataError> {
    take_samples(&labels, file, budget)?;
    let built = LabeledDataset::new(points, dim, labels).and_then(|dataset| match shape {
        Some(shape) => dataset.with_image_shape(shape),
        None => Ok(dataset),
    });
    built.map_err(|error| refused(file, error))
}

pub(crate) fn refused(file: &Path, error: DatasetError) -> DataError {
    match error {
        DatasetError::NotFinite { row, column, found } => DataError::NotFinite {
            file: file.to_owned(),
            place: Place::Row(row as u64),
            column: column.to_string(),
            found: found.to_string(),
        },
        error => DataError::Dataset { file: file.to_owned(), error },
    }
}
