//! The functional against the definition, pair by pair and plan by plan, and its velocity against
//! central differences; on ties, zero weights, single samples, unequal sizes and class counts.

use proptest::prelude::*;
use wowflow::directions::{Directions, Slicing};
use wowflow::functional::{Functional, MmdSw, PooledMmd, SlicingPlan};
use wowflow::kernel::{Base, Gaussian, InverseMultiquadric, Kernel, Laplace, Riesz};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::one_d;
use wowflow::ot::sliced::sw_pow;
use wowflow::rng::{Purpose, Stream};

type Measure = MeasureOverMeasures<f64>;

const PLAN: SlicingPlan = SlicingPlan { slicing: Slicing::Gaussian, count: 12, seed: 3 };

fn kernels() -> [Kernel; 5] {
    [
        Gaussian::new(0.7).unwrap().into(),
        Laplace::new(0.5).unwrap().into(),
        InverseMultiquadric::new(0.3).unwrap().into(),
        Riesz::new(1.0, 0.0).unwrap().into(),
        Riesz::new(1.5, 0.1).unwrap().into(),
    ]
}

fn project(points: &[f64], theta: &[f64]) -> Vec<f64> {
    points.chunks(theta.len()).map(|x| x.iter().zip(theta).map(|(a, b)| a * b).sum()).collect()
}

/// Value and velocity straight from the definition: one plan per pair and direction.
fn plain(p: &Measure, q: &Measure, kernel: Kernel, directions: &Directions<f64>) -> (f64, Vec<f64>) {
    let power = if kernel.base() == Base::SquaredSw2 { 2.0 } else { 1.0 };
    let count = directions.count() as f64;
    let mut value = 0.0;
    let mut velocity = vec![0.0; p.points().len()];
    // The P-P term counts each pair twice, the P-Q term once: both give a factor of size 1.
    for (first, second, sign, slope_sign) in [(p, p, 0.5, 1.0), (q, q, 0.5, 0.0), (p, q, -1.0, -1.0)] {
        for (c, e) in (0..first.class_count()).flat_map(|c| (0..second.class_count()).map(move |e| (c, e))) {
            let (x, a) = (first.class_points(c), first.class_weights(c));
            let (y, b) = (second.class_points(e), second.class_weights(e));
            let projected: Vec<_> = (0..directions.count())
                .map(|l| (project(x, directions.row(l)), project(y, directions.row(l))))
                .collect();
            let s = projected.iter().map(|(x, y)| one_d::w_pow(x, a, y, b, power)).sum::<f64>() / count;
            value += sign * first.outer_weights()[c] * second.outer_weights()[e] * kernel.value(s);
            if slope_sign == 0.0 || (slope_sign == 1.0 && c == e) {
                continue;
            }
            let factor = slope_sign * second.outer_weights()[e] * kernel.derivative(s) / count;
            for (l, (x, y)) in projected.iter().enumerate() {
                for piece in one_d::coupling(x, a, y, b) {
                    let (i, j) = (piece.i as usize, piece.j as usize);
                    let own = a.map_or(1.0 / x.len() as f64, |a| a[i]);
                    let gap = x[i] - y[j];
                    let slope = match power {
                        2.0 => 2.0 * gap,
                        _ if gap == 0.0 => 0.0,
                        _ => gap.signum(),
                    };
                    let row = (p.class_range(c).start + i) * p.dim();
                    for (v, t) in velocity[row..row + p.dim()].iter_mut().zip(directions.row(l)) {
                        *v += factor * piece.mass / own * slope * t;
                    }
                }
            }
        }
    }
    (value, velocity)
}

fn noise(len: usize, step: u64) -> Vec<f64> {
    let mut values = vec![0.0; len];
    Stream::new(11, Purpose::Test, step).normals(0, &mut values);
    values
}

fn uniform(sizes: &[usize], dim: usize, step: u64) -> Measure {
    let n: usize = sizes.iter().sum();
    MeasureOverMeasures::uniform(noise(n * dim, step), dim, sizes).unwrap()
}

fn weighted(sizes: &[usize], dim: usize, step: u64) -> Measure {
    let n: usize = sizes.iter().sum();
    let inner: Vec<f64> = noise(n, step + 100).iter().map(|v| v.abs() + 0.05).collect();
    let outer: Vec<f64> = (0..sizes.len()).map(|c| 1.0 + c as f64).collect();
    MeasureOverMeasures::new(noise(n * dim, step), dim, sizes, Some(&inner), Some(&outer)).unwrap()
}

