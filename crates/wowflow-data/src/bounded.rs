//! Reading with a known end: full blocks, and expanded data that must not outgrow its file.

use std::io::{self, Read};

/// Expanded bytes always allowed, whatever the size of the compressed file.
const FREE: u64 = 1 << 30;
/// Expanded bytes allowed beyond that for each compressed byte; images reach 10, text 30.
const RATIO: u64 = 200;

/// A reader of expanded data that fails once it yields absurdly more than the file it came from.
pub(crate) struct Bounded<R> {
    inner: R,
    limit: u64,
    left: u64,
}

impl<R: Read> Bounded<R> {
    /// Bounds what a file of `compressed` bytes may expand to.
    pub(crate) fn new(inner: R, compressed: u64) -> Self {
        Self::with_limit(inner, FREE.saturating_add(compressed.saturating_mul(RATIO)))
    }

    fn with_limit(inner: R, limit: u64) -> Self {
        Self { inner, limit, left: limit }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                let message = format!("expected at most {} bytes once expanded, found more", self.limit);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        }
        Ok(read)
    }
}

/// Fills as much of `buffer` as the reader has and returns how much that was.
pub(crate) fn read_full(reader: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_exact() {
        let mut whole = Vec::new();
        Bounded::with_limit(&[7u8; 10][..], 10).read_to_end(&mut whole).unwrap();
        assert_eq!(whole, [7; 10]);
        let error = Bounded::with_limit(&[7u8; 11][..], 10).read_to_end(&mut whole).unwrap_err();
        assert_eq!(error.to_string(), "expected at most 10 bytes once expanded, found more");
    }

    #[test]
    fn reading_full_blocks_reports_what_was_there() {
        let mut buffer = [0; 8];
        assert_eq!(read_full(&mut (&[1u8, 2, 3][..]).chain(&[4u8][..]), &mut buffer).unwrap(), 4);
        assert_eq!(buffer[..4], [1, 2, 3, 4]);
    }
}
