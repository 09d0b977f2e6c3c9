//! The seam under the sliced distances: a backend from the definition, and processes that share out directions.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use wowflow::directions::Slicing;
use wowflow::functional::{
    BatchEstimator, Functional, Identity, MappedMmd, MatchedSw, MiniBatches, MmdSw, Redraw, SlicingPlan,
    TargetView, WithinAtomVariance,
};
use wowflow::kernel::{Base, Gaussian, Kernel, Laplace, Riesz};
use wowflow::measure::{MeasureOverMeasures, Pair};
use wowflow::ot::one_d::coupling;
use wowflow::ot::sliced::Host;
use wowflow::ot::sliced::backend::{
    Backend, BackendError, Cloud, Coefficients, Measured, Output, PairLayout, PairMatrix, Profiles,
    Reduction, Side, Slicer, TargetPairs, shares,
};
use wowflow::ot::sliced::{PairwiseSliced, SlicedError};
use wowflow::rng::{Purpose, Stream};

const PLAN: SlicingPlan = SlicingPlan { slicing: Slicing::Gaussian, count: 40, seed: 3 };

fn measure(sizes: &[usize], dim: usize, step: u64, weighted: bool) -> MeasureOverMeasures<f64> {
    let samples: usize = sizes.iter().sum();
    let mut points = vec![0.0; samples * dim];
    Stream::new(6, Purpose::Test, step).normals(0, &mut points);
    let weights: Vec<f64> = (0..samples).map(|i| (1 + i % 3) as f64).collect();
    MeasureOverMeasures::new(points, dim, sizes, weighted.then_some(&weights[..]), None).unwrap()
}

fn riesz() -> Kernel {
    Riesz::new(1.0, 0.0).unwrap().into()
}

/// A backend written straight from the definition that behaves as a device does: it keeps the points it was sent, and
/// hands sums and velocities over at the end of a pass only.
#[derive(Clone, Debug, Default)]
struct Plain {
    /// How often points were sent, source and target.
    sent: Arc<[AtomicUsize; 2]>,
    /// Numbers that a device of this size can hold.
    room: Option<usize>,
}

#[derive(Clone, Debug)]
struct PlainProfiles {
    layout: Arc<PairLayout>,
    sent: Arc<[AtomicUsize; 2]>,
    points: [(u64, Vec<f64>); 2],
    /// `L x N`, in the order of the samples; of the source, forces after [`Profiles::forces`].
    rows: [Vec<f64>; 2],
    sums: BTreeMap<(usize, usize), f64>,
    velocity: Vec<f64>,
}

impl Backend<f64> for Plain {
    fn profiles(&self, layout: &Arc<PairLayout>) -> Result<Box<dyn Profiles<f64>>, BackendError> {
        let samples = layout.source_samples() + layout.target_samples();
        if self.room.is_some_and(|room| samples > room) {
            return Err(BackendError { backend: "plain", found: format!("{samples} samples") });
        }
        Ok(Box::new(PlainProfiles {
            layout: Arc::clone(layout),
            sent: Arc::clone(&self.sent),
            points: Default::default(),
            rows: Default::default(),
            sums: BTreeMap::new(),
            velocity: Vec::new(),
        }))
    }
}

impl PlainProfiles {
    fn samples(&self, side: usize) -> usize {
        [self.layout.source_samples(), self.layout.target_samples()][side]
    }

    /// The row of a class along a direction, with its weights.
    fn class(&self, class: usize, direction: usize) -> (&[f64], Option<&[f64]>) {
        let class = &self.layout.classes()[class];
        let side = class.side() as usize;
        let row = &self.rows[side][direction * self.samples(side)..];
        (&row[class.range()], class.weights())
    }

    fn weight(&self, class: usize, sample: usize) -> f64 {
        let class = &self.layout.classes()[class];
        class.weights().map_or(1.0 / class.range().len() as f64, |weights| weights[sample])
    }

