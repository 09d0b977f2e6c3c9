//! MATLAB 5 files as SVHN has them: `X` (height x width x 3 x n bytes) and `y` (digits 1 to 10).

use std::path::Path;

use flate2::read::ZlibDecoder;
use wowflow::dataset::{ImageShape, Label, LabeledDataset, Points};

use super::source;
use super::{Parsed, dataset};
use crate::bounded::Budget;
use crate::columns::Columns;
use crate::error::DataError;

const HEADER: usize = 128;
const COMPRESSED: u32 = 15;
const MATRIX: u32 = 14;
const UINT8: u32 = 2;

/// Reads `X` and `y`; the label 10 stands for the digit 0.
pub(crate) fn read_file(path: &Path) -> Result<Parsed, DataError> {
    let budget = &Budget::default();
    let dataset = parse(&source::read_whole(path, budget)?, path, budget)?;
    Ok(Parsed { dataset, files: vec![path.to_owned()], notes: Vec::new(), columns: Columns::Places })
}

fn parse(bytes: &[u8], file: &Path, budget: &Budget) -> Result<LabeledDataset, DataError> {
    if bytes.get(126..HEADER) != Some(b"IM") {
        return Err(DataError::format(file, "a little-endian MATLAB 5 file", "another header"));
    }
    let mut rest = &bytes[HEADER..];
    let (mut images, mut labels, mut names) = (None, None, Vec::new());
    while !rest.is_empty() {
        let (kind, content) = element(&mut rest, file)?;
        let mut expanded = Vec::new();
        let matrix = match kind {
            MATRIX => content,
            COMPRESSED => {
                expanded = budget.read_to_end(&mut budget.expanding(ZlibDecoder::new(content)), file)?;
                match element(&mut &expanded[..], file)? {
                    (MATRIX, content) => content,
                    (kind, _) => return Err(unexpected(file, "an array", kind)),
                }
            }
            kind => return Err(unexpected(file, "an array", kind)),
        };
        let array = Array::parse(matrix, file)?;
        names.push(String::from_utf8_lossy(array.name).into_owned());
        match array.name {
            b"X" => images = Some(array.images(file, budget)?),
            b"y" => labels = Some(array.digits(file, budget)?),
            _ => {}
        }
        budget.give(expanded.len() as u64);
    }
    let (Some((shape, points)), Some(labels)) = (images, labels) else {
        let found = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let expected = "arrays X and y as SVHN has them";
        return Err(DataError::format(file, expected, format!("{found}: {}", convert(&names))));
    };
    let count = points.len() / shape.len().max(1);
    if labels.len() != count {
        let expected = format!("{count} labels in y, one for each image in X");
        return Err(DataError::format(file, expected, format!("{}", labels.len())));
    }
    dataset(file, Points::F32(points), shape.len(), labels, Some(shape), budget)
}

/// A line of Python that makes an archive of other arrays.
fn convert(names: &[String]) -> String {
    let name = |k: usize| names.get(k).map_or("...", String::as_str);
    format!(
        "in Python m = scipy.io.loadmat(FILE); numpy.savez('data.npz', X=m['{}'], y=m['{}'].reshape(-1)), points and \
         labels by the names that they have",
        name(0),
        name(1)
    )
}

/// An array: its name, extents, and the type and bytes of its elements.
struct Array<'a> {
    name: &'a [u8],
    extents: Vec<usize>,
    kind: u32,
    bytes: &'a [u8],
}

impl<'a> Array<'a> {
    fn parse(mut content: &'a [u8], file: &Path) -> Result<Self, DataError> {
        let (_, _flags) = element(&mut content, file)?;
        let (_, extents) = element(&mut content, file)?;
        let (_, name) = element(&mut content, file)?;
        // Cells and structures have other content; their names are enough.
        let (kind, bytes) = element(&mut content, file).unwrap_or_default();
        let extents = extents.as_chunks::<4>().0.iter().map(|&extent| u32::from_le_bytes(extent) as usize);
        Ok(Self { name, extents: extents.collect(), kind, bytes })
    }

