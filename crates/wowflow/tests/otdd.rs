//! OTDD against its definition, with every label distance and solver.

use proptest::prelude::*;
use wowflow::compare::otdd::{
    Bias, KeepCoupling, LabelDistance, OtddError, OtddSettings, OuterSolver, SampleCoupling, SlicedScale,
    Solver, otdd, otdd_pow,
};
use wowflow::directions::{Directions, Slicing};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::bures::{self, Gaussian};
use wowflow::ot::entropic::SinkhornSettings;
use wowflow::ot::exact::{CostMatrix, solve, squared_euclidean, w2_pow};
use wowflow::ot::sliced::sw_pow;
use wowflow::ot::wow::wow2;
use wowflow::rng::{Purpose, Stream};

fn noise(len: usize, step: u64) -> Vec<f64> {
    let mut values = vec![0.0; len];
    Stream::new(61, Purpose::Test, step).normals(0, &mut values);
    values
}

fn weights(len: usize, step: u64) -> Vec<f64> {
    let stream = Stream::new(62, Purpose::Test, step);
    (0..len as u64).map(|i| stream.uniform(i) + 0.05).collect()
}

fn dataset(sizes: &[usize], dim: usize, step: u64) -> MeasureOverMeasures<f64> {
    let samples: usize = sizes.iter().sum();
    let (inner, outer) = (weights(samples, step), weights(sizes.len(), step + 1));
    MeasureOverMeasures::new(noise(samples * dim, step), dim, sizes, Some(&inner), Some(&outer)).unwrap()
}

const SLICED: LabelDistance =
    LabelDistance::Sliced { slicing: Slicing::Gaussian, count: 50, seed: 3, scale: SlicedScale::Plain };
const LABELS: [LabelDistance; 4] =
    [LabelDistance::Exact, LabelDistance::Gaussian { ddof: 0 }, LabelDistance::Gaussian { ddof: 1 }, SLICED];

fn tight(epsilon: f64) -> SinkhornSettings {
    SinkhornSettings { tolerance: 1e-12, ..SinkhornSettings::new(epsilon) }
}

fn debiased(epsilon: f64) -> OuterSolver {
    OuterSolver::Entropic { settings: tight(epsilon), bias: Bias::Removed }
}

/// Label distances by their definition.
fn label_distance(
    labels: LabelDistance,
    (p, c): (&MeasureOverMeasures<f64>, usize),
    (q, d): (&MeasureOverMeasures<f64>, usize),
) -> f64 {
    let (x, a, y, b) = (p.class_points(c), p.class_weights(c), q.class_points(d), q.class_weights(d));
    match labels {
        LabelDistance::Exact => w2_pow(x, a, y, b, p.dim()).unwrap(),
        LabelDistance::Gaussian { ddof } => {
            let of = |x, a| Gaussian::from_samples(x, a, p.dim(), ddof).unwrap();
            bures::w2_pow(&of(x, a), &of(y, b)).unwrap()
        }
        LabelDistance::Sliced { slicing, count, seed, .. } => {
            let directions = Directions::draw(slicing, count, p.dim(), seed, 0).unwrap();
            sw_pow(x, a, y, b, &directions, 2.0).value
        }
    }
}

/// The ground costs and masses by their definition.
fn problem(
    labels: LabelDistance,
    p: &MeasureOverMeasures<f64>,
    q: &MeasureOverMeasures<f64>,
) -> (CostMatrix, Vec<f64>, Vec<f64>) {
    let flat = |data: &MeasureOverMeasures<f64>| -> Vec<(usize, f64)> {
        let class = |c: usize| {
            let uniform = vec![1.0 / data.class_size(c) as f64; data.class_size(c)];
            let weights = data.class_weights(c).map_or(uniform, <[f64]>::to_vec);
            let outer = data.outer_weights()[c];
            weights.into_iter().map(move |w| (c, w * outer)).collect::<Vec<_>>()
        };
        (0..data.class_count()).flat_map(class).collect()
    };
    let (left, right) = (flat(p), flat(q));
    let points = squared_euclidean(p.points(), q.points(), p.dim()).unwrap();
    let values = (0..left.len() * right.len())
        .map(|k| {
            let (i, j) = (k / right.len(), k % right.len());
            points.get(i, j) + label_distance(labels, (p, left[i].0), (q, right[j].0))
        })
        .collect();
    let cost = CostMatrix::new(left.len(), right.len(), values).unwrap();
    let mass = |side: Vec<(usize, f64)>| side.into_iter().map(|(_, mass)| mass).collect();
    (cost, mass(left), mass(right))
}

