//! Velocity plans, geodesics and barycenters: exact ends, exact masses, constant speed, closed forms.

use proptest::prelude::*;
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::geometry::{
    BarycenterOptions, GeometryError, Origin, Stop, TIGHT, Uniqueness, VelocityPlan, barycenter,
    barycenter_observed, constant_speed, plan_uniqueness,
};
use wowflow::ot::wow::{KeepPlans, wow2, wow2_pow};
use wowflow::rng::{Purpose, Stream};
use wowflow::scalar::Scalar;

type Dataset = MeasureOverMeasures<f64>;

/// Normal samples; some weights of 0 on both levels, but never all.
fn dataset(sizes: &[usize], dim: usize, seed: u64) -> Dataset {
    let samples: usize = sizes.iter().sum();
    let mut points = vec![0.0; samples * dim];
    Stream::new(31, Purpose::Test, seed).normals(0, &mut points);
    let uniform = Stream::new(32, Purpose::Test, seed);
    let weight = |i: u64| Some(uniform.uniform(i)).filter(|u| *u > 0.2).unwrap_or(0.0);
    let mut inner: Vec<f64> = (0..samples as u64).map(weight).collect();
    let mut outer: Vec<f64> = (0..sizes.len() as u64).map(|c| weight(1000 + c)).collect();
    outer[0] = 0.5;
    let mut first = 0;
    for size in sizes {
        inner[first] = 0.25;
        first += size;
    }
    Dataset::new(points, dim, sizes, Some(&inner), Some(&outer)).unwrap()
}

fn uniform(sizes: &[usize], dim: usize, seed: u64) -> Dataset {
    Dataset::uniform(dataset(sizes, dim, seed).points().to_vec(), dim, sizes).unwrap()
}

fn weight<T: Scalar>(measure: &MeasureOverMeasures<T>, class: usize, sample: usize) -> f64 {
    measure.class_weights(class).map_or(1.0 / measure.class_size(class) as f64, |weights| weights[sample])
}

/// Every sample's total mass, class weight times sample weight, over all classes.
fn masses<T: Scalar>(measure: &MeasureOverMeasures<T>) -> Vec<f64> {
    let classes = measure.outer_weights().iter().enumerate();
    classes.flat_map(|(c, w)| (0..measure.class_size(c)).map(move |i| w * weight(measure, c, i))).collect()
}

fn row<T: Scalar>(measure: &MeasureOverMeasures<T>, row: usize) -> &[T] {
    &measure.points()[row * measure.dim()..(row + 1) * measure.dim()]
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{found} for {expected}");
    }
}

/// The end of a curve is the dataset there, up to samples and classes that are repeated.
fn is_split_of<T: Scalar>(
    split: &MeasureOverMeasures<T>,
    whole: &MeasureOverMeasures<T>,
    classes: &[usize],
    samples: &[usize],
) {
    let mut outer = vec![0.0; whole.class_count()];
    for (class, &of) in classes.iter().enumerate() {
        outer[of] += split.outer_weights()[class];
        // Each piece of a class is the whole class measure, not a part of it.
        let mut inner = vec![0.0; whole.class_size(of)];
        for (i, &sample) in samples[split.class_range(class)].iter().enumerate() {
            assert!(whole.class_range(of).contains(&sample));
            inner[sample - whole.class_range(of).start] += weight(split, class, i);
        }
        let expected: Vec<f64> = (0..inner.len()).map(|i| weight(whole, of, i)).collect();
        close(&inner, &expected, 1e-14);
    }
    close(&outer, whole.outer_weights(), 1e-14);
    for (at, &sample) in samples.iter().enumerate() {
        assert_eq!(row(split, at), row(whole, sample));
    }
}

