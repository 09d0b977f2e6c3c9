//! No input makes a reader panic: valid files of every format, changed at random.

use std::fs;
use std::io::{Cursor, Write};

use proptest::collection::vec;
use proptest::prelude::*;

use super::cifar::tests::{binary_batch, python_batch};
use super::mat::tests as mat;
use crate::npy::{NpyArray, write_npy_to, write_npz_to};

/// Files of one dataset; the first is the one that is read and changed.
type Fixture = Vec<(&'static str, Vec<u8>)>;

fn idx() -> Fixture {
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[9; 8]].concat();
    vec![("a-images", images), ("a-labels", vec![0, 0, 8, 1, 0, 0, 0, 2, 3, 4])]
}

fn npz() -> Fixture {
    let mut out = Cursor::new(Vec::new());
    let (x, y) =
        (NpyArray::u8([2, 2, 2, 3], (0..24).collect()), NpyArray::text([2], vec!["a".into(), "bc".into()]));
    let shape = NpyArray::i64([3], vec![2, 2, 3]);
    write_npz_to(&mut out, &[("X", &x), ("y", &y), ("image_shape", &shape)]).unwrap();
    vec![("a.npz", out.into_inner())]
}

fn npy() -> Fixture {
    let encode = |array: &NpyArray| {
        let mut out = Vec::new();
        write_npy_to(&mut out, array).unwrap();
        out
    };
    let (x, y) = (NpyArray::f64([3, 1], vec![0.5, 1.0, 2.0]), NpyArray::i64([3], vec![1, 2, 3]));
    vec![("X.npy", encode(&x)), ("y.npy", encode(&y))]
}

fn text(name: &'static str, text: &str) -> Fixture {
    vec![(name, text.into())]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archive() -> Fixture {
    let mut builder = tar::Builder::new(Vec::new());
    for number in 1..=5 {
        let bytes = binary_batch(&[number]);
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, format!("b/data_batch_{number}.bin"), &bytes[..]).unwrap();
    }
    vec![("c.tar", builder.into_inner().unwrap())]
}

fn matlab() -> Fixture {
    let (x, y) = (mat::array(b"X", &[2, 2, 3, 2], 2, &[7; 24]), mat::array(b"y", &[2, 1], 2, &[10, 1]));
    vec![("a.mat", mat::file(&[mat::compressed(&x), y]))]
}

fn image(name: &'static str, format: image::ImageFormat) -> Fixture {
    let mut out = Cursor::new(Vec::new());
    let colours = (0..54).map(|k| 4 * k).collect();
    image::RgbImage::from_raw(6, 3, colours).unwrap().write_to(&mut out, format).unwrap();
    vec![(name, out.into_inner())]
}

/// Runs, stored pixels, a step and the end, in 4 bits.
fn bmp_in_runs() -> Fixture {
    let words = [40u32, 5, 3, 1 | 4 << 16, 2, 18, 0, 0, 3, 0];
    let header: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    let palette = [[9, 8, 7, 0], [6, 5, 4, 0], [3, 2, 1, 0]].concat();
    let runs = [5, 0x12, 0, 0, 0, 3, 0x12, 0x10, 0, 2, 0, 1, 2, 0x11, 0, 1];
    vec![(
        "class/1.bmp",
        [b"BM".to_vec(), vec![0; 8], vec![66, 0, 0, 0], header, palette, runs.to_vec()].concat(),
    )]
}

fn zipped_idx() -> Fixture {
    idx().into_iter().map(|(name, bytes)| (name, gzip(&bytes))).collect()
}

const FIXTURES: [fn() -> Fixture; 15] = [
    idx,
    zipped_idx,
    npz,
    npy,
    || text("a.csv", "x,y,label\n1,2,a\n3,4,b\n"),
    || text("a.libsvm", "1 1:0.5 3:2\n2 2:1\n"),
    || vec![("data_batch_1", python_batch(&[3, 4]))],
    || vec![("a.bin", binary_batch(&[3, 4]))],
    archive,
    matlab,
    || image("class/1.png", image::ImageFormat::Png),
    || image("class/1.jpg", image::ImageFormat::Jpeg),
    || image("class/1.bmp", image::ImageFormat::Bmp),
    || image("class/1.gif", image::ImageFormat::Gif),
    bmp_in_runs,
];

fn read(fixture: &Fixture) -> Result<super::Parsed, crate::DataError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in fixture {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let name = fixture[0].0;
    let path = if name.contains('/') { folder.path().to_owned() } else { folder.path().join(name) };
    super::read_path(&path, None)
}

#[test]
fn the_fixtures_are_valid() {
    for fixture in FIXTURES {
        let fixture = fixture();
        read(&fixture).unwrap_or_else(|error| panic!("{}: {error}", fixture[0].0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_files_never_panic(
        which in 0..FIXTURES.len(),
        edits in vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..5),
        near_start in any::<bool>(),
    ) {
        let mut fixture = FIXTURES[which]();
        let bytes = &mut fixture[0].1;
        for (position, value, kind) in edits {
            if bytes.is_empty() {
                break;
            }
            // Headers are where it hurts.
            let range = if near_start { bytes.len().min(300) } else { bytes.len() };
            let at = position.index(range);
            match kind {
                0 => bytes[at] = value,
                1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][usize::from(value % 5)],
                2 => bytes.insert(at, value),
                _ => bytes.truncate(at),
            }
        }
        // Either a dataset or an error of one line.
        if let Err(error) = read(&fixture) {
            prop_assert!(!error.to_string().contains('\n'), "{error}");
        }
    }

    #[test]
    fn anything_at_all_never_panics(bytes in vec(any::<u8>(), 0..200), which in 0..FIXTURES.len()) {
        let mut fixture = FIXTURES[which]();
        fixture[0].1 = bytes;
        if let Err(error) = read(&fixture) {
            prop_assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}
