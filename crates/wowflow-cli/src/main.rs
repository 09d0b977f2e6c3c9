//! The `wowflow` program: thin; it parses, dispatches and prints errors.

mod args;
mod commands;
mod console;
mod interrupt;
mod memory;
mod program;
mod progress;
mod signals;
mod tell;
mod watch;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use wowflow_study::StudyError;

use args::{Args, Command};
use console::{Console, one_line, short};

/// How a command ended, short of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ExitStatus {
    /// It did what was asked.
    Done,
    /// It was interrupted and saved its state.
    Interrupted,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Done => Self::SUCCESS,
            // As shells report a program ended by SIGINT.
            ExitStatus::Interrupted => Self::from(130),
        }
    }
}

fn main() -> ExitCode {
    signals::settle();
    keep_panics_short();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let command = args.command.name();
    match run(args) {
        Ok(status) => ended(status.into()),
        Err(error) => fail(&hint(&error, command)),
    }
}

/// A fault of the program takes one line, too, unless its trace is asked for.
fn keep_panics_short() {
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|fault| {
            let fault = one_line(&format!("a fault of the program, please report it: {fault}"));
            let _ = writeln!(io::stderr(), "error: {fault}");
        }));
    }
}

/// Says what went wrong.
fn fail(error: &str) -> ExitCode {
    // Standard error may be closed; the exit code still tells.
    let _ = writeln!(io::stderr(), "error: {}", one_line(error));
    ExitCode::FAILURE
}

/// The code of a program that ends, unless what it said is lost.
fn ended(code: ExitCode) -> ExitCode {
    match console::refused() {
        Some(error) => fail(&format!("cannot write to standard output: {error}")),
        None => code,
    }
}

/// Shows help or the version, or what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        console::put_by(|| error.print());
        return ended(ExitCode::SUCCESS);
    }
    // The same error about the same arguments, as they can be shown.
    let shown = std::env::args_os().map(|arg| short(&arg.to_string_lossy()));
    let told = match Args::try_parse_from(shown) {
        Err(clean) if clean.kind() == error.kind() => clean.print(),
        _ => writeln!(io::stderr(), "{}", one_line(&error.render().to_string())),
    };
    // Standard error may be closed; the exit code still tells.
    let _ = told;
    // As clap ends.
    ExitCode::from(2)
}

/// What went wrong; where a run is kept, how to go on with it.
fn hint(error: &anyhow::Error, command: &str) -> String {
    match error.downcast_ref::<StudyError>() {
        Some(StudyError::Unfinished { what, folder, error }) => {
            format!("{what}; go on with: wowflow {command} --resume {}: {error}", folder.display())
        }
        _ => format!("{error:#}"),
    }
}

fn run(mut args: Args) -> anyhow::Result<ExitStatus> {
    args.command.name_images()?;
    match args.command {
        Command::Flow(args) => commands::flow::run(&args, &Console::new(args.common.json)),
        Command::Distance(args) => commands::distance::run(&args, &Console::new(args.common.json)),
        Command::Pairwise(args) => commands::pairwise::run(&args, &Console::new(args.common.json)),
        Command::Agreement(args) => commands::agreement::run(&args, &Console::new(args.common.json)),
        #[cfg(feature = "learn")]
        Command::Adapt(args) => {
            commands::learn::adapt(&args, &Console::new(args.pair.experiment.common.json))
        }
        #[cfg(feature = "learn")]
        Command::Transfer(args) => {
            commands::learn::transfer(&args, &Console::new(args.pair.experiment.common.json))
        }
        #[cfg(feature = "learn")]
        Command::Distill(args) => commands::learn::distill(&args, &Console::new(args.experiment.common.json)),
        #[cfg(feature = "learn")]
        Command::Reproduce(args) => commands::reproduce::run(&args, &Console::new(args.common.json)),
        #[cfg(not(feature = "learn"))]
        Command::Adapt(_) | Command::Transfer(_) | Command::Distill(_) | Command::Reproduce(_) => {
            anyhow::bail!(
                "expected a program built with the feature learn, found one without: build it with default features"
            )
        }
        Command::Rings(args) => commands::rings::run(&args, &Console::new(args.json)),
        Command::Info(args) => commands::info::run(&args, &Console::new(args.json)),
        Command::Fetch(args) => commands::fetch::run(&args, &Console::new(args.json)),
        Command::Geodesic(args) => commands::geodesic::run(&args, &Console::new(args.exact.common.json)),
        Command::Barycenter(args) => commands::barycenter::run(&args, &Console::new(args.exact.common.json)),
    }
}
