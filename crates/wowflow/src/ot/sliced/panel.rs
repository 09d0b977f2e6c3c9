//! Panels: rows of many classes brought to one grid, to be compared with each other.

use std::ops::Range;

use super::lanes::{Lanes, conditional_means};
use super::layout::{Arrangement, LANES, PairLayout};
use super::loops::{OTHERS, STRIP};
use super::rows::SortedRows;
use crate::aligned::Aligned;
use crate::scalar::Scalar;

/// Values of the panel whose rows are compared: it stays in the second cache.
const OWN_VALUES: usize = 1 << 15;
/// Values of the panel they are compared with.
const OTHER_VALUES: usize = 1 << 16;
/// Rows of the first panel, however long.
const OWN_ROWS: usize = 8;

/// Rows of some classes on one grid, padded with zeros: along one direction after another or, where sizes differ, along
/// several side by side.
#[derive(Clone, Debug)]
pub(crate) struct Panel<T: Scalar> {
    pub(super) values: Aligned<T>,
    /// Length of a row.
    pub(crate) stride: usize,
    /// Variance within the atoms of the grid, summed over directions.
    variance: Vec<f64>,
}

impl<T: Scalar> Panel<T> {
    pub(super) fn new(layout: &PairLayout, rows: impl Fn(usize) -> usize) -> Self {
        let classes = layout.classes.len();
        let strides = |size: usize| {
            let directions = match layout.arrangement {
                // A group that is not full has shorter rows, and may have more values in all.
                Arrangement::OneGrid => 1..=layout.group,
                Arrangement::Sizes => LANES..=LANES,
                Arrangement::Weights => 0..=0,
            };
            directions.map(move |directions| stride(directions * size))
        };
        let strides = layout.grids.iter().flat_map(|grid| strides(grid.size));
        let largest = strides.map(|stride| rows(stride.max(STRIP)).min(classes) * stride).max().unwrap_or(0);
        Self { values: Aligned::zeros(largest), stride: STRIP, variance: vec![0.0; classes] }
    }

    /// Takes rows of one grid.
    pub(crate) fn fill(&mut self, rows: &SortedRows<'_, T>, classes: impl Iterator<Item = usize>) {
        let size = rows.layout.grids[0].size;
        self.stride = stride(rows.count() * size);
        for (class, row) in classes.zip(self.values.chunks_exact_mut(self.stride)) {
            for (direction, row) in row.chunks_exact_mut(size).take(rows.count()).enumerate() {
                row.copy_from_slice(rows.sorted(class, direction));
            }
            row[rows.count() * size..].fill(T::ZERO);
        }
    }

    /// Brings rows to a grid: conditional means on its atoms.
    pub(crate) fn bring(
        &mut self,
        lanes: &Lanes<T>,
        layout: &PairLayout,
        grid: usize,
        classes: impl Iterator<Item = usize>,
    ) {
        self.stride = LANES * layout.grids[grid].size;
        let panel = self.values.chunks_exact_mut(self.stride).zip(&mut self.variance);
        for (class, (row, variance)) in classes.zip(panel) {
            let (means, values) = (row.as_chunks_mut::<LANES>().0, lanes.class(class));
            *variance = if layout.classes[class].grid == grid {
                means.copy_from_slice(values);
                0.0
            } else {
                conditional_means(means, values)
            };
        }
    }

    #[inline]
    pub(crate) fn row(&self, index: usize) -> &[T] {
        &self.values[index * self.stride..(index + 1) * self.stride]
    }

    #[inline]
    pub(crate) fn rows(&self, range: Range<usize>) -> &[T] {
        &self.values[range.start * self.stride..range.end * self.stride]
    }

    #[inline]
    pub(crate) fn variance(&self, index: usize) -> f64 {
        self.variance[index]
    }
}

fn stride(len: usize) -> usize {
    len.next_multiple_of(STRIP)
}

/// Rows of a panel of rows that are compared with others, `directions` at a time on a grid.
pub(crate) fn own_rows(directions: usize, size: usize) -> usize {
    rows_of_own(stride(directions * size))
}

pub(super) fn rows_of_own(stride: usize) -> usize {
    (OWN_VALUES / stride).max(OWN_ROWS)
}

/// Rows of a panel of rows that others are compared with.
pub(crate) fn other_rows(directions: usize, size: usize) -> usize {
    rows_of_others(stride(directions * size))
}

pub(super) fn rows_of_others(stride: usize) -> usize {
    (OTHER_VALUES / stride).max(OTHERS) / OTHERS * OTHERS
}
