//! Flows: descent of adaptive steps, every scheme, mini-batches, the stopping rule, states restored.

use std::ops::ControlFlow;

use proptest::prelude::*;
use wowflow::directions::Slicing;
use wowflow::flow::{Decay, Flow, FlowState, Scheme, Settle, StepSchedule, StepSize, StopReason};
use wowflow::functional::{BatchEstimator, Functional, MiniBatches, MmdSw, PooledMmd, Redraw, SlicingPlan};
use wowflow::kernel::{Gaussian, InverseMultiquadric, Kernel, Laplace, Riesz};
use wowflow::measure::MeasureOverMeasures;
use wowflow::rng::{Purpose, Stream};

type Measure = MeasureOverMeasures<f64>;

const PLAN: SlicingPlan = SlicingPlan { slicing: Slicing::Orthonormal, count: 24, seed: 5 };

fn riesz() -> Kernel {
    Riesz::new(1.0, 0.0).unwrap().into()
}

/// Classes of normal samples about means of their own.
fn measure(sizes: &[usize], dim: usize, seed: u64) -> Measure {
    let mut points = vec![0.0; sizes.iter().sum::<usize>() * dim];
    Stream::new(seed, Purpose::Test, 0).normals(0, &mut points);
    let mut sample = 0;
    for (class, size) in sizes.iter().enumerate() {
        for _ in 0..*size {
            points[sample * dim + class % dim] += 3.0 * (seed % 3) as f64 + class as f64;
            sample += 1;
        }
    }
    Measure::uniform(points, dim, sizes).unwrap()
}

fn flow(scheme: Scheme, size: StepSize, decay: Decay, steps: u64) -> Flow {
    Flow { scheme, schedule: StepSchedule::new(size, decay, steps).unwrap(), settle: None }
}

