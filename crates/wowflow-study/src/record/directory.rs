//! The run directory on disk: claimed by one program, made once, never overwritten.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use wowflow_data::atomic;

use super::layout::RunDir;
use crate::error::{Result, StudyError, refuse};

/// Says that the content of a folder is not whole yet; a folder that a killed program left has it still. Named as
/// temporary files are.
const UNFINISHED: &str = ".wowflow-unfinished.tmp";

/// Ends of the names of files that runs leave.
const OURS: [&str; 11] =
    ["json", "jsonl", "npy", "npz", "png", "gif", "csv", "md", "toml", "safetensors", "tmp"];

/// Makes a new run directory and its first content, and claims it; an existing one is refused, an empty folder and one
/// that a killed program left unfinished are taken. Whoever does not get the claim touches nothing. When the content
/// cannot be written, nothing of it stays.
pub(super) fn create(out: &Path, fill: impl FnOnce(&RunDir) -> Result<()>) -> Result<(RunDir, Claim)> {
    refuse_existing(out)?;
    let run = RunDir::new(out);
    let (made, claim) = loop {
        let made = make_folder(out)?;
        // Who held the claim may have removed the folder after it was opened here.
        match claim(&run) {
            Ok(claim) if claim.is_of(out) => break (made, claim),
            Err(error) if out.exists() => return Err(error),
            _ => {}
        }
    };
    take(out, &claim)?;
    let marker = out.join(UNFINISHED);
    let filled =
        fill(&run).and_then(|()| fs::remove_file(&marker).map_err(StudyError::io("remove", &marker)));
    if let Err(error) = filled {
        // What failed is the message; what cannot be removed either stays.
        let _ = if made == Made::New { fs::remove_dir_all(out) } else { empty(out) };
        return Err(error);
    }
    Ok((run, claim))
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
    /// Another program may remove what it made just before: a folder above this one, or this one.
    const ATTEMPTS: usize = 100;
    let out = plain(out);
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let make = || match parent.map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::create_dir(out)) {
        Ok(()) => Ok(Made::New),
        Err(_) if out.is_dir() => Ok(Made::Found),
        Err(error) => Err(error),
    };
    let mut made = make();
    for _ in 1..ATTEMPTS {
        match &made {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists && !out.exists() => {}
            _ => break,
        }
        made = make();
    }
    made.map_err(no_place(out))
}

/// Marks a claimed folder as unfinished; what a killed program left there is removed, other content is refused.
fn take(out: &Path, claim: &Claim) -> Result<()> {
    match content(out) {
        Content::Nothing => {}
        Content::Unfinished if claim.lock.is_some() => empty(out).map_err(StudyError::io("empty", out))?,
        Content::Unfinished | Content::Other => return Err(taken(out)),
    }
    let marker = out.join(UNFINISHED);
    // Where there are no locks, this decides between two programs.
    match File::create_new(&marker) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(taken(out)),
        Err(error) => Err(StudyError::io("write", &marker)(error)),
    }
}

/// What a folder holds.
enum Content {
    Nothing,
    /// What a killed program left: nothing that is whole, and nothing else.
    Unfinished,
    Other,
}

fn content(folder: &Path) -> Content {
    let Ok(entries) = fs::read_dir(folder) else { return Content::Nothing };
    let paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let ours = |path: &PathBuf| {
        path.is_dir() || path.extension().is_some_and(|end| OURS.iter().any(|our| end == *our))
    };
    if folder.join(UNFINISHED).exists() {
        return if paths.iter().all(ours) { Content::Unfinished } else { Content::Other };
    }
    // Another program looks whether it could write here, by a temporary folder.
    if paths.iter().map(PathBuf::as_path).all(atomic::is_temporary) {
        Content::Nothing
    } else {
        Content::Other
    }
}

fn taken(out: &Path) -> StudyError {
    let run = RunDir::new(out);
    let goes_on = run.config().exists() && !run.summary().exists() && has_state(&run);
    let advice = if goes_on { "resume the run there" } else { "remove it" };
    StudyError::Taken(format!(
        "expected a new or empty folder, found {} with content: choose another folder, or {advice}",
        out.display()
    ))
}

