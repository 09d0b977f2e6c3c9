//! Sliced distances between datasets against their definitions, written out; intervals against the truth.

use rayon::prelude::*;
use wowflow::compare::{
    Busemann, Certainty, DoubleSliced, Inner, Method, Mmd, PooledSliced, Process, Rays, SlicedOtdd, Slices,
    compare,
};
use wowflow::directions::{Directions, Slicing};
use wowflow::functional::{MmdSw, SlicingPlan};
use wowflow::kernel::{Gaussian, Kernel};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::exact::{CostMatrix, solve, w2_pow};
use wowflow::ot::one_d::w_pow;
use wowflow::ot::sliced::sw_pow;
use wowflow::rng::{Purpose, Reader, Stream};

type Measure = MeasureOverMeasures<f64>;

const DIM: usize = 4;
const COUNT: usize = 40;
const SEED: u64 = 9;

fn slices(slicing: Slicing) -> Slices {
    Slices::new(slicing, COUNT).unwrap()
}

/// Classes apart from each other and shaped differently, with weights if asked for.
fn dataset(sizes: &[usize], step: u64, weighted: bool) -> Measure {
    let samples: usize = sizes.iter().sum();
    let mut points = vec![0.0; samples * DIM];
    Stream::new(23, Purpose::Test, step).normals(0, &mut points);
    for (i, x) in points.iter_mut().enumerate() {
        *x = *x * (0.3 + 0.2 * (i % DIM) as f64) + 0.4 * step as f64 * ((i / DIM / 3) % 3) as f64;
    }
    let stream = Stream::new(24, Purpose::Test, step);
    let inner: Vec<f64> = (0..samples as u64).map(|i| (stream.uniform(i) - 0.2).max(0.0)).collect();
    let outer: Vec<f64> = (0..sizes.len() as u64).map(|c| stream.uniform(1000 + c) + 0.1).collect();
    let (inner, outer) = (weighted.then_some(&inner[..]), weighted.then_some(&outer[..]));
    Measure::new(points, DIM, sizes, inner, outer).unwrap()
}

fn pairs() -> Vec<(Measure, Measure)> {
    vec![
        (dataset(&[8, 8], 1, false), dataset(&[8, 8], 2, false)),
        (dataset(&[7, 1, 12], 1, false), dataset(&[9, 5], 2, false)),
        (dataset(&[6, 10], 3, true), dataset(&[9, 5, 8], 4, true)),
        (dataset(&[6, 10], 3, false), dataset(&[9, 5, 8], 4, true)),
    ]
}

fn directions(slicing: Slicing) -> Directions<f64> {
    Directions::draw_from(slicing, COUNT, DIM, Stream::new(SEED, Purpose::Evaluation, 0)).unwrap()
}

fn reader(slice: usize) -> Reader {
    Stream::new(SEED, Purpose::Slices, slice as u64).reader()
}

fn unit(reader: &mut Reader, len: usize) -> Vec<f64> {
    let vector: Vec<f64> = (0..len).map(|_| reader.normal()).collect();
    let norm = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    vector.iter().map(|v| v / norm).collect()
}

/// A class along a direction: values and weights.
fn class_along(p: &Measure, class: usize, theta: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let dot = |x: &[f64]| x.iter().zip(theta).map(|(a, b)| a * b).sum();
    let size = p.class_size(class);
    let weights = p.class_weights(class).map_or_else(|| vec![1.0 / size as f64; size], <[f64]>::to_vec);
    (p.class_points(class).chunks(DIM).map(dot).collect(), weights)
}

/// The mean over slices of `W_p^p` between samples that became numbers, from what a class makes of its values.
fn over_samples(
    pair: (&Measure, &Measure),
    order: f64,
    number: impl Fn(usize, &[f64], &[f64]) -> (f64, f64),
) -> f64 {
    over_masses(pair, order, Measure::sample_masses, number)
}

