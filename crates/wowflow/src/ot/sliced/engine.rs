//! The two passes of a step over all directions, in blocks that fit a fixed amount of memory.
//!
//! Pass one projects and sorts both sides and sums the distances of all pairs of classes; between
//! the passes the caller turns distances into coefficients; pass two turns sorted rows into forces
//! and projects them back. When all directions fit one block, pass two finds the rows of pass one
//! in memory; otherwise it projects and sorts again, all blocks but the last: memory does not grow
//! with the number of directions.
//!
//! The work is a backend's; what is decided here are the blocks, the batches that the directions of a
//! block are shared out to, and what is still known: when the directions are those of the step before,
//! the target's rows are still sorted, as far as they are in memory, and its distances to itself known.
//! Where processes share out the directions, these are cut into parts that are batches of their own.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::backend::{Backend, BackendError, Cloud, Measured, Profiles, Side, TargetPairs, shares};
use super::host::Host;
use super::host::HostProfiles;
use super::layout::{Arrangement, PairLayout};
use super::matrix::{Coefficients, PairMatrix, Sampled};
use super::{Base, WithinAtomVariance};
use crate::directions::{DrawId, Slicer};
use crate::linalg::Output;
use crate::measure::Pair;
use crate::scalar::Scalar;

/// Memory of the projections of a block, both sides, with their permutations.
const BLOCK_BYTES: usize = 1 << 28;
/// The most batches of directions.
pub(crate) const BATCHES: usize = 32;
/// Fewer batches than this say nothing about the error of a mean: then there is one.
const FEWEST: usize = 8;
/// Doubles in the sums of all batches together.
const SUMS: usize = 1 << 23;

/// Everything a step needs but the particles: made once and kept from step to step.
#[derive(Clone, Debug)]
pub(crate) struct Engine<T: Scalar> {
    layout: Arc<PairLayout>,
    backend: Arc<dyn Backend<T>>,
    profiles: Box<dyn Profiles<T>>,
    within_atoms: WithinAtomVariance,
    /// What the last pass one measured.
    base: Base,
    source: Held,
    target: Held,
    /// The directions of the target's rows, and those with the base of its distances to itself.
    target_rows: Option<DrawId>,
    target_sums: Option<(DrawId, Base)>,
    /// The sums of each batch, and its number of directions.
    sums: Vec<PairMatrix>,
    directions: Vec<usize>,
    total: PairMatrix,
    coefficients: Coefficients<T>,
    /// The most directions of a pass.
    count: usize,
    /// Directions that both sides are projected on at a time.
    block: usize,
    /// Velocities of the parts of this process, where there are others.
    parts: Vec<T>,
}

/// What the backend has of a side.
#[derive(Clone, Debug)]
struct Held {
    side: Side,
    /// Directions of its rows.
    rows: Range<usize>,
    /// Counts the changes of its coordinates.
    version: u64,
}

/// How the directions of a pass are cut.
#[derive(Clone, Debug)]
struct Cut {
    count: usize,
    /// Directions of a part.
    part: usize,
    /// Batches that a part is shared out to.
    batches: usize,
    /// Directions of a block.
    block: usize,
}

impl Cut {
    fn parts(&self) -> usize {
        self.count.div_ceil(self.part)
    }

    /// The batches of a part.
    fn batches(&self, part: usize) -> Range<usize> {
        part * self.batches..(part + 1) * self.batches
    }

    /// The blocks of a part, in order.
    fn blocks(&self, part: usize) -> impl DoubleEndedIterator<Item = Range<usize>> + use<> {
        let (start, block) = (part * self.part, self.block);
        let end = self.count.min(start + self.part);
        (start..end).step_by(block).map(move |start| start..end.min(start + block))
    }
}

impl<T: Scalar> Engine<T> {
    /// For particles of the sizes and weights of a source, on up to `count` directions a step, on this host.
    pub(crate) fn new(pair: Pair<'_, T>, count: usize) -> Self {
        let layout = Arc::new(PairLayout::new(pair));
        let profiles = Box::new(HostProfiles::new(&layout));
        Self::of(layout, Arc::new(Host), profiles, count)
    }