    /// Images from column-major height x width x channels x n to one row-major plane a channel.
    fn images(&self, file: &Path, budget: &Budget) -> Result<(ImageShape, Vec<f32>), DataError> {
        let shape = match self.extents[..] {
            [height, width, channels @ (1 | 3)] => Some((ImageShape { width, height, channels }, 1)),
            [height, width, channels @ (1 | 3), count] => {
                Some((ImageShape { width, height, channels }, count))
            }
            _ => None,
        };
        let size = self.extents.iter().try_fold(1usize, |size, &extent| size.checked_mul(extent));
        let shape = shape.filter(|_| size == Some(self.bytes.len()) && self.kind == UINT8);
        let (shape, count) = shape.ok_or_else(|| {
            let found =
                format!("extents {:?} of type {}, {} bytes", self.extents, self.kind, self.bytes.len());
            let other = convert(&["X".to_owned(), "y".to_owned()]);
            DataError::format(file, "X of height x width x 3 x n bytes", format!("{found}: {other}"))
        })?;
        budget.take_of::<f32>(self.bytes.len(), file)?;
        let mut out = Vec::with_capacity(shape.len() * count);
        for image in self.bytes.chunks_exact(shape.len().max(1)) {
            for plane in image.chunks_exact(shape.width * shape.height) {
                for row in 0..shape.height {
                    let pixels = plane.iter().skip(row).step_by(shape.height);
                    out.extend(pixels.map(|&pixel| f32::from(pixel) / 255.0));
                }
            }
        }
        Ok((shape, out))
    }

    fn digits(&self, file: &Path, budget: &Budget) -> Result<Vec<Label>, DataError> {
        // A number, and a label of it in a list that grows to twice its length.
        budget.take_of::<[Label; 3]>(self.bytes.len(), file)?;
        let values: Vec<f64> = match self.kind {
            1 => self.elements(|[byte]| f64::from(byte.cast_signed())),
            UINT8 => self.elements(|[byte]| f64::from(byte)),
            3 => self.elements(|bytes| f64::from(i16::from_le_bytes(bytes))),
            4 => self.elements(|bytes| f64::from(u16::from_le_bytes(bytes))),
            5 => self.elements(|bytes| f64::from(i32::from_le_bytes(bytes))),
            6 => self.elements(|bytes| f64::from(u32::from_le_bytes(bytes))),
            7 => self.elements(|bytes| f64::from(f32::from_le_bytes(bytes))),
            9 => self.elements(f64::from_le_bytes),
            // Of numpy, whose whole numbers have eight bytes.
            12 => self.elements(|bytes| i64::from_le_bytes(bytes) as f64),
            13 => self.elements(|bytes| u64::from_le_bytes(bytes) as f64),
            kind => return Err(unexpected(file, "numbers in y", kind)),
        };
        let digit = |(row, value): (usize, f64)| match value {
            10.0 => Ok(Label::Int(0)),
            value if (0.0..10.0).contains(&value) && value.fract() == 0.0 => Ok(Label::Int(value as i64)),
            value => {
                let other = convert(&["X".to_owned(), "y".to_owned()]);
                let found = format!("{value} at row {}: {other}", row + 1);
                Err(DataError::format(file, "labels from 1 to 10 (10 is the digit 0)", found))
            }
        };
        values.into_iter().enumerate().map(digit).collect()
    }

    fn elements<const N: usize>(&self, convert: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        self.bytes.as_chunks::<N>().0.iter().map(|&bytes| convert(bytes)).collect()
    }
}

/// Takes the next tagged element off `rest`: its type and content.
fn element<'a>(rest: &mut &'a [u8], file: &Path) -> Result<(u32, &'a [u8]), DataError> {
    let bytes: &'a [u8] = rest;
    let cut = |expected: usize| DataError::Truncated {
        file: file.to_owned(),
        expected: expected as u64,
        found: bytes.len() as u64,
    };
    let tag = bytes.first_chunk::<8>().ok_or_else(|| cut(8))?;
    let word = u32::from_le_bytes([tag[0], tag[1], tag[2], tag[3]]);
    // Up to four bytes of content share the eight bytes of the tag.
    if word >> 16 != 0 {
        let length = (word >> 16) as usize;
        let content = bytes[4..8].get(..length).ok_or_else(|| {
            DataError::format(file, "at most 4 bytes in a small element", format!("{length}"))
        })?;
        *rest = &bytes[8..];
        return Ok((word & 0xffff, content));
    }
    let length = u32::from_le_bytes([tag[4], tag[5], tag[6], tag[7]]) as usize;
    let content = bytes[8..].get(..length).ok_or_else(|| cut(length.saturating_add(8)))?;
    // Elements are padded to eight bytes, but for compressed ones and for the last.
    let padded = if word == COMPRESSED { length } else { length.next_multiple_of(8) };
    *rest = bytes.get(8 + padded..).unwrap_or_default();
    Ok((word, content))
}

