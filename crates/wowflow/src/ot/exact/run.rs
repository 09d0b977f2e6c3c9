//! What a solver on shortlists is asked for, and what it answers.

use std::sync::atomic::{AtomicBool, Ordering};

use super::auction::Start;
use super::shortlist::Shortlist;
use crate::linalg::Threads;

/// Optimal flows with potentials.
pub(super) struct Solution {
    /// Arcs that carry mass: left point, right point, units.
    pub(super) flows: Vec<(usize, usize, i64)>,
    /// Potentials of the right points, for reduced costs.
    pub(super) g: Vec<f64>,
    /// What is known about every row: no column left out matters.
    pub(super) lists: Vec<Shortlist>,
    /// Bids of the auction, and shortlists gone through by searches or pivots.
    pub(super) steps: usize,
}

/// How a problem is to be solved.
pub(super) struct Run<'a> {
    pub(super) start: Start,
    pub(super) interrupt: Option<&'a AtomicBool>,
    pub(super) threads: Threads,
}

impl Run<'_> {
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}