    /// What the coupling of class `e` with class `c` gives each sample of `c`: the mean of a function of both.
    fn coupled(&self, c: usize, e: usize, direction: usize, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let ((x, a), (y, b)) = (self.class(c, direction), self.class(e, direction));
        let mut means = vec![0.0; x.len()];
        for segment in coupling(x, a, y, b) {
            let (i, j) = (segment.i as usize, segment.j as usize);
            means[i] += segment.mass / self.weight(c, i) * f(x[i], y[j]);
        }
        means
    }

    fn distance(&self, measured: Measured, c: usize, e: usize, direction: usize) -> f64 {
        let x = self.class(c, direction).0;
        let sources = self.layout.source_count();
        let within = measured.within_atoms == WithinAtomVariance::Included || c >= sources || e < sources;
        let of_samples = match measured.base {
            Base::Sw1 => self.coupled(c, e, direction, |x, y| (x - y).abs()),
            Base::SquaredSw2 if within => self.coupled(c, e, direction, |x, y| (x - y).powi(2)),
            Base::SquaredSw2 => {
                let means = self.coupled(c, e, direction, |_, y| y);
                x.iter().zip(means).map(|(x, mean)| (x - mean).powi(2)).collect()
            }
        };
        of_samples.iter().enumerate().map(|(i, value)| self.weight(c, i) * value).sum()
    }
}

impl Profiles<f64> for PlainProfiles {
    fn project(
        &mut self,
        side: Side,
        cloud: Cloud<'_, f64>,
        directions: &mut dyn Slicer<f64>,
        block: Range<usize>,
    ) {
        let (side, dim) = (side as usize, directions.dim());
        if self.points[side].0 != cloud.version || self.points[side].1.is_empty() {
            self.points[side] = (cloud.version, cloud.points.to_vec());
            self.sent[side].fetch_add(1, Ordering::SeqCst);
        }
        let mut thetas = vec![0.0; block.len() * dim];
        directions.write_rows(block, &mut thetas);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let points = &self.points[side].1;
        let row = |theta| points.chunks(dim).map(move |x| dot(theta, x));
        self.rows[side] = thetas.chunks(dim).flat_map(row).collect();
    }

    fn add_distances(&mut self, measured: Measured, batches: Range<usize>, _: &mut [PairMatrix]) {
        let classes = self.layout.classes().len();
        let directions = self.rows[0].len() / self.samples(0);
        for (batch, share) in batches.clone().zip(shares(directions, batches.len())) {
            for c in 0..classes {
                for e in c + 1..classes {
                    if measured.targets == TargetPairs::Known && c >= self.layout.source_count() {
                        continue;
                    }
                    let sum: f64 = share.clone().map(|l| self.distance(measured, c, e, l)).sum();
                    *self.sums.entry((batch, c * classes + e)).or_default() += sum;
                }
            }
        }
    }

    fn finish_distances(&mut self, sums: &mut [PairMatrix]) {
        for ((batch, pair), sum) in std::mem::take(&mut self.sums) {
            sums[batch].values_mut()[pair] += sum;
        }
    }

    fn forces(&mut self, base: Base, coefficients: &Coefficients<f64>) {
        let mut forces = vec![0.0; self.rows[0].len()];
        let samples = self.samples(0);
        for (l, forces) in forces.chunks_mut(samples).enumerate() {
            for c in 0..self.layout.source_count() {
                let range = self.layout.classes()[c].range();
                let x = self.class(c, l).0;
                for (e, &factor) in coefficients.row(c).iter().enumerate().filter(|&(e, _)| e != c) {
                    let means = match base {
                        Base::SquaredSw2 => self.coupled(c, e, l, |x, y| x - y),
                        Base::Sw1 => {
                            self.coupled(c, e, l, |x, y| if x == y { 0.0 } else { (x - y).signum() })
                        }
                    };
                    assert_eq!(means.len(), x.len());
                    forces[range.clone()].iter_mut().zip(means).for_each(|(f, mean)| *f += factor * mean);
                }
            }
        }
        self.rows[0] = forces;
    }