fn check_curve<T: Scalar>(p: &MeasureOverMeasures<T>, q: &MeasureOverMeasures<T>) {
    let transport = wow2_pow(p, q, KeepPlans::Yes).unwrap();
    let log = VelocityPlan::new(p, q, &transport).unwrap();
    assert!(log.pairs().len() < p.class_count() + q.class_count());
    assert!((log.squared_norm() - transport.value).abs() <= 1e-12 * (1.0 + transport.value));
    let (mut from, mut to) = (vec![0.0; p.sample_count()], vec![0.0; q.sample_count()]);
    for particle in log.particles() {
        from[particle.source] += particle.mass;
        to[particle.target] += particle.mass;
        assert_eq!((particle.position, particle.end), (row(p, particle.source), row(q, particle.target)));
    }
    close(&from, &masses(p), 1e-14);
    close(&to, &masses(q), 1e-14);

    let of = |origins: &[Origin], pick: fn(&Origin) -> Option<usize>| -> Vec<usize> {
        origins.iter().map(|origin| pick(origin).unwrap()).collect()
    };
    let (start, end) = (log.exp(0.0).unwrap(), log.exp(1.0).unwrap());
    is_split_of(&start.measure, p, &of(&start.classes, |o| o.source), &of(&start.samples, |o| o.source));
    is_split_of(&end.measure, q, &of(&end.classes, |o| o.target), &of(&end.samples, |o| o.target));
    assert!(wow2_pow(&end.measure, q, KeepPlans::No).unwrap().value <= 1e-14 * (1.0 + transport.value));
    assert_eq!((&log.at(0.0).unwrap().measure, &log.at(1.0).unwrap().measure), (p, q));

    let check = constant_speed(&log, &[(0.0, 0.4), (0.4, 0.7), (0.7, 1.0), (1.0, 0.4), (0.0, 1.0)]).unwrap();
    assert!(check.worst <= 1e-9, "{check:?}");
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1usize..7, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn curves_between_any_datasets_are_geodesics(
        (left, right, dim, seed) in (sizes(), sizes(), 1usize..5, 0u64..1 << 20),
    ) {
        check_curve(&dataset(&left, dim, 2 * seed), &dataset(&right, dim, 2 * seed + 1));
    }

    #[test]
    fn barycenters_descend_to_at_least_their_bound(
        (sizes, lambda, dim, seed) in
            (prop::collection::vec(sizes(), 1..4), prop::array::uniform3(0.1f64..1.0), 1usize..4, 0u64..1 << 20),
        classes in prop::option::of(1usize..6),
    ) {
        let data: Vec<Dataset> =
            sizes.iter().enumerate().map(|(k, sizes)| dataset(sizes, dim, 8 * seed + k as u64)).collect();
        let datasets: Vec<&Dataset> = data.iter().collect();
        let options = BarycenterOptions { classes, ..BarycenterOptions::default() };
        let mean = barycenter(&datasets, Some(&lambda[..data.len()]), &options).unwrap();
        prop_assert!(mean.objectives.windows(2).all(|w| w[1] < w[0]));
        prop_assert!(mean.objective() >= mean.lower_bound - 1e-12 * (1.0 + mean.lower_bound));
        prop_assert!(mean.stop != Stop::IterationLimit, "{:?}", mean.objectives);
        let total: f64 = lambda[..data.len()].iter().sum();
        let objective: f64 = datasets.iter().zip(&lambda)
            .map(|(q, lambda)| lambda / total * wow2(&mean.measure, q).unwrap().powi(2)).sum();
        prop_assert!((objective - mean.objective()).abs() <= 1e-12 * (1.0 + objective));
        if let Some(classes) = classes {
            prop_assert_eq!(mean.measure.class_count(), classes);
        }
    }
}

#[test]
fn one_sample_classes_unequal_sizes_and_single_precision() {
    for (left, right) in [(&[1, 1, 1][..], &[1, 1][..]), (&[5], &[1, 1, 3]), (&[30, 1, 8], &[21, 9, 9, 1])] {
        check_curve(&dataset(left, 3, 5), &dataset(right, 3, 6));
        check_curve(&uniform(left, 3, 5), &uniform(right, 3, 6));
        let single = |data: Dataset, sizes: &[usize]| {
            let points = data.points().iter().map(|x| *x as f32).collect();
            MeasureOverMeasures::<f32>::uniform(points, 3, sizes).unwrap()
        };
        check_curve(&single(dataset(left, 3, 5), left), &single(dataset(right, 3, 6), right));
    }
}

