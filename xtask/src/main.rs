//! Automation: `cargo xtask` with the name of a task; the usage below has them all.

mod ci;
mod few_steps;
mod gate;
mod golden;
mod layers;
mod machine;
mod peers;
mod supply;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask ci [CHECK...] [--list]\n       \
cargo xtask layers\n       \
cargo xtask lines\n       \
cargo xtask supply\n       \
cargo xtask golden DIR\n       \
cargo xtask bench-peers [--quick] [--out DIR] [--python PROGRAM] [--threads N] [--torch] [--force]\n       \
cargo xtask bench-gate [--tolerance TIMES] [--against FILE]\n       \
cargo xtask few-steps [--quick] [--out DIR] [--force]\n\n  \
ci           run every check, or those that are named; --list names them\n  \
layers       hold imports between crates and modules against xtask/layers.toml; a line a violation\n  \
lines        the lines of each crate outside tests, beside their limits\n  \
supply       hold sources, checksums, licences and system libraries of all dependencies against deny.toml\n  \
golden DIR   run every case of DIR/manifest.json; a line a failure, the groups that are skipped with the\n               \
reason, then `golden: N passed, M failed, K skipped`; exits with 1 on a failure\n  \
bench-peers  time our step and transport, then numpy, JAX, POT, SciPy, lapx and ott-jax from PyPI in a throwaway\n               \
environment (--torch: geomloss too, with 5 GB of PyTorch), then ours again;\n               \
writes DIR/bench-ARCH-CORESc.json and .md (DIR is `results` unless given) and replaces\n               \
them with --force only; --quick: small sizes, in files that end in -quick\n  \
bench-gate   time our benches in few rounds, and fail where a ratio (a step to its products, unequal classes to\n               \
equal ones, transport to a product) is 1.3 times worse, or --tolerance, than in\n               \
results/bench-ARCH-CORESc.json, or --against, in the better one of two tries\n  \
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
        ["ci", ref names @ ..] => ci::run(names),
        ["layers"] => layers::run(),
        ["lines"] => layers::print_lines(),
        ["supply"] => supply::run(),
        ["bench-peers", ref options @ ..] => {
            peers::Options::parse(options).and_then(|options| peers::run(&options)).map(|()| true)
        }
        ["bench-gate", ref options @ ..] => {
            gate::Options::parse(options).and_then(|options| gate::run(&options))
        }
        ["few-steps", ref options @ ..] => few_steps::run(options).map(|()| true),
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!(
                "error: expected ci, layers, lines, supply, golden DIR, bench-peers, bench-gate or few-steps, found `{}`\n\n{USAGE}",
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
