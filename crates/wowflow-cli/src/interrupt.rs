//! Ctrl-C and termination: the first is answered at once and asks for a clean stop, the second ends the program.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static INSTALLED: OnceLock<bool> = OnceLock::new();
static ANSWER: Mutex<Answer> = Mutex::new(Answer::Stop("what is being done"));

/// What the first Ctrl-C is answered.
enum Answer {
    /// The work stops after this.
    Stop(&'static str),
    /// Everything worth keeping is on disk: the program ends at once, with these words.
    End(String),
}

/// Starts listening; calling it again changes nothing.
pub(crate) fn listen() {
    // Where the system gives no thread that listens, Ctrl-C ends the program.
    INSTALLED.get_or_init(|| {
        ctrlc::set_handler(|| {
            let again = REQUESTED.swap(true, Ordering::SeqCst);
            match &*ANSWER.lock().unwrap_or_else(PoisonError::into_inner) {
                Answer::End(words) => {
                    say(words);
                    std::process::exit(130);
                }
                Answer::Stop(_) if again => std::process::exit(130),
                Answer::Stop(what) => say(&format!("stopping after {what}; Ctrl-C again ends at once")),
            }
        })
        .is_ok()
    });
}

/// Says a line in place of a progress line that may stand there.
fn say(words: &str) {
    let clear = if io::stderr().is_terminal() { "\r\x1b[2K" } else { "" };
    // Standard error may be closed.
    let _ = writeln!(io::stderr(), "{clear}{words}");
}

/// Whether a stop was asked for.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// From here on the first Ctrl-C stops the work after this.
pub(crate) fn stop_after(what: &'static str) {
    answer(Answer::Stop(what));
}

/// From here on everything worth keeping is on disk: the first Ctrl-C already ends the program, with these words.
pub(crate) fn end_at_once_with(words: String) {
    answer(Answer::End(words));
}

fn answer(answer: Answer) {
    *ANSWER.lock().unwrap_or_else(PoisonError::into_inner) = answer;
}

/// The flag itself, for code that polls it.
pub(crate) fn flag() -> &'static AtomicBool {
    &REQUESTED
}
