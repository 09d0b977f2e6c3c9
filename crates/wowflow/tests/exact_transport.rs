//! Exact transport against brute force, closed forms, its other algorithm and its own certificates.

use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use wowflow::linalg::Threads;
use wowflow::ot::exact::{
    CostMatrix, Method, OtError, Problem, Storage, Transport, solve, solve_by, squared_euclidean, transport,
    w2, w2_pow,
};
use wowflow::rng::{Purpose, Stream};

const METHODS: [Method; 2] = [Method::Shortlists, Method::NetworkSimplex];

fn noise(len: usize, step: u64) -> Vec<f64> {
    let mut values = vec![0.0; len];
    Stream::new(11, Purpose::Test, step).normals(0, &mut values);
    values
}

fn weights(len: usize, step: u64) -> Vec<f64> {
    let stream = Stream::new(12, Purpose::Test, step);
    (0..len as u64).map(|i| stream.uniform(i) + 0.01).collect()
}

/// Whole numbers in `0..levels`: ties everywhere.
fn grid(len: usize, levels: f64, step: u64) -> Vec<f64> {
    let stream = Stream::new(13, Purpose::Test, step);
    (0..len as u64).map(|i| (stream.uniform(i) * levels).floor()).collect()
}

fn largest(cost: &CostMatrix) -> f64 {
    cost.values().iter().fold(0.0, |most, c| c.abs().max(most))
}

/// Everything that makes a result right without knowing it: marginals, feasibility, slackness, gap.
fn certify(result: &Transport, cost: &CostMatrix, a: Option<&[f64]>, b: Option<&[f64]>) {
    let (n, m) = (cost.rows(), cost.cols());
    let scale = largest(cost);
    let check_side = |masses: Vec<f64>, weights: Option<&[f64]>| {
        let uniform = vec![1.0; masses.len()];
        let weights = weights.unwrap_or(&uniform);
        let total: f64 = weights.iter().sum();
        for (mass, weight) in masses.iter().zip(weights) {
            let expected = weight / total;
            assert!((mass - expected).abs() < 2e-15, "mass {mass}, expected {expected}");
            assert!(*weight > 0.0 || *mass == 0.0, "a point without weight has mass {mass}");
        }
    };
    check_side(result.coupling.row_masses(), a);
    check_side(result.coupling.col_masses(), b);
    let atoms = result.coupling.atoms();
    assert!(atoms.len() < n + m && atoms.iter().all(|atom| atom.mass > 0.0));
    assert!(atoms.windows(2).all(|w| (w[0].row, w[0].col) < (w[1].row, w[1].col)));
    for i in 0..n {
        for j in 0..m {
            assert!(result.f[i] + result.g[j] <= cost.get(i, j), "infeasible at ({i}, {j})");
        }
    }
    for atom in atoms {
        let slack = cost.get(atom.row, atom.col) - result.f[atom.row] - result.g[atom.col];
        assert!(slack <= 1e-13 * scale, "slack {slack} on an atom, costs up to {scale}");
    }
    assert!(result.gap >= 0.0 && result.gap <= 1e-13 * scale, "gap {}", result.gap);
    assert!((result.value - result.coupling.cost(cost)).abs() <= 1e-13 * scale);
    let dual: f64 = result.coupling.row_masses().iter().zip(&result.f).map(|(w, f)| w * f).sum::<f64>()
        + result.coupling.col_masses().iter().zip(&result.g).map(|(w, g)| w * g).sum::<f64>();
    assert!((result.value - dual - result.gap).abs() <= 1e-12 * scale);
}

fn certified(cost: &CostMatrix, a: Option<&[f64]>, b: Option<&[f64]>) -> Transport {
    let result = solve(cost, a, b).unwrap();
    certify(&result, cost, a, b);
    result
}

fn cheapest_permutation(cost: &CostMatrix, row: usize, taken: &mut Vec<bool>) -> f64 {
    if row == cost.rows() {
        return 0.0;
    }
    let mut best = f64::INFINITY;
    for j in 0..cost.cols() {
        if !taken[j] {
            taken[j] = true;
            best = best.min(cost.get(row, j) + cheapest_permutation(cost, row + 1, taken));
            taken[j] = false;
        }
    }
    best
}

