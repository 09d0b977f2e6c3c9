//! A study asked for from Rust and one asked for by the program are the same study.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use wowflow_report::study;
use wowflow_study::flow::{self, Outcome, Request};
use wowflow_study::record::Program;
use wowflow_study::{Event, Observer};

use crate::support::{SMALL, assert_same_run, flow, folder, json, run};

/// What [`SMALL`] asks for, with a number of steps.
fn small(steps: u64) -> Request {
    let (source, target) = (SMALL[2].to_owned(), SMALL[4].to_owned());
    let mut request = Request { source, target, ..Request::default() };
    request.settings.directions = 64.into();
    request.settings.steps = steps.into();
    request
}

/// Asks to stop once a step is recorded.
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

#[test]
fn a_flow_from_rust_is_that_of_the_program() {
    let folder = folder();
    let (ours, theirs) = (folder.path().join("rust"), folder.path().join("program"));
    let Outcome::Finished(finished) = flow::start(&small(40), &ours, &Program::default(), &()).unwrap()
    else {
        panic!("nobody asked to stop")
    };
    study::flow::finish(&finished.run).unwrap();
    flow(&[&SMALL[..], &["--steps", "40"]].concat(), &theirs);
    let config = |out: &std::path::Path| fs::read(out.join("config.json")).unwrap();
    assert_eq!(config(&ours), config(&theirs));
    let hash = |out: &std::path::Path| json(out.join("provenance.json"))["config_sha256"].clone();
    assert_eq!(hash(&ours), hash(&theirs));
    assert_same_run(&theirs, &ours);
}

#[test]
fn a_flow_stopped_by_an_observer_goes_on_in_the_program() {
    let folder = folder();
    let (stopped, whole) = (folder.path().join("stopped"), folder.path().join("whole"));
    let watch = StopAt { step: 17, seen: AtomicU64::new(0) };
    let outcome = flow::start(&small(40), &stopped, &Program::default(), &watch).unwrap();
    assert_eq!(outcome, Outcome::Interrupted { step: 17, steps: 40 });
    run(["flow".as_ref(), "--resume".as_ref(), stopped.as_os_str()]).ok();
    flow(&[&SMALL[..], &["--steps", "40"]].concat(), &whole);
    assert_same_run(&whole, &stopped);
}
