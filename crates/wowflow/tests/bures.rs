//! Gaussian transport against closed forms, itself, and what singular covariances must not break.

use proptest::prelude::*;
use wowflow::ot::bures::{
    BarycenterSettings, BuresError, Gaussian, barycenter, bures_pow, exp, geodesic, log, optimal_map, w2,
    w2_pow,
};
use wowflow::ot::exact;
use wowflow::rng::{Purpose, Stream};

fn noise(len: usize, step: u64) -> Vec<f64> {
    let mut values = vec![0.0; len];
    Stream::new(51, Purpose::Test, step).normals(0, &mut values);
    values
}

/// A covariance of a given rank.
fn covariance(dim: usize, rank: usize, step: u64) -> Vec<f64> {
    let factor = noise(rank * dim, step);
    (0..dim * dim)
        .map(|k| (0..rank).map(|r| factor[r * dim + k / dim] * factor[r * dim + k % dim]).sum())
        .collect()
}

fn gaussian(dim: usize, rank: usize, step: u64) -> Gaussian {
    Gaussian::from_covariance(noise(dim, step + 100), &covariance(dim, rank, step)).unwrap()
}

fn difference(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len());
    x.iter().zip(y).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

#[test]
fn commuting_covariances_have_a_closed_form() {
    let diagonal =
        |v: &[f64]| -> Vec<f64> { (0..9).map(|k| if k % 4 == 0 { v[k / 4] } else { 0.0 }).collect() };
    let p = Gaussian::from_covariance(vec![0.0, 1.0, 2.0], &diagonal(&[1.0, 4.0, 0.0])).unwrap();
    let q = Gaussian::from_covariance(vec![0.0, 1.0, 4.0], &diagonal(&[9.0, 4.0, 16.0])).unwrap();
    assert!((w2_pow(&p, &q).unwrap() - (4.0 + 4.0 + 0.0 + 16.0)).abs() < 1e-13);
    assert!((bures_pow(&p, &q).unwrap() - 20.0).abs() < 1e-13);
}

#[test]
fn samples_and_their_covariance_are_one_gaussian() {
    for (n, dim) in [(1, 3), (2, 3), (5, 3), (3, 9), (40, 4)] {
        let samples = noise(n * dim, 1);
        let weights: Vec<f64> = noise(n, 2).iter().map(|v| v.abs()).collect();
        for (weights, ddof) in [(None, 0), (None, 1), (Some(&weights[..]), 0)] {
            let found = Gaussian::from_samples(&samples, weights, dim, ddof).unwrap();
            let w = |i: usize| weights.map_or(1.0 / n as f64, |w| w[i] / w.iter().sum::<f64>());
            let mean: Vec<f64> =
                (0..dim).map(|k| (0..n).map(|i| w(i) * samples[i * dim + k]).sum()).collect();
            let correction = if ddof == 1 && n > 1 { n as f64 / (n - 1) as f64 } else { 1.0 };
            let expected: Vec<f64> = (0..dim * dim)
                .map(|k| {
                    let centred = |i: usize, l: usize| samples[i * dim + l] - mean[l];
                    correction * (0..n).map(|i| w(i) * centred(i, k / dim) * centred(i, k % dim)).sum::<f64>()
                })
                .collect();
            assert!(difference(found.mean(), &mean) < 1e-14);
            assert!(difference(&found.covariance(), &expected) < 1e-13);
            let dense = Gaussian::from_covariance(mean, &expected).unwrap();
            let distance = w2_pow(&found, &dense).unwrap();
            assert!((0.0..1e-12).contains(&distance), "{n} samples in {dim}: {distance}");
        }
    }
}

#[test]
fn duplicates_one_sample_and_no_variance_are_no_trouble() {
    let point = Gaussian::from_samples(&[1e3, 2.0], None, 2, 1).unwrap();
    let copies = Gaussian::from_samples(&[1e3, 2.0, 1e3, 2.0, 1e3, 2.0, 1e3, 2.0], None, 2, 0).unwrap();
    assert_eq!((point.trace(), copies.trace()), (0.0, 0.0));
    assert_eq!(w2_pow(&point, &copies), Ok(0.0));
    let cloud = gaussian(2, 2, 1);
    let gap: f64 = point.mean().iter().zip(cloud.mean()).map(|(x, y)| (x - y) * (x - y)).sum();
    for flat in [&point, &copies] {
        let value = w2_pow(flat, &cloud).unwrap();
        assert!((value - gap - cloud.trace()).abs() < 1e-9 * value);
        let map = optimal_map(flat, &cloud).unwrap();
        assert!((map.missing_variance - cloud.trace()).abs() < 1e-12);
        assert!(difference(&map.offset, cloud.mean()) < 1e-9);
        let back = optimal_map(&cloud, flat).unwrap();
        assert!(back.matrix.iter().all(|v| v.abs() < 1e-12) && back.missing_variance == 0.0);
        let middle = geodesic(flat, &cloud, 0.5).unwrap();
        assert!((middle.trace() - 0.25 * cloud.trace()).abs() < 1e-12);
        let mean = barycenter(&[flat.clone(), cloud.clone()], None, &BarycenterSettings::default()).unwrap();
        assert!(mean.converged && mean.value.is_finite());
    }
    let middle = barycenter(&[point.clone(), copies], None, &BarycenterSettings::default()).unwrap();
    assert!(middle.converged && middle.value == 0.0);
}