#[test]
fn both_methods_match_brute_force_over_permutations() {
    for n in 1..=7 {
        for case in 0..12 {
            let step = (n * 100 + case) as u64;
            let values = match case % 3 {
                0 => noise(n * n, step),
                1 => grid(n * n, 3.0, step),
                _ => grid(n * n, 50.0, step),
            };
            let cost = CostMatrix::new(n, n, values).unwrap();
            let expected = cheapest_permutation(&cost, 0, &mut vec![false; n]) / n as f64;
            for method in METHODS {
                let result = solve_by(method, &cost, None, None).unwrap();
                assert_eq!(result.method, method);
                certify(&result, &cost, None, None);
                assert!((result.value - expected).abs() < 1e-14, "{method:?}, n = {n}: {}", result.value);
            }
        }
    }
}

#[test]
fn methods_agree_on_uniform_measures() {
    for (n, dim) in [(40, 1), (60, 2), (90, 3), (50, 50)] {
        let cost = squared_euclidean(&noise(n * dim, 1), &noise(n * dim, 2), dim).unwrap();
        let [assignment, simplex] = METHODS.map(|method| solve_by(method, &cost, None, None).unwrap());
        certify(&assignment, &cost, None, None);
        certify(&simplex, &cost, None, None);
        assert!((assignment.value - simplex.value).abs() < 1e-13 * assignment.value);
        let places = |t: &Transport| t.coupling.atoms().iter().map(|a| (a.row, a.col)).collect::<Vec<_>>();
        assert_eq!(places(&assignment), places(&simplex), "the plan of points in general position is unique");
    }
}

/// `W_2^2` on the line: the cumulative weights of the sorted points, merged.
fn on_the_line(x: &[f64], a: &[f64], y: &[f64], b: &[f64]) -> f64 {
    let sorted = |points: &[f64], weights: &[f64]| {
        let total: f64 = weights.iter().sum();
        let mut pairs: Vec<(f64, f64)> =
            points.iter().copied().zip(weights.iter().map(|w| w / total)).collect();
        pairs.sort_by(|p, q| p.0.total_cmp(&q.0));
        pairs
    };
    let (mut x, mut y) = (sorted(x, a), sorted(y, b));
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while i < x.len() && j < y.len() {
        let mass = x[i].1.min(y[j].1);
        sum += mass * (x[i].0 - y[j].0).powi(2);
        (x[i].1, y[j].1) = (x[i].1 - mass, y[j].1 - mass);
        if x[i].1 <= y[j].1 { i += 1 } else { j += 1 }
    }
    sum
}

#[test]
fn the_line_has_a_closed_form() {
    for (n, m) in [(1, 9), (30, 30), (80, 31), (300, 7)] {
        let (x, y) = (noise(n, 3), noise(m, 4));
        let (a, b) = (weights(n, 5), weights(m, 6));
        let cost = squared_euclidean(&x, &y, 1).unwrap();
        let weighted = certified(&cost, Some(&a), Some(&b)).value;
        assert!((weighted - on_the_line(&x, &a, &y, &b)).abs() < 1e-12 * weighted);
        let uniform = certified(&cost, None, None).value;
        assert!((uniform - on_the_line(&x, &vec![1.0; n], &y, &vec![1.0; m])).abs() < 1e-12 * uniform);
    }
}

#[test]
fn integer_grids_are_solved_exactly() {
    for (n, m, step) in [(36, 36, 1), (64, 16, 2), (50, 75, 3), (120, 120, 4)] {
        let cost = squared_euclidean(&grid(2 * n, 4.0, step), &grid(2 * m, 4.0, step + 50), 2).unwrap();
        let result = certified(&cost, None, None);
        assert_eq!(result.gap, 0.0);
        if n == m {
            let simplex = solve_by(Method::NetworkSimplex, &cost, None, None).unwrap();
            assert_eq!(simplex.gap, 0.0);
            assert!((simplex.value - result.value).abs() < 1e-14 * (1.0 + result.value));
        }
    }
    let constant = CostMatrix::new(30, 20, vec![2.5; 600]).unwrap();
    let result = certified(&constant, Some(&weights(30, 1)), None);
    assert!((result.value - 2.5).abs() < 1e-14);
}