#[test]
fn from_a_dataset_to_itself_nothing_moves() {
    let p = dataset(&[4, 1, 6], 2, 9);
    let log = VelocityPlan::log(&p, &p).unwrap();
    assert_eq!(log.squared_norm(), 0.0);
    for t in [0.3, 0.5, 0.9, 1.7] {
        let there = log.exp(t).unwrap();
        for (at, origin) in there.samples.iter().enumerate() {
            assert_eq!(row(&there.measure, at), row(&p, origin.source.unwrap()));
        }
    }
    let check = constant_speed(&log, &[(0.0, 0.5), (0.2, 0.7)]).unwrap();
    assert!(check.worst < 1e-7, "{check:?}"); // A root of rounding: masses that sum to 1 up to 1e-16.
    assert!(check.segments.iter().all(|segment| (segment.expected, segment.by_coupling) == (0.0, 0.0)));
}

#[test]
fn a_translation_is_followed_beyond_its_end() {
    let p = uniform(&[3, 4], 2, 3);
    let moved = p.points().chunks(2).flat_map(|x| [x[0] + 0.25, x[1] - 0.5]).collect();
    let q = Dataset::uniform(moved, 2, &[3, 4]).unwrap();
    let log = VelocityPlan::log(&p, &q).unwrap();
    assert!((log.squared_norm() - 0.3125).abs() < 1e-14);
    for t in [-1.0, 0.5, 3.0] {
        let there = log.exp(t).unwrap().measure;
        for (x, y) in p.points().chunks(2).zip(there.points().chunks(2)) {
            close(y, &[x[0] + 0.25 * t, x[1] - 0.5 * t], 1e-14);
        }
    }
}

#[test]
fn the_way_back_is_the_same_way() {
    let (p, q) = (dataset(&[6, 3], 3, 11), dataset(&[4, 4, 2], 3, 12));
    let transport = wow2_pow(&p, &q, KeepPlans::Yes).unwrap();
    assert_eq!(plan_uniqueness(&p, &q, &transport, TIGHT).unwrap().overall(), Uniqueness::Unique);
    let (there, back) = (VelocityPlan::log(&p, &q).unwrap(), VelocityPlan::log(&q, &p).unwrap());
    for t in [0.25, 0.5] {
        let (a, b) = (there.at(t).unwrap().measure, back.at(1.0 - t).unwrap().measure);
        assert!(wow2_pow(&a, &b, KeepPlans::No).unwrap().value < 1e-14);
    }
}

#[test]
fn the_barycentric_curve_keeps_sizes_and_means() {
    let (p, q) = (dataset(&[5, 2, 1], 2, 21), dataset(&[3, 7], 2, 22));
    let log = VelocityPlan::log(&p, &q).unwrap();
    let mean = |measure: &Dataset| -> Vec<f64> {
        let masses = masses(measure);
        (0..2).map(|k| masses.iter().zip(measure.points().chunks(2)).map(|(m, x)| m * x[k]).sum()).collect()
    };
    let (start, end) = (mean(&p), mean(&q));
    for t in [0.0, 0.3, 1.0] {
        let there = log.barycentric(t).unwrap();
        assert_eq!((there.outer_weights(), masses(&there)), (p.outer_weights(), masses(&p)));
        let expected: Vec<f64> = start.iter().zip(&end).map(|(x, y)| x + t * (y - x)).collect();
        close(&mean(&there), &expected, 1e-14);
        // Merging the ends of a sample shortens the way, and never by more than their spread.
        let (cut, whole) = (wow2(&p, &there).unwrap(), t * log.squared_norm().sqrt());
        assert!(cut <= whole * (1.0 + 1e-12));
    }
    // Samples without mass stay.
    let still = log.barycentric(1.0).unwrap();
    let weightless = masses(&p).iter().position(|mass| *mass == 0.0).unwrap();
    assert_eq!(row(&still, weightless), row(&p, weightless));
    // Where nothing splits it is the geodesic.
    let (p, q) = (uniform(&[4, 4], 2, 23), uniform(&[4, 4], 2, 24));
    let log = VelocityPlan::log(&p, &q).unwrap();
    close(log.barycentric(0.3).unwrap().points(), log.at(0.3).unwrap().measure.points(), 1e-15);
}