#[test]
fn few_samples_in_many_dimensions_are_cheap() {
    let (n, dim) = (20, 150_000);
    let samples = noise(n * dim, 1);
    let p = Gaussian::from_samples(&samples, None, dim, 0).unwrap();
    let moved: Vec<f64> = samples.iter().map(|v| 2.0 * v + 1.0).collect();
    let q = Gaussian::from_samples(&moved, None, dim, 0).unwrap();
    let shift: f64 = p.mean().iter().zip(q.mean()).map(|(x, y)| (x - y) * (x - y)).sum();
    let value = w2_pow(&p, &q).unwrap();
    // Scaling by 2: the variance of x itself.
    assert!((value - shift - p.trace()).abs() < 1e-9 * value);
}

#[test]
fn maps_reach_their_targets_and_log_undoes_exp() {
    for (dim, rank) in [(1, 1), (4, 4), (6, 3), (9, 9)] {
        let (p, q) = (gaussian(dim, dim, 1), gaussian(dim, rank, 2));
        let map = optimal_map(&p, &q).unwrap();
        let tangent = log(&p.covariance(), &q.covariance(), dim).unwrap();
        let reached = exp(&p.covariance(), &tangent, dim).unwrap();
        assert!(difference(&reached, &q.covariance()) < 1e-9, "{dim} of rank {rank}");
        assert_eq!(map.missing_variance, 0.0);
        // |x - T x|^2 in the mean is the distance.
        let moved = cost_of_tangent(&p.covariance(), &tangent, dim);
        assert!((moved - bures_pow(&p, &q).unwrap()).abs() < 1e-9 * (1.0 + moved));
    }
}

/// `tr(V S V^T)`.
fn cost_of_tangent(covariance: &[f64], tangent: &[f64], dim: usize) -> f64 {
    let mut sum = 0.0;
    for i in 0..dim {
        for k in 0..dim {
            for l in 0..dim {
                sum += tangent[i * dim + k] * covariance[k * dim + l] * tangent[i * dim + l];
            }
        }
    }
    sum
}

#[test]
fn a_singular_source_is_sent_onto_a_target_of_its_rank() {
    let (p, q) = (gaussian(5, 2, 1), gaussian(5, 2, 2));
    let tangent = log(&p.covariance(), &q.covariance(), 5).unwrap();
    assert!(difference(&exp(&p.covariance(), &tangent, 5).unwrap(), &q.covariance()) < 1e-9);
    assert!((cost_of_tangent(&p.covariance(), &tangent, 5) - bures_pow(&p, &q).unwrap()).abs() < 1e-9);
}

#[test]
fn geodesics_have_constant_speed_whatever_the_ranks() {
    for (first, second) in [(4, 4), (1, 4), (4, 2), (2, 2)] {
        let (p, q) = (gaussian(4, first, 1), gaussian(4, second, 2));
        let whole = w2(&p, &q).unwrap();
        assert!(w2(&geodesic(&p, &q, 0.0).unwrap(), &p).unwrap() < 1e-7);
        assert!(w2(&geodesic(&p, &q, 1.0).unwrap(), &q).unwrap() < 1e-7);
        for (s, t) in [(0.0, 0.3), (0.2, 0.9), (0.5, 1.0)] {
            let (at_s, at_t) = (geodesic(&p, &q, s).unwrap(), geodesic(&p, &q, t).unwrap());
            let speed = w2(&at_s, &at_t).unwrap();
            assert!((speed - (t - s) * whole).abs() < 1e-9 * whole, "ranks {first}, {second}: {s} to {t}");
        }
    }
    assert!(geodesic(&gaussian(2, 2, 1), &gaussian(2, 2, 2), 1.5).is_err());
}

