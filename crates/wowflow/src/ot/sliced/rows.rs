//! Sorted rows along some directions, and panels: rows of many classes brought to one grid.

use std::ops::Range;

use super::layout::{PairLayout, Side};
use super::loops::{OTHERS, STRIP};
use crate::aligned::Aligned;
use crate::ot::one_d::{Segment, weighted_segments};
use crate::ot::sort::SortScratch;
use crate::scalar::Scalar;

/// Values of the panel whose rows are compared: it stays in the second cache.
const OWN_VALUES: usize = 1 << 15;
/// Values of the panel they are compared with.
const OTHER_VALUES: usize = 1 << 16;
/// Rows of the first panel, however long.
const OWN_ROWS: usize = 8;

/// Sorted rows of all classes along consecutive directions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SortedRows<'a, T> {
    pub(crate) layout: &'a PairLayout,
    source: (&'a [T], &'a [u32]),
    target: (&'a [T], &'a [u32]),
}

impl<'a, T: Scalar> SortedRows<'a, T> {
    pub(crate) fn new(
        layout: &'a PairLayout,
        source: (&'a [T], &'a [u32]),
        target: (&'a [T], &'a [u32]),
    ) -> Self {
        Self { layout, source, target }
    }

    /// Number of directions.
    pub(crate) fn count(&self) -> usize {
        self.source.0.len() / self.layout.source_samples()
    }

    /// The same, `len` directions at a time.
    pub(crate) fn groups(self, len: usize) -> impl Iterator<Item = Self> {
        let (n, m) = (len * self.layout.source_samples(), len * self.layout.target_samples());
        let source = self.source.0.chunks(n).zip(self.source.1.chunks(n));
        let target = self.target.0.chunks(m).zip(self.target.1.chunks(m));
        source.zip(target).map(move |(source, target)| Self { source, target, ..self })
    }

    /// Where the row of a class along a direction lies in its side's profile.
    #[inline]
    fn range(&self, class: usize, direction: usize) -> Range<usize> {
        let class = &self.layout.classes[class];
        let samples = match class.side {
            Side::Source => self.layout.source_samples(),
            Side::Target => self.layout.target_samples(),
        };
        direction * samples + class.range.start..direction * samples + class.range.end
    }

    fn side(&self, class: usize) -> (&'a [T], &'a [u32]) {
        if self.layout.classes[class].side == Side::Source { self.source } else { self.target }
    }

    /// Sorted projections of a class.
    #[inline]
    pub(crate) fn sorted(&self, class: usize, direction: usize) -> &'a [T] {
        &self.side(class).0[self.range(class, direction)]
    }

    /// Writes the weights of a class in the order of its sorted projections.
    pub(crate) fn sorted_weights(&self, class: usize, direction: usize, out: &mut [f64]) {
        match &self.layout.classes[class].weights {
            None => out.fill(1.0 / out.len() as f64),
            Some(weights) => {
                let order = &self.side(class).1[self.range(class, direction)];
                out.iter_mut().zip(order).for_each(|(out, &sample)| *out = weights[sample as usize]);
            }
        }
    }
}

/// Couplings of two rows of different grids, and the buffers for them.
#[derive(Clone, Debug)]
pub(crate) struct Couplings {
    segments: Vec<Segment>,
    weights: [Vec<f64>; 2],
}

impl Couplings {
    fn new(layout: &PairLayout) -> Self {
        let (largest, pieces) = if layout.weighted { (layout.largest, 2 * layout.largest) } else { (0, 0) };
        Self { segments: Vec::with_capacity(pieces), weights: [vec![0.0; largest], vec![0.0; largest]] }
    }

    /// The monotone coupling of class `on` with class `other` along a direction.
    pub(crate) fn segments<'s, T: Scalar>(
        &'s mut self,
        rows: &SortedRows<'s, T>,
        (on, other): (usize, usize),
        direction: usize,
    ) -> &'s [Segment] {
        let classes = &rows.layout.classes;
        let (n, m) = (classes[on].range.len(), classes[other].range.len());
        if classes[on].weights.is_none() && classes[other].weights.is_none() {
            return rows.layout.uniform_segments(n, m);
        }
        let [a, b] = &mut self.weights;
        let (a, b) = (&mut a[..n], &mut b[..m]);
        rows.sorted_weights(on, direction, a);
        rows.sorted_weights(other, direction, b);
        weighted_segments(a, b, &mut self.segments);
        &self.segments
    }
}

/// Rows of some classes on one grid: along one direction after another, then zeros.
#[derive(Clone, Debug)]
pub(crate) struct Panel<T: Scalar> {
    values: Aligned<T>,
    /// Length of a row.
    pub(crate) stride: usize,
    /// Variance within the atoms of the grid, summed over directions.
    variance: Vec<f64>,
}