#[test]
fn equal_measures_are_at_distance_zero() {
    let (n, dim) = (60, 3);
    for step in 0..4 {
        let mut x = noise(n * dim, step);
        x.copy_within(0..dim * 10, dim * 25); // duplicated points
        let a = weights(n, step);
        assert_eq!(w2_pow(&x, None, &x, None, dim), Ok(0.0));
        assert_eq!(w2(&x, Some(&a), &x, Some(&a), dim), Ok(0.0));
        let order: Vec<usize> = (0..n).map(|i| i * 7 % n).collect();
        let y: Vec<f64> = order.iter().flat_map(|&i| x[i * dim..(i + 1) * dim].to_vec()).collect();
        let b: Vec<f64> = order.iter().map(|&i| a[i]).collect();
        assert_eq!(w2_pow(&x, None, &y, None, dim), Ok(0.0));
        assert_eq!(w2_pow(&x, Some(&a), &y, Some(&b), dim), Ok(0.0));
        let twice: Vec<f64> = [&x[..], &x[..]].concat();
        assert_eq!(w2_pow(&x, None, &twice, None, dim), Ok(0.0));
    }
    assert_eq!(w2_pow(&[1.0; 12], None, &[1.0; 8], None, 2), Ok(0.0));
}

#[test]
fn weights_stand_for_replication() {
    let dim = 2;
    let counts = [3usize, 1, 4, 1, 5, 2];
    let x = noise(counts.len() * dim, 1);
    let y = noise(11 * dim, 2);
    let replicated: Vec<f64> =
        counts.iter().zip(x.chunks(dim)).flat_map(|(&count, point)| point.repeat(count)).collect();
    let a = counts.map(|count| count as f64);
    let weighted = w2_pow(&x, Some(&a), &y, None, dim).unwrap();
    let plain = w2_pow(&replicated, None, &y, None, dim).unwrap();
    assert!((weighted - plain).abs() < 1e-14 * plain);
    let against_itself = transport(&x, Some(&a), &replicated, None, dim).unwrap();
    assert_eq!((against_itself.value, against_itself.coupling.atoms().len()), (0.0, replicated.len() / dim));
}

#[test]
fn points_without_weight_change_nothing() {
    let (n, m, dim) = (23, 17, 2);
    let cost = squared_euclidean(&noise(n * dim, 1), &noise(m * dim, 2), dim).unwrap();
    let (mut a, mut b) = (weights(n, 3), weights(m, 4));
    a.iter_mut().step_by(4).for_each(|w| *w = 0.0);
    b.iter_mut().skip(1).step_by(3).for_each(|w| *w = 0.0);
    let result = certified(&cost, Some(&a), Some(&b));
    assert!(result.f.iter().chain(&result.g).all(|p| p.is_finite()));
    let kept = |weights: &[f64]| (0..weights.len()).filter(|&i| weights[i] > 0.0).collect::<Vec<_>>();
    let (rows, cols) = (kept(&a), kept(&b));
    let values = rows.iter().flat_map(|&i| cols.iter().map(move |&j| (i, j)));
    let values: Vec<f64> = values.map(|(i, j)| cost.get(i, j)).collect();
    let small = CostMatrix::new(rows.len(), cols.len(), values).unwrap();
    let pick = |weights: &[f64], at: &[usize]| at.iter().map(|&i| weights[i]).collect::<Vec<_>>();
    let reduced = certified(&small, Some(&pick(&a, &rows)), Some(&pick(&b, &cols)));
    assert!((reduced.value - result.value).abs() < 1e-14 * result.value);
    let single = certified(&cost, Some(&[vec![0.0; n - 1], vec![2.0]].concat()), Some(&b));
    assert_eq!(single.coupling.atoms().len(), cols.len());
}

