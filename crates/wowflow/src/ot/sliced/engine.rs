//! The two passes of a step over all directions, in blocks that fit a fixed amount of memory.
//!
//! Pass one projects and sorts both sides and sums the distances of all pairs of classes; between
//! the passes the caller turns distances into coefficients; pass two turns sorted rows into forces
//! and projects them back. When all directions fit one block, pass two finds the rows of pass one
//! in memory; otherwise it projects and sorts again, all blocks but the last: memory does not grow
//! with the number of directions.
//!
//! The directions of a block are shared out to a fixed number of lanes, each with working memory and
//! sums of its own, and lanes are added in order: the bits depend on the sizes alone, whoever
//! computes which lane.

use std::ops::Range;

use rayon::prelude::*;

use super::layout::PairLayout;
use super::pairs::{self, Coefficients, PairSums};
use super::rows::{DirectionRows, Scratch};
use crate::directions::Slicer;
use crate::kernel::Base;
use crate::linalg::Output;
use crate::measure::MeasureOverMeasures;
use crate::ot::sort::argsort;
use crate::scalar::Scalar;

/// Memory of the projections of a block, both sides, with their permutations.
const BLOCK_BYTES: usize = 1 << 28;
/// Lanes, fewer when pairs are many: more than threads, so that a slow lane holds nobody up.
const LANES: usize = 32;
/// Doubles in the sums of all lanes together.
const SUMS: usize = 1 << 23;

/// Everything a step needs but the particles: made once and kept from step to step.
#[derive(Clone, Debug)]
pub(crate) struct Engine<T: Scalar> {
    layout: PairLayout,
    /// What the last pass one measured.
    base: Base,
    source: Profile<T>,
    target: Profile<T>,
    lanes: Vec<Lane<T>>,
    total: PairSums,
    coefficients: Coefficients<T>,
    block: usize,
    /// Directions whose sorted rows are in memory.
    held: Range<usize>,
}

/// `L x N` projections of a block, each class's part of a row sorted, with the permutations.
#[derive(Clone, Debug, Default)]
struct Profile<T> {
    values: Vec<T>,
    order: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Lane<T: Scalar> {
    scratch: Scratch<T>,
    sums: PairSums,
    directions: usize,
}

impl<T: Scalar> Engine<T> {
    /// For particles of the sizes and weights of `source`, on up to `count` directions a step.
    pub(crate) fn new(
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
        count: usize,
    ) -> Self {
        let layout = PairLayout::new(source, target);
        let pairs = layout.classes.len().pow(2);
        let lanes = (SUMS / pairs).clamp(2, LANES);
        let lane = || Lane { scratch: Scratch::new(&layout), sums: PairSums::zero(&layout), directions: 0 };
        let lanes = (0..lanes).map(|_| lane()).collect();
        let a_direction =
            (layout.source_samples() + layout.target_samples()) * (size_of::<T>() + size_of::<u32>());
        let fitting = (BLOCK_BYTES / a_direction).max(1);
        // Slicers want blocks that are powers of two.
        let block = if fitting >= count { count } else { 1 << fitting.ilog2() };
        let (total, coefficients) = (PairSums::zero(&layout), Coefficients::zero(&layout));
        let (source, target) = (Profile::default(), Profile::default());
        Self { layout, base: Base::SquaredSw2, source, target, lanes, total, coefficients, block, held: 0..0 }
    }

    /// Pass one: the mean distances between all classes.
    pub(crate) fn distances(
        &mut self,
        base: Base,
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
        slicer: &mut impl Slicer<T>,
    ) -> &PairSums {
        assert!(self.layout.fits(source), "particles of the sizes that the functional was made for");
        assert_eq!(slicer.dim(), source.dim(), "directions of the particles' dimension");
        self.base = base;
        let count = slicer.count();
        for lane in &mut self.lanes {
            lane.sums.reset();
            lane.directions = 0;
        }
        self.held = 0..0;
        for start in (0..count).step_by(self.block) {
            let range = start..count.min(start + self.block);
            self.hold(range, source, target, slicer, true);
        }
        self.total.reset();
        for lane in &self.lanes {
            self.total.add(&lane.sums);
        }
        self.total.divide(count as f64);
        &self.total
    }

    /// The mean distances of the last pass one.
    pub(crate) fn total(&self) -> &PairSums {
        &self.total
    }

    /// The sums of distances of every lane of the last pass one, with its number of directions:
    /// batches that tell how far the mean would move on other directions.
    pub(crate) fn batches(&self) -> impl Iterator<Item = (usize, &PairSums)> {
        self.lanes.iter().filter(|lane| lane.directions > 0).map(|lane| (lane.directions, &lane.sums))
    }

    /// Pass two, after pass one on the same particles and directions: the mean over directions of
    /// the forces with the given coefficients (source class, any class), projected back.
    pub(crate) fn velocity(
        &mut self,
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
        slicer: &mut impl Slicer<T>,
        coefficients: impl Fn(&PairSums, usize, usize) -> f64,
        velocity: &mut [T],
    ) {
        let total = &self.total;
        self.coefficients.set(|c, e| coefficients(total, c, e));
        let count = slicer.count();
        let scale = 1.0 / count as f64;
        let mut output = Output::Overwrite;
        // Backwards: the last block of pass one is still in memory.
        for start in (0..count).step_by(self.block).rev() {
            let range = start..count.min(start + self.block);
            self.hold(range.clone(), source, target, slicer, false);
            self.forces();
            slicer.back_project(range, &self.source.values, scale, output, velocity);
            output = Output::Add;
        }
        // Forces have taken the place of the rows.
        self.held = 0..0;
    }

