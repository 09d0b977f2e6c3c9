//! The progress line of a command: rate, what is reached and time left, on a terminal only.

use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wowflow_study::Unit;

use crate::console::{Console, short};

/// How often a clock is redrawn.
const TICK: Duration = Duration::from_millis(200);

/// A progress line; silent when nobody watches.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// For `total` parts of which `done` are there; without a total a clock.
    pub(crate) fn new(console: &Console, unit: Unit, total: Option<u64>, done: u64) -> Self {
        let style = match unit {
            Unit::Steps => "{bar:30} {pos}/{len} steps, {per_sec}, {msg}, {eta} left",
            Unit::Pairs => "{bar:30} {pos}/{len} pairs, {per_sec}, {elapsed} gone, {eta} left, {wide_msg}",
            Unit::Repetitions => "{bar:20} {pos}/{len} repetitions, {elapsed} gone, {eta} left, {wide_msg}",
            _ => "{spinner} {msg}, {elapsed}",
        };
        let bar = bar(console, total, style).with_position(done);
        bar.reset_eta();
        // Steps come often enough to redraw the line.
        // Where the system gives no thread for the clock, it stands still.
        if unit != Unit::Steps && thread::Builder::new().spawn(|| ()).is_ok() {
            bar.enable_steady_tick(TICK);
        }
        Self { bar }
    }

    /// For bytes, of which the total may be unknown.
    pub(crate) fn bytes(console: &Console) -> Self {
        let style = "{msg} {bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        Self { bar: bar(console, None, style) }
    }

    /// So many parts are done.
    pub(crate) fn advance(&self, done: u64, detail: &str) {
        self.bar.set_message(short(detail));
        self.bar.set_position(done);
    }

    /// What is being done now.
    pub(crate) fn doing(&self, what: &str) {
        self.bar.set_message(short(what));
    }

    /// So many bytes of a file are there.
    pub(crate) fn file(&self, name: &str, done: u64, total: Option<u64>) {
        self.bar.set_message(short(name));
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_position(done);
    }

    /// Lets something else write to the terminal.
    pub(crate) fn suspend(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn bar(console: &Console, total: Option<u64>, style: &str) -> ProgressBar {
    let target = if console.watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(total, target);
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
