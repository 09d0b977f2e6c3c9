//! One step of the flow beside its two matrix products, in one run: medians and their ratio.
//!
//! `cargo bench -p wowflow --bench step` on 2 threads; `-- THREADS` for another number.

use std::time::Instant;

use wowflow::directions::{Directions, Slicing};
use wowflow::functional::{Functional, MmdSw, SlicingPlan};
use wowflow::kernel::{Kernel, Riesz};
use wowflow::linalg::{Mat, Output, Threads, matmul};
use wowflow::measure::MeasureOverMeasures;
use wowflow::rng::{Purpose, Stream};

const ROUNDS: usize = 15;

/// (classes, source samples a class, target samples a class, dimension, directions)
const SIZES: [(usize, usize, usize, usize, usize); 3] =
    [(10, 200, 10, 784, 500), (10, 500, 500, 784, 500), (10, 100, 100, 3072, 500)];

fn main() {
    // Cargo passes flags of its own, such as --bench.
    let threads = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(2);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    println!("{threads} threads, f32, Riesz kernel, medians of {ROUNDS} interleaved rounds");
    for size in SIZES {
        pool.install(|| measure(size));
    }
}

fn images(classes: usize, samples: usize, dim: usize, step: u64) -> MeasureOverMeasures<f32> {
    let mut values = vec![0.0; classes * samples * dim];
    Stream::new(1, Purpose::Test, step).normals(0, &mut values);
    let points = values.iter().map(|v| (0.3 * v + 0.3).clamp(0.0, 1.0) as f32).collect();
    MeasureOverMeasures::uniform(points, dim, &vec![samples; classes]).expect("finite points")
}

fn measure((classes, n, m, dim, count): (usize, usize, usize, usize, usize)) {
    let source = images(classes, n, dim, 1);
    let target = images(classes, m, dim, 2);
    let kernel = Kernel::from(Riesz::new(1.0, 0.0).expect("in range"));
    let functional = |slicing| {
        let plan = SlicingPlan { slicing, count, seed: 1 };
        MmdSw::new(&source, &target, kernel, plan).expect("same dimension")
    };
    let (mut gaussian, mut orthonormal) = (functional(Slicing::Gaussian), functional(Slicing::Orthonormal));
    let directions = Directions::<f32>::draw(Slicing::Gaussian, count, dim, 1, 0).expect("directions");
    let mut velocity = vec![0.0f32; source.points().len()];
    let mut given = functional(Slicing::Gaussian);

    let all: Vec<f32> = source.points().iter().chain(target.points()).copied().collect();
    let rows = classes * (n + m);
    let forces = vec![0.5f32; count * classes * n];
    let mut projected = vec![0.0f32; count * rows];
    let mut back = vec![0.0f32; source.points().len()];

    let mut times: [Vec<f64>; 7] = Default::default();
    for round in 0..=ROUNDS as u64 {
        let clock = |work: &mut dyn FnMut()| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        };
        let found = [
            clock(&mut || {
                let points = Mat::row_major(&all, rows, dim).transposed();
                matmul(&mut projected, Output::Overwrite, 1.0, directions.as_mat(), points, Threads::Pool);
            }),
            clock(&mut || {
                let forces = Mat::row_major(&forces, count, classes * n).transposed();
                matmul(&mut back, Output::Overwrite, 1.0, forces, directions.as_mat(), Threads::Pool);
            }),
            clock(&mut || {
                given.evaluate_along(&source, &directions, &mut velocity);
            }),
            clock(&mut || {
                gaussian.evaluate(&source, round, &mut velocity);
            }),
            clock(&mut || {
                orthonormal.evaluate(&source, round, &mut velocity);
            }),
            clock(&mut || drop(Directions::<f32>::draw(Slicing::Gaussian, count, dim, 1, round))),
            clock(&mut || drop(Directions::<f32>::draw(Slicing::Orthonormal, count, dim, 1, round))),
        ];
        // The first round warms up.
        if round > 0 {
            times.iter_mut().zip(found).for_each(|(times, found)| times.push(found));
        }
    }
    let [project, back, given, gaussian, orthonormal, draw_gaussian, draw_orthonormal] = times.map(median);
    let floor = project + back;
    println!("(C, n, m, d, L) = ({classes}, {n}, {m}, {dim}, {count})");
    println!("  products      {floor:8.2} ms  ({project:.2} to project, {back:.2} to project back)");
    for (name, time) in [
        ("step, directions given", given),
        ("step, i.i.d. directions", gaussian),
        ("step, orthonormal directions", orthonormal),
    ] {
        println!("  {name:29}{time:8.2} ms, {:.2} times the products", time / floor);
    }
    println!("  drawing directions: {draw_gaussian:.2} ms i.i.d., {draw_orthonormal:.2} ms orthonormal");
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