/// Pairs of datasets that cover the shapes of real input and have a gradient; named for messages.
fn smooth_cases() -> Vec<(&'static str, Measure, Measure)> {
    vec![
        ("equal", uniform(&[6, 6, 6], 2, 0), uniform(&[6, 6, 6], 2, 1)),
        ("fewer targets", uniform(&[8, 8], 3, 2), uniform(&[4, 4], 3, 3)),
        ("more targets", uniform(&[3, 3], 3, 2), uniform(&[7, 7], 3, 3)),
        ("ragged", uniform(&[6, 9, 6, 12], 5, 4), uniform(&[6, 7, 11], 5, 5)),
        ("one sample", uniform(&[5, 1, 5], 4, 6), uniform(&[1, 1], 4, 7)),
        ("large classes", uniform(&[40, 37], 2, 8), uniform(&[53, 40], 2, 9)),
        ("weighted", weighted(&[9, 6, 10], 3, 10), weighted(&[10, 4, 13, 9], 3, 11)),
        ("weighted against uniform", weighted(&[9, 6], 3, 12), uniform(&[9, 6], 3, 13)),
        ("uniform against weighted", uniform(&[9, 6], 3, 14), weighted(&[9, 6], 3, 15)),
    ]
}

/// The smooth cases, and zero weights and ties.
fn cases() -> Vec<(&'static str, Measure, Measure)> {
    let zeros = |sizes: &[usize], step: u64| {
        let n: usize = sizes.iter().sum();
        let inner: Vec<f64> = (0..n).map(|i| if i % 3 == 1 { 0.0 } else { 1.0 + i as f64 }).collect();
        MeasureOverMeasures::new(noise(n * 3, step), 3, sizes, Some(&inner), None).unwrap()
    };
    let ties = |sizes: &[usize], step: u64| {
        let n: usize = sizes.iter().sum();
        let points = noise(n * 2, step).iter().map(|v| v.round()).collect();
        MeasureOverMeasures::uniform(points, 2, sizes).unwrap()
    };
    // One class of the target is almost one of the source: its distance to that is 1e-12 of its variance.
    let close = |steps: u64| {
        let m = weighted(&[9, 6, 8, 7], 3, 20);
        let points =
            (m.points().iter().zip(noise(m.points().len(), 21))).enumerate().map(|(k, (x, shift))| {
                x + if k < 27 { 1e-6 * steps as f64 * shift } else { steps as f64 * shift }
            });
        let inner: Vec<f64> = (0..4).flat_map(|c| m.class_weights(c).unwrap().to_vec()).collect();
        MeasureOverMeasures::new(points.collect(), 3, &[9, 6, 8, 7], Some(&inner), None).unwrap()
    };
    let mut cases = smooth_cases();
    cases.push(("weighted, almost equal", close(0), close(1)));
    cases.push(("zero weights", zeros(&[9, 7], 16), zeros(&[8, 5], 17)));
    cases.push(("ties", ties(&[6, 6, 9], 18), ties(&[6, 8], 19)));
    cases
}

/// Own mass `a_{c,i}` of every sample, and the outer weight of its class.
fn masses(m: &Measure) -> Vec<(f64, f64)> {
    (0..m.class_count())
        .flat_map(|c| (0..m.class_size(c)).map(move |i| (c, i)))
        .map(|(c, i)| {
            let own = m.class_weights(c).map_or(1.0 / m.class_size(c) as f64, |a| a[i]);
            (own, m.outer_weights()[c])
        })
        .collect()
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, message: &str) {
    let scale = expected.iter().fold(1e-3, |m: f64, v| m.max(v.abs()));
    for (at, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance * scale, "{message}, entry {at}: found {f}, expected {e}");
    }
}

#[test]
fn fast_and_plain_agree_on_every_shape_and_kernel() {
    for (name, p, q) in cases() {
        let directions = Directions::draw(Slicing::Gaussian, 12, p.dim(), 5, 0).unwrap();
        for kernel in kernels() {
            let mut velocity = vec![0.0; p.points().len()];
            let mut fast = MmdSw::new(&p, &q, kernel, PLAN).unwrap();
            let value = fast.evaluate_along(&p, &directions, &mut velocity);
            let (expected, mut plain_velocity) = plain(&p, &q, kernel, &directions);
            assert!((value - expected).abs() < 1e-12, "{name}, {kernel:?}: {value} {expected}");
            assert!(velocity.iter().all(|v| v.is_finite()), "{name}, {kernel:?}");
            // Samples without mass have no gradient by definition; ours follow the quantile.
            for (sample, (own, _)) in masses(&p).iter().enumerate().filter(|(_, m)| m.0 == 0.0) {
                assert_eq!(*own, 0.0);
                let range = sample * p.dim()..(sample + 1) * p.dim();
                plain_velocity[range.clone()].copy_from_slice(&velocity[range]);
            }
            assert_close(&velocity, &plain_velocity, 1e-10, &format!("{name}, {kernel:?}"));
        }
    }
}

