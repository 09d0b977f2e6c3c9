//! One HTTP request that begins or continues a partial file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::AtomicBool;

use ureq::Agent;
use ureq::http::Response;

use super::is_cancelled;

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

/// Continues `part` (opened for appending) with what `url` has beyond its length.
///
/// A server that ignores the range, or whose file is shorter than `part`, starts it anew.
pub(super) fn transfer(
    agent: &Agent,
    url: &str,
    part: &File,
    limit: Option<u64>,
    cancel: Option<&AtomicBool>,
    report: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), Failure> {
    let mut start = part.metadata().map_err(Failure::Disk)?.len();
    if is_cancelled(cancel) {
        return Err(Failure::Cancelled);
    }
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
            return Err(Failure::Broken("the server sent another range than the one asked for".to_owned()));
        }
        status @ (408 | 429 | 500..) => return Err(Failure::Broken(format!("the server answered {status}"))),
        status => return Err(Failure::Refused(format!("the server answered {status}"))),
    }
    let length = response.headers().get("content-length").and_then(|value| value.to_str().ok());
    let total =
        length.and_then(|length| length.parse::<u64>().ok()).map(|length| start.saturating_add(length));
    if let (Some(total), Some(limit)) = (total, limit)
        && total != limit
    {
        return Err(Failure::Refused(format!("expected a file of {limit} bytes, found {total}")));
    }
    receive(&mut response.into_body().into_reader(), part, start, total, limit, cancel, report)
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

fn receive(
    body: &mut impl Read,
    mut part: &File,
    start: u64,
    total: Option<u64>,
    limit: Option<u64>,
    cancel: Option<&AtomicBool>,
    report: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), Failure> {
    let mut received = start;
    let mut buffer = vec![0; 1 << 16];
    report(received, total);
    loop {
        if is_cancelled(cancel) {
            return Err(Failure::Cancelled);
        }
        let found = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Broken(error.to_string())),
        };
        part.write_all(&buffer[..found]).map_err(Failure::Disk)?;
        received += found as u64;
        report(received, total);
        if let Some(limit) = limit
            && received > limit
        {
            part.set_len(0).map_err(Failure::Disk)?;
            return Err(Failure::Refused(format!("expected a file of {limit} bytes, found more")));
        }
    }
    match total.or(limit) {
        Some(total) if received < total => {
            Err(Failure::Broken(format!("the connection ended after {received} of {total} bytes")))
        }
        _ => Ok(()),
    }
}
