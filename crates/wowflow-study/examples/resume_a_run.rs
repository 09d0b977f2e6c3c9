//! A recorded flow is watched, stopped half-way, resumed, and read: all without a program.

use std::sync::atomic::{AtomicU64, Ordering};

use wowflow_study::flow::{self, Outcome, Request};
use wowflow_study::record::{Program, RunDir};
use wowflow_study::{Event, Observer};

/// Asks to stop once so many steps are recorded.
struct StopAt {
    step: u64,
    seen: AtomicU64,
}

impl Observer for StopAt {
    fn event(&self, event: &Event<'_>) {
        if let Event::Metrics(metrics) = event {
            self.seen.store(metrics.step, Ordering::Relaxed);
        }
    }

    fn stop_requested(&self) -> bool {
        self.seen.load(Ordering::Relaxed) >= self.step
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (out, whole) = (folder.path().join("run"), folder.path().join("whole"));
    let mut request =
        Request { source: "rings:source:40".into(), target: "rings:40".into(), ..Request::default() };
    request.settings.steps = 60.into();

    let watch = StopAt { step: 25, seen: AtomicU64::new(0) };
    let Outcome::Interrupted { step, steps } = flow::start(&request, &out, &Program::default(), &watch)?
    else {
        return Err("expected the flow to stop where it was asked to".into());
    };
    println!("stopped at step {step} of {steps}");

    let Outcome::Finished(finished) = flow::resume(&out, &Program::default(), &())? else {
        return Err("expected the flow to go on to its end".into());
    };
    let summary = &finished.summary;
    let symbol = &summary.functional.symbol;
    println!(
        "{symbol} {:.4} -> {:.2e} in {} steps",
        summary.value_initial, summary.value_final, summary.steps
    );

    // The same bits as a run that nobody stopped.
    flow::start(&request, &whole, &Program::default(), &())?;
    let values = |run: &RunDir| -> Result<Vec<f64>, Box<dyn std::error::Error>> {
        Ok(run.read_metrics()?.iter().map(|metrics| metrics.value).collect())
    };
    assert_eq!(values(&RunDir::new(&out))?, values(&RunDir::new(&whole))?);
    println!("equal to the last bit to a run that was not stopped");
    Ok(())
}