#[test]
fn scales_from_tiny_to_huge_work() {
    let (n, m, dim) = (30, 44, 3);
    let (x, y) = (noise(n * dim, 1), noise(m * dim, 2));
    let (a, b) = (weights(n, 3), weights(m, 4));
    let reference = w2_pow(&x, Some(&a), &y, Some(&b), dim).unwrap();
    for scale in [1e-140, 1e-8, 1e8, 1e140] {
        let scaled = |points: &[f64]| points.iter().map(|v| v * scale).collect::<Vec<_>>();
        let cost = squared_euclidean(&scaled(&x), &scaled(&y), dim).unwrap();
        let value = certified(&cost, Some(&a), Some(&b)).value;
        assert!((value / scale / scale - reference).abs() < 1e-12 * reference);
        let side = n.min(m) * dim;
        certified(&squared_euclidean(&scaled(&x[..side]), &scaled(&y[..side]), dim).unwrap(), None, None);
    }
    // Clouds of size 1 far from the origin: differences keep what a Gram matrix would lose.
    let shifted = |points: &[f64]| points.iter().map(|v| v + 1e8).collect::<Vec<_>>();
    let value = w2_pow(&shifted(&x), Some(&a), &shifted(&y), Some(&b), dim).unwrap();
    assert!((value - reference).abs() < 1e-6 * reference);
}

#[test]
fn weights_of_very_different_size_keep_their_marginals() {
    let (n, m) = (40, 25);
    let a: Vec<f64> = (0..n).map(|i| 10f64.powi(-i % 16)).collect();
    let b: Vec<f64> = (0..m).map(|j| 1.0 + f64::from(j)).collect();
    let cost = squared_euclidean(&noise(2 * n as usize, 1), &noise(2 * m as usize, 2), 2).unwrap();
    let result = certified(&cost, Some(&a), Some(&b));
    let total: f64 = a.iter().sum();
    for (mass, weight) in result.coupling.row_masses().iter().zip(&a) {
        assert!((mass - weight / total).abs() <= 1e-15 * (weight / total) + 1e-17);
    }
}

#[test]
fn single_points_and_lopsided_sizes_work() {
    let one = certified(&CostMatrix::new(1, 1, vec![7.0]).unwrap(), None, None);
    assert_eq!((one.value, one.coupling.to_dense(), one.gap), (7.0, vec![1.0], 0.0));
    let b = weights(45, 1);
    let cost = CostMatrix::new(1, 45, noise(45, 2)).unwrap();
    let expected: f64 = cost.values().iter().zip(&b).map(|(c, w)| c * w).sum::<f64>() / b.iter().sum::<f64>();
    assert!((certified(&cost, None, Some(&b)).value - expected).abs() < 1e-14);
    let cost = squared_euclidean(&noise(300 * 4, 1), &noise(7 * 4, 2), 4).unwrap();
    let result = certified(&cost, None, None);
    let transposed = squared_euclidean(&noise(7 * 4, 2), &noise(300 * 4, 1), 4).unwrap();
    let back = certified(&transposed, None, None);
    assert!((result.value - back.value).abs() < 1e-14 * result.value);
    assert_eq!(result.coupling.transposed().to_dense(), back.coupling.to_dense());
}

#[test]
fn clouds_far_apart_are_as_easy_as_clouds_that_overlap() {
    let (n, dim) = (150, 2);
    let (x, y) = (noise(n * dim, 1), noise(n * dim, 2));
    let moved = |points: &[f64]| points.iter().map(|v| v + 64.0).collect::<Vec<f64>>();
    let translated = w2_pow(&x, None, &moved(&x), None, dim).unwrap();
    assert!((translated - 2.0 * 64.0 * 64.0).abs() < 1e-10);
    let near = transport(&x, None, &y, None, dim).unwrap();
    let far = transport(&x, None, &moved(&y), None, dim).unwrap();
    assert!(far.steps < 2 * near.steps, "{} steps far apart, {} near", far.steps, near.steps);
    assert_eq!(far.coupling, near.coupling);
    let cost = squared_euclidean(&x, &moved(&y), dim).unwrap();
    let by_matrix = certified(&cost, None, None);
    assert!(by_matrix.steps < 2 * near.steps, "{} steps by the matrix", by_matrix.steps);
    let simplex = solve_by(Method::NetworkSimplex, &cost, None, None).unwrap();
    assert!((simplex.value - by_matrix.value).abs() < 1e-13 * simplex.value);
    assert!((far.value - by_matrix.value).abs() < 1e-13 * simplex.value);
}

