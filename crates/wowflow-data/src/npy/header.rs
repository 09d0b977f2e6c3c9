//! The header of a `.npy` file: magic, version and a Python dictionary of three known keys.

use std::io::Read;
use std::path::Path;

use crate::bounded::read_full;
use crate::error::DataError;

/// Longest header read; NumPy itself trusts 10 000 bytes.
const LONGEST: usize = 1 << 16;
pub(super) const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// What a header says: element type, memory order and shape.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub(super) big_endian: bool,
    /// NumPy's one-letter kind: `b`, `i`, `u`, `f`, `U` or `S`.
    pub(super) kind: char,
    /// Bytes an element.
    pub(super) size: usize,
    pub(super) fortran: bool,
    pub(super) shape: Vec<usize>,
}

pub(super) fn read(reader: &mut dyn Read, file: &Path) -> Result<Header, DataError> {
    let mut start = [0; 8];
    fill(reader, &mut start, file)?;
    if &start[..6] != MAGIC {
        let found = format!("bytes {:02x?}", &start[..6]);
        return Err(DataError::format(file, "the magic bytes of a .npy file", found));
    }
    let length = match start[6] {
        1 => {
            let mut bytes = [0; 2];
            fill(reader, &mut bytes, file)?;
            usize::from(u16::from_le_bytes(bytes))
        }
        2 | 3 => {
            let mut bytes = [0; 4];
            fill(reader, &mut bytes, file)?;
            u32::from_le_bytes(bytes) as usize
        }
        other => return Err(DataError::format(file, ".npy version 1, 2 or 3", format!("version {other}"))),
    };
    if length > LONGEST {
        let expected = format!("a .npy header of at most {LONGEST} bytes");
        return Err(DataError::format(file, expected, format!("{length} bytes")));
    }
    let mut text = vec![0; length];
    fill(reader, &mut text, file)?;
    let text = String::from_utf8_lossy(&text);
    parse(&text, file)
}

fn fill(reader: &mut dyn Read, buffer: &mut [u8], file: &Path) -> Result<(), DataError> {
    let found = read_full(reader, buffer).map_err(|error| DataError::io(file, error))?;
    if found < buffer.len() {
        let expected = format!("a .npy header of at least {} bytes", buffer.len());
        return Err(DataError::format(file, expected, format!("{found} bytes")));
    }
    Ok(())
}

fn parse(text: &str, file: &Path) -> Result<Header, DataError> {
    let bad = |expected: &str, found: &str| {
        let found: String = found.chars().take(60).collect();
        DataError::format(file, expected, format!("{:?}", found.trim()))
    };
    let inside = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let mut rest = inside.ok_or_else(|| bad("a .npy header that is a dictionary", text))?.trim();
    let (mut element, mut fortran, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, value) = quoted(rest).ok_or_else(|| bad("a quoted key in the .npy header", rest))?;
        let value =
            value.trim_start().strip_prefix(':').ok_or_else(|| bad("':' in the .npy header", value))?;
        let value = value.trim_start();
        rest = match key {
            "descr" => {
                if value.starts_with('[') {
                    return Err(unsupported(file, "a structured array", "save one plain array a field"));
                }
                let (name, rest) = quoted(value).ok_or_else(|| bad("a quoted element type", value))?;
                element = Some(element_type(name, file)?);
                rest
            }
            "fortran_order" => {
                let known = [("True", true), ("False", false)];
                let (word, order) = known
                    .into_iter()
                    .find(|(word, _)| value.starts_with(word))
                    .ok_or_else(|| bad("True or False as fortran_order", value))?;
                fortran = Some(order);
                &value[word.len()..]
            }
            "shape" => {
                let (list, rest) = value
                    .strip_prefix('(')
                    .and_then(|list| list.split_once(')'))
                    .ok_or_else(|| bad("a shape in parentheses", value))?;
                let extents = list.split(',').map(str::trim).filter(|extent| !extent.is_empty());
                // Python 2 wrote long integers as 3L.
                let extents = extents.map(|extent| extent.trim_end_matches('L').parse::<usize>());
                shape = Some(extents.collect::<Result<Vec<_>, _>>().map_err(|_| bad("whole extents", list))?);
                rest
            }
            other => return Err(bad("only descr, fortran_order and shape in the .npy header", other)),
        };
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if rest.is_empty() => {}
            None => return Err(bad("',' in the .npy header", rest)),
        }
    }
    match (element, fortran, shape) {
        (Some((big_endian, kind, size)), Some(fortran), Some(shape)) => {
            Ok(Header { big_endian, kind, size, fortran, shape })
        }
        _ => Err(bad("descr, fortran_order and shape in the .npy header", text)),
    }
}

/// Splits a leading Python string without escapes from what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|&c| c == '\'' || c == '"')?;
    text[1..].split_once(quote)
}

fn element_type(name: &str, file: &Path) -> Result<(bool, char, usize), DataError> {
    let bare = name.trim_start_matches(['<', '>', '|', '=']);
    let mut letters = bare.chars();
    let kind = letters.next().unwrap_or(' ');
    if kind == 'O' {
        let instead =
            "save the values as numbers or strings (array.astype(str)): reading objects would run code";
        return Err(unsupported(file, "an array of Python objects", instead));
    }
    let size = letters.as_str().parse::<usize>().ok();
    let size = match (kind, size) {
        ('b', Some(1)) => Some(1),
        ('i' | 'u', Some(size @ (1 | 2 | 4 | 8))) | ('f', Some(size @ (2 | 4 | 8))) | ('S', Some(size)) => {
            Some(size)
        }
        ('U', Some(characters)) => characters.checked_mul(4),
        _ => None,
    };
    let instead = "save it as float32, float64, an integer type or strings, as by array.astype('float64')";
    let size = size.ok_or_else(|| unsupported(file, &format!("the element type {name:?}"), instead))?;
    Ok((name.starts_with('>'), kind, size))
}

fn unsupported(file: &Path, found: &str, instead: &str) -> DataError {
    DataError::Unsupported { file: file.to_owned(), found: found.to_owned(), instead: instead.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Header, String> {
        parse(text, Path::new("a.npy")).map_err(|error| error.to_string())
    }

    #[test]
    fn headers_in_all_their_spellings() {
        let expected = Header { big_endian: false, kind: 'f', size: 4, fortran: false, shape: vec![3, 4] };
        for text in [
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }          \n",
            "{\"shape\":(3L,4L),\"descr\":\"<f4\",\"fortran_order\":False}",
        ] {
            assert_eq!(parsed(text).as_ref(), Ok(&expected), "{text}");
        }
        let scalar = parsed("{'descr': '>U7', 'fortran_order': True, 'shape': ()}").unwrap();
        let expected = Header { big_endian: true, kind: 'U', size: 28, fortran: true, shape: vec![] };
        assert_eq!(scalar, expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let object = parsed("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }").unwrap_err();
        assert!(object.starts_with("a.npy: an array of Python objects cannot be read"), "{object}");
        let fields = parsed("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }");
        assert!(fields.unwrap_err().contains("structured array"));
        let complex = parsed("{'descr': '<c16', 'fortran_order': False, 'shape': (3,), }");
        assert!(complex.unwrap_err().contains("\"<c16\""));
        let negative = parsed("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }").unwrap_err();
        assert_eq!(negative, "a.npy: expected whole extents, found \"-3,\"");
        for text in ["", "{", "{}", "{'descr'}", "{'descr': '<f4' 'shape': ()}", "{é", "{'é': 1}"] {
            assert!(parsed(text).is_err(), "{text}");
        }
    }
}
