//! From an array to the bytes of a `.npy` file.

use std::io::{self, Write};
use std::path::Path;

use super::header::MAGIC;
use super::{NpyArray, NpyData, element_count};
use crate::atomic;
use crate::error::DataError;

/// Writes one array as a `.npy` file, whole or not at all, replacing a file of that name.
///
/// # Errors
/// A path that cannot be written, or elements that do not fill the shape.
///
/// ```
/// use wowflow_data::npy::{NpyArray, read_npy, write_npy};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("X.npy");
/// let array = NpyArray::f32([2, 2], vec![0.0, 0.5, 1.0, 1.5]);
/// write_npy(&path, &array)?;
/// assert_eq!(read_npy(&path)?, array);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_npy(path: impl AsRef<Path>, array: &NpyArray) -> Result<(), DataError> {
    save(path.as_ref(), array)
}

fn save(path: &Path, array: &NpyArray) -> Result<(), DataError> {
    atomic::write(path, |file| write_npy_to(file, array)).map_err(|error| DataError::io(path, error))
}

/// Writes one array to `writer` in `.npy` format, version 1, little-endian, row-major.
///
/// # Errors
/// What the writer reports; [`io::ErrorKind::InvalidInput`] when the elements do not fill the shape.
pub fn write_npy_to(writer: &mut dyn Write, array: &NpyArray) -> io::Result<()> {
    let (expected, found) = (element_count(&array.shape), array.data.len());
    if expected != Some(found) {
        let message = format!("expected as many elements as shape {:?} has, found {found}", array.shape);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    writer.write_all(&header(array)?)?;
    match &array.data {
        NpyData::F32(values) => blocks(writer, values, |v, out| out.extend(v.to_le_bytes())),
        NpyData::F64(values) => blocks(writer, values, |v, out| out.extend(v.to_le_bytes())),
        NpyData::U8(values) => writer.write_all(values),
        NpyData::Bool(values) => blocks(writer, values, |&v, out| out.push(u8::from(v))),
        NpyData::I64(values) => blocks(writer, values, |v, out| out.extend(v.to_le_bytes())),
        NpyData::Text(values) => {
            let width = width(values);
            blocks(writer, values, |text, out| {
                let codes = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(width);
                out.extend(codes.flat_map(u32::to_le_bytes));
            })
        }
    }
}

/// Size of what [`write_npy_to`] writes, in bytes.
pub(super) fn encoded_len(array: &NpyArray) -> u64 {
    let size = match &array.data {
        NpyData::U8(_) | NpyData::Bool(_) => 1,
        NpyData::F32(_) => 4,
        NpyData::F64(_) | NpyData::I64(_) => 8,
        NpyData::Text(values) => 4 * width(values) as u64,
    };
    // The header is far below this.
    array.data.len() as u64 * size + (1 << 16)
}

fn header(array: &NpyArray) -> io::Result<Vec<u8>> {
    let descr = match &array.data {
        NpyData::F32(_) => "<f4".to_owned(),
        NpyData::F64(_) => "<f8".to_owned(),
        NpyData::U8(_) => "|u1".to_owned(),
        NpyData::Bool(_) => "|b1".to_owned(),
        NpyData::I64(_) => "<i8".to_owned(),
        NpyData::Text(values) => format!("<U{}", width(values)),
    };
    let shape = match array.shape[..] {
        [one] => format!("({one},)"),
        _ => format!("({})", array.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // The format asks that the data start at a multiple of 64 bytes.
    let start = MAGIC.len() + 2 + 2;
    let padding = (start + text.len() + 1).next_multiple_of(64) - (start + text.len() + 1);
    text.extend(std::iter::repeat_n(' ', padding));
    text.push('\n');
    let length = u16::try_from(text.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "expected fewer axes for a .npy header"))?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend(length.to_le_bytes());
    bytes.extend(text.as_bytes());
    Ok(bytes)
}

/// Characters of the longest string; at least one, since NumPy has no strings of width 0.
fn width(values: &[String]) -> usize {
    values.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1)
}

fn blocks<T>(writer: &mut dyn Write, values: &[T], append: impl Fn(&T, &mut Vec<u8>)) -> io::Result<()> {
    let mut bytes = Vec::new();
    for block in values.chunks(8192) {
        bytes.clear();
        block.iter().for_each(|value| append(value, &mut bytes));
        writer.write_all(&bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy::read_npy_from;

    fn round_trip(array: &NpyArray) -> NpyArray {
        let mut bytes = Vec::new();
        write_npy_to(&mut bytes, array).unwrap();
        assert!(bytes.len() as u64 <= encoded_len(array));
        let mut rest = &bytes[..];
        let read = read_npy_from(&mut rest, Path::new("memory")).unwrap();
        assert!(rest.is_empty());
        read
    }

    #[test]
    fn arrays_come_back_equal() {
        for array in [
            NpyArray::f32([2, 3], vec![0.1, -2.0, 3e30, 0.0, 1.0, f32::MIN_POSITIVE]),
            NpyArray::f64([], vec![std::f64::consts::PI]),
            NpyArray::u8([0, 5], vec![]),
            NpyArray { shape: vec![2], data: NpyData::Bool(vec![true, false]) },
            NpyArray::i64([3], vec![i64::MIN, 0, i64::MAX]),
            NpyArray::text([2], vec!["naïve".into(), String::new()]),
            NpyArray::f64([10_000], (0..10_000).map(f64::from).collect()),
        ] {
            assert_eq!(round_trip(&array), array);
        }
    }

    #[test]
    fn the_header_is_aligned_and_exact() {
        let mut bytes = Vec::new();
        write_npy_to(&mut bytes, &NpyArray::u8([3], vec![7, 8, 9])).unwrap();
        assert_eq!(bytes.len(), 128 + 3);
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert!(bytes[10..].starts_with(b"{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }  "));
        assert_eq!(bytes[127], b'\n');
    }

    #[test]
    fn an_unfilled_shape_is_refused() {
        let array = NpyArray { shape: vec![2, 2], data: NpyData::U8(vec![1]) };
        let error = write_npy_to(&mut Vec::new(), &array).unwrap_err();
        assert_eq!(error.to_string(), "expected as many elements as shape [2, 2] has, found 1");
    }
}
