//! BMP images of 1 to 32 bits a pixel: palettes, masks and runs.
//!
//! What other readers show is what is read: three channels, for grey palettes too; the fourth byte of 32 bits
//! without masks is unused; pixels that runs skip have the first colour. An alpha channel of zeros alone is unused,
//! too. Compression as JPEG or PNG, 2 and 64 bits a pixel and colours of OS/2's own are refused.

use super::raster::{Raster, Room};

const CUT_SHORT: &str = "a BMP cut short";
/// Of the file's own header, before the one that describes the image.
const FILE_HEADER: usize = 14;

pub(super) fn read(bytes: &[u8], room: &Room<'_>) -> Result<Raster, String> {
    let header = Header::read(bytes)?;
    let components = if header.masks[3] == 0 { 3 } else { 4 };
    // Values and their bytes; numbers of colours, which are turned upside down, and lists that grow to twice their length.
    room.take((header.width, header.height), components, 4 * 2 + 2 + 1)?;
    let data = bytes.get(header.pixels..).ok_or(CUT_SHORT)?;
    match header.storage {
        Storage::Plain if header.bits > 8 => header.masked(data),
        Storage::Plain => header.colours(&header.plain(data)?),
        Storage::Runs => header.colours(&header.runs(data)?),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Storage {
    Plain,
    Runs,
}

struct Header {
    width: usize,
    height: usize,
    top_down: bool,
    bits: usize,
    storage: Storage,
    /// Bits of red, green, blue and alpha, above 8 bits a pixel.
    masks: [u32; 4],
    /// Red, green and blue, up to 8 bits a pixel.
    palette: Vec<[u8; 3]>,
    /// Where the pixels begin.
    pixels: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let word = |at: usize| -> Result<u32, String> {
            let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).ok_or(CUT_SHORT)?;
            Ok(u32::from_le_bytes(four))
        };
        let half = |at: usize| Ok::<u32, String>(word(at)? & 0xffff);
        let length = word(FILE_HEADER)? as usize;
        let core = length == 12;
        if !core && ![40, 52, 56, 64, 108, 124].contains(&length) {
            return Err(format!("a BMP with a header of {length} bytes"));
        }
        let (width, rows, bits) = if core {
            (half(18)? as i32, half(20)? as i32, half(24)? as usize)
        } else {
            (word(18)? as i32, word(22)? as i32, half(28)? as usize)
        };
        let (compression, colours) = if core { (0, 0) } else { (word(30)?, word(46)? as usize) };
        let mut palette_at = FILE_HEADER + length;
        let low = |count: u32| (1u32 << count) - 1;
        let (storage, masks) = match (compression, bits) {
            (0, 1 | 4 | 8) => (Storage::Plain, [0; 4]),
            (1, 8) | (2, 4) if length != 64 => (Storage::Runs, [0; 4]),
            (0, 16) => (Storage::Plain, [low(5) << 10, low(5) << 5, low(5), 0]),
            (0, 24 | 32) => (Storage::Plain, [low(8) << 16, low(8) << 8, low(8), 0]),
            (3, 16 | 24 | 32) if length != 64 => {
                // Behind the oldest header, inside the others; alpha from 56 bytes on.
                let alpha = if length >= 56 { word(66)? } else { 0 };
                palette_at = palette_at.max(66);
                (Storage::Plain, [word(54)?, word(58)?, word(62)?, alpha])
            }
            _ => return Err(format!("a BMP of {bits} bits a pixel with compression {compression}")),
        };
        for (mask, alpha) in masks.iter().zip([false, false, false, true]) {
            let ones = mask.checked_shr(mask.trailing_zeros()).unwrap_or(0);
            let outside = bits < 32 && mask.checked_shr(bits as u32).is_some_and(|rest| rest != 0);
            if bits > 8 && (ones & ones.wrapping_add(1) != 0 || outside || (*mask == 0 && !alpha)) {
                return Err(format!("a BMP of {bits} bits a pixel with the mask {mask:#x}"));
            }
        }
        if width <= 0 || rows == 0 || rows == i32::MIN {
            return Err(format!("a BMP of {width}x{rows} pixels"));
        }
        let (entry, colours) =
            (if core { 3 } else { 4 }, if colours == 0 { 1 << bits.min(8) } else { colours });
        let mut pixels = word(10)? as usize;
        // Some writers forget the palette where they say where the pixels begin.
        if pixels == 0 || (pixels == FILE_HEADER + length && bits <= 8) {
            pixels =
                if bits <= 8 { palette_at.saturating_add(colours.saturating_mul(entry)) } else { palette_at };
        }
        if pixels < palette_at {
            return Err(format!("a BMP whose pixels begin within its header, at {pixels}"));
        }
        let palette = match bits {
            1..=8 => {
                let known = bytes.get(palette_at..pixels.min(bytes.len())).unwrap_or_default();
                let entries = known.chunks_exact(entry).take(colours.min(256));
                entries.map(|entry| [entry[2], entry[1], entry[0]]).collect()
            }
            _ => Vec::new(),
        };
        let (width, height, top_down) = (width as usize, rows.unsigned_abs() as usize, rows < 0);
        Ok(Self { width, height, top_down, bits, storage, masks, palette, pixels })
    }

    /// The rows of `data` from the top; every row fills whole words, but the last need not.
    fn rows<'a>(&self, data: &'a [u8]) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, String> {
        let used = (self.width * self.bits).div_ceil(8);
        let (stride, height, top_down) = (used.next_multiple_of(4), self.height, self.top_down);
        let needed = (height - 1).checked_mul(stride).and_then(|above| above.checked_add(used));
        if needed.is_none_or(|needed| data.len() < needed) {
            return Err(CUT_SHORT.to_owned());
        }
        Ok((0..height).map(move |row| {
            let at = if top_down { row } else { height - 1 - row } * stride;
            &data[at..at + used]
        }))
    }

    /// Numbers of colours, from the top, of pixels of at most 8 bits.
    fn plain(&self, data: &[u8]) -> Result<Vec<u8>, String> {
        let (bits, width) = (self.bits, self.width);
        let number = |row: &[u8], x: usize| {
            let shift = 8 - bits - x * bits % 8;
            (row[x * bits / 8] >> shift) & (u8::MAX >> (8 - bits))
        };
        Ok(self.rows(data)?.flat_map(|row| (0..width).map(move |x| number(row, x))).collect())
    }

    /// Numbers of colours, from the top, of pixels in runs.
    fn runs(&self, data: &[u8]) -> Result<Vec<u8>, String> {
        let (width, height, narrow) = (self.width, self.height, self.bits == 4);
        let mut numbers = vec![0; width * height];
        let (mut x, mut y, mut at) = (0, 0, 0);
        let next = |at: &mut usize, count: usize| -> Result<&[u8], String> {
            let found = data.get(*at..*at + count).ok_or(CUT_SHORT)?;
            *at += count;
            Ok(found)
        };
        let nibble = |bytes: &[u8], k: usize| match (narrow, k % 2) {
            (false, _) => bytes[k],
            (true, 0) => bytes[k / 2] >> 4,
            (true, _) => bytes[k / 2] & 15,
        };
        while y + 1 < height || (y + 1 == height && x < width) {
            let code = next(&mut at, 2)?;
            match (usize::from(code[0]), usize::from(code[1])) {
                (0, 0) => (x, y) = (0, y + 1),
                (0, 1) => break,
                (0, 2) => {
                    let step = next(&mut at, 2)?;
                    (x, y) = (x + usize::from(step[0]), y + usize::from(step[1]));
                    if x > width || y >= height {
                        return Err("a BMP with a step out of the image".to_owned());
                    }
                }
                (0, count) => {
                    let stored = if narrow { count.div_ceil(2) } else { count };
                    let values = next(&mut at, stored)?;
                    // Fillers end on whole halves of words.
                    at += stored % 2;
                    if x + count > width {
                        return Err("a BMP with pixels beyond the end of their row".to_owned());
                    }
                    let row = &mut numbers[y * width..][x..x + count];
                    row.iter_mut().enumerate().for_each(|(k, number)| *number = nibble(values, k));
                    x += count;
                }
                (count, _) => {
                    // Writers of two pixels a byte fill up odd rows.
                    let count = count.min(width - x);
                    let row = &mut numbers[y * width..][x..x + count];
                    let phase = |k: usize| if narrow { k % 2 } else { 0 };
                    row.iter_mut().enumerate().for_each(|(k, number)| *number = nibble(&code[1..], phase(k)));
                    x += count;
                }
            }
        }
        if !self.top_down {
            numbers = numbers.chunks_exact(width).rev().flatten().copied().collect();
        }
        Ok(numbers)
    }

    fn colours(&self, numbers: &[u8]) -> Result<Raster, String> {
        let known = self.palette.len();
        if let Some(beyond) = numbers.iter().find(|&&number| usize::from(number) >= known) {
            return Err(format!("a BMP with the colour {beyond} and a palette of {known}"));
        }
        let bytes: Vec<u8> = numbers.iter().flat_map(|&number| self.palette[usize::from(number)]).collect();
        Ok(Raster::from_bytes((self.width, self.height), 3, &bytes))
    }

    /// Pixels of more than 8 bits.
    fn masked(&self, data: &[u8]) -> Result<Raster, String> {
        let size = self.bits / 8;
        let alphas =
            || Ok::<_, String>(self.rows(data)?.flat_map(|row| row.chunks_exact(size)).map(little_endian));
        let used = self.masks[3] != 0 && alphas()?.any(|pixel| pixel & self.masks[3] != 0);
        let masks = &self.masks[..if used { 4 } else { 3 }];
        let share = |pixel: u32, mask: u32| {
            let shift = mask.trailing_zeros();
            // Exact for 8 bits as bytes over 255 are elsewhere.
            ((pixel & mask) >> shift) as f32 / (mask >> shift) as f32
        };
        let values = alphas()?.flat_map(|pixel| masks.iter().map(move |&mask| share(pixel, mask))).collect();
        Ok(Raster { width: self.width, height: self.height, components: masks.len(), values })
    }
}

fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte))
}
