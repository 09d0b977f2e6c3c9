//! Transport between datasets and the labels it gives to flowed classes.

use std::sync::atomic::{AtomicBool, Ordering};

use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::exact::{CostMatrix, OtError, solve, squared_euclidean, w2_pow};
use wowflow::ot::labels::{labels_from_coupling, match_classes, nearest_neighbour_votes};
use wowflow::ot::wow::{KeepPlans, wow2, wow2_pow, wow2_pow_until};
use wowflow::rng::{Purpose, Stream};

fn noise(len: usize, step: u64) -> Vec<f64> {
    let mut values = vec![0.0; len];
    Stream::new(21, Purpose::Test, step).normals(0, &mut values);
    values
}

fn weights(len: usize, step: u64) -> Vec<f64> {
    let stream = Stream::new(22, Purpose::Test, step);
    (0..len as u64).map(|i| stream.uniform(i) + 0.05).collect()
}

fn dataset(sizes: &[usize], dim: usize, step: u64) -> MeasureOverMeasures<f64> {
    let samples: usize = sizes.iter().sum();
    let (inner, outer) = (weights(samples, step), weights(sizes.len(), step + 1));
    MeasureOverMeasures::new(noise(samples * dim, step), dim, sizes, Some(&inner), Some(&outer)).unwrap()
}

#[test]
fn class_costs_and_plans_are_those_of_the_classes() {
    let (p, q) = (dataset(&[5, 1, 8], 3, 1), dataset(&[4, 6], 3, 2));
    let result = wow2_pow(&p, &q, KeepPlans::Yes).unwrap();
    assert_eq!((result.class_costs.rows(), result.class_costs.cols()), (3, 2));
    let mut value = 0.0;
    for c in 0..3 {
        for d in 0..2 {
            let (x, a) = (p.class_points(c), p.class_weights(c));
            let (y, b) = (q.class_points(d), q.class_weights(d));
            assert_eq!(Ok(result.class_costs.get(c, d)), w2_pow(x, a, y, b, 3));
            let plan = result.plan(c, d).unwrap();
            let cost = squared_euclidean(x, y, 3).unwrap();
            assert!((plan.cost(&cost) - result.class_costs.get(c, d)).abs() < 1e-14);
            value += result.outer.to_dense()[c * 2 + d] * result.class_costs.get(c, d);
        }
    }
    assert!((value - result.value).abs() < 1e-14 && result.gap < 1e-13);
    assert_eq!(result.plan(0, 2), None);
    for (mass, weight) in result.outer.row_masses().iter().zip(p.outer_weights()) {
        assert!((mass - weight).abs() < 1e-15);
    }
    let without = wow2_pow(&p, &q, KeepPlans::No).unwrap();
    assert_eq!((without.value, without.plans), (result.value, None));
}

#[test]
fn wow2_is_a_metric_on_datasets() {
    let sets = [dataset(&[5, 3, 8], 2, 1), dataset(&[4, 6], 2, 3), dataset(&[2, 2, 7, 1], 2, 5)];
    for p in &sets {
        assert_eq!(wow2(p, p), Ok(0.0));
        for q in &sets {
            assert!((wow2(p, q).unwrap() - wow2(q, p).unwrap()).abs() < 1e-13);
            for r in &sets {
                assert!(wow2(p, r).unwrap() <= wow2(p, q).unwrap() + wow2(q, r).unwrap() + 1e-7);
            }
        }
    }
    // The order of the classes does not matter.
    let points = noise(12, 9);
    let swapped = [&points[4..], &points[..4]].concat();
    let p = MeasureOverMeasures::uniform(points, 2, &[2, 4]).unwrap();
    let q = MeasureOverMeasures::uniform(swapped, 2, &[4, 2]).unwrap();
    assert_eq!(wow2(&p, &q), Ok(0.0));
}

#[test]
fn a_common_translation_of_all_classes_is_its_own_distance() {
    let p = MeasureOverMeasures::uniform(vec![0.0, 0.0, 40.0, 1.0, 90.0, 3.0], 2, &[1, 1, 1]).unwrap();
    let moved = p.points().iter().map(|v| v + 2.0).collect();
    let q = MeasureOverMeasures::uniform(moved, 2, &[1, 1, 1]).unwrap();
    assert_eq!(wow2_pow(&p, &q, KeepPlans::No).unwrap().value, 8.0);
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let (p, q) = (dataset(&[15, 11, 8, 9], 4, 1), dataset(&[12, 6, 9], 4, 2));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (wow2_pow(&p, &q, KeepPlans::Yes).unwrap(), nearest_neighbour_votes(&p, &q).unwrap()))
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
}

#[test]
fn labels_follow_the_coupling_not_the_nearest_class() {
    // Both flowed classes are nearest to target 0; only one can have it.
    let costs = CostMatrix::new(2, 2, vec![1.0, 2.0, 1.5, 9.0]).unwrap();
    let labels = labels_from_coupling(&costs, &solve(&costs, None, None).unwrap().coupling);
    assert_eq!((labels.target, labels.ambiguity), (vec![1, 0], vec![0.0, 0.0]));
}