#[test]
fn negative_costs_are_costs() {
    let values = noise(35 * 20, 9);
    let raised: Vec<f64> = values.iter().map(|c| c + 100.0).collect();
    let a = weights(35, 1);
    let value = certified(&CostMatrix::new(35, 20, values).unwrap(), Some(&a), None).value;
    let higher = certified(&CostMatrix::new(35, 20, raised).unwrap(), Some(&a), None).value;
    assert!(value < 0.0 && (higher - value - 100.0).abs() < 1e-12);
}

#[test]
fn bad_weights_and_methods_are_refused() {
    let cost = CostMatrix::new(2, 2, vec![0.0; 4]).unwrap();
    let refused = |a: &[f64]| solve(&cost, None, Some(a)).unwrap_err().to_string();
    assert_eq!(refused(&[1.0]), "expected 2 weights on the right, found 1");
    assert_eq!(
        refused(&[1.0, -1.0]),
        "expected finite weights of at least 0, found -1 as weight 2 on the right"
    );
    assert_eq!(refused(&[0.0, 0.0]), "expected a positive total weight on the right, found 0");
    assert!(matches!(solve(&cost, Some(&[f64::INFINITY, 1.0]), None), Err(OtError::BadWeight { .. })));
    assert!(solve_by(Method::NetworkSimplex, &cost, Some(&[-1.0, 2.0]), None).is_err());
    for bad in [f64::NAN, f64::INFINITY, 1e200] {
        let found = w2_pow(&[0.0, 1.0, bad], Some(&[1.0, 1.0, 0.0]), &[0.0, 3.0], None, 1);
        assert!(matches!(found, Err(OtError::BadCost { row: 3, col: 1, .. })), "{bad}: {found:?}");
        let found = w2_pow(&[0.0, 3.0], None, &[0.0, bad], None, 1);
        assert!(matches!(found, Err(OtError::BadCost { row: 1, col: 2, .. })), "{bad}: {found:?}");
    }
}

#[test]
fn larger_problems_keep_their_certificates() {
    let (n, m, dim) = (350, 420, 2);
    let cost = squared_euclidean(&noise(n * dim, 1), &noise(m * dim, 2), dim).unwrap();
    certified(&cost, Some(&weights(n, 3)), Some(&weights(m, 4)));
    let cost = squared_euclidean(&noise(300 * 64, 1), &noise(300 * 64, 2), 64).unwrap();
    certified(&cost, None, None);
}

