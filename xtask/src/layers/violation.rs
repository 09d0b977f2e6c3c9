//! What a check found: one line each, with the place.

use std::fmt;
use std::path::{Path, PathBuf};

/// A rule that is broken at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Violation {
    pub(super) file: PathBuf,
    pub(super) line: usize,
    pub(super) message: String,
}

impl Violation {
    pub(super) fn new(file: &Path, line: usize, message: String) -> Self {
        Self { file: file.to_owned(), line, message }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.strip_prefix(crate::root()).unwrap_or(&self.file);
        write!(f, "{}:{}: {}", file.display(), self.line, self.message)
    }
}
