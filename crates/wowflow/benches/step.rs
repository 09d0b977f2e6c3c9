//! One step of the flow beside its two matrix products, in one run: medians and their ratio.
//!
//! `cargo bench -p wowflow --bench step` prints the table; after `--`:
//! `--threads N` (default 2), `--rounds N` (default 15), `--quick` (3 rounds of small sizes),
//! `--sweeps` (scaling in n, C, d and L), `--large` (100,000 samples; C = 1000; d = 150,000), `--only N`
//! (the Nth size of the table, or of the large ones), `--ragged` (classes of unequal sizes, and weights),
//! `--json FILE` (all medians, for programs; of the table or of `--ragged`).

use std::fmt::Write as _;
use std::time::Instant;

use rayon::prelude::*;
use wowflow::directions::{Directions, Slicing};
use wowflow::functional::{Functional, MmdSw, SlicingPlan};
use wowflow::kernel::{Kernel, Riesz};
use wowflow::linalg::{Mat, Output, Threads, matmul};
use wowflow::measure::MeasureOverMeasures;
use wowflow::ot::sliced::sw_pow;
use wowflow::ot::sort::{SortScratch, argsort};
use wowflow::rng::{Purpose, Stream};

/// Classes, source samples a class, target samples a class, dimension, directions.
#[derive(Clone, Copy, Debug)]
struct Size {
    classes: usize,
    n: usize,
    m: usize,
    dim: usize,
    count: usize,
}

const fn size(classes: usize, n: usize, m: usize, dim: usize, count: usize) -> Size {
    Size { classes, n, m, dim, count }
}

const SIZES: [Size; 4] = [
    size(10, 200, 10, 784, 500),
    size(10, 500, 500, 784, 500),
    size(10, 100, 100, 3072, 500),
    size(3, 80, 80, 2, 500),
];

const SLICINGS: [(&str, Slicing); 3] =
    [("gaussian", Slicing::Gaussian), ("orthonormal", Slicing::Orthonormal), ("hadamard", Slicing::Hadamard)];

struct Options {
    threads: usize,
    rounds: usize,
    quick: bool,
    sweeps: bool,
    large: bool,
    ragged: bool,
    only: Option<usize>,
    json: Option<String>,
}

impl Options {
    /// The sizes asked for.
    fn chosen<'s, S>(&self, sizes: &'s [S]) -> &'s [S] {
        self.only.map_or(sizes, |n| std::slice::from_ref(&sizes[n - 1]))
    }
}

fn options() -> Options {
    let mut options = Options {
        threads: 2,
        rounds: 15,
        quick: false,
        sweeps: false,
        large: false,
        ragged: false,
        only: None,
        json: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|v| v.parse().ok()).expect("a number after the option");
        match arg.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--threads" => options.threads = number(),
            "--rounds" => options.rounds = number(),
            "--quick" => (options.quick, options.rounds) = (true, 3),
            "--sweeps" => options.sweeps = true,
            "--large" => options.large = true,
            "--ragged" => options.ragged = true,
            "--only" => options.only = Some(number()),
            "--json" => options.json = Some(args.next().expect("a file after --json")),
            other => {
                panic!(
                    "expected --threads, --rounds, --quick, --sweeps, --large, --ragged, --only or --json, found {other}"
                )
            }
        }
    }
    options
}

fn main() {
    let options = options();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build().expect("threads");
    println!(
        "{} threads, f32, Riesz kernel, medians of {} interleaved rounds",
        options.threads, options.rounds
    );
    if options.sweeps {
        return pool.install(|| sweeps(options.rounds));
    }
    if options.ragged {
        let rows = pool.install(|| ragged(&options));
        return write(&options, &format!("\"ragged\":[{}]", rows.join(",")));
    }
    if options.large {
        return pool.install(|| large(&options));
    }
    let mut rows = Vec::new();
    for &(mut size) in options.chosen(&SIZES) {
        if options.quick {
            (size.n, size.dim) = (size.n.min(20), size.dim.min(100));
        }
        rows.push(pool.install(|| measure(size, options.rounds)));
    }
    let value =
        pool.install(|| sliced_value(if options.quick { 500 } else { 20_000 }, options.rounds.min(5)));
    write(&options, &format!("\"rows\":[{}],\"sliced_value\":[{value}]", rows.join(",")));
}