    fn back_project(
        &mut self,
        directions: &mut dyn Slicer<f64>,
        block: Range<usize>,
        scale: f64,
        output: Output,
        velocity: &mut [f64],
    ) {
        let dim = directions.dim();
        if output == Output::Overwrite {
            self.velocity = vec![0.0; velocity.len()];
        }
        let mut thetas = vec![0.0; block.len() * dim];
        directions.write_rows(block, &mut thetas);
        for (theta, forces) in thetas.chunks(dim).zip(self.rows[0].chunks(velocity.len() / dim)) {
            for (velocity, force) in self.velocity.chunks_mut(dim).zip(forces) {
                velocity.iter_mut().zip(theta).for_each(|(v, t)| *v += scale * force * t);
            }
        }
    }

    fn finish_velocity(&mut self, velocity: &mut [f64]) {
        velocity.copy_from_slice(&self.velocity);
    }

    fn duplicate(&self) -> Box<dyn Profiles<f64>> {
        Box::new(self.clone())
    }
}

/// Value, standard error, velocity and curvatures of two steps.
fn steps(functional: &mut impl Functional<f64>, particles: &MeasureOverMeasures<f64>) -> Vec<f64> {
    let mut found = Vec::new();
    let mut velocity = vec![0.0; particles.points().len()];
    for step in 0..2 {
        let at = functional.evaluate(particles, step, &mut velocity);
        found.extend([at.value, at.standard_error.unwrap_or(-1.0)]);
        found.extend(&velocity);
        found.extend(functional.curvatures());
    }
    found
}

#[track_caller]
fn assert_close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (k, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() < 1e-10 * (1.0 + x.abs()), "{k}: {x} {y}");
    }
}

fn plain() -> Arc<dyn Backend<f64>> {
    Arc::new(Plain::default())
}

#[test]
fn a_backend_from_the_definition_gives_what_the_host_gives() {
    for weighted in [false, true] {
        let (p, q) = (measure(&[5, 8, 1], 6, 1, weighted), measure(&[4, 8], 6, 2, weighted));
        for slicing in [Slicing::Gaussian, Slicing::Orthonormal, Slicing::Hadamard] {
            let plan = SlicingPlan { slicing, ..PLAN };
            for kernel in [riesz(), Laplace::new(0.5).unwrap().into()] {
                let mut host = MmdSw::new(&p, &q, kernel, plan).unwrap();
                let mut other = host.clone().with_backend(&plain()).unwrap();
                assert_close(&steps(&mut host, &p), &steps(&mut other, &p));
                let (a, b) = (host.mmd2_estimate(&p, 1), other.mmd2_estimate(&p, 1));
                assert_close(&[a.value, a.standard_error], &[b.value, b.standard_error]);
            }
        }
        let mmd = || MmdSw::new(&p, &q, riesz(), PLAN).unwrap();
        let batches = MiniBatches { size: 3, estimator: BatchEstimator::Debiased };
        let mut host = mmd().with_batches(&p, batches).unwrap();
        // Whichever comes first, batches or backend.
        let mut late = host.clone().with_backend(&plain()).unwrap();
        let mut early = mmd().with_backend(&plain()).unwrap().with_batches(&p, batches).unwrap();
        let expected = steps(&mut host, &p);
        assert_close(&expected, &steps(&mut late, &p));
        assert_close(&expected, &steps(&mut early, &p));
        let excluded = WithinAtomVariance::Excluded;
        let mut host = mmd().with_within_atom_variance(excluded).unwrap();
        let mut other = host.clone().with_backend(&plain()).unwrap();
        assert_close(&steps(&mut host, &p), &steps(&mut other, &p));
    }
}

