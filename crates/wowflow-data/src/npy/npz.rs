//! Archives of named arrays: `.npz`, a zip file of `.npy` entries.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::NpyArray;
use super::decode::read_all;
use super::encode::{encoded_len, write_npy_to};
use crate::atomic;
use crate::bounded::Budget;
use crate::error::DataError;
use crate::sha256::sha256_written;

/// Reads all arrays of a `.npz` file, stored or deflated, in the order they stand in.
///
/// # Errors
/// A file that cannot be opened or is no zip archive, an entry that is no `.npy` array or that is
/// refused by [`super::read_npy`], or more than memory allows.
pub fn read_npz(path: impl AsRef<Path>) -> Result<Vec<(String, NpyArray)>, DataError> {
    read_entries(path.as_ref(), &|_| true, &Budget::default())
}

/// Reads all arrays of an archive in the order they stand in; `file` names it in errors.
///
/// # Errors
/// As [`read_npz`].
pub fn read_npz_from(
    mut reader: impl Read + Seek,
    file: &Path,
) -> Result<Vec<(String, NpyArray)>, DataError> {
    read_chosen(&mut reader, file, &|_| true, &Budget::default())
}

/// Reads the entries whose names (without `.npy`) are wanted; the others are not even decoded.
pub(crate) fn read_entries(
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    budget: &Budget,
) -> Result<Vec<(String, NpyArray)>, DataError> {
    let file = File::open(path).map_err(|error| DataError::io(path, error))?;
    read_chosen(&mut BufReader::new(file), path, wanted, budget)
}

/// The names of all entries, arrays or not, in the order they stand in.
pub(crate) fn entries(path: &Path) -> Result<Vec<String>, DataError> {
    let file = File::open(path).map_err(|error| DataError::io(path, error))?;
    let mut reader = BufReader::new(file);
    let reader: &mut dyn ReadSeek = &mut reader;
    let archive = ZipArchive::new(reader).map_err(|error| bad_zip(path, &error))?;
    Ok(archive.file_names_raw().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

fn entry_name<'a>(name: &'a str, file: &Path) -> Result<&'a str, DataError> {
    let plain = name.strip_suffix(".npy");
    plain.ok_or_else(|| DataError::format(file, "only .npy arrays in the archive", format!("{name:?}")))
}

fn bad_zip(file: &Path, error: &ZipError) -> DataError {
    match error {
        ZipError::InvalidArchive(_) => {
            DataError::format(file, "a whole zip archive", "one without its directory: copy or save it again")
        }
        error => DataError::format(file, "a zip archive", error.to_string()),
    }
}

/// What an archive is read from; behind a pointer, so that the reader of archives is compiled once.
trait ReadSeek: Read + Seek {}
impl<R: Read + Seek> ReadSeek for R {}

/// What an archive is written to, likewise.
trait WriteSeek: Write + Seek {}
impl<W: Write + Seek> WriteSeek for W {}

fn read_chosen(
    reader: &mut dyn ReadSeek,
    file: &Path,
    wanted: &dyn Fn(&str) -> bool,
    budget: &Budget,
) -> Result<Vec<(String, NpyArray)>, DataError> {
    budget.open(reader.seek(SeekFrom::End(0)).map_err(|error| DataError::io(file, error))?);
    let mut archive = ZipArchive::new(&mut *reader).map_err(|error| bad_zip(file, &error))?;
    let (mut arrays, mut places) = (Vec::new(), Vec::new());
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| bad_zip(file, &error))?;
        let full = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let name = entry_name(&full, file)?;
        places.push((entry.header_start(), entry.name_raw().to_vec()));
        if wanted(name)
            && !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated)
        {
            return Err(DataError::Unsupported {
                file: file.to_owned(),
                found: format!("zip compression by {}", entry.compression()),
                instead: "in Python data = dict(numpy.load(FILE)); numpy.savez_compressed(FILE, **data)"
                    .to_owned(),
            });
        }
        if wanted(name) {
            let array = read_all(&mut budget.expanding(entry), &file.join(&full), budget)?;
            arrays.push((name.to_owned(), array));
        }
    }
    drop(archive);
    for (place, name) in places {
        let found = local_name(reader, place).map_err(|error| DataError::io(file, error))?;
        if found != name {
            let [name, found] = [name, found].map(|name| String::from_utf8_lossy(&name).into_owned());
            return Err(DataError::format(
                file,
                format!("an array {name:?}, as the archive lists"),
                format!("{found:?}"),
            ));
        }
    }
    Ok(arrays)
}