    /// The same on another backend.
    pub(crate) fn on(
        backend: &Arc<dyn Backend<T>>,
        pair: Pair<'_, T>,
        count: usize,
    ) -> Result<Self, BackendError> {
        let layout = Arc::new(PairLayout::new(pair));
        let profiles = backend.profiles(&layout)?;
        Ok(Self::of(layout, Arc::clone(backend), profiles, count))
    }

    fn of(
        layout: Arc<PairLayout>,
        backend: Arc<dyn Backend<T>>,
        profiles: Box<dyn Profiles<T>>,
        count: usize,
    ) -> Self {
        let pairs = layout.classes.len().pow(2);
        let batches = if FEWEST * pairs <= SUMS { (SUMS / pairs).min(BATCHES) } else { 1 };
        // Parts are batches, and one would leave nothing to share out.
        let batches = if backend.reduction().is_some() { batches.max(FEWEST) } else { batches };
        let a_direction =
            (layout.source_samples() + layout.target_samples()) * (size_of::<T>() + size_of::<u32>());
        let fitting = (BLOCK_BYTES / a_direction).max(1);
        // Slicers want blocks that are powers of two.
        let block = if fitting >= count { count } else { 1 << fitting.ilog2() };
        let batches = match layout.arrangement {
            // Directions are taken side by side, as many as a batch has.
            Arrangement::Sizes => batches.min(block.div_ceil((block / FEWEST).clamp(1, layout.group))),
            Arrangement::OneGrid | Arrangement::Weights => batches,
        };
        let total = PairMatrix::zero(&layout);
        let held = |side| Held { side, rows: 0..0, version: 0 };
        Self {
            sums: vec![total.clone(); batches],
            directions: vec![0; batches],
            total,
            coefficients: Coefficients::zero(&layout),
            layout,
            backend,
            profiles,
            within_atoms: WithinAtomVariance::Included,
            base: Base::SquaredSw2,
            source: held(Side::Source),
            target: held(Side::Target),
            target_rows: None,
            target_sums: None,
            count,
            block,
            parts: Vec::new(),
        }
    }

    /// The same with the variance of classes within the atoms of others counted or not.
    pub(crate) fn with_within_atom_variance(self, within_atoms: WithinAtomVariance) -> Self {
        Self { within_atoms, ..self }
    }

    /// The same on another backend, with nothing known of the target.
    pub(crate) fn moved_to(&self, backend: &Arc<dyn Backend<T>>) -> Result<Self, BackendError> {
        let profiles = backend.profiles(&self.layout)?;
        let moved = Self::of(Arc::clone(&self.layout), Arc::clone(backend), profiles, self.count);
        Ok(moved.with_within_atom_variance(self.within_atoms))
    }

    /// Where the work is done.
    pub(crate) fn backend(&self) -> &Arc<dyn Backend<T>> {
        &self.backend
    }

    /// Forgets what is known of the target, which has changed.
    pub(crate) fn forget_target(&mut self) {
        (self.target_rows, self.target_sums) = (None, None);
        self.target.version += 1;
    }