#[test]
fn velocities_are_central_differences_over_the_mass() {
    for (name, p, q) in smooth_cases() {
        let directions = Directions::draw(Slicing::Gaussian, 12, p.dim(), 6, 0).unwrap();
        for kernel in kernels() {
            let mut functional = MmdSw::new(&p, &q, kernel, PLAN).unwrap();
            let mut velocity = vec![0.0; p.points().len()];
            functional.evaluate_along(&p, &directions, &mut velocity);
            let mut unused = velocity.clone();
            for (sample, (own, outer)) in masses(&p).into_iter().enumerate().step_by(4) {
                let k = sample * p.dim();
                let mut along = |step: f64| {
                    let mut moved = p.clone();
                    moved.points_mut()[k] += step;
                    functional.evaluate_along(&moved, &directions, &mut unused)
                };
                let expected = (along(1e-6) - along(-1e-6)) / 2e-6 / (outer * own);
                let found = velocity[k];
                assert!(
                    (found - expected).abs() < 2e-6 * (1.0 + expected.abs()),
                    "{name}, {kernel:?}, sample {sample}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn single_precision_follows_double() {
    for (name, p, q) in smooth_cases() {
        let narrow = |m: &Measure| {
            let points = m.points().iter().map(|v| *v as f32).collect();
            let sizes: Vec<usize> = (0..m.class_count()).map(|c| m.class_size(c)).collect();
            let inner: Vec<f64> = masses(m).iter().map(|m| m.0).collect();
            MeasureOverMeasures::new(points, m.dim(), &sizes, Some(&inner), Some(m.outer_weights())).unwrap()
        };
        let (p32, q32) = (narrow(&p), narrow(&q));
        for kernel in kernels() {
            let mut velocity = vec![0.0; p.points().len()];
            let value = MmdSw::new(&p, &q, kernel, PLAN).unwrap().evaluate(&p, 4, &mut velocity).value;
            let mut velocity32 = vec![0.0f32; p.points().len()];
            let value32 =
                MmdSw::new(&p32, &q32, kernel, PLAN).unwrap().evaluate(&p32, 4, &mut velocity32).value;
            assert!((value - value32).abs() < 1e-6, "{name}, {kernel:?}: {value} {value32}");
            let widened: Vec<f64> = velocity32.iter().map(|v| f64::from(*v)).collect();
            assert_close(&widened, &velocity, 2e-5, &format!("{name}, {kernel:?}"));
        }
    }
}

#[test]
fn drawn_directions_are_those_of_the_matrix() {
    // Structured directions never are a matrix in a step; the matrix of them must say the same.
    for (name, p, q) in cases() {
        for kernel in kernels() {
            for (slicing, count) in
                [(Slicing::Gaussian, 37), (Slicing::Orthonormal, 37), (Slicing::Hadamard, 37)]
            {
                let plan = SlicingPlan { slicing, count, seed: 3 };
                let mut mmd = MmdSw::new(&p, &q, kernel, plan).unwrap();
                let mut fast = vec![0.0; p.points().len()];
                let mut plain = fast.clone();
                let value = mmd.evaluate(&p, 5, &mut fast).value;
                let directions = Directions::draw(slicing, count, p.dim(), 3, 5).unwrap();
                let expected = mmd.evaluate_along(&p, &directions, &mut plain);
                assert!((value - expected).abs() < 1e-10 * (1.0 + expected), "{name}, {slicing:?}");
                assert_close(&fast, &plain, 1e-9, &format!("{name}, {kernel:?}, {slicing:?}"));
            }
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    for (name, p, q) in cases() {
        for kernel in kernels() {
            let run = |threads: usize, slicing: Slicing| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let mut velocity = vec![0.0; p.points().len()];
                    let plan = SlicingPlan { slicing, count: 70, seed: 3 };
                    let value =
                        MmdSw::new(&p, &q, kernel, plan).unwrap().evaluate(&p, 1, &mut velocity).value;
                    let pooled = PooledMmd::new(&p, &q).unwrap().mmd2(&p);
                    (value.to_bits(), pooled.to_bits(), velocity)
                })
            };
            for slicing in [Slicing::Gaussian, Slicing::Orthonormal, Slicing::Hadamard] {
                let one = run(1, slicing);
                assert!(run(2, slicing) == one && run(3, slicing) == one, "{name}, {kernel:?}, {slicing:?}");
            }
        }
    }
}

#[test]
fn many_classes_match_the_double_sum_on_any_number_of_threads() {
    // So many that directions are compared in groups, and pairs summed in several parts.
    let (p, q) = (uniform(&[33; 300], 3, 1), uniform(&[33; 310], 3, 2));
    let directions = Directions::draw(Slicing::Gaussian, 50, 3, 4, 0).unwrap();
    let kernel = Kernel::from(Riesz::new(1.0, 0.0).unwrap());
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut velocity = vec![0.0; p.points().len()];
            let mut mmd = MmdSw::new(&p, &q, kernel, SlicingPlan { count: 50, ..PLAN }).unwrap();
            let value = mmd.evaluate_along(&p, &directions, &mut velocity);
            (value.to_bits(), velocity, mmd.distances(&p, &directions, Base::SquaredSw2))
        })
    };
    let (value, velocity, distances) = run(1);
    assert!(run(3) == (value, velocity, distances.clone()));
    let mean = |matrix: &[f64]| matrix.iter().map(|s| kernel.value(*s)).sum::<f64>() / matrix.len() as f64;
    let expected = 0.5 * (mean(&distances.source_source) + mean(&distances.target_target))
        - mean(&distances.source_target);
    assert!((f64::from_bits(value) - expected).abs() < 1e-12, "{} {expected}", f64::from_bits(value));
    for (c, d) in [(0, 0), (0, 309), (137, 252), (299, 0), (299, 309)] {
        let (x, y) = (&p.points()[p.class_range(c).start * 3..], &q.points()[q.class_range(d).start * 3..]);
        let expected = sw_pow(&x[..99], None, &y[..99], None, &directions, 2.0).value;
        let found = distances.source_target[c * 310 + d];
        assert!((found - expected).abs() < 1e-12 * (1.0 + expected), "{c} {d}: {found} {expected}");
    }
}