/// Fields of JSON, with what they were measured with, into the file of `--json`.
fn write(options: &Options, fields: &str) {
    if let Some(file) = &options.json {
        let (threads, rounds) = (options.threads, options.rounds);
        let text = format!("{{\"threads\":{threads},\"rounds\":{rounds},{fields}}}\n");
        std::fs::write(file, text).expect("the file of --json can be written");
    }
}

/// What the samples of a class are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// As many in every class, of equal weight.
    Equal,
    /// Up to a tenth fewer or more, about the same in all.
    Sizes,
    /// As many in every class, of weights between 0.5 and 1.5.
    Weights,
}

fn images(classes: usize, samples: usize, dim: usize, step: u64) -> MeasureOverMeasures<f32> {
    shaped(Shape::Equal, classes, samples, dim, step)
}

fn shaped(shape: Shape, classes: usize, samples: usize, dim: usize, step: u64) -> MeasureOverMeasures<f32> {
    let stream = Stream::new(1, Purpose::Test, step);
    let uniforms: Vec<f64> = (0..(classes * samples) as u64).map(|k| stream.uniform(k)).collect();
    let spread = samples / 10;
    let sizes: Vec<usize> = match shape {
        Shape::Sizes => (uniforms.iter().take(classes))
            .map(|u| samples - spread + (u * (2 * spread + 1) as f64) as usize)
            .collect(),
        Shape::Equal | Shape::Weights => vec![samples; classes],
    };
    let mut points = vec![0.0f32; sizes.iter().sum::<usize>() * dim];
    stream.normals_single(0, &mut points);
    points.iter_mut().for_each(|v| *v = (0.3 * *v + 0.3).clamp(0.0, 1.0));
    if shape == Shape::Weights {
        let inner: Vec<f64> = uniforms.iter().map(|u| 0.5 + u).collect();
        return MeasureOverMeasures::new(points, dim, &sizes, Some(&inner), None).expect("finite points");
    }
    MeasureOverMeasures::uniform(points, dim, &sizes).expect("finite points")
}

fn clock(work: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

fn functional<'q>(
    source: &MeasureOverMeasures<f32>,
    target: &'q MeasureOverMeasures<f32>,
    slicing: Slicing,
    count: usize,
) -> MmdSw<'q, f32> {
    let kernel = Kernel::from(Riesz::new(1.0, 0.0).expect("in range"));
    MmdSw::new(source, target, kernel, SlicingPlan { slicing, count, seed: 1 }).expect("same dimension")
}

