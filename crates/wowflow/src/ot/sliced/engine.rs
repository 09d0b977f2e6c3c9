//! The two passes of a step over all directions, in blocks that fit a fixed amount of memory.
//!
//! Pass one projects and sorts both sides and sums the distances of all pairs of classes; between
//! the passes the caller turns distances into coefficients; pass two turns sorted rows into forces
//! and projects them back. When all directions fit one block, pass two finds the rows of pass one
//! in memory; otherwise it projects and sorts again, all blocks but the last: memory does not grow
//! with the number of directions.
//!
//! The directions of a block are shared out to a fixed number of batches with sums of their own, and
//! the pairs of a batch to bands of classes: the bits depend on the sizes alone, whoever computes
//! which band of which batch.
//!
//! When the directions are those of the step before, the target's rows are still sorted, as far as
//! they are in memory, and its distances to itself known.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::Base;
use super::layout::{Class, PairLayout, WithinAtomVariance};
use super::pairs::{self, Coefficients, PairSums};
use super::rows::{Scratch, SortedRows};
use crate::directions::{DrawId, Slicer};
use crate::linalg::Output;
use crate::measure::MeasureOverMeasures;
use crate::ot::sort::argsort;
use crate::scalar::Scalar;

/// Memory of the projections of a block, both sides, with their permutations.
const BLOCK_BYTES: usize = 1 << 28;
/// The most batches of directions; bands of all batches together.
pub(crate) const BATCHES: usize = 32;
/// Fewer batches than this say nothing about the error of a mean: then there is one.
const FEWEST: usize = 8;
/// Doubles in the sums of all batches together.
const SUMS: usize = 1 << 23;
/// Values that are sorted in one go, and compared while they are in the second cache.
const SORTED: usize = 1 << 15;

/// Everything a step needs but the particles: made once and kept from step to step.
#[derive(Clone, Debug)]
pub(crate) struct Engine<T: Scalar> {
    layout: PairLayout,
    /// What the last pass one measured.
    base: Base,
    source: Profile<T>,
    target: Profile<T>,
    /// The directions of the target's rows, and those with the base of its distances to itself.
    target_rows: Option<DrawId>,
    target_sums: Option<(DrawId, Base)>,
    batches: Vec<Batch>,
    bands: usize,
    total: PairSums,
    coefficients: Coefficients<T>,
    block: usize,
    workers: Workers<T>,
}

/// `L x N` projections of a block, each class's part of a row sorted, with the permutations.
#[derive(Clone, Debug, Default)]
struct Profile<T> {
    values: Vec<T>,
    order: Vec<u32>,
    /// Directions of the rows.
    held: Range<usize>,
    sorted: bool,
}

/// A share of every block's directions.
#[derive(Clone, Debug)]
struct Batch {
    sums: PairSums,
    directions: usize,
}

/// Working memory, a thread's own while it works. Nothing of it outlives a task.
#[derive(Debug)]
struct Workers<T: Scalar>(Vec<Mutex<Scratch<T>>>);

impl<T: Scalar> Engine<T> {
    /// For particles of the sizes and weights of `source`, on up to `count` directions a step.
    pub(crate) fn new(
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
        count: usize,
    ) -> Self {
        let layout = PairLayout::new(source, target);
        let pairs = layout.classes.len().pow(2);
        let batches = if FEWEST * pairs <= SUMS { (SUMS / pairs).min(BATCHES) } else { 1 };
        let bands = BATCHES / batches;
        let batch = Batch { sums: PairSums::zero(&layout), directions: 0 };
        let batches = vec![batch; batches];
        let a_direction =
            (layout.source_samples() + layout.target_samples()) * (size_of::<T>() + size_of::<u32>());
        let fitting = (BLOCK_BYTES / a_direction).max(1);
        // Slicers want blocks that are powers of two.
        let block = if fitting >= count { count } else { 1 << fitting.ilog2() };
        let (total, coefficients) = (PairSums::zero(&layout), Coefficients::zero(&layout));
        Self {
            layout,
            base: Base::SquaredSw2,
            source: Profile::default(),
            target: Profile::default(),
            target_rows: None,
            target_sums: None,
            batches,
            bands,
            total,
            coefficients,
            block,
            workers: Workers(Vec::new()),
        }
    }

