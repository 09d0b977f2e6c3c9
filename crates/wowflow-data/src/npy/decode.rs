//! From the bytes of a `.npy` file to an array.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::header::{self, Header};
use super::{NpyArray, NpyData, element_count};
use crate::bounded::{Budget, read_full};
use crate::error::DataError;

/// Reads one array from a `.npy` file.
///
/// Types: booleans, integers of 1 to 8 bytes, floats of 2, 4 and 8 bytes, `S` and `U` strings, in
/// either byte order; column-major (Fortran) arrays are put into row-major order.
///
/// # Errors
/// A file that cannot be opened, is cut short, goes on after its array, or holds Python objects,
/// fields or other types, or more than memory allows. A header that promises more than the file has costs no memory.
pub fn read_npy(path: impl AsRef<Path>) -> Result<NpyArray, DataError> {
    read_counted(path.as_ref(), &Budget::default())
}

/// [`read_npy`], one more file of a budget.
pub(crate) fn read_counted(path: &Path, budget: &Budget) -> Result<NpyArray, DataError> {
    let on_error = |error| DataError::io(path, error);
    let file = File::open(path).map_err(on_error)?;
    budget.open(file.metadata().map_err(on_error)?.len());
    read_all(&mut BufReader::new(file), path, budget)
}

/// Reads one array from `reader`, leaving what follows it; `file` names it in errors.
///
/// # Errors
/// As [`read_npy`].
pub fn read_npy_from(reader: &mut dyn Read, file: &Path) -> Result<NpyArray, DataError> {
    // How much comes is not known: the machine is the limit.
    read_array(reader, file, &Budget::of(u64::MAX))
}

fn read_array(reader: &mut dyn Read, file: &Path, budget: &Budget) -> Result<NpyArray, DataError> {
    let header = header::read(reader, file)?;
    let count = element_count(&header.shape).filter(|count| count.checked_mul(header.size.max(1)).is_some());
    let count = count.ok_or_else(|| {
        DataError::format(file, "an array that fits into memory", format!("shape {:?}", header.shape))
    })?;
    let data = elements(reader, &header, count, file, budget)?;
    let data = if header.fortran && header.shape.len() > 1 {
        let size = memory_of(&data);
        budget.take(size, file)?;
        let data = to_row_major(data, &header.shape);
        budget.give(size);
        data
    } else {
        data
    };
    Ok(NpyArray { shape: header.shape, data })
}

/// Bytes that elements take.
pub(crate) fn memory_of(data: &NpyData) -> u64 {
    let size = match data {
        NpyData::U8(_) | NpyData::Bool(_) => 1,
        NpyData::F32(_) => 4,
        NpyData::F64(_) | NpyData::I64(_) => 8,
        NpyData::Text(texts) => return texts.iter().map(|text| text_memory(text.len())).sum(),
    };
    data.len() as u64 * size
}

/// Bytes that a string takes, with what the allocator needs.
fn text_memory(length: usize) -> u64 {
    (size_of::<String>() + length + 16) as u64
}

/// Reads one array and checks that nothing follows.
pub(super) fn read_all(reader: &mut dyn Read, file: &Path, budget: &Budget) -> Result<NpyArray, DataError> {
    let array = read_array(reader, file, budget)?;
    // Reading the end also makes a zip archive check its checksum.
    match read_full(reader, &mut [0]).map_err(|error| DataError::io(file, error))? {
        0 => Ok(array),
        _ => {
            Err(DataError::format(file, format!("nothing after {} elements", array.data.len()), "more bytes"))
        }
    }
}

fn elements(
    reader: &mut dyn Read,
    header: &Header,
    count: usize,
    file: &Path,
    budget: &Budget,
) -> Result<NpyData, DataError> {
    let source = &mut Source { reader, file, count, big_endian: header.big_endian, budget };
    Ok(match (header.kind, header.size) {
        ('f', 4) => NpyData::F32(source.read(|bytes| Some(f32::from_le_bytes(bytes)))?),
        ('f', 8) => NpyData::F64(source.read(|bytes| Some(f64::from_le_bytes(bytes)))?),
        ('f', _) => NpyData::F32(source.read(|bytes| Some(half(u16::from_le_bytes(bytes))))?),
        ('b', _) => NpyData::Bool(source.read(|[byte]| Some(byte != 0))?),
        ('u', 1) => NpyData::U8(source.read(|[byte]| Some(byte))?),
        ('u', 2) => NpyData::I64(source.read(|bytes| Some(u16::from_le_bytes(bytes).into()))?),
        ('u', 4) => NpyData::I64(source.read(|bytes| Some(u32::from_le_bytes(bytes).into()))?),
        ('u', _) => NpyData::I64(source.read(|bytes| u64::from_le_bytes(bytes).try_into().ok())?),
        ('i', 1) => NpyData::I64(source.read(|bytes| Some(i8::from_le_bytes(bytes).into()))?),
        ('i', 2) => NpyData::I64(source.read(|bytes| Some(i16::from_le_bytes(bytes).into()))?),
        ('i', 4) => NpyData::I64(source.read(|bytes| Some(i32::from_le_bytes(bytes).into()))?),
        ('i', _) => NpyData::I64(source.read(|bytes| Some(i64::from_le_bytes(bytes)))?),
        (kind, size) => NpyData::Text(source.strings(kind, size)?),
    })
}

