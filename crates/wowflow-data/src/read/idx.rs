//! IDX, the format of MNIST: a big-endian header, then raw elements; images and labels apart.

use std::io::Read;
use std::path::{Path, PathBuf};

use wowflow::dataset::{ImageShape, Label, Points};

use super::source;
use super::{Parsed, dataset, take_pixels};
use crate::bounded::{Budget, read_full};
use crate::columns::Columns;
use crate::error::DataError;
use crate::split::Split;

/// An IDX file as it stands.
#[derive(Debug)]
struct Idx {
    element: u8,
    shape: Vec<usize>,
    /// Number of elements.
    count: usize,
    bytes: Vec<u8>,
}

/// Reads an images file and the labels file beside it.
pub(super) fn read_beside(images: &Path) -> Result<Parsed, DataError> {
    let name = images.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !name.contains("images") {
        let expected = "a name with `images` in it, so that the labels file beside it can be found";
        return Err(DataError::format(images, expected, format!("`{name}`")));
    }
    let name = name.replace("images", "labels").replace("idx3", "idx1").replace("idx2", "idx1");
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    let candidates = [name.clone(), plain.to_owned(), format!("{plain}.gz")];
    let labels = candidates.iter().map(|name| images.with_file_name(name)).find(|path| path.is_file());
    let labels = labels
        .ok_or_else(|| DataError::format(images, format!("the labels file {name} beside it"), "none"))?;
    read_pair(images, &labels)
}

/// Reads one part of a folder that holds files of the original names; `None` if it holds none of either part.
pub(crate) fn read_named(folder: &Path, split: Split) -> Result<Option<Parsed>, DataError> {
    let find = |split: Split, what: &str| {
        let stem = match split {
            Split::Train => "train",
            Split::Test => "t10k",
            Split::Val => "val",
        };
        let kind = if what == "images" { "idx3" } else { "idx1" };
        // Some copies were renamed with a dot when they were unpacked.
        ["-", "."]
            .iter()
            .flat_map(|dot| {
                ["", ".gz"].map(|end| folder.join(format!("{stem}-{what}{dot}{kind}-ubyte{end}")))
            })
            .find(|path| path.is_file())
    };
    if let Some(images) = find(split, "images") {
        let missing = || DataError::format(&images, "the labels file of the same part beside it", "none");
        let labels = find(split, "labels").ok_or_else(missing)?;
        return read_pair(&images, &labels).map(Some);
    }
    let other = if split == Split::Train { Split::Test } else { Split::Train };
    match find(other, "images") {
        None => Ok(None),
        Some(other) => Err(DataError::Incomplete {
            folder: folder.to_owned(),
            expected: format!("the files of [{}]", split.name()),
            found: format!("only {}", other.file_name().unwrap_or_default().to_string_lossy()),
        }),
    }
}

fn read_pair(images: &Path, labels: &Path) -> Result<Parsed, DataError> {
    let budget = &Budget::default();
    let image_data = read(images, budget)?;
    let label_data = read(labels, budget)?;
    let (count, dim, shape) = match image_data.shape[..] {
        [count, dim] => (count, dim, None),
        // Two extents of 32 bits.
        [count, height, width] => (count, height * width, Some(ImageShape { width, height, channels: 1 })),
        _ => {
            let expected = "2 or 3 axes (magic number 0x00000803 for images)";
            return Err(DataError::format(images, expected, format!("{} axes", image_data.shape.len())));
        }
    };
    if label_data.shape.len() != 1 {
        let expected = "1 axis (magic number 0x00000801 for labels)";
        return Err(DataError::format(labels, expected, format!("{} axes", label_data.shape.len())));
    }
    if label_data.shape[0] != count {
        let images = images.file_name().unwrap_or_default().to_string_lossy();
        let expected = format!("{count} labels, one for each image in {images}");
        return Err(DataError::format(labels, expected, format!("{}", label_data.shape[0])));
    }
    let label_values = label_data.integers(labels, budget)?;
    let points = image_data.points(images, budget)?;
    budget.take_of::<Label>(label_values.len(), labels)?;
    let labels_of_rows = label_values.into_iter().map(Label::Int).collect();
    let dataset = dataset(images, points, dim, labels_of_rows, shape, budget)?;
    Ok(Parsed {
        dataset,
        files: vec![images.to_owned(), labels.to_owned()],
        notes: Vec::new(),
        columns: Columns::Places,
    })
}

