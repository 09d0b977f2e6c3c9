//! Sorted rows along some directions, and what couples two of them.

use std::ops::Range;

use super::layout::{Arrangement, PairLayout, Side};
use crate::ot::one_d::{Segment, weighted_segments};
use crate::scalar::Scalar;

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

/// Couplings of rows with weights, and the buffers for them.
#[derive(Clone, Debug)]
pub(crate) struct Couplings {
    segments: Vec<Segment>,
    weights: [Vec<f64>; 2],
}

impl Couplings {
    pub(super) fn new(layout: &PairLayout) -> Self {
        let weighted = layout.arrangement == Arrangement::Weights;
        let (largest, pieces) = if weighted { (layout.largest, 2 * layout.largest) } else { (0, 0) };
        Self { segments: Vec::with_capacity(pieces), weights: [vec![0.0; largest], vec![0.0; largest]] }
    }

    /// The monotone coupling of two classes along a direction, and the sorted weights of the first.
    fn segments<T: Scalar>(
        &mut self,
        rows: &SortedRows<'_, T>,
        (c, e): (usize, usize),
        direction: usize,
    ) -> (&[Segment], &[f64]) {
        let classes = &rows.layout.classes;
        let [a, b] = &mut self.weights;
        let (a, b) = (&mut a[..classes[c].range.len()], &mut b[..classes[e].range.len()]);
        rows.sorted_weights(c, direction, a);
        rows.sorted_weights(e, direction, b);
        weighted_segments(a, b, &mut self.segments);
        (&self.segments, a)
    }

    /// `W_1` of two classes along a direction.
    pub(crate) fn absolute_distance<T: Scalar>(
        &mut self,
        rows: &SortedRows<'_, T>,
        pair: (usize, usize),
        direction: usize,
    ) -> f64 {
        let (x, y) = (rows.sorted(pair.0, direction), rows.sorted(pair.1, direction));
        let (segments, _) = self.segments(rows, pair, direction);
        segments.iter().map(|s| s.mass * (x[s.i as usize] - y[s.j as usize]).to_f64().abs()).sum()
    }

    /// `W_2^2` of two classes along a direction, with or without the variance of the second one within the atoms of the
    /// first.
    pub(crate) fn squared_distance<T: Scalar>(
        &mut self,
        rows: &SortedRows<'_, T>,
        pair: (usize, usize),
        direction: usize,
        excluded: bool,
    ) -> f64 {
        let (x, y) = (rows.sorted(pair.0, direction), rows.sorted(pair.1, direction));
        let (segments, _) = self.segments(rows, pair, direction);
        let difference = |s: &Segment| (x[s.i as usize] - y[s.j as usize]).to_f64();
        if !excluded {
            return segments.iter().map(|s| s.mass * difference(s).powi(2)).sum();
        }
        let atoms = segments.chunk_by(|s, t| s.i == t.i).map(|atom| {
            let mass: f64 = atom.iter().map(|s| s.mass).sum();
            atom.iter().map(|s| s.mass * difference(s)).sum::<f64>().powi(2) / mass
        });
        atoms.sum()
    }

    /// Adds `factor` times the mean over the plan of `x_i - y_j`, or for `ABSOLUTE` of its sign, to the force on each
    /// `x_i`.
    pub(crate) fn add_forces<T: Scalar, const ABSOLUTE: bool>(
        &mut self,
        rows: &SortedRows<'_, T>,
        pair: (usize, usize),
        direction: usize,
        factor: f64,
        forces: &mut [T],
    ) {
        let (x, y) = (rows.sorted(pair.0, direction), rows.sorted(pair.1, direction));
        let (segments, weights) = self.segments(rows, pair, direction);
        for s in segments {
            let i = s.i as usize;
            let difference = (x[i] - y[s.j as usize]).to_f64();
            let along = match ABSOLUTE {
                true if difference == 0.0 => 0.0,
                true => difference.signum(),
                false => difference,
            };
            // The share of the atom's own mass that this piece of the plan carries.
            forces[i] += T::from_f64(factor * (s.mass / weights[i]) * along);
        }
    }
}