/// Elements that are read at a time, and bytes of strings.
const BLOCK: usize = 8192;

/// The elements still to come. Memory grows with what was read, not with what was promised.
struct Source<'a> {
    reader: &'a mut dyn Read,
    file: &'a Path,
    count: usize,
    big_endian: bool,
    budget: &'a Budget,
}

impl Source<'_> {
    fn read<const N: usize, T>(
        &mut self,
        convert: impl Fn([u8; N]) -> Option<T>,
    ) -> Result<Vec<T>, DataError> {
        let mut values = Vec::new();
        let mut buffer = vec![0; N * self.count.min(BLOCK)];
        while values.len() < self.count {
            if values.len() == values.capacity() {
                let more = values.len().max(BLOCK).min(self.count - values.len());
                self.budget.take_of::<T>(more, self.file)?;
                values.reserve_exact(more);
            }
            let bytes = &mut buffer
                [..N * (values.capacity() - values.len()).min(self.count - values.len()).min(BLOCK)];
            let found = read_full(self.reader, bytes).map_err(|error| DataError::io(self.file, error))?;
            if found < bytes.len() {
                return Err(self.truncated(N, values.len() * N + found));
            }
            for (index, bytes) in bytes.as_chunks::<N>().0.iter().enumerate() {
                let mut bytes = *bytes;
                if self.big_endian {
                    bytes.reverse();
                }
                let value = convert(bytes).ok_or_else(|| {
                    let found = format!("a larger one as element {}", values.len() + index + 1);
                    DataError::format(self.file, format!("whole numbers up to {}", i64::MAX), found)
                });
                values.push(value?);
            }
        }
        Ok(values)
    }

    fn strings(&mut self, kind: char, size: usize) -> Result<Vec<String>, DataError> {
        if size == 0 && self.count > 0 {
            // Nothing to read would bound the number of empty strings.
            let found = format!("{} strings of length 0", self.count);
            return Err(DataError::format(self.file, "strings of at least one character", found));
        }
        let mut values = Vec::new();
        let mut buffer = vec![0; size.min(BLOCK)];
        while values.len() < self.count {
            let long;
            let bytes = if size <= BLOCK {
                let found =
                    read_full(self.reader, &mut buffer).map_err(|error| DataError::io(self.file, error))?;
                &buffer[..found]
            } else {
                long = self.budget.read_to_end(&mut (&mut *self.reader).take(size as u64), self.file)?;
                self.budget.give(long.len() as u64);
                &long[..]
            };
            if bytes.len() < size {
                return Err(self.truncated(size, values.len() * size + bytes.len()));
            }
            let text = if kind == 'S' { Some(latin(bytes)) } else { self.unicode(bytes) };
            // The list grows to twice its length.
            let place = size_of::<String>() as u64;
            self.budget.take(place + text_memory(text.as_ref().map_or(0, String::len)), self.file)?;
            values.push(text.ok_or_else(|| {
                let found = format!("other numbers in element {}", values.len() + 1);
                DataError::format(self.file, "strings of Unicode characters", found)
            })?);
        }
        Ok(values)
    }

    fn unicode(&self, bytes: &[u8]) -> Option<String> {
        let codes = bytes.as_chunks::<4>().0.iter();
        let read = if self.big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let mut codes: Vec<u32> = codes.map(|&code| read(code)).collect();
        while codes.last() == Some(&0) {
            codes.pop();
        }
        codes.into_iter().map(char::from_u32).collect()
    }

    fn truncated(&self, size: usize, found: usize) -> DataError {
        let expected = (self.count * size) as u64;
        DataError::Truncated { file: self.file.to_owned(), expected, found: found as u64 }
    }
}

/// Byte strings are UTF-8 where they can be, else one character a byte.
fn latin(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let bytes = &bytes[..end];
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&b| char::from(b)).collect(), str::to_owned)
}

/// IEEE 754 half precision, exactly.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    match exponent {
        0 => sign * fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1024.0 + fraction) * 2f32.powi(exponent - 25),
    }
}