    /// Pass one: the mean distances between all classes. The target must be the one that was passed last,
    /// unless [`Self::forget_target`] was called: what is known of it is not looked at again.
    pub(crate) fn distances(
        &mut self,
        base: Base,
        pair: Pair<'_, T>,
        slicer: &mut impl Slicer<T>,
    ) -> &PairMatrix {
        assert!(self.layout.fits(pair.source), "particles of the sizes that the functional was made for");
        assert_eq!(slicer.dim(), pair.source.dim(), "directions of the particles' dimension");
        self.base = base;
        let (count, draw) = (slicer.count(), slicer.id());
        (self.source.rows, self.source.version) = (0..0, self.source.version + 1);
        if draw.is_none() || self.target_rows != draw {
            (self.target.rows, self.target_rows) = (0..0, draw);
        }
        let known = draw.is_some() && self.target_sums == draw.map(|draw| (draw, base));
        let targets = if known { TargetPairs::Known } else { TargetPairs::Measured };
        let measured = Measured { base, within_atoms: self.within_atoms, targets };
        self.sums.iter_mut().for_each(|sums| sums.reset(known));
        let cut = self.cut(count);
        self.count_directions(&cut);
        let own = self.own(&cut);
        for part in own.clone() {
            for block in cut.blocks(part) {
                self.hold(&block, pair, slicer);
                self.profiles.add_distances(measured, cut.batches(part), &mut self.sums);
            }
        }
        self.profiles.finish_distances(&mut self.sums);
        if let Some(reduction) = self.backend.reduction() {
            reduction.gather(own, &mut self.sums[..cut.parts()]);
        }
        self.target_sums = draw.map(|draw| (draw, base));
        self.sums.par_iter_mut().for_each(PairMatrix::mirror);
        self.total.reset(false);
        for sums in &self.sums {
            self.total.add(sums);
        }
        self.total.divide(count as f64);
        &self.total
    }

    /// The mean distances of the last pass one.
    pub(crate) fn total(&self) -> &PairMatrix {
        &self.total
    }