fn cloud() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    // Coordinates on a coarse grid half of the time, and weights that may vanish.
    let coordinate = prop_oneof![(-3i32..3).prop_map(f64::from), -3.0..3.0f64];
    let weight = prop_oneof![Just(0.0), Just(1.0), 0.01..2.0f64];
    (1usize..12).prop_flat_map(move |n| {
        let points = prop::collection::vec(coordinate.clone(), 2 * n);
        let weights = prop::collection::vec(weight.clone(), n).prop_map(|mut weights| {
            weights[0] += 0.5;
            weights
        });
        (points, weights)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn results_are_certified_and_symmetric((x, a) in cloud(), (y, b) in cloud()) {
        let cost = squared_euclidean(&x, &y, 2).unwrap();
        let there = certified(&cost, Some(&a), Some(&b)).value;
        let back = certified(&squared_euclidean(&y, &x, 2).unwrap(), Some(&b), Some(&a)).value;
        prop_assert!((there - back).abs() <= 1e-13 * largest(&cost));
        prop_assert_eq!(w2_pow(&x, Some(&a), &x, Some(&a), 2), Ok(0.0));
    }

    #[test]
    fn the_root_satisfies_the_triangle_inequality((x, a) in cloud(), (y, b) in cloud(), (z, c) in cloud()) {
        let xy = w2(&x, Some(&a), &y, Some(&b), 2).unwrap();
        let yz = w2(&y, Some(&b), &z, Some(&c), 2).unwrap();
        let xz = w2(&x, Some(&a), &z, Some(&c), 2).unwrap();
        prop_assert!(xz <= xy + yz + 1e-7);
    }

    #[test]
    fn order_and_translation_do_not_matter((x, a) in cloud(), (y, b) in cloud(), shift in -4i32..4) {
        let value = w2_pow(&x, Some(&a), &y, Some(&b), 2).unwrap();
        let reversed: Vec<f64> = x.chunks(2).rev().flatten().copied().collect();
        let a_reversed: Vec<f64> = a.iter().rev().copied().collect();
        let other = w2_pow(&reversed, Some(&a_reversed), &y, Some(&b), 2).unwrap();
        prop_assert!((other - value).abs() <= 1e-12 * (1.0 + value));
        let moved = |points: &[f64]| points.iter().map(|v| v + f64::from(shift)).collect::<Vec<_>>();
        let other = w2_pow(&moved(&x), Some(&a), &moved(&y), Some(&b), 2).unwrap();
        prop_assert!((other - value).abs() <= 1e-12 * (1.0 + value));
        // One side moved alone: |shift|^2 a dimension, and a cross term in the means.
        let mean = |points: &[f64], weights: &[f64]| {
            let total: f64 = weights.iter().sum();
            points.chunks(2).zip(weights).map(|(p, w)| (p[0] + p[1]) * w / total).sum::<f64>()
        };
        let by = f64::from(shift);
        let other = w2_pow(&moved(&x), Some(&a), &y, Some(&b), 2).unwrap();
        let expected = value + 2.0 * by * by + 2.0 * by * (mean(&x, &a) - mean(&y, &b));
        prop_assert!((other - expected).abs() <= 1e-11 * (1.0 + expected.abs()));
    }

    #[test]
    fn splitting_an_atom_changes_nothing((x, a) in cloud(), (y, b) in cloud(), share in 0.0..1.0f64) {
        let value = w2_pow(&x, Some(&a), &y, Some(&b), 2).unwrap();
        let split = [&x[..], &x[..2]].concat();
        let mut weights = [&a[..], &[a[0] * share]].concat();
        weights[0] -= a[0] * share;
        let other = w2_pow(&split, Some(&weights), &y, Some(&b), 2).unwrap();
        prop_assert!((other - value).abs() <= 1e-13 * (1.0 + value));
    }
}

/// What must hold between points, where costs are not given: checked against all costs in `f64`.
fn certify_points(result: &Transport, x: &[f64], y: &[f64], dim: usize) {
    let cost = squared_euclidean(x, y, dim).unwrap();
    let scale = largest(&cost);
    for i in 0..cost.rows() {
        for j in 0..cost.cols() {
            let slack = cost.get(i, j) - result.f[i] - result.g[j];
            assert!(slack >= -1e-14 * scale, "infeasible by {slack} at ({i}, {j})");
        }
    }
    assert!(result.gap >= 0.0 && result.gap <= 1e-13 * scale, "gap {}", result.gap);
    assert!((result.value - result.coupling.cost(&cost)).abs() <= 1e-13 * scale);
}

/// Clouds large enough for lists to be short, some with ties, duplicates, or points far out.
fn clouds(dim: usize) -> Vec<(Vec<f64>, Vec<f64>)> {
    let (n, m) = (230, 260);
    let mut duplicated = noise(n * dim, 5);
    duplicated.copy_within(0..100 * dim, 120 * dim);
    let mut outliers = noise(m * dim, 6);
    outliers[0] = 1e6;
    outliers[7 * dim] = -1e9;
    vec![
        (noise(n * dim, 1), noise(m * dim, 2)),
        (grid(n * dim, 3.0, 3), grid(m * dim, 3.0, 4)),
        (duplicated.clone(), noise(m * dim, 2)),
        (duplicated.clone(), [&duplicated[..], &duplicated[..30 * dim]].concat()),
        (noise(n * dim, 1), outliers),
        (vec![0.25; n * dim], noise(m * dim, 2)),
        (vec![0.25; n * dim], vec![0.25; m * dim]),
        (noise(n * dim, 1), noise(m * dim, 2).iter().map(|v| 1e-9 * v).collect()),
    ]
}

#[test]
fn points_agree_with_the_simplex_on_all_costs() {
    for dim in [1, 3, 40] {
        for (case, (x, y)) in clouds(dim).into_iter().enumerate() {
            let (n, m) = (x.len() / dim, y.len() / dim);
            let cost = squared_euclidean(&x, &y, dim).unwrap();
            let scale = largest(&cost);
            let (a, b) = (weights(n, 1), weights(m, 2));
            for (a, b) in [(None, None), (Some(&a[..]), Some(&b[..]))] {
                let simplex = solve_by(Method::NetworkSimplex, &cost, a, b).unwrap();
                certified(&cost, a, b);
                for storage in [Storage::Kept, Storage::Recomputed] {
                    let found = Problem::points(&x, &y, dim).weights(a, b).storage(storage).solve().unwrap();
                    certify_points(&found, &x, &y, dim);
                    let off = (found.value - simplex.value).abs();
                    assert!(off <= 1e-13 * scale, "case {case}, dim {dim}, {storage:?}: off by {off}");
                    assert!(found.coupling.atoms().len() < n + m);
                }
            }
        }
    }
}

#[test]
fn ratios_beyond_all_measure_give_numbers() {
    let (n, dim) = (70, 3);
    let (x, y) = (noise(n * dim, 1), noise(n * dim, 2));
    let a = weights(n, 3);
    for (size_x, size_y, apart) in [
        (1e-150, 1e-150, 1e140),
        (1e-150, 1e140, 0.0),
        (1e140, 1e-150, 1e-150),
        (1e-170, 1e-170, 0.0),
        (0.0, 1e-200, 1.0),
    ] {
        let scaled =
            |points: &[f64], size: f64, by: f64| points.iter().map(|v| by + size * v).collect::<Vec<_>>();
        let (x, y) = (scaled(&x, size_x, 0.0), scaled(&y, size_y, apart));
        for a in [None, Some(&a[..])] {
            let found = transport(&x, a, &y, None, dim).unwrap();
            certify_points(&found, &x, &y, dim);
            assert!(found.f.iter().chain(&found.g).all(|potential| potential.is_finite()));
        }
    }
}

#[test]
fn single_precision_points_give_the_distance_of_what_they_round_to() {
    let (n, dim) = (300, 60);
    let single = |step| noise(n * dim, step).iter().map(|v| *v as f32).collect::<Vec<f32>>();
    let (x, y) = (single(1), single(2));
    let double = |points: &[f32]| points.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>();
    let found = transport(&x, None, &y, None, dim).unwrap();
    let expected = transport(&double(&x), None, &double(&y), None, dim).unwrap();
    assert_eq!((found.value, found.coupling), (expected.value, expected.coupling));
}

#[test]
fn the_bits_do_not_depend_on_threads() {
    let (n, m, dim) = (400, 330, 50);
    let (x, y, a) = (noise(n * dim, 1), noise(m * dim, 2), weights(n, 3));
    let run = |threads: usize, storage: Storage, on: Threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let problem = Problem::points(&x, &y, dim).weights(Some(&a), None).storage(storage).threads(on);
        pool.install(|| problem.solve().unwrap())
    };
    for storage in [Storage::Kept, Storage::Recomputed] {
        let one = run(1, storage, Threads::One);
        for threads in [1, 2, 5] {
            assert_eq!(one, run(threads, storage, Threads::Pool), "{threads} threads, {storage:?}");
        }
    }
}

