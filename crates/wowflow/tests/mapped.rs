//! Functionals of features: velocities against central differences, and the MMD they are without a map.

use wowflow::directions::Slicing;
use wowflow::functional::{
    BatchEstimator, Chain, FeatureMap, Functional, Identity, MappedMmd, MeanMatching, MiniBatches, MmdSw,
    SlicingPlan, Spread,
};
use wowflow::kernel::{Kernel, Riesz};
use wowflow::measure::MeasureOverMeasures;
use wowflow::rng::{Purpose, Stream};

const DIM: usize = 4;

fn noise(step: u64, len: usize) -> Vec<f64> {
    let mut values = vec![0.0; len];
    Stream::new(13, Purpose::Test, step).normals(0, &mut values);
    values
}

fn measure(sizes: &[usize], step: u64, shift: f64) -> MeasureOverMeasures<f64> {
    let points = noise(step, sizes.iter().sum::<usize>() * DIM).iter().map(|x| x + shift).collect();
    MeasureOverMeasures::uniform(points, DIM, sizes).unwrap()
}

/// `sin(W x)` with a matrix of its own for every draw, 3 features.
#[derive(Clone, Debug, Default)]
struct Waves {
    weights: Vec<f64>,
    points: Vec<f64>,
    dim: usize,
}

impl FeatureMap<f64> for Waves {
    fn feature_dim(&self, _dim: usize) -> usize {
        3
    }

    fn draw(&mut self, draw: u64) {
        self.weights = noise(1000 + draw, 3 * DIM);
    }

    fn forward(&mut self, points: &[f64], dim: usize) -> Vec<f64> {
        (self.points, self.dim) = (points.to_vec(), dim);
        let angle = |x: &[f64], row: &[f64]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        let rows = || self.weights.chunks(DIM);
        points.chunks(dim).flat_map(|x| rows().map(move |row| angle(x, row).sin())).collect()
    }

    fn backward(&mut self, cotangents: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.points.len()];
        for ((x, out), c) in self.points.chunks(DIM).zip(out.chunks_mut(DIM)).zip(cotangents.chunks(3)) {
            for (row, c) in self.weights.chunks(DIM).zip(c) {
                let angle: f64 = row.iter().zip(x).map(|(w, x)| w * x).sum();
                out.iter_mut().zip(row).for_each(|(o, w)| *o += c * angle.cos() * w);
            }
        }
        out
    }
}

fn check_velocity(functional: &mut impl Functional<f64>, at: &MeasureOverMeasures<f64>) {
    let mut velocity = vec![0.0; at.points().len()];
    functional.evaluate(at, 5, &mut velocity);
    let (masses, mut unused) = (at.sample_masses(), velocity.clone());
    for draw in 0..5 {
        let along = noise(50 + draw, velocity.len());
        let mut value = |by: f64| {
            let mut moved = at.clone();
            moved.points_mut().iter_mut().zip(&along).for_each(|(x, a)| *x += by * a);
            functional.evaluate(&moved, 5, &mut unused).value
        };
        let h = 1e-6;
        let expected = (value(h) - value(-h)) / (2.0 * h);
        let found: f64 = (0..velocity.len()).map(|k| masses[k / DIM] * velocity[k] * along[k]).sum();
        assert!((found - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{found} {expected}");
    }
}

fn kernel() -> Kernel {
    Riesz::new(1.0, 0.0).unwrap().into()
}

fn plan(count: usize) -> SlicingPlan {
    SlicingPlan { slicing: Slicing::Gaussian, count, seed: 3 }
}

#[test]
fn velocities_through_maps_are_gradients() {
    let (p, q) = (measure(&[3, 1, 2], 1, 0.0), measure(&[5, 4, 6], 2, 1.0));
    // Debiased batches hold forces back where they cannot tell classes apart: they are compared below.
    for batches in [None, Some(MiniBatches { size: 4, estimator: BatchEstimator::Plain })] {
        let mut mmd =
            MappedMmd::new(&p, &q, kernel(), plan(20), (batches, Spread::Kept), Waves::default()).unwrap();
        check_velocity(&mut mmd, &p);
    }
    let chain = Chain(Identity, Waves::default());
    let mut mmd = MappedMmd::new(&p, &q, kernel(), plan(20), (None, Spread::Removed), chain).unwrap();
    check_velocity(&mut mmd, &p);
    let batches = Some(MiniBatches { size: 4, estimator: BatchEstimator::Plain });
    let mut means = MeanMatching::new(&p, &q, batches, Waves::default(), 1).unwrap();
    check_velocity(&mut means, &p);
}

#[test]
fn without_a_map_it_is_the_mmd() {
    let (p, q) = (measure(&[3, 1, 2], 1, 0.0), measure(&[5, 4], 2, 1.0));
    let batches = MiniBatches { size: 3, estimator: BatchEstimator::Debiased };
    let mut mapped =
        MappedMmd::new(&p, &q, kernel(), plan(30), (Some(batches), Spread::Kept), Identity).unwrap();
    let mut plain = MmdSw::new(&p, &q, kernel(), plan(30)).unwrap().with_batches(&p, batches).unwrap();
    let (mut u, mut v) = (vec![0.0; p.points().len()], vec![0.0; p.points().len()]);
    let (a, b) = (mapped.evaluate(&p, 7, &mut u), plain.evaluate(&p, 7, &mut v));
    assert_eq!((a, &u), (b, &v));
    assert_eq!(mapped.curvatures(), plain.curvatures());
}

#[test]
fn removed_spread_compares_with_conditional_means() {
    // One atom a class: all of a class but its mean is spread.
    let (p, q) = (measure(&[1, 1], 1, 0.0), measure(&[6, 4], 2, 1.0));
    let means: Vec<f64> = (0..2)
        .flat_map(|c| {
            let rows = q.class_points(c);
            let size = q.class_size(c) as f64;
            (0..DIM).map(move |k| rows.chunks(DIM).map(|x| x[k]).sum::<f64>() / size).collect::<Vec<_>>()
        })
        .collect();
    let of_means = MeasureOverMeasures::uniform(means, DIM, &[1, 1]).unwrap();
    let mut removed = MmdSw::new(&p, &q, kernel(), plan(40)).unwrap().with_spread(Spread::Removed).unwrap();
    let mut expected = MmdSw::new(&p, &of_means, kernel(), plan(40)).unwrap();
    let (mut u, mut v) = (vec![0.0; 2 * DIM], vec![0.0; 2 * DIM]);
    removed.evaluate(&p, 0, &mut u);
    expected.evaluate(&p, 0, &mut v);
    for (u, v) in u.iter().zip(&v) {
        assert!((u - v).abs() < 1e-12, "{u} {v}");
    }
    // Unequal and weighted sources too, against differences.
    let points = noise(9, 6 * DIM);
    let weights = [1.0, 2.0, 3.0, 1.0, 1.0, 4.0];
    let p = MeasureOverMeasures::new(points, DIM, &[3, 2, 1], Some(&weights), None).unwrap();
    let mut removed = MmdSw::new(&p, &q, kernel(), plan(40)).unwrap().with_spread(Spread::Removed).unwrap();
    check_velocity(&mut removed, &p);
}