    /// Sorted rows of a block of directions; with sums, if asked for.
    fn hold(
        &mut self,
        range: Range<usize>,
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
        slicer: &mut impl Slicer<T>,
        with_sums: bool,
    ) {
        if self.held == range && !range.is_empty() {
            return;
        }
        let (n, m) = (self.layout.source_samples(), self.layout.target_samples());
        self.source.resize(range.len() * n);
        self.target.resize(range.len() * m);
        slicer.project(range.clone(), source.points(), &mut self.source.values);
        slicer.project(range.clone(), target.points(), &mut self.target.values);
        let (layout, base) = (&self.layout, self.base);
        let (classes, targets) = layout.classes.split_at(layout.source_count);
        let each = range.len().div_ceil(self.lanes.len());
        self.source.lanes(each * n).zip(self.target.lanes(each * m)).zip(&mut self.lanes).for_each(
            |((source, target), lane)| {
                let rows = source.0.chunks_mut(n).zip(source.1.chunks_mut(n));
                let rows = rows.zip(target.0.chunks_mut(m).zip(target.1.chunks_mut(m)));
                for ((source, source_order), (target, target_order)) in rows {
                    let Lane { scratch, sums, directions } = lane;
                    for class in classes {
                        let range = class.range.clone();
                        argsort(&mut source[range.clone()], &mut source_order[range], &mut scratch.sort);
                    }
                    for class in targets {
                        let range = class.range.clone();
                        argsort(&mut target[range.clone()], &mut target_order[range], &mut scratch.sort);
                    }
                    if with_sums {
                        let rows = DirectionRows::new(layout, (source, source_order), (target, target_order));
                        rows.sort_weights(scratch);
                        pairs::add_distances(layout, &rows, base, scratch, sums);
                        *directions += 1;
                    }
                }
            },
        );
        self.held = range;
    }

    /// Replaces the source's sorted rows of the block in memory by forces.
    fn forces(&mut self) {
        let (n, m) = (self.layout.source_samples(), self.layout.target_samples());
        let (layout, base, coefficients) = (&self.layout, self.base, &self.coefficients);
        let each = self.held.len().div_ceil(self.lanes.len());
        self.source.lanes(each * n).zip(self.target.lanes(each * m)).zip(&mut self.lanes).for_each(
            |((source, target), lane)| {
                let targets = target.0.chunks(m).zip(target.1.chunks(m));
                let rows = source.0.chunks_mut(n).zip(source.1.chunks(n)).zip(targets);
                for (source, target) in rows {
                    pairs::forces(layout, source, target, base, coefficients, &mut lane.scratch);
                }
            },
        );
    }
}

impl<T: Scalar> Profile<T> {
    fn resize(&mut self, len: usize) {
        self.values.resize(len, T::ZERO);
        self.order.resize(len, 0);
    }

    fn lanes(&mut self, len: usize) -> impl IndexedParallelIterator<Item = (&mut [T], &mut [u32])> {
        self.values.par_chunks_mut(len).zip(self.order.par_chunks_mut(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directions::{Draws, Slicing};
    use crate::rng::{Purpose, Stream};

    fn measure(sizes: &[usize], dim: usize, step: u64) -> MeasureOverMeasures<f64> {
        let mut points = vec![0.0; sizes.iter().sum::<usize>() * dim];
        Stream::new(2, Purpose::Test, step).normals(0, &mut points);
        MeasureOverMeasures::uniform(points, dim, sizes).unwrap()
    }

    #[test]
    fn blocks_of_directions_change_nothing_but_rounding() {
        let (p, q) = (measure(&[5, 8, 1], 6, 1), measure(&[4, 8], 6, 2));
        for slicing in [Slicing::Gaussian, Slicing::Orthonormal, Slicing::Hadamard] {
            let run = |block: usize| {
                let stream = Stream::new(5, Purpose::Directions, 0);
                let mut draws = Draws::new(slicing, 53, 6, stream).unwrap();
                let mut engine = Engine::new(&p, &q, 53);
                engine.block = block;
                let sums = engine.distances(Base::SquaredSw2, &p, &q, &mut draws).clone();
                let mut velocity = vec![0.0; p.points().len()];
                engine.velocity(&p, &q, &mut draws, |_, c, e| (1 + c + 2 * e) as f64, &mut velocity);
                (sums, velocity)
            };
            let (sums, velocity) = run(53);
            for block in [1, 2, 8, 16, 32] {
                let (other_sums, other_velocity) = run(block);
                for c in 0..3 {
                    for d in 0..2 {
                        let (a, b) = (sums.source_target(c, d), other_sums.source_target(c, d));
                        assert!((a - b).abs() < 1e-12, "{slicing:?}, blocks of {block}");
                    }
                }
                let close = velocity.iter().zip(&other_velocity).all(|(a, b)| (a - b).abs() < 1e-11);
                assert!(close, "{slicing:?}, blocks of {block}");
            }
        }
    }
}
