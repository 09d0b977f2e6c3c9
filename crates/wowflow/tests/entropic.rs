//! Entropic transport against closed forms, exact transport, a plain iteration and central differences.

use proptest::prelude::*;
use wowflow::ot::entropic::{
    Entropic, EntropicError, Marginals, SinkhornSettings, Storage, sinkhorn, sinkhorn_divergence,
    sinkhorn_from, sinkhorn_points,
};
use wowflow::ot::exact::{CostMatrix, OtError, solve, squared_euclidean};
use wowflow::rng::{Purpose, Stream};

fn noise(len: usize, step: u64) -> Vec<f64> {
    let mut values = vec![0.0; len];
    Stream::new(41, Purpose::Test, step).normals(0, &mut values);
    values
}

fn weights(len: usize, step: u64) -> Vec<f64> {
    let stream = Stream::new(42, Purpose::Test, step);
    (0..len as u64).map(|i| stream.uniform(i) + 0.05).collect()
}

fn tight(epsilon: f64) -> SinkhornSettings {
    SinkhornSettings { tolerance: 1e-13, ..SinkhornSettings::new(epsilon) }
}

/// Values that must be one but for rounding.
fn close(x: f64, y: f64, tolerance: f64) {
    assert!((x - y).abs() <= tolerance * (1.0 + x.abs().max(y.abs())), "{x} and {y}");
}

/// The textbook iteration, in the log domain, one potential after the other.
fn plain(cost: &CostMatrix, a: &[f64], b: &[f64], epsilon: f64, slope: f64) -> (Vec<f64>, Vec<f64>) {
    let (n, m) = (cost.rows(), cost.cols());
    let (mut f, mut g) = (vec![0.0; n], vec![0.0; m]);
    let soft = |terms: Vec<f64>| {
        let top = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        top + terms.iter().map(|t| (t - top).exp()).sum::<f64>().ln()
    };
    for _ in 0..20_000 {
        for (i, f) in f.iter_mut().enumerate() {
            let terms = (0..m).map(|j| b[j].ln() + (g[j] - cost.get(i, j)) / epsilon).collect();
            *f = -slope * epsilon * soft(terms);
        }
        for (j, g) in g.iter_mut().enumerate() {
            let terms = (0..n).map(|i| a[i].ln() + (f[i] - cost.get(i, j)) / epsilon).collect();
            *g = -slope * epsilon * soft(terms);
        }
    }
    (f, g)
}

/// Everything that makes a balanced result right without knowing it.
fn certify(result: &Entropic, cost: &CostMatrix) {
    assert!(result.converged, "{} iterations", result.iterations);
    let (n, m) = (cost.rows(), cost.cols());
    let plan = result.plan(cost).unwrap();
    let tolerance = 10.0 * result.settings.tolerance + 1e-13;
    for i in 0..n {
        let mass: f64 = plan[i * m..(i + 1) * m].iter().sum();
        assert!((mass - result.a[i]).abs() <= tolerance && (mass - result.row_masses()[i]).abs() < 1e-13);
    }
    for j in 0..m {
        let mass: f64 = (0..n).map(|i| plan[i * m + j]).sum();
        assert!((mass - result.b[j]).abs() <= tolerance && (mass - result.col_masses()[j]).abs() < 1e-13);
    }
    let linear: f64 = plan.iter().zip(cost.values()).map(|(p, c)| p * c).sum();
    close(linear, result.linear_cost, 1e-12);
    let term = |k: usize| match plan[k] > 0.0 {
        true => plan[k] * (plan[k] / (result.a[k / m] * result.b[k % m])).ln(),
        false => 0.0,
    };
    close((0..n * m).map(term).sum(), result.kl, 1e-11);
    let epsilon = result.settings.epsilon;
    let primal = linear + epsilon * result.kl;
    assert!((primal - result.value).abs() <= result.gap + 1e-11 * (1.0 + primal.abs()));
    let scale = cost.values().iter().fold(epsilon, |most, c| most.max(c.abs()));
    assert!(result.gap >= 0.0 && result.gap <= 100.0 * scale * tolerance, "gap {}", result.gap);
    let gauge = |w: &[f64], p: &[f64]| w.iter().zip(p).map(|(w, p)| w * p).sum::<f64>();
    close(gauge(&result.a, &result.f), gauge(&result.b, &result.g), 1e-12);
}

