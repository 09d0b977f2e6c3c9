//! Downloads from a small server on the loopback interface.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::*;

/// How the server treats one request.
#[derive(Clone, Copy)]
enum Answer {
    /// With everything asked for.
    Whole,
    /// The connection ends after this many bytes of the body.
    Broken(usize),
    /// As if ranges were unknown.
    WithoutRange,
    /// With this status and no body.
    Status(u16),
    /// Ranges are answered with the first bytes, requests without one with ten bytes.
    OtherRange,
    /// Ranges are refused for no reason, requests without one are answered with ten bytes.
    RefusedRange,
    /// Bytes without end, and without saying how many.
    Endless,
    /// A byte now and then.
    Slow,
    /// From somewhere else.
    Redirect(&'static str),
}

struct Server {
    base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// Serves `body` to any path; the `n`-th request gets the `n`-th answer, later ones the last.
fn serve(body: &[u8], answers: &[Answer]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (body, answers, log) = (body.to_vec(), answers.to_vec(), Arc::clone(&requests));
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let answer = answers[number.min(answers.len() - 1)];
            // Held meanwhile: who has the answer finds the request in the log.
            let mut log = log.lock().unwrap();
            log.push(respond(stream.unwrap(), &body, answer));
        }
    });
    Server { base, requests }
}

/// Answers one request and returns its range header.
fn respond(stream: TcpStream, body: &[u8], answer: Answer) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut range = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("range: bytes=") {
            range = value.to_owned();
        }
    }
    let mut stream = stream;
    let start: usize = range.trim_end_matches('-').parse().unwrap_or(0);
    let mut head = |status: &str, more: &str, length: usize| {
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
    };
    // A client that stops early closes the connection: failures to write are its business.
    match answer {
        Answer::Status(status) => head(&format!("{status} No"), "", 0),
        Answer::WithoutRange => {
            head("200 OK", "", body.len());
            let _ = stream.write_all(body);
        }
        Answer::Redirect(to) => head("302 Found", &format!("location: {to}\r\n"), 0),
        Answer::OtherRange if start > 0 => {
            head("206 Partial Content", &format!("content-range: bytes 0-9/{}\r\n", body.len()), 10);
            let _ = stream.write_all(&body[..10]);
        }
        Answer::RefusedRange if start > 0 => head("416 Range Not Satisfiable", "", 0),
        Answer::OtherRange | Answer::RefusedRange => {
            head("200 OK", "", body.len());
            let _ = stream.write_all(&body[..10]);
        }
        Answer::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").unwrap();
            while stream.write_all(body).is_ok() {}
        }
        Answer::Slow => {
            head("200 OK", "", body.len());
            let each = |byte: &u8| {
                thread::sleep(Duration::from_millis(5));
                stream.write_all(&[*byte]).is_ok()
            };
            let _ = body.iter().all(each);
        }
        Answer::Whole | Answer::Broken(_) if start > 0 && start >= body.len() => {
            head("416 Range Not Satisfiable", &format!("content-range: bytes */{}\r\n", body.len()), 0);
        }
        Answer::Whole | Answer::Broken(_) => {
            let rest = &body[start..];
            let more = format!("content-range: bytes {start}-{}/{}\r\n", body.len() - 1, body.len());
            if start > 0 {
                head("206 Partial Content", &more, rest.len());
            } else {
                head("200 OK", "", rest.len());
            }
            let end = if let Answer::Broken(bytes) = answer { bytes.min(rest.len()) } else { rest.len() };
            let _ = stream.write_all(&rest[..end]);
        }
    }
    range
}

fn content() -> Vec<u8> {
    (0..300_000u64).map(|i| (i * i / 7) as u8).collect()
}

/// The file that `content` is, as a registry would list it.
fn remote(bytes: Option<u64>) -> RemoteFile {
    let digits: String = hex(&Sha256::digest(content()));
    RemoteFile { name: "data.bin", urls: &[], bytes, checksum: Checksum::Sha256(digits.leak()) }
}

struct Run {
    folder: tempfile::TempDir,
    events: Vec<String>,
    result: Result<Vec<PathBuf>, DataError>,
}

