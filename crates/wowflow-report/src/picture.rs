//! A finished picture and its PNG encoding.

use crate::error::ReportError;
use crate::palette::PAPER;

/// An opaque colour picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    pub(crate) fn new(width: usize, height: usize, pixels: Vec<[u8; 3]>) -> Self {
        debug_assert_eq!(pixels.len(), width * height);
        Self { width, height, pixels }
    }

    /// Pictures side by side in rows of `columns`, on white.
    ///
    /// # Panics
    /// No columns.
    #[must_use]
    pub fn tiled(pictures: &[Picture], columns: usize) -> Self {
        assert!(columns > 0, "pictures are laid out in at least one column");
        let rows: Vec<&[Picture]> = pictures.chunks(columns).collect();
        let width = rows.iter().map(|row| row.iter().map(|p| p.width).sum()).max().unwrap_or(0);
        let heights = rows.iter().map(|row| row.iter().map(|p| p.height).max().unwrap_or(0));
        let mut pixels = Vec::new();
        for (row, height) in rows.iter().zip(heights) {
            for y in 0..height {
                let end = pixels.len() + width;
                for picture in *row {
                    match picture.pixels.get(y * picture.width..(y + 1) * picture.width) {
                        Some(line) => pixels.extend_from_slice(line),
                        None => pixels.resize(pixels.len() + picture.width, PAPER),
                    }
                }
                pixels.resize(end, PAPER);
            }
        }
        Self::new(width, pixels.len().checked_div(width).unwrap_or(0), pixels)
    }

    /// Pixels from left to right.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Red, green and blue of all pixels, row after row.
    #[must_use]
    pub fn pixels(&self) -> &[[u8; 3]] {
        &self.pixels
    }

    /// Whether no pixel has a hue.
    pub(crate) fn is_grey(&self) -> bool {
        self.pixels.iter().all(|&[r, g, b]| r == g && g == b)
    }

    /// The picture as a PNG file, with one channel if it is grey.
    ///
    /// # Errors
    /// The picture is larger than the format allows.
    pub fn to_png(&self) -> Result<Vec<u8>, ReportError> {
        let too_large = |error: png::EncodingError| {
            ReportError::picture("PNG file", "a picture the format can hold", error.to_string())
        };
        let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side(self.width), side(self.height));
        encoder.set_depth(png::BitDepth::Eight);
        let grey = self.is_grey();
        encoder.set_color(if grey { png::ColorType::Grayscale } else { png::ColorType::Rgb });
        let mut writer = encoder.write_header().map_err(too_large)?;
        if grey {
            let values: Vec<u8> = self.pixels.iter().map(|pixel| pixel[0]).collect();
            writer.write_image_data(&values).map_err(too_large)?;
        } else {
            writer.write_image_data(self.pixels.as_flattened()).map_err(too_large)?;
        }
        writer.finish().map_err(too_large)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> (png::ColorType, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut data = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut data).unwrap();
        (info.color_type, data)
    }

    #[test]
    fn tiles_keep_their_pixels_and_leave_paper_between_sizes() {
        let (a, b) = ([1, 2, 3], [4, 5, 6]);
        let tiles =
            [Picture::new(1, 2, vec![a; 2]), Picture::new(2, 1, vec![b; 2]), Picture::new(1, 1, vec![b])];
        let tiled = Picture::tiled(&tiles, 2);
        assert_eq!((tiled.width(), tiled.height()), (3, 3));
        assert_eq!(tiled.pixels(), [a, b, b, a, PAPER, PAPER, b, PAPER, PAPER]);
        assert_eq!(Picture::tiled(&[], 3).pixels().len(), 0);
    }

    #[test]
    fn png_files_hold_the_pixels_and_as_few_channels_as_needed() {
        let colour = Picture::new(2, 1, vec![[1, 2, 3], [4, 4, 4]]);
        assert_eq!(decode(&colour.to_png().unwrap()), (png::ColorType::Rgb, vec![1, 2, 3, 4, 4, 4]));
        let grey = Picture::new(1, 2, vec![[9, 9, 9], [4, 4, 4]]);
        assert_eq!(decode(&grey.to_png().unwrap()), (png::ColorType::Grayscale, vec![9, 4]));
    }
}