#[test]
fn a_start_from_a_problem_nearby_saves_work_and_changes_nothing() {
    let (n, dim) = (400, 20);
    let (x, y, nudge) = (noise(n * dim, 1), noise(n * dim, 2), noise(n * dim, 3));
    let first = transport(&x, None, &y, None, dim).unwrap();
    let moved: Vec<f64> = y.iter().zip(&nudge).map(|(y, e)| y + 1e-3 * e).collect();
    let cold = transport(&x, None, &moved, None, dim).unwrap();
    let warm = Problem::points(&x, &moved, dim).start(&first.g).solve().unwrap();
    assert_eq!(warm.coupling, cold.coupling);
    assert!(3 * warm.steps < cold.steps, "{} steps warm, {} cold", warm.steps, cold.steps);
    let wrong: Vec<f64> = noise(n, 4).iter().map(|v| 50.0 * v).collect();
    let misled = Problem::points(&x, &moved, dim).start(&wrong).solve().unwrap();
    assert_eq!(misled.coupling, cold.coupling);
    for extreme in [1e300, -1e300] {
        let mut start = first.g.clone();
        start[7] = extreme;
        let misled = Problem::points(&x, &moved, dim).start(&start).solve().unwrap();
        assert_eq!(misled.coupling, cold.coupling);
        certify_points(&misled, &x, &moved, dim);
    }
    let refused = |g: &[f64]| Problem::points(&x, &y, dim).start(g).solve().unwrap_err().to_string();
    assert_eq!(refused(&[0.0]), "expected 400 starting potentials of the right points, found 1");
    let mut bad = first.g.clone();
    bad[2] = f64::NAN;
    assert_eq!(refused(&bad), "expected finite starting potentials, found NaN as potential 3");
}

