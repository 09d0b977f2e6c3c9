//! Folders of images, each of one format.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};

use crate::harness::{Files, Format, fuzz};
use crate::mutate::Mutator;
use crate::pack::{load, zlib};

fn encoded(m: &mut Mutator, format: ImageFormat) -> Vec<u8> {
    let (width, height) = (1 + m.below(9) as u32, 1 + m.below(9) as u32);
    let count = (width * height) as usize;
    let grey = format != ImageFormat::Gif && m.one_in(2);
    let image: DynamicImage = if grey {
        GrayImage::from_raw(width, height, m.bytes(count)).unwrap().into()
    } else {
        RgbImage::from_raw(width, height, m.bytes(3 * count)).unwrap().into()
    };
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn changed(m: &mut Mutator, file: Vec<u8>, other: &[u8]) -> Files {
    let file = m.spliced(file, other);
    vec![("class/1.img", m.touch(file))]
}

/// Chunks with right checksums around changed content.
fn draw_png(m: &mut Mutator) -> Files {
    let (width, height) = (1 + m.below(9) as u32, 1 + m.below(9) as u32);
    let (depth, kind, samples) =
        [(8, 0, 1), (8, 2, 3), (16, 0, 1), (1, 0, 1), (4, 3, 1), (8, 3, 1), (16, 2, 3), (2, 0, 1)]
            [m.below(8)];
    let row = (width as usize * depth as usize * samples).div_ceil(8);
    let interlaced = u8::from(m.one_in(6) && width == 1 && height == 1);
    let filters = m.below(5) as u8;
    let rows: Vec<u8> = (0..height).flat_map(|_| [vec![filters], m.bytes(row)].concat()).collect();
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, kind, 0, 0, interlaced]].concat();
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let rows = m.touch(rows);
    let mut chunks = vec![(*b"IHDR", m.touch(head)), (*b"IDAT", zlib(&rows)), (*b"IEND", Vec::new())];
    if kind == 3 {
        let colours = m.bytes(3 << depth);
        chunks.insert(1, (*b"PLTE", m.touch(colours)));
    }
    if m.one_in(5) {
        let packed = zlib(b"a text");
        chunks.insert(1, (*b"zTXt", m.touch([b"key\0\0", &packed[..]].concat())));
    }
    for (kind, content) in chunks {
        out.extend((content.len() as u32).to_be_bytes());
        let mut sum = flate2::Crc::new();
        sum.update(&kind);
        sum.update(&content);
        out.extend([&kind[..], &content, &sum.sum().to_be_bytes()].concat());
    }
    let out = if m.one_in(3) { m.touch(out) } else { out };
    vec![("class/1.img", out)]
}

fn draw_jpeg(m: &mut Mutator) -> Files {
    let (file, other) = (encoded(m, ImageFormat::Jpeg), encoded(m, ImageFormat::Jpeg));
    changed(m, file, &other)
}

fn draw_gif(m: &mut Mutator) -> Files {
    let (file, other) = (encoded(m, ImageFormat::Gif), encoded(m, ImageFormat::Gif));
    changed(m, file, &other)
}

/// Lossy ones of Pillow, of 5 x 3 pixels, the second with alpha, beside lossless ones.
const LOSSY: [&[u8]; 2] = [
    b"\x52\x49\x46\x46\x34\x00\x00\x00\x57\x45\x42\x50\x56\x50\x38\x20\x28\x00\x00\x00\xb0\x01\x00\x9d\
      \x01\x2a\x05\x00\x03\x00\x0c\xc0\xce\x25\xb0\x02\x74\x00\xf4\x6c\x5d\x10\x00\xc9\xf4\x57\x14\x18\
      \xe5\x92\xf8\xc5\xc7\xed\x2b\x11\xbd\x00\x00\x00",
    b"\x52\x49\x46\x46\x64\x00\x00\x00\x57\x45\x42\x50\x56\x50\x38\x58\x0a\x00\x00\x00\x10\x00\x00\x00\
      \x04\x00\x00\x02\x00\x00\x41\x4c\x50\x48\x10\x00\x00\x00\x00\x80\x9b\xf8\xba\xa1\x8b\x8f\xef\x47\
      \xd0\xab\x00\x64\xdb\x8d\x56\x50\x38\x20\x2e\x00\x00\x00\xb0\x01\x00\x9d\x01\x2a\x05\x00\x03\x00\
      \x0c\xc0\xce\x25\xb0\x02\x74\x00\xf2\x7e\xfe\x00\x00\xdd\xce\x1d\x17\x49\xbe\x32\x77\x2a\x37\xc1\
      \x2d\x4a\x8d\xe8\x1d\x1a\xc9\x89\x68\xc0\x00\x00",
];

fn draw_webp(m: &mut Mutator) -> Files {
    let one = |m: &mut Mutator| match m.below(4) {
        known @ 0..2 => LOSSY[known].to_vec(),
        _ => encoded(m, ImageFormat::WebP),
    };
    let (file, other) = (one(m), one(m));
    changed(m, file, &other)
}

/// All depths, runs included.
fn draw_bmp(m: &mut Mutator) -> Files {
    let bmp = |m: &mut Mutator| {
        let (width, height) = (1 + m.below(9), 1 + m.below(9));
        let (bits, compression) =
            [(1, 0), (4, 0), (8, 0), (16, 0), (24, 0), (32, 0), (8, 1), (4, 2), (16, 3)][m.below(9)];
        let masks: Vec<u8> = [0x7c00u32, 0x3e0, 0x1f].into_iter().flat_map(u32::to_le_bytes).collect();
        let behind = match bits {
            1..=8 => m.bytes(4 << bits),
            _ if compression == 3 => masks,
            _ => Vec::new(),
        };
        let data = match compression {
            1 | 2 => (0..height).flat_map(|_| [width as u8, m.next() as u8, 0, 0]).chain([0, 1]).collect(),
            _ => {
                let stride = (width * bits).div_ceil(8).next_multiple_of(4);
                m.bytes(stride * height)
            }
        };
        let words = [40, width as u32, height as u32, 1 | (bits as u32) << 16, compression, 0, 0, 0, 0, 0];
        let head: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        let start = (54 + behind.len() as u32).to_le_bytes();
        [&b"BM"[..], &[0; 8], &start, &m.touch(head), &behind, &m.touch(data)].concat()
    };
    let (file, other) = (bmp(m), bmp(m));
    let file = m.spliced(file, &other);
    vec![("class/1.img", if m.one_in(4) { m.touch(file) } else { file })]
}

#[test]
fn png_files() {
    fuzz(&Format { name: "png", draw: draw_png, read: load, inputs: 4000 });
}

#[test]
fn jpeg_files() {
    fuzz(&Format { name: "jpeg", draw: draw_jpeg, read: load, inputs: 4000 });
}

#[test]
fn gif_files() {
    fuzz(&Format { name: "gif", draw: draw_gif, read: load, inputs: 4000 });
}

#[test]
fn webp_files() {
    // With what takes the colours of transparent pixels.
    let read = |path: &Path| load(Path::new(&format!("{}[rgb]", path.display())));
    fuzz(&Format { name: "webp", draw: draw_webp, read, inputs: 4000 });
}

#[test]
fn bmp_files() {
    fuzz(&Format { name: "bmp", draw: draw_bmp, read: load, inputs: 4000 });
}
