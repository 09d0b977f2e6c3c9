//! Automation: `cargo xtask golden DIR` checks the formulas against a folder of reference values.

mod golden;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask golden DIR\n\n  \
golden DIR   run every case of DIR/manifest.json whose group is implemented; a line a failure, then\n               \
`golden: N passed, M failed, K skipped`; exits with 1 on a failure";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["golden", dir] => golden::run(Path::new(dir)),
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("error: expected `golden DIR`, found `{}`\n\n{USAGE}", words.join(" "));
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