impl Run {
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn file(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("data.bin")).unwrap()
    }

    fn error(&self) -> String {
        let prefix = format!("{}/", self.folder.path().display());
        self.result.as_ref().unwrap_err().to_string().replace(&prefix, "")
    }
}

/// Limits for servers that are near.
fn near() -> Limits {
    Limits { pause: Duration::from_millis(1), longest_pause: Duration::from_millis(4), ..Limits::default() }
}

fn run(server: &Server, folder: tempfile::TempDir, bytes: Option<u64>) -> Run {
    run_within(near(), server, folder, bytes)
}

fn run_within(limits: Limits, server: &Server, folder: tempfile::TempDir, bytes: Option<u64>) -> Run {
    let options = FetchOptions { base_url: Some(server.base.clone()), limits, ..FetchOptions::default() };
    let mut events = Vec::new();
    let mut progress = |event: Progress<'_>| {
        let event = match event {
            Progress::Present { .. } => "present".to_owned(),
            Progress::Receiving { received, total, .. } => format!("{received}/{total:?}"),
            Progress::Retrying { reason, .. } => format!("retry: {reason}"),
            Progress::Done { .. } => "done".to_owned(),
        };
        events.push(event);
    };
    let result = fetch_files(&[remote(bytes)], folder.path(), &options, &mut progress);
    Run { folder, events, result }
}

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn with_part(bytes: &[u8]) -> tempfile::TempDir {
    let folder = empty();
    fs::write(folder.path().join("data.bin.part"), bytes).unwrap();
    folder
}

#[test]
fn a_plain_download() {
    let server = serve(&content(), &[Answer::Whole]);
    let run = run(&server, empty(), None);
    assert_eq!(run.result.as_ref().unwrap(), &[run.folder.path().join("data.bin")]);
    assert_eq!(run.file(), content());
    assert_eq!(run.names(), ["data.bin"]);
    assert_eq!(run.events.first().unwrap(), "0/Some(300000)");
    assert_eq!(&run.events[run.events.len() - 2..], ["300000/Some(300000)", "done"]);
    let again = super::tests::run(&server, run.folder, None);
    assert_eq!(again.events, ["present"]);
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[test]
fn a_broken_connection_is_resumed() {
    let server =
        serve(&content(), &[Answer::Broken(100_000), Answer::Status(503), Answer::Broken(1), Answer::Whole]);
    let run = run(&server, empty(), Some(300_000));
    run.result.as_ref().unwrap();
    assert_eq!(run.file(), content());
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 4);
    assert_eq!(requests[0], "");
    // The client may have seen less than was sent, but never more.
    let starts: Vec<u64> =
        requests[1..].iter().map(|range| range.trim_end_matches('-').parse().unwrap()).collect();
    assert!(
        starts[0] > 0 && starts[0] <= 100_000 && starts[1] == starts[0] && starts[2] == starts[1] + 1,
        "{starts:?}"
    );
    assert_eq!(run.events.iter().filter(|event| event.starts_with("retry")).count(), 3);
    assert!(run.events.contains(&"retry: the server answered 503".to_owned()));
}

#[test]
fn an_earlier_download_is_continued() {
    let server = serve(&content(), &[Answer::Whole]);
    let run = run(&server, with_part(&content()[..120_000]), None);
    assert_eq!(run.file(), content());
    assert_eq!(*server.requests.lock().unwrap(), ["120000-"]);
    assert_eq!(run.events[0], "120000/Some(300000)");
}

#[test]
fn a_complete_part_needs_only_its_name() {
    let server = serve(&content(), &[Answer::Whole]);
    let run = run(&server, with_part(&content()), None);
    assert_eq!(run.file(), content());
    assert_eq!(run.names(), ["data.bin"]);
    assert_eq!(*server.requests.lock().unwrap(), ["300000-"]);
}