    /// The same with the variance of classes within the atoms of others counted or not.
    pub(crate) fn with_within_atom_variance(mut self, within_atoms: WithinAtomVariance) -> Self {
        self.layout.within_atoms = within_atoms;
        self
    }

    /// Forgets what is known of the target, which has changed.
    pub(crate) fn forget_target(&mut self) {
        (self.target_rows, self.target_sums) = (None, None);
    }

    /// Pass one: the mean distances between all classes. The target must be the one that was passed last,
    /// unless [`Self::forget_target`] was called: what is known of it is not looked at again.
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
        self.workers.employ(rayon::current_num_threads(), &self.layout);
        let (count, draw) = (slicer.count(), slicer.id());
        self.source.held = 0..0;
        if draw.is_none() || self.target_rows != draw {
            (self.target.held, self.target_rows) = (0..0, draw);
        }
        let known = draw.is_some() && self.target_sums == draw.map(|draw| (draw, base));
        for batch in &mut self.batches {
            batch.sums.reset(known);
            batch.directions = 0;
        }
        for start in (0..count).step_by(self.block) {
            self.hold(start..count.min(start + self.block), source, target, slicer);
            if self.bands > 1 {
                self.sort();
            }
            self.add_distances(known);
        }
        self.target_sums = draw.map(|draw| (draw, base));
        self.batches.par_iter_mut().for_each(|batch| batch.sums.mirror());
        self.total.reset(false);
        for batch in &self.batches {
            self.total.add(&batch.sums);
        }
        self.total.divide(count as f64);
        &self.total
    }

    /// The mean distances of the last pass one.
    pub(crate) fn total(&self) -> &PairSums {
        &self.total
    }

    /// The sums of distances of batches of the directions of the last pass one, each with its number
    /// of directions: they tell how far the mean would move on other directions. At most
    /// [`BATCHES`]; only one where classes are many.
    pub(crate) fn batches(&self) -> impl Iterator<Item = (usize, &PairSums)> {
        let batches = self.batches.iter().filter(|batch| batch.directions > 0);
        batches.map(|batch| (batch.directions, &batch.sums))
    }

    /// Pass two, after pass one on the same particles and directions: the mean over directions of
    /// the forces with the given coefficients (source class, any class), projected back.
    pub(crate) fn velocity(
        &mut self,
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
        slicer: &mut impl Slicer<T>,
        coefficients: impl Fn(&PairSums, usize, usize) -> f64 + Sync,
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
            self.hold(range.clone(), source, target, slicer);
            self.sort();
            self.forces();
            slicer.back_project(range, &self.source.values, scale, output, velocity);
            output = Output::Add;
        }
        // Forces have taken the place of the rows.
        self.source.held = 0..0;
    }

    /// Projections on a block of directions, unless they are here.
    fn hold(
        &mut self,
        range: Range<usize>,
        source: &MeasureOverMeasures<T>,
        target: &MeasureOverMeasures<T>,
        slicer: &mut impl Slicer<T>,
    ) {
        self.source.hold(&range, source, slicer);
        self.target.hold(&range, target, slicer);
    }

    /// Sorts the rows in memory, unless they are sorted.
    fn sort(&mut self) {
        let (own, others) = self.layout.classes.split_at(self.layout.source_count);
        self.source.sort(own, &self.workers);
        self.target.sort(others, &self.workers);
    }

    /// Adds the distances along the block in memory to the sums of the batches, and leaves it sorted.
    ///
    /// Rows that are not sorted yet are sorted by the batch, a few directions at a time, and compared
    /// while they are in its cache: there must be one band then.
    fn add_distances(&mut self, targets_known: bool) {
        let Self { layout, base, source, target, batches, bands, workers, .. } = self;
        let (own, others) = layout.classes.split_at(layout.source_count);
        let classes = if targets_known { layout.source_count } else { layout.classes.len() };
        let each = source.held.len().div_ceil(batches.len());
        let (n, m) = (layout.source_samples(), layout.target_samples());
        let some = (SORTED / (n + m)).max(1).next_multiple_of(layout.group);
        let (sort_source, sort_target) = (!source.sorted, !target.sorted);
        let rows = source.parts(each * n).zip(target.parts(each * m));
        batches.par_iter_mut().zip(rows).for_each(|(Batch { sums, directions }, (source, target))| {
            *directions += source.0.len() / n;
            let rows = parts(source, some * n).zip(parts(target, some * m));
            for ((source, source_order), (target, target_order)) in rows {
                if sort_source {
                    workers.with(|scratch| sort_rows(source, source_order, own, scratch));
                }
                if sort_target {
                    workers.with(|scratch| sort_rows(target, target_order, others, scratch));
                }
                let rows = SortedRows::new(layout, (source, source_order), (target, target_order));
                sums.bands(*bands).for_each(|(band, sums)| {
                    let band = band.start..band.end.min(classes);
                    workers.with(|scratch| pairs::add_distances(rows, *base, band, scratch, sums));
                });
            }
        });
        (source.sorted, target.sorted) = (true, true);
    }

    /// Replaces the source's sorted rows of the block in memory by forces.
    fn forces(&mut self) {
        let Self { layout, base, source, target, coefficients, workers, .. } = self;
        let each = source.held.len().div_ceil(BATCHES).next_multiple_of(layout.group);
        let (n, m) = (each * layout.source_samples(), each * layout.target_samples());
        let targets = target.values.par_chunks(m).zip(target.order.par_chunks(m));
        let sources = source.values.par_chunks_mut(n).zip(source.order.par_chunks(n));
        sources.zip(targets).for_each(|(source, target)| {
            workers.with(|scratch| pairs::forces(layout, source, target, *base, coefficients, scratch));
        });
    }
}

