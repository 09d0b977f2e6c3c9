//! Exact transport: the time of a problem of each size, and of all pairs of classes of two datasets.
//!
//! `cargo bench -p wowflow --bench transport` prints the table; after `--`:
//! `--images SOURCE TARGET` (uncompressed IDX files of 28 x 28 images; without them, noise),
//! `--threads N` (default 2), `--rounds N` (default 5), `--double` (f64 points), `--simplex` (the network
//! simplex too), `--weighted`, `--size N,M` (may be repeated), `--recomputed` or `--kept` (costs),
//! `--classes` (10 x 10 classes of 500). Costs are computed in the time that is measured.
//! `benches/peers/pot_emd.py` times POT on the same data.

use std::time::Instant;

use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::exact::{Method, Problem, Storage, Transport, solve_by, squared_euclidean};
use wowflow::ot::wow::{KeepPlans, wow2_pow};
use wowflow::rng::{Purpose, Stream};
use wowflow::scalar::Scalar;

const DIM: usize = 784;
const SIZES: [(usize, usize); 3] = [(500, 500), (2000, 2000), (5000, 5000)];
const CLASSES: usize = 10;
const CLASS_SIZE: usize = 500;

struct Options {
    images: Option<(String, String)>,
    threads: usize,
    rounds: usize,
    double: bool,
    simplex: bool,
    weighted: bool,
    storage: Storage,
    classes: bool,
    sizes: Vec<(usize, usize)>,
}

fn options() -> Options {
    let mut options = Options {
        images: None,
        threads: 2,
        rounds: 5,
        double: false,
        simplex: false,
        weighted: false,
        storage: Storage::Auto,
        classes: false,
        sizes: Vec::new(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().expect("a value after the option");
        match arg.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--images" => options.images = Some((value(), value())),
            "--threads" => options.threads = value().parse().expect("a number of threads"),
            "--rounds" => options.rounds = value().parse().expect("a number of rounds"),
            "--double" => options.double = true,
            "--simplex" => options.simplex = true,
            "--weighted" => options.weighted = true,
            "--recomputed" => options.storage = Storage::Recomputed,
            "--kept" => options.storage = Storage::Kept,
            "--classes" => options.classes = true,
            "--size" => {
                let size = value();
                let (n, m) = size.split_once(',').expect("two numbers after --size: N,M");
                options.sizes.push((n.parse().expect("a number"), m.parse().expect("a number")));
            }
            other => panic!("expected one of the options in the head of this file, found {other}"),
        }
    }
    if options.sizes.is_empty() {
        options.sizes = SIZES.to_vec();
    }
    options
}

fn main() {
    let options = options();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build().expect("threads");
    pool.install(|| if options.double { run::<f64>(&options) } else { run::<f32>(&options) });
}

fn run<T: Scalar>(options: &Options) {
    let what = if options.images.is_some() { "images" } else { "noise" };
    println!("{} threads, {what} in {}, medians of {} rounds", options.threads, T::NAME, options.rounds);
    if options.classes {
        return classes::<T>(options);
    }
    for &(n, m) in &options.sizes {
        let (x, y) = (points::<T>(options, n, false), points::<T>(options, m, true));
        // As in `pot_emd.py`.
        let weights = |count: usize, step: usize| -> Vec<f64> {
            (0..count).map(|i| 0.1 + ((i * step) % 1000) as f64 / 1000.0).collect()
        };
        let (a, b) = (weights(n, 7919), weights(m, 7907));
        let (a, b) = if options.weighted { (Some(&a[..]), Some(&b[..])) } else { (None, None) };
        report(options, n, m, "shortlists", || {
            Problem::points(&x, &y, DIM).weights(a, b).storage(options.storage).solve().expect("points")
        });
        if options.simplex {
            report(options, n, m, "simplex", || {
                let cost = squared_euclidean(&x, &y, DIM).expect("finite points");
                solve_by(Method::NetworkSimplex, &cost, a, b).expect("weights")
            });
        }
    }
}

fn report(options: &Options, n: usize, m: usize, name: &str, solve: impl Fn() -> Transport) {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..options.rounds {
        let start = Instant::now();
        last = Some(solve());
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let found = last.expect("at least one round");
    println!(
        "{n:6} x {m:6} {name:10} {:10.2} ms  value {:.12}  gap {:.1e}  {} steps, peak {:.0} MiB",
        median(times),
        found.value,
        found.gap,
        found.steps,
        peak_mib()
    );
}

/// All pairs of classes: those of the images, or noise.
fn classes<T: Scalar>(options: &Options) {
    let dataset = |target: bool| {
        let mut points = Vec::new();
        match &options.images {
            None => points = self::points::<T>(options, CLASSES * CLASS_SIZE, target),
            Some(files) => {
                let images = if target { &files.1 } else { &files.0 };
                let bytes = std::fs::read(images).expect("an IDX file of images");
                let place = images.replace("images-idx3", "labels-idx1");
                assert!(
                    place != *images,
                    "expected images-idx3 in the name of {images}, beside which labels-idx1 is"
                );
                let labels = std::fs::read(&place).unwrap_or_else(|error| {
                    panic!("expected the labels of {images} in {place}, found none: {error}")
                });
                assert!(labels.len() - 8 == (bytes.len() - 16) / DIM, "expected a label an image in {place}");
                for class in 0..CLASSES {
                    let of_class = (0..labels.len() - 8).filter(|&i| usize::from(labels[8 + i]) == class);
                    for i in of_class.take(CLASS_SIZE) {
                        points.extend(pixels::<T>(&bytes[16 + i * DIM..16 + (i + 1) * DIM]));
                    }
                }
            }
        }
        MeasureOverMeasures::uniform(points, DIM, &[CLASS_SIZE; CLASSES]).expect("finite points")
    };
    let (p, q) = (dataset(false), dataset(true));
    let mut times = Vec::new();
    let mut value = 0.0;
    for _ in 0..options.rounds {
        let start = Instant::now();
        value = wow2_pow(&p, &q, KeepPlans::No).expect("one dimension").value;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    println!("{CLASSES} x {CLASSES} classes of {CLASS_SIZE}: {:.1} ms, W_W2^2 = {value:.12}", median(times));
}

fn points<T: Scalar>(options: &Options, count: usize, target: bool) -> Vec<T> {
    match &options.images {
        Some((source, other)) => {
            let bytes = std::fs::read(if target { other } else { source }).expect("an IDX file of images");
            pixels(&bytes[16..16 + count * DIM]).collect()
        }
        None => {
            let mut noise = vec![0.0; count * DIM];
            Stream::new(1, Purpose::Test, u64::from(target)).normals(0, &mut noise);
            noise.into_iter().map(|v| T::from_f64((0.3 * v + 0.3).clamp(0.0, 1.0))).collect()
        }
    }
}

fn pixels<T: Scalar>(bytes: &[u8]) -> impl Iterator<Item = T> {
    bytes.iter().map(|&byte| T::from_f64(f64::from(f32::from(byte) / 255.0)))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The most memory this process has had so far; 0 where the system does not tell.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
