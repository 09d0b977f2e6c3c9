//! The progress line of a flow: rate, loss and time left, on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wowflow::flow::StepRecord;

use crate::console::Console;

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

    /// An iteration that lowers an objective.
    pub(crate) fn iteration(&self, step: u64, objective: f64) {
        self.bar.set_message(format!("objective {objective:.6e}"));
        self.bar.set_position(step);
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