impl<T: Scalar> Profile<T> {
    /// Projects on a range of directions, unless the rows are here.
    fn hold(&mut self, range: &Range<usize>, measure: &MeasureOverMeasures<T>, slicer: &mut impl Slicer<T>) {
        if self.held == *range {
            return;
        }
        let samples = measure.points().len() / measure.dim();
        self.values.resize(range.len() * samples, T::ZERO);
        self.order.resize(range.len() * samples, 0);
        slicer.project(range.clone(), measure.points(), &mut self.values);
        (self.held, self.sorted) = (range.clone(), false);
    }

    fn sort(&mut self, classes: &[Class], workers: &Workers<T>) {
        if !self.sorted {
            let samples = self.values.len() / self.held.len();
            self.parts((SORTED / samples).max(1) * samples).for_each(|(values, order)| {
                workers.with(|scratch| sort_rows(values, order, classes, scratch));
            });
            self.sorted = true;
        }
    }

    /// So many values at a time, whole rows, with their permutation.
    fn parts(&mut self, len: usize) -> impl IndexedParallelIterator<Item = (&mut [T], &mut [u32])> {
        self.values.par_chunks_mut(len).zip(self.order.par_chunks_mut(len))
    }
}

/// The same for a part.
fn parts<'a, T>(
    (values, order): (&'a mut [T], &'a mut [u32]),
    len: usize,
) -> impl Iterator<Item = (&'a mut [T], &'a mut [u32])> {
    values.chunks_mut(len).zip(order.chunks_mut(len))
}

/// Sorts each class's part of rows of all classes of a side.
fn sort_rows<T: Scalar>(values: &mut [T], order: &mut [u32], classes: &[Class], scratch: &mut Scratch<T>) {
    let samples = classes[classes.len() - 1].range.end;
    for (values, order) in values.chunks_mut(samples).zip(order.chunks_mut(samples)) {
        for class in classes {
            let range = class.range.clone();
            argsort(&mut values[range.clone()], &mut order[range], &mut scratch.sort);
        }
    }
}

impl<T: Scalar> Workers<T> {
    /// Memory for a number of threads.
    fn employ(&mut self, threads: usize, layout: &PairLayout) {
        while self.0.len() < threads {
            self.0.push(Mutex::new(Scratch::new(layout)));
        }
    }

