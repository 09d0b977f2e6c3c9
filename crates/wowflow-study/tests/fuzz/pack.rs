//! Valid containers around content that may be none: archives, compressed streams.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use wowflow_data::DataError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::mutate::Mutator;

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive, entries deflated or stored.
pub(crate) fn zip(m: &mut Mutator, entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let method = if m.one_in(2) { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let options = SimpleFileOptions::default().compression_method(method).compression_level(match method {
        CompressionMethod::Deflated => Some(1),
        _ => None,
    });
    for (name, bytes) in entries {
        // A name may be there already.
        if archive.start_file(name.as_str(), options).is_ok() {
            archive.write_all(bytes).unwrap();
        }
    }
    archive.finish().unwrap().into_inner()
}

/// Plain or compressed: readers look at the content.
pub(crate) fn perhaps_compressed(m: &mut Mutator, bytes: Vec<u8>) -> Vec<u8> {
    match m.below(6) {
        0 => {
            let packed = gz(&bytes);
            m.touch(packed)
        }
        1 => {
            let packed = bz2(&bytes);
            m.touch(packed)
        }
        _ => bytes,
    }
}

/// Loads a dataset by its path.
pub(crate) fn load(path: &std::path::Path) -> Result<(), String> {
    let text = path.to_str().unwrap();
    let load = || -> Result<(), DataError> {
        wowflow_data::load(&text.parse()?, &wowflow_data::LoadOptions::default()).map(|_| ())
    };
    load().map_err(|error| error.to_string())
}
