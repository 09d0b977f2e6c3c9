//! A decoded image, and how much memory one may take.

use super::pixels;

/// Values that images may always become, whatever the sizes of their files: 256 MiB in single precision.
const FREE: u64 = 64 << 20;
/// Values beyond that for each byte of the files: what the densest compression, that of PNG, reaches with bytes.
const RATIO: u64 = 1032;

/// What the images of a folder may become, by the bytes of their files.
#[derive(Default)]
pub(super) struct Budget {
    bytes: u64,
    kept: u64,
}

impl Budget {
    /// A further file of so many bytes.
    pub(super) fn open(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Values that stay in memory.
    pub(super) fn keep(&mut self, values: usize) {
        self.kept += values as u64;
    }

    /// Whether an image may be decoded: asked of its header, before anything is allocated for it.
    pub(super) fn allow(&self, width: usize, height: usize, components: usize) -> Result<(), String> {
        let values = (width as u64).saturating_mul(height as u64).saturating_mul(components as u64);
        let limit = FREE.saturating_add(self.bytes.saturating_mul(RATIO));
        if self.kept.saturating_add(values) <= limit {
            return Ok(());
        }
        let before = if self.kept == 0 { String::new() } else { format!(" after {} values", self.kept) };
        Err(format!(
            "{width}x{height}x{components} by its header{before}, more than the {limit} values that {} bytes of files \
             may become: it is damaged, or to be made smaller",
            self.bytes
        ))
    }
}

/// A decoded file: `height x width x components` values in [0, 1]; two and four components end in alpha.
pub(super) struct Raster {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: usize,
    pub(super) values: Vec<f32>,
}

impl Raster {
    pub(super) fn from_bytes((width, height): (usize, usize), components: usize, bytes: &[u8]) -> Self {
        Self { width, height, components, values: pixels(bytes) }
    }
}
