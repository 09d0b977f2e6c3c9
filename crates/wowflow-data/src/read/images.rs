//! A folder of folders of images: one folder a class, its name the label.
//!
//! BMP files know no grey: their images have three channels.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use wowflow::dataset::{ImageShape, Points};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

use super::{Parsed, dataset, labels};
use crate::columns::Columns;
use crate::error::DataError;

const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "bmp"];
/// Left behind by file managers.
const IGNORED: [&str; 2] = ["thumbs.db", "desktop.ini"];

/// Reads all images; every one must have the size and channels of the first.
pub(super) fn read_folder(folder: &Path) -> Result<Parsed, DataError> {
    let classes = entries(folder)?;
    let mut first: Option<(ImageShape, PathBuf)> = None;
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    if let Some(stray) = classes.iter().find(|path| !path.is_dir()) {
        let expected = "X.npy and y.npy, IDX or CIFAR-10 files, or only folders of images, one a class";
        return Err(DataError::format(folder, expected, format!("`{}`", name_of(stray))));
    }
    for class in &classes {
        let label = labels::of_text(&name_of(class));
        for path in entries(class)? {
            let (shape, pixels) = decode(&path)?;
            let (expected, model) = first.get_or_insert_with(|| (shape, path.clone()));
            if shape != *expected {
                let expected = format!("{expected} as in {}", model.display());
                return Err(DataError::format(&path, expected, format!("{shape}")));
            }
            values.extend(pixels);
            labels.push(label.clone());
        }
    }
    let Some((shape, _)) = first else {
        return Err(DataError::format(folder, "a folder of PNG, JPEG or BMP images a class", "no images"));
    };
    let dataset = dataset(folder, Points::F32(values), shape.len(), labels, Some(shape))?;
    Ok(Parsed { dataset, files: vec![folder.to_owned()], notes: Vec::new(), columns: Columns::Places })
}

/// All files that count as part of a folder, sorted by path.
pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

/// What a folder holds but for hidden files, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let on_error = |error| DataError::io(folder, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(on_error)? {
        let path = entry.map_err(on_error)?.path();
        let name = name_of(&path);
        if !name.starts_with('.') && !IGNORED.contains(&name.to_lowercase().as_str()) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Pixels in [0, 1], one plane a channel.
fn decode(path: &Path) -> Result<(ImageShape, Vec<f32>), DataError> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if path.is_dir() || !ENDINGS.contains(&ending.as_str()) {
        let found = if path.is_dir() { "a folder" } else { "another file" };
        return Err(DataError::format(path, "a PNG, JPEG or BMP image", found));
    }
    let bytes = fs::read(path).map_err(|error| DataError::io(path, error))?;
    // The first bytes decide, not the ending: misnamed images are common.
    let raster = match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => png(&bytes),
        [0xff, 0xd8, ..] => jpeg(&bytes),
        [b'B', b'M', ..] => bmp(&bytes),
        _ => Err("neither of PNG, JPEG and BMP by its first bytes".to_owned()),
    };
    let unreadable = |found: String| DataError::format(path, "a readable image", found.replace('\n', " "));
    let Raster { width, height, components, values } = raster.map_err(unreadable)?;
    let channels = if components < 3 { 1 } else { 3 };
    let opaque = |pixel: &[f32]| pixel[channels..].iter().all(|&alpha| alpha == 1.0);
    if !values.chunks_exact(components).all(opaque) {
        return Err(DataError::format(path, "grey or red-green-blue pixels", "transparent ones"));
    }
    let plane = |channel: usize| values.iter().skip(channel).step_by(components).copied();
    Ok((ImageShape { width, height, channels }, (0..channels).flat_map(plane).collect()))
}

/// A decoded file: `height x width x components` values in [0, 1]; two and four components end in alpha.
struct Raster {
    width: usize,
    height: usize,
    components: usize,
    values: Vec<f32>,
}