/// Prints the times of a size and returns them as a JSON object.
fn measure(size: Size, rounds: usize) -> String {
    let Size { classes, n, m, dim, count } = size;
    let (source, target) = (images(classes, n, dim, 1), images(classes, m, dim, 2));
    let directions = Directions::<f32>::draw(Slicing::Gaussian, count, dim, 1, 0).expect("directions");
    let mut velocity = vec![0.0f32; source.points().len()];
    let mut given = functional(&source, &target, Slicing::Gaussian, count);
    let mut drawn = SLICINGS.map(|(name, slicing)| {
        // As many directions as an engineer would take of each kind: Hadamard's come in powers of two.
        let count = if name == "hadamard" { count.next_power_of_two() } else { count };
        (slicing, count, functional(&source, &target, slicing, count))
    });

    let all: Vec<f32> = source.points().iter().chain(target.points()).copied().collect();
    let samples = classes * (n + m);
    let forces = vec![0.5f32; count * classes * n];
    let mut projected = vec![0.0f32; count * samples];
    let mut back = vec![0.0f32; source.points().len()];
    let mut unsorted = projected.clone();
    let mut order = vec![0; projected.len()];

    let mut times: [Vec<f64>; 10] = Default::default();
    for round in 0..=rounds as u64 {
        let project = clock(&mut || {
            let points = Mat::row_major(&all, samples, dim).transposed();
            matmul(&mut projected, Output::Overwrite, 1.0, directions.as_mat(), points, Threads::Pool);
        });
        let back = clock(&mut || {
            let forces = Mat::row_major(&forces, count, classes * n).transposed();
            matmul(&mut back, Output::Overwrite, 1.0, forces, directions.as_mat(), Threads::Pool);
        });
        unsorted.copy_from_slice(&projected);
        let sort = clock(&mut || {
            let rows = unsorted.par_chunks_mut(samples).zip(order.par_chunks_mut(samples));
            rows.for_each_init(SortScratch::default, |scratch, (row, order)| {
                let (sources, targets) = row.split_at_mut(classes * n);
                let (source_order, target_order) = order.split_at_mut(classes * n);
                for (row, order) in sources.chunks_mut(n).zip(source_order.chunks_mut(n)) {
                    argsort(row, order, scratch);
                }
                for (row, order) in targets.chunks_mut(m).zip(target_order.chunks_mut(m)) {
                    argsort(row, order, scratch);
                }
            });
        });
        let given = clock(&mut || {
            given.evaluate_along(&source, &directions, &mut velocity);
        });
        let steps = drawn.each_mut().map(|(_, _, functional)| {
            clock(&mut || {
                functional.evaluate(&source, round, &mut velocity);
            })
        });
        let draws = drawn.each_ref().map(|&(slicing, count, _)| match slicing {
            // Never drawn as a matrix.
            Slicing::Hadamard => 0.0,
            _ => clock(&mut || drop(Directions::<f32>::draw(slicing, count, dim, 1, round))),
        });
        // The first round warms up.
        if round > 0 {
            let found =
                [project, back, sort, given, steps[0], steps[1], steps[2], draws[0], draws[1], draws[2]];
            times.iter_mut().zip(found).for_each(|(times, found)| times.push(found));
        }
    }
    let [project, back, sort, given, gaussian, orthonormal, hadamard, draw_gaussian, draw_orthonormal, _] =
        times.map(median);
    let floor = project + back;
    println!("(C, n, m, d, L) = ({classes}, {n}, {m}, {dim}, {count})");
    println!("  products      {floor:8.2} ms  ({project:.2} to project, {back:.2} to project back)");
    let mut json = format!(
        "{{\"classes\":{classes},\"source\":{n},\"target\":{m},\"dim\":{dim},\"directions\":{count},\
         \"products_ms\":{floor:.3},\"project_ms\":{project:.3},\"back_ms\":{back:.3},\"sort_ms\":{sort:.3},\
         \"draw_ms\":{{\"gaussian\":{draw_gaussian:.3},\"orthonormal\":{draw_orthonormal:.3}}},\"steps\":{{"
    );
    for (name, time) in
        [("given", given), ("gaussian", gaussian), ("orthonormal", orthonormal), ("hadamard", hadamard)]
    {
        println!("  step, {name:12}{time:9.2} ms, {:.2} times the products", time / floor);
        write!(json, "\"{name}\":{{\"ms\":{time:.3},\"ratio\":{:.4}}},", time / floor).expect("a string");
    }
    json.pop();
    json.push_str("}}");
    let (draw, pairs) = (gaussian - given, given - floor - sort);
    println!(
        "  shares of the gaussian step: draw {:.0} %, products {:.0} %, sort {:.0} %, pairs {:.0} %",
        100.0 * draw / gaussian,
        100.0 * floor / gaussian,
        100.0 * sort / gaussian,
        100.0 * pairs / gaussian
    );
    println!(
        "  sort {sort:.2} ms ({:.1} ns a value and thread); drawing {draw_gaussian:.2} ms i.i.d., \
         {draw_orthonormal:.2} ms orthonormal",
        sort * 1e6 * rayon::current_num_threads() as f64 / (samples * count) as f64
    );
    json
}

