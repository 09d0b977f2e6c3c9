//! One HTTP request that begins or continues a partial file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use ureq::Agent;
use ureq::http::Response;

use super::is_cancelled;
use super::limits::{Limits, Pace};

/// Why a transfer ended early.
pub(super) enum Failure {
    /// The connection failed or ended; asking again may help.
    Broken(String),
    /// The server answered that it will not send the file, or sends something else.
    Refused(String),
    /// The partial file cannot be written.
    Disk(io::Error),
    /// A stop was requested.
    Cancelled,
}

/// One request, or two.
pub(super) struct Transfer<'a> {
    pub(super) agent: &'a Agent,
    pub(super) url: &'a str,
    /// The partial file, opened for appending.
    pub(super) part: &'a File,
    /// The published size, where there is one.
    pub(super) expected: Option<u64>,
    /// When the time is over.
    pub(super) end: Instant,
    pub(super) limits: &'a Limits,
    pub(super) cancel: Option<&'a AtomicBool>,
}

impl Transfer<'_> {
    /// Continues the partial file with what there is beyond its length.
    ///
    /// A server that ignores the range, or whose file is shorter, starts it anew.
    pub(super) fn run(&self, report: &mut dyn FnMut(u64, Option<u64>)) -> Result<(), Failure> {
        let Self { agent, url, part, .. } = *self;
        let mut start = part.metadata().map_err(Failure::Disk)?.len();
        self.go_on()?;
        let mut response = request(agent, url, start)?;
        if response.status() == 416 && start > 0 {
            // Nothing lies beyond what is there: it is whole, or the file changed.
            let total = response.headers().get("content-range").and_then(|value| value.to_str().ok());
            let total = total.and_then(|range| range.rsplit('/').next()).and_then(|total| total.parse().ok());
            if total == Some(start) {
                report(start, total);
                return Ok(());
            }
            restart(part, &mut start)?;
            response = request(agent, url, 0)?;
        }
        match response.status().as_u16() {
            200 => restart(part, &mut start)?,
            206 if range_start(&response) == Some(start) => {}
            206 => {
                restart(part, &mut start)?;
                return Err(Failure::Broken(
                    "the server sent another range than the one asked for".to_owned(),
                ));
            }
            status @ (408 | 429 | 500..) => {
                return Err(Failure::Broken(format!("the server answered {status}")));
            }
            status => return Err(Failure::Refused(format!("the server answered {status}"))),
        }
        let length = response.headers().get("content-length").and_then(|value| value.to_str().ok());
        let total =
            length.and_then(|length| length.parse::<u64>().ok()).map(|length| start.saturating_add(length));
        match (total, self.expected) {
            (Some(total), Some(expected)) if total != expected => {
                return Err(Failure::Refused(format!("expected a file of {expected} bytes, found {total}")));
            }
            (Some(total), None) if total > self.limits.size => return Err(self.too_large()),
            _ => {}
        }
        self.receive(&mut response.into_body().into_reader(), start, total, report)
    }

    /// Whether there is time left, and no stop requested.
    fn go_on(&self) -> Result<(), Failure> {
        if is_cancelled(self.cancel) {
            return Err(Failure::Cancelled);
        }
        if Instant::now() >= self.end {
            let whole = self.limits.whole;
            return Err(Failure::Refused(format!("expected all of the file within {whole:?}, found less")));
        }
        Ok(())
    }

    fn too_large(&self) -> Failure {
        Failure::Refused(format!("expected a file of at most {} bytes, found more", self.limits.size))
    }

    fn receive(
        &self,
        body: &mut impl Read,
        start: u64,
        total: Option<u64>,
        report: &mut dyn FnMut(u64, Option<u64>),
    ) -> Result<(), Failure> {
        let (mut part, most) = (self.part, self.expected.unwrap_or(self.limits.size));
        let mut received = start;
        let mut buffer = vec![0; 1 << 16];
        let mut pace = Pace::new(self.limits);
        report(received, total);
        loop {
            self.go_on()?;
            let found = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Broken(error.to_string())),
            };
            received += found as u64;
            if received > most {
                part.set_len(0).map_err(Failure::Disk)?;
                return Err(match self.expected {
                    Some(size) => Failure::Refused(format!("expected a file of {size} bytes, found more")),
                    None => self.too_large(),
                });
            }
            part.write_all(&buffer[..found]).map_err(Failure::Disk)?;
            report(received, total);
            if !pace.keeps(found as u64) {
                let slowest = self.limits.slowest;
                return Err(Failure::Broken(format!(
                    "expected at least {slowest} bytes a second, found fewer"
                )));
            }
        }
        match total.or(self.expected) {
            Some(total) if received < total => {
                Err(Failure::Broken(format!("the connection ended after {received} of {total} bytes")))
            }
            _ => Ok(()),
        }
    }
}

fn request(agent: &Agent, url: &str, start: u64) -> Result<Response<ureq::Body>, Failure> {
    let mut request = agent.get(url);
    if start > 0 {
        request = request.header("range", format!("bytes={start}-"));
    }
    request.call().map_err(|error| match error {
        ureq::Error::BadUri(_)
        | ureq::Error::Http(_)
        | ureq::Error::TooManyRedirects
        | ureq::Error::RedirectFailed => Failure::Refused(error.to_string()),
        error => Failure::Broken(error.to_string()),
    })
}

fn restart(part: &File, start: &mut u64) -> Result<(), Failure> {
    *start = 0;
    part.set_len(0).map_err(Failure::Disk)
}

/// The first byte of `content-range: bytes FIRST-LAST/TOTAL`.
fn range_start(response: &Response<ureq::Body>) -> Option<u64> {
    let range = response.headers().get("content-range")?.to_str().ok()?;
    range.trim().strip_prefix("bytes")?.trim_start().split('-').next()?.parse().ok()
}
