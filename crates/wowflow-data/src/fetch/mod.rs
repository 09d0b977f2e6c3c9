//! Downloading the originals of named sets: resumable, verified, never overwriting.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use md5::Md5;
use sha2::{Digest, Sha256};
use ureq::Agent;

use crate::error::DataError;
use crate::named::{Checksum, NamedSet, RemoteFile};
use crate::read::source::hex;

mod limits;
mod transfer;

pub use limits::Limits;
use limits::{Attempts, wait};
use transfer::{Failure, Transfer};

/// What a download depends on besides the set.
#[derive(Clone, Debug, Default)]
pub struct FetchOptions<'a> {
    /// Another server: `BASE/FILE` takes the place of the published addresses.
    pub base_url: Option<String>,
    /// A proxy, such as `http://127.0.0.1:8080`; without one the connection is direct.
    pub proxy: Option<String>,
    /// Set to true by another thread to stop; what was received is kept.
    pub cancel: Option<&'a AtomicBool>,
    /// What a server may cost before it is given up.
    pub limits: Limits,
}

/// What happens during a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The file is already there and right.
    Present {
        /// The file.
        file: &'a Path,
    },
    /// Bytes are arriving; the first report of a file comes before them.
    Receiving {
        /// The file.
        file: &'a Path,
        /// Bytes received, with those of earlier downloads.
        received: u64,
        /// Bytes in all, where known.
        total: Option<u64>,
    },
    /// An attempt failed and another one follows.
    Retrying {
        /// The file.
        file: &'a Path,
        /// The address that failed.
        url: &'a str,
        /// Why it failed.
        reason: &'a str,
    },
    /// The file is complete and verified.
    Done {
        /// The file.
        file: &'a Path,
    },
}