/// The name that stands before an entry. Checksums cover what an entry holds, not how it is called: a name that was
/// damaged in one of its two places would hide an array.
fn local_name(reader: &mut dyn ReadSeek, place: u64) -> io::Result<Vec<u8>> {
    const LENGTH: u64 = 26;
    let mut lengths = [0; 4];
    reader.seek(SeekFrom::Start(place + LENGTH))?;
    reader.read_exact(&mut lengths)?;
    let mut name = vec![0; usize::from(u16::from_le_bytes([lengths[0], lengths[1]]))];
    reader.read_exact(&mut name)?;
    Ok(name)
}

/// Writes arrays as a `.npz` file, whole or not at all, replacing a file of that name.
///
/// The same arrays give the same bytes: entries are stored in the given order, uncompressed, with
/// a fixed time stamp.
///
/// # Errors
/// A path that cannot be written, elements that do not fill their shape, or a name given twice.
///
/// ```
/// use wowflow_data::npy::{NpyArray, read_npz, write_npz};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("data.npz");
/// let (points, labels) = (NpyArray::f64([2, 1], vec![0.0, 1.0]), NpyArray::i64([2], vec![3, 7]));
/// write_npz(&path, &[("X", &points), ("y", &labels)])?;
/// assert_eq!(read_npz(&path)?, vec![("X".to_owned(), points), ("y".to_owned(), labels)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_npz(path: impl AsRef<Path>, arrays: &[(&str, &NpyArray)]) -> Result<(), DataError> {
    save(path.as_ref(), arrays)
}

fn save(path: &Path, arrays: &[(&str, &NpyArray)]) -> Result<(), DataError> {
    atomic::write(path, |file| write_all(file, arrays)).map_err(|error| DataError::io(path, error))
}

/// SHA-256 of arrays with their names and shapes, in the order given, whatever archive holds them.
///
/// # Errors
/// Elements that do not fill their shape.
///
/// ```
/// use wowflow_data::npy::{NpyArray, arrays_sha256};
/// let (one, two) = (NpyArray::f64([1], vec![0.5]), NpyArray::f64([1], vec![0.25]));
/// assert_ne!(arrays_sha256(&[("a", &one), ("b", &two)])?, arrays_sha256(&[("b", &one), ("a", &two)])?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn arrays_sha256(arrays: &[(&str, &NpyArray)]) -> io::Result<String> {
    sha256_written(|writer| {
        for (name, array) in arrays {
            // No name holds such a byte, and a header tells where its array ends.
            writer.write_all(name.as_bytes())?;
            writer.write_all(&[0])?;
            write_npy_to(writer, array)?;
        }
        Ok(())
    })
}

/// Writes an archive of arrays to `writer`; see [`write_npz`].
///
/// # Errors
/// As [`write_npz`].
pub fn write_npz_to(mut writer: impl Write + Seek, arrays: &[(&str, &NpyArray)]) -> io::Result<()> {
    write_all(&mut writer, arrays)
}

fn write_all(writer: &mut dyn WriteSeek, arrays: &[(&str, &NpyArray)]) -> io::Result<()> {
    let mut lasting = Lasting { writer, place: 0, failure: None };
    let written = write_archive(&mut lasting, arrays);
    lasting.failure.map_or(written, Err)
}

/// A writer that keeps its first failure and takes what follows without writing it: an archive that cannot be finished
/// would complain on standard error.
struct Lasting<'a> {
    writer: &'a mut dyn WriteSeek,
    /// Where the next byte goes; archives are begun at 0.
    place: u64,
    failure: Option<io::Error>,
}

impl Write for Lasting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failure.is_none() {
            self.failure = self.writer.write_all(bytes).err();
        }
        self.place += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failure.is_none() {
            self.failure = self.writer.flush().err();
        }
        Ok(())
    }
}

impl Seek for Lasting<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if self.failure.is_none() {
            match self.writer.seek(to) {
                Ok(place) => self.place = place,
                Err(error) => self.failure = Some(error),
            }
        } else {
            self.place = match to {
                SeekFrom::Start(place) => place,
                SeekFrom::Current(by) | SeekFrom::End(by) => self.place.saturating_add_signed(by),
            };
        }
        Ok(self.place)
    }
}

fn write_archive(writer: &mut Lasting<'_>, arrays: &[(&str, &NpyArray)]) -> io::Result<()> {
    let mut archive = ZipWriter::new(writer);
    for (name, array) in arrays {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(encoded_len(array) >= u64::from(u32::MAX));
        archive.start_file(format!("{name}.npy"), options)?;
        write_npy_to(&mut archive, array)?;
    }
    archive.finish()?;
    Ok(())
}