fn unexpected(file: &Path, expected: &str, kind: u32) -> DataError {
    DataError::format(file, expected, format!("an element of type {kind}"))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    fn tagged(kind: u32, content: &[u8]) -> Vec<u8> {
        let mut out = [kind.to_le_bytes(), (content.len() as u32).to_le_bytes()].concat();
        out.extend(content);
        if kind != COMPRESSED {
            out.resize(out.len().next_multiple_of(8), 0);
        }
        out
    }

    pub(in crate::read) fn array(name: &[u8], extents: &[u32], kind: u32, bytes: &[u8]) -> Vec<u8> {
        let extents: Vec<u8> = extents.iter().flat_map(|extent| extent.to_le_bytes()).collect();
        // MATLAB writes short names as small elements.
        let small = [&(1u32 | 1 << 16).to_le_bytes()[..], name, &[0; 3]].concat();
        tagged(
            MATRIX,
            &[tagged(6, &[9, 0, 0, 0, 0, 0, 0, 0]), tagged(5, &extents), small, tagged(kind, bytes)].concat(),
        )
    }

    pub(in crate::read) fn file(arrays: &[Vec<u8>]) -> Vec<u8> {
        let mut out = b"MATLAB 5.0 MAT-file".to_vec();
        out.resize(124, b' ');
        out.extend([0, 1, b'I', b'M']);
        out.extend(arrays.concat());
        out
    }

    pub(in crate::read) fn compressed(array: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Default::default());
        encoder.write_all(array).unwrap();
        tagged(COMPRESSED, &encoder.finish().unwrap())
    }

    fn read(bytes: &[u8]) -> Result<LabeledDataset, String> {
        parse(bytes, Path::new("t.mat"), &Budget::of(bytes.len() as u64)).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_become_rows_and_ten_becomes_zero() {
        // Two images of 2 rows, 3 columns, 3 channels; pixel = 100 n + 50 c' + 10 row + column, c' = c > 0.
        let mut bytes = Vec::new();
        for image in 0..2u8 {
            for channel in 0..3u8 {
                for column in 0..3u8 {
                    for row in 0..2u8 {
                        bytes.push(100 * image + 50 * u8::from(channel > 0) + 10 * row + column);
                    }
                }
            }
        }
        let x = array(b"X", &[2, 3, 3, 2], UINT8, &bytes);
        let longs: Vec<u8> = [10i64, 1].iter().flat_map(|v| v.to_le_bytes()).collect();
        let doubles: Vec<u8> = [10.0f64, 1.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        for file in [
            file(&[x.clone(), array(b"y", &[2, 1], UINT8, &[10, 1])]),
            file(&[compressed(&x), compressed(&array(b"y", &[2, 1], 9, &doubles))]),
            file(&[x.clone(), array(b"y", &[1, 2], 12, &longs)]),
            file(&[x.clone(), array(b"y", &[2, 1], 13, &longs)]),
        ] {
            let data = read(&file).unwrap();
            assert_eq!(data.image_shape(), Some(ImageShape { width: 3, height: 2, channels: 3 }));
            assert_eq!((data.label(0), data.label(1)), (&Label::Int(0), &Label::Int(1)));
            let row: Vec<f64> = data.row(1).iter().map(|v| (v * 255.0).round()).collect();
            assert_eq!(row[..6], [100.0, 101.0, 102.0, 110.0, 111.0, 112.0]);
            assert_eq!(row[6..12], [150.0, 151.0, 152.0, 160.0, 161.0, 162.0]);
        }
    }

    #[test]
    fn bad_files_are_named() {
        let x = array(b"X", &[1, 1, 3, 1], UINT8, &[1, 2, 3]);
        let y = |values: &[u8]| array(b"y", &[values.len() as u32, 1], UINT8, values);
        let cases = [
            (
                file(std::slice::from_ref(&x)),
                "expected arrays X and y as SVHN has them, found X: in Python m = scipy.io.loadmat(FILE); \
                 numpy.savez('data.npz', X=m['X'], y=m['...'].reshape(-1)), points and labels by the names that they have",
            ),
            (file(&[x.clone(), y(&[1, 2])]), "expected 1 labels in y, one for each image in X, found 2"),
            (
                file(&[x.clone(), y(&[11])]),
                "expected labels from 1 to 10 (10 is the digit 0), found 11 at row 1",
            ),
            (
                file(&[array(b"X", &[1, 1, 3, 9], UINT8, &[1, 2, 3]), y(&[1])]),
                "expected X of height x width x 3 x n bytes, found extents [1, 1, 3, 9] of type 2, 3 bytes",
            ),
            (file(&[tagged(3, &[0; 8])]), "expected an array, found an element of type 3"),
        ];
        for (bytes, expected) in cases {
            let error = read(&bytes).unwrap_err();
            assert!(error.starts_with(&format!("t.mat: {expected}")), "{error}");
        }
        let whole = file(&[x, y(&[1])]);
        assert!(read(&whole).is_ok());
        for length in HEADER..whole.len() - 8 {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
    }
}