/// `SW_2^2` of two samples of equal size, directions drawn anew each time; prints and returns JSON.
fn sliced_value(n: usize, rounds: usize) -> String {
    let (dim, count) = (100, 200);
    let (x, y) = (images(1, n, dim, 3), images(1, n, dim, 4));
    let mut times = Vec::new();
    for round in 0..=rounds as u64 {
        let time = clock(&mut || {
            let directions = Directions::draw(Slicing::Gaussian, count, dim, 1, round).expect("directions");
            std::hint::black_box(sw_pow(x.points(), None, y.points(), None, &directions, 2.0));
        });
        if round > 0 {
            times.push(time);
        }
    }
    let time = median(times);
    println!("SW_2^2, n = m = {n}, d = {dim}, L = {count}: {time:.1} ms");
    format!("{{\"n\":{n},\"m\":{n},\"dim\":{dim},\"directions\":{count},\"ms\":{time:.3}}}")
}

/// Steps and distances on classes of unequal sizes and with weights, beside those of equal ones.
const RAGGED: [(Size, bool); 8] = [
    (size(10, 200, 200, 784, 500), false),
    (size(10, 500, 500, 784, 500), false),
    (size(10, 500, 500, 784, 2048), false),
    (size(10, 1000, 1000, 784, 500), true),
    (size(10, 6000, 6000, 784, 500), true),
    (size(100, 200, 200, 784, 500), true),
    (size(100, 1000, 1000, 784, 128), true),
    (size(1000, 200, 200, 64, 128), true),
];

/// Prints the times and returns them as JSON objects.
fn ragged(options: &Options) -> Vec<String> {
    let mut rows = Vec::new();
    let all = options.sweeps || options.only.is_some();
    // Small sizes are all the same one.
    let most = if options.quick { 1 } else { RAGGED.len() };
    for &(mut size, _) in options.chosen(&RAGGED).iter().filter(|(_, long)| all || !long).take(most) {
        if options.quick {
            (size.n, size.m, size.dim, size.count) = (20, 20, 100, 50);
        }
        let shapes = [Shape::Equal, Shape::Sizes, Shape::Weights];
        let pairs = shapes.map(|shape| {
            [(1, size.n), (2, size.m)]
                .map(|(step, samples)| shaped(shape, size.classes, samples, size.dim, step))
        });
        for slicing in [Slicing::Gaussian, Slicing::Hadamard] {
            let mut steps = pairs.each_ref().map(|[source, target]| {
                (functional(source, target, slicing, size.count), vec![0.0f32; source.points().len()])
            });
            let mut times: [Vec<f64>; 3] = Default::default();
            for round in 0..=options.rounds.min(7) as u64 {
                for ((times, (functional, velocity)), [source, _]) in
                    times.iter_mut().zip(&mut steps).zip(&pairs)
                {
                    let time = clock(&mut || {
                        functional.evaluate(source, round, velocity);
                    });
                    if round > 0 {
                        times.push(time);
                    }
                }
            }
            let [equal, sizes, weights] = times.map(median);
            println!(
                "{size:?}, {slicing:?}: equal {equal:.1} ms, sizes {sizes:.1} ms ({:.2} times), weights {weights:.1} \
                 ms ({:.2} times)",
                sizes / equal,
                weights / equal
            );
            let Size { classes, n, m, dim, count } = size;
            rows.push(format!(
                "{{\"classes\":{classes},\"source\":{n},\"target\":{m},\"dim\":{dim},\"directions\":{count},\
                 \"slicing\":\"{}\",\"equal_ms\":{equal:.3},\"sizes_ms\":{sizes:.3},\"weights_ms\":{weights:.3}}}",
                format!("{slicing:?}").to_lowercase()
            ));
        }
    }
    rows
}