fn run(
    flow: &Flow,
    start: &Measure,
    functional: &mut impl Functional<f64>,
) -> (Vec<f64>, StopReason, Measure) {
    let (mut values, mut state) = (Vec::new(), FlowState::new(start.clone()));
    let stop = flow.run(&mut state, functional, |record, _| {
        values.push(record.value);
        ControlFlow::Continue(())
    });
    (values, stop, state.particles().clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The curvature is that of a majorant: on fixed directions, no step of its inverse ever climbs. (With
    /// several source classes the repulsion has kinks, and climbs are rare, not impossible.)
    #[test]
    fn adaptive_steps_descend(
        size in 1usize..9,
        targets in prop::collection::vec(1usize..6, 1..4),
        dim in 1usize..6,
        kernel in 0usize..3,
        scale in -3i32..4,
        seed in 0u64..1000,
    ) {
        let kernel = match kernel {
            0 => riesz(),
            1 => Gaussian::new(2.0 * 100f64.powi(scale)).unwrap().into(),
            _ => InverseMultiquadric::new(3.0 * 100f64.powi(scale)).unwrap().into(),
        };
        let scaled = |measure: Measure| {
            let points = measure.points().iter().map(|v| v * 10f64.powi(scale)).collect();
            let sizes: Vec<usize> = (0..measure.class_count()).map(|c| measure.class_size(c)).collect();
            Measure::uniform(points, measure.dim(), &sizes).unwrap()
        };
        let (p, q) = (scaled(measure(&[size], dim, seed)), scaled(measure(&targets, dim, seed + 1)));
        let mut mmd = MmdSw::new(&p, &q, kernel, PLAN).unwrap().with_redraw(Redraw::Never);
        let plain = Scheme::heavy_ball(0.0, Decay::Constant).unwrap();
        let (values, stop, _) = run(&flow(plain, StepSize::Adaptive(1.0), Decay::Constant, 40), &p, &mut mmd);
        let diverged = matches!(stop, StopReason::Diverged { .. });
        prop_assert!(!diverged);
        for (step, pair) in values.windows(2).enumerate() {
            let slack = 1e-9 * values[0].abs();
            prop_assert!(pair[1] <= pair[0] + slack, "step {step}: {} after {}", pair[1], pair[0]);
        }
    }
}

#[test]
fn every_scheme_arrives() {
    let (p, q) = (measure(&[8, 8, 8], 3, 3), measure(&[8, 8, 8], 3, 4));
    let adaptive = StepSize::Adaptive(1.0);
    for (name, scheme, size, decay) in [
        ("plain", Scheme::heavy_ball(0.0, Decay::Constant), adaptive, Decay::Constant),
        ("heavy ball", Scheme::heavy_ball(0.7, Decay::Linear), StepSize::Adaptive(1.5), Decay::Constant),
        ("nesterov", Scheme::nesterov(0.8, Decay::Linear), adaptive, Decay::Constant),
        ("adam", Scheme::adam(0.9, 0.999), StepSize::Fixed(0.1), Decay::Cosine),
        ("l-bfgs", Scheme::lbfgs(10), adaptive, Decay::Constant),
    ] {
        let flow = flow(scheme.unwrap(), size, decay, 400);
        let mut mmd = MmdSw::new(&p, &q, riesz(), PLAN).unwrap().with_redraw(Redraw::Never);
        let (values, _, _) = run(&flow, &p, &mut mmd);
        let last = values[values.len() - 1];
        // Few directions leave local minima.
        assert!(last < 0.06 * values[0], "{name}: {} to {last}", values[0]);
    }
}

/// It learns the curvature from how the velocity changes: a first guess too small costs it little.
#[test]
fn lbfgs_needs_fewer_evaluations_than_descent() {
    let (p, q) = (measure(&[12], 4, 6), measure(&[12], 4, 7));
    let kernel = Kernel::from(Gaussian::new(20.0).unwrap());
    let until = |scheme: Scheme| {
        let mut mmd = MmdSw::new(&p, &q, kernel, PLAN).unwrap().with_redraw(Redraw::Never);
        let (values, _, _) =
            run(&flow(scheme, StepSize::Adaptive(0.02), Decay::Constant, 3000), &p, &mut mmd);
        let last = values[values.len() - 1];
        values.iter().position(|value| *value < last + 1e-6 * values[0]).unwrap_or(usize::MAX)
    };
    let quasi_newton = until(Scheme::lbfgs(10).unwrap());
    let descent = until(Scheme::heavy_ball(0.0, Decay::Constant).unwrap());
    assert!(quasi_newton < 100 && 4 * quasi_newton < descent, "{quasi_newton} and {descent}");
}

/// Backtracking: a first step far too long is taken back.
#[test]
fn lbfgs_shortens_steps_that_climb() {
    let (p, q) = (measure(&[6], 2, 6), measure(&[6], 2, 7));
    let kernel = Kernel::from(Gaussian::new(5.0).unwrap());
    let mut mmd = MmdSw::new(&p, &q, kernel, PLAN).unwrap().with_redraw(Redraw::Never);
    let flow = flow(Scheme::lbfgs(5).unwrap(), StepSize::Adaptive(1e3), Decay::Constant, 300);
    let (values, _, _) = run(&flow, &p, &mut mmd);
    assert!(values[1] > values[0], "the first step was meant to climb: {} {}", values[0], values[1]);
    assert!(values[values.len() - 1] < 0.01 * values[0], "{values:?}");
}

#[test]
fn adaptive_steps_know_no_scale() {
    let (p, q) = (measure(&[5, 7], 3, 1), measure(&[6, 4], 3, 2));
    let times = |measure: &Measure, factor: f64| {
        let sizes: Vec<usize> = (0..measure.class_count()).map(|c| measure.class_size(c)).collect();
        let points = measure.points().iter().map(|v| v * factor).collect();
        Measure::uniform(points, measure.dim(), &sizes).unwrap()
    };
    let end = |factor: f64| {
        let (p, q) = (times(&p, factor), times(&q, factor));
        let mut mmd = MmdSw::new(&p, &q, riesz(), PLAN).unwrap();
        let scheme = Scheme::heavy_ball(0.7, Decay::Linear).unwrap();
        run(&flow(scheme, StepSize::Adaptive(1.5), Decay::Constant, 20), &p, &mut mmd).2
    };
    let one = end(1.0);
    for factor in [1e3, 1e-4] {
        let close = |(x, y): (&f64, &f64)| (x / factor - y).abs() < 1e-7;
        assert!(end(factor).points().iter().zip(one.points()).all(close));
    }
}

#[test]
fn a_restored_state_goes_on_to_the_same_bits() {
    let (p, q) = (measure(&[5, 7], 3, 1), measure(&[6, 4], 3, 2));
    for scheme in [
        Scheme::heavy_ball(0.7, Decay::Linear).unwrap(),
        Scheme::nesterov(0.8, Decay::Cosine).unwrap(),
        Scheme::adam(0.9, 0.999).unwrap(),
        Scheme::lbfgs(3).unwrap(),
    ] {
        let mut flow = flow(scheme, StepSize::Adaptive(0.5), Decay::Constant, 30);
        flow.settle = Some(Settle::new(7).unwrap());
        let functional = || MmdSw::new(&p, &q, riesz(), PLAN).unwrap().with_redraw(Redraw::Never);
        let mut whole = FlowState::new(p.clone());
        let mut records = Vec::new();
        flow.run(&mut whole, &mut functional(), |record, _| {
            records.push(*record);
            ControlFlow::Continue(())
        });
        for stop in [1, 6, 7, 8].into_iter().filter(|stop| *stop < records.len() as u64) {
            let mut part = FlowState::new(p.clone());
            flow.run(&mut part, &mut functional(), |record, _| match record.step == stop {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            });
            let reference = part.reference().map(<[f64]>::to_vec);
            let (particles, memory) = (part.particles().clone(), part.memory().clone());
            let mut part = FlowState::restore(particles, memory, reference, part.step()).unwrap();
            let mut rest = Vec::new();
            flow.run(&mut part, &mut functional(), |record, _| {
                rest.push(*record);
                ControlFlow::Continue(())
            });
            assert_eq!(rest, records[stop as usize..], "{scheme:?} from {stop}");
            assert_eq!(part, whole, "{scheme:?} from {stop}");
        }
    }
    let memory = wowflow::flow::Memory { vectors: vec![vec![0.0; 3]], numbers: vec![] };
    assert!(FlowState::restore(p, memory, None, 0).is_err());
}

#[test]
fn a_flow_that_no_longer_descends_is_settled() {
    // Unequal sizes: the MMD cannot reach 0, and steps of one size chatter.
    let (p, q) = (measure(&[5, 7], 3, 1), measure(&[9, 11], 3, 2));
    let scheme = Scheme::heavy_ball(0.0, Decay::Constant).unwrap();
    let mut flow = flow(scheme, StepSize::Fixed(2.0), Decay::Constant, 2000);
    let mut mmd = MmdSw::new(&p, &q, riesz(), SlicingPlan { count: 64, ..PLAN }).unwrap();
    assert_eq!(run(&flow, &p, &mut mmd).1, StopReason::StepsDone);
    flow.settle = Some(Settle::new(20).unwrap());
    let (values, stop, settled) = run(&flow, &p, &mut mmd);
    assert_eq!(stop, StopReason::Settled);
    assert!((40..1500).contains(&values.len()), "{}", values.len());
    // It did not stop on the way down.
    assert!(mmd.mmd2_held_out(&settled) < 0.2 * mmd.mmd2_held_out(&p));
    let mut pooled = PooledMmd::new(&p, &q).unwrap();
    assert_eq!(run(&flow, &p, &mut pooled).1, StopReason::Settled);
}

/// The change of the value on shared directions is known better than from two estimates apart.
#[test]
fn paired_changes_are_sharper_than_estimates_apart() {
    let (p, q) = (measure(&[20, 20], 10, 1), measure(&[20, 20], 10, 2));
    let mut moved = p.clone();
    moved.points_mut().iter_mut().for_each(|v| *v *= 1.01);
    let mut mmd =
        MmdSw::new(&p, &q, riesz(), SlicingPlan { slicing: Slicing::Gaussian, count: 320, seed: 1 }).unwrap();
    let change = mmd.change(&p, &moved, 3);
    let (before, after) = (mmd.mmd2_estimate(&p, 4), mmd.mmd2_estimate(&moved, 4));
    assert!((change.value - 0.5 * (after.value - before.value)).abs() < 1e-12);
    let apart = 0.5 * before.standard_error.hypot(after.standard_error);
    assert!(change.standard_error > 0.0 && change.standard_error < 0.3 * apart);
}

#[test]
fn debiased_batches_have_the_right_mean_and_plain_ones_do_not() {
    let (p, q) = (measure(&[30, 30], 3, 3), measure(&[40, 60], 3, 1));
    // A kernel that is nearly linear in SW_2^2: the mean of values is the value at the mean.
    let kernel = Kernel::from(Gaussian::new(1e5).unwrap());
    let plan = SlicingPlan { slicing: Slicing::Orthonormal, count: 60, seed: 2 };
    let mut velocity = vec![0.0; p.points().len()];
    let mut whole = MmdSw::new(&p, &q, kernel, plan).unwrap().with_redraw(Redraw::Never);
    let exact = whole.evaluate(&p, 0, &mut velocity).value;
    let mut mean = |estimator: BatchEstimator| {
        let mmd = MmdSw::new(&p, &q, kernel, plan).unwrap().with_redraw(Redraw::Never);
        let mut mmd = mmd.with_batches(&p, MiniBatches { size: 10, estimator }).unwrap();
        let values: Vec<f64> = (0..400).map(|step| mmd.evaluate(&p, step, &mut velocity).value).collect();
        wowflow::stats::estimate::Estimate::of_mean(&values)
    };
    let (plain, debiased) = (mean(BatchEstimator::Plain), mean(BatchEstimator::Debiased));
    let off = |found: &wowflow::stats::estimate::Estimate| (found.value / exact - 1.0).abs();
    assert!(off(&debiased) < 0.04 && off(&plain) > 2.0 * off(&debiased), "{exact} {plain:?} {debiased:?}");
}

/// With the smallest force that a class feels, and the largest noise.
#[test]
fn flows_on_batches_arrive() {
    let (p, q) = (measure(&[20, 20], 3, 3), measure(&[40, 60], 3, 1));
    for estimator in [BatchEstimator::Plain, BatchEstimator::Debiased] {
        let mmd = MmdSw::new(&p, &q, riesz(), PLAN).unwrap();
        let mut mmd = mmd.with_batches(&p, MiniBatches { size: 10, estimator }).unwrap();
        let start = mmd.mmd2_held_out(&p);
        let scheme = Scheme::heavy_ball(0.7, Decay::Linear).unwrap();
        let (_, stop, end) = run(&flow(scheme, StepSize::Adaptive(1.5), Decay::Cosine, 200), &p, &mut mmd);
        let end = mmd.mmd2_held_out(&end);
        assert!(
            stop == StopReason::StepsDone && end < 0.1 * start,
            "{estimator:?}: {start} to {end}, {stop:?}"
        );
    }
}

/// Wherever it is stopped, a flow by L-BFGS does not end at a trial that climbed.
#[test]
fn lbfgs_never_ends_above_where_it_was() {
    let (p, q) = (measure(&[8, 8], 2, 3), measure(&[8, 8], 2, 4));
    for size in [StepSize::Adaptive(1.0), StepSize::Adaptive(1e3), StepSize::Fixed(1e30)] {
        for steps in 1..25 {
            let mut mmd = MmdSw::new(&p, &q, riesz(), PLAN).unwrap().with_redraw(Redraw::Never);
            let flow = flow(Scheme::lbfgs(5).unwrap(), size, Decay::Constant, steps);
            let (values, stop, _) = run(&flow, &p, &mut mmd);
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            let last = values[values.len() - 1];
            assert!(!matches!(stop, StopReason::Diverged { .. }), "{size:?}, {steps} steps: {stop:?}");
            assert!(last <= least + 1e-12, "{size:?}, {steps} steps: {last} above {least}");
        }
    }
}

#[test]
fn whole_batches_are_the_target() {
    let (p, q) = (measure(&[6, 6], 3, 3), measure(&[5, 4], 3, 1));
    let (mut whole, mut drawn) = (vec![0.0; 36], vec![0.0; 36]);
    let mut mmd = MmdSw::new(&p, &q, riesz(), PLAN).unwrap();
    let expected = mmd.evaluate(&p, 4, &mut whole).value;
    for estimator in [BatchEstimator::Plain, BatchEstimator::Debiased] {
        let mut mmd = MmdSw::new(&p, &q, riesz(), PLAN).unwrap();
        mmd = mmd.with_batches(&p, MiniBatches { size: 100, estimator }).unwrap();
        let found = mmd.evaluate(&p, 4, &mut drawn).value;
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        assert!(whole.iter().zip(&drawn).all(|(x, y)| (x - y).abs() < 1e-10));
    }
    let laplace = Kernel::from(Laplace::new(1.0).unwrap());
    let mmd = MmdSw::new(&p, &q, laplace, PLAN).unwrap();
    let refused = mmd.with_batches(&p, MiniBatches { size: 2, estimator: BatchEstimator::Debiased });
    assert!(refused.unwrap_err().to_string().contains("SW_1"));
    let mmd = MmdSw::new(&p, &q, riesz(), PLAN).unwrap();
    assert!(mmd.with_batches(&p, MiniBatches { size: 0, estimator: BatchEstimator::Plain }).is_err());
}

#[test]
fn bad_parameters_are_refused() {
    assert!(Scheme::heavy_ball(1.0, Decay::Constant).is_err());
    assert!(Scheme::nesterov(-0.1, Decay::Constant).is_err());
    assert!(Scheme::adam(0.9, f64::NAN).is_err());
    assert_eq!(Scheme::lbfgs(0).unwrap_err().to_string(), "expected pairs at least 1, found 0");
}
