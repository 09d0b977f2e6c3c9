//! Working memory that starts at a cache line.

use std::ops::{Deref, DerefMut};

use crate::scalar::Scalar;

/// Bytes of a cache line: no vector register reaches across two of them.
const LINE: usize = 64;

/// A slice of fixed length whose first value starts a cache line: where the allocator would have put it, loops
/// over whole vectors may read every second one from two lines.
#[derive(Debug)]
pub(crate) struct Aligned<T> {
    values: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Scalar> Aligned<T> {
    pub(crate) fn zeros(len: usize) -> Self {
        let values = vec![T::ZERO; len + LINE / size_of::<T>()];
        let start = values.as_ptr().align_offset(LINE).min(LINE / size_of::<T>());
        Self { values, start, len }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.values[self.start..self.start + self.len]
    }
}

impl<T> DerefMut for Aligned<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..self.start + self.len]
    }
}

impl<T: Scalar> Default for Aligned<T> {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl<T: Scalar> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts_a_line<T>(values: &[T]) -> bool {
        values.as_ptr().addr().is_multiple_of(LINE)
    }

    #[test]
    fn copies_start_a_line_too() {
        for len in [0, 1, 7, 100, 5000] {
            let mut values = Aligned::<f32>::zeros(len);
            values.iter_mut().zip(0u16..).for_each(|(value, k)| *value = f32::from(k));
            let copy = values.clone();
            assert!(starts_a_line(&values) && starts_a_line(&copy));
            assert!(values.len() == len && *copy == *values);
        }
        assert!(starts_a_line(&Aligned::<f64>::zeros(3)));
    }
}
