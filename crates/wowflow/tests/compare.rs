//! What every distance between datasets promises: zero, symmetry, the triangle inequality, invariances, bits.

use proptest::prelude::*;
use wowflow::compare::{
    Busemann, Certainty, CompareError, Comparison, DoubleSliced, Hipm, Inner, Method, Mmd, OtddMethod,
    PooledSliced, Process, Rays, SlicedOtdd, Slices, compare,
};
use wowflow::directions::Slicing;
use wowflow::kernel::{
    Gaussian, InverseMultiquadric, Kernel, KernelError, KernelName, KernelSettings, Laplace, Riesz,
};
use wowflow::measure::MeasureOverMeasures;
use wowflow::rng::{Purpose, Stream};

type Measure = MeasureOverMeasures<f64>;

const SEED: u64 = 5;

fn slices() -> Slices {
    Slices::new(Slicing::Gaussian, 12).unwrap()
}

fn exact() -> Vec<Method> {
    vec![
        Method::Wow(Inner::Exact),
        Method::Wow(Inner::Gaussian),
        Method::Otdd(OtddMethod::new(Inner::Exact, None).unwrap()),
        Method::PooledW2,
    ]
}

/// Distances on fixed slices that satisfy the triangle inequality.
fn sliced_metrics() -> Vec<Method> {
    let kernels: [Kernel; 4] = [
        Riesz::new(1.0, 0.0).unwrap().into(),
        Gaussian::new(2.0).unwrap().into(),
        Laplace::new(1.5).unwrap().into(),
        InverseMultiquadric::new(1.0).unwrap().into(),
    ];
    let smooth = Process::SquaredExponential { length: 0.2 };
    let mut methods = vec![
        Method::Wow(Inner::Sliced(slices())),
        Method::PooledSliced(PooledSliced::new(slices(), 1.0).unwrap()),
        Method::PooledSliced(PooledSliced::new(slices(), 2.0).unwrap()),
        Method::SlicedOtdd(SlicedOtdd::new(slices(), SlicedOtdd::MOMENTS, 2.0).unwrap()),
        Method::SlicedOtdd(SlicedOtdd::new(slices(), 2, 1.5).unwrap()),
        Method::Busemann(Busemann::new(slices(), Rays::Gaussian1d, 2.0).unwrap()),
        Method::Busemann(Busemann::new(slices(), Rays::Gaussian, 2.0).unwrap()),
        Method::DoubleSliced(DoubleSliced::new(slices(), Process::Brownian, 3).unwrap()),
        Method::DoubleSliced(DoubleSliced::new(slices(), smooth, 2).unwrap()),
    ];
    methods.extend(kernels.map(|kernel| Method::Mmd(Mmd::new(slices(), kernel).unwrap())));
    methods
}

fn metrics() -> Vec<Method> {
    [exact(), sliced_metrics()].concat()
}

fn measured(p: &Measure, q: &Measure, method: &Method) -> Comparison {
    compare(p, q, method, SEED).unwrap()
}

/// How far apart powers may lie that are equal but for rounding.
fn close(one: &Comparison, other: &Comparison, scale: f64) -> bool {
    (one.power - other.power).abs() <= 1e-11 * (1.0 + scale)
}

fn scale(p: &Measure) -> f64 {
    p.points().iter().map(|v| v * v).fold(0.0, f64::max).powi(2)
}

/// Small datasets of the plane with ties, classes of one sample, weights and zero weights.
fn dataset() -> impl Strategy<Value = Measure> {
    let class = prop::collection::vec((-4i32..5, -4i32..5, 0u32..4), 1..5);
    (prop::collection::vec((class, 0u32..4), 1..5), any::<bool>()).prop_filter_map(
        "no mass",
        |(classes, weighted)| {
            let sizes: Vec<usize> = classes.iter().map(|(class, _)| class.len()).collect();
            let samples = classes.iter().flat_map(|(class, _)| class);
            let points =
                samples.clone().flat_map(|&(x, y, _)| [f64::from(x) / 2.0, f64::from(y) / 3.0]).collect();
            if !weighted {
                return Measure::uniform(points, 2, &sizes).ok();
            }
            let inner: Vec<f64> = samples.map(|&(_, _, w)| f64::from(w)).collect();
            let outer: Vec<f64> = classes.iter().map(|&(_, w)| f64::from(w)).collect();
            Measure::new(points, 2, &sizes, Some(&inner), Some(&outer)).ok()
        },
    )
}

