//! The run directory on disk: made once, never overwritten.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use wowflow_data::atomic;

use super::layout::RunDir;
use crate::error::{Result, StudyError, refuse};

/// Makes a new run directory and its first content; an existing one is refused, an empty folder is
/// taken. When the content cannot be written, nothing of it stays.
pub(super) fn create(out: &Path, fill: impl FnOnce(&RunDir) -> Result<()>) -> Result<RunDir> {
    refuse_existing(out)?;
    let run = RunDir::new(out);
    let made = make_folder(out)?;
    if let Err(error) = fill(&run) {
        // What failed is the message; what cannot be removed either stays.
        let _ = if made == Made::New { fs::remove_dir_all(out) } else { empty(out) };
        return Err(error);
    }
    Ok(run)
}

/// Whether a folder was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    New,
    Found,
}

/// A path without the slash at its end, which would hide that a file stands there.
fn plain(path: &Path) -> &Path {
    path.components().as_path()
}

fn no_place(out: &Path) -> impl Fn(io::Error) -> StudyError {
    move |error| {
        let out = out.display();
        StudyError::Refused(format!("expected a place to create the folder {out}, found none: {error}"))
    }
}

fn make_folder(out: &Path) -> Result<Made> {
    let out = plain(out);
    let cannot = no_place(out);
    if let Some(parent) = out.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(&cannot)?;
    }
    match fs::create_dir(out) {
        Ok(()) => Ok(Made::New),
        Err(_) if out.is_dir() => Ok(Made::Found),
        Err(error) => Err(cannot(error)),
    }
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }?;
    }
    Ok(())
}

/// Keeps other programs of this kind from writing into a run directory while it lives.
#[derive(Debug)]
pub(super) struct Claim {
    /// The lock ends when the file is closed.
    _lock: Option<File>,
}

/// Claims a run directory; fails when another program works on it.
pub(super) fn claim(run: &RunDir) -> Result<Claim> {
    // Some systems cannot open folders and some file systems have no locks: then there is no claim.
    let Ok(folder) = File::open(run.root()) else { return Ok(Claim { _lock: None }) };
    match folder.try_lock() {
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Claim { _lock: Some(folder) }),
        Err(TryLockError::WouldBlock) => {
            refuse!("expected {} free to write, found another wowflow at work there", run.root().display())
        }
    }
}

/// Removes temporary files that a killed run left in these folders; the run must be claimed.
pub(super) fn remove_temporary_in(folders: &[PathBuf]) -> Result<()> {
    for folder in folders {
        for entry in fs::read_dir(folder).map_err(StudyError::io("read", folder))? {
            let path = entry.map_err(StudyError::io("read", folder))?.path();
            if atomic::is_temporary(&path) {
                fs::remove_file(&path).map_err(StudyError::io("remove", &path))?;
            }
        }
    }
    Ok(())
}

/// Fails when there is something at `out` that a run would overwrite, or when nothing can be written there: known
/// before the work begins. A folder is made beside it for a moment, and removed.
///
/// # Errors
/// A file at `out` or where its folders would be, a folder with content, a place that takes no folders.
pub fn refuse_existing(out: &Path) -> Result<()> {
    let out = plain(out);
    if out.is_file() {
        refuse!("expected a folder to create, found the file {}", out.display());
    }
    let place = out.ancestors().find(|place| place.exists()).unwrap_or(Path::new("."));
    if !place.is_dir() {
        refuse!("expected a folder to create {} in, found the file {}", out.display(), place.display());
    }
    let taken = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => false,
    };
    if taken {
        let out = out.display();
        refuse!(
            "expected a new or empty folder, found {out} with content: choose another folder, or resume the run there"
        );
    }
    atomic::takes_folders(place).map_err(no_place(out))
}

/// A free name in a folder, from the name of a dataset or an experiment: `NAME`, or `NAME-2` and so on; with an end
/// such as `.png`.
#[must_use]
pub fn free_name(folder: &Path, name: &str, end: &str) -> PathBuf {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let base = words.join("-");
    let free = |name: String| Some(folder.join(name + end)).filter(|path| !path.exists());
    free(base.clone())
        .or_else(|| (2..u64::MAX).find_map(|n| free(format!("{base}-{n}"))))
        .unwrap_or_else(|| folder.join(base))
}

/// Writes a value as JSON, whole or not at all.
///
/// # Errors
/// A place that cannot be written, a value that is no JSON.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    write_bytes(path, &bytes)
}

/// Writes bytes, whole or not at all.
///
/// # Errors
/// A place that cannot be written.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    atomic::write(path, |writer| writer.write_all(bytes)).map_err(StudyError::io("write", path))
}