#[test]
fn classes_that_split_and_equal_plans_are_told() {
    // One class to two of equal weight: halves go either way.
    let p = Dataset::uniform(vec![0.0, 2.0], 1, &[2]).unwrap();
    let q = Dataset::uniform(vec![5.0, 7.0, -5.0, -3.0], 1, &[2, 2]).unwrap();
    let log = VelocityPlan::log(&p, &q).unwrap();
    let halfway = log.at(0.5).unwrap();
    assert_eq!(halfway.measure.outer_weights(), &[0.5, 0.5]);
    assert_eq!(halfway.measure.points(), &[2.5, 4.5, -2.5, -0.5]);
    let origins: Vec<_> = halfway.classes.iter().map(|o| (o.source.unwrap(), o.target.unwrap())).collect();
    assert_eq!(origins, [(0, 0), (0, 1)]);
    // Both halves are the whole class: merged, each sample of P would go to the mean of both ends.
    assert_eq!(log.barycentric(1.0).unwrap().points(), &[0.0, 2.0]);
}

#[test]
fn the_barycenter_of_two_matched_datasets_lies_on_their_geodesic() {
    let (p, q) = (uniform(&[6, 6, 6], 4, 41), uniform(&[6, 6, 6], 4, 42));
    let squared = wow2_pow(&p, &q, KeepPlans::No).unwrap().value;
    let log = VelocityPlan::log(&p, &q).unwrap();
    for t in [0.25, 0.5, 0.9] {
        let mean = barycenter(&[&p, &q], Some(&[1.0 - t, t]), &BarycenterOptions::default()).unwrap();
        assert!((mean.objective() / (t * (1.0 - t) * squared) - 1.0).abs() < 1e-12, "{mean:?}");
        assert!((mean.objective() / mean.lower_bound - 1.0).abs() < 1e-12);
        assert_eq!((mean.stop, mean.start), (Stop::Converged, usize::from(t > 0.5)));
        assert!(wow2(&mean.measure, &log.at(t).unwrap().measure).unwrap() < 1e-12);
    }
}

#[test]
fn barycenters_with_a_closed_form() {
    // Of a dataset with itself.
    let p = dataset(&[4, 1, 5], 3, 51);
    let same = barycenter(&[&p, &p, &p], Some(&[0.2, 0.3, 0.5]), &BarycenterOptions::default()).unwrap();
    assert_eq!((same.objectives.len(), same.stop), (1, Stop::Converged));
    assert!(same.objective() < 1e-14 && wow2_pow(&same.measure, &p, KeepPlans::No).unwrap().value < 1e-14);
    assert!(masses(&same.measure).iter().all(|mass| *mass > 0.0));
    // Of translations: the mean translation, at the variance of the translations.
    let shifted = |by: f64| {
        let points = p.points().iter().map(|x| x + by).collect();
        let inner: Vec<f64> = (0..3)
            .flat_map(|c| (0..p.class_size(c)).map(move |i| (c, i)))
            .map(|(c, i)| weight(&p, c, i))
            .collect();
        Dataset::new(points, 3, &[4, 1, 5], Some(&inner), Some(p.outer_weights())).unwrap()
    };
    let (a, b, c) = (shifted(-1.0), shifted(0.0), shifted(4.0));
    let mean = barycenter(&[&a, &b, &c], None, &BarycenterOptions::default()).unwrap();
    assert!(wow2(&mean.measure, &shifted(1.0)).unwrap() < 1e-7);
    assert!((mean.objective() - 3.0 * 14.0 / 3.0).abs() < 1e-12 && mean.start == 1);
    assert!((mean.lower_bound - mean.objective()).abs() < 1e-12);
    // On the line, classes of one size: the mean of sorted samples, class by class.
    let line = |seed: u64| uniform(&[7], 1, seed);
    let data = [line(61), line(62), line(63)];
    let sorted = |data: &Dataset| {
        let mut values = data.points().to_vec();
        values.sort_unstable_by(f64::total_cmp);
        values
    };
    let lambda = [0.5, 0.3, 0.2];
    let mut expected = vec![0.0; 7];
    for (data, lambda) in data.iter().zip(lambda) {
        expected.iter_mut().zip(sorted(data)).for_each(|(mean, x)| *mean += lambda * x);
    }
    let datasets: Vec<&Dataset> = data.iter().collect();
    let mean = barycenter(&datasets, Some(&lambda), &BarycenterOptions::default()).unwrap();
    close(&sorted(&mean.measure), &expected, 1e-14);
}