/// Times of a step as one size grows, with the slope on a log-log scale.
fn sweeps(rounds: usize) {
    let sweep = |name: &str, slicing: Slicing, sizes: &[Size], value: fn(&Size) -> usize| {
        let mut logs = Vec::new();
        for size in sizes {
            let (source, target) =
                (images(size.classes, size.n, size.dim, 1), images(size.classes, size.m, size.dim, 2));
            let mut functional = functional(&source, &target, slicing, size.count);
            let mut velocity = vec![0.0f32; source.points().len()];
            let rounds = rounds.min(7) as u64;
            let mut times = Vec::new();
            for round in 0..=rounds {
                let time = clock(&mut || {
                    functional.evaluate(&source, round, &mut velocity);
                });
                if round > 0 {
                    times.push(time);
                }
            }
            let time = median(times);
            println!("  {name} = {:6}: {time:9.2} ms   {size:?}", value(size));
            logs.push(((value(size) as f64).ln(), time.ln()));
        }
        let count = logs.len() as f64;
        let (x, y) =
            (logs.iter().map(|l| l.0).sum::<f64>() / count, logs.iter().map(|l| l.1).sum::<f64>() / count);
        let slope = logs.iter().map(|l| (l.0 - x) * (l.1 - y)).sum::<f64>()
            / logs.iter().map(|l| (l.0 - x).powi(2)).sum::<f64>();
        println!("  slope in {name}, {slicing:?}: {slope:.3}");
    };
    for slicing in [Slicing::Gaussian, Slicing::Hadamard] {
        let n: Vec<Size> = [100, 200, 400, 800, 1600].map(|n| size(10, n, n, 784, 512)).to_vec();
        sweep("n", slicing, &n, |s| s.n);
        let l: Vec<Size> = [256, 512, 1024, 2048, 4096, 8192].map(|l| size(10, 200, 200, 784, l)).to_vec();
        sweep("L", slicing, &l, |s| s.count);
        let d: Vec<Size> = [256, 512, 1024, 2048, 4096, 8192].map(|d| size(10, 200, 200, d, 512)).to_vec();
        sweep("d", slicing, &d, |s| s.dim);
        let c: Vec<Size> =
            [10, 30, 100, 300, 1000].map(|c| size(c, 10_000 / c, 10_000 / c, 512, 128)).to_vec();
        sweep("C", slicing, &c, |s| s.classes);
    }
}

/// Sizes that must fit: 100,000 samples, 1000 classes, 150,000 dimensions.
fn large(options: &Options) {
    let sizes = [
        (size(10, 5_000, 5_000, 784, 500), Slicing::Gaussian),
        (size(10, 5_000, 5_000, 784, 500), Slicing::Hadamard),
        (size(1000, 50, 50, 512, 500), Slicing::Gaussian),
        (size(1000, 50, 50, 512, 500), Slicing::Hadamard),
        (size(1000, 10, 10, 512, 500), Slicing::Hadamard),
        (size(2, 20, 20, 150_000, 500), Slicing::Gaussian),
        (size(2, 20, 20, 150_000, 500), Slicing::Orthonormal),
        (size(2, 20, 20, 150_000, 500), Slicing::Hadamard),
        (size(2, 20, 20, 150_000, 10_000), Slicing::Gaussian),
        (size(2, 20, 20, 150_000, 10_000), Slicing::Hadamard),
    ];
    for &(size, slicing) in options.chosen(&sizes) {
        let (source, target) =
            (images(size.classes, size.n, size.dim, 1), images(size.classes, size.m, size.dim, 2));
        let data = (source.points().len() + target.points().len()) * size_of::<f32>();
        reset_peak();
        let mut functional = functional(&source, &target, slicing, size.count);
        let mut velocity = vec![0.0f32; source.points().len()];
        let time = clock(&mut || {
            functional.evaluate(&source, 0, &mut velocity);
        });
        let peak = peak_bytes().map_or("unknown".to_owned(), |peak| {
            let beyond = peak - (data + size_of_val(&velocity[..])) as f64;
            let (peak, beyond) = (peak / 1048576.0, beyond / 1048576.0);
            let times = peak * 1048576.0 / data as f64;
            format!("{peak:.0} MiB, {times:.2} times the data; {beyond:.0} MiB beyond data and velocity")
        });
        println!("{size:?} {slicing:?}: {:.2} s, peak memory {peak}", time / 1e3);
    }
}

/// Forgets the peak so far, where the system can.
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? * 1024.0)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
