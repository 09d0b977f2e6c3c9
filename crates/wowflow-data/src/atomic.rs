//! Files written whole or not at all: a temporary file in the same folder, synced, then renamed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// How temporary files are named.
const PREFIX: &str = ".wowflow-";
const SUFFIX: &str = ".tmp";

/// Writes `path` through `fill`, replacing a file of that name only when everything succeeded.
///
/// The writer seeks as well, as zip archives need. On any failure the old file stays as it was
/// and the temporary one is removed.
///
/// # Errors
/// Whatever `fill` returns, or a failure to create, sync or rename the temporary file.
///
/// ```
/// use std::io::Write;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("note.txt");
/// wowflow_data::atomic::write(&path, |file| file.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write(
    path: impl AsRef<Path>,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    replace(path.as_ref(), Box::new(fill))
}

/// What fills a file; behind a pointer, so that the rest is compiled once.
type Fill<'a> = Box<dyn FnOnce(&mut BufWriter<&File>) -> io::Result<()> + 'a>;

fn replace(path: &Path, fill: Fill<'_>) -> io::Result<()> {
    filled(path, fill)?.persist(path).map_err(|failed| failed.error)?;
    sync_folder(path)
}

/// As [`write()`], but refuses to replace: a file of that name is an error.
///
/// # Errors
/// As [`write()`]; [`io::ErrorKind::AlreadyExists`] when `path` exists.
pub fn create(
    path: impl AsRef<Path>,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    place(path.as_ref(), Box::new(fill))
}

fn place(path: &Path, fill: Fill<'_>) -> io::Result<()> {
    if path.exists() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "file exists"));
    }
    filled(path, fill)?.persist_noclobber(path).map_err(|failed| failed.error)?;
    sync_folder(path)
}

fn filled(path: &Path, fill: Fill<'_>) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // The library behind makes private files; results are ordinary files under the user's umask.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let temporary = builder.tempfile_in(folder_of(path))?;
    let mut writer = BufWriter::new(temporary.as_file());
    fill(&mut writer)?;
    writer.flush()?;
    drop(writer);
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// Whether a path is named as the temporary files are: one that stays was left by a program that
/// was killed while it wrote.
#[must_use]
pub fn is_temporary(path: impl AsRef<Path>) -> bool {
    let name = path.as_ref().file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Whether folders can be made in a folder: one is, under a name that no other program takes, and removed.
///
/// # Errors
/// Why they cannot.
pub fn takes_folders(folder: impl AsRef<Path>) -> io::Result<()> {
    Builder::new().prefix(PREFIX).suffix(SUFFIX).tempdir_in(folder).and_then(tempfile::TempDir::close)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the rename itself durable where a folder can be synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        write(&path, |file| file.write_all(b"old")).unwrap();
        let failed = write(&path, |file| {
            file.write_all(b"half of the n")?;
            Err(io::Error::other("disk on fire"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "disk on fire");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        write(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn create_refuses_an_existing_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        create(&path, |file| file.write_all(b"first")).unwrap();
        let refused = create(&path, |file| file.write_all(b"second")).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("absent").join("data");
        assert_eq!(write(&path, |_| Ok(())).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn files_have_ordinary_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write(&ours, |_| Ok(())).unwrap();
        File::create(&plain).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