#[test]
fn the_start_can_be_chosen_and_resized() {
    let near = Dataset::new(vec![0.0, 0.1, 9.0], 1, &[1, 1, 1], None, Some(&[1.0, 2.0, 3.0])).unwrap();
    let options = |classes, start| BarycenterOptions { classes, start, ..BarycenterOptions::default() };
    let fewer = barycenter(&[&near], None, &options(Some(2), None)).unwrap();
    assert_eq!(fewer.measure.outer_weights(), &[0.5, 0.5]);
    // The class of 0 gave way to that of 0.1, which then moved to the mean of both.
    close(fewer.measure.points(), &[0.2 / 3.0, 9.0], 1e-15);
    let more = barycenter(&[&near], None, &options(Some(5), None)).unwrap();
    close(more.measure.outer_weights(), &[1.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0, 0.25, 0.25], 1e-15);
    assert!(more.objective() < 1e-15);
    let other = uniform(&[2, 2], 1, 71);
    for start in [0, 1] {
        let mean = barycenter(&[&near, &other], None, &options(None, Some(start))).unwrap();
        assert_eq!(mean.measure.class_count(), [3, 2][start]);
        assert_eq!((mean.start, mean.transports.len()), (start, 2));
    }
    // A dataset of weight 0 neither starts nor pulls, but its transport is there.
    let alone = barycenter(&[&near, &other], Some(&[0.0, 1.0]), &options(None, None)).unwrap();
    assert_eq!((alone.start, alone.objective(), alone.transports.len()), (1, 0.0, 2));
}

#[test]
fn the_start_is_the_one_that_promises_most() {
    // Many samples between few: the objective at the start is no guide to that at the end.
    let (few, many) = (uniform(&[2, 2], 3, 101), uniform(&[12, 12], 3, 102));
    let other = uniform(&[5, 5], 3, 103);
    let datasets = [&few, &many, &other];
    let from = |start| {
        let options = BarycenterOptions { start, ..BarycenterOptions::default() };
        barycenter(&datasets, None, &options).unwrap()
    };
    let (chosen, all) = (from(None), [0, 1, 2].map(|k| from(Some(k))));
    assert!(all.iter().all(|other| chosen.objectives[1] <= other.objectives[1] + 1e-12), "{chosen:?}");
    let same = &all[chosen.start];
    assert_eq!((&chosen.measure, &chosen.objectives), (&same.measure, &same.objectives));
    assert!(all.iter().all(|other| (other.lower_bound / chosen.lower_bound - 1.0).abs() < 1e-12));
}