#[test]
fn values_and_potentials_match_the_textbook_iteration() {
    for (n, m, epsilon) in [(1, 1, 0.5), (5, 9, 1.0), (70, 40, 0.7), (9, 130, 3.0)] {
        let cost = squared_euclidean(&noise(n * 3, 1), &noise(m * 3, 2), 3).unwrap();
        let found = sinkhorn(&cost, Some(&weights(n, 3)), Some(&weights(m, 4)), &tight(epsilon)).unwrap();
        certify(&found, &cost);
        let (f, g) = plain(&cost, &found.a, &found.b, epsilon, 1.0);
        let shift = found.f[0] - f[0];
        f.iter().zip(&found.f).for_each(|(x, y)| close(x + shift, *y, 1e-10));
        g.iter().zip(&found.g).for_each(|(x, y)| close(x - shift, *y, 1e-10));
    }
}

#[test]
fn held_computed_and_given_costs_agree_and_threads_change_no_bit() {
    let (n, m, dim) = (150, 260, 4);
    let (x, y) = (noise(n * dim, 1), noise(m * dim, 2));
    let cost = squared_euclidean(&x, &y, dim).unwrap();
    let settings = tight(0.3);
    let given = sinkhorn(&cost, None, None, &settings).unwrap();
    certify(&given, &cost);
    let held = sinkhorn_points(&x, None, &y, None, dim, &settings).unwrap();
    assert_eq!(held.settings.storage, Storage::Held);
    let lazy = SinkhornSettings { storage: Storage::Computed, ..settings };
    let computed = sinkhorn_points(&x, None, &y, None, dim, &lazy).unwrap();
    for other in [&held, &computed] {
        assert!(other.converged);
        close(given.value, other.value, 1e-12);
        given.f.iter().zip(&other.f).for_each(|(p, q)| close(*p, *q, 1e-10));
        given.g.iter().zip(&other.g).for_each(|(p, q)| close(*p, *q, 1e-10));
    }
    let plan = held.plan_of_points(&x, &y, dim).unwrap();
    plan.iter().zip(given.plan(&cost).unwrap()).for_each(|(p, q)| assert!((p - q).abs() < 1e-12));
    for threads in [1, 3] {
        let pool = rayon_pool(threads);
        let again = pool.install(|| sinkhorn_points(&x, None, &y, None, dim, &settings).unwrap());
        assert!(again == held, "{threads} threads");
        let again = pool.install(|| sinkhorn_points(&x, None, &y, None, dim, &lazy).unwrap());
        assert!(again == computed, "{threads} threads");
    }
}

fn rayon_pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

#[test]
fn small_epsilon_tends_to_exact_transport_and_large_to_independence() {
    let (n, m) = (30, 45);
    let cost = squared_euclidean(&noise(n * 2, 1), &noise(m * 2, 2), 2).unwrap();
    let exact = solve(&cost, None, None).unwrap().value;
    for epsilon in [0.5, 0.1, 0.02] {
        let settings =
            SinkhornSettings { tolerance: 1e-5, max_iterations: 100_000, ..SinkhornSettings::new(epsilon) };
        let found = sinkhorn(&cost, None, None, &settings).unwrap();
        assert!(found.converged, "eps {epsilon}: error {}", found.marginal_error);
        // KL(P | a b) is at most log of the smaller number of points.
        let bias = found.value - exact;
        assert!(bias > 0.0 && bias <= epsilon * (n as f64).ln() + found.gap + 1e-9, "{bias}");
    }
    let far = sinkhorn(&cost, None, None, &tight(1e6)).unwrap();
    let mean = cost.values().iter().sum::<f64>() / cost.values().len() as f64;
    close(far.linear_cost, mean, 1e-5);
}

