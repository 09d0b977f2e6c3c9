//! A decoded image, and the memory that one takes.

use std::cell::Cell;

use crate::bounded::{Budget, Excess};

/// Memory of images while they are decoded, of a budget that all of a folder share.
pub(super) struct Room<'a> {
    budget: &'a Budget,
    taken: Cell<u64>,
}

impl<'a> Room<'a> {
    /// A room for one image; it is free again when this goes.
    pub(super) fn new(budget: &'a Budget) -> Self {
        Self { budget, taken: Cell::new(0) }
    }

    /// Takes the memory of an image with so many bytes for each value while it is decoded: asked of its header, before
    /// anything is allocated for it. There is room for its planes beside that, too.
    pub(super) fn take(
        &self,
        (width, height): (usize, usize),
        components: usize,
        bytes: usize,
    ) -> Result<(), String> {
        let values = (width as u64).saturating_mul(height as u64).saturating_mul(components as u64);
        let [needed, planes] = [bytes, size_of::<f32>()].map(|size| values.saturating_mul(size as u64));
        self.budget.try_take(needed.saturating_add(planes)).map_err(
            |Excess { allowed, remedy, .. }| {
                format!("{width}x{height}x{components} by its header, more than {allowed}: {remedy}")
            },
        )?;
        self.budget.give(planes);
        self.taken.set(self.taken.get() + needed);
        Ok(())
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.budget.give(self.taken.get());
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
        let values = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        Self { width, height, components, values }
    }
}
