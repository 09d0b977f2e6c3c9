//! What a run says: text for people, or one JSON object for programs.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result};
use serde::Serialize;

/// Where text goes: to standard output, or to standard error when standard output carries JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    json: bool,
}

impl Console {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A line for people.
    pub(crate) fn say(&self, line: &str) {
        // A closed pipe must not end a run that writes files.
        let _ = if self.json { writeln!(io::stderr(), "{line}") } else { writeln!(io::stdout(), "{line}") };
    }

    /// The one JSON object, when it was asked for.
    pub(crate) fn object(&self, value: &impl Serialize) -> Result<()> {
        if self.json {
            let mut text = serde_json::to_string_pretty(value)?;
            text.push('\n');
            let mut out = io::stdout().lock();
            match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                // Whoever reads has read enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                written => written.context("cannot write to standard output")?,
            }
        }
        Ok(())
    }

    /// Whether someone watches: progress is drawn on terminals only.
    pub(crate) fn watched(&self) -> bool {
        io::stderr().is_terminal()
    }
}
