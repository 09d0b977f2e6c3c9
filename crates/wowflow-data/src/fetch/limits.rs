//! How long a download goes on with a server that does not deliver.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a server may cost before it is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Attempts at one address in a row that bring nothing new.
    pub fruitless: u32,
    /// Bytes that an attempt has to bring beyond all attempts before it, unless it ends the file.
    pub least: u64,
    /// Attempts at one address in all.
    pub attempts: u32,
    /// The pause after a first attempt in vain; each further one in a row doubles it.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// The time without any answer after which a connection is given up.
    pub silence: Duration,
    /// Bytes a second, on average over `patience`, below which a connection is given up.
    pub slowest: u64,
    /// See `slowest`.
    pub patience: Duration,
    /// The time for one file, pauses included.
    pub whole: Duration,
    /// The size of a file whose size is not published.
    pub size: u64,
}

impl Default for Limits {
    /// For connections as people have them: a file of a gigabyte may take all day.
    fn default() -> Self {
        Self {
            fruitless: 5,
            least: 1 << 16,
            attempts: 200,
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            silence: Duration::from_secs(30),
            slowest: 1024,
            patience: Duration::from_secs(60),
            whole: Duration::from_secs(24 * 60 * 60),
            size: 4 << 30,
        }
    }
}

/// The attempts at one address.
pub(super) struct Attempts<'a> {
    limits: &'a Limits,
    made: u32,
    fruitless: u32,
    /// The most that was there after any of them.
    most: u64,
}

impl<'a> Attempts<'a> {
    /// None yet, with so many bytes from earlier downloads.
    pub(super) fn new(limits: &'a Limits, most: u64) -> Self {
        Self { limits, made: 0, fruitless: 0, most }
    }

    /// Counts one that ended early with so many bytes; the pause before the next, if there is to be one.
    pub(super) fn ended(&mut self, bytes: u64) -> Option<Duration> {
        self.made += 1;
        // What was there before does not count again.
        if bytes >= self.most.saturating_add(self.limits.least) {
            self.fruitless = 0;
        } else {
            self.fruitless += 1;
        }
        self.most = self.most.max(bytes);
        if self.fruitless >= self.limits.fruitless || self.made >= self.limits.attempts {
            return None;
        }
        let doubled = 1 << self.fruitless.saturating_sub(1).min(16);
        Some(self.limits.pause.saturating_mul(doubled).min(self.limits.longest_pause))
    }
}

/// Waits, unless a stop is requested meanwhile.
pub(super) fn wait(pause: Duration, is_cancelled: impl Fn() -> bool) {
    let end = Instant::now() + pause;
    while !is_cancelled() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        sleep(left.min(Duration::from_millis(50)));
    }
}

/// The pace of a connection.
pub(super) struct Pace<'a> {
    limits: &'a Limits,
    since: Instant,
    bytes: u64,
}

impl<'a> Pace<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { limits, since: Instant::now(), bytes: 0 }
    }

    /// Counts bytes that came; false where too few did.
    pub(super) fn keeps(&mut self, bytes: u64) -> bool {
        self.bytes += bytes;
        let time = self.since.elapsed();
        if time < self.limits.patience {
            return true;
        }
        let enough = self.bytes as f64 >= self.limits.slowest as f64 * time.as_secs_f64();
        *self = Self::new(self.limits);
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_attempts_end() {
        let limits = Limits { longest_pause: Duration::from_secs(3), ..Limits::default() };
        let mut attempts = Attempts::new(&limits, 100);
        let seconds = |bytes: &[u64], attempts: &mut Attempts<'_>| -> Vec<Option<u64>> {
            bytes.iter().map(|&bytes| attempts.ended(bytes).map(|pause| pause.as_secs())).collect()
        };
        // A byte each, and nothing at all, in turn.
        let found = seconds(&[101, 0, 102, 70_000, 0, 70_000, 70_001, 0, 70_002], &mut attempts);
        assert_eq!(found, [Some(1), Some(2), Some(3), Some(1), Some(1), Some(2), Some(3), Some(3), None]);
        let limits = Limits { attempts: 3, ..limits };
        let mut attempts = Attempts::new(&limits, 0);
        assert_eq!(seconds(&[1 << 20, 2 << 20, 3 << 20], &mut attempts), [Some(1), Some(1), None]);
    }
}