#[test]
fn functionals_of_features_take_a_backend_too() {
    let (p, q) = (measure(&[5, 1], 6, 1, false), measure(&[4, 8], 6, 2, false));
    let mut host = MappedMmd::new(&p, &q, riesz(), PLAN, TargetView::default(), Identity).unwrap();
    let mut other = host.clone().with_backend(&plain()).unwrap();
    assert_close(&steps(&mut host, &p), &steps(&mut other, &p));
    let mut host = MatchedSw::new(&p, &q, PLAN, None, Identity).unwrap();
    let mut other = host.clone().with_backend(&plain()).unwrap();
    assert_close(&steps(&mut host, &p), &steps(&mut other, &p));
}

#[test]
fn pairs_of_classes_are_the_same_on_every_backend() {
    let (p, q) = (measure(&[5, 8, 1], 6, 1, true), measure(&[4, 8], 6, 2, false));
    let pair = Pair { source: &p, target: &q };
    let stream = Stream::new(4, Purpose::Evaluation, 0);
    let mut host = PairwiseSliced::new(pair, Slicing::Orthonormal, 40, stream).unwrap();
    let mut other = host.clone().with_backend(&plain()).unwrap();
    for base in [Base::SquaredSw2, Base::Sw1, Base::SquaredSw2] {
        assert_close(host.distances(base).values(), other.distances(base).values());
        assert_close(&[host.typical(base)], &[other.typical(base)]);
        let batches = host.batches().zip(other.batches());
        batches.for_each(|((n, a), (m, b))| {
            assert_eq!(n, m);
            assert_close(a.values(), b.values());
        });
        assert_eq!(host.batches().map(|(n, _)| n).sum::<usize>(), 40);
    }
    let small: Arc<dyn Backend<f64>> = Arc::new(Plain { room: Some(10), ..Plain::default() });
    let Err(SlicedError::Backend(error)) = host.with_backend(&small) else { panic!("too large") };
    assert_eq!(
        error.to_string(),
        "expected datasets that fit the backend plain, found 26 samples: take fewer samples or another backend"
    );
}

#[test]
fn what_does_not_change_is_sent_once() {
    let (p, q) = (measure(&[5, 8], 6, 1, false), measure(&[4, 8], 6, 2, false));
    let backend = Plain::default();
    let sent = Arc::clone(&backend.sent);
    let backend: Arc<dyn Backend<f64>> = Arc::new(backend);
    let count = || [0, 1].map(|side| sent[side].swap(0, Ordering::SeqCst));
    for redraw in [Redraw::EveryStep, Redraw::Never] {
        let mmd = MmdSw::new(&p, &q, riesz(), PLAN).unwrap();
        let mut mmd = mmd.with_redraw(redraw).with_backend(&backend).unwrap();
        steps(&mut mmd, &p);
        assert_eq!(count(), [2, 1], "{redraw:?}");
        let batches = MiniBatches { size: 3, estimator: BatchEstimator::Plain };
        let mut mmd = mmd.with_batches(&p, batches).unwrap();
        steps(&mut mmd, &p);
        assert_eq!(count(), [2, 2], "batches, {redraw:?}");
    }
}

/// One of several processes that share out parts of the directions, here threads with a board between them.
#[derive(Debug)]
struct Rank {
    rank: usize,
    ranks: usize,
    board: Arc<Board>,
}

#[derive(Debug)]
struct Board {
    parts: Mutex<BTreeMap<usize, Vec<f64>>>,
    barrier: Barrier,
}

impl Rank {
    /// Hands the own parts over and returns those of all, in their order.
    fn exchange(&self, own: impl Iterator<Item = (usize, Vec<f64>)>) -> BTreeMap<usize, Vec<f64>> {
        self.board.parts.lock().unwrap().extend(own);
        self.board.barrier.wait();
        let all = self.board.parts.lock().unwrap().clone();
        if self.board.barrier.wait().is_leader() {
            self.board.parts.lock().unwrap().clear();
        }
        self.board.barrier.wait();
        all
    }
}