fn read(path: &Path, budget: &Budget) -> Result<Idx, DataError> {
    parse(&mut source::open(path, budget)?.reader, path, budget)
}

fn parse(reader: &mut impl Read, file: &Path, budget: &Budget) -> Result<Idx, DataError> {
    let on_error = |error| DataError::io(file, error);
    let mut magic = [0; 4];
    let found = read_full(reader, &mut magic).map_err(on_error)?;
    let [0, 0, element, axes @ 1..=4] = magic else {
        let found =
            if found < 4 { format!("{found} bytes") } else { format!("{:#010x}", u32::from_be_bytes(magic)) };
        return Err(DataError::format(file, "an IDX magic number such as 0x00000803", found));
    };
    let size: u64 = match element {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        _ => {
            let found = format!("{:#010x}", u32::from_be_bytes(magic));
            return Err(DataError::format(file, "an IDX magic number such as 0x00000803", found));
        }
    };
    let header = 4 + 4 * u64::from(axes);
    let mut extents = vec![0; 4 * usize::from(axes)];
    let found = read_full(reader, &mut extents).map_err(on_error)?;
    if found < extents.len() {
        return Err(truncated(file, header, 4 + found as u64));
    }
    let extents: Vec<u32> =
        extents.as_chunks::<4>().0.iter().map(|&bytes| u32::from_be_bytes(bytes)).collect();
    let expected = extents.iter().try_fold(size, |total, &extent| total.checked_mul(u64::from(extent)));
    let expected = expected.filter(|&bytes| bytes <= isize::MAX as u64 / 8).ok_or_else(|| {
        DataError::format(file, "an array that fits into memory", format!("shape {extents:?}"))
    })?;
    // Memory grows with what is there, not with what the header promises.
    let bytes = budget.read_to_end(&mut reader.take(expected), file)?;
    let found = bytes.len() as u64;
    if found < expected {
        return Err(truncated(file, header + expected, header + found));
    }
    if read_full(reader, &mut [0]).map_err(on_error)? > 0 {
        return Err(DataError::format(file, format!("{} bytes in all", header + expected), "more"));
    }
    let shape = extents.into_iter().map(|extent| extent as usize).collect();
    let count = bytes.len() / size as usize;
    Ok(Idx { element, shape, count, bytes })
}

fn truncated(file: &Path, expected: u64, found: u64) -> DataError {
    DataError::Truncated { file: PathBuf::from(file), expected, found }
}

impl Idx {
    fn points(&self, file: &Path, budget: &Budget) -> Result<Points, DataError> {
        if self.element != 0x08 {
            budget.take_of::<f64>(self.count, file)?;
        }
        Ok(match self.element {
            0x08 => Points::F32(take_pixels(&self.bytes, file, budget)?),
            0x09 => Points::F64(self.elements(|[byte]| f64::from(byte.cast_signed()))),
            0x0b => Points::F64(self.elements(|bytes| f64::from(i16::from_be_bytes(bytes)))),
            0x0c => Points::F64(self.elements(|bytes| f64::from(i32::from_be_bytes(bytes)))),
            0x0d => Points::F32(self.elements(f32::from_be_bytes)),
            _ => Points::F64(self.elements(f64::from_be_bytes)),
        })
    }

    fn integers(&self, file: &Path, budget: &Budget) -> Result<Vec<i64>, DataError> {
        budget.take_of::<i64>(self.count, file)?;
        Ok(match self.element {
            0x08 => self.elements(|[byte]| i64::from(byte)),
            0x09 => self.elements(|[byte]| i64::from(byte.cast_signed())),
            0x0b => self.elements(|bytes| i64::from(i16::from_be_bytes(bytes))),
            0x0c => self.elements(|bytes| i64::from(i32::from_be_bytes(bytes))),
            _ => return Err(DataError::format(file, "whole numbers as labels", "floating-point numbers")),
        })
    }

