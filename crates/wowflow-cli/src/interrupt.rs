//! Ctrl-C and termination: the first asks for a clean stop, the second ends the program.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static INSTALLED: OnceLock<bool> = OnceLock::new();
static LAST_WORDS: OnceLock<String> = OnceLock::new();

/// Starts listening; calling it again changes nothing.
pub(crate) fn listen() {
    INSTALLED.get_or_init(|| {
        ctrlc::set_handler(|| {
            let last_words = LAST_WORDS.get();
            if REQUESTED.swap(true, Ordering::SeqCst) || last_words.is_some() {
                if let Some(words) = last_words {
                    // In place of a progress line that may stand there.
                    let clear = if io::stderr().is_terminal() { "\r\x1b[2K" } else { "" };
                    let _ = writeln!(io::stderr(), "{clear}{words}");
                }
                std::process::exit(130);
            }
        })
        .is_ok()
    });
}

/// Whether a stop was asked for.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// From here on everything worth keeping is on disk: the first Ctrl-C already ends the program, with
/// these words.
pub(crate) fn end_at_once_with(words: String) {
    LAST_WORDS.get_or_init(|| words);
}

/// The flag itself, for code that polls it.
pub(crate) fn flag() -> &'static AtomicBool {
    &REQUESTED
}
