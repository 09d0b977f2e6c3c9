//! The flows on lifted samples: velocities against central differences, plain sums, threads, labels.

use std::ops::ControlFlow;

use wowflow::compare::otdd::{self, Bias, LabelDistance, OuterSolver, otdd_pow};
use wowflow::flow::{Decay, Flow, FlowState, Scheme, StepSchedule, StepSize, StopReason};
use wowflow::functional::{
    Functional, LIFTED, Lift, OtddFlow, OtddFlowSettings, ProductBandwidths, ProductMmd,
};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::entropic::SinkhornSettings;
use wowflow::rng::{Purpose, Stream};

const DIM: usize = 5;

fn noise(step: u64, len: usize) -> Vec<f64> {
    let mut values = vec![0.0; len];
    Stream::new(9, Purpose::Test, step).normals(0, &mut values);
    values
}

/// Unequal classes, one of a single sample, with weights.
fn datasets() -> (MeasureOverMeasures<f64>, MeasureOverMeasures<f64>) {
    let (sizes, others) = ([7, 1, 66], [4, 5]);
    let of = |sizes: &[usize], step: u64, shift: f64| {
        let count: usize = sizes.iter().sum();
        let mut points = noise(step, count * DIM);
        let mut row = 0;
        for (class, size) in sizes.iter().enumerate() {
            for _ in 0..*size {
                points[row * DIM + class % DIM] += 2.0 * class as f64 + shift;
                row += 1;
            }
        }
        let weights: Vec<f64> = (0..count).map(|i| 1.0 + (i % 3) as f64).collect();
        MeasureOverMeasures::new(points, DIM, sizes, Some(&weights), None).unwrap()
    };
    (of(&sizes, 1, 0.0), of(&others, 2, 1.5))
}

/// `F` changes along random directions as its velocity says: `dF = sum_i mass_i <v_i, dx_i>`.
fn check_velocity(functional: &mut impl Functional<f64>, at: &MeasureOverMeasures<f64>, tolerance: f64) {
    let mut velocity = vec![0.0; at.points().len()];
    functional.evaluate(at, 0, &mut velocity);
    let masses = at.sample_masses();
    let mut unused = velocity.clone();
    for draw in 0..6 {
        let along = noise(20 + draw, velocity.len());
        let mut value = |by: f64| {
            let mut moved = at.clone();
            moved.points_mut().iter_mut().zip(&along).for_each(|(x, a)| *x += by * a);
            functional.evaluate(&moved, 0, &mut unused).value
        };
        let h = 1e-5;
        let expected = (value(h) - value(-h)) / (2.0 * h);
        let width = at.dim();
        let found: f64 = (0..velocity.len()).map(|k| masses[k / width] * velocity[k] * along[k]).sum();
        assert!((found - expected).abs() < tolerance * (1.0 + expected.abs()), "{found} {expected}");
    }
}

#[test]
fn the_velocity_of_the_product_mmd_is_its_gradient() {
    let (p, q) = datasets();
    let lift = Lift::new(&p, &q).unwrap();
    let bandwidths = ProductBandwidths { features: 9.0, means: 5.0, covariances: 7.0 };
    let mut mmd = ProductMmd::new(lift.source(), lift.target(), bandwidths, 0.0, 1);
    check_velocity(&mut mmd, lift.source(), 1e-6);
    // With noise too, since a step has one draw of it.
    let mut mmd = ProductMmd::new(lift.source(), lift.target(), bandwidths, 0.1, 1);
    check_velocity(&mut mmd, lift.source(), 1e-6);
}

