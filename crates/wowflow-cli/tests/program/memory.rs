//! Files that become far more than they are: refused under a limit of memory, and read where they are honest.
#![cfg(target_os = "linux")]

use std::io::{Cursor, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use zip::write::SimpleFileOptions;

use crate::faults::shell;
use crate::support::{Ran, folder};

const MEGABYTE: usize = 1 << 20;

/// A gzip file of a beginning, so many megabytes of one text, and an end.
fn gz(begin: &[u8], text: &[u8], megabytes: usize, end: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let block = text.repeat(MEGABYTE / text.len());
    encoder.write_all(begin).unwrap();
    (0..megabytes).for_each(|_| encoder.write_all(&block).unwrap());
    encoder.write_all(end).unwrap();
    encoder.finish().unwrap()
}

/// A MATLAB file of compressed zeros, five times, compressed again.
fn nested() -> Vec<u8> {
    let length = 100 * MEGABYTE;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&[14u32.to_le_bytes(), (length as u32).to_le_bytes()].concat()).unwrap();
    (0..100).for_each(|_| encoder.write_all(&vec![0; MEGABYTE]).unwrap());
    let zeros = encoder.finish().unwrap();
    let element = [&15u32.to_le_bytes()[..], &(zeros.len() as u32).to_le_bytes(), &zeros].concat();
    let mut head = b"MATLAB 5.0 MAT-file".to_vec();
    head.resize(124, b' ');
    head.extend([0, 1, b'I', b'M']);
    gz(&head, &element, 0, &element.repeat(5))
}

/// An archive of `X`, so many rows of a thousand zeros but for one, and `y`.
fn one_hot(rows: usize, level: i64) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let head = |kind: &str, shape: &str| {
        let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
        [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat()
    };
    let options = SimpleFileOptions::default().compression_level(Some(level));
    archive.start_file("X.npy", options).unwrap();
    archive.write_all(&head("<f8", &format!("({rows}, 1000)"))).unwrap();
    for row in 0..rows {
        let mut values = vec![0u8; 8000];
        values[8 * (row % 1000)..][..8].copy_from_slice(&1f64.to_le_bytes());
        archive.write_all(&values).unwrap();
    }
    archive.start_file("y.npy", options).unwrap();
    archive.write_all(&head("|u1", &format!("({rows},)"))).unwrap();
    archive.write_all(&(0..rows).map(|row| (row % 4) as u8).collect::<Vec<_>>()).unwrap();
    archive.finish().unwrap().into_inner()
}

/// Looks at a file in so many megabytes of memory.
fn info(folder: &Path, name: &str, megabytes: usize) -> Ran {
    shell(&format!("ulimit -v {}; $W info {name} --no-sheet", 1024 * megabytes), folder)
}

#[test]
fn what_becomes_too_much_is_refused() {
    let folder = folder();
    for (name, bytes) in [
        ("data_batch_1", gz(b"\x80\x02(", b"K\x01", 40, b"t.")),
        ("line.csv.gz", gz(b"", b"0,", 80, b"1\n")),
        ("lines.csv.gz", gz(b"", b"1,a\n", 40, b"")),
        ("nested.mat.gz", nested()),
        ("zeros.npz", one_hot(60_000, 1)),
    ] {
        std::fs::write(folder.path().join(name), &bytes).unwrap();
        // Nothing is a fault of the program: an allocation that fails would abort it.
        info(folder.path(), name, 800).fails("expected at most ");
    }
    info(folder.path(), "/dev/zero", 800).fails("expected a file, a folder or a pipe, found a device");
}

#[test]
fn zeros_that_are_compressed_a_thousandfold_are_read() {
    let folder = folder();
    let bytes = one_hot(40_000, 9);
    assert!(bytes.len() < 40_000 * 8000 / 500, "{}", bytes.len());
    std::fs::write(folder.path().join("a.npz"), bytes).unwrap();
    info(folder.path(), "a.npz", 2000).ok();
}