#[test]
fn a_dataset_is_at_distance_zero_from_itself_and_stays() {
    for (name, p, _) in cases() {
        for kernel in kernels() {
            let mut velocity = vec![1.0; p.points().len()];
            let value = MmdSw::new(&p, &p, kernel, PLAN).unwrap().evaluate(&p, 0, &mut velocity).value;
            assert!(value.abs() < 1e-14, "{name}, {kernel:?}: {value}");
            // Samples without mass do not count: they are free to go where the quantile is.
            for (v, (own, _)) in velocity.chunks(p.dim()).zip(masses(&p)).filter(|(_, m)| m.0 > 0.0) {
                assert!(v.iter().all(|v| v.abs() < 1e-12), "{name}, {kernel:?}, mass {own}");
            }
        }
    }
}

#[test]
fn energy_dissipates_at_the_rate_of_the_squared_velocity() {
    // dF/dt = - sum_c w_c sum_i a_ci |v_ci|^2 along the flow, for fixed directions.
    for (name, p, q) in smooth_cases() {
        let directions = Directions::draw(Slicing::Orthonormal, 12, p.dim(), 7, 0).unwrap();
        let mut functional = MmdSw::new(&p, &q, Riesz::new(1.0, 0.0).unwrap().into(), PLAN).unwrap();
        let mut velocity = vec![0.0; p.points().len()];
        functional.evaluate_along(&p, &directions, &mut velocity);
        let squares = velocity.chunks(p.dim()).map(|v| v.iter().map(|v| v * v).sum::<f64>());
        let rate: f64 =
            -squares.zip(masses(&p)).map(|(square, (own, outer))| outer * own * square).sum::<f64>();
        let mut unused = velocity.clone();
        let mut along = |t: f64| {
            let mut moved = p.clone();
            moved.points_mut().iter_mut().zip(&velocity).for_each(|(x, v)| *x -= t * v);
            functional.evaluate_along(&moved, &directions, &mut unused)
        };
        let slope = (along(1e-6) - along(-1e-6)) / 2e-6;
        assert!((slope - rate).abs() < 1e-6 * (1.0 + rate.abs()), "{name}: {slope} {rate}");
    }
}

