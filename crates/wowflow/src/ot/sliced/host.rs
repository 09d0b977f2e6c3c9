//! The backend of this process: rows in its memory, worked on by the current rayon pool.
//!
//! The directions of a block are shared out to batches with sums of their own, and the pairs of a batch to bands of
//! classes: the bits depend on the sizes alone, whoever computes which band of which batch.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::Base;
use super::backend::{Backend, BackendError, Cloud, Measured, Profiles, TargetPairs};
use super::layout::{Class, PairLayout, Side};
use super::matrix::{Coefficients, PairMatrix};
use super::pairs;
use super::rows::SortedRows;
use super::scratch::Scratch;
use crate::directions::Slicer;
use crate::linalg::Output;
use crate::ot::sort::argsort;
use crate::scalar::Scalar;

/// Bands of all batches together, and tasks that forces are shared out to.
const TASKS: usize = 32;
/// Values that are sorted in one go, and compared while they are in the second cache.
const SORTED: usize = 1 << 15;

/// The threads of this process: the current rayon pool. The bits do not depend on their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Host;

impl<T: Scalar> Backend<T> for Host {
    fn profiles(&self, layout: &Arc<PairLayout>) -> Result<Box<dyn Profiles<T>>, BackendError> {
        Ok(Box::new(HostProfiles::new(layout)))
    }
}

/// Rows of both sides and the working memory of threads.
#[derive(Clone, Debug)]
pub(crate) struct HostProfiles<T: Scalar> {
    layout: Arc<PairLayout>,
    source: Rows<T>,
    target: Rows<T>,
    /// [`TASKS`], but in tests.
    tasks: usize,
    workers: Workers<T>,
}

/// `L x N` projections of a block, with the permutations that sorted them.
#[derive(Clone, Debug, Default)]
struct Rows<T> {
    values: Vec<T>,
    order: Vec<u32>,
    sorted: bool,
}

/// Working memory, a thread's own while it works. Nothing of it outlives a task.
#[derive(Debug)]
struct Workers<T: Scalar>(Vec<Mutex<Scratch<T>>>);

impl<T: Scalar> HostProfiles<T> {
    pub(crate) fn new(layout: &Arc<PairLayout>) -> Self {
        Self {
            layout: Arc::clone(layout),
            source: Rows::default(),
            target: Rows::default(),
            tasks: TASKS,
            workers: Workers(Vec::new()),
        }
    }

    /// Sorts the rows in memory, unless they are sorted.
    fn sort(&mut self) {
        let (own, others) = self.layout.classes.split_at(self.layout.source_count);
        self.source.sort(own, &self.workers);
        self.target.sort(others, &self.workers);
    }
}

impl<T: Scalar> Profiles<T> for HostProfiles<T> {
    fn project(
        &mut self,
        side: Side,
        cloud: Cloud<'_, T>,
        directions: &mut dyn Slicer<T>,
        block: Range<usize>,
    ) {
        let (rows, samples) = match side {
            Side::Source => (&mut self.source, self.layout.source_samples()),
            Side::Target => (&mut self.target, self.layout.target_samples()),
        };
        rows.values.resize(block.len() * samples, T::ZERO);
        rows.order.resize(block.len() * samples, 0);
        directions.project(block, cloud.points, &mut rows.values);
        rows.sorted = false;
    }

    /// Rows that are not sorted yet are sorted by the batch, a few directions at a time, and compared
    /// while they are in its cache, if there is one band.
    fn add_distances(&mut self, measured: Measured, batches: Range<usize>, sums: &mut [PairMatrix]) {
        self.workers.employ(&self.layout);
        let bands = (self.tasks / batches.len()).max(1);
        if bands > 1 {
            self.sort();
        }
        let Self { layout, source, target, workers, .. } = self;
        let (own, others) = layout.classes.split_at(layout.source_count);
        let classes = match measured.targets {
            TargetPairs::Measured => layout.classes.len(),
            TargetPairs::Known => layout.source_count,
        };
        let (n, m) = (layout.source_samples(), layout.target_samples());
        let each = (source.values.len() / n).div_ceil(batches.len());
        let some = (SORTED / (n + m)).max(1).next_multiple_of(layout.group);
        let (sort_source, sort_target) = (!source.sorted, !target.sorted);
        let rows = source.parts(each * n).zip(target.parts(each * m));
        sums[batches].par_iter_mut().zip(rows).for_each(|(sums, (source, target))| {
            let rows = parts(source, some * n).zip(parts(target, some * m));
            for ((source, source_order), (target, target_order)) in rows {
                if sort_source {
                    workers.with(|scratch| sort_rows(source, source_order, own, scratch));
                }
                if sort_target {
                    workers.with(|scratch| sort_rows(target, target_order, others, scratch));
                }
                let rows = SortedRows::new(layout, (source, source_order), (target, target_order));
                sums.bands(bands).for_each(|(band, sums)| {
                    let band = band.start.min(classes)..band.end.min(classes);
                    workers.with(|scratch| pairs::add_distances(rows, measured, band, scratch, sums));
                });
            }
        });
        (source.sorted, target.sorted) = (true, true);
    }

