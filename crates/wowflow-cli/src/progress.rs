//! How far work has come: a line that is redrawn on a terminal, elsewhere a line from time to time; and what it will
//! cost, once its first parts tell.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use wowflow::text::escaped;
use wowflow_study::Unit;

use crate::console::{Console, short};
use crate::memory;

/// How often the line on a terminal is redrawn.
const TICK: Duration = Duration::from_millis(200);
/// Seconds between lines where there is no terminal; [`INTERVAL`] overrides it.
const HEARTBEAT: f64 = 30.0;
const INTERVAL: &str = "WOWFLOW_HEARTBEAT";

/// The seconds between two lines where nobody watches.
fn heartbeat() -> f64 {
    let asked = std::env::var(INTERVAL).ok().and_then(|text| text.parse().ok());
    asked.filter(|seconds| (1e-3..1e6).contains(seconds)).unwrap_or(HEARTBEAT)
}

/// The progress of one piece of work.
pub(crate) struct Progress {
    shared: Arc<Shared>,
    clock: Option<JoinHandle<()>>,
}

struct Shared {
    console: Console,
    bar: ProgressBar,
    /// What is counted, for one and for several.
    names: [&'static str; 2],
    /// What would cost less.
    less: &'static str,
    began: Instant,
    first: u64,
    state: Mutex<State>,
    over: Condvar,
}

struct State {
    done: u64,
    total: Option<u64>,
    detail: String,
    estimated: bool,
    over: bool,
}

impl Progress {
    /// For `total` parts of which `done` are there; without a total a clock.
    pub(crate) fn new(
        console: &Console,
        unit: Unit,
        total: Option<u64>,
        done: u64,
        less: &'static str,
    ) -> Self {
        let names = match unit {
            Unit::Steps => ["step", "steps"],
            Unit::Pairs => ["pair", "pairs"],
            Unit::Repetitions => ["repetition", "repetitions"],
            Unit::Transports => ["exact transport", "exact transports"],
            Unit::Datasets => ["dataset", "datasets"],
            _ => ["", ""],
        };
        let style = match total {
            Some(_) => {
                format!("{{bar:24}} {{pos}}/{{len}} {}, {{elapsed}} gone, {{left}}, {{wide_msg}}", names[1])
            }
            None => "{spinner} {msg}, {elapsed}".to_owned(),
        };
        Self::start(console, names, total, done, less, &style)
    }

    /// For bytes, of which the total may be unknown.
    pub(crate) fn bytes(console: &Console) -> Self {
        let style = "{msg} {bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {left}";
        Self::start(console, ["byte", "bytes"], None, 0, "", style)
    }

    fn start(
        console: &Console,
        names: [&'static str; 2],
        total: Option<u64>,
        done: u64,
        less: &'static str,
        style: &str,
    ) -> Self {
        let target =
            if console.watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(total, target).with_position(done);
        let began = Instant::now();
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.with_key(
            "left",
            move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
                let left = state.len().and_then(|total| left(began, done, state.pos(), total));
                // What cannot be written is not shown.
                let _ = text
                    .write_str(&left.map_or("time left unknown yet".to_owned(), |left| span(left) + " left"));
            },
        ));
        let state = State { done, total, detail: String::new(), estimated: false, over: false };
        let state = Mutex::new(state);
        let (console, over) = (*console, Condvar::new());
        let shared = Arc::new(Shared { console, bar, names, less, began, first: done, state, over });
        let beating = Arc::clone(&shared);
        // Where the system gives no thread for it, the clock stands still.
        let clock = thread::Builder::new().spawn(move || beating.beat()).ok();
        Self { shared, clock }
    }

    /// So many parts are done.
    pub(crate) fn advance(&self, done: u64, detail: &str) {
        let mut state = self.shared.state();
        // Threads may tell out of order.
        state.done = state.done.max(done);
        state.detail = short(detail);
        self.shared.bar.set_message(state.detail.clone());
        self.shared.bar.set_position(state.done);
        if let Some(words) = self.shared.estimate(&mut state) {
            self.shared.bar.suspend(|| self.shared.console.say(&words));
        }
    }

    /// What is being done now.
    pub(crate) fn doing(&self, what: &str) {
        let mut state = self.shared.state();
        state.detail = short(what);
        self.shared.bar.set_message(state.detail.clone());
    }

    /// So many bytes of a file are there.
    pub(crate) fn file(&self, name: &str, done: u64, total: Option<u64>) {
        let mut state = self.shared.state();
        (state.done, state.total, state.detail) = (done, total, short(name));
        self.shared.bar.set_message(state.detail.clone());
        match total {
            Some(total) => self.shared.bar.set_length(total),
            None => self.shared.bar.unset_length(),
        }
        self.shared.bar.set_position(done);
    }