#[test]
fn a_part_of_something_else_is_started_anew() {
    for part in [vec![7; 120_000], vec![7; 300_000], vec![7; 400_000]] {
        let server = serve(&content(), &[Answer::Whole]);
        let run = run(&server, with_part(&part), None);
        assert_eq!(
            run.result.as_ref().map_err(ToString::to_string),
            Ok(&vec![run.folder.path().join("data.bin")])
        );
        assert_eq!(run.file(), content());
    }
}

#[test]
fn a_server_without_ranges_starts_anew() {
    let server = serve(&content(), &[Answer::WithoutRange]);
    let run = run(&server, with_part(&content()[..120_000]), Some(300_000));
    assert_eq!(run.file(), content());
    assert_eq!(run.events[0], "0/Some(300000)");
}

#[test]
fn a_wrong_content_is_thrown_away() {
    let mut other = content();
    other[5] ^= 1;
    let server = serve(&other, &[Answer::Whole]);
    let run = run(&server, empty(), None);
    let error = run.error();
    assert!(
        error.starts_with("data.bin: expected SHA-256 ") && error.ends_with("the file was thrown away"),
        "{error}"
    );
    assert!(run.names().is_empty());
    let longer = serve(&[content(), vec![0]].concat(), &[Answer::Whole]);
    let run = super::tests::run(&longer, empty(), Some(300_000));
    assert!(run.error().ends_with("expected a file of 300000 bytes, found 300001"), "{}", run.error());
    assert!(run.names().is_empty());
}

#[test]
fn a_file_of_another_content_is_kept() {
    let server = serve(&content(), &[Answer::Whole]);
    let folder = empty();
    fs::write(folder.path().join("data.bin"), "mine").unwrap();
    let run = run(&server, folder, None);
    assert!(run.error().ends_with("the file was kept as it is"), "{}", run.error());
    assert_eq!(run.file(), b"mine");
    assert!(server.requests.lock().unwrap().is_empty());
}

#[test]
fn what_is_not_there_is_said_once() {
    let server = serve(&content(), &[Answer::Status(404)]);
    let run = run(&server, empty(), None);
    assert_eq!(run.error(), format!("{}/data.bin: the server answered 404", server.base));
    assert!(run.names().is_empty());
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}

#[test]
fn a_server_that_never_delivers_is_given_up() {
    let server = serve(&content(), &[Answer::Broken(0)]);
    let run = run(&server, empty(), None);
    assert!(matches!(run.result, Err(DataError::Download { .. })));
    assert_eq!(server.requests.lock().unwrap().len(), 5);
}

#[test]
fn servers_that_go_in_circles_are_given_up() {
    for (answer, says) in [
        (Answer::OtherRange, ""),
        (Answer::RefusedRange, "Peer disconnected"),
        (Answer::Broken(1), "Peer disconnected"),
        (Answer::Status(503), "the server answered 503"),
    ] {
        let server = serve(&content(), &[answer]);
        let run = run(&server, empty(), Some(300_000));
        assert!(run.error().ends_with(says), "{}", run.error());
        let requests = server.requests.lock().unwrap().len();
        assert!((5..12).contains(&requests), "{requests} requests: {}", run.error());
        assert_eq!(run.events.iter().filter(|event| event.starts_with("retry")).count(), 4);
    }
}

#[test]
fn attempts_that_bring_a_little_end_as_well() {
    let server = serve(&content(), &[Answer::Broken(5000)]);
    let limits = Limits { least: 1000, attempts: 20, ..near() };
    let run = run_within(limits, &server, empty(), Some(300_000));
    assert!(run.error().ends_with("Peer disconnected"), "{}", run.error());
    assert_eq!(server.requests.lock().unwrap().len(), 20);
    // What came is kept.
    assert_eq!(run.names(), ["data.bin.part"]);
}

#[test]
fn a_body_without_end_is_cut() {
    let server = serve(&content(), &[Answer::Endless]);
    let run = run_within(Limits { size: 1_000_000, ..near() }, &server, empty(), None);
    let expected = "expected a file of at most 1000000 bytes, found more";
    assert!(run.error().ends_with(expected), "{}", run.error());
    assert!(run.names().is_empty());
    let run = self::run(&server, empty(), Some(300_000));
    assert!(run.error().ends_with("expected a file of 300000 bytes, found more"), "{}", run.error());
    let server = serve(&content(), &[Answer::Whole]);
    let run = run_within(Limits { size: 1000, ..near() }, &server, empty(), None);
    assert!(run.error().ends_with("at most 1000 bytes, found more"), "{}", run.error());
}