/// The same with other masses of the samples.
fn over_masses(
    (p, q): (&Measure, &Measure),
    order: f64,
    masses: fn(&Measure) -> Vec<f64>,
    number: impl Fn(usize, &[f64], &[f64]) -> (f64, f64),
) -> f64 {
    let thetas = directions(Slicing::Gaussian);
    let slice = |l: usize| {
        let side = |measure: &Measure| {
            let mut numbers = Vec::new();
            for class in 0..measure.class_count() {
                let (values, weights) = class_along(measure, class, thetas.row(l));
                let (feature, label) = number(l, &values, &weights);
                numbers.extend(values.iter().map(|value| feature * value + label));
            }
            (numbers, masses(measure))
        };
        let ((x, a), (y, b)) = (side(p), side(q));
        w_pow(&x, Some(&a), &y, Some(&b), order)
    };
    (0..COUNT).map(slice).sum::<f64>() / COUNT as f64
}

fn assert_power(p: &Measure, q: &Measure, method: &Method, expected: f64) {
    let found = compare(p, q, method, SEED).unwrap().power;
    assert!((found - expected).abs() < 1e-11 * expected, "{method:?}: {found} {expected}");
}

#[test]
fn pooled_samples() {
    for (p, q) in &pairs() {
        for order in [1.0, 2.0, 3.0] {
            let expected = over_masses((p, q), order, Measure::pooled_masses, |_, _, _| (1.0, 0.0));
            let method = Method::PooledSliced(PooledSliced::new(slices(Slicing::Gaussian), order).unwrap());
            assert_power(p, q, &method, expected);
        }
    }
    // Against the sliced distance of two plain measures, on other kinds of directions.
    let (p, q) = &pairs()[0];
    for slicing in [Slicing::Orthonormal, Slicing::Hadamard] {
        let expected = sw_pow(p.points(), None, q.points(), None, &directions(slicing), 2.0);
        let method = Method::PooledSliced(PooledSliced::new(slices(slicing), 2.0).unwrap());
        assert_power(p, q, &method, expected.value);
        let Certainty::Sliced { value, .. } = compare(p, q, &method, SEED).unwrap().certainty else {
            panic!("a sliced distance has errors")
        };
        let plain = expected.root_estimate(2.0);
        assert!((value.standard_error / plain.standard_error - 1.0).abs() < 1e-10);
    }
}

#[test]
fn s_otdd() {
    let moments = 4;
    for (p, q) in &pairs() {
        for order in [1.0, 2.0] {
            let expected = over_samples((p, q), order, |l, values, weights| {
                let mut reader = reader(l);
                let psi = unit(&mut reader, moments + 1);
                let mut label = 0.0;
                for (i, psi) in psi.iter().enumerate().skip(1) {
                    // A Poisson number of rate i given that it is not 0, by inversion.
                    let (rate, uniform) = (i as f64, reader.uniform());
                    let (mut lambda, mut factorial) = (1, 1.0);
                    let mut below = rate / rate.exp_m1();
                    while below < uniform {
                        lambda += 1;
                        factorial *= f64::from(lambda);
                        below += rate.powi(lambda) / factorial / rate.exp_m1();
                    }
                    let moment = values.iter().zip(weights).map(|(x, w)| w * x.powi(lambda)).sum::<f64>();
                    label += psi * moment / factorial;
                }
                (psi[0], label)
            });
            let s_otdd = SlicedOtdd::new(slices(Slicing::Gaussian), moments, order).unwrap();
            assert_power(p, q, &Method::SlicedOtdd(s_otdd), expected);
        }
    }
}

/// `int F^{-1} Phi^{-1}` for weighted values: atom by atom the primitive of the normal quantile, `-phi(Phi^{-1})`.
fn gaussian_inner_product(values: &[f64], weights: &[f64]) -> f64 {
    let mut sorted: Vec<(f64, f64)> = values.iter().copied().zip(weights.iter().copied()).collect();
    sorted.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (mut level, mut sum) = (0.0, 0.0);
    for (value, weight) in sorted {
        let next: f64 = level + weight;
        sum += value * (density(quantile(level)) - density(quantile(next.min(1.0))));
        level = next;
    }
    sum
}