#[test]
fn the_pooled_baseline_matches_its_definition() {
    let mean = |x: &Measure, y: &Measure| -> f64 {
        let mut sum = 0.0;
        for (u, (a, w)) in x.points().chunks(x.dim()).zip(masses(x)) {
            for (v, (b, o)) in y.points().chunks(y.dim()).zip(masses(y)) {
                let square: f64 = u.iter().zip(v).map(|(s, t)| (s - t) * (s - t)).sum();
                sum += a * w * b * o * square.sqrt();
            }
        }
        sum
    };
    for (name, p, q) in cases() {
        let expected = 2.0 * mean(&p, &q) - mean(&p, &p) - mean(&q, &q);
        let pooled = PooledMmd::new(&p, &q).unwrap();
        let found = pooled.mmd2(&p);
        assert!((found - expected).abs() < 1e-7, "{name}: {found} {expected}");
    }
    for (name, p, q) in smooth_cases() {
        let mut velocity = vec![0.0; p.points().len()];
        PooledMmd::new(&p, &q).unwrap().evaluate(&p, 0, &mut velocity);
        for k in [0, p.points().len() - 1] {
            let along = |step: f64| {
                let mut moved = p.clone();
                moved.points_mut()[k] += step;
                PooledMmd::new(&p, &q).unwrap().mmd2(&moved) / 2.0
            };
            let (own, outer) = masses(&p)[k / p.dim()];
            let slope = (along(1e-5) - along(-1e-5)) / 2e-5 / (own * outer);
            assert!((slope - velocity[k]).abs() < 1e-4, "{name}: {slope} {}", velocity[k]);
        }
    }
}

#[test]
fn spaces_must_agree() {
    let (p, q) = (uniform(&[2], 2, 0), uniform(&[2], 3, 0));
    let kernel = kernels()[0];
    let error = MmdSw::new(&p, &q, kernel, PLAN).unwrap_err();
    assert_eq!(error.to_string(), "expected source and target of the same dimension, found 2 and 3");
    assert!(PooledMmd::new(&p, &q).is_err());
    let plan = SlicingPlan { slicing: Slicing::Equispaced, ..PLAN };
    assert!(MmdSw::new(&q, &q, kernel, plan).is_err());
    assert!(MmdSw::new(&q, &q, kernel, SlicingPlan { count: 0, ..PLAN }).is_err());
}

fn small_measure() -> impl Strategy<Value = Measure> {
    let class = proptest::collection::vec((-6i32..7, -6i32..7, 1u32..4), 1..6);
    proptest::collection::vec(class, 1..4).prop_map(|classes| {
        let sizes: Vec<usize> = classes.iter().map(Vec::len).collect();
        let flat: Vec<_> = classes.into_iter().flatten().collect();
        let points = flat.iter().flat_map(|p| [f64::from(p.0) / 3.0, f64::from(p.1) / 3.0]).collect();
        let inner: Vec<f64> = flat.iter().map(|p| f64::from(p.2)).collect();
        MeasureOverMeasures::new(points, 2, &sizes, Some(&inner), None).unwrap()
    })
}

fn mmd2(p: &Measure, q: &Measure, kernel: Kernel) -> f64 {
    MmdSw::new(p, q, kernel, PLAN).unwrap().mmd2_held_out(p)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn mmd_is_symmetric_and_never_negative(p in small_measure(), q in small_measure(), which in 0usize..5) {
        let (forward, backward) = (mmd2(&p, &q, kernels()[which]), mmd2(&q, &p, kernels()[which]));
        prop_assert!(forward >= -1e-13, "{forward}");
        prop_assert!((forward - backward).abs() < 1e-12, "{forward} {backward}");
    }

    #[test]
    fn atoms_may_be_split_and_classes_reordered(p in small_measure(), q in small_measure(), which in 0usize..5) {
        // Every atom twice with half its weight is the same measure; so is any order of classes.
        let (mut points, mut inner, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for c in (0..p.class_count()).rev() {
            sizes.push(2 * p.class_size(c));
            let uniform = vec![1.0; p.class_size(c)];
            for (x, w) in p.class_points(c).chunks(2).zip(p.class_weights(c).unwrap_or(&uniform)) {
                points.extend_from_slice(x);
                points.extend_from_slice(x);
                inner.extend([*w, *w]);
            }
        }
        let split = MeasureOverMeasures::new(points, 2, &sizes, Some(&inner), None).unwrap();
        let (one, two) = (mmd2(&p, &q, kernels()[which]), mmd2(&split, &q, kernels()[which]));
        prop_assert!((one - two).abs() < 1e-12, "{one} {two}");
    }

    #[test]
    fn translating_both_sides_changes_nothing(p in small_measure(), q in small_measure(), which in 0usize..5) {
        let shift = |m: &Measure| {
            let mut moved = m.clone();
            moved.points_mut().chunks_mut(2).for_each(|x| { x[0] += 4.0; x[1] -= 2.0; });
            moved
        };
        let (one, two) = (mmd2(&p, &q, kernels()[which]), mmd2(&shift(&p), &shift(&q), kernels()[which]));
        prop_assert!((one - two).abs() < 1e-11, "{one} {two}");
    }
}
