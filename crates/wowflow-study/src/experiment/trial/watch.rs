//! What goes on in a repetition, for who watches, and whether to stop.

use std::ops::ControlFlow;

use crate::observer::{Event, Observer};

/// Steps of a training between two words about it.
const TOLD_EVERY: u64 = 20;

/// A repetition as its observer sees it.
pub(in super::super) struct Watch<'a> {
    /// Who watches.
    pub(in super::super) observer: &'a dyn Observer,
    /// Row, method and trial, in words.
    pub(in super::super) doing: String,
}

impl Watch<'_> {
    /// A step of a move.
    pub(super) fn step(&self, step: u64, steps: u64) -> ControlFlow<()> {
        self.observer.event(&Event::Doing(&format!("{}: step {step} of {steps}", self.doing)));
        self.going()
    }

    /// A step of a training.
    pub(super) fn training(&self, step: u64, steps: u64) -> ControlFlow<()> {
        if step.is_multiple_of(TOLD_EVERY) {
            let doing = format!("{}: training, step {step} of {steps}", self.doing);
            self.observer.event(&Event::Doing(&doing));
        }
        self.going()
    }

    /// Whether a stop was asked for.
    pub(super) fn going(&self) -> ControlFlow<()> {
        if self.observer.stop_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
