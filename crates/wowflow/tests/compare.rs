//! What every distance between datasets promises: zero, symmetry, the triangle inequality, invariances, bits.

use proptest::prelude::*;
use wowflow::compare::{
    Busemann, Certainty, CompareError, Comparison, DoubleSliced, Hipm, Inner, Method, MethodName,
    MethodSettings, Mmd, OtddMethod, PooledSliced, Process, Rays, SlicedOtdd, Slices, compare,
};
use wowflow::directions::Slicing;
use wowflow::kernel::{
    Gaussian, InverseMultiquadric, Kernel, KernelError, KernelName, KernelSettings, Laplace, Riesz,
};
use wowflow::measure::MeasureOverMeasures;
use wowflow::name::Named;
use wowflow::rng::{Purpose, Stream};
use wowflow::scalar::Scalar;

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
        // With the weights of its classes: the copies below have them.
        let p = assembled(&parts(&p), 2);
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
        // Couplings of classes and of their samples are couplings of the pooled samples, with masses by class.
        let by_class = |m: &Measure| assembled(&parts(m), 2);
        let wow = measured(&p, &q, &Method::Wow(Inner::Exact)).power;
        let pooled = measured(&by_class(&p), &by_class(&q), &Method::PooledW2).power;
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
fn baselines_forget_labels() {
    let points: Vec<f64> = noise(&[12], 2, 5).points().to_vec();
    let q = noise(&[4, 3], 2, 6);
    let sizes: [&[usize]; 4] = [&[12], &[1, 11], &[4, 3, 5], &[10, 1, 1]];
    for method in [Method::PooledW2, Method::PooledSliced(PooledSliced::new(slices(), 2.0).unwrap())] {
        let of = |sizes: &&[usize]| {
            measured(&Measure::uniform(points.clone(), 2, sizes).unwrap(), &q, &method).power
        };
        let found: Vec<f64> = sizes.iter().map(of).collect();
        assert!(found.iter().all(|power| (power / found[0] - 1.0).abs() < 1e-13), "{found:?}");
        // Samples weigh what they are given, classes too.
        let weights: Vec<f64> = (1..=12).map(f64::from).collect();
        let weighted = |sizes: &[usize]| {
            let p = Measure::new(points.clone(), 2, sizes, Some(&weights), None).unwrap();
            measured(&p, &q, &method).power
        };
        assert!((weighted(&[12]) / weighted(&[3, 9]) - 1.0).abs() < 1e-13);
        let outer = Measure::new(points.clone(), 2, &[3, 9], None, Some(&[1.0, 1.0])).unwrap();
        assert!((measured(&outer, &q, &method).power / found[0] - 1.0).abs() > 1e-3);
    }
}

fn scaled<T: Scalar>(m: &Measure, scale: f64, offset: f64) -> MeasureOverMeasures<T> {
    let points = m.points().iter().map(|x| T::from_f64(scale * (x + offset))).collect();
    m.with_points(points, m.dim()).unwrap()
}

#[test]
fn distances_are_homogeneous_at_any_scale_and_place() {
    let (p, q) = (noise(&[7, 3, 5], 2, 8), noise(&[4, 6], 2, 9));
    for &name in MethodName::ALL {
        let method = MethodSettings::of(name).resolve(2).unwrap();
        let is_s_otdd = name == MethodName::SOtdd;
        // The Riesz kernel is of degree 1, its discrepancy of degree 1/2.
        let degree = if name == MethodName::MmdSw { 0.5 } else { 1.0 };
        let at_one = compare(&p, &q, &method, 3).unwrap();
        for scale in [1e-150, 1e-40, 1e-7, 3.0, 1e7, 1e40, 1e150].into_iter().filter(|_| !is_s_otdd) {
            let found = compare::<f64>(&scaled(&p, scale, 0.0), &scaled(&q, scale, 0.0), &method, 3).unwrap();
            let ratio = found.value / at_one.value / scale.powf(degree);
            assert!((ratio - 1.0).abs() < 1e-9, "{name} at {scale:e}: {ratio}");
            assert_eq!(found.method, at_one.method, "{name}");
        }
        for scale in [1e-30, 1e-18, 1e-7, 1e7, 1e18].into_iter().filter(|_| !is_s_otdd) {
            let found = compare::<f32>(&scaled(&p, scale, 0.0), &scaled(&q, scale, 0.0), &method, 3).unwrap();
            let ratio = found.value / at_one.value / scale.powf(degree);
            assert!((ratio - 1.0).abs() < 1e-4, "{name} at {scale:e} in single precision: {ratio}");
        }
        for offset in [1e3, 1e6, 1e9].into_iter().filter(|_| !is_s_otdd) {
            let found =
                compare::<f64>(&scaled(&p, 1.0, offset), &scaled(&q, 1.0, offset), &method, 3).unwrap();
            let ratio = found.value / at_one.value;
            assert!((ratio - 1.0).abs() < 1e-12 * offset.max(1e3), "{name} moved by {offset:e}: {ratio}");
        }
        // Never a number that is not finite.
        for scale in [1e15, 1e80, 1e160, 1e200, 1e300] {
            match compare::<f64>(&scaled(&p, scale, 0.0), &scaled(&q, scale, 0.0), &method, 3) {
                Ok(found) => assert!(found.value.is_finite() && found.power.is_finite(), "{name}"),
                Err(error) => assert!(error.to_string().contains("found"), "{name}: {error}"),
            }
        }
        for scale in [1e15, 1e25, 1e37] {
            match compare::<f32>(&scaled(&p, scale, 0.0), &scaled(&q, scale, 0.0), &method, 3) {
                Ok(found) => assert!(found.value.is_finite() && found.power.is_finite(), "{name}"),
                Err(error) => assert!(error.to_string().contains("found"), "{name}: {error}"),
            }
        }
    }
}