/// Downloads the files of a set to `folder/NAME` and returns their paths.
///
/// A file arrives as `FILE.part`, is continued where an earlier download stopped, and gets its name
/// when its checksum is the published one. Files that are there and right are not downloaded again.
///
/// # Errors
/// A file of that name with another content (it is kept), a content other than the published one
/// from every address (it is thrown away), no answer from any address or none within the limits, another download of
/// the same file at work, a folder that cannot be written, or a stop on request.
pub fn fetch(
    set: NamedSet,
    folder: &Path,
    options: &FetchOptions<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<PathBuf>, DataError> {
    let folder = folder.join(set.name());
    fetch_files(set.files(), &folder, options, progress)
}

fn fetch_files(
    files: &[RemoteFile],
    folder: &Path,
    options: &FetchOptions<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<PathBuf>, DataError> {
    fs::create_dir_all(folder).map_err(|error| DataError::io(folder, error))?;
    let agent = agent(options)?;
    let mut paths = Vec::new();
    for file in files {
        let path = folder.join(file.name);
        if path.exists() {
            let found = digest(&path, file.checksum)?;
            if found != digits(file.checksum) {
                return Err(wrong(&path, file.checksum, &found, "kept as it is"));
            }
            progress(Progress::Present { file: &path });
        } else {
            Job { agent: &agent, file, path: &path, options, progress }.run()?;
        }
        paths.push(path);
    }
    Ok(paths)
}

fn agent(options: &FetchOptions<'_>) -> Result<Agent, DataError> {
    let proxy = options.proxy.as_deref().map(|url| {
        ureq::Proxy::new(url)
            .map_err(|error| DataError::Download { url: url.to_owned(), found: error.to_string() })
    });
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .proxy(proxy.transpose()?)
        .timeout_connect(Some(options.limits.silence))
        .timeout_recv_response(Some(options.limits.silence))
        .timeout_per_read(Some(options.limits.silence))
        .user_agent(concat!("wowflow/", env!("CARGO_PKG_VERSION")));
    Ok(config.build().into())
}

/// The download of one file.
struct Job<'a> {
    agent: &'a Agent,
    file: &'a RemoteFile,
    path: &'a Path,
    options: &'a FetchOptions<'a>,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl Job<'_> {
    fn run(mut self) -> Result<(), DataError> {
        let part_path = self.path.with_file_name(format!("{}.part", self.file.name));
        let on_error = |error| DataError::io(&part_path, error);
        let part =
            OpenOptions::new().create(true).read(true).append(true).open(&part_path).map_err(on_error)?;
        match part.try_lock() {
            // Some file systems have no locks; the checksum still guards the result.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DataError::format(&part_path, "one download at a time", "another one at work"));
            }
        }
        let urls: Vec<String> = match &self.options.base_url {
            Some(base) => vec![format!("{}/{}", base.trim_end_matches('/'), self.file.name)],
            None => self.file.urls.iter().map(|&url| url.to_owned()).collect(),
        };
        let (mut last, end) = (None, Instant::now() + self.options.limits.whole);
        for (index, url) in urls.iter().enumerate() {
            match self.try_address(url, &part, &part_path, end) {
                Ok(()) => return Ok(()),
                Err(error @ (DataError::Download { .. } | DataError::Checksum { .. })) => {
                    if index + 1 < urls.len() {
                        self.retrying(url, &error.to_string());
                    }
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if part.metadata().map_err(on_error)?.len() == 0 {
            fs::remove_file(&part_path).map_err(on_error)?;
        }
        Err(last.unwrap_or_else(|| DataError::format(self.path, "an address to download from", "none")))
    }

    /// Downloads from one address until the file is whole, resuming after interruptions.
    fn try_address(
        &mut self,
        url: &str,
        part: &File,
        part_path: &Path,
        end: Instant,
    ) -> Result<(), DataError> {
        let on_error = |error| DataError::io(part_path, error);
        let mut attempts = Attempts::new(&self.options.limits, part.metadata().map_err(on_error)?.len());
        loop {
            let before = part.metadata().map_err(on_error)?.len();
            let limit = self.file.bytes;
            let (path, progress) = (self.path, &mut *self.progress);
            let mut report = |received, total| {
                progress(Progress::Receiving { file: path, received, total: limit.or(total) });
            };
            let transfer = Transfer {
                agent: self.agent,
                url,
                part,
                expected: limit,
                end,
                limits: &self.options.limits,
                cancel: self.options.cancel,
            };
            match transfer.run(&mut report) {
                Ok(()) => {
                    let found = digest_of(part, self.file.checksum).map_err(on_error)?;
                    if found == digits(self.file.checksum) {
                        return self.finish(part, part_path);
                    }
                    part.set_len(0).map_err(on_error)?;
                    let error = wrong(self.path, self.file.checksum, &found, "thrown away");
                    // What an earlier download left may belong to another version: once more from the start.
                    if before == 0 {
                        return Err(error);
                    }
                    self.retrying(url, &error.to_string());
                }
                Err(Failure::Cancelled) => return Err(DataError::Cancelled { file: self.path.to_owned() }),
                Err(Failure::Disk(error)) => return Err(on_error(error)),
                Err(Failure::Refused(found)) => {
                    return Err(DataError::Download { url: url.to_owned(), found });
                }
                Err(Failure::Broken(found)) => {
                    let Some(pause) = attempts.ended(part.metadata().map_err(on_error)?.len()) else {
                        return Err(DataError::Download { url: url.to_owned(), found });
                    };
                    self.retrying(url, &found);
                    wait(pause, || is_cancelled(self.options.cancel));
                }
            }
        }
    }

    fn retrying(&mut self, url: &str, reason: &str) {
        (self.progress)(Progress::Retrying { file: self.path, url, reason });
    }

    fn finish(&mut self, part: &File, part_path: &Path) -> Result<(), DataError> {
        let on_error = |error| DataError::io(self.path, error);
        part.sync_all().map_err(on_error)?;
        if self.path.exists() {
            return Err(DataError::format(
                self.path,
                "no file of that name yet",
                "one that appeared meanwhile",
            ));
        }
        fs::rename(part_path, self.path).map_err(on_error)?;
        (self.progress)(Progress::Done { file: self.path });
        Ok(())
    }
}

fn is_cancelled(cancel: Option<&AtomicBool>) -> bool {
    cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed))
}

fn digits(checksum: Checksum) -> &'static str {
    match checksum {
        Checksum::Md5(digits) | Checksum::Sha256(digits) => digits,
    }
}

fn wrong(path: &Path, expected: Checksum, found: &str, kept: &'static str) -> DataError {
    DataError::Checksum {
        file: path.to_owned(),
        expected: expected.to_string(),
        found: found.to_owned(),
        kept,
    }
}

fn digest(path: &Path, kind: Checksum) -> Result<String, DataError> {
    let result = File::open(path).and_then(|file| digest_of(&file, kind));
    result.map_err(|error| DataError::io(path, error))
}

fn digest_of(mut file: &File, kind: Checksum) -> io::Result<String> {
    fn run<D: Digest>(file: &mut impl Read) -> io::Result<String> {
        let mut hasher = D::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(hex(&hasher.finalize())),
                Ok(found) => hasher.update(&buffer[..found]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    file.seek(SeekFrom::Start(0))?;
    match kind {
        Checksum::Md5(_) => run::<Md5>(&mut file),
        Checksum::Sha256(_) => run::<Sha256>(&mut file),
    }
}

#[cfg(test)]
mod tests;
