//! Our step beside other people's libraries: what is run in which order, and the files that keep the result.

pub(crate) mod lookup;
mod numbers;
pub(crate) mod process;
pub(crate) mod record;
mod table;
mod transport;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::machine;
use process::{Environment, Pace, Peer};

/// A sliced distance of image-like classes (n, m, d, L), for which POT is timed in any case.
const IMAGES: [u64; 4] = [500, 500, 784, 500];

/// What was typed after `bench-peers`.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    quick: bool,
    force: bool,
    /// PyTorch is installed for geomloss.
    torch: bool,
    out: PathBuf,
    python: String,
    /// As our bench has it when not given.
    threads: Option<usize>,
}

impl Options {
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self {
            quick: false,
            force: false,
            torch: false,
            out: PathBuf::from("results"),
            python: "python3".to_owned(),
            threads: None,
        };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let mut value = || words.next().with_context(|| format!("expected a value after `{word}`"));
            match word {
                "--quick" => options.quick = true,
                "--force" => options.force = true,
                "--torch" => options.torch = true,
                "--out" => options.out = PathBuf::from(value()?),
                "--python" => options.python = (*value()?).to_owned(),
                "--threads" => {
                    let text = value()?;
                    let threads = text.parse().ok().filter(|&threads| threads > 0);
                    options.threads =
                        Some(threads.with_context(|| {
                            format!("expected a positive number of threads, found `{text}`")
                        })?);
                }
                _ => bail!(
                    "expected --quick, --out, --python, --threads, --torch or --force after `bench-peers`, found `{word}`"
                ),
            }
        }
        Ok(options)
    }
}

/// Measures ours, the peers, and ours again; writes both files.
pub(crate) fn run(options: &Options) -> Result<()> {
    let head = machine::head();
    let files = files(options, &head)?;
    let environment = Environment::create(&options.python, options.torch)?;
    let pace = if options.quick { Pace::Quick } else { Pace::Whole };

    let first = process::ours(pace, options.threads, Some(&environment.data()))?;
    let mut sizes = record::Sizes::of(&first).context("in what our benches wrote")?;
    if !options.quick && !sizes.distances.contains(&IMAGES.to_vec()) {
        sizes.distances.push(IMAGES.to_vec());
    }
    // As many threads as ours says that it used.
    let threads = lookup::whole(&first, "/threads").context("in what our benches wrote")?;
    let mut peers = Vec::new();
    for peer in Peer::ALL {
        peers.push((peer, environment.measure(peer, sizes.of_peer(peer), threads, options.quick)?));
    }
    let second = process::ours(pace, options.threads, None)?;

    let record = record::merge(head, options.quick, &[first, second], peers)?;
    // First what was measured, so that nothing is lost when a table cannot be made of it.
    write(&files[0], &(serde_json::to_string_pretty(&record)? + "\n"))?;
    let table = table::render(&record).with_context(|| format!("no table of {}", files[0].display()))?;
    write(&files[1], &table)?;
    println!("{table}");
    println!("{}\n{}", files[0].display(), files[1].display());
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    wowflow_data::atomic::write(path, |file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The kind of machine, as results are named by it: `x86_64-2c`.
pub(crate) fn kind(head: &Value) -> Result<String> {
    let (arch, cores) = (lookup::text(head, "/machine/arch")?, lookup::whole(head, "/machine/cores")?);
    Ok(format!("{arch}-{cores}c"))
}

/// The JSON file and the table, in a folder that exists; an error when one is there already and may not be replaced.
fn files(options: &Options, head: &Value) -> Result<[PathBuf; 2]> {
    let name = kind(head)?;
    let quick = if options.quick { "-quick" } else { "" };
    std::fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot create {}", options.out.display()))?;
    let files = ["json", "md"].map(|end| options.out.join(format!("bench-{name}{quick}.{end}")));
    for file in &files {
        let free = options.force || !file.exists();
        ensure!(free, "{} exists: expected --force, or another --out", file.display());
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_wrong_ones_named() {
        let typed =
            ["--quick", "--out", "there", "--python", "python3.12", "--threads", "4", "--force", "--torch"];
        let expected = Options {
            quick: true,
            force: true,
            torch: true,
            out: "there".into(),
            python: "python3.12".to_owned(),
            threads: Some(4),
        };
        assert_eq!(Options::parse(&typed).expect("all known"), expected);
        for (typed, named) in [
            (vec!["--fast"], "found `--fast`"),
            (vec!["--out"], "after `--out`"),
            (vec!["--threads", "0"], "found `0`"),
        ] {
            let message = Options::parse(&typed).expect_err("wrong").to_string();
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn existing_results_are_kept_unless_forced() {
        let out = std::env::temp_dir().join(format!("wowflow-xtask-files-{}", std::process::id()));
        let mut options = Options::parse(&["--out", out.to_str().expect("text")]).expect("known");
        let head = serde_json::json!({"machine": {"arch": "x86_64", "cores": 2}});
        let [json, table] = files(&options, &head).expect("nothing there");
        assert!(json.ends_with("bench-x86_64-2c.json") && table.ends_with("bench-x86_64-2c.md"));
        std::fs::write(&table, "old").expect("written");
        let message = files(&options, &head).expect_err("there").to_string();
        assert!(message.contains("bench-x86_64-2c.md exists"), "{message}");
        options.force = true;
        assert!(files(&options, &head).is_ok());
        std::fs::remove_dir_all(out).expect("removed");
    }
}
