//! A step of the flows on lifted samples, with its peak memory: `cargo bench -p wowflow --bench lifted`.
//!
//! Ten classes of 200 samples to ten of 10, 784 dimensions; after `--`: `--threads N` (2), `--rounds N` (100), `--size
//! N` (200 samples a class), `--target N` (10).

use std::ops::ControlFlow;
use std::time::Instant;

use wowflow::flow::{Decay, Flow, FlowState, Scheme, StepSchedule, StepSize};
use wowflow::functional::{Functional, Lift, OtddFlow, OtddFlowSettings, ProductBandwidths, ProductMmd};
use wowflow::measure::MeasureOverMeasures;
use wowflow::rng::{Purpose, Stream};

const DIM: usize = 784;
const CLASSES: usize = 10;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |name: &str, usual: usize| {
        let value = args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)?.parse().ok());
        value.unwrap_or(usual)
    };
    let (threads, rounds) = (number("--threads", 2), number("--rounds", 100));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let (source, target) = (images(number("--size", 200), 1), images(number("--target", 10), 2));
    pool.install(|| {
        let lift = Lift::new(&source, &target).expect("one space");
        let mut otdd = OtddFlow::new(lift.source(), lift.target(), OtddFlowSettings::default());
        let adam = Scheme::adam(0.9, 0.999).expect("rates below 1");
        time("OTDD", &mut otdd, &lift, (adam, 1e-3), rounds);
        let mut product =
            ProductMmd::new(lift.source(), lift.target(), ProductBandwidths::default(), 0.01, 1);
        let ball = Scheme::heavy_ball(0.9, Decay::Constant).expect("a momentum below 1");
        time("product MMD", &mut product, &lift, (ball, 10.0), rounds);
    });
}

/// Blobs in the unit cube, one prototype a class.
fn images(size: usize, step: u64) -> MeasureOverMeasures<f32> {
    let prototypes = Stream::new(3, Purpose::Test, step);
    let mut noise = vec![0.0; CLASSES * size * DIM];
    Stream::new(4, Purpose::Test, step).normals(0, &mut noise);
    let points = noise.iter().enumerate().map(|(k, z)| {
        let (class, pixel) = (k / (size * DIM), k % DIM);
        let centre = prototypes.uniform((class * DIM + pixel) as u64);
        (0.3 * centre + 0.1 * z).clamp(0.0, 1.0) as f32
    });
    MeasureOverMeasures::uniform(points.collect(), DIM, &[size; CLASSES]).expect("valid images")
}

/// Steps of the flow as transfers take them, one after another: plans start where those before ended.
fn time(
    name: &str,
    functional: &mut impl Functional<f32>,
    lift: &Lift<f32>,
    (scheme, size): (Scheme, f64),
    rounds: usize,
) {
    let schedule = StepSchedule::new(StepSize::Fixed(size), Decay::Constant, rounds as u64);
    let flow = Flow { scheme, schedule: schedule.expect("a size of steps"), settle: None };
    let mut at = Vec::with_capacity(rounds + 1);
    flow.run(&mut FlowState::new(lift.source().clone()), functional, |_, _| {
        at.push(Instant::now());
        ControlFlow::Continue(())
    });
    let mut times: Vec<f64> = at.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1e3).collect();
    times.sort_unstable_by(f64::total_cmp);
    let peak = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    });
    let peak = peak.map_or("unknown".to_owned(), |kib| format!("{:.0} MB", kib * 1.024e-3));
    println!(
        "{name}: {:.1} ms a step (median of {rounds}), peak memory of the process {peak}",
        times[times.len() / 2]
    );
}
