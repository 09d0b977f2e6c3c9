//! The text of a table: its encoding, the separator that it may name, the comment that may name its columns.

use std::borrow::Cow;
use std::path::Path;

use crate::bounded::Budget;
use crate::error::DataError;
use crate::table_options::Separator;

/// Characters of Windows code page 1252 from 0x80 to 0x9f; what the page leaves out is no character.
const CODE_PAGE: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Whether bytes begin a text of two bytes a character: by its mark, or by letters that all have a byte of 0.
pub(in crate::read) fn is_utf16(head: &[u8]) -> bool {
    let (pairs, _) = head.as_chunks::<2>();
    let plain =
        |byte: u8| byte != 0 && byte.is_ascii() && (!byte.is_ascii_control() || byte.is_ascii_whitespace());
    let all = |zero: usize| {
        pairs.len() > 3 && pairs.iter().take(16).all(|pair| pair[zero] == 0 && plain(pair[1 - zero]))
    };
    matches!(head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || all(0) || all(1)
}

/// Whether bytes begin with the mark of four bytes a character.
pub(in crate::read) fn is_utf32(head: &[u8]) -> bool {
    matches!(head, [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..])
}

/// The text of a file, and the name of its encoding where that is not UTF-8.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    file: &Path,
    budget: &Budget,
) -> Result<(Cow<'a, str>, Option<&'static str>), DataError> {
    if is_utf32(bytes) {
        let expected = "text in UTF-8, UTF-16 or Latin-1, as pandas writes by to_csv(FILE, index=False)";
        return Err(DataError::format(file, expected, "UTF-32"));
    }
    if is_utf16(bytes) {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let big = bytes[0] == 0xfe || bytes[0] == 0;
        let unit = |pair: &[u8; 2]| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
        let text: Result<String, _> = char::decode_utf16(pairs.iter().map(unit)).collect();
        let Some(text) = text.ok().filter(|_| rest.is_empty()) else {
            return Err(DataError::format(file, "text in UTF-16, as it begins", "bytes that are none"));
        };
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        return Ok((text.into(), Some("UTF-16")));
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

/// The text behind a first line `sep=;`, by which a spreadsheet is told the separator, and that.
pub(super) fn named_separator(text: &str) -> (&str, Option<Separator>) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let named = line.trim_end_matches('\r').trim_matches('"').strip_prefix("sep=").and_then(Separator::parse);
    (if named.is_some() { rest } else { text }, named)
}

/// The last of the comments before the first line of data, without its mark.
pub(super) fn leading_comment(text: &str, mark: u8) -> Option<&str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map_while(|line| line.strip_prefix(char::from(mark))).last().map(str::trim)
}