#[test]
fn costs_of_any_size_do_no_harm() {
    let cost = squared_euclidean(&noise(20, 1), &noise(30, 2), 1).unwrap();
    let small = sinkhorn(&cost, None, None, &tight(0.1)).unwrap();
    for factor in [1e-120, 1e-9, 1e9, 1e120] {
        let scaled = CostMatrix::new(20, 30, cost.values().iter().map(|c| c * factor).collect()).unwrap();
        let found = sinkhorn(&scaled, None, None, &tight(0.1 * factor)).unwrap();
        assert!(found.converged && found.gap.is_finite());
        close(found.value / factor, small.value, 1e-10);
    }
    // No scaling of epsilon can start at a scale of 0 or below it.
    let zero = CostMatrix::new(2, 3, vec![0.0; 6]).unwrap();
    let found = sinkhorn(&zero, None, None, &tight(1.0)).unwrap();
    assert!(found.converged && found.value.abs() < 1e-14 && found.gap < 1e-14);
    let negative = CostMatrix::new(2, 2, vec![-5.0, 1.0, 2.0, -7.0]).unwrap();
    certify(&sinkhorn(&negative, None, None, &tight(3.0)).unwrap(), &negative);
    // Far clusters: exponents of -1e6 and a plan with empty blocks.
    let (x, y) = ([0.0, 1e3, 1.0], [1e3, 0.5, 1e3 + 1.0]);
    let found = sinkhorn_points(&x, None, &y, None, 1, &tight(1.0)).unwrap();
    assert!(found.value.is_finite() && found.f.iter().chain(&found.g).all(|v| v.is_finite()));
}

#[test]
fn points_without_weight_get_no_mass_and_the_potential_of_their_place() {
    let (x, y) = (noise(8, 1), noise(10, 2));
    let (mut a, mut b) = (weights(4, 3), weights(5, 4));
    (a[1], b[0], b[4]) = (0.0, 0.0, 0.0);
    let cost = squared_euclidean(&x, &y, 2).unwrap();
    let found = sinkhorn(&cost, Some(&a), Some(&b), &tight(0.5)).unwrap();
    certify(&found, &cost);
    assert_eq!((found.row_masses()[1], found.col_masses()[0]), (0.0, 0.0));
    let points = sinkhorn_points(&x, Some(&a), &y, Some(&b), 2, &tight(0.5)).unwrap();
    found.f.iter().zip(&points.f).for_each(|(p, q)| close(*p, *q, 1e-10));
    found.g.iter().zip(&points.g).for_each(|(p, q)| close(*p, *q, 1e-10));
    // A hair of weight changes the others' potentials as little, and has that potential.
    a[1] = 1e-13;
    let hair = sinkhorn(&cost, Some(&a), Some(&b), &tight(0.5)).unwrap();
    close(hair.f[1], found.f[1], 1e-9);
    assert!(found.plan(&cost).unwrap().iter().all(|p| p.is_finite()));
}

#[test]
fn a_limit_on_the_iterations_is_reported_with_what_it_cost() {
    let cost = squared_euclidean(&noise(80, 1), &noise(80, 2), 2).unwrap();
    let settings = SinkhornSettings { max_iterations: 3, ..SinkhornSettings::new(0.1) };
    let stopped = sinkhorn(&cost, None, None, &settings).unwrap();
    assert!(!stopped.converged && stopped.iterations == 3 && stopped.marginal_error > 1e-6);
    let settings = SinkhornSettings { max_iterations: 200_000, ..SinkhornSettings::new(0.1) };
    let solved = sinkhorn(&cost, None, None, &settings).unwrap();
    assert!(solved.converged);
    assert!(stopped.value <= solved.value + 1e-9 && solved.value <= stopped.value + stopped.gap + 1e-9);
}

