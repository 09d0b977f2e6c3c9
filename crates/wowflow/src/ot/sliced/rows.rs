//! One direction: sorted rows of all classes, and rows brought to another grid.

use std::ops::Range;

use super::layout::{PairLayout, Side};
use crate::ot::one_d::{Segment, weighted_segments};
use crate::ot::sort::SortScratch;
use crate::scalar::Scalar;

/// Values of rows on another grid that are kept at a time: classes of very different sizes must not
/// cost classes times the largest size.
const RESAMPLED: usize = 1 << 19;

/// Working memory of one lane.
#[derive(Clone, Debug)]
pub(crate) struct Scratch<T: Scalar> {
    /// Rows of the classes `window` on the current grid, its size apart.
    resampled: Vec<T>,
    window: Range<usize>,
    /// Mean within-atom variance of each class of the window.
    variance: Vec<f64>,
    /// Sorted weights of each class along the current direction, `largest` apart; only with weights.
    weights: Vec<f64>,
    pub(crate) segments: Vec<Segment>,
    /// A row of forces, in the source's sorted order.
    pub(crate) forces: Vec<T>,
    pub(crate) sort: SortScratch<T>,
}

impl<T: Scalar> Scratch<T> {
    pub(crate) fn new(layout: &PairLayout) -> Self {
        let classes = layout.classes.len();
        let several = layout.grids.len() > 1;
        let largest_window =
            layout.grids.iter().map(|grid| window_len(grid.size).min(classes) * grid.size).max().unwrap_or(0);
        Self {
            resampled: vec![T::ZERO; if several { largest_window } else { 0 }],
            window: 0..0,
            variance: vec![0.0; classes],
            weights: vec![0.0; if layout.weighted { classes * layout.largest } else { 0 }],
            segments: Vec::new(),
            forces: vec![T::ZERO; layout.source_samples()],
            sort: SortScratch::new(layout.largest),
        }
    }
}

/// Classes whose rows are brought to a grid of a size at a time.
pub(crate) fn window_len(size: usize) -> usize {
    (RESAMPLED / size.max(1)).max(4)
}

/// Sorted rows along one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DirectionRows<'a, T> {
    layout: &'a PairLayout,
    source: (&'a [T], &'a [u32]),
    target: (&'a [T], &'a [u32]),
}

impl<'a, T: Scalar> DirectionRows<'a, T> {
    pub(crate) fn new(
        layout: &'a PairLayout,
        source: (&'a [T], &'a [u32]),
        target: (&'a [T], &'a [u32]),
    ) -> Self {
        Self { layout, source, target }
    }

    /// Sorted projections of a class.
    #[inline]
    pub(crate) fn sorted(&self, class: usize) -> &'a [T] {
        let class = &self.layout.classes[class];
        let (values, _) = if class.side == Side::Source { self.source } else { self.target };
        &values[class.range.clone()]
    }

    /// Sample behind each sorted value of a class.
    pub(crate) fn order(&self, class: usize) -> &'a [u32] {
        let class = &self.layout.classes[class];
        let (_, order) = if class.side == Side::Source { self.source } else { self.target };
        &order[class.range.clone()]
    }

    /// Brings the weights of all classes into sorted order; nothing to do without weights.
    pub(crate) fn sort_weights(&self, scratch: &mut Scratch<T>) {
        if !self.layout.weighted {
            return;
        }
        for (index, class) in self.layout.classes.iter().enumerate() {
            let size = class.range.len();
            let sorted = &mut scratch.weights[index * self.layout.largest..][..size];
            match &class.weights {
                None => sorted.fill(1.0 / size as f64),
                Some(weights) => {
                    for (sorted, &sample) in sorted.iter_mut().zip(self.order(index)) {
                        *sorted = weights[sample as usize];
                    }
                }
            }
        }
    }

    /// Sorted weights of a class, `None` for uniform ones.
    pub(crate) fn weights<'s>(&self, class: usize, scratch: &'s Scratch<T>) -> Option<&'s [f64]> {
        let info = &self.layout.classes[class];
        info.weights.as_ref()?;
        Some(&scratch.weights[class * self.layout.largest..][..info.range.len()])
    }

    /// Couples class `on` with class `other` of another grid; the result lies in the layout or in
    /// the scratch space's segments.
    pub(crate) fn segments<'s>(
        &'s self,
        on: usize,
        other: usize,
        scratch: &'s mut Scratch<T>,
    ) -> &'s [Segment] {
        let classes = &self.layout.classes;
        let (n, m) = (classes[on].range.len(), classes[other].range.len());
        if classes[on].weights.is_none() && classes[other].weights.is_none() {
            return self.layout.uniform_segments(n, m);
        }
        let stride = self.layout.largest;
        let (a, b) = (&scratch.weights[on * stride..][..n], &scratch.weights[other * stride..][..m]);
        weighted_segments(a, b, &mut scratch.segments);
        &scratch.segments
    }

    /// Prepares the rows of a window of classes on a grid: conditional means on its atoms.
    pub(crate) fn bring_to(&self, grid: usize, window: Range<usize>, scratch: &mut Scratch<T>) {
        let grid_info = &self.layout.grids[grid];
        let (on, size) = (grid_info.members[0], grid_info.size);
        for other in window.clone() {
            if self.layout.classes[other].grid == grid {
                continue;
            }
            let mut resampled = std::mem::take(&mut scratch.resampled);
            let row = &mut resampled[(other - window.start) * size..][..size];
            let values = self.sorted(other);
            let uniform = grid_info.uniform && self.layout.classes[other].weights.is_none();
            let variance = if uniform && size.is_multiple_of(values.len()) {
                for (atoms, value) in row.chunks_exact_mut(size / values.len()).zip(values) {
                    atoms.fill(*value);
                }
                0.0
            } else {
                conditional_means(self.segments(on, other, scratch), values, row)
            };
            scratch.resampled = resampled;
            scratch.variance[other] = variance;
        }
        scratch.window = window;
    }

    /// The row of a class of the window last prepared, on its grid.
    #[inline]
    pub(crate) fn on_grid<'s>(&self, grid: usize, class: usize, scratch: &'s Scratch<T>) -> &'s [T]
    where
        'a: 's,
    {
        if self.layout.classes[class].grid == grid {
            return self.sorted(class);
        }
        let size = self.layout.grids[grid].size;
        &scratch.resampled[(class - scratch.window.start) * size..][..size]
    }

    /// The mean variance of a class within the atoms of the grid last prepared.
    pub(crate) fn variance(&self, grid: usize, class: usize, scratch: &Scratch<T>) -> f64 {
        if self.layout.classes[class].grid == grid { 0.0 } else { scratch.variance[class] }
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