#[test]
fn an_observer_sees_every_step_and_may_stop() {
    let (p, q) = (dataset(&[9, 4], 2, 81), dataset(&[5, 5, 5], 2, 82));
    let mut seen = Vec::new();
    let keep = |iteration| {
        seen.push(iteration);
        std::ops::ControlFlow::Continue(())
    };
    let first = BarycenterOptions { start: Some(0), ..BarycenterOptions::default() };
    let mean = barycenter_observed(&[&p, &q], None, &first, keep).unwrap();
    assert!(mean.objectives.len() > 2);
    let objectives: Vec<f64> = seen.iter().map(|iteration| iteration.objective).collect();
    assert_eq!(objectives, mean.objectives);
    // A step lowers the objective by at least what it moves the samples.
    for pair in seen.windows(2) {
        assert!(pair[0].objective - pair[1].objective >= pair[0].movement * (1.0 - 1e-9) - 1e-14);
    }
    let halted = barycenter_observed(&[&p, &q], None, &BarycenterOptions::default(), |_| {
        std::ops::ControlFlow::Break(())
    });
    assert_eq!(halted.unwrap().stop, Stop::Interrupted);
    let limited = BarycenterOptions { max_iterations: 1, start: Some(0), ..BarycenterOptions::default() };
    let limited = barycenter(&[&p, &q], None, &limited).unwrap();
    assert_eq!((limited.stop, limited.objectives.len()), (Stop::IterationLimit, 2));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (p, q) = (uniform(&[2, 3], 2, 91), uniform(&[2], 2, 92));
    let without = wow2_pow(&p, &q, KeepPlans::No).unwrap();
    assert_eq!(VelocityPlan::new(&p, &q, &without).unwrap_err(), GeometryError::NoPlans);
    let with = wow2_pow(&p, &q, KeepPlans::Yes).unwrap();
    let foreign = VelocityPlan::new(&q, &p, &with).unwrap_err().to_string();
    assert_eq!(
        foreign,
        "expected a transport between the classes of these datasets (1 x 2 classes), found 2 x 1 classes"
    );
    let resized = uniform(&[3, 3], 2, 93);
    assert!(matches!(VelocityPlan::new(&resized, &q, &with), Err(GeometryError::ForeignTransport { .. })));
    assert!(matches!(plan_uniqueness(&q, &p, &with, TIGHT), Err(GeometryError::ForeignTransport { .. })));
    assert!(matches!(VelocityPlan::log(&p, &uniform(&[2], 3, 94)), Err(GeometryError::Transport(_))));
    let log = VelocityPlan::new(&p, &q, &with).unwrap();
    for t in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(log.at(t), Err(GeometryError::BadTime { .. })));
    }
    assert!(matches!(log.exp(f64::INFINITY), Err(GeometryError::BadTime { .. })));
    assert!(matches!(log.barycentric(f64::NAN), Err(GeometryError::BadTime { .. })));
    let (zero, ten) = (Dataset::uniform(vec![0.0], 1, &[1]), Dataset::uniform(vec![10.0], 1, &[1]));
    let (zero, ten) = (zero.unwrap(), ten.unwrap());
    let far = VelocityPlan::log(&zero, &ten).unwrap();
    assert!(matches!(far.exp(1e308), Err(GeometryError::Measure(_))));
    assert!(matches!(far.barycentric(1e308), Err(GeometryError::Measure(_))));

    let plain = BarycenterOptions::default();
    let refused = |datasets: &[&Dataset], weights: Option<&[f64]>, options: &BarycenterOptions| {
        barycenter(datasets, weights, options).unwrap_err()
    };
    assert_eq!(refused(&[], None, &plain), GeometryError::NoDatasets);
    let count = refused(&[&p], Some(&[1.0, 2.0]), &plain);
    assert_eq!(count, GeometryError::WeightCount { expected: 1, found: 2 });
    for bad in [&[0.0][..], &[-1.0], &[f64::NAN], &[f64::INFINITY]] {
        assert!(matches!(refused(&[&p], Some(bad), &plain), GeometryError::BadWeights { .. }));
    }
    let start = |start| BarycenterOptions { start: Some(start), ..plain };
    assert_eq!(refused(&[&p], None, &start(1)), GeometryError::BadStart { found: 1 });
    assert_eq!(refused(&[&p, &q], Some(&[1.0, 0.0]), &start(1)), GeometryError::BadStart { found: 1 });
    let none = BarycenterOptions { classes: Some(0), ..plain };
    assert_eq!(refused(&[&p], None, &none), GeometryError::NoClasses);
    let tolerance = BarycenterOptions { tolerance: f64::NAN, ..plain };
    assert!(matches!(refused(&[&p], None, &tolerance), GeometryError::BadTolerance { .. }));
    assert!(matches!(refused(&[&p, &uniform(&[2], 3, 94)], None, &plain), GeometryError::Transport(_)));
}
