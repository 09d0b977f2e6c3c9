//! Automation: `cargo xtask golden DIR` checks the formulas against a folder of reference values,
//! `cargo xtask bench-peers` times a step beside other people's libraries, and `cargo xtask few-steps` sets
//! schemes and step sizes beside each other.

mod few_steps;
mod golden;
mod machine;
mod peers;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask golden DIR\n       \
cargo xtask bench-peers [--quick] [--out DIR] [--python PROGRAM] [--threads N] [--force]\n       \
cargo xtask few-steps [--quick] [--out DIR] [--force]\n\n  \
golden DIR   run every case of DIR/manifest.json whose group is implemented; a line a failure, then\n               \
`golden: N passed, M failed, K skipped`; exits with 1 on a failure\n  \
bench-peers  time our step, then JAX, POT and numpy from PyPI in a throwaway environment, then ours again;\n               \
writes DIR/bench-ARCH-CORESc.json and .md (DIR is `results` unless given) and replaces\n               \
them with --force only; --quick: small sizes, in files that end in -quick\n  \
few-steps    flow rings, drawn characters and images with every scheme, and write DIR/few-steps.json, .md and\n               \
.png: W_W2^2 to the target against steps and seconds; images only where the data are found";

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["golden", dir] => golden::run(Path::new(dir)),
        ["bench-peers", ref options @ ..] => {
            peers::Options::parse(options).and_then(|options| peers::run(&options)).map(|()| true)
        }
        ["few-steps", ref options @ ..] => few_steps::run(options).map(|()| true),
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!(
                "error: expected `golden DIR`, `bench-peers` or `few-steps`, found `{}`\n\n{USAGE}",
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
