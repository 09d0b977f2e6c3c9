//! Functionals of features: velocities against central differences, and the MMD they are without a map.

use wowflow::directions::Slicing;
use wowflow::functional::{
    BatchEstimator, Chain, FeatureMap, Functional, FunctionalError, Identity, MappedMmd, MatchedSw,
    MeanMatching, MiniBatches, MmdSw, SlicingPlan, TargetView, WithinAtomVariance,
};
use wowflow::kernel::{Kernel, Laplace, Riesz};
use wowflow::measure::MeasureOverMeasures;
use wowflow::rng::{Purpose, Stream};

const DIM: usize = 4;

/// The target without the variance within atoms.
fn excluded() -> TargetView {
    TargetView { within_atoms: WithinAtomVariance::Excluded, ..TargetView::default() }
}

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
        let mut mmd = MappedMmd::new(
            &p,
            &q,
            kernel(),
            plan(20),
            TargetView { batches, ..TargetView::default() },
            Waves::default(),
        )
        .unwrap();
        check_velocity(&mut mmd, &p);
    }
    let chain = Chain(Identity, Waves::default());
    let mut mmd = MappedMmd::new(&p, &q, kernel(), plan(20), excluded(), chain).unwrap();
    check_velocity(&mut mmd, &p);
    for batch in [None, Some(4), Some(9)] {
        let mut means = MeanMatching::new(&p, &q, batch, Waves::default(), 1).unwrap();
        check_velocity(&mut means, &p);
    }
    let weights: Vec<f64> = (0..15).map(|i| f64::from(i % 4)).collect();
    let q = MeasureOverMeasures::new(q.points().to_vec(), DIM, &[5, 4, 6], Some(&weights), None).unwrap();
    for batch in [None, Some(4)] {
        let mut means = MeanMatching::new(&p, &q, batch, Waves::default(), 1).unwrap();
        check_velocity(&mut means, &p);
    }
}

#[test]
fn without_a_map_it_is_the_mmd() {
    let (p, q) = (measure(&[3, 1, 2], 1, 0.0), measure(&[5, 4], 2, 1.0));
    let batches = MiniBatches { size: 3, estimator: BatchEstimator::Debiased };
    let mut mapped = MappedMmd::new(
        &p,
        &q,
        kernel(),
        plan(30),
        TargetView { batches: Some(batches), ..TargetView::default() },
        Identity,
    )
    .unwrap();
    let mut plain = MmdSw::new(&p, &q, kernel(), plan(30)).unwrap().with_batches(&p, batches).unwrap();
    let (mut u, mut v) = (vec![0.0; p.points().len()], vec![0.0; p.points().len()]);
    let (a, b) = (mapped.evaluate(&p, 7, &mut u), plain.evaluate(&p, 7, &mut v));
    assert_eq!((a, &u), (b, &v));
    for (mapped, plain) in mapped.curvatures().iter().zip(plain.curvatures()) {
        assert!((mapped - plain).abs() < 1e-9 * plain, "{mapped} {plain}");
    }
}

/// Coordinate `k` times `k + 1`.
#[derive(Clone, Copy, Debug)]
struct Stretched;

impl FeatureMap<f64> for Stretched {
    fn feature_dim(&self, dim: usize) -> usize {
        dim
    }

    fn draw(&mut self, _draw: u64) {}

    fn forward(&mut self, points: &[f64], dim: usize) -> Vec<f64> {
        points.iter().enumerate().map(|(k, x)| (k % dim + 1) as f64 * x).collect()
    }

    fn backward(&mut self, cotangents: &[f64]) -> Vec<f64> {
        self.forward(cotangents, DIM)
    }
}