#[test]
fn the_product_mmd_is_its_double_sum() {
    let (p, q) = datasets();
    let lift = Lift::new(&p, &q).unwrap();
    let bandwidths = ProductBandwidths { features: 9.0, means: 5.0, covariances: 7.0 };
    let mut mmd = ProductMmd::new(lift.source(), lift.target(), bandwidths, 0.0, 1);
    let mut velocity = vec![0.0; lift.source().points().len()];
    let found = mmd.evaluate(lift.source(), 0, &mut velocity).value;
    let kernel = |x: &[f64], y: &[f64]| {
        let square = |r: std::ops::Range<usize>| r.map(|k| (x[k] - y[k]).powi(2)).sum::<f64>();
        let covariance = |z: &[f64]| {
            let a = &z[DIM + 2..];
            [
                a[0] * a[0] + a[1] * a[1],
                a[0] * a[2] + a[1] * a[3],
                a[0] * a[2] + a[1] * a[3],
                a[2] * a[2] + a[3] * a[3],
            ]
        };
        let frobenius: f64 = covariance(x).iter().zip(covariance(y)).map(|(s, t)| (s - t).powi(2)).sum();
        (-square(0..DIM) / 18.0 - square(DIM..DIM + 2) / 10.0 - frobenius / 14.0).exp()
    };
    let sum = |p: &MeasureOverMeasures<f64>, q: &MeasureOverMeasures<f64>| {
        let width = DIM + LIFTED;
        let (a, b) = (p.sample_masses(), q.sample_masses());
        let mut total = 0.0;
        for (x, a) in p.points().chunks(width).zip(&a) {
            for (y, b) in q.points().chunks(width).zip(&b) {
                total += a * b * kernel(x, y);
            }
        }
        total
    };
    let (s, t) = (lift.source(), lift.target());
    let expected = 0.5 * sum(s, s) + 0.5 * sum(t, t) - sum(s, t);
    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
}