    /// Runs a task, which must not wait for other tasks, on the memory of the current thread.
    fn with(&self, task: impl FnOnce(&mut Scratch<T>)) {
        let index = rayon::current_thread_index().unwrap_or(0) % self.0.len();
        task(&mut self.0[index].lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<T: Scalar> Clone for Workers<T> {
    fn clone(&self) -> Self {
        let copy =
            |scratch: &Mutex<Scratch<T>>| scratch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self(self.0.iter().map(|scratch| Mutex::new(copy(scratch))).collect())
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
    fn what_is_known_of_the_target_changes_no_bit() {
        let (p, q) = (measure(&[5, 8, 1], 6, 1), measure(&[4, 8], 6, 2));
        let stream = |step| Stream::new(5, Purpose::Directions, step);
        for slicing in [Slicing::Gaussian, Slicing::Orthonormal, Slicing::Hadamard] {
            for block in [16, 53] {
                let mut draws = Draws::new(slicing, 53, 6, stream(0)).unwrap();
                let mut kept = Engine::new(&p, &q, 53);
                kept.block = block;
                // Directions and bases that change and come back.
                for (step, draw, base) in [
                    (1, 0, Base::SquaredSw2),
                    (2, 0, Base::SquaredSw2),
                    (3, 0, Base::Sw1),
                    (4, 0, Base::Sw1),
                    (5, 1, Base::Sw1),
                    (6, 1, Base::SquaredSw2),
                    (7, 1, Base::SquaredSw2),
                ] {
                    let particles = measure(&[5, 8, 1], 6, 100 + step);
                    let coefficient = |_: &PairSums, c, e| (1 + c + 2 * e) as f64;
                    let run = |engine: &mut Engine<f64>, draws: &mut Draws<f64>| {
                        let mut velocity = vec![0.0; particles.points().len()];
                        let sums = engine.distances(base, &particles, &q, draws).clone();
                        let batches: Vec<_> = engine.batches().map(|(n, sums)| (n, sums.clone())).collect();
                        engine.velocity(&particles, &q, draws, coefficient, &mut velocity);
                        (sums, batches, velocity)
                    };
                    draws.restart(stream(draw));
                    let known = kept.target_rows == draws.id() && block == 53;
                    assert_eq!(known, block == 53 && [2, 3, 4, 6, 7].contains(&step), "{step}");
                    let mut fresh = Engine::new(&p, &q, 53);
                    fresh.block = block;
                    let expected = run(&mut fresh, &mut Draws::new(slicing, 53, 6, stream(draw)).unwrap());
                    assert!(
                        run(&mut kept, &mut draws) == expected,
                        "{slicing:?}, block {block}, step {step}"
                    );
                }
                // Rows that nobody vouches for are looked at anew.
                let mut other = Draws::new(slicing, 53, 6, stream(2)).unwrap();
                let given = crate::directions::Directions::draw(slicing, 53, 6, 8, 0).unwrap();
                let plain = Engine::new(&p, &q, 53).distances(Base::Sw1, &p, &q, &mut &given).clone();
                for _ in 0..2 {
                    kept.distances(Base::Sw1, &p, &q, &mut other);
                    kept.block = 53;
                    assert_eq!(*kept.distances(Base::Sw1, &p, &q, &mut &given), plain);
                }
            }
        }
    }

    #[test]
    fn bands_of_classes_change_no_bit() {
        let sizes: Vec<usize> = (0..40).map(|c| [3, 7, 20, 1][c % 4]).collect();
        let (p, q) = (measure(&sizes, 5, 1), measure(&sizes[..23], 5, 2));
        for base in [Base::SquaredSw2, Base::Sw1] {
            let run = |bands: usize| {
                let mut draws =
                    Draws::new(Slicing::Gaussian, 40, 5, Stream::new(5, Purpose::Test, 0)).unwrap();
                let mut engine = Engine::new(&p, &q, 40);
                engine.bands = bands;
                engine.distances(base, &p, &q, &mut draws).clone()
            };
            let one = run(1);
            for bands in [2, 7, 32, 63] {
                assert!(run(bands) == one, "{base:?}, {bands} bands");
            }
        }
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
