//! Exact transport: the time of a problem of each size, and of all pairs of classes of two datasets.
//!
//! `cargo bench -p wowflow --bench transport` prints the table; after `--`:
//! `--images SOURCE TARGET` (uncompressed IDX files of 28 x 28 images; without them, noise),
//! `--threads N` (default 2), `--rounds N` (default 5), `--double` (f64 points), `--simplex` (the network
//! simplex too), `--weighted`, `--size N,M` (may be repeated), `--recomputed` or `--kept` (costs),
//! `--classes` (10 x 10 classes of 500), `--json FILE` (both precisions, equal and unequal weights, one product of
//! matrices and entropic transport, for programs), `--save FOLDER` (the points and weights in f64 as .npy files),
//! `--quick` (small sizes, 2 rounds). Costs are computed in the time that is measured.
//! `benches/peers/exact.py` and `entropic.py` time other libraries on what `--save` wrote.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use wowflow::linalg::{Mat, Output, Threads, matmul};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::entropic::{SinkhornSettings, sinkhorn_points};
use wowflow::ot::exact::{Method, Problem, Storage, Transport, solve_by, squared_euclidean};
use wowflow::ot::wow::{KeepPlans, wow2_pow};
use wowflow::rng::{Purpose, Stream};
use wowflow::scalar::Scalar;

const DIM: usize = 784;
const SIZES: [(usize, usize); 3] = [(500, 500), (2000, 2000), (5000, 5000)];
const QUICK: [(usize, usize); 2] = [(100, 100), (200, 200)];
/// Of `SIZES`, or of `QUICK`: the one that entropic transport is timed at.
const ENTROPIC: usize = 1;
/// Regularisation, as a share of the mean cost.
const EPSILON: f64 = 0.05;
/// How far off the marginals of an entropic plan may be in total.
const TOLERANCE: f64 = 1e-6;
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
    json: Option<String>,
    save: Option<String>,
    quick: bool,
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
        json: None,
        save: None,
        quick: false,
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
            "--json" => options.json = Some(value()),
            "--save" => options.save = Some(value()),
            "--quick" => (options.quick, options.rounds) = (true, 2),
            "--size" => {
                let size = value();
                let (n, m) = size.split_once(',').expect("two numbers after --size: N,M");
                options.sizes.push((n.parse().expect("a number"), m.parse().expect("a number")));
            }
            other => panic!("expected one of the options in the head of this file, found {other}"),
        }
    }
    if options.sizes.is_empty() {
        options.sizes = if options.quick { QUICK.to_vec() } else { SIZES.to_vec() };
    }
    options
}

