//! What a run says: text for people, or one JSON object for programs.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use anyhow::Result;
use serde::Serialize;
use wowflow::text::{commands, escaped, shown};

/// Where text goes: to standard output, or to standard error when standard output carries JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    json: bool,
}

impl Console {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A line for people; what would command the terminal or begin another line is shown escaped.
    pub(crate) fn say(&self, line: &str) {
        let line = escaped(line);
        if self.json {
            // Standard error may be closed; the work goes on.
            let _ = writeln!(io::stderr(), "{line}");
        } else {
            put(&format!("{line}\n"));
        }
    }

    /// The one JSON object, when it was asked for.
    pub(crate) fn object(&self, value: &impl Serialize) -> Result<()> {
        if self.json {
            // In JSON such characters stand in strings alone.
            let text = serde_json::to_string_pretty(value)?;
            let safe =
                |c: char| if commands(c) && c != '\n' { format!("\\u{:04x}", c as u32) } else { c.into() };
            put(&(text.chars().map(safe).collect::<String>() + "\n"));
        }
        Ok(())
    }

    /// Whether someone watches: progress is drawn on terminals only.
    pub(crate) fn watched(&self) -> bool {
        io::stderr().is_terminal()
    }
}

/// The first refusal of standard output.
static REFUSED: OnceLock<io::Error> = OnceLock::new();

/// Writes to standard output. A failure must not end a run that writes files: it is kept for [`finish`], and nothing
/// more is written.
pub(crate) fn put(text: &str) {
    put_by(|| io::stdout().write_all(text.as_bytes()));
}

/// Lets something else write to standard output, under the same rules.
pub(crate) fn put_by(write: impl FnOnce() -> io::Result<()>) {
    if REFUSED.get().is_none()
        && let Err(error) = write().and_then(|()| io::stdout().flush())
    {
        let _ = REFUSED.set(error);
    }
}

/// Why standard output did not take everything; a reader who has read enough is no reason.
pub(crate) fn refused() -> Option<&'static io::Error> {
    REFUSED.get().filter(|error| error.kind() != ErrorKind::BrokenPipe)
}

/// Characters of a label that are shown.
const LABEL: usize = 80;
/// Characters of an error that are shown.
const ERROR: usize = 400;

/// A label for people, on one line and not too long to be read.
pub(crate) fn short(label: &str) -> String {
    shown(label, LABEL)
}

/// An error for people, likewise.
pub(crate) fn one_line(error: &str) -> String {
    shown(&error.replace('\n', " "), ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_keep_their_ends() {
        let text = format!("begin{}end", "x".repeat(70_000));
        for (shown, most) in [(short(&text), LABEL), (one_line(&text), ERROR)] {
            assert_eq!(shown.chars().count(), most);
            assert!(shown.starts_with("begin") && shown.ends_with("end"), "{shown}");
        }
        assert_eq!(short("plain"), "plain");
    }
}
