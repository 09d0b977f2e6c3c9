//! A finished picture and its PNG encoding.

use crate::error::ReportError;

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
    fn png_files_hold_the_pixels_and_as_few_channels_as_needed() {
        let colour = Picture::new(2, 1, vec![[1, 2, 3], [4, 4, 4]]);
        assert_eq!(decode(&colour.to_png().unwrap()), (png::ColorType::Rgb, vec![1, 2, 3, 4, 4, 4]));
        let grey = Picture::new(1, 2, vec![[9, 9, 9], [4, 4, 4]]);
        assert_eq!(decode(&grey.to_png().unwrap()), (png::ColorType::Grayscale, vec![9, 4]));
    }
}