#[test]
fn every_label_distance_gives_the_transport_of_its_definition() {
    let (p, q) = (dataset(&[7, 1, 12], 3, 1), dataset(&[9, 6], 3, 5));
    for labels in LABELS {
        let (cost, a, b) = problem(labels, &p, &q);
        let exact = solve(&cost, Some(&a), Some(&b)).unwrap();
        let settings = OtddSettings { labels, coupling: KeepCoupling::Yes, ..OtddSettings::default() };
        let found = otdd_pow(&p, &q, &settings).unwrap();
        assert!((found.value - exact.value).abs() < 1e-11, "{labels:?}");
        assert!(found.gap() < 1e-12 && matches!(found.solver, Solver::Exact(_)));
        assert!((found.root() - otdd(&p, &q, &settings).unwrap()).abs() == 0.0);
        let Some(SampleCoupling::Sparse(coupling)) = &found.coupling else { panic!("no coupling") };
        assert!((coupling.cost(&cost) - exact.value).abs() < 1e-11);
        for c in 0..3 {
            for d in 0..2 {
                let expected = label_distance(labels, (&p, c), (&q, d));
                assert!((found.label_costs.get(c, d) - expected).abs() < 1e-11);
            }
        }
        let outer = OuterSolver::Entropic { settings: tight(0.5), bias: Bias::Kept };
        let soft = otdd_pow(&p, &q, &OtddSettings { outer, ..settings }).unwrap();
        let expected = wowflow::ot::entropic::sinkhorn(&cost, Some(&a), Some(&b), &tight(0.5)).unwrap();
        assert!((soft.value - expected.value).abs() < 1e-9 && soft.value > exact.value);
        assert_eq!(soft.solver, Solver::Sinkhorn { converged: true });
        assert!(soft.lower <= expected.value + 1e-10 && soft.upper >= expected.value - 1e-10);
        let Some(SampleCoupling::Dense(plan)) = soft.coupling else { panic!("no coupling") };
        let expected = expected.plan(&cost).unwrap();
        assert!(plan.iter().zip(expected).all(|(p, q)| (p - q).abs() < 1e-10));
    }
}

#[test]
fn the_debiased_value_takes_each_datasets_own_label_distances_off() {
    let (p, q) = (dataset(&[6, 4], 2, 1), dataset(&[5, 3, 2], 2, 5));
    for labels in LABELS {
        let value = |p: &MeasureOverMeasures<f64>, q: &MeasureOverMeasures<f64>| {
            let (cost, a, b) = problem(labels, p, q);
            wowflow::ot::entropic::sinkhorn(&cost, Some(&a), Some(&b), &tight(0.7)).unwrap().value
        };
        let expected = value(&p, &q) - 0.5 * (value(&p, &p) + value(&q, &q));
        let settings = OtddSettings { labels, outer: debiased(0.7), ..OtddSettings::default() };
        let found = otdd_pow(&p, &q, &settings).unwrap();
        assert!((found.value - expected).abs() < 1e-8, "{labels:?}: {} and {expected}", found.value);
        assert!(found.lower <= found.value && found.value <= found.upper && found.gap() < 1e-9);
    }
}

