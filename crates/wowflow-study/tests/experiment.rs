//! Experiments as a library runs them: stopped by an observer, resumed, grown.
#![cfg(feature = "learn")]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use wowflow_study::experiment::{
    Ended, ExperimentConfig, Filter, Growth, MethodKind, Outdated, Repetition, Results, Task,
    TransferRequest, grow, resume, sample_files, start, stored,
};
use wowflow_study::record::Program;
use wowflow_study::{Event, Observer};

/// Stops once so many repetitions are done, and counts what it hears of.
struct Budget {
    left: AtomicU64,
    steps: AtomicU64,
}

impl Budget {
    fn of(repetitions: u64) -> Self {
        Self { left: AtomicU64::new(repetitions), steps: AtomicU64::new(0) }
    }
}

impl Observer for Budget {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Advanced { .. } => self.left.fetch_sub(1, Ordering::Relaxed),
            Event::Doing(_) => self.steps.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }

    fn stop_requested(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

fn clouds() -> ExperimentConfig {
    let request = TransferRequest {
        methods: vec![MethodKind::TargetOnly, MethodKind::MmdSw],
        steps: Some(5),
        runs_per_trial: 2,
        epochs: 2,
        trials: 2,
        ..TransferRequest::new("gaussians:9", "gaussians:3")
    };
    request.config().unwrap()
}

fn finished(ended: Ended) -> Results {
    match ended {
        Ended::Finished(results) => *results,
        Ended::Interrupted => panic!("interrupted"),
    }
}

/// Repetitions without their clocks.
fn timeless(results: &Results) -> Vec<Repetition> {
    let one = |of: &Repetition| Repetition { move_seconds: 0.0, train_seconds: 0.0, ..of.clone() };
    results.repetitions.iter().map(one).collect()
}

#[test]
fn an_experiment_that_was_stopped_comes_to_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, stopped) = (folder.path().join("whole"), folder.path().join("stopped"));
    let (config, program) = (clouds(), Program::default());
    let expected = finished(start(&config, &whole, &program, &()).unwrap());
    assert_eq!((expected.repetitions.len(), expected.outcome.cells.len()), (4, 2));
    let budget = Budget::of(3);
    assert_eq!(start(&config, &stopped, &program, &budget).unwrap(), Ended::Interrupted);
    assert!(budget.steps.load(Ordering::Relaxed) >= 6, "every step of the flow is told");
    assert!(!stopped.join("results.json").exists());
    assert_eq!((stored(&stopped).unwrap(), stored(&stopped).unwrap().task), (config.clone(), Task::Transfer));
    let mut found = finished(resume(&stopped, &program, &()).unwrap());
    assert_eq!(timeless(&found), timeless(&expected));
    assert_eq!(sample_files(&stopped, &config).len(), 1, "of the one method that moves samples");
    // Its folder is claimed until the pictures are there, with which it is finished.
    found.add_pictures([("-by-row.png", vec![1])]).unwrap();
    let text = resume(&stopped, &program, &()).unwrap_err().to_string();
    assert!(text.contains("at work there"), "{text}");
    drop(found);
    let text = resume(&stopped, &program, &()).unwrap_err().to_string();
    assert!(text.contains("expected an unfinished run"), "{text}");
    let text = start(&config, &whole, &program, &()).unwrap_err().to_string();
    assert!(text.contains("expected a new or empty folder"), "{text}");
}

#[test]
fn an_experiment_grows_by_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (runs, out) = (folder.path().join("runs"), folder.path().join("results"));
    let (config, program) = (clouds(), Program::default());
    let go = |config: &ExperimentConfig, filter: Filter, runs: &Path| {
        let outdated = Outdated::Refused;
        let growth = Growth { name: "a", config, published: None, filter, outdated, runs, results: &out };
        grow(&growth, &program, &())
    };
    let first = Filter { trials: Some(1), ..Filter::default() };
    assert_eq!(finished(go(&config, first.clone(), &runs).unwrap()).repetitions.len(), 2);
    let mut results = finished(go(&config, Filter::default(), &runs).unwrap());
    assert_eq!(results.repetitions.len(), 4);
    // Results alone are enough to go on from.
    let again = finished(go(&config, Filter::default(), &folder.path().join("elsewhere")).unwrap());
    assert_eq!(again.repetitions, results.repetitions);
    results.add_pictures([("-by-row.png", vec![1, 2])]).unwrap();
    assert_eq!(std::fs::read(out.join("a-by-row.png")).unwrap(), [1, 2]);
    assert!(std::fs::read_to_string(out.join("a.json")).unwrap().contains("a-by-row.png"));
    let other = ExperimentConfig { epochs: Some(3), ..config.clone() };
    let text = go(&other, Filter::default(), &runs).unwrap_err().to_string();
    assert!(text.contains("found 4 others"), "{text}");
    let rows = Filter { rows: Some(vec!["b".to_owned()]), ..first };
    assert!(go(&config, rows, &runs).unwrap_err().to_string().contains("found b"));
}