#[test]
fn potentials_of_a_problem_close_by_save_iterations_and_change_nothing_else() {
    let (x, y) = (noise(160, 1), noise(120, 2));
    let (a, b) = (weights(80, 3), [0.0].into_iter().chain(weights(59, 4)).collect::<Vec<_>>());
    let moved: Vec<f64> = x.iter().zip(noise(160, 5)).map(|(x, by)| x + 1e-3 * by).collect();
    let costs = |x: &[f64]| squared_euclidean(x, &y, 2).unwrap();
    let settings = tight(0.02);
    let before = sinkhorn(&costs(&x), Some(&a), Some(&b), &settings).unwrap();
    let cold = sinkhorn(&costs(&moved), Some(&a), Some(&b), &settings).unwrap();
    let warm = sinkhorn_from(&costs(&moved), Some(&a), Some(&b), &settings, &before.g).unwrap();
    assert!(warm.converged && cold.converged);
    assert!(warm.iterations < cold.iterations, "{} against {}", warm.iterations, cold.iterations);
    close(warm.value, cold.value, 1e-9);
    certify(&warm, &costs(&moved));
    let again = sinkhorn_from(&costs(&x), Some(&a), Some(&b), &settings, &before.g).unwrap();
    assert!(again.iterations <= 2, "{}", again.iterations);
    for (start, found) in [(vec![0.0; 59], "found 59 of 59"), (vec![f64::NAN; 60], "found 0 of 60")] {
        let error = sinkhorn_from(&costs(&x), None, None, &settings, &start).unwrap_err().to_string();
        assert!(error.starts_with("expected 60 finite potentials") && error.ends_with(found), "{error}");
    }
}

#[test]
fn the_divergence_of_a_translation_is_exact_and_of_equal_measures_0() {
    let (n, dim) = (40, 3);
    let x = noise(n * dim, 1);
    let moved: Vec<f64> = x.iter().enumerate().map(|(k, v)| v + [1.0, -2.0, 0.5][k % 3]).collect();
    let a = weights(n, 2);
    let found = sinkhorn_divergence(&x, Some(&a), &moved, Some(&a), dim, &tight(0.4)).unwrap();
    close(found.value, 5.25, 1e-10);
    assert!(found.lower <= 5.25 + 1e-10 && found.upper >= 5.25 - 1e-10);
    let own = sinkhorn_divergence(&x, Some(&a), &x, Some(&a), dim, &tight(0.4)).unwrap();
    assert_eq!(own.value, 0.0);
    assert!(own.gradient(&x, &x, dim).unwrap().iter().all(|g| *g == 0.0));
    // The same measure in another order is another problem, with the same answer.
    let turned: Vec<f64> = x.chunks_exact(dim).rev().flatten().copied().collect();
    let reversed: Vec<f64> = a.iter().rev().copied().collect();
    let found = sinkhorn_divergence(&x, Some(&a), &turned, Some(&reversed), dim, &tight(0.4)).unwrap();
    assert!(found.value.abs() < 1e-11, "{}", found.value);
}

#[test]
fn gradients_match_central_differences() {
    let (n, m, dim) = (6, 8, 2);
    let (x, y, a) = (noise(n * dim, 1), noise(m * dim, 2), weights(n, 3));
    for settings in
        [tight(0.6), SinkhornSettings { tolerance: 1e-13, ..SinkhornSettings::unbalanced(0.6, 1.5) }]
    {
        let cross = |x: &[f64]| sinkhorn_points(x, Some(&a), &y, None, dim, &settings).unwrap();
        let divergence = |x: &[f64]| sinkhorn_divergence(x, Some(&a), &y, None, dim, &settings).unwrap();
        let (of_cross, of_divergence) =
            (cross(&x).gradient(&x, &y, dim).unwrap(), divergence(&x).gradient(&x, &y, dim).unwrap());
        for k in 0..n * dim {
            let h = 1e-5;
            let at = |step: f64| {
                let mut moved = x.clone();
                moved[k] += step;
                (cross(&moved).value, divergence(&moved).value)
            };
            let (up, down) = (at(h), at(-h));
            close((up.0 - down.0) / (2.0 * h), of_cross[k], 1e-7);
            close((up.1 - down.1) / (2.0 * h), of_divergence[k], 1e-7);
        }
    }
}

