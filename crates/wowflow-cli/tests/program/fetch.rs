//! `wowflow fetch` against a server on the loopback interface.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use crate::support::{file, folder, run, tree};

/// Serves files by their name, each as `content` gives it, until the tests end.
pub(crate) fn serve(content: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that goes away is its own business.
            let _ = answer(&mut stream.unwrap(), &content);
        }
    });
    base
}

fn answer(stream: &mut TcpStream, content: &impl Fn(&str) -> Option<Vec<u8>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let name = request.split(' ').nth(1).and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let (status, body) = content(name).map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

fn fetch(name: &str, folder: &Path, mirror: &str) -> crate::support::Ran {
    run(["fetch", "--json", name, "--data-dir", folder.to_str().unwrap(), "--mirror", mirror])
}

/// Files below a folder.
fn files(folder: &Path) -> Vec<String> {
    tree(folder).into_iter().filter(|name| folder.join(name).is_file()).collect()
}

#[test]
fn content_other_than_the_published_one_is_thrown_away() {
    let mirror = serve(|_| Some(b"something else".to_vec()));
    let folder = folder();
    fetch("kmnist", folder.path(), &mirror).refused("expected SHA-256 51467d22d8cc72929e2a028a0428f208");
    assert_eq!(files(folder.path()), [""; 0]);
    // Where the size is known, it is enough to tell.
    fetch("mnist", folder.path(), &mirror).refused("expected a file of 9912422 bytes, found 14");
    assert_eq!(files(folder.path()), [""; 0]);
}

#[test]
fn a_server_without_the_files_is_named() {
    let mirror = serve(|_| None);
    let folder = folder();
    fetch("svhn", folder.path(), &mirror)
        .refused(&format!("{mirror}/train_32x32.mat: the server answered 404"));
    assert_eq!(files(folder.path()), [""; 0]);
    let ran = fetch("svhn", folder.path(), "no address");
    assert_eq!(ran.stderr.lines().count(), 1, "asking again cannot help: {}", ran.stderr);
    ran.refused("no address/train_32x32.mat: ");
}

#[test]
fn a_file_of_that_name_is_kept() {
    let mirror = serve(|_| None);
    let folder = folder();
    let own: PathBuf = folder.path().join("kmnist");
    std::fs::create_dir(&own).unwrap();
    let path = file(&own, "train-images-idx3-ubyte.gz", "mine");
    fetch("kmnist", folder.path(), &mirror).refused("the file was kept as it is");
    assert_eq!(std::fs::read(path).unwrap(), b"mine");
}
