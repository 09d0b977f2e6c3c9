//! The console as the observer of a study: lines, a progress line, Ctrl-C.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use wowflow_study::{Event, Observer, Unit};

use crate::console::Console;
use crate::interrupt;
use crate::progress::Progress;

/// Shows what a study tells, and passes on a wish to stop.
pub(crate) struct Watch<'a> {
    console: &'a Console,
    progress: Mutex<Option<Progress>>,
    /// The command that goes on, where one does.
    resume: Option<String>,
    /// What would cost less.
    less: &'static str,
}

impl<'a> Watch<'a> {
    /// From here on Ctrl-C asks for a clean stop.
    pub(crate) fn new(console: &'a Console) -> Self {
        interrupt::listen();
        Self { console, progress: Mutex::new(None), resume: None, less: "" }
    }

    /// The same for a study that can be gone on with in its folder.
    pub(crate) fn resumable(console: &'a Console, command: &str, folder: &Path) -> Self {
        let resume = format!("wowflow {command} --resume {}", folder.display());
        Self { resume: Some(resume), ..Self::new(console) }
    }

    /// Names what would cost less, for long work.
    pub(crate) fn cheaper_by(self, less: &'static str) -> Self {
        Self { less, ..self }
    }

    /// What is left to say, with how to go on.
    pub(crate) fn go_on(&self, words: &str) -> String {
        match &self.resume {
            Some(command) => format!("{words}; go on with: {command}"),
            None => words.to_owned(),
        }
    }
}

impl Observer for Watch<'_> {
    fn event(&self, event: &Event<'_>) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        match *event {
            Event::Note(line) => match progress.as_ref() {
                Some(bar) => bar.suspend(|| self.console.say(line)),
                None => self.console.say(line),
            },
            Event::Began { unit, total, done } => {
                // Studies that end at once, or whose step is none of theirs, say so themselves.
                if matches!(unit, Unit::Steps | Unit::Repetitions) {
                    interrupt::stop_after("this step");
                }
                // The one before ends first.
                *progress = None;
                *progress = Some(Progress::new(self.console, unit, total, done, self.less));
            }
            Event::Advanced { done, detail } => {
                if let Some(bar) = progress.as_ref() {
                    bar.advance(done, detail);
                }
            }
            Event::Doing(what) => {
                if let Some(bar) = progress.as_ref() {
                    bar.doing(what);
                }
            }
            Event::Ended => {
                if let Some(bar) = progress.take() {
                    bar.clear();
                }
            }
            Event::Safe(words) => interrupt::end_at_once_with(self.go_on(words)),
            _ => {}
        }
    }

    fn stop_requested(&self) -> bool {
        interrupt::requested()
    }
}