#[test]
fn moments_of_small_data_are_their_means() {
    // At small scale only first moments are left, and those are homogeneous.
    let (p, q) = (noise(&[7, 3, 5], 2, 8), noise(&[4, 6], 2, 9));
    let method = MethodSettings::of(MethodName::SOtdd).resolve(2).unwrap();
    let value = |scale: f64| {
        compare::<f64>(&scaled(&p, scale, 0.0), &scaled(&q, scale, 0.0), &method, 3).unwrap().value / scale
    };
    let small = value(1e-12);
    for scale in [1e-20, 1e-100, 1e-200] {
        assert!((value(scale) / small - 1.0).abs() < 1e-9, "{scale:e}: {} {small}", value(scale));
    }
}

#[test]
fn parameters_keep_their_units() {
    let (p, q) = (noise(&[7, 3, 5], 2, 8), noise(&[4, 6], 2, 9));
    let scale = f64::exp2(30.0);
    for (kernel, of_bandwidth, degree) in [
        (KernelName::Gaussian, 2, 0.0),
        (KernelName::Laplace, 1, 0.0),
        (KernelName::InverseMultiquadric, 2, -1.0),
        (KernelName::Riesz, 1, 1.0),
    ] {
        for given in [true, false] {
            let at = |scale: f64| {
                let parameter = (0.7 * scale.powi(of_bandwidth)).into();
                let mut settings = KernelSettings::of(kernel);
                match (given, kernel) {
                    (false, _) => {}
                    (true, KernelName::Riesz) => settings.smoothing = parameter,
                    (true, _) => settings.bandwidth = parameter,
                }
                let method = Method::Mmd(Mmd::new(slices(), settings).unwrap());
                compare::<f64>(&scaled(&p, scale, 0.0), &scaled(&q, scale, 0.0), &method, 3).unwrap()
            };
            let (one, far) = (at(1.0), at(scale));
            assert!((far.power / one.power / scale.powf(degree) - 1.0).abs() < 1e-9, "{kernel:?}");
            let (Method::Mmd(one), Method::Mmd(far)) = (one.method, far.method) else { panic!("an MMD") };
            let bandwidths = (one.kernel().bandwidth.given(), far.kernel().bandwidth.given());
            if let (Some(one), Some(far)) = bandwidths {
                assert!((far / one / scale.powi(of_bandwidth) - 1.0).abs() < 1e-9, "{kernel:?}");
            }
        }
    }
    let entropic = |scale: f64| {
        let method = OtddMethod::new(Inner::Gaussian, Some(0.5 * scale * scale)).unwrap();
        compare::<f64>(&scaled(&p, scale, 0.0), &scaled(&q, scale, 0.0), &Method::Otdd(method), 3).unwrap()
    };
    let (one, far) = (entropic(1.0), entropic(scale));
    assert!((far.value / one.value / scale - 1.0).abs() < 1e-9);
    let (Certainty::Interval { lower, upper }, Certainty::Interval { lower: low, upper: high }) =
        (one.certainty, far.certainty)
    else {
        panic!("intervals")
    };
    assert!(
        (low / lower / scale / scale - 1.0).abs() < 1e-6 && (high / upper / scale / scale - 1.0).abs() < 1e-6
    );
}

#[test]
fn what_has_not_converged_is_no_distance() {
    let (p, q) = (noise(&[40, 30], 2, 8), noise(&[30, 35], 2, 9));
    let at = |epsilon: f64| {
        compare(&p, &q, &Method::Otdd(OtddMethod::new(Inner::Exact, Some(epsilon)).unwrap()), 0)
    };
    assert!(at(0.5).is_ok());
    let error = at(1e-7).unwrap_err().to_string();
    assert!(error.starts_with("expected entropic transport to converge, found its power between"), "{error}");
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