#[test]
fn the_velocity_of_otdd_is_that_of_the_plan() {
    let (p, q) = datasets();
    let lift = Lift::new(&p, &q).unwrap();
    let settings = OtddFlowSettings { epsilon: 0.2, tolerance: 1e-12, max_iterations: 100_000 };
    let mut otdd = OtddFlow::new(lift.source(), lift.target(), settings);
    let mut velocity = vec![0.0; lift.source().points().len()];
    let value = otdd.evaluate(lift.source(), 0, &mut velocity).value;
    assert!(value > 0.0 && otdd.stopped_early() == 0);
    // The regularisation follows the mean cost, which the velocity holds: where that does not change at first
    // order, central differences agree. The mean cost changes with the mean displacement, so take that out.
    let (width, masses) = (lift.source().dim(), lift.source().sample_masses());
    let mean_cost_gradient = |at: &MeasureOverMeasures<f64>| {
        let mut one = OtddFlow::new(
            at,
            lift.target(),
            OtddFlowSettings { epsilon: 1e6, tolerance: 1e-12, max_iterations: 10 },
        );
        let mut gradient = vec![0.0; at.points().len()];
        one.evaluate(at, 0, &mut gradient);
        gradient
    };
    let mean_gradient = mean_cost_gradient(lift.source());
    let inner = |u: &[f64], v: &[f64]| (0..u.len()).map(|k| masses[k / width] * u[k] * v[k]).sum::<f64>();
    let mut unused = velocity.clone();
    for draw in 0..4 {
        let mut along = noise(40 + draw, velocity.len());
        let share = inner(&along, &mean_gradient) / inner(&mean_gradient, &mean_gradient);
        along.iter_mut().zip(&mean_gradient).for_each(|(a, g)| *a -= share * g);
        let mut value = |by: f64| {
            let mut moved = lift.source().clone();
            moved.points_mut().iter_mut().zip(&along).for_each(|(x, a)| *x += by * a);
            otdd.evaluate(&moved, 0, &mut unused).value
        };
        let h = 1e-5;
        let expected = (value(h) - value(-h)) / (2.0 * h);
        let found = inner(&velocity, &along);
        assert!((found - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{found} {expected}");
    }
}

#[test]
fn both_flows_descend_and_labels_come_back() {
    let (p, q) = datasets();
    let lift = Lift::new(&p, &q).unwrap();
    let run = |functional: &mut dyn FnMut(&mut FlowState<f64>, &mut Vec<f64>)| {
        let (mut state, mut losses) = (FlowState::new(lift.source().clone()), Vec::new());
        functional(&mut state, &mut losses);
        assert!(losses.last() < losses.first(), "{:?} {:?}", losses.first(), losses.last());
        let labels = lift.labels(state.particles()).unwrap();
        assert!(labels.len() == 74 && labels.contains(&0) && labels.contains(&1), "{labels:?}");
        assert_eq!(lift.features(state.particles()).dim(), DIM);
    };
    run(&mut |state, losses| {
        let flow = Flow {
            scheme: Scheme::adam(0.9, 0.999).unwrap(),
            schedule: StepSchedule::new(StepSize::Fixed(0.02), Decay::Constant, 60).unwrap(),
            settle: None,
        };
        let mut otdd = OtddFlow::new(lift.source(), lift.target(), OtddFlowSettings::default());
        flow.run(state, &mut otdd, |record, _| {
            losses.push(record.value);
            ControlFlow::Continue(())
        });
    });
    run(&mut |state, losses| {
        let flow = Flow {
            scheme: Scheme::heavy_ball(0.9, Decay::Constant).unwrap(),
            schedule: StepSchedule::new(StepSize::Fixed(1.0), Decay::Constant, 100).unwrap(),
            settle: None,
        };
        let bandwidths = ProductBandwidths { features: 9.0, means: 5.0, covariances: 7.0 };
        let mut mmd = ProductMmd::new(lift.source(), lift.target(), bandwidths, 0.01, 1);
        flow.run(state, &mut mmd, |record, _| {
            losses.push(record.value);
            ControlFlow::Continue(())
        });
    });
}

#[test]
fn threads_do_not_change_the_bits() {
    let (p, q) = datasets();
    let lift = Lift::new(&p, &q).unwrap();
    let of = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let len = lift.source().points().len();
            let (mut u, mut v) = (vec![0.0; len], vec![0.0; len]);
            let mut otdd = OtddFlow::new(lift.source(), lift.target(), OtddFlowSettings::default());
            let first = otdd.evaluate(lift.source(), 3, &mut u).value;
            let mut mmd =
                ProductMmd::new(lift.source(), lift.target(), ProductBandwidths::default(), 0.01, 1);
            let second = mmd.evaluate(lift.source(), 3, &mut v).value;
            (first, second, u, v)
        })
    };
    assert!(of(1) == of(2) && of(2) == of(3));
}

/// In two dimensions the principal plane is the space itself, turned: label distances are those of the samples'.
#[test]
fn in_the_plane_the_value_is_that_of_the_comparison() {
    let flat = |sizes: &[usize], step: u64| {
        let count: usize = sizes.iter().sum();
        let points =
            noise(step, 2 * count).iter().enumerate().map(|(k, z)| z * (1.0 + (k % 3) as f64)).collect();
        let weights: Vec<f64> = (0..count).map(|i| 1.0 + (i % 3) as f64).collect();
        MeasureOverMeasures::<f64>::new(points, 2, sizes, Some(&weights), None).unwrap()
    };
    let (p, q) = (flat(&[6, 9, 4], 5), flat(&[5, 3], 6));
    let compare = |epsilon: f64| {
        let settings = SinkhornSettings { tolerance: 1e-12, ..SinkhornSettings::new(epsilon) };
        let outer = OuterSolver::Entropic { settings, bias: Bias::Kept };
        let labels = LabelDistance::Gaussian { ddof: 0 };
        otdd_pow(&p, &q, &otdd::OtddSettings { labels, outer, ..Default::default() }).unwrap().value
    };
    let lift = Lift::new(&p, &q).unwrap();
    let settings = OtddFlowSettings { epsilon: 0.2, tolerance: 1e-12, max_iterations: 100_000 };
    let mut flow = OtddFlow::new(lift.source(), lift.target(), settings);
    let mut unused = vec![0.0; lift.source().points().len()];
    let found = flow.evaluate(lift.source(), 0, &mut unused).value;
    // Under a huge regularisation the plan is the product of the weights, and its cost the mean.
    let expected = compare(0.2 * compare(1e9));
    assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
}