/// Whether a run can go on from what is in its folder.
fn has_state(run: &RunDir) -> bool {
    let log = |path: &Path| path.extension().is_some_and(|end| end == "jsonl") && path != run.metrics();
    let logs =
        fs::read_dir(run.root()).is_ok_and(|entries| entries.flatten().any(|entry| log(&entry.path())));
    run.checkpoints().exists() || logs
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        gone(removed)?;
    }
    Ok(())
}

/// What somebody else removed is gone, too.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Keeps other programs of this kind from writing into a run directory while it lives.
#[derive(Debug)]
pub(super) struct Claim {
    /// The lock ends when the file is closed; none where folders cannot be locked.
    lock: Option<File>,
}

impl Claim {
    /// Whether the folder that is claimed is still the one at this path.
    #[cfg(unix)]
    fn is_of(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let Some(lock) = &self.lock else { return path.is_dir() };
        match (lock.metadata(), fs::metadata(path)) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }

    #[cfg(not(unix))]
    fn is_of(&self, path: &Path) -> bool {
        path.is_dir()
    }
}

/// Claims a run directory; fails when another program works on it.
pub(super) fn claim(run: &RunDir) -> Result<Claim> {
    // Some systems cannot open folders and some file systems have no locks: then there is no lock.
    let Ok(folder) = File::open(run.root()) else { return Ok(Claim { lock: None }) };
    match folder.try_lock() {
        Ok(()) => Ok(Claim { lock: Some(folder) }),
        Err(TryLockError::Error(_)) => Ok(Claim { lock: None }),
        Err(TryLockError::WouldBlock) => Err(StudyError::Taken(format!(
            "expected {} free to write, found another wowflow at work there: choose another folder, or wait",
            run.root().display()
        ))),
    }
}

/// Removes temporary files that a killed run left in a folder and below; the run must be claimed.
pub(super) fn remove_temporary_in(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(StudyError::io("read", folder))? {
        let path = entry.map_err(StudyError::io("read", folder))?.path();
        // What links lead to is not the run's.
        let folder = path.is_dir() && !path.is_symlink();
        if atomic::is_temporary(&path) {
            let removed = if folder { fs::remove_dir(&path) } else { fs::remove_file(&path) };
            gone(removed).map_err(StudyError::io("remove", &path))?;
        } else if folder {
            remove_temporary_in(&path)?;
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
    if matches!(content(out), Content::Other) {
        return Err(taken(out));
    }
    match atomic::takes_folders(place) {
        // Another program removed the folder meanwhile, and with it the answer.
        Err(error) if error.kind() == ErrorKind::NotFound && !place.exists() => Ok(()),
        found => found.map_err(no_place(out)),
    }
}

/// Works in a folder of a free name, see [`free_name`]; when another program takes the name first, in one of the next.
///
/// # Errors
/// What `work` fails with.
pub fn in_free_folder<R, E>(
    folder: &Path,
    name: &str,
    mut work: impl FnMut(&Path) -> Result<R, E>,
    lost: impl Fn(&E) -> bool,
) -> Result<R, E> {
    loop {
        let out = free_name(folder, name, "");
        match work(&out) {
            // The name is taken now: the next round finds another.
            Err(error) if lost(&error) && out.exists() => {}
            done => return done,
        }
    }
}

/// A free name in a folder, from the name of a dataset or an experiment: `NAME`, or `NAME-2` and so on; with an end
/// such as `.png`.
#[must_use]
pub fn free_name(folder: &Path, name: &str, end: &str) -> PathBuf {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    // A name of other letters alone, or of a folder such as `..`, leaves none; file names have a limit.
    let base =
        if words.is_empty() { "unnamed".to_owned() } else { words.join("-").chars().take(100).collect() };
    let free = |name: String| Some(folder.join(name + end)).filter(|path| !path.exists());
    free(base.clone())
        .or_else(|| (2..u64::MAX).find_map(|n| free(format!("{base}-{n}"))))
        .unwrap_or_else(|| folder.join(base))
}