fn density(z: f64) -> f64 {
    (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

/// The normal quantile by bisection on Simpson's rule.
fn quantile(level: f64) -> f64 {
    let distribution = |z: f64| {
        const CELLS: usize = 400;
        let width = z / CELLS as f64;
        let cell = |k: usize| {
            let at = k as f64 * width;
            (density(at) + 4.0 * density(at + width / 2.0) + density(at + width)) * width / 6.0
        };
        0.5 + (0..CELLS).map(cell).sum::<f64>()
    };
    let (mut low, mut high) = (-9.0, 9.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if distribution(middle) < level {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[test]
fn busemann_on_the_line() {
    for (p, q) in &pairs() {
        let expected = over_samples((p, q), 2.0, |l, values, weights| {
            let mut reader = reader(l);
            let psi = unit(&mut reader, 2);
            let mean = reader.range(-1.0, 1.0);
            let centre: f64 = values.iter().zip(weights).map(|(x, w)| w * x).sum();
            let spread = gaussian_inner_product(values, weights);
            (psi[0], -psi[1] * (mean * centre + (1.0 - mean * mean).sqrt() * spread))
        });
        let busemann = Busemann::new(slices(Slicing::Gaussian), Rays::Gaussian1d, 2.0).unwrap();
        let found = compare(p, q, &Method::Busemann(busemann), SEED).unwrap().power;
        assert!((found - expected).abs() < 1e-9 * expected, "{found} {expected}");
    }
}

#[test]
fn wasserstein_over_sliced_wasserstein() {
    for (p, q) in &pairs() {
        let thetas = directions(Slicing::Gaussian);
        let cost = |k: usize| {
            let (c, d) = (k / q.class_count(), k % q.class_count());
            let (x, y) = (p.class_points(c), q.class_points(d));
            sw_pow(x, p.class_weights(c), y, q.class_weights(d), &thetas, 2.0).value
        };
        let (rows, cols) = (p.class_count(), q.class_count());
        let costs = CostMatrix::new(rows, cols, (0..rows * cols).map(cost).collect()).unwrap();
        let expected = solve(&costs, Some(p.outer_weights()), Some(q.outer_weights())).unwrap().value;
        let method = Method::Wow(Inner::Sliced(slices(Slicing::Gaussian)));
        assert_power(p, q, &method, expected);
        let found = compare(p, q, &method, SEED).unwrap().classes.unwrap();
        assert!(found.values().iter().zip(costs.values()).all(|(a, b)| (a - b).abs() < 1e-11 * b));
    }
}

#[test]
fn mmd() {
    let (p, q) = &pairs()[1];
    let kernel = Kernel::from(Gaussian::new(0.7).unwrap());
    let plan = SlicingPlan { slicing: Slicing::Gaussian, count: COUNT, seed: SEED };
    let expected = MmdSw::new(p, q, kernel, plan).unwrap().mmd2_estimate(p, 0);
    let method = Method::Mmd(Mmd::new(slices(Slicing::Gaussian), kernel).unwrap());
    let found = compare(p, q, &method, SEED).unwrap();
    assert!(matches!(found.certainty, Certainty::Sliced { power, .. } if power == expected));
    let cost = sw_pow(p.class_points(0), None, q.class_points(1), None, &directions(Slicing::Gaussian), 2.0);
    assert!((found.classes.unwrap().get(0, 1) - cost.value).abs() < 1e-12);
}

#[test]
fn double_slices_of_single_samples_are_projections() {
    // A class of one sample has a constant quantile function: `<theta, x>` times the integral of `g`, whose variance
    // is 1/3 for Brownian motion, and that of the covariance in general. With one class a side the mean is
    // |x - y|^2 / d times it.
    let (x, y) = (vec![0.3, -1.0, 2.0, 0.0], vec![1.0, 1.0, 0.5, -2.0]);
    let square: f64 = x.iter().zip(&y).map(|(a, b): (&f64, &f64)| (a - b).powi(2)).sum();
    let (p, q) = (Measure::uniform(x, DIM, &[1]).unwrap(), Measure::uniform(y, DIM, &[1]).unwrap());
    let length = 0.3;
    let cells = 2000_usize;
    let middle = |k: usize| (k as f64 + 0.5) / cells as f64;
    let smooth: f64 = (0..cells)
        .flat_map(|i| (0..cells).map(move |j| (i, j)))
        .map(|(i, j)| (-0.5 * ((middle(i) - middle(j)) / length).powi(2)).exp())
        .sum::<f64>()
        / (cells * cells) as f64;
    for (process, variance) in
        [(Process::Brownian, 1.0 / 3.0), (Process::SquaredExponential { length }, smooth)]
    {
        let many = Slices::new(Slicing::Gaussian, 20_000).unwrap();
        let method = Method::DoubleSliced(DoubleSliced::new(many, process, 8).unwrap());
        let Certainty::Sliced { power, .. } = compare(&p, &q, &method, SEED).unwrap().certainty else {
            panic!("a sliced distance has errors")
        };
        let (low, high) = power.interval(0.999);
        let expected = variance * square / DIM as f64;
        // The grid of the functions changes the variance by less than 0.02 %.
        assert!(low < expected && expected < high, "{process:?}: {low} {expected} {high}");
        assert!((high - low) < 0.1 * expected);
    }
}

#[test]
fn double_slices_stay_below_what_they_slice() {
    // E <h, g>^2 <= |h|^2 for processes of trace 1: slices are at most W_{W2}^2 along the direction, and those at
    // most W_{W2}^2 / d on average.
    let many = Slices::new(Slicing::Orthonormal, 400).unwrap();
    for (p, q) in &pairs() {
        let wow = compare(p, q, &Method::Wow(Inner::Exact), SEED).unwrap().power;
        for process in [Process::Brownian, Process::SquaredExponential { length: 0.1 }] {
            let method = Method::DoubleSliced(DoubleSliced::new(many, process, 8).unwrap());
            let found = compare(p, q, &method, SEED).unwrap().power;
            assert!(0.0 < found && found < 1.05 * wow / DIM as f64, "{found} {wow}");
        }
    }
}

#[test]
fn exact_distances() {
    for (p, q) in &pairs() {
        let (a, b) = (p.pooled_masses(), q.pooled_masses());
        let expected = w2_pow(p.points(), Some(&a), q.points(), Some(&b), DIM).unwrap();
        assert_power(p, q, &Method::PooledW2, expected);
        let expected = wowflow::ot::wow::wow2(p, q).unwrap();
        let found = compare(p, q, &Method::Wow(Inner::Exact), SEED).unwrap().value;
        assert!((found - expected).abs() < 1e-14 * expected);
    }
}

#[test]
fn intervals_cover_the_truth() {
    const REPETITIONS: u64 = 500;
    let (p, q) = (dataset(&[7, 4], 1, false), dataset(&[5, 6], 2, false));
    let methods: [fn(Slices) -> Method; 3] = [
        |slices| Method::SlicedOtdd(SlicedOtdd::new(slices, 3, 2.0).unwrap()),
        |slices| Method::Busemann(Busemann::new(slices, Rays::Gaussian1d, 2.0).unwrap()),
        |slices| Method::DoubleSliced(DoubleSliced::new(slices, Process::Brownian, 2).unwrap()),
    ];
    for method in methods {
        let at = |count: usize, seed: u64| {
            let slices = Slices::new(Slicing::Gaussian, count).unwrap();
            compare(&p, &q, &method(slices), seed).unwrap()
        };
        let truth = at(60_000, 1_000_000).value;
        let covers = |seed: &u64| match at(200, *seed).certainty {
            Certainty::Sliced { value, .. } => {
                let (low, high) = value.interval(0.95);
                low < truth && truth < high
            }
            _ => false,
        };
        let share = (0..REPETITIONS).into_par_iter().filter(covers).count() as f64 / REPETITIONS as f64;
        println!("{:?}: {share}", method(slices(Slicing::Gaussian)));
        assert!((0.915..=0.98).contains(&share), "{:?}: {share}", method(slices(Slicing::Gaussian)));
    }
}