#[test]
fn a_restored_state_goes_on_to_the_same_bits() {
    let (p, q) = datasets();
    let lift = Lift::new(&p, &q).unwrap();
    let flow = |scheme: Scheme, size: f64| {
        let schedule = StepSchedule::new(StepSize::Fixed(size), Decay::Constant, 8).unwrap();
        Flow { scheme, schedule, settle: None }
    };
    let otdd = || OtddFlow::new(lift.source(), lift.target(), OtddFlowSettings::default());
    let bandwidths = ProductBandwidths { features: 9.0, means: 5.0, covariances: 7.0 };
    let product = || ProductMmd::new(lift.source(), lift.target(), bandwidths, 0.01, 1);
    // The plans of the OTDD flow start from those before: it goes on with them.
    check_resuming(flow(Scheme::adam(0.9, 0.999).unwrap(), 0.05), lift.source(), otdd, |kept| kept);
    let ball = flow(Scheme::heavy_ball(0.9, Decay::Constant).unwrap(), 1.0);
    check_resuming(ball, lift.source(), product, |_| product());
}

fn check_resuming<F: Functional<f64>>(
    flow: Flow,
    start: &MeasureOverMeasures<f64>,
    functional: impl Fn() -> F,
    again: impl Fn(F) -> F,
) {
    let to_end = |state: &mut FlowState<f64>, functional: &mut F, stop: u64| {
        flow.run(state, functional, |record, _| match record.step == stop {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    };
    let (mut whole, mut part) = (FlowState::new(start.clone()), FlowState::new(start.clone()));
    assert_eq!(to_end(&mut whole, &mut functional(), 100), StopReason::StepsDone);
    let mut begun = functional();
    assert_eq!(to_end(&mut part, &mut begun, 5), StopReason::Interrupted);
    let (particles, memory, step) = (part.particles().clone(), part.memory().clone(), part.step());
    let mut part = FlowState::restore(particles, memory, None, step).unwrap();
    to_end(&mut part, &mut again(begun), 100);
    assert!(part == whole && part.particles() != start);
}

/// Steps far too large end a flow with a reason, not a panic.
#[test]
fn flows_that_run_away_diverge() {
    let (p, q) = datasets();
    let lift = Lift::new(&p, &q).unwrap();
    // Squares that are no longer finite, and coordinates that are not.
    for size in [1e160, 1e307] {
        let schedule = StepSchedule::new(StepSize::Fixed(size), Decay::Constant, 40).unwrap();
        let flow = Flow { scheme: Scheme::adam(0.9, 0.999).unwrap(), schedule, settle: None };
        let mut state = FlowState::new(lift.source().clone());
        let mut otdd = OtddFlow::new(lift.source(), lift.target(), OtddFlowSettings::default());
        let stop = flow.run(&mut state, &mut otdd, |_, _| ControlFlow::Continue(()));
        assert!(matches!(stop, StopReason::Diverged { .. }), "{size}: {stop:?}");
    }
}

#[test]
fn every_sample_gets_the_label_of_its_gaussian() {
    let blobs = |shifts: &[f64]| {
        let points = noise(8, 3 * 6 * shifts.len());
        let points = points.iter().enumerate().map(|(k, z)| 0.1 * z + shifts[k / 18]).collect();
        MeasureOverMeasures::<f64>::uniform(points, 3, &vec![6; shifts.len()]).unwrap()
    };
    let lift = Lift::new(&blobs(&[9.0, 0.0, 5.0]), &blobs(&[0.2, 5.2, 9.2])).unwrap();
    let expected: Vec<usize> = [2, 0, 1].into_iter().flat_map(|label| [label; 6]).collect();
    assert_eq!(lift.labels(lift.source()).unwrap(), expected);
}
