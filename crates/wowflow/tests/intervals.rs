//! Intervals cover the truth as often as they say, over simulated repetitions.

use rayon::prelude::*;
use wowflow::compare::otdd::{LabelDistance, OtddSettings, SlicedScale, otdd_pow};
use wowflow::directions::{Directions, Slicing};
use wowflow::functional::{MmdSw, SlicingPlan};
use wowflow::kernel::{Gaussian, Kernel, Riesz};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::sliced::sw_pow;
use wowflow::rng::{Purpose, Stream};

const REPETITIONS: u64 = 2000;
const DIM: usize = 5;

fn dataset(sizes: &[usize], step: u64) -> MeasureOverMeasures<f64> {
    let mut points = vec![0.0; sizes.iter().sum::<usize>() * DIM];
    Stream::new(17, Purpose::Test, step).normals(0, &mut points);
    // Classes apart from each other, and shaped differently along the axes.
    for (i, x) in points.iter_mut().enumerate() {
        *x = *x * (1.0 + (i % DIM) as f64) + step as f64 * ((i / DIM) % 3) as f64;
    }
    MeasureOverMeasures::uniform(points, DIM, sizes).unwrap()
}

fn share(covered: impl Fn(u64) -> bool + Sync) -> f64 {
    (0..REPETITIONS).into_par_iter().filter(|seed| covered(*seed)).count() as f64 / REPETITIONS as f64
}

#[test]
fn sliced_distances() {
    let (p, q) = (dataset(&[12], 1), dataset(&[9], 2));
    let along = |count: usize, seed: u64| {
        let thetas = Directions::<f64>::draw(Slicing::Gaussian, count, DIM, seed, 0).unwrap();
        sw_pow(p.points(), None, q.points(), None, &thetas, 2.0)
    };
    let truth = along(400_000, 1_000_000).value;
    let inside = |(low, high): (f64, f64), truth: f64| low < truth && truth < high;
    let pow = share(|seed| inside(along(300, seed).estimate().interval(0.95), truth));
    let root = share(|seed| inside(along(300, seed).root_estimate(2.0).interval(0.95), truth.sqrt()));
    assert!((0.93..=0.97).contains(&pow), "SW_2^2: {pow}");
    assert!((0.93..=0.97).contains(&root), "SW_2: {root}");
}

#[test]
fn squared_mmd() {
    let (p, q) = (dataset(&[6, 5, 6], 1), dataset(&[7, 5], 2));
    for kernel in [Kernel::from(Riesz::new(1.0, 0.0).unwrap()), Kernel::from(Gaussian::new(20.0).unwrap())] {
        let estimate = |count: usize, seed: u64| {
            let plan = SlicingPlan { slicing: Slicing::Gaussian, count, seed };
            MmdSw::new(&p, &q, kernel, plan).unwrap().mmd2_estimate(&p, 0)
        };
        let truth = estimate(400_000, 1_000_000).value;
        let covered = share(|seed| {
            let (low, high) = estimate(320, seed).interval(0.95);
            low < truth && truth < high
        });
        assert!((0.93..=0.97).contains(&covered), "MMD^2, {kernel:?}: {covered}");
        // Orthogonal directions promise too little rather than too much.
        let orthogonal = share(|seed| {
            let plan = SlicingPlan { slicing: Slicing::Orthonormal, count: 320, seed };
            let (low, high) = MmdSw::new(&p, &q, kernel, plan).unwrap().mmd2_estimate(&p, 0).interval(0.95);
            low < truth && truth < high
        });
        assert!(orthogonal >= 0.93, "MMD^2 on orthonormal directions, {kernel:?}: {orthogonal}");
        println!("{kernel:?}: {covered} {orthogonal}");
    }
}

#[test]
fn otdd_with_sliced_label_distances() {
    let (p, q) = (dataset(&[6, 5, 6], 1), dataset(&[7, 5], 2));
    let estimate = |count: usize, seed: u64| {
        let (slicing, scale) = (Slicing::Gaussian, SlicedScale::Dimension);
        let labels = LabelDistance::Sliced { slicing, count, seed, scale };
        let found = otdd_pow(&p, &q, &OtddSettings { labels, ..OtddSettings::default() }).unwrap();
        let slices = found.slices.expect("sliced label distances");
        assert_eq!(slices.value, found.value);
        slices
    };
    let truth = estimate(400_000, 1_000_000).value;
    let covered = share(|seed| {
        let (low, high) = estimate(320, seed).interval(0.95);
        low < truth && truth < high
    });
    assert!((0.93..=0.97).contains(&covered), "{covered}");
    let exact = otdd_pow(&p, &q, &OtddSettings::default()).unwrap();
    assert_eq!(exact.slices, None);
}