    fn elements<const N: usize, T>(&self, convert: impl Fn([u8; N]) -> T) -> Vec<T> {
        self.bytes.as_chunks::<N>().0.iter().map(|&bytes| convert(bytes)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idx(element: u8, shape: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![0, 0, element, shape.len() as u8];
        out.extend(shape.iter().flat_map(|extent| extent.to_be_bytes()));
        out.extend(bytes);
        out
    }

    fn read_folder(images: &[u8], labels: &[u8]) -> Result<Parsed, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train-images-idx3-ubyte");
        std::fs::write(&path, images).unwrap();
        std::fs::write(folder.path().join("train-labels-idx1-ubyte"), labels).unwrap();
        let prefix = format!("{}/", folder.path().display());
        super::super::read_path(&path, None).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    #[test]
    fn images_and_labels() {
        let parsed =
            read_folder(&idx(8, &[2, 1, 3], &[0, 51, 255, 255, 0, 0]), &idx(8, &[2], &[7, 3])).unwrap();
        assert_eq!(parsed.dataset.points(), &Points::F32(vec![0.0, 0.2, 1.0, 1.0, 0.0, 0.0]));
        assert_eq!(parsed.dataset.image_shape(), Some(ImageShape { width: 3, height: 1, channels: 1 }));
        assert_eq!(parsed.dataset.label(0), &Label::Int(7));
        assert_eq!(parsed.files.len(), 2);
        let floats: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|v| v.to_be_bytes()).collect();
        let parsed =
            read_folder(&idx(13, &[2, 1], &floats), &idx(12, &[2], &[0, 0, 1, 0, 255, 255, 255, 255]));
        let parsed = parsed.unwrap();
        assert_eq!(parsed.dataset.points(), &Points::F32(vec![1.5, -2.0]));
        assert_eq!(parsed.dataset.classes(), &[Label::Int(-1), Label::Int(256)]);
    }

    #[test]
    fn bad_files_are_named() {
        let (images, labels) = (idx(8, &[2, 1, 3], &[0; 6]), idx(8, &[2], &[7, 3]));
        let cases: [(&[u8], &[u8], &str); 7] = [
            (
                &images[..20],
                &labels,
                "train-images-idx3-ubyte: expected 22 bytes, found 20: the file is cut short",
            ),
            (
                &images[..9],
                &labels,
                "train-images-idx3-ubyte: expected 16 bytes, found 9: the file is cut short",
            ),
            (
                b"\x00\x01\x08\x03\0\0\0\0",
                &labels,
                "train-images-idx3-ubyte: expected the IDX magic number 0x00000803 (images), found 0x00010803",
            ),
            (
                &images,
                &idx(8, &[3], &[7, 3, 1]),
                "train-labels-idx1-ubyte: expected 2 labels, one for each image in train-images-idx3-ubyte, \
                 found 3",
            ),
            (
                &images,
                &images,
                "train-labels-idx1-ubyte: expected 1 axis (magic number 0x00000801 for labels), found 3 axes",
            ),
            (
                &images,
                b"\0\0\x07\x01\0\0\0\0",
                "train-labels-idx1-ubyte: expected an IDX magic number such as 0x00000803, found 0x00000701",
            ),
            (
                &[&images[..], &[0]].concat(),
                &labels,
                "train-images-idx3-ubyte: expected 22 bytes in all, found more",
            ),
        ];
        for (images, labels, expected) in cases {
            assert_eq!(read_folder(images, labels).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_header_that_promises_everything_costs_nothing() {
        let file = Path::new("big");
        let error =
            parse(&mut &idx(8, &[u32::MAX, 10_000, 1], &[0; 9])[..], file, &Budget::default()).unwrap_err();
        assert!(matches!(error, DataError::Truncated { found: 25, .. }), "{error}");
        let error = parse(&mut &idx(14, &[u32::MAX, u32::MAX, u32::MAX], &[])[..], file, &Budget::default())
            .unwrap_err();
        assert!(error.to_string().contains("fits into memory"), "{error}");
    }

    #[test]
    fn a_part_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_named(folder.path(), Split::Train).unwrap().is_none());
        std::fs::write(folder.path().join("t10k-images-idx3-ubyte"), "").unwrap();
        let error = read_named(folder.path(), Split::Train).unwrap_err().to_string();
        assert!(
            error.ends_with("expected the files of [train], found only t10k-images-idx3-ubyte"),
            "{error}"
        );
    }
}
