//! Files that come with a run without being its own, such as pictures.

use std::path::Path;

use super::json::write_bytes;
use super::layout::RunDir;
use crate::error::{Result, require};

/// A file that comes with a run: a picture, for instance.
///
/// ```
/// use wowflow_study::record::Attachment;
/// let note = Attachment { name: "note.txt".to_owned(), bytes: b"as published".to_vec() };
/// assert_eq!(note.bytes.len(), 12);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The file's name in the folder of the run.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Attachment {
    /// Writes the file, unless there is one of its name.
    pub(crate) fn write(&self, run: &RunDir) -> Result<()> {
        let path = run.file(&self.name);
        let plain = Path::new(&self.name).file_name().is_some_and(|name| name == self.name.as_str());
        require!(plain, "expected the name of a file to add to a run, found `{}`", self.name);
        require!(!path.exists(), "expected a new file to add to a run, found {} there", path.display());
        write_bytes(&path, &self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_run_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path());
        let named = |name: &str| Attachment { name: name.to_owned(), bytes: vec![1] };
        named("a.png").write(&run).unwrap();
        assert_eq!(std::fs::read(run.file("a.png")).unwrap(), [1]);
        for bad in ["a.png", "../b.png", "", ".."] {
            assert!(named(bad).write(&run).is_err(), "{bad}");
        }
    }
}
