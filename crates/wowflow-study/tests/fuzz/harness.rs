//! Reads many inputs of a format and holds each to what is promised: an answer within seconds, no panic, errors that are one short
//! line, and no more memory than the size of the input allows.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::mutate::Mutator;

/// Files of one input; the first is the one that is named.
pub(crate) type Files = Vec<(&'static str, Vec<u8>)>;

/// What is read.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    /// Draws an input, which is valid when the mutator changes nothing.
    pub(crate) draw: fn(&mut Mutator) -> Files,
    /// Reads the first file or, where its name has a folder, the folder of all; an error is its message.
    pub(crate) read: fn(&Path) -> Result<(), String>,
    /// Inputs in CI.
    pub(crate) inputs: u64,
}

/// Slowest reading of one input, and the time after which it hangs.
const SLOWEST: Duration = Duration::from_secs(2);
const HANG: u64 = 60;
/// Longest error, in characters.
const LONGEST: usize = 500;
/// The promise of `book/src/start.md`: content in memory, by the bytes of files.
const FREE: u64 = 256 << 20;
const RATIO: u64 = 4128;
/// Beside the content: tables of decoders, buffers, pages of a table on which its dialect is tried.
const AROUND: u64 = 48 << 20;
/// Valid inputs that are read first.
const VALID: u64 = 60;

/// Reads the inputs of a format: its own number, or `WOWFLOW_FUZZ_INPUTS`. `WOWFLOW_FUZZ_SEED` begins at another.
pub(crate) fn fuzz(format: &Format) {
    let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (first, count) = (
        variable("WOWFLOW_FUZZ_SEED").unwrap_or(0),
        variable("WOWFLOW_FUZZ_INPUTS").unwrap_or(format.inputs),
    );
    let place = Place::new(format.name);
    for seed in 0..VALID {
        let input = place.write(&(format.draw)(&mut Mutator::new(seed, false)));
        let read = (format.read)(&input);
        assert_eq!(read, Ok(()), "{}: valid input of seed {seed}", format.name);
    }
    let (clock, watch) = (Arc::new(AtomicU64::new(0)), Arc::new(()));
    watch_over(format.name, &clock, &watch);
    let (mut read, mut slowest, mut most) = (0, (Duration::ZERO, 0), (0, 0));
    let begin = Instant::now();
    for seed in first..first + count {
        clock.store(seed + 1, Ordering::Relaxed);
        let files = (format.draw)(&mut Mutator::new(seed, true));
        let input = place.write(&files);
        let size: u64 = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let start = Instant::now();
        let before = restart();
        let result = catch_unwind(AssertUnwindSafe(|| (format.read)(&input)));
        let memory = PEAK.get().saturating_sub(before).max(0) as u64;
        let mut time = start.elapsed();
        // A busy machine takes time, too: what is slow is slow three times.
        for _ in 0..2 {
            if time > SLOWEST {
                place.write(&files);
                let start = Instant::now();
                let _ = catch_unwind(AssertUnwindSafe(|| (format.read)(&input)));
                time = time.min(start.elapsed());
            }
        }
        let fault = match &result {
            Err(_) => Some("it panicked".to_owned()),
            Ok(Err(error)) => unreadable(error),
            Ok(Ok(())) => None,
        };
        let fault = fault.or_else(|| (time > SLOWEST).then(|| format!("it took {time:?}"))).or_else(|| {
            (memory > FREE + RATIO * size + AROUND).then(|| format!("{size} bytes took {memory}"))
        });
        if let Some(fault) = fault {
            place.keep();
            panic!("{}, seed {seed}: {fault}; the input is kept in {}", format.name, place.folder.display());
        }
        read += u64::from(matches!(result, Ok(Ok(()))));
        slowest = slowest.max((time, seed));
        most = most.max((memory, seed));
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{}: {count} inputs from seed {first} in {seconds:.1} s ({:.0} a second), {read} read, {} refused; slowest {:?} \
         (seed {}), most memory {} MB (seed {})",
        format.name,
        count as f64 / seconds,
        count - read,
        slowest.0,
        slowest.1,
        most.0 >> 20,
        most.1
    );
}

/// What is wrong with an error, if anything is.
fn unreadable(error: &str) -> Option<String> {
    let commands = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if error.contains(commands) {
        return Some(format!("its error commands the terminal: {error:?}"));
    }
    let length = error.chars().count();
    (length > LONGEST).then(|| format!("its error has {length} characters: {error:.200}"))
}

/// Ends the process when one input takes for ever: nothing else can.
fn watch_over(name: &'static str, clock: &Arc<AtomicU64>, watch: &Arc<()>) {
    let (clock, watch) = (Arc::clone(clock), Arc::downgrade(watch));
    thread::spawn(move || {
        let (mut last, mut since) = (0, 0);
        while watch.strong_count() > 0 {
            thread::sleep(Duration::from_secs(1));
            let now = clock.load(Ordering::Relaxed);
            (last, since) = if now == last { (last, since + 1) } else { (now, 0) };
            if since > HANG {
                eprintln!("{name}, seed {}: no answer after {HANG} s", last.wrapping_sub(1));
                std::process::abort();
            }
        }
    });
}

/// A folder in memory where that can be had. It stays when the process aborts: the input that did it is in it.
struct Place {
    folder: PathBuf,
}

impl Place {
    fn new(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = base.join(format!("wowflow-fuzz-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    /// Writes an input and returns what is to be read of it.
    fn write(&self, files: &Files) -> PathBuf {
        for (name, bytes) in files {
            let path = self.folder.join(name);
            fs::write(&path, bytes)
                .or_else(|_| {
                    fs::create_dir_all(path.parent().unwrap())?;
                    fs::write(&path, bytes)
                })
                .unwrap();
        }
        let first = files[0].0;
        if first.contains('/') { self.folder.clone() } else { self.folder.join(first) }
    }

    fn keep(&self) {
        fs::write(self.folder.join("kept"), "").unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.folder.join("kept").exists() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

/// Begins a new peak and returns what is held.
fn restart() -> i64 {
    PEAK.set(HELD.get());
    HELD.get()
}

fn held(change: i64) {
    // A thread that ends frees memory when its counters are gone.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it came.
#[allow(unsafe_code, reason = "counting memory takes an allocator")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        held(layout.size() as i64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        held(layout.size() as i64);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        held(-(layout.size() as i64));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        held(size as i64 - layout.size() as i64);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