impl Raster {
    fn from_bytes((width, height): (usize, usize), components: usize, bytes: &[u8]) -> Self {
        let values = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        Self { width, height, components, values }
    }
}

fn png(bytes: &[u8]) -> Result<Raster, String> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    let mut buffer = vec![0; reader.output_buffer_size().ok_or("an image larger than memory")?];
    let frame = reader.next_frame(&mut buffer).map_err(|error| error.to_string())?;
    let buffer = &buffer[..frame.buffer_size()];
    let size = (frame.width as usize, frame.height as usize);
    let components = frame.color_type.samples();
    if frame.bit_depth == png::BitDepth::Sixteen {
        let value = |pair: &[u8]| f32::from(u16::from_be_bytes([pair[0], pair[1]])) / f32::from(u16::MAX);
        let values = buffer.chunks_exact(2).map(value).collect();
        return Ok(Raster { width: size.0, height: size.1, components, values });
    }
    Ok(Raster::from_bytes(size, components, buffer))
}

fn jpeg(bytes: &[u8]) -> Result<Raster, String> {
    let mut decoder = zune_jpeg::JpegDecoder::new(ZCursor::new(bytes));
    decoder.decode_headers().map_err(|error| error.to_string())?;
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let (space, components) = if grey { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
    decoder.set_options(DecoderOptions::default().jpeg_set_out_colorspace(space));
    let info = decoder.info().ok_or("no image header")?;
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    Ok(Raster::from_bytes((info.width.into(), info.height.into()), components, &pixels))
}

fn bmp(bytes: &[u8]) -> Result<Raster, String> {
    let mut decoder = zune_bmp::BmpDecoder::new(ZCursor::new(bytes));
    let mut pixels = decoder.decode().map_err(|error| format!("{error:?}"))?;
    let components = decoder.colorspace().ok_or("no image header")?.num_components();
    // Most writers of 32 bits a pixel leave the fourth byte unused, at zero.
    if components == 4 && pixels.iter().skip(3).step_by(4).all(|&alpha| alpha == 0) {
        pixels.iter_mut().skip(3).step_by(4).for_each(|alpha| *alpha = u8::MAX);
    }
    Ok(Raster::from_bytes(decoder.dimensions().ok_or("no image header")?, components, &pixels))
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage, ImageBuffer, Luma, RgbImage, RgbaImage};

    use wowflow::dataset::Label;

    use super::*;

    fn folder_with(save: &[(&str, DynamicImage)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, image) in save {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            image.save(path).unwrap();
        }
        folder
    }

    fn grey(values: [u8; 6]) -> DynamicImage {
        GrayImage::from_raw(3, 2, values.to_vec()).unwrap().into()
    }

    #[test]
    fn folders_are_classes() {
        let images = [
            ("b/2.png", grey([0, 51, 102, 153, 204, 255])),
            ("b/1.png", grey([255; 6])),
            ("3/only.png", grey([0; 6])),
        ];
        let folder = folder_with(&images);
        fs::write(folder.path().join("b/.hidden"), "x").unwrap();
        fs::write(folder.path().join("Thumbs.db"), "x").unwrap();
        let parsed = super::super::read_path(folder.path(), None, &Default::default()).unwrap();
        let data = parsed.dataset;
        assert_eq!(data.classes(), &[Label::Int(3), Label::from("b")]);
        assert_eq!(data.image_shape(), Some(ImageShape { width: 3, height: 2, channels: 1 }));
        let row: Vec<f64> = data.row(2).iter().map(|v| (v * 255.0).round()).collect();
        assert_eq!(row, [0.0, 51.0, 102.0, 153.0, 204.0, 255.0]);
        assert_eq!(data.row(1), vec![1.0; 6]);
    }

    #[test]
    fn colours_are_stored_plane_by_plane() {
        let image = RgbImage::from_raw(2, 1, vec![255, 0, 51, 0, 255, 102]).unwrap();
        let parsed = read_folder(folder_with(&[("a/1.png", image.into())]).path()).unwrap();
        let row: Vec<f64> = parsed.dataset.row(0).iter().map(|v| (v * 255.0).round()).collect();
        assert_eq!(row, [255.0, 0.0, 0.0, 255.0, 51.0, 102.0]);
    }

    #[test]
    fn every_format_and_depth_is_read() {
        let opaque = RgbaImage::from_fn(3, 2, |x, y| image::Rgba([x as u8 * 51, y as u8 * 255, 0, 255]));
        let colours = DynamicImage::from(opaque);
        let deep = ImageBuffer::<Luma<u16>, _>::from_raw(3, 2, vec![0, 13107, 26214, 39321, 52428, 65535]);
        let grey = grey([0, 51, 102, 153, 204, 255]);
        let read = |name: &str, image: DynamicImage| {
            let folder = folder_with(&[(name, image)]);
            read_folder(folder.path()).unwrap().dataset
        };
        let plain = read("a/1.png", grey.clone());
        assert_eq!(read("a/1.png", deep.unwrap().into()).row(0), plain.row(0));
        let expected = read("a/1.png", colours.to_rgb8().into());
        for (name, image) in [("a/1.png", colours.clone()), ("a/1.bmp", colours.clone())] {
            assert_eq!(read(name, image).row(0), expected.row(0), "{name}");
        }
        // Lossy: within a few grey levels of what was written.
        let smooth = DynamicImage::from(GrayImage::from_fn(16, 8, |x, y| Luma([(8 * x + 10 * y) as u8])));
        for image in [smooth.clone(), smooth.to_rgb8().into()] {
            let (exact, lossy) = (read("a/1.png", image.clone()), read("a/1.jpg", image));
            assert_eq!(exact.image_shape(), lossy.image_shape());
            let close = exact.row(0).iter().zip(lossy.row(0)).all(|(a, b)| (a - b).abs() < 0.05);
            assert!(close, "{:?}\n{:?}", exact.row(0), lossy.row(0));
        }
        let folder = folder_with(&[("a/really.png", grey)]);
        fs::rename(folder.path().join("a/really.png"), folder.path().join("a/named.bmp")).unwrap();
        assert_eq!(read_folder(folder.path()).unwrap().dataset.row(0), plain.row(0));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |folder: &tempfile::TempDir| {
            let prefix = format!("{}/", folder.path().display());
            read_folder(folder.path()).unwrap_err().to_string().replace(&prefix, "")
        };
        let other = DynamicImage::from(GrayImage::new(2, 2));
        let sizes = folder_with(&[("a/1.png", grey([0; 6])), ("b/1.png", other)]);
        assert_eq!(error(&sizes), "b/1.png: expected 3x2x1 as in a/1.png, found 2x2x1");
        let colour = DynamicImage::from(RgbImage::new(3, 2));
        let channels = folder_with(&[("a/1.png", grey([0; 6])), ("a/2.png", colour)]);
        assert_eq!(error(&channels), "a/2.png: expected 3x2x1 as in a/1.png, found 3x2x3");
        let clear = folder_with(&[("a/1.png", RgbaImage::new(3, 2).into())]);
        assert_eq!(error(&clear), "a/1.png: expected grey or red-green-blue pixels, found transparent ones");
        let stray = folder_with(&[("a/1.png", grey([0; 6]))]);
        fs::write(stray.path().join("a/notes.txt"), "x").unwrap();
        assert_eq!(error(&stray), "a/notes.txt: expected a PNG, JPEG or BMP image, found another file");
        fs::write(stray.path().join("a/notes.txt"), "x").unwrap();
        let broken = folder_with(&[]);
        fs::create_dir(broken.path().join("a")).unwrap();
        assert!(error(&broken).contains("no images"));
        fs::write(broken.path().join("a/1.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
        assert!(error(&broken).starts_with("a/1.png: expected a readable image, found "));
    }
}
