//! Who watches a study: events go out, a wish to stop comes back.

use crate::record::MetricsRecord;

/// What a study tells while it works.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A line for people.
    Note(&'a str),
    /// Work begins that counts its parts, or does not know how many there are.
    Began {
        /// What the parts are.
        unit: Unit,
        /// How many there are.
        total: Option<u64>,
        /// How many are done already.
        done: u64,
    },
    /// So many parts are done; what is being worked on or was reached.
    Advanced {
        /// Parts done so far.
        done: u64,
        /// In a few words.
        detail: &'a str,
    },
    /// A state of a flow was recorded.
    Metrics(&'a MetricsRecord),
    /// What is being worked on, without a part being done.
    Doing(&'a str),
    /// The work that began last is over.
    Ended,
    /// From here on everything worth keeping is on disk: the process may end at any moment. What to tell then.
    Safe(&'a str),
}

/// The parts that work is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Steps of a flow or an iteration.
    Steps,
    /// Pairs of datasets.
    Pairs,
    /// Repetitions of an experiment.
    Repetitions,
    /// Exact transports between pairs of classes.
    Transports,
    /// Datasets that are written.
    Datasets,
    /// Work in one piece.
    Whole,
}

/// Watches a study, from whatever thread it works on.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use wowflow_study::{Event, Observer};
/// /// Stops after so many steps.
/// struct Budget(AtomicU64);
/// impl Observer for Budget {
///     fn event(&self, event: &Event<'_>) {
///         if let Event::Advanced { .. } = event {
///             self.0.fetch_sub(1, Ordering::Relaxed);
///         }
///     }
///     fn stop_requested(&self) -> bool {
///         self.0.load(Ordering::Relaxed) == 0
///     }
/// }
/// assert!(!Budget(AtomicU64::new(3)).stop_requested());
/// ```
pub trait Observer: Sync {
    /// Hears what happens.
    fn event(&self, event: &Event<'_>);

    /// Whether the study should stop at the next place from which it can be gone on with.
    fn stop_requested(&self) -> bool {
        false
    }
}

/// Nobody watches.
impl Observer for () {
    fn event(&self, _event: &Event<'_>) {}
}

/// Solves the `total` exact transports between pairs of classes, with their progress: `solve` is given what to tell how
/// many are done.
pub(crate) fn transports<R>(
    observer: &dyn Observer,
    total: usize,
    detail: &str,
    solve: impl FnOnce(&(dyn Fn(usize) + Sync)) -> R,
) -> R {
    observer.event(&Event::Began { unit: Unit::Transports, total: Some(total as u64), done: 0 });
    let found = solve(&|done| observer.event(&Event::Advanced { done: done as u64, detail }));
    observer.event(&Event::Ended);
    found
}

/// Does work in one piece that may take a while.
pub(crate) fn doing<R>(observer: &dyn Observer, what: &str, work: impl FnOnce() -> R) -> R {
    observer.event(&Event::Began { unit: Unit::Whole, total: None, done: 0 });
    observer.event(&Event::Doing(what));
    let done = work();
    observer.event(&Event::Ended);
    done
}

/// Tells a line for people.
pub(crate) fn note(observer: &dyn Observer, line: &str) {
    observer.event(&Event::Note(line));
}
