//! One image file: its format, seen in its first bytes, and its pixels.
//!
//! PNG and JPEG have one channel or three; BMP, GIF (its first frame) and WebP have three, whatever their palette. A
//! file that is cut short is refused, and so are pixels that are not opaque, unless alpha is to be left out.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use wowflow::dataset::ImageShape;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

use super::bmp;
use super::raster::{Raster, Room};
use crate::bounded::{Budget, read_full};
use crate::error::DataError;

/// A format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    Bmp,
    Gif,
    WebP,
}

/// Formats that are read, in words.
pub(super) const FORMATS: &str = "PNG, JPEG, WebP, BMP or GIF";
/// Endings of image files: of such as are read, and of others.
const READ: [&str; 10] = ["png", "apng", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "gif", "webp"];
const FOREIGN: [&str; 11] = ["tif", "tiff", "heic", "heif", "avif", "jp2", "jxl", "ppm", "pgm", "pbm", "tga"];

/// The format of a file, `None` if it is no image; the first bytes decide, for misnamed images are common.
pub(super) fn format_of(path: &Path) -> Result<Option<Format>, DataError> {
    let on_error = |error| DataError::io(path, error);
    let mut head = [0; 12];
    let found = read_full(&mut File::open(path).map_err(on_error)?, &mut head).map_err(on_error)?;
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let foreign = |name: &str| {
        let instead = format!(
            "convert it to one of {FORMATS}, as in Python by PIL.Image.open(FILE).convert('RGB').save('FILE.png')"
        );
        Err(DataError::Unsupported { file: path.to_owned(), found: name.to_owned(), instead })
    };
    match &head[..found] {
        [0x89, b'P', b'N', b'G', ..] => Ok(Some(Format::Png)),
        [0xff, 0xd8, 0xff, ..] => Ok(Some(Format::Jpeg)),
        [b'G', b'I', b'F', b'8', ..] => Ok(Some(Format::Gif)),
        // Two letters are little: a text may begin with them.
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Ok(Some(Format::Bmp)),
        [b'B', b'M', ..] if READ.contains(&&*ending) => Ok(Some(Format::Bmp)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => Ok(Some(Format::WebP)),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => foreign("TIFF"),
        _ if FOREIGN.contains(&&*ending) => foreign(&ending.to_uppercase()),
        _ if READ.contains(&&*ending) => {
            let found = format!("none of {FORMATS} by its first bytes");
            Err(DataError::format(path, "a readable image", found))
        }
        _ => Ok(None),
    }
}

/// An image as it is stored.
pub(super) struct Decoded {
    pub(super) shape: ImageShape,
    /// Values in [0, 1], one plane a channel.
    pub(super) pixels: Vec<f32>,
    /// Whether the file asks viewers to turn or mirror it.
    pub(super) turned: bool,
    /// Whether alpha was left out.
    pub(super) transparent: bool,
}

/// The pixels of a file, in memory of the budget; of transparent ones their colours where `without_alpha`.
pub(super) fn decode(
    path: &Path,
    format: Format,
    without_alpha: bool,
    budget: &Budget,
) -> Result<Decoded, DataError> {
    let mut file = File::open(path).map_err(|error| DataError::io(path, error))?;
    budget.open(file.metadata().map_err(|error| DataError::io(path, error))?.len());
    let bytes = budget.read_to_end(&mut file, path)?;
    let room = &Room::new(budget);
    let raster = match format {
        Format::Png => png(&bytes, room),
        Format::Jpeg => jpeg(&bytes, room),
        Format::Bmp => bmp::read(&bytes, room),
        Format::Gif => gif(&bytes, room),
        Format::WebP => webp(&bytes, room),
    };
    let turned = format == Format::Jpeg && is_turned(&bytes);
    budget.give(bytes.len() as u64);
    drop(bytes);
    let unreadable = |found: String| DataError::format(path, "a readable image", found.replace('\n', " "));
    let Raster { width, height, components, values } = raster.map_err(unreadable)?;
    let channels = if components < 3 { 1 } else { 3 };
    let opaque = |pixel: &[f32]| pixel[channels..].iter().all(|&alpha| alpha == 1.0);
    let transparent = !values.chunks_exact(components).all(opaque);
    if transparent && !without_alpha {
        let found =
            "transparent ones: lay the image on a background, or leave alpha out by `--rgb` or `--grey`";
        return Err(DataError::format(path, "grey or red-green-blue pixels", found));
    }
    let shape = ImageShape { width, height, channels };
    if components == 1 {
        budget.take_of::<f32>(values.len(), path)?;
        return Ok(Decoded { shape, pixels: values, turned, transparent });
    }
    budget.take_of::<f32>(width * height * channels, path)?;
    let mut pixels = Vec::with_capacity(width * height * channels);
    for channel in 0..channels {
        pixels.extend(values.iter().skip(channel).step_by(components));
    }
    Ok(Decoded { shape, pixels, turned, transparent })
}

/// Whether the EXIF data of a JPEG have another orientation than the usual one.
fn is_turned(bytes: &[u8]) -> bool {
    const ORIENTATION: u16 = 0x0112;
    let Some(exif) = bytes.windows(6).take(1 << 16).position(|window| window == b"Exif\0\0") else {
        return false;
    };
    let tiff = &bytes[exif + 6..];
    let little = tiff.starts_with(b"II");
    let word = |at: usize| {
        let pair = tiff.get(at..at + 2)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    // The first directory: entries of 12 bytes after their number.
    let [high, low] = if little { [6, 4] } else { [4, 6] };
    let start = word(high).zip(word(low)).map(|(high, low)| usize::from(high) << 16 | usize::from(low));
    let Some((start, count)) = start.and_then(|start| Some((start, word(start)?))) else { return false };
    let entry = |k: usize| start + 2 + 12 * k;
    (0..usize::from(count))
        .find(|&k| word(entry(k)) == Some(ORIENTATION))
        .and_then(|k| word(entry(k) + 8))
        .is_some_and(|orientation| orientation != 1)
}

fn png(bytes: &[u8], room: &Room<'_>) -> Result<Raster, String> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let info = decoder.read_header_info().map_err(|error| error.to_string())?;
    let components = if info.color_type == png::ColorType::Indexed { 3 } else { info.color_type.samples() };
    // Samples of one byte or two, and values of four; transparency may come to them.
    let depth = if info.bit_depth == png::BitDepth::Sixteen { 2 } else { 1 };
    let more = if components == 1 { 2 * (depth + 4) } else { (depth + 4) * 4 / 3 + 1 };
    room.take((info.width as usize, info.height as usize), components, more)?;
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    if let Some(palette) = &reader.info().palette
        && !(palette.len().is_multiple_of(3) && (3..=768).contains(&palette.len()))
    {
        return Err(format!("a PNG with a palette of {} bytes", palette.len()));
    }
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

fn jpeg(bytes: &[u8], room: &Room<'_>) -> Result<Raster, String> {
    let side = usize::from(u16::MAX);
    let options = DecoderOptions::default().set_max_width(side).set_max_height(side);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| error.to_string())?;
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let (space, components) = if grey { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
    let info = decoder.info().ok_or("no image header")?;
    let size = (info.width.into(), info.height.into());
    // Samples and values; coefficients of progressive ones, of three components whatever is asked for.
    room.take(size, 3, 1 + 4 + 4)?;
    // What is missing would be filled up with grey.
    if !has_end(bytes) {
        return Err("a JPEG cut short".to_owned());
    }
    decoder.set_options(options.set_strict_mode(true).jpeg_set_out_colorspace(space));
    let pixels = decoder.decode().map_err(|error| error.to_string())?;
    Ok(Raster::from_bytes(size, components, &pixels))
}

/// Whether a JPEG comes to its end marker. Segments are stepped over: previews in them have ends of their own.
fn has_end(bytes: &[u8]) -> bool {
    let mut rest = &bytes[2..];
    // In compressed data 0xff is followed by 0 or the number of a restart; more of it are fillers.
    let marks = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 1 | 0xd0..=0xd8 | 0xff);
    while let Some(at) = rest.windows(2).position(marks) {
        if rest[at + 1] == 0xd9 {
            return true;
        }
        let Some(&[high, low]) = rest.get(at + 2..at + 4) else { return false };
        let Some(after) = rest.get(at + 2 + usize::from(u16::from_be_bytes([high, low]))..) else {
            return false;
        };
        rest = after;
    }
    false
}

fn gif(bytes: &[u8], room: &Room<'_>) -> Result<Raster, String> {
    let mut options = gif::DecodeOptions::new();
    // The budget is the limit.
    options.set_memory_limit(gif::MemoryLimit::Unlimited);
    let mut decoder = options.read_info(bytes).map_err(|error| error.to_string())?;
    let size = (usize::from(decoder.width()), usize::from(decoder.height()));
    // Numbers of colours, colours and values.
    room.take(size, 4, 1 + 1 + 4)?;
    let frame =
        decoder.next_frame_info().map_err(|error| error.to_string())?.ok_or("a GIF without a frame")?;
    let place = (frame.left, frame.top, usize::from(frame.width), usize::from(frame.height));
    if place != (0, 0, size.0, size.1) {
        return Err("a GIF whose first frame is not all of it: convert it to PNG".to_owned());
    }
    let transparent = frame.transparent;
    let mut numbers = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut numbers).map_err(|error| error.to_string())?;
    let palette = decoder.palette().map_err(|error| error.to_string())?;
    let mut rgba = Vec::with_capacity(4 * numbers.len());
    for number in numbers {
        let at = 3 * usize::from(number);
        let colour = palette.get(at..at + 3).ok_or_else(|| format!("a GIF without its colour {number}"))?;
        rgba.extend_from_slice(colour);
        rgba.push(if transparent == Some(number) { 0 } else { u8::MAX });
    }
    Ok(Raster::from_bytes(size, 4, &rgba))
}

fn webp(bytes: &[u8], room: &Room<'_>) -> Result<Raster, String> {
    // Lossy pixels that are missing would be made up.
    let told = bytes.get(4..8).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
    if told.is_none_or(|told| bytes.len() < told as usize + 8) {
        return Err("a WebP cut short".to_owned());
    }
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    if decoder.is_animated() {
        return Err("a WebP of several pictures: convert it to PNG".to_owned());
    }
    let (width, height) = decoder.dimensions();
    // A lossy picture says its size once more, and is decoded at that before the two are compared.
    if lossy_size(bytes).is_some_and(|found| found != (width, height)) {
        return Err(format!("a WebP of {width}x{height} that holds a picture of another size"));
    }
    let size = (width as usize, height as usize);
    let components = if decoder.has_alpha() { 4 } else { 3 };
    // Samples of blocks of 16, those of red, green, blue and alpha beside what transforms need, and values.
    room.take((size.0.next_multiple_of(16), size.1.next_multiple_of(16)), 4, 1 + 1 + 1 + 4)?;
    let mut buffer = vec![0; decoder.output_buffer_size().ok_or("an image larger than memory")?];
    decoder.read_image(&mut buffer).map_err(|error| error.to_string())?;
    Ok(Raster::from_bytes(size, components, &buffer))
}

/// The size that the lossy picture of a WebP has by its own header.
fn lossy_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.get(12..)?;
    loop {
        let (name, length) = (rest.first_chunk::<4>()?, u32::from_le_bytes(rest.get(4..8)?.try_into().ok()?));
        if name == b"VP8 " {
            // A frame tag of three bytes, three of a start code, and 14 bits each.
            let side = |at: usize| {
                Some(u32::from(u16::from_le_bytes(rest.get(at..at + 2)?.try_into().ok()?)) & 0x3fff)
            };
            return side(14).zip(side(16));
        }
        rest = rest.get(8 + (length as usize).next_multiple_of(2)..)?;
    }
}