fn main() {
    let options = options();
    if let Some(folder) = &options.save {
        save(&options, Path::new(folder)).expect("the folder of --save can be written");
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build().expect("threads");
    pool.install(|| match &options.json {
        Some(file) => {
            std::fs::write(file, record(&options).to_string()).expect("the file of --json can be written");
        }
        None if options.double => run::<f64>(&options),
        None => run::<f32>(&options),
    });
}

fn run<T: Scalar>(options: &Options) {
    let what = if options.images.is_some() { "images" } else { "noise" };
    println!("{} threads, {what} in {}, medians of {} rounds", options.threads, T::NAME, options.rounds);
    if options.classes {
        return classes::<T>(options);
    }
    for &size in &options.sizes {
        exact::<T>(options, size, options.weighted);
    }
}

/// All that `--json` writes.
fn record(options: &Options) -> Value {
    let mut rows = Vec::new();
    for &size in &options.sizes {
        for weighted in [false, true] {
            rows.extend([exact::<f32>(options, size, weighted), exact::<f64>(options, size, weighted)]);
        }
    }
    let at = ENTROPIC.min(options.sizes.len() - 1);
    let entropic = [entropic::<f32>(options, options.sizes[at]), entropic::<f64>(options, options.sizes[at])];
    json!({
        "threads": options.threads, "rounds": options.rounds, "images": options.images.is_some(),
        "transport": rows, "entropic": entropic,
    })
}

/// The f32 matrix product of both samples, a measure of the machine.
struct Product {
    x: Vec<f32>,
    y: Vec<f32>,
    out: Vec<f32>,
}

impl Product {
    fn new(options: &Options, (n, m): (usize, usize)) -> Self {
        let (x, y) = (points(options, n, false), points(options, m, true));
        Self { x, y, out: vec![0.0; n * m] }
    }

    fn run(&mut self) {
        let Self { x, y, out } = self;
        let x = Mat::row_major(x, x.len() / DIM, DIM);
        let y = Mat::row_major(y, y.len() / DIM, DIM).transposed();
        matmul(out, Output::Overwrite, 1.0, x, y, Threads::Pool);
    }
}

/// Medians of `solve` and of the product, in turns after a round that warms up, and the last solution.
fn timed<S>(options: &Options, size: (usize, usize), solve: impl Fn() -> S) -> (f64, Option<f64>, S) {
    // Without `--json` the memory is that of the solver alone.
    let mut product = options.json.as_ref().map(|_| Product::new(options, size));
    product.iter_mut().for_each(Product::run);
    let mut last = solve();
    let (mut times, mut products) = (Vec::new(), Vec::new());
    // Small problems end within milliseconds, where few rounds say little.
    let rounds = if size.0 * size.1 <= 1_000_000 { 5 * options.rounds } else { options.rounds };
    for _ in 0..rounds {
        products.extend(product.as_mut().map(|product| clock(|| product.run())));
        times.push(clock(|| last = solve()));
    }
    (median(times), (!products.is_empty()).then(|| median(products)), last)
}

fn clock(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

/// Unequal weights, before they are divided by their sum.
fn weights(count: usize, target: bool) -> Vec<f64> {
    let step = if target { 7907 } else { 7919 };
    (0..count).map(|i| 0.1 + ((i * step) % 1000) as f64 / 1000.0).collect()
}

fn exact<T: Scalar>(options: &Options, (n, m): (usize, usize), weighted: bool) -> Value {
    let (x, y) = (points::<T>(options, n, false), points::<T>(options, m, true));
    let (a, b) = (weights(n, false), weights(m, true));
    let (a, b) = if weighted { (Some(&a[..]), Some(&b[..])) } else { (None, None) };
    let (ms, product, found) = report(options, n, m, "shortlists", || {
        Problem::points(&x, &y, DIM).weights(a, b).storage(options.storage).solve().expect("points")
    });
    if options.simplex {
        report(options, n, m, "simplex", || {
            let cost = squared_euclidean(&x, &y, DIM).expect("finite points");
            solve_by(Method::NetworkSimplex, &cost, a, b).expect("weights")
        });
    }
    json!({
        "n": n, "m": m, "dim": DIM, "weighted": weighted, "scalar": T::NAME, "ms": ms, "product_ms": product,
        "value": found.value, "gap": found.gap, "steps": found.steps,
    })
}

fn entropic<T: Scalar>(options: &Options, (n, m): (usize, usize)) -> Value {
    let (x, y) = (points::<T>(options, n, false), points::<T>(options, m, true));
    let cost = squared_euclidean(&x, &y, DIM).expect("finite points");
    let epsilon = EPSILON * cost.values().iter().sum::<f64>() / (n * m) as f64;
    drop(cost);
    let settings = SinkhornSettings { tolerance: TOLERANCE, ..SinkhornSettings::new(epsilon) };
    let (ms, product, found) =
        timed(options, (n, m), || sinkhorn_points(&x, None, &y, None, DIM, &settings).expect("points"));
    println!(
        "{n:6} x {m:6} entropic   {ms:10.2} ms  value {:.12}  gap {:.1e}  {} iterations in {}",
        found.value,
        found.gap,
        found.iterations,
        T::NAME
    );
    json!({
        "n": n, "m": m, "dim": DIM, "scalar": T::NAME, "ms": ms, "product_ms": product, "epsilon": epsilon, "share": EPSILON,
        "tolerance": TOLERANCE, "converged": found.converged, "iterations": found.iterations,
        "linear_cost": found.linear_cost, "value": found.value, "gap": found.gap,
        "marginal_error": found.marginal_error,
    })
}

/// The points and weights of every size, each a file such as `x-500.npy`.
fn save(options: &Options, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for &(n, m) in &options.sizes {
        for (count, target, [points, weights]) in [(n, false, ["x", "a"]), (m, true, ["y", "b"])] {
            let data = self::points::<f64>(options, count, target);
            npy(&folder.join(format!("{points}-{count}.npy")), &format!("({count}, {DIM})"), &data)?;
            let data = self::weights(count, target);
            npy(&folder.join(format!("{weights}-{count}.npy")), &format!("({count},)"), &data)?;
        }
    }
    Ok(())
}

/// Version 1.0 of numpy's format, whose header is filled up to a multiple of 64 bytes.
fn npy(file: &Path, shape: &str, data: &[f64]) -> std::io::Result<()> {
    let head = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    let head = format!("{head:117}\n");
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&118u16.to_le_bytes())?;
    out.write_all(head.as_bytes())?;
    data.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?;
    out.flush()
}

fn report(
    options: &Options,
    n: usize,
    m: usize,
    name: &str,
    solve: impl Fn() -> Transport,
) -> (f64, Option<f64>, Transport) {
    let (ms, product, found) = timed(options, (n, m), solve);
    println!(
        "{n:6} x {m:6} {name:10} {ms:10.2} ms  value {:.12}  gap {:.1e}  {} steps, peak {:.0} MiB",
        found.value,
        found.gap,
        found.steps,
        peak_mib()
    );
    (ms, product, found)
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
