//! Images a second in training, in batches of 64: `cargo bench -p wowflow-learn --bench train`.
//!
//! After `--`: `--seconds S` measures S seconds a network and number of threads (5), `--json` prints one line of
//! JSON for each.

use std::ops::ControlFlow;
use std::time::Instant;

use wowflow::dataset::ImageShape;
use wowflow::rng::{Purpose, Stream};
use wowflow_learn::{Architecture, Examples, Input, Length, Network, Training};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let after = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let seconds: f64 = after("--seconds").and_then(|text| text.parse().ok()).unwrap_or(5.0);
    let json = args.iter().any(|arg| arg == "--json");
    let input = Input::Image(ImageShape { width: 28, height: 28, channels: 1 });
    let stream = Stream::new(1, Purpose::Test, 0);
    let images: Vec<f32> = (0..1024 * 784).map(|i| stream.uniform(i) as f32).collect();
    let labels = (0..1024).map(|i| i % 10).collect();
    let examples = Examples::new(images, 784, labels, 10).expect("valid examples");
    for architecture in [Architecture::LeNet5, Architecture::Cnn, Architecture::ConvNet] {
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let rate = pool.install(|| rate(architecture, input, &examples, seconds));
            if json {
                println!(
                    "{{\"network\": \"{architecture}\", \"threads\": {threads}, \"images_per_second\": {rate:.1}}}"
                );
            } else {
                println!("{architecture:8} {threads} threads {rate:9.0} images/s");
            }
        }
    }
}

/// Images a second over so many seconds, after a few steps that do not count.
fn rate(architecture: Architecture, input: Input, examples: &Examples, seconds: f64) -> f64 {
    let mut network = Network::new(architecture, input, 10, 0).expect("a network");
    let training = Training { length: Length::Steps(u64::MAX), ..Training::default() };
    let (mut started, mut counted) = (Instant::now(), 0);
    let end = training.run(&mut network, examples, |progress| {
        if progress.step == 3 {
            started = Instant::now();
        }
        counted = progress.step.saturating_sub(3);
        if counted > 0 && started.elapsed().as_secs_f64() > seconds {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    end.expect("a training");
    (counted * 64) as f64 / started.elapsed().as_secs_f64()
}