    fn forces(&mut self, base: Base, coefficients: &Coefficients<T>) {
        self.workers.employ(&self.layout);
        self.sort();
        let Self { layout, source, target, workers, .. } = self;
        let directions = source.values.len() / layout.source_samples();
        let each = directions.div_ceil(TASKS).next_multiple_of(layout.group);
        let (n, m) = (each * layout.source_samples(), each * layout.target_samples());
        let targets = target.values.par_chunks(m).zip(target.order.par_chunks(m));
        let sources = source.values.par_chunks_mut(n).zip(source.order.par_chunks(n));
        sources.zip(targets).for_each(|(source, target)| {
            workers.with(|scratch| pairs::forces(layout, source, target, base, coefficients, scratch));
        });
    }

    fn back_project(
        &mut self,
        directions: &mut dyn Slicer<T>,
        block: Range<usize>,
        scale: f64,
        output: Output,
        velocity: &mut [T],
    ) {
        directions.back_project(block, &self.source.values, scale, output, velocity);
    }

    fn duplicate(&self) -> Box<dyn Profiles<T>> {
        Box::new(self.clone())
    }
}

impl<T: Scalar> Rows<T> {
    fn sort(&mut self, classes: &[Class], workers: &Workers<T>) {
        if !self.sorted {
            let samples = samples(classes);
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

/// Samples of a side, from all its classes.
fn samples(classes: &[Class]) -> usize {
    classes[classes.len() - 1].range.end
}

/// Sorts each class's part of rows of all classes of a side.
fn sort_rows<T: Scalar>(values: &mut [T], order: &mut [u32], classes: &[Class], scratch: &mut Scratch<T>) {
    let samples = samples(classes);
    for (values, order) in values.chunks_mut(samples).zip(order.chunks_mut(samples)) {
        for class in classes {
            let range = class.range.clone();
            argsort(&mut values[range.clone()], &mut order[range], &mut scratch.sort);
        }
    }
}

impl<T: Scalar> Workers<T> {
    /// Memory for the threads of the current pool.
    fn employ(&mut self, layout: &PairLayout) {
        while self.0.len() < rayon::current_num_threads() {
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
    use crate::directions::{Directions, Slicing};
    use crate::measure::{MeasureOverMeasures, Pair};
    use crate::ot::sliced::WithinAtomVariance;
    use crate::rng::{Purpose, Stream};

    #[test]
    fn bands_of_classes_change_no_bit() {
        let measure = |sizes: &[usize], step: u64| {
            let mut points = vec![0.0; sizes.iter().sum::<usize>() * 5];
            Stream::new(2, Purpose::Test, step).normals(0, &mut points);
            MeasureOverMeasures::<f64>::uniform(points, 5, sizes).unwrap()
        };
        let sizes: Vec<usize> = (0..40).map(|c| [3, 7, 20, 1][c % 4]).collect();
        let (p, q) = (measure(&sizes, 1), measure(&sizes[..23], 2));
        let layout = Arc::new(PairLayout::new(Pair { source: &p, target: &q }));
        let directions = Directions::draw(Slicing::Gaussian, 40, 5, 5, 0).unwrap();
        let pairs = [TargetPairs::Measured, TargetPairs::Known];
        let cases =
            [Base::SquaredSw2, Base::Sw1].into_iter().flat_map(|base| pairs.map(|pairs| (base, pairs)));
        for (base, targets) in cases {
            let run = |bands: usize| {
                let mut profiles = HostProfiles { tasks: 8 * bands, ..HostProfiles::new(&layout) };
                for (side, measure) in [(Side::Source, &p), (Side::Target, &q)] {
                    let cloud = Cloud { points: measure.points(), version: 1 };
                    profiles.project(side, cloud, &mut &directions, 0..40);
                }
                let mut batches = vec![PairMatrix::zero(&layout); 8];
                let measured = Measured { base, within_atoms: WithinAtomVariance::Included, targets };
                profiles.add_distances(measured, 0..8, &mut batches);
                batches
            };
            let one = run(1);
            for bands in [2, 7, 32, 63] {
                assert!(run(bands) == one, "{base:?}, {targets:?}, {bands} bands");
            }
        }
    }
}