    /// The same with the sums of at most [`BATCHES`] batches of directions, which tell how far the mean would move on
    /// other directions; only one where classes are many and one process does all the work.
    pub(crate) fn sampled(&self) -> Sampled<'_> {
        Sampled { mean: &self.total, sums: &self.sums, directions: &self.directions }
    }

    /// Pass two, after pass one on the same particles and directions: the mean over directions of
    /// the forces with the given coefficients (source class, any class), projected back.
    pub(crate) fn velocity(
        &mut self,
        pair: Pair<'_, T>,
        slicer: &mut impl Slicer<T>,
        coefficients: impl Fn(&PairMatrix, usize, usize) -> f64 + Sync,
        velocity: &mut [T],
    ) {
        let total = &self.total;
        self.coefficients.set(|c, e| coefficients(total, c, e));
        let cut = self.cut(slicer.count());
        let own = self.own(&cut);
        if self.backend.reduction().is_none() {
            self.part_velocity(&cut, 0, pair, slicer, velocity);
        } else {
            let mut parts = std::mem::take(&mut self.parts);
            parts.resize(own.len() * velocity.len(), T::ZERO);
            for (part, velocity) in own.clone().zip(parts.chunks_exact_mut(velocity.len())).rev() {
                self.part_velocity(&cut, part, pair, slicer, velocity);
            }
            if let Some(reduction) = self.backend.reduction() {
                reduction.add(own, &parts, velocity);
            }
            self.parts = parts;
        }
        // Forces have taken the place of the rows.
        self.source.rows = 0..0;
    }

    /// What a part of the directions adds to the velocity.
    fn part_velocity(
        &mut self,
        cut: &Cut,
        part: usize,
        pair: Pair<'_, T>,
        slicer: &mut impl Slicer<T>,
        velocity: &mut [T],
    ) {
        let scale = 1.0 / cut.count as f64;
        let mut output = Output::Overwrite;
        // Backwards: the last block of pass one is still in memory.
        for block in cut.blocks(part).rev() {
            self.hold(&block, pair, slicer);
            self.profiles.forces(self.base, &self.coefficients);
            self.profiles.back_project(slicer, block, scale, output, velocity);
            output = Output::Add;
        }
        self.profiles.finish_velocity(velocity);
    }

    /// How so many directions are cut: by their number and the sizes of the datasets alone.
    fn cut(&self, count: usize) -> Cut {
        let batches = self.sums.len();
        match self.backend.reduction() {
            None => Cut { count, part: count, batches, block: self.block },
            Some(_) => {
                let part = count.div_ceil(batches).next_power_of_two();
                Cut { count, part, batches: 1, block: self.block }
            }
        }
    }

    /// The parts of this process.
    fn own(&self, cut: &Cut) -> Range<usize> {
        self.backend.reduction().map_or(0..cut.parts(), |reduction| reduction.share(cut.parts()))
    }

    /// Counts the directions of every batch, those of other processes too.
    fn count_directions(&mut self, cut: &Cut) {
        self.directions.fill(0);
        for part in 0..cut.parts() {
            for block in cut.blocks(part) {
                let shares = shares(block.len(), cut.batches);
                let counts = self.directions[cut.batches(part)].iter_mut().zip(shares);
                counts.for_each(|(count, share)| *count += share.len());
            }
        }
    }

    /// Projections on a block of directions, unless they are here.
    fn hold(&mut self, block: &Range<usize>, pair: Pair<'_, T>, slicer: &mut impl Slicer<T>) {
        for (held, measure) in [(&mut self.source, pair.source), (&mut self.target, pair.target)] {
            if held.rows != *block {
                let cloud = Cloud { points: measure.points(), version: held.version };
                self.profiles.project(held.side, cloud, slicer, block.clone());
                held.rows = block.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directions::{Draws, Slicing};
    use crate::measure::MeasureOverMeasures;
    use crate::rng::{Purpose, Stream};

    fn measure(sizes: &[usize], dim: usize, step: u64) -> MeasureOverMeasures<f64> {
        let mut points = vec![0.0; sizes.iter().sum::<usize>() * dim];
        Stream::new(2, Purpose::Test, step).normals(0, &mut points);
        MeasureOverMeasures::uniform(points, dim, sizes).unwrap()
    }

    #[test]
    fn what_is_known_of_the_target_changes_no_bit() {
        let (p, q) = (measure(&[5, 8, 1], 6, 1), measure(&[4, 8], 6, 2));
        let both = Pair { source: &p, target: &q };
        let stream = |step| Stream::new(5, Purpose::Directions, step);
        for slicing in [Slicing::Gaussian, Slicing::Orthonormal, Slicing::Hadamard] {
            for block in [16, 53] {
                let mut draws = Draws::new(slicing, 53, 6, stream(0)).unwrap();
                let mut kept = Engine::new(both, 53);
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
                    let coefficient = |_: &PairMatrix, c, e| (1 + c + 2 * e) as f64;
                    let pair = Pair { source: &particles, target: &q };
                    let run = |engine: &mut Engine<f64>, draws: &mut Draws<f64>| {
                        let mut velocity = vec![0.0; particles.points().len()];
                        let sums = engine.distances(base, pair, draws).clone();
                        let batches: Vec<_> =
                            engine.sampled().batches().map(|(n, sums)| (n, sums.clone())).collect();
                        engine.velocity(pair, draws, coefficient, &mut velocity);
                        (sums, batches, velocity)
                    };
                    draws.restart(stream(draw));
                    let known = kept.target_rows == draws.id() && block == 53;
                    assert_eq!(known, block == 53 && [2, 3, 4, 6, 7].contains(&step), "{step}");
                    let mut fresh = Engine::new(both, 53);
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
                let plain = Engine::new(both, 53).distances(Base::Sw1, both, &mut &given).clone();
                for _ in 0..2 {
                    kept.distances(Base::Sw1, both, &mut other);
                    kept.block = 53;
                    assert_eq!(*kept.distances(Base::Sw1, both, &mut &given), plain);
                }
            }
        }
    }

    #[test]
    fn blocks_of_directions_change_nothing_but_rounding() {
        let (p, q) = (measure(&[5, 8, 1], 6, 1), measure(&[4, 8], 6, 2));
        let both = Pair { source: &p, target: &q };
        for slicing in [Slicing::Gaussian, Slicing::Orthonormal, Slicing::Hadamard] {
            let run = |block: usize| {
                let stream = Stream::new(5, Purpose::Directions, 0);
                let mut draws = Draws::new(slicing, 53, 6, stream).unwrap();
                let mut engine = Engine::new(both, 53);
                engine.block = block;
                let sums = engine.distances(Base::SquaredSw2, both, &mut draws).clone();
                let mut velocity = vec![0.0; p.points().len()];
                engine.velocity(both, &mut draws, |_, c, e| (1 + c + 2 * e) as f64, &mut velocity);
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
