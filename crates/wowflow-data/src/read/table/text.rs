//! The text of a table: its encoding, the comment that may name its columns.

use std::borrow::Cow;
use std::path::Path;

use crate::bounded::Budget;
use crate::error::DataError;

/// Characters of Windows code page 1252 from 0x80 to 0x9f; what the page leaves out is no character.
const CODE_PAGE: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text of a file, and the name of its encoding where that is not UTF-8.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    file: &Path,
    budget: &Budget,
) -> Result<(Cow<'a, str>, Option<&'static str>), DataError> {
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes {
        let found = "UTF-16 text: save it as UTF-8";
        return Err(DataError::format(file, "UTF-8 or Latin-1 text", found));
    }
    // A byte order mark opens many files written by spreadsheets.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((text.into(), None));
    }
    let character = |&byte: &u8| match byte {
        0x80..=0x9f => CODE_PAGE[usize::from(byte - 0x80)],
        byte => char::from(byte),
    };
    let size: usize = bytes.iter().map(|byte| character(byte).len_utf8()).sum();
    budget.take(size as u64, file)?;
    let mut text = String::with_capacity(size);
    text.extend(bytes.iter().map(character));
    Ok((text.into(), Some("Latin-1")))
}

/// The last of the comments, which begin with `#`, before the first line of data, without its mark.
pub(super) fn leading_comment(text: &str) -> Option<&str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map_while(|line| line.strip_prefix('#')).last().map(str::trim)
}