fn to_row_major(data: NpyData, shape: &[usize]) -> NpyData {
    fn reorder<T: Clone>(values: &[T], shape: &[usize]) -> Vec<T> {
        let mut stride = 1;
        let strides: Vec<usize> = shape
            .iter()
            .map(|&extent| {
                let own = stride;
                stride *= extent;
                own
            })
            .collect();
        let mut index = vec![0; shape.len()];
        let mut from = 0;
        let mut out = Vec::with_capacity(values.len());
        while out.len() < values.len() {
            out.push(values[from].clone());
            for axis in (0..shape.len()).rev() {
                index[axis] += 1;
                from += strides[axis];
                if index[axis] < shape[axis] {
                    break;
                }
                from -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }
        out
    }
    match data {
        NpyData::F32(values) => NpyData::F32(reorder(&values, shape)),
        NpyData::F64(values) => NpyData::F64(reorder(&values, shape)),
        NpyData::U8(values) => NpyData::U8(reorder(&values, shape)),
        NpyData::Bool(values) => NpyData::Bool(reorder(&values, shape)),
        NpyData::I64(values) => NpyData::I64(reorder(&values, shape)),
        NpyData::Text(values) => NpyData::Text(reorder(&values, shape)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(descr: &str, fortran: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
        let text = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((text.len() as u16).to_le_bytes());
        out.extend(text.as_bytes());
        out.extend(bytes);
        out
    }

    fn read(bytes: &[u8]) -> Result<NpyArray, String> {
        read_all(&mut &bytes[..], Path::new("a.npy"), &Budget::of(bytes.len() as u64))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_element_type() {
        let cases: [(&str, &[u8], NpyData); 12] = [
            ("|b1", &[0, 1], NpyData::Bool(vec![false, true])),
            ("|u1", &[200, 1], NpyData::U8(vec![200, 1])),
            ("|i1", &[0xff, 1], NpyData::I64(vec![-1, 1])),
            ("<u2", &[1, 2, 0xff, 0xff], NpyData::I64(vec![513, 65535])),
            (">i2", &[1, 2, 0xff, 0xfe], NpyData::I64(vec![258, -2])),
            (">u4", &[0, 0, 1, 2, 0, 0, 0, 9], NpyData::I64(vec![258, 9])),
            ("<i4", &[0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0], NpyData::I64(vec![-2, 3])),
            ("<f2", &[0x00, 0x3c, 0x01, 0x80], NpyData::F32(vec![1.0, -5.960_464_5e-8])),
            (">f4", &[0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], NpyData::F32(vec![1.0, -2.0])),
            ("|S3", b"ab\0\xe9\0c", NpyData::Text(vec!["ab".into(), "é\0c".into()])),
            ("<U1", &[0xe9, 0, 0, 0, 0, 0, 0, 0], NpyData::Text(vec!["é".into(), String::new()])),
            (">U1", &[0, 0, 0, 65, 0, 0, 0, 66], NpyData::Text(vec!["A".into(), "B".into()])),
        ];
        for (descr, bytes, expected) in cases {
            let array = read(&npy(descr, "False", "(2,)", bytes)).unwrap();
            assert_eq!(array, NpyArray { shape: vec![2], data: expected }, "{descr}");
        }
        let big = npy(">f8", "False", "()", &2.5f64.to_be_bytes());
        assert_eq!(read(&big).unwrap(), NpyArray::f64([], vec![2.5]));
        let huge = npy("<u8", "False", "(1,)", &u64::MAX.to_le_bytes());
        assert!(read(&huge).unwrap_err().contains("a larger one as element 1"));
    }

    #[test]
    fn half_precision_at_its_edges() {
        assert_eq!(half(0x7bff), 65504.0);
        assert_eq!(half(0x0400), 2f32.powi(-14));
        assert_eq!(half(0xfc00), f32::NEG_INFINITY);
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn fortran_order_becomes_row_major() {
        // Element (i, j, k) of shape (2, 3, 2) holds 100 i + 10 j + k; the first index runs fastest.
        let mut bytes = Vec::new();
        for k in 0..2 {
            for j in 0..3 {
                bytes.extend([j * 10 + k, 100 + j * 10 + k]);
            }
        }
        let array = read(&npy("|u1", "True", "(2, 3, 2)", &bytes)).unwrap();
        let expected = vec![0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121];
        assert_eq!(array, NpyArray::u8([2, 3, 2], expected));
        assert_eq!(read(&npy("|u1", "True", "(0, 3)", &[])).unwrap(), NpyArray::u8([0, 3], vec![]));
    }

    #[test]
    fn hostile_headers_cost_nothing() {
        let promises = npy("<f8", "False", "(1000000000000,)", &[0; 16]);
        let expected = "a.npy: expected 8000000000000 bytes, found 16: the file is cut short";
        assert_eq!(read(&promises).unwrap_err(), expected);
        for shape in ["(4611686018427387904, 4)", "(18446744073709551615,)"] {
            assert!(read(&npy("<f8", "False", shape, &[])).unwrap_err().contains("fits into memory"));
        }
        let empty = read(&npy("<U0", "False", "(1000000000000,)", &[])).unwrap_err();
        assert!(empty.contains("strings of length 0"), "{empty}");
        let wide = read(&npy("|S1000000000000", "False", "(3,)", b"abc")).unwrap_err();
        assert!(wide.contains("cut short"), "{wide}");
        let mut long = b"\x93NUMPY\x02\x00".to_vec();
        long.extend(u32::MAX.to_le_bytes());
        assert!(read(&long).unwrap_err().contains("at most 65536 bytes"));
    }

    #[test]
    fn more_than_promised_is_refused() {
        let error = read(&npy("|u1", "False", "(2,)", &[1, 2, 3])).unwrap_err();
        assert_eq!(error, "a.npy: expected nothing after 2 elements, found more bytes");
    }
}