/// Samples with their weights, and the weight of the class.
type Class = (Vec<(Vec<f64>, f64)>, f64);

/// A dataset taken apart.
fn parts(p: &Measure) -> Vec<Class> {
    let class = |c: usize| {
        let weight = |i: usize| p.class_weights(c).map_or(1.0, |weights| weights[i]);
        let points = p.class_points(c).chunks(p.dim()).enumerate();
        (points.map(|(i, x)| (x.to_vec(), weight(i))).collect(), p.outer_weights()[c])
    };
    (0..p.class_count()).map(class).collect()
}

fn assembled(parts: &[Class], dim: usize) -> Measure {
    let sizes: Vec<usize> = parts.iter().map(|(class, _)| class.len()).collect();
    let samples = || parts.iter().flat_map(|(class, _)| class);
    let points = samples().flat_map(|(x, _)| x.clone()).collect();
    let inner: Vec<f64> = samples().map(|(_, w)| *w).collect();
    let outer: Vec<f64> = parts.iter().map(|(_, w)| *w).collect();
    Measure::new(points, dim, &sizes, Some(&inner), Some(&outer)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_dataset_is_at_distance_zero_from_itself(p in dataset()) {
        for method in exact() {
            let found = measured(&p, &p, &method);
            prop_assert!(found.power.abs() <= 1e-24 * (1.0 + scale(&p)), "{method:?}: {}", found.power);
        }
        for method in sliced_metrics() {
            let found = measured(&p, &p, &method);
            prop_assert!(found.power == 0.0 && found.value == 0.0, "{method:?}: {}", found.power);
        }
    }

    #[test]
    fn both_ways_are_equally_long(p in dataset(), q in dataset()) {
        for method in metrics() {
            let (there, back) = (measured(&p, &q, &method), measured(&q, &p, &method));
            prop_assert!(there.power >= 0.0 && there.value.is_finite());
            prop_assert!((there.value.powf(there.order) - there.power).abs() <= 1e-12 * there.power);
            prop_assert!(close(&there, &back, there.power), "{method:?}: {} {}", there.power, back.power);
        }
    }

    #[test]
    fn a_detour_is_never_shorter(p in dataset(), q in dataset(), r in dataset()) {
        for method in metrics() {
            let value = |a: &Measure, b: &Measure| measured(a, b, &method).value;
            let (direct, detour) = (value(&p, &r), value(&p, &q) + value(&q, &r));
            prop_assert!(direct <= detour * (1.0 + 1e-9) + 1e-6, "{method:?}: {direct} {detour}");
        }
    }

    #[test]
    fn order_and_splitting_change_nothing(p in dataset(), q in dataset()) {
        let mut shuffled = parts(&p);
        shuffled.rotate_left(1);
        shuffled.iter_mut().for_each(|(class, _)| class.reverse());
        // Every sample as two halves; the first class as two classes.
        let mut split = parts(&p);
        for (class, _) in &mut split {
            class.iter_mut().for_each(|(_, weight)| *weight *= 0.5);
            let copies = class.clone();
            class.extend(copies);
        }
        split[0].1 *= 0.5;
        split.push(split[0].clone());
        let (shuffled, split) = (assembled(&shuffled, 2), assembled(&split, 2));
        for method in metrics() {
            let plain = measured(&p, &q, &method);
            for other in [&shuffled, &split] {
                let found = measured(other, &q, &method);
                let scale = plain.power + scale(&p) + scale(&q);
                prop_assert!(close(&plain, &found, scale), "{method:?}: {} {}", plain.power, found.power);
            }
        }
    }

    #[test]
    fn weights_are_copies(p in dataset(), q in dataset(), copies in prop::collection::vec(1usize..4, 30)) {
        let (mut weighted, mut repeated) = (parts(&p), parts(&p));
        let mut copies = copies.iter().cycle();
        for ((weighted, _), (repeated, _)) in weighted.iter_mut().zip(&mut repeated) {
            let uniform = weighted.iter().map(|(x, _)| (x.clone(), *copies.next().unwrap())).collect::<Vec<_>>();
            *weighted = uniform.iter().map(|(x, n)| (x.clone(), *n as f64)).collect();
            *repeated = uniform.iter().flat_map(|(x, n)| vec![(x.clone(), 1.0); *n]).collect();
        }
        let (weighted, repeated) = (assembled(&weighted, 2), assembled(&repeated, 2));
        for method in metrics() {
            let (one, other) = (measured(&weighted, &q, &method), measured(&repeated, &q, &method));
            let scale = one.power + scale(&p) + scale(&q);
            prop_assert!(close(&one, &other, scale), "{method:?}: {} {}", one.power, other.power);
        }
    }

    #[test]
    fn hierarchical_probability_metrics_are_bounded(p in dataset(), q in dataset()) {
        let hipm = Method::Hipm(Hipm::new(slices()));
        let bounds = |a: &Measure, b: &Measure| match measured(a, b, &hipm).certainty {
            Certainty::Bounds { lower, upper } => (lower, upper),
            certainty => panic!("{certainty:?}"),
        };
        prop_assert_eq!(bounds(&p, &p), (0.0, 0.0));
        let ((lower, upper), (back_lower, back_upper)) = (bounds(&p, &q), bounds(&q, &p));
        let rounding = 1e-12 * (1.0 + upper);
        prop_assert!((upper - back_upper).abs() < rounding, "{} {}", upper, back_upper);
        prop_assert!(lower <= upper && back_lower <= upper + rounding);
        // W_1 <= W_2 on both levels.
        prop_assert!(upper <= measured(&p, &q, &Method::Wow(Inner::Exact)).value + rounding);
    }

    #[test]
    fn classes_cost_transport(p in dataset(), q in dataset()) {
        // Couplings of classes and of their samples are couplings of the pooled samples.
        let wow = measured(&p, &q, &Method::Wow(Inner::Exact)).power;
        let pooled = measured(&p, &q, &Method::PooledW2).power;
        prop_assert!(wow >= pooled - 1e-12 * (1.0 + wow), "{wow} {pooled}");
    }
}

fn noise(sizes: &[usize], dim: usize, step: u64) -> Measure {
    let mut points = vec![0.0; sizes.iter().sum::<usize>() * dim];
    Stream::new(41, Purpose::Test, step).normals(0, &mut points);
    Measure::uniform(points, dim, sizes).unwrap()
}

fn automatic() -> [Method; 3] {
    [KernelName::Gaussian, KernelName::Laplace, KernelName::InverseMultiquadric]
        .map(|name| Method::Mmd(Mmd::new(slices(), KernelSettings::of(name)).unwrap()))
}

#[test]
fn what_a_result_carries() {
    let (p, q) = (noise(&[5, 3, 4], 3, 1), noise(&[6, 2], 3, 2));
    for method in metrics() {
        let found = measured(&p, &q, &method);
        assert_eq!((&found.method, found.order), (&method, method.order()));
        match found.certainty {
            Certainty::Exact { gap } => {
                assert!(
                    (0.0..1e-12).contains(&gap)
                        && matches!(method, Method::Wow(_) | Method::Otdd(_) | Method::PooledW2)
                );
            }
            Certainty::Sliced { power, value } => {
                assert_eq!((power.value, value.value), (found.power, found.value));
                assert!(power.standard_error > 0.0 && value.standard_error > 0.0, "{method:?}");
                let (low, high) = value.interval(0.95);
                assert!(low < found.value && found.value < high);
            }
            Certainty::Bounds { .. } | Certainty::Interval { .. } => panic!("{method:?} is not a bound"),
        }
        let shape = found.classes.as_ref().map(|costs| (costs.rows(), costs.cols()));
        assert_eq!(shape.is_some(), matches!(method, Method::Wow(_) | Method::Otdd(_) | Method::Mmd(_)));
        assert!(shape.is_none_or(|shape| shape == (3, 2)));
        if let (Method::Wow(_), Some(coupling), Some(costs)) = (&method, &found.coupling, &found.classes) {
            assert!((coupling.cost(costs) - found.power).abs() < 1e-13);
            let masses = coupling.row_masses();
            assert!(masses.iter().zip(p.outer_weights()).all(|(mass, weight)| (mass - weight).abs() < 1e-14));
        }
    }
    for method in automatic() {
        let found = measured(&p, &q, &method);
        assert!(method.measures_bandwidth() && !found.method.measures_bandwidth());
        // The resolved method says the same again.
        assert_eq!(measured(&p, &q, &found.method), found);
    }
}

#[test]
fn single_precision_agrees_with_double() {
    let (p, q) = (noise(&[40, 21], 6, 3), noise(&[30, 30, 10], 6, 4));
    let narrow = |m: &Measure, sizes: &[usize]| {
        MeasureOverMeasures::uniform(m.points().iter().map(|v| *v as f32).collect(), 6, sizes).unwrap()
    };
    let (p32, q32) = (narrow(&p, &[40, 21]), narrow(&q, &[30, 30, 10]));
    for method in metrics() {
        let (double, single) = (measured(&p, &q, &method), compare(&p32, &q32, &method, SEED).unwrap());
        assert!((double.value - single.value).abs() < 1e-4 * double.value, "{method:?}");
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let p = noise(&[60, 31, 44], 5, 5);
    let inner: Vec<f64> = (0..100).map(|i| f64::from(i % 7)).collect();
    let q = noise(&[50, 50], 5, 6);
    let q = Measure::new(q.points().to_vec(), 5, &[50, 50], Some(&inner), Some(&[1.0, 3.0])).unwrap();
    for method in metrics().into_iter().chain(automatic()).chain([Method::Hipm(Hipm::new(slices()))]) {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| measured(&p, &q, &method))
        };
        let one = run(1);
        assert_eq!(one, run(2), "{method:?}");
        assert_eq!(one, run(3), "{method:?}");
    }
}

