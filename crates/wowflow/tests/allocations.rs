//! A step in its steady state keeps off the heap: every allocation is counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wowflow::directions::Slicing;
use wowflow::functional::{Functional, MmdSw, SlicingPlan};
use wowflow::kernel::{Kernel, Laplace, Riesz};
use wowflow::linalg::{Mat, Output, Threads, matmul};
use wowflow::measure::MeasureOverMeasures;
use wowflow::rng::{Purpose, Stream};
use wowflow::scalar::Scalar;

static COUNTING: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

struct Counting;

fn count(bytes: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        COUNT.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(bytes, Ordering::Relaxed);
        LARGEST.fetch_max(bytes, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator as it came.
#[allow(unsafe_code, reason = "counting allocations takes an allocator")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    count: usize,
    bytes: usize,
    largest: usize,
}

fn counted(work: impl FnOnce()) -> Found {
    for counter in [&COUNT, &BYTES, &LARGEST] {
        counter.store(0, Ordering::SeqCst);
    }
    COUNTING.store(true, Ordering::SeqCst);
    work();
    COUNTING.store(false, Ordering::SeqCst);
    Found {
        count: COUNT.load(Ordering::SeqCst),
        bytes: BYTES.load(Ordering::SeqCst),
        largest: LARGEST.load(Ordering::SeqCst),
    }
}

fn measure(sizes: &[usize], dim: usize, step: u64, weighted: bool) -> MeasureOverMeasures<f32> {
    let samples: usize = sizes.iter().sum();
    let mut points = vec![0.0; samples * dim];
    Stream::new(2, Purpose::Test, step).normals_single(0, &mut points);
    let weights: Vec<f64> = (0..samples).map(|i| 1.0 + (i % 3) as f64).collect();
    MeasureOverMeasures::new(points, dim, sizes, weighted.then_some(&weights), None).unwrap()
}

const COUNT_OF_DIRECTIONS: usize = 50;

/// What the matrix product itself allocates to copy its operands: it has no workspace to be given.
fn product<T: Scalar>(m: usize, n: usize, k: usize, transposed: (bool, bool)) -> Found {
    let (a, b) = (vec![T::ZERO; m * k], vec![T::ZERO; k * n]);
    let mut out = vec![T::ZERO; m * n];
    let lhs = if transposed.0 { Mat::row_major(&a, k, m).transposed() } else { Mat::row_major(&a, m, k) };
    let rhs = if transposed.1 { Mat::row_major(&b, n, k).transposed() } else { Mat::row_major(&b, k, n) };
    let mut multiply = || matmul(&mut out, Output::Overwrite, 1.0, lhs, rhs, Threads::Pool);
    multiply();
    counted(multiply)
}

/// The products of a step: both sides projected, forces projected back, rows made orthonormal.
fn products(slicing: Slicing, n: usize, m: usize, dim: usize) -> Vec<Found> {
    const L: usize = COUNT_OF_DIRECTIONS;
    if slicing == Slicing::Hadamard {
        return Vec::new();
    }
    let mut products = vec![
        product::<f32>(L, n, dim, (false, true)),
        product::<f32>(L, m, dim, (false, true)),
        product::<f32>(n, dim, L, (true, false)),
    ];
    if slicing == Slicing::Orthonormal {
        products.push(product::<f64>(L, L, dim, (false, true)));
        products.push(product::<f64>(L, L, L, (false, true)));
        products.push(product::<f64>(L, dim, L, (false, false)));
    }
    products
}

// One test, for others would allocate while it counts.
#[test]
fn a_step_allocates_what_its_matrix_products_do_and_no_more() {
    const STEPS: u64 = 4;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let riesz = Kernel::from(Riesz::new(1.0, 0.0).unwrap());
    let laplace = Kernel::from(Laplace::new(1.0).unwrap());
    let shapes: [(&[usize], &[usize], bool); 3] =
        [(&[40; 6], &[10, 7, 40], false), (&[500; 12], &[50, 350, 500], false), (&[20, 31], &[9, 20], true)];
    for (slicing, dim) in [
        (Slicing::Hadamard, 60),
        (Slicing::Gaussian, 60),
        (Slicing::Orthonormal, 60),
        (Slicing::Equispaced, 2),
    ] {
        for (source, target, weighted) in shapes {
            let (p, q) = (measure(source, dim, 1, weighted), measure(target, dim, 2, weighted));
            for kernel in [riesz, laplace] {
                let plan = SlicingPlan { slicing, count: COUNT_OF_DIRECTIONS, seed: 1 };
                let mut functional = MmdSw::new(&p, &q, kernel, plan).unwrap();
                let mut velocity = vec![0.0; p.points().len()];
                let (found, products) = pool.install(|| {
                    for step in 0..20 {
                        functional.evaluate(&p, step, &mut velocity);
                    }
                    // On a busy machine a thread may have its first turn, and what it keeps, late.
                    let steps = (1..=10).map(|round| {
                        counted(|| {
                            for step in 20 * round..20 * round + STEPS {
                                functional.evaluate(&p, step, &mut velocity);
                            }
                        })
                    });
                    let fewest = steps.min_by_key(|found| found.bytes).expect("rounds");
                    (fewest, products(slicing, p.points().len() / dim, q.points().len() / dim, dim))
                });
                let expected = Found {
                    count: STEPS as usize * products.iter().map(|found| found.count).sum::<usize>(),
                    bytes: STEPS as usize * products.iter().map(|found| found.bytes).sum::<usize>(),
                    largest: products.iter().map(|found| found.largest).max().unwrap_or(0),
                };
                assert_eq!(found, expected, "{slicing:?}, {source:?}, {kernel:?}");
            }
        }
    }
}
