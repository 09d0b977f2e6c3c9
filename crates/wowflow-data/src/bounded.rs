//! How much memory a dataset may take while it is read: one budget for all its files and everything that becomes of
//! them, whatever is packed in what.

use std::cell::{Cell, OnceCell};
use std::io::{self, Read};
use std::path::Path;

use crate::error::DataError;
use crate::machine::free_memory;

/// Memory that is always allowed, where the machine has it.
const FREE: u64 = 256 << 20;
/// Memory beyond that for each byte of the files. The usual compression makes 1032 bytes of one, zeros mostly, and
/// pixels of a byte take four in single precision.
const RATIO: u64 = 4 * 1032;
/// Memory below which the machine is not asked.
const LITTLE: u64 = 16 << 20;
/// Steps in which content is read, at least.
const BLOCK: usize = 1 << 16;

/// What is held at a time, and what may be.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    files: Cell<u64>,
    held: Cell<u64>,
    expanded: Cell<u64>,
    /// Half of what was free when it was asked, and what was held then.
    machine: OnceCell<u64>,
}

impl Budget {
    /// The budget of one file.
    pub(crate) fn of(bytes: u64) -> Self {
        Self { files: Cell::new(bytes), ..Self::default() }
    }

    /// Counts a further file.
    pub(crate) fn open(&self, bytes: u64) {
        self.files.set(self.files.get().saturating_add(bytes));
    }

    /// Takes memory, before it is allocated.
    ///
    /// # Errors
    /// More than the files or the machine allow; nothing is taken then.
    pub(crate) fn take(&self, bytes: u64, file: &Path) -> Result<(), DataError> {
        self.try_take(bytes).map_err(|Excess { allowed, found, remedy }| {
            let found = format!("{} or more: {remedy}", size(found));
            DataError::format(file, format!("at most {allowed}"), found)
        })
    }

    /// The memory of so many values of a type.
    pub(crate) fn take_of<T>(&self, count: usize, file: &Path) -> Result<(), DataError> {
        self.take((count as u64).saturating_mul(size_of::<T>() as u64), file)
    }

    /// As [`Self::take`], for other messages.
    pub(crate) fn try_take(&self, bytes: u64) -> Result<(), Excess> {
        let held = self.held.get().saturating_add(bytes);
        let limit = self.limit();
        if held > limit {
            let allowed = format!("{} in memory for {} of files", size(limit), size(self.files.get()));
            let remedy = "it is damaged, or to be written anew with less compression";
            return Err(Excess { allowed, found: held, remedy });
        }
        if held > LITTLE {
            let free = || self.held.get().saturating_add(free_memory().unwrap_or(u64::MAX) / 2);
            let limit = *self.machine.get_or_init(free);
            if held > limit {
                let allowed = format!("{} in memory, half of what is free", size(limit));
                let remedy = "free some, or take a part of the data";
                return Err(Excess { allowed, found: held, remedy });
            }
        }
        self.held.set(held);
        Ok(())
    }

    /// Returns memory that is free again.
    pub(crate) fn give(&self, bytes: u64) {
        self.held.set(self.held.get().saturating_sub(bytes));
    }

    fn limit(&self) -> u64 {
        self.files.get().saturating_mul(RATIO).saturating_add(FREE)
    }

    /// A reader of expanded data, which ends with an error where nothing honest goes on.
    pub(crate) fn expanding<R: Read>(&self, inner: R) -> Expanding<'_, R> {
        Expanding { inner, budget: self }
    }

    /// Reads all that comes, into memory of this budget.
    pub(crate) fn read_to_end(&self, reader: &mut dyn Read, file: &Path) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            let more = (start / 4).max(BLOCK);
            self.take(more as u64, file)?;
            bytes.reserve_exact(more);
            bytes.resize(start + more, 0);
            let found = read_full(reader, &mut bytes[start..]).map_err(|error| DataError::io(file, error))?;
            if found < more {
                bytes.truncate(start + found);
                bytes.shrink_to_fit();
                self.give((more - found) as u64);
                return Ok(bytes);
            }
        }
    }
}

/// More memory than a budget has.
#[derive(Debug)]
pub(crate) struct Excess {
    /// How much that is, and why.
    pub(crate) allowed: String,
    found: u64,
    /// What can be done.
    pub(crate) remedy: &'static str,
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        10_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
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

/// See [`Budget::expanding`].
pub(crate) struct Expanding<'a, R> {
    inner: R,
    budget: &'a Budget,
}

impl<R: Read> Read for Expanding<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let expanded = &self.budget.expanded;
        expanded.set(expanded.get().saturating_add(read as u64));
        if expanded.get() > self.budget.limit() {
            let limit = size(self.budget.limit());
            let message = format!("expected at most {limit} once expanded, found more: it is damaged");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_full_blocks_reports_what_was_there() {
        let mut buffer = [0; 8];
        assert_eq!(read_full(&mut (&[1u8, 2, 3][..]).chain(&[4u8][..]), &mut buffer).unwrap(), 4);
        assert_eq!(buffer[..4], [1, 2, 3, 4]);
    }

    #[test]
    fn all_files_count_together_and_what_is_given_back_is_free() {
        let (budget, file) = (Budget::of(1000), Path::new("a"));
        let limit = FREE + 1000 * RATIO;
        budget.take(limit, file).unwrap();
        let error = budget.take(1, file).unwrap_err().to_string();
        let expected = "a: expected at most 272 MB in memory for 1000 bytes of files, found 272 MB or more: ";
        assert!(error.starts_with(expected), "{error}");
        budget.open(1);
        budget.take(RATIO, file).unwrap();
        assert!(budget.take(1, file).is_err());
        budget.give(10);
        budget.take_of::<u16>(5, file).unwrap();
        assert!(budget.take_of::<u64>(usize::MAX, file).is_err());
    }

    #[test]
    fn the_machine_is_a_limit_as_well() {
        let budget = Budget::of(u64::MAX);
        let error = budget.try_take(u64::MAX / 4);
        assert_eq!(error.is_err(), cfg!(target_os = "linux"), "{error:?}");
        budget.try_take(LITTLE).unwrap();
    }

    #[test]
    fn reading_takes_what_it_keeps() {
        let budget = Budget::of(0);
        for length in [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 7] {
            let content = vec![7; length];
            let before = budget.held.get();
            assert_eq!(budget.read_to_end(&mut &content[..], Path::new("a")).unwrap(), content);
            assert_eq!(budget.held.get() - before, length as u64);
        }
        let error = budget.read_to_end(&mut io::repeat(7), Path::new("a")).unwrap_err().to_string();
        assert!(error.contains("expected at most 268 MB in memory for 0 bytes of files"), "{error}");
        let mut endless = budget.expanding(io::repeat(7));
        let error = io::copy(&mut endless, &mut io::sink()).unwrap_err().to_string();
        assert_eq!(error, "expected at most 268 MB once expanded, found more: it is damaged");
    }
}