#[test]
fn bad_questions_are_refused() {
    let (plane, space) = (noise(&[2], 2, 1), noise(&[2], 3, 2));
    for method in metrics().into_iter().chain([Method::Hipm(Hipm::new(slices()))]) {
        let error = compare(&plane, &space, &method, SEED).unwrap_err();
        assert_eq!(error, CompareError::Dimensions { left: 2, right: 3 });
        assert!(error.to_string().contains("shared space"));
    }
    for method in automatic() {
        let point = Measure::uniform(vec![1.0, 2.0], 2, &[1]).unwrap();
        let error = compare(&point, &point, &method, SEED).unwrap_err();
        assert!(matches!(error, CompareError::Kernel(KernelError::Unmeasured { .. })), "{error}");
    }
    assert!(Slices::standard(4, 0).is_err());
    assert!(SlicedOtdd::new(slices(), 0, 2.0).is_err() && SlicedOtdd::new(slices(), 5, 0.5).is_err());
    assert!(PooledSliced::new(slices(), f64::NAN).is_err());
    assert!(OtddMethod::new(Inner::Exact, Some(0.0)).is_err());
    let riesz = KernelSettings { bandwidth: 1.0.into(), ..KernelSettings::default() };
    assert!(Mmd::new(slices(), riesz).is_err());
    assert!(Busemann::new(slices(), Rays::Gaussian, 0.0).is_err());
    assert!(DoubleSliced::new(slices(), Process::Brownian, 0).is_err());
    assert!(DoubleSliced::new(slices(), Process::SquaredExponential { length: 0.0 }, 1).is_err());
    let equispaced = Slices::new(Slicing::Equispaced, 8).unwrap();
    for method in [
        Method::Wow(Inner::Sliced(equispaced)),
        Method::SlicedOtdd(SlicedOtdd::new(equispaced, 5, 2.0).unwrap()),
    ] {
        assert!(matches!(compare(&space, &space, &method, SEED), Err(CompareError::Directions(_))));
    }
}

#[test]
fn numbers_that_outgrow_single_precision_are_an_error() {
    let huge = MeasureOverMeasures::uniform(vec![3e12_f32, -2e12, 1e12, 5.0], 2, &[1, 1]).unwrap();
    let method = Method::SlicedOtdd(SlicedOtdd::new(slices(), 5, 2.0).unwrap());
    let error = compare(&huge, &huge, &method, SEED).unwrap_err();
    assert!(matches!(error, CompareError::OutOfRange { precision: "float32", .. }), "{error}");
}