#[test]
fn relaxed_transport_of_diracs_has_its_closed_form() {
    // One number p minimises p c + eps (p log(p/ab) - p + ab) + rho (p log(p/a) - p + a) + rho (... b).
    let (c, epsilon, rho, a, b) = (2.0f64, 0.7f64, 1.3f64, 3.0f64, 0.5f64);
    let total = epsilon + 2.0 * rho;
    let log_p = (epsilon * (a * b).ln() + rho * (a * b).ln() - c) / total;
    let p = log_p.exp();
    let value = epsilon * a * b + rho * (a + b) - total * p;
    let settings = SinkhornSettings { tolerance: 1e-13, ..SinkhornSettings::unbalanced(epsilon, rho) };
    let cost = CostMatrix::new(1, 1, vec![c]).unwrap();
    let found = sinkhorn(&cost, Some(&[a]), Some(&[b]), &settings).unwrap();
    assert!(found.converged && found.gap < 1e-11);
    close(found.row_masses()[0], p, 1e-12);
    close(found.value, value, 1e-12);
    close(found.plan(&cost).unwrap()[0], p, 1e-12);
}

#[test]
fn relaxed_transport_matches_the_textbook_iteration_and_tends_to_the_balanced() {
    let (n, m, epsilon) = (12, 17, 0.5);
    let cost = squared_euclidean(&noise(n * 2, 1), &noise(m * 2, 2), 2).unwrap();
    let (a, b) = (weights(n, 3), weights(m, 4));
    for rho in [0.01, 0.3, 5.0, 100.0] {
        let settings = SinkhornSettings { tolerance: 1e-13, ..SinkhornSettings::unbalanced(epsilon, rho) };
        let found = sinkhorn(&cost, Some(&a), Some(&b), &settings).unwrap();
        assert!(found.converged && found.gap < 1e-10, "rho {rho}: gap {}", found.gap);
        assert!(found.iterations < 200, "rho {rho}: {} iterations", found.iterations);
        let (f, g) = plain(&cost, &a, &b, epsilon, rho / (rho + epsilon));
        f.iter().zip(&found.f).for_each(|(x, y)| close(*x, *y, 1e-8));
        g.iter().zip(&found.g).for_each(|(x, y)| close(*x, *y, 1e-8));
    }
    let normalised = |w: &[f64]| w.iter().map(|v| v / w.iter().sum::<f64>()).collect::<Vec<f64>>();
    let (a, b) = (normalised(&a), normalised(&b));
    let balanced = sinkhorn(&cost, Some(&a), Some(&b), &tight(epsilon)).unwrap();
    let mut last = f64::INFINITY;
    for rho in [1e1, 1e3, 1e5, 1e7] {
        let settings = SinkhornSettings { tolerance: 1e-12, ..SinkhornSettings::unbalanced(epsilon, rho) };
        let found = sinkhorn(&cost, Some(&a), Some(&b), &settings).unwrap();
        let off = balanced.value - found.value;
        assert!(off > -1e-9 && off < last && off < 10.0 / rho + 1e-8, "rho {rho}: {off}");
        last = off.max(1e-8);
    }
}

#[test]
fn the_relaxed_divergence_is_positive_and_0_between_equal_measures() {
    let (x, y) = (noise(20, 1), noise(30, 2));
    let settings = SinkhornSettings { tolerance: 1e-12, ..SinkhornSettings::unbalanced(0.3, 2.0) };
    let (a, b) = (weights(10, 3), vec![0.2; 15]);
    let found = sinkhorn_divergence(&x, Some(&a), &y, Some(&b), 2, &settings).unwrap();
    assert!(found.converged() && found.value > 0.0 && found.lower <= found.value);
    assert_eq!(sinkhorn_divergence(&x, Some(&a), &x, Some(&a), 2, &settings).unwrap().value, 0.0);
    let double: Vec<f64> = a.iter().map(|w| 2.0 * w).collect();
    assert!(sinkhorn_divergence(&x, Some(&a), &x, Some(&double), 2, &settings).unwrap().value > 1e-3);
}