#[test]
fn curvatures_are_those_of_features_as_far_as_the_map_stretches() {
    let (p, q) = (measure(&[3, 1, 2], 1, 0.0), measure(&[5, 4], 2, 1.0));
    let mut mapped = MappedMmd::new(&p, &q, kernel(), plan(30), TargetView::default(), Stretched).unwrap();
    let of = |measure: &MeasureOverMeasures<f64>| {
        measure.with_points(Stretched.forward(measure.points(), DIM), DIM).unwrap()
    };
    let (p_features, q_features) = (of(&p), of(&q));
    let mut plain = MmdSw::new(&p_features, &q_features, kernel(), plan(30)).unwrap();
    let (mut u, mut v) = (vec![0.0; p.points().len()], vec![0.0; p.points().len()]);
    mapped.evaluate(&p, 0, &mut u);
    plain.evaluate(&p_features, 0, &mut v);
    assert_eq!(Stretched.backward(&v), u);
    let square = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>();
    let rows = u.chunks(DIM).zip(mapped.curvatures().iter().zip(plain.curvatures()));
    for (v, (mapped, plain)) in rows {
        let expected = plain * square(&Stretched.forward(v, DIM)) / square(v);
        assert!((mapped - expected).abs() < 1e-9 * expected, "{mapped} {expected}");
    }
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let (p, q) = (measure(&[1, 1], 1, 0.0), measure(&[6, 4], 2, 1.0));
    let debiased = MiniBatches { size: 3, estimator: BatchEstimator::Debiased };
    let laplace = Kernel::from(Laplace::new(1.0).unwrap());
    let mmd = |kernel| MmdSw::new(&p, &q, kernel, plan(10)).unwrap();
    let refused = |mmd: Result<MmdSw<'_, f64>, FunctionalError>| mmd.unwrap_err();
    assert_eq!(
        refused(mmd(laplace).with_within_atom_variance(WithinAtomVariance::Excluded)),
        FunctionalError::VarianceOfSw1
    );
    let removed = mmd(kernel()).with_within_atom_variance(WithinAtomVariance::Excluded).unwrap();
    assert_eq!(refused(removed.with_batches(&p, debiased)), FunctionalError::VarianceOfBatches);
    let mapped = |kernel, view| MappedMmd::new(&p, &q, kernel, plan(10), view, Identity).unwrap_err();
    assert_eq!(mapped(laplace, excluded()), FunctionalError::VarianceOfSw1);
    assert_eq!(
        mapped(laplace, TargetView { batches: Some(debiased), ..TargetView::default() }),
        FunctionalError::NotHilbertian
    );
    assert_eq!(
        mapped(kernel(), TargetView { batches: Some(debiased), ..excluded() }),
        FunctionalError::VarianceOfBatches
    );
    // Another order is no way around: the later option takes the batches back.
    let mut late = mmd(kernel())
        .with_batches(&p, debiased)
        .unwrap()
        .with_within_atom_variance(WithinAtomVariance::Excluded)
        .unwrap();
    let mut early = mmd(kernel()).with_within_atom_variance(WithinAtomVariance::Excluded).unwrap();
    let (mut u, mut v) = (vec![0.0; p.points().len()], vec![0.0; p.points().len()]);
    assert_eq!((late.evaluate(&p, 3, &mut u), u), (early.evaluate(&p, 3, &mut v), v));
}

#[test]
fn excluded_variance_compares_with_conditional_means() {
    // One atom a class: all of a class but its mean is variance.
    let (p, q) = (measure(&[1, 1], 1, 0.0), measure(&[6, 4], 2, 1.0));
    let means: Vec<f64> = (0..2)
        .flat_map(|c| {
            let rows = q.class_points(c);
            let size = q.class_size(c) as f64;
            (0..DIM).map(move |k| rows.chunks(DIM).map(|x| x[k]).sum::<f64>() / size).collect::<Vec<_>>()
        })
        .collect();
    let of_means = MeasureOverMeasures::uniform(means, DIM, &[1, 1]).unwrap();
    let mut removed = MmdSw::new(&p, &q, kernel(), plan(40))
        .unwrap()
        .with_within_atom_variance(WithinAtomVariance::Excluded)
        .unwrap();
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
    let mut removed = MmdSw::new(&p, &q, kernel(), plan(40))
        .unwrap()
        .with_within_atom_variance(WithinAtomVariance::Excluded)
        .unwrap();
    check_velocity(&mut removed, &p);
}

#[test]
fn matched_distances_have_their_gradient_and_match_means_of_single_samples() {
    let (p, q) = (measure(&[3, 1, 2], 1, 0.0), measure(&[5, 4, 6], 2, 1.0));
    for batch in [None, Some(4)] {
        let mut matched = MatchedSw::new(&p, &q, plan(20), batch, Waves::default()).unwrap();
        check_velocity(&mut matched, &p);
    }
    // Along orthonormal directions of the whole space, one sample a class: 1/d of the way to the mean.
    let single = measure(&[1, 1, 1], 3, 0.0);
    let all = SlicingPlan { slicing: Slicing::Orthonormal, count: DIM, seed: 3 };
    let mut matched = MatchedSw::new(&single, &q, all, None, Identity).unwrap();
    let mut velocity = vec![0.0; 3 * DIM];
    matched.evaluate(&single, 0, &mut velocity);
    for class in 0..3 {
        for k in 0..DIM {
            let size = q.class_size(class) as f64;
            let mean = q.class_points(class).chunks(DIM).map(|x| x[k]).sum::<f64>() / size;
            let expected = (single.class_points(class)[k] - mean) / DIM as f64;
            assert!((velocity[class * DIM + k] - expected).abs() < 1e-12);
        }
    }
    assert!(MatchedSw::new(&p, &measure(&[2, 2], 4, 0.0), plan(20), None, Identity).is_err());
}