impl Backend<f64> for Rank {
    fn profiles(&self, layout: &Arc<PairLayout>) -> Result<Box<dyn Profiles<f64>>, BackendError> {
        Host.profiles(layout)
    }

    fn reduction(&self) -> Option<&dyn Reduction<f64>> {
        Some(self)
    }
}

impl Reduction<f64> for Rank {
    fn share(&self, parts: usize) -> Range<usize> {
        self.rank * parts / self.ranks..(self.rank + 1) * parts / self.ranks
    }

    fn gather(&self, own: Range<usize>, parts: &mut [PairMatrix]) {
        let all = self.exchange(own.map(|part| (part, parts[part].values().to_vec())));
        assert_eq!(all.len(), parts.len());
        all.into_iter().for_each(|(part, values)| parts[part].values_mut().copy_from_slice(&values));
    }

    fn add(&self, own: Range<usize>, parts: &[f64], velocity: &mut [f64]) {
        assert_eq!(parts.len(), own.len() * velocity.len());
        let all = self.exchange(own.zip(parts.chunks(velocity.len()).map(<[f64]>::to_vec)));
        velocity.fill(0.0);
        for part in all.into_values() {
            velocity.iter_mut().zip(part).for_each(|(sum, v)| *sum += v);
        }
    }
}

/// What every rank finds.
fn on_ranks(ranks: usize, work: impl Fn(&Arc<dyn Backend<f64>>) -> Vec<f64> + Sync) -> Vec<Vec<f64>> {
    let board = Arc::new(Board { parts: Mutex::default(), barrier: Barrier::new(ranks) });
    let work = &work;
    std::thread::scope(|scope| {
        let ranks: Vec<_> = (0..ranks)
            .map(|rank| {
                let backend: Arc<dyn Backend<f64>> =
                    Arc::new(Rank { rank, ranks, board: Arc::clone(&board) });
                scope.spawn(move || work(&backend))
            })
            .collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

#[test]
fn ranks_that_share_out_directions_find_the_bits_of_one() {
    let (p, q) = (measure(&[5, 8, 1], 6, 1, true), measure(&[4, 8], 6, 2, false));
    let kernels = [riesz(), Laplace::new(0.5).unwrap().into(), Gaussian::new(1.0).unwrap().into()];
    for (slicing, kernel) in
        [Slicing::Gaussian, Slicing::Orthonormal, Slicing::Hadamard].into_iter().zip(kernels)
    {
        for redraw in [Redraw::EveryStep, Redraw::Never] {
            let plan = SlicingPlan { slicing, count: 150, seed: 3 };
            let new = || MmdSw::new(&p, &q, kernel, plan).unwrap().with_redraw(redraw);
            let work = |mmd: MmdSw<'_, f64>| {
                let mut mmd = mmd;
                let mut found = steps(&mut mmd, &p);
                let estimate = mmd.mmd2_estimate(&p, 0);
                found.extend([estimate.value, mmd.typical_distance(&p, Base::Sw1)]);
                // Errors come from other batches than those of a single process: of the same size, not the same bits.
                assert!(estimate.standard_error > 0.0);
                found
            };
            let on = |ranks| on_ranks(ranks, |backend| work(new().with_backend(backend).unwrap()));
            let one = on(1).remove(0);
            for ranks in [2, 3, 19, 40] {
                assert!(
                    on(ranks).iter().all(|found| *found == one),
                    "{slicing:?}, {redraw:?}, {ranks} ranks"
                );
            }
            // And but for rounding and the batches of the error, those of a run without them.
            let mut alone = work(new());
            let mut one = one;
            let errors = [1, 3 + p.points().len() + p.sample_count()];
            for values in [&mut alone, &mut one] {
                errors.iter().for_each(|&at| values[at] = 0.0);
            }
            assert_close(&alone, &one);
        }
    }
}
