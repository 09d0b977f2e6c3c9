//! Automation: `cargo xtask golden DIR` checks the formulas against a folder of reference values, and
//! `cargo xtask bench-peers` times a step beside other people's libraries.

mod golden;
mod peers;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask golden DIR\n       \
cargo xtask bench-peers [--quick] [--out DIR] [--python PROGRAM] [--threads N] [--force]\n\n  \
golden DIR   run every case of DIR/manifest.json whose group is implemented; a line a failure, then\n               \
`golden: N passed, M failed, K skipped`; exits with 1 on a failure\n  \
bench-peers  time our step, then JAX, POT and numpy from PyPI in a throwaway environment, then ours again;\n               \
writes DIR/bench-ARCH-CORESc.json and .md (DIR is `results` unless given) and replaces\n               \
them with --force only; --quick: small sizes, in files that end in -quick";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["golden", dir] => golden::run(Path::new(dir)),
        ["bench-peers", ref options @ ..] => {
            peers::Options::parse(options).and_then(|options| peers::run(&options)).map(|()| true)
        }
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!(
                "error: expected `golden DIR` or `bench-peers`, found `{}`\n\n{USAGE}",
                words.join(" ")
            );
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