#[test]
fn bad_input_is_an_error() {
    let cost = CostMatrix::new(1, 2, vec![0.0, 1.0]).unwrap();
    let with = |settings: SinkhornSettings| sinkhorn(&cost, None, None, &settings).unwrap_err();
    assert!(matches!(with(SinkhornSettings::new(0.0)), EntropicError::BadSetting { name: "epsilon", .. }));
    assert!(matches!(with(SinkhornSettings::new(f64::NAN)), EntropicError::BadSetting { .. }));
    assert!(matches!(
        with(SinkhornSettings::unbalanced(1.0, -1.0)),
        EntropicError::BadSetting { name: "rho", .. }
    ));
    let none = SinkhornSettings { max_iterations: 0, ..SinkhornSettings::new(1.0) };
    assert!(matches!(with(none), EntropicError::BadSetting { name: "max_iterations", .. }));
    let settings = SinkhornSettings::new(1.0);
    let weighted = |b: &[f64]| sinkhorn(&cost, None, Some(b), &settings).unwrap_err();
    assert!(matches!(weighted(&[1.0]), EntropicError::Problem(OtError::WeightCount { expected: 2, .. })));
    assert!(matches!(weighted(&[1.0, -1.0]), EntropicError::Problem(OtError::BadWeight { index: 2, .. })));
    assert!(matches!(weighted(&[0.0, 0.0]), EntropicError::Problem(OtError::ZeroMass { side: "right" })));
    let nan = sinkhorn_points(&[f64::NAN], None, &[0.0], None, 1, &settings).unwrap_err();
    assert!(matches!(nan, EntropicError::Problem(OtError::BadCost { .. })));
    let found = sinkhorn(&cost, None, None, &settings).unwrap();
    assert!(found.plan(&CostMatrix::new(1, 1, vec![0.0]).unwrap()).is_err());
    assert!(matches!(found.gradient(&[0.0], &[0.0], 1), Err(EntropicError::OtherPoints { expected: 2, .. })));
    assert_eq!(found.settings.marginals, Marginals::Exact);
}

/// Few points, costs of up to 58 epsilons and a plain rate of 0.9995.
#[test]
fn slow_problems_converge_within_the_default_iterations() {
    let x = [0.0, -1.0, -1.0, 0.0, -2.0, 1.0, -1.0, -3.0, 0.0, 1.0];
    let y = [-2.0, -1.0, 2.0, 0.0, 0.0, -3.0, 1.0, 2.0, 1.0, -1.0];
    let cost = squared_euclidean(&x, &y, 2).unwrap();
    let found = sinkhorn(&cost, None, None, &tight(0.5)).unwrap();
    assert!(found.iterations < 3000, "{} iterations", found.iterations);
    certify(&found, &cost);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn divergences_are_symmetric_to_the_bit_positive_and_0_at_home(
        n in 1usize..12, m in 1usize..12, step in 0u64..1000,
        ties in any::<bool>(), weighted in any::<bool>(),
    ) {
        let round = |values: Vec<f64>| if ties { values.iter().map(|v| v.round()).collect() } else { values };
        let (x, y) = (round(noise(n * 2, step)), round(noise(m * 2, step + 1)));
        let (a, b) = (weights(n, step), weights(m, step + 1));
        let (a, b) = if weighted { (Some(&a[..]), Some(&b[..])) } else { (None, None) };
        // Rates have no bound below 1.
        let settings = SinkhornSettings { max_iterations: 1_000_000, ..tight(0.5) };
        let found = sinkhorn_divergence(&x, a, &y, b, 2, &settings).unwrap();
        let turned = sinkhorn_divergence(&y, b, &x, a, 2, &settings).unwrap();
        prop_assert_eq!(found.value, turned.value);
        prop_assert_eq!(&found.cross.f, &turned.cross.g);
        prop_assert!(found.value >= -1e-10);
        prop_assert_eq!(sinkhorn_divergence(&x, a, &x, a, 2, &settings).unwrap().value, 0.0);
        let cost = squared_euclidean(&x, &y, 2).unwrap();
        certify(&sinkhorn(&cost, a, b, &settings).unwrap(), &cost);
    }
}
