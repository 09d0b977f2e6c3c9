//! The progress line of a command: rate, loss and time left, on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wowflow::flow::StepRecord;

use crate::console::Console;

/// How often a clock is redrawn.
const TICK: Duration = Duration::from_millis(200);

/// A progress line; silent when nobody watches.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// For `total` steps of which `done` are taken.
    pub(crate) fn steps(console: &Console, total: u64, done: u64) -> Self {
        let target =
            if console.watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target).with_position(done);
        let style = "{bar:30} {pos}/{len} steps, {per_sec}, {msg}, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.reset_eta();
        Self { bar }
    }

    /// For `total` pairs of datasets of which `done` are compared.
    pub(crate) fn pairs(console: &Console, total: usize, done: usize) -> Self {
        let target =
            if console.watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target).with_position(done as u64);
        let style = "{bar:30} {pos}/{len} pairs, {per_sec}, {elapsed} gone, {eta} left, {wide_msg}";
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.reset_eta();
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// For `total` repetitions of an experiment of which `done` are finished.
    #[cfg(feature = "learn")]
    pub(crate) fn repetitions(console: &Console, total: usize, done: usize) -> Self {
        let target =
            if console.watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target).with_position(done as u64);
        let style = "{bar:20} {pos}/{len} repetitions, {elapsed} gone, {eta} left, {wide_msg}";
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.reset_eta();
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// What is being done now.
    #[cfg(feature = "learn")]
    pub(crate) fn doing(&self, what: String) {
        self.bar.set_message(what);
    }

    /// One more is finished.
    #[cfg(feature = "learn")]
    pub(crate) fn finished(&self) {
        self.bar.inc(1);
    }

    /// For work that does not tell how far it is: a clock.
    pub(crate) fn waiting(console: &Console, what: &str) -> Self {
        let target =
            if console.watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(what.to_owned());
        let style = "{spinner} {msg}, {elapsed}";
        bar.set_style(
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// For bytes, of which the total may be unknown.
    pub(crate) fn bytes(console: &Console) -> Self {
        let target =
            if console.watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = "{msg} {bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar }
    }

    pub(crate) fn step(&self, record: &StepRecord) {
        self.bar.set_message(format!("MMD^2 {:.3e}", 2.0 * record.value));
        self.bar.set_position(record.step);
    }

    pub(crate) fn pair(&self, left: &str, right: &str) {
        self.bar.set_message(format!("{left} - {right}"));
        self.bar.inc(1);
    }

    /// An iteration that lowers an objective.
    pub(crate) fn iteration(&self, step: u64, objective: f64) {
        self.bar.set_message(format!("objective {objective:.6e}"));
        self.bar.set_position(step);
    }

    pub(crate) fn method(&self, name: &str) {
        self.bar.set_message(name.to_owned());
    }

    pub(crate) fn file(&self, name: &str, done: u64, total: Option<u64>) {
        self.bar.set_message(name.to_owned());
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_position(done);
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