#[test]
fn barycenters_are_fixed_points_and_between_two_the_middle_of_the_geodesic() {
    let parts = [gaussian(4, 4, 1), gaussian(4, 4, 2), gaussian(4, 2, 3)];
    let pair = barycenter(&parts[..2], Some(&[1.0, 3.0]), &BarycenterSettings::default()).unwrap();
    let on_the_way = geodesic(&parts[0], &parts[1], 0.75).unwrap();
    assert!(pair.converged && w2(&pair.gaussian, &on_the_way).unwrap() < 1e-6);
    let found = barycenter(&parts, None, &BarycenterSettings::default()).unwrap();
    assert!(found.converged && found.residual <= 1e-9, "{} after {}", found.residual, found.iterations);
    let objective = |at: &Gaussian| parts.iter().map(|part| w2_pow(at, part).unwrap()).sum::<f64>() / 3.0;
    assert!((objective(&found.gaussian) - found.value).abs() < 1e-10);
    for step in 0..20 {
        let nearby = geodesic(&found.gaussian, &gaussian(4, 4, 50 + step), 0.05).unwrap();
        assert!(objective(&nearby) >= found.value - 1e-10);
    }
    let stopped = BarycenterSettings { max_iterations: 1, ..BarycenterSettings::default() };
    let stopped = barycenter(&parts, None, &stopped).unwrap();
    assert!(!stopped.converged && stopped.residual > 1e-9 && stopped.value >= found.value);
    let alone = barycenter(&parts, Some(&[0.0, 2.0, 0.0]), &BarycenterSettings::default()).unwrap();
    assert!(w2(&alone.gaussian, &parts[1]).unwrap() < 1e-6);
}

#[test]
fn what_is_no_gaussian_is_refused() {
    let build = |covariance: &[f64]| Gaussian::from_covariance(vec![0.0, 0.0], covariance).unwrap_err();
    assert!(matches!(build(&[1.0]), BuresError::Size { expected: 4, found: 1, .. }));
    assert!(matches!(build(&[1.0, 0.5, 0.2, 1.0]), BuresError::NotSymmetric { row: 2, col: 1, .. }));
    assert!(matches!(build(&[1.0, 2.0, 2.0, 1.0]), BuresError::NegativeEigenvalue { .. }));
    assert!(matches!(build(&[f64::NAN, 0.0, 0.0, 1.0]), BuresError::NotFinite { .. }));
    assert!(matches!(Gaussian::from_covariance(vec![], &[]), Err(BuresError::Empty { .. })));
    assert!(matches!(Gaussian::from_samples::<f64>(&[], None, 2, 0), Err(BuresError::Empty { .. })));
    assert!(matches!(Gaussian::from_samples(&[1.0; 3], None, 2, 0), Err(BuresError::Size { .. })));
    assert!(matches!(
        Gaussian::from_samples(&[1.0; 2], Some(&[0.0, 0.0]), 1, 0),
        Err(BuresError::BadWeights { .. })
    ));
    let mismatch = w2(&gaussian(2, 2, 1), &gaussian(3, 3, 1));
    assert_eq!(mismatch, Err(BuresError::DimensionMismatch { left: 2, right: 3 }));
    assert!(matches!(barycenter(&[], None, &BarycenterSettings::default()), Err(BuresError::Empty { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_distance_is_a_metric_below_exact_transport(
        dim in 1usize..7, ranks in (0usize..7, 0usize..7, 0usize..7), step in 0u64..1000,
    ) {
        let make = |rank: usize, step| gaussian(dim, rank.min(dim), step);
        let (p, q, r) = (make(ranks.0, step), make(ranks.1, step + 1), make(ranks.2, step + 2));
        prop_assert_eq!(w2(&p, &p), Ok(0.0));
        let (pq, qp) = (w2(&p, &q).unwrap(), w2(&q, &p).unwrap());
        prop_assert!(pq >= 0.0 && (pq - qp).abs() < 1e-7);
        prop_assert!(w2(&p, &r).unwrap() <= pq + w2(&q, &r).unwrap() + 1e-7);
        let (x, y) = (noise(8 * dim, step + 3), noise(5 * dim, step + 4));
        let of = |samples: &[f64]| Gaussian::from_samples(samples, None, dim, 0).unwrap();
        let exact = exact::w2_pow(&x, None, &y, None, dim).unwrap();
        prop_assert!(w2_pow(&of(&x), &of(&y)).unwrap() <= exact + 1e-10);
    }
}