#[test]
fn slow_servers_are_given_up() {
    let limits = Limits { slowest: 2000, patience: Duration::from_millis(100), fruitless: 2, ..near() };
    let server = serve(&content(), &[Answer::Slow]);
    let run = run_within(limits, &server, empty(), None);
    assert!(run.error().ends_with("expected at least 2000 bytes a second, found fewer"), "{}", run.error());
    assert_eq!(server.requests.lock().unwrap().len(), 2);
    let run = run_within(Limits { whole: Duration::from_millis(100), ..near() }, &server, empty(), None);
    let expected = "expected all of the file within 100ms, found less";
    assert!(run.error().ends_with(expected), "{}", run.error());
    // A server that is slow for once.
    let server = serve(&content(), &[Answer::Slow, Answer::Whole]);
    let limits = Limits { slowest: 2000, patience: Duration::from_millis(100), ..near() };
    assert_eq!(run_within(limits, &server, empty(), None).file(), content());
}

#[test]
fn redirections_are_followed_but_not_in_circles() {
    let elsewhere =
        [Answer::Redirect("/mirror/data.bin"), Answer::Redirect("/other/data.bin"), Answer::Whole];
    let server = serve(&content(), &elsewhere);
    let run = run(&server, with_part(&content()[..120_000]), Some(300_000));
    assert_eq!(run.file(), content());
    // The range is asked for there, too.
    assert_eq!(*server.requests.lock().unwrap(), ["120000-"; 3]);
    let server = serve(&content(), &[Answer::Redirect("/data.bin")]);
    let run = self::run(&server, empty(), None);
    assert!(run.error().contains("redirect"), "{}", run.error());
    assert!((2..20).contains(&server.requests.lock().unwrap().len()));
    assert!(run.names().is_empty());
}

#[test]
fn a_stop_keeps_what_arrived() {
    let server = serve(&content(), &[Answer::Whole]);
    let folder = empty();
    let cancel = AtomicBool::new(false);
    let options = FetchOptions {
        base_url: Some(server.base.clone()),
        cancel: Some(&cancel),
        ..FetchOptions::default()
    };
    let mut progress = |event: Progress<'_>| {
        if matches!(event, Progress::Receiving { received: 1.., .. }) {
            cancel.store(true, Ordering::Relaxed);
        }
    };
    let error = fetch_files(&[remote(None)], folder.path(), &options, &mut progress).unwrap_err();
    assert!(matches!(error, DataError::Cancelled { .. }), "{error}");
    let part = fs::read(folder.path().join("data.bin.part")).unwrap();
    assert!(!part.is_empty() && part.len() < 300_000);
    let run = run(&server, folder, None);
    assert_eq!(run.file(), content());
    assert_eq!(server.requests.lock().unwrap()[1], format!("{}-", part.len()));
}

#[test]
fn two_downloads_of_one_file_do_not_meet() {
    let server = serve(&content(), &[Answer::Whole]);
    let folder = with_part(b"");
    let other = File::options().append(true).open(folder.path().join("data.bin.part")).unwrap();
    other.lock().unwrap();
    let run = run(&server, folder, None);
    assert_eq!(run.error(), "data.bin.part: expected one download at a time, found another one at work");
}

#[test]
fn published_files_use_the_folder_of_their_set() {
    let server = serve(b"", &[Answer::Status(404)]);
    let folder = empty();
    let options =
        FetchOptions { base_url: Some(format!("{}/mirror/", server.base)), ..FetchOptions::default() };
    let error = fetch(NamedSet::FashionMnist, folder.path(), &options, &mut |_| {}).unwrap_err();
    let expected = format!("{}/mirror/train-images-idx3-ubyte.gz: the server answered 404", server.base);
    assert_eq!(error.to_string(), expected);
    assert!(folder.path().join("fashion-mnist").is_dir());
}