#[test]
fn a_translation_costs_twice_its_square_whatever_the_solver() {
    let p = dataset(&[7, 1, 5], 2, 1);
    let moved: Vec<f64> = p.points().iter().enumerate().map(|(k, v)| v + [3.0, -1.0][k % 2]).collect();
    let inner: Vec<f64> =
        (0..3).flat_map(|c| p.class_weights(c).map_or(vec![1.0], <[f64]>::to_vec)).collect();
    let q = MeasureOverMeasures::new(moved, 2, &[7, 1, 5], Some(&inner), Some(p.outer_weights())).unwrap();
    for outer in [OuterSolver::Exact, debiased(5.0)] {
        for labels in [LabelDistance::Exact, LabelDistance::Gaussian { ddof: 0 }] {
            let found = otdd_pow(&p, &q, &OtddSettings { labels, outer, ..OtddSettings::default() }).unwrap();
            assert!((found.value - 20.0).abs() < 1e-8, "{outer:?} {labels:?}: {}", found.value);
        }
    }
    let scaled = |scale| {
        let labels = LabelDistance::Sliced { slicing: Slicing::Equispaced, count: 64, seed: 1, scale };
        otdd_pow(&p, &q, &OtddSettings { labels, ..OtddSettings::default() }).unwrap().value
    };
    assert!((scaled(SlicedScale::Plain) - 15.0).abs() < 1e-9);
    assert!((scaled(SlicedScale::Dimension) - 20.0).abs() < 1e-9);
}

#[test]
fn single_precision_classes_without_weight_and_other_dimensions() {
    let samples: Vec<f32> = noise(12, 1).iter().map(|v| *v as f32).collect();
    let p = MeasureOverMeasures::new(samples.clone(), 2, &[3, 3], None, Some(&[1.0, 0.0])).unwrap();
    let q = MeasureOverMeasures::uniform(samples, 2, &[2, 4]).unwrap();
    for labels in LABELS {
        for outer in [OuterSolver::Exact, debiased(0.5)] {
            let found = otdd_pow(&p, &q, &OtddSettings { labels, outer, ..OtddSettings::default() }).unwrap();
            assert!(found.value.is_finite() && found.value > 0.0, "{labels:?} {outer:?}");
        }
    }
    let other = MeasureOverMeasures::uniform(vec![0.0f32; 3], 3, &[1]).unwrap();
    let error = otdd_pow(&p, &other, &OtddSettings::default()).unwrap_err();
    assert_eq!(error, OtddError::DimensionMismatch { left: 2, right: 3 });
    let outer = debiased(-1.0);
    assert!(matches!(
        otdd_pow(&p, &q, &OtddSettings { outer, ..OtddSettings::default() }),
        Err(OtddError::Entropic(_))
    ));
}

#[test]
fn equal_samples_in_other_classes_are_another_dataset() {
    let points = noise(12, 3);
    let p = MeasureOverMeasures::uniform(points.clone(), 2, &[3, 3]).unwrap();
    let outer = [2.0 / 6.0, 4.0 / 6.0];
    let q = MeasureOverMeasures::new(points, 2, &[2, 4], None, Some(&outer)).unwrap();
    for outer in [OuterSolver::Exact, debiased(1.0)] {
        let settings = OtddSettings { outer, ..OtddSettings::default() };
        assert!(otdd_pow(&p, &q, &settings).unwrap().value > 1e-3, "{outer:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn distances_are_symmetric_0_at_home_and_above_twice_nothing(
        first in prop::collection::vec(1usize..6, 1..4),
        second in prop::collection::vec(1usize..6, 1..4),
        step in 0u64..1000,
    ) {
        let (p, q) = (dataset(&first, 2, step), dataset(&second, 2, step + 7));
        for labels in LABELS {
            for outer in [OuterSolver::Exact, debiased(0.5)] {
                let settings = OtddSettings { labels, outer, ..OtddSettings::default() };
                let scale = otdd_pow(&p, &q, &settings).unwrap().value;
                let turned = otdd_pow(&q, &p, &settings).unwrap().value;
                prop_assert!((scale - turned).abs() <= 1e-9 * (1.0 + scale), "{} and {}", scale, turned);
                let own = otdd_pow(&p, &p, &settings).unwrap().value;
                prop_assert!(own.abs() <= 1e-12 * (1.0 + scale), "{:?} {:?}: {}", labels, outer, own);
            }
        }
        // Pooled transport and transport of labels are both at most what pays for both.
        let whole = otdd_pow(&p, &q, &OtddSettings::default()).unwrap().value;
        let wow = wow2(&p, &q).unwrap();
        prop_assert!(whole >= wow * wow - 1e-9);
    }
}