#[test]
fn an_interrupted_problem_is_given_up() {
    let (x, y) = (noise(900, 1), noise(900, 2));
    let flag = AtomicBool::new(true);
    for storage in [Storage::Kept, Storage::Recomputed] {
        let problem = Problem::points(&x, &y, 3).storage(storage).interrupt(&flag);
        assert_eq!(problem.solve(), Err(OtError::Interrupted));
    }
    let cost = squared_euclidean(&x, &y, 3).unwrap();
    assert_eq!(Problem::costs(&cost).interrupt(&flag).solve(), Err(OtError::Interrupted));
    flag.store(false, Ordering::Relaxed);
    assert!(Problem::costs(&cost).interrupt(&flag).solve().is_ok());
}

#[test]
fn only_couplings_without_an_equal_are_called_unique() {
    let unique = |x: &[f64], a: Option<&[f64]>, y: &[f64], b: Option<&[f64]>, dim: usize| {
        let by_points = transport(x, a, y, b, dim).unwrap().unique;
        let cost = squared_euclidean(x, y, dim).unwrap();
        assert_eq!(by_points, solve(&cost, a, b).unwrap().unique);
        by_points
    };
    // The corners of a square: both ways round cost the same.
    assert!(!unique(&[0.0, 0.0, 1.0, 1.0], None, &[1.0, 0.0, 0.0, 1.0], None, 2));
    assert!(unique(&[0.0, 0.0, 1.0, 1.0], None, &[1.0, 0.1, 0.0, 1.0], None, 2));
    // Equal points can trade places; a point alone has no choice.
    assert!(!unique(&[1.0, 1.0], None, &[0.0, 3.0], None, 1));
    assert!(unique(&[1.0], None, &[0.0, 3.0, 3.0], None, 1));
    let (n, m, dim) = (120, 150, 3);
    let (x, y, a, b) = (noise(n * dim, 1), noise(m * dim, 2), weights(n, 3), weights(m, 4));
    assert!(unique(&x, None, &y[..n * dim], None, dim));
    assert!(unique(&x, Some(&a), &y, Some(&b), dim));
    let mut twice = x.clone();
    twice.copy_within(0..dim, dim);
    assert!(!unique(&twice, Some(&a), &y, Some(&b), dim));
    // Among whole numbers, counted by brute force.
    for case in 0..40 {
        let n = 2 + case % 4;
        let cost = CostMatrix::new(n, n, grid(n * n, 6.0, 700 + case as u64)).unwrap();
        let best = cheapest_permutation(&cost, 0, &mut vec![false; n]);
        let count = optimal_permutations(&cost, 0, &mut vec![false; n], best);
        assert_eq!(solve(&cost, None, None).unwrap().unique, count == 1, "case {case}: {count} optimal");
    }
}

fn optimal_permutations(cost: &CostMatrix, row: usize, taken: &mut Vec<bool>, left: f64) -> usize {
    if row == cost.rows() {
        return usize::from(left == 0.0);
    }
    let mut count = 0;
    for j in 0..cost.cols() {
        if !taken[j] {
            taken[j] = true;
            count += optimal_permutations(cost, row + 1, taken, left - cost.get(row, j));
            taken[j] = false;
        }
    }
    count
}
