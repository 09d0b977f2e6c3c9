//! Opening a file: decompression by content, its first bytes for detection, its checksum.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::bounded::{Budget, read_full};
use crate::error::DataError;

/// A file that a dataset came from, for provenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Where it was found.
    #[serde(serialize_with = "as_text")]
    pub path: PathBuf,
    /// Its size in bytes; of a folder, the total.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal; of a folder, that of the sorted lines
    /// `SHA256  RELATIVE/PATH` of its files.
    pub sha256: String,
}

/// Stored paths are for people: what is no text in them is replaced.
fn as_text<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_string_lossy())
}

/// A file opened for reading, expanded if it was gzip or bzip2, whatever its name.
pub(crate) struct Opened<'a> {
    /// Up to 512 bytes of the expanded content; they are read again by `reader`.
    pub(crate) head: Vec<u8>,
    pub(crate) reader: Box<dyn Read + 'a>,
}

/// Opens a file, one more of the budget.
pub(crate) fn open<'a>(path: &Path, budget: &'a Budget) -> Result<Opened<'a>, DataError> {
    let on_error = |error| DataError::io(path, error);
    let mut file = File::open(path).map_err(on_error)?;
    budget.open(file.metadata().map_err(on_error)?.len());
    let mut magic = [0; 3];
    let found = read_full(&mut file, &mut magic).map_err(on_error)?;
    file.seek(SeekFrom::Start(0)).map_err(on_error)?;
    let file = BufReader::with_capacity(1 << 16, file);
    let mut reader: Box<dyn Read + 'a> = match &magic[..found] {
        [0x1f, 0x8b, _] => Box::new(budget.expanding(MultiGzDecoder::new(file))),
        b"BZh" => Box::new(budget.expanding(MultiBzDecoder::new(file))),
        _ => Box::new(file),
    };
    let mut head = vec![0; 512];
    let found = read_full(&mut reader, &mut head).map_err(on_error)?;
    head.truncate(found);
    let reader = Box::new(io::Cursor::new(head.clone()).chain(reader));
    Ok(Opened { head, reader })
}

/// Reads all of a file, expanded.
pub(crate) fn read_whole(path: &Path, budget: &Budget) -> Result<Vec<u8>, DataError> {
    budget.read_to_end(&mut open(path, budget)?.reader, path)
}

/// Checksum and size of a file or of all files below a folder.
pub(crate) fn checksum(path: &Path) -> Result<SourceFile, DataError> {
    let (sha256, bytes) = if path.is_dir() { of_folder(path)? } else { of_file(path)? };
    Ok(SourceFile { path: path.to_owned(), sha256, bytes })
}

fn of_file(path: &Path) -> Result<(String, u64), DataError> {
    let on_error = |error| DataError::io(path, error);
    let mut file = File::open(path).map_err(on_error)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let found = read_full(&mut file, &mut buffer).map_err(on_error)?;
        if found == 0 {
            return Ok((hex(&hasher.finalize()), bytes));
        }
        hasher.update(&buffer[..found]);
        bytes += found as u64;
    }
}

fn of_folder(folder: &Path) -> Result<(String, u64), DataError> {
    let mut hasher = Sha256::new();
    let mut total = 0;
    for path in super::images::files_below(folder)? {
        let (sha256, bytes) = of_file(&path)?;
        let parts = path.strip_prefix(folder).unwrap_or(&path).components();
        let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
        hasher.update(format!("{sha256}  {}\n", parts.join("/")));
        total += bytes;
    }
    Ok((hex(&hasher.finalize()), total))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn compression_is_seen_in_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let text = b"some text, twice".repeat(100);
        let plain = folder.path().join("a.gz");
        std::fs::write(&plain, &text).unwrap();
        let gz = folder.path().join("b");
        let mut encoder = flate2::write::GzEncoder::new(File::create(&gz).unwrap(), Default::default());
        encoder.write_all(&text).unwrap();
        encoder.finish().unwrap();
        let bz = folder.path().join("c");
        let mut encoder = bzip2::write::BzEncoder::new(File::create(&bz).unwrap(), Default::default());
        encoder.write_all(&text).unwrap();
        encoder.finish().unwrap();
        for path in [plain, gz, bz] {
            let budget = Budget::default();
            assert_eq!(open(&path, &budget).unwrap().head, text[..512]);
            assert_eq!(read_whole(&path, &budget).unwrap(), text);
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zeros.bz2");
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), Default::default());
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
        // Streams of 45 bytes, a megabyte each.
        std::fs::write(&path, encoder.finish().unwrap().repeat(600)).unwrap();
        let budget = Budget::default();
        let mut reader = open(&path, &budget).unwrap().reader;
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("once expanded, found more"), "{error}");
    }

    #[test]
    fn checksums_are_the_standard_ones() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("abc"), "abc").unwrap();
        let source = checksum(&folder.path().join("abc")).unwrap();
        assert_eq!(source.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(source.bytes, 3);
    }
}