impl<T: Scalar> Panel<T> {
    fn new(layout: &PairLayout, rows: impl Fn(usize) -> usize) -> Self {
        let classes = layout.classes.len();
        // A group that is not full has shorter rows, and may have more values in all.
        let strides = |size: usize| (1..=layout.group).map(move |directions| stride(directions * size));
        let strides = layout.grids.iter().flat_map(|grid| strides(grid.size));
        let largest = strides.map(|stride| rows(stride).min(classes) * stride).max().unwrap_or(0);
        Self { values: Aligned::zeros(largest), stride: STRIP, variance: vec![0.0; classes] }
    }

    /// Brings rows to a grid: conditional means on its atoms.
    pub(crate) fn fill(
        &mut self,
        rows: &SortedRows<'_, T>,
        grid: usize,
        classes: impl Iterator<Item = usize>,
        couplings: &mut Couplings,
    ) {
        let info = &rows.layout.grids[grid];
        let size = info.size;
        self.stride = stride(rows.count() * size);
        let panel = self.values.chunks_exact_mut(self.stride).zip(&mut self.variance);
        for (class, (row, variance)) in classes.zip(panel) {
            *variance = 0.0;
            for (direction, row) in row.chunks_exact_mut(size).take(rows.count()).enumerate() {
                let values = rows.sorted(class, direction);
                if rows.layout.classes[class].grid == grid {
                    row.copy_from_slice(values);
                    continue;
                }
                let uniform = info.uniform && rows.layout.classes[class].weights.is_none();
                if uniform && size.is_multiple_of(values.len()) {
                    for (atoms, value) in row.chunks_exact_mut(size / values.len()).zip(values) {
                        atoms.fill(*value);
                    }
                } else {
                    let segments = couplings.segments(rows, (info.members[0], class), direction);
                    *variance += conditional_means(segments, values, row);
                }
            }
            row[rows.count() * size..].fill(T::ZERO);
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

fn rows_of_own(stride: usize) -> usize {
    (OWN_VALUES / stride).max(OWN_ROWS)
}

/// Rows of a panel of rows that others are compared with.
pub(crate) fn other_rows(directions: usize, size: usize) -> usize {
    rows_of_others(stride(directions * size))
}

fn rows_of_others(stride: usize) -> usize {
    (OTHER_VALUES / stride).max(OTHERS) / OTHERS * OTHERS
}

/// Working memory of one thread.
#[derive(Clone, Debug)]
pub(crate) struct Scratch<T: Scalar> {
    pub(crate) own: Panel<T>,
    pub(crate) others: Panel<T>,
    /// Forces on the rows of the first panel.
    pub(crate) sums: Aligned<T>,
    pub(crate) couplings: Couplings,
    /// Sorted weights of a row of the first panel.
    pub(crate) weights: Vec<f64>,
    /// Forces on all source samples along a group of directions, in sorted order.
    pub(crate) forces: Vec<T>,
    pub(crate) sort: SortScratch<T>,
}

impl<T: Scalar> Scratch<T> {
    pub(crate) fn new(layout: &PairLayout) -> Self {
        let own = Panel::new(layout, rows_of_own);
        Self {
            sums: Aligned::zeros(own.values.len()),
            own,
            others: Panel::new(layout, rows_of_others),
            couplings: Couplings::new(layout),
            weights: vec![0.0; if layout.weighted { layout.group * layout.largest } else { 0 }],
            forces: vec![T::ZERO; layout.group * layout.source_samples()],
            sort: SortScratch::new(layout.largest),
        }
    }
}

/// Mean of the coupled values on each atom, into `means`; returns the mean variance within atoms.
///
/// An atom without mass gets the value of the quantile function at its level.
fn conditional_means<T: Scalar>(segments: &[Segment], values: &[T], means: &mut [T]) -> f64 {
    let (mut variance, mut filled, mut start) = (0.0, 0, 0);
    while start < segments.len() {
        let atom = segments[start].i as usize;
        let mut end = start + 1;
        while end < segments.len() && segments[end].i as usize == atom {
            end += 1;
        }
        let group = &segments[start..end];
        let first = values[group[0].j as usize];
        means[filled..atom].fill(first);
        if let [_] = group {
            means[atom] = first;
        } else {
            let mass: f64 = group.iter().map(|s| s.mass).sum();
            let mean = group.iter().map(|s| s.mass * values[s.j as usize].to_f64()).sum::<f64>() / mass;
            let mean = T::from_f64(mean);
            means[atom] = mean;
            variance += group
                .iter()
                .map(|s| s.mass * (values[s.j as usize].to_f64() - mean.to_f64()).powi(2))
                .sum::<f64>();
        }
        (filled, start) = (atom + 1, end);
    }
    if filled > 0 && filled < means.len() {
        let last = values[segments[segments.len() - 1].j as usize];
        means[filled..].fill(last);
    }
    variance
}