    /// Lets something else write to the terminal.
    pub(crate) fn suspend(&self, write: impl FnOnce()) {
        self.shared.bar.suspend(write);
    }

    pub(crate) fn clear(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.state().over = true;
        self.shared.over.notify_all();
        if let Some(clock) = self.clock.take() {
            // It does not panic; if it did, the work went on all the same.
            let _ = clock.join();
        }
        self.shared.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Redraws the line, or says how far the work has come, until it is over.
    fn beat(&self) {
        let watched = self.console.watched();
        let pause = if watched { TICK } else { Duration::from_secs_f64(heartbeat()) };
        let mut state = self.state();
        while !state.over {
            let woken = self.over.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner);
            state = woken.0;
            if woken.1.timed_out() && !state.over {
                if watched {
                    self.bar.tick();
                } else {
                    // Standard error may be closed.
                    let _ = writeln!(io::stderr(), "{}", escaped(&self.line(&state)));
                }
            }
        }
    }

    /// How far the work has come.
    fn line(&self, state: &State) -> String {
        let gone = span(self.began.elapsed().as_secs_f64());
        let Some(total) = state.total else {
            let done = if self.names[1].is_empty() {
                String::new()
            } else {
                format!("{} {}, ", state.done, self.names[1])
            };
            return format!("  {done}{gone} gone: {}", state.detail);
        };
        let mut line = format!("  {} of {total} {}, {gone} gone", state.done, self.names[1]);
        // Writing into a string does not fail.
        let _ = match left(self.began, self.first, state.done, total) {
            Some(left) => write!(line, ", {} left", span(left)),
            None => write!(line, ", time left unknown until the first {} is done", self.names[0]),
        };
        if state.detail.is_empty() { line } else { line + ": " + &state.detail }
    }

    /// What long work will cost and what would cost less, once, when its first parts tell.
    fn estimate(&self, state: &mut State) -> Option<String> {
        let gone = self.began.elapsed().as_secs_f64();
        // Much shorter than the time to the first line, the first parts tell little.
        if state.estimated || gone < heartbeat() / 15.0 {
            return None;
        }
        let left = left(self.began, self.first, state.done, state.total?)?;
        state.estimated = true;
        if left < 2.0 * heartbeat() {
            return None;
        }
        let each = span(gone / (state.done - self.first) as f64);
        let open = state.total?.saturating_sub(state.done);
        let mut words = format!("about {} for {open} more {} at {each} each", span(left), self.names[1]);
        if let Some(bytes) = memory::most() {
            let _ = write!(words, ", {} of memory so far", memory::amount(bytes));
        }
        if !self.less.is_empty() {
            let _ = write!(words, "; {} would cost less", self.less);
        }
        Some(words)
    }
}

/// Seconds that are left at the rate so far, once a part is done.
fn left(began: Instant, first: u64, done: u64, total: u64) -> Option<f64> {
    let parts = done.checked_sub(first).filter(|parts| *parts > 0)?;
    Some(began.elapsed().as_secs_f64() / parts as f64 * total.saturating_sub(done) as f64)
}

/// A time for people, in the unit that fits.
fn span(seconds: f64) -> String {
    const UNITS: [(f64, &str); 5] =
        [(31_557_600.0, "years"), (86400.0, "days"), (3600.0, "h"), (60.0, "min"), (1.0, "s")];
    let Some((size, unit)) = UNITS.iter().find(|(size, _)| seconds >= 2.0 * size) else {
        return if seconds >= 0.1 { format!("{seconds:.1} s") } else { format!("{:.1} ms", 1e3 * seconds) };
    };
    match seconds / size {
        count if count > 1e4 => format!("over 10000 {unit}"),
        count if count < 10.0 => format!("{count:.1} {unit}"),
        count => format!("{count:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        let told = [1e-4, 0.5, 1.94, 9.0, 119.0, 120.0, 5400.0, 7200.0, 4e5, 1e8, 1e30].map(span);
        let expected = [
            "0.1 ms",
            "0.5 s",
            "1.9 s",
            "9.0 s",
            "119 s",
            "2.0 min",
            "90 min",
            "2.0 h",
            "4.6 days",
            "3.2 years",
            "over 10000 years",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn nothing_is_left_only_when_all_is_done() {
        let began = Instant::now() - Duration::from_secs(10);
        assert_eq!(left(began, 3, 3, 9), None);
        assert!(left(began, 3, 4, 9).is_some_and(|left| (50.0..60.0).contains(&left)));
        assert_eq!(left(began, 3, 9, 9), Some(0.0));
        assert!(left(began, 0, 1, u64::MAX).is_some_and(f64::is_finite));
    }
}