#[test]
fn labels_work_for_any_numbers_of_classes() {
    // Three flowed classes on two targets: the middle one is shared evenly, and nearer to target 1.
    let costs = CostMatrix::new(3, 2, vec![0.0, 10.0, 5.0, 4.0, 10.0, 0.0]).unwrap();
    let labels = labels_from_coupling(&costs, &solve(&costs, None, None).unwrap().coupling);
    assert_eq!(labels.target, [0, 1, 1]);
    assert!(labels.ambiguity[0] == 0.0 && (labels.ambiguity[1] - 0.5).abs() < 1e-12);
    // Two flowed classes on four targets: each gets two; equal masses and costs: the smaller index.
    let costs = CostMatrix::new(2, 4, vec![1.0, 9.0, 1.0, 9.0, 9.0, 1.0, 9.0, 1.0]).unwrap();
    let labels = labels_from_coupling(&costs, &solve(&costs, None, None).unwrap().coupling);
    assert_eq!((labels.target, labels.ambiguity), (vec![0, 1], vec![0.5, 0.5]));
    // A class without weight takes the nearest target.
    let costs = CostMatrix::new(2, 2, vec![1.0, 2.0, 3.0, 1.0]).unwrap();
    let outer = solve(&costs, Some(&[1.0, 0.0]), None).unwrap().coupling;
    let labels = labels_from_coupling(&costs, &outer);
    assert_eq!((labels.target, labels.ambiguity), (vec![0, 1], vec![0.5, 1.0]));
}

#[test]
fn flowed_classes_find_the_classes_they_flowed_to() {
    let centres = [0.0, 30.0, 60.0, 90.0];
    let around = |order: &[usize], size: usize, step: u64| {
        let mut points = noise(order.len() * size, step);
        for (points, &class) in points.chunks_mut(size).zip(order) {
            points.iter_mut().for_each(|v| *v += centres[class]);
        }
        MeasureOverMeasures::uniform(points, 1, &vec![size; order.len()]).unwrap()
    };
    let (flowed, target) = (around(&[2, 0, 3, 1], 9, 1), around(&[0, 1, 2, 3], 5, 2));
    let labels = match_classes(&wow2_pow(&flowed, &target, KeepPlans::No).unwrap());
    assert_eq!((labels.target, labels.ambiguity), (vec![2, 0, 3, 1], vec![0.0; 4]));
    let votes = nearest_neighbour_votes(&flowed, &target).unwrap();
    assert_eq!(votes.target, [2, 0, 3, 1]);
    assert_eq!(votes.votes[..4], [0, 0, 9, 0]);
    assert!(votes.nearest.iter().zip(&votes.nearest_class).all(|(sample, class)| sample / 5 == *class));
}

#[test]
fn votes_match_a_plain_search() {
    let (flowed, target) = (dataset(&[40, 33], 6, 1), dataset(&[20, 1, 30], 6, 2));
    let votes = nearest_neighbour_votes(&flowed, &target).unwrap();
    let cost = squared_euclidean(flowed.points(), target.points(), 6).unwrap();
    for (i, &nearest) in votes.nearest.iter().enumerate() {
        let row = cost.row(i);
        assert_eq!(Some(nearest), (0..row.len()).min_by(|&j, &k| row[j].total_cmp(&row[k])));
    }
    assert_eq!(votes.votes.iter().sum::<usize>(), 73);
}

#[test]
fn ties_of_votes_and_points_without_weight() {
    // Sample 5 is as near to 4 as to 6: the smaller index. One vote each: the smaller class.
    let target = MeasureOverMeasures::uniform(vec![4.0, 6.0], 1, &[1, 1]).unwrap();
    let flowed = MeasureOverMeasures::uniform(vec![5.0, 7.0], 1, &[2]).unwrap();
    let votes = nearest_neighbour_votes(&flowed, &target).unwrap();
    assert_eq!((votes.nearest, votes.votes, votes.target), (vec![0, 1], vec![1, 1], vec![0]));
    let silent = MeasureOverMeasures::new(vec![5.0, 7.0], 1, &[2], Some(&[0.0, 1.0]), None).unwrap();
    assert_eq!(nearest_neighbour_votes(&silent, &target).unwrap().votes, [0, 1]);
    let unseen = MeasureOverMeasures::new(vec![7.0, 4.0, 6.0], 1, &[1, 2], Some(&[1.0, 1.0, 0.0]), None);
    let votes = nearest_neighbour_votes(&flowed, &unseen.unwrap()).unwrap();
    assert_eq!((votes.nearest, votes.target), (vec![1, 0], vec![0]));
    let absent = MeasureOverMeasures::new(vec![7.0, 4.0], 1, &[1, 1], None, Some(&[0.0, 1.0])).unwrap();
    assert_eq!(nearest_neighbour_votes(&flowed, &absent).unwrap().nearest, [1, 1]);
}

#[test]
fn datasets_of_different_dimension_are_refused() {
    let (p, q) = (dataset(&[2], 2, 1), dataset(&[2], 3, 2));
    let expected = OtError::DimensionMismatch { left: 2, right: 3 };
    assert_eq!(wow2_pow(&p, &q, KeepPlans::No), Err(expected.clone()));
    assert_eq!(nearest_neighbour_votes(&p, &q), Err(expected));
}

#[test]
fn an_interrupted_distance_is_given_up() {
    let (p, q) = (dataset(&[15, 11], 4, 1), dataset(&[12, 6, 9], 4, 2));
    let flag = AtomicBool::new(true);
    assert_eq!(wow2_pow_until(&p, &q, KeepPlans::No, &flag), Err(OtError::Interrupted));
    flag.store(false, Ordering::Relaxed);
    let found = wow2_pow_until(&p, &q, KeepPlans::Yes, &flag);
    assert_eq!(found, wow2_pow(&p, &q, KeepPlans::Yes));
    assert!(found.unwrap().unique);
}
