//! The help of every command, word by word: `snapshots/` has it as people see it in 100 columns.

use std::path::Path;
use std::process::Stdio;

use crate::snapshot::stable;
use crate::support::{Ran, program};

fn help(args: &[&str]) -> String {
    let mut command = program();
    let ran: Ran =
        command.args(args).arg("--help").env("COLUMNS", "100").stdin(Stdio::null()).output().unwrap().into();
    stable(&ran.ok().stdout, Path::new("no folder"), 3)
}

/// The commands that the help lists.
fn commands(help: &str) -> Vec<String> {
    let list =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Lines that go on with a description are indented further.
    let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_help_of_every_command() {
    let top = help(&[]);
    let commands = commands(&top);
    assert!(commands.len() > 10 && commands.contains(&"flow".to_owned()), "{commands:?}");
    insta::assert_snapshot!("help", top);
    for command in commands.iter().filter(|command| *command != "help") {
        insta::assert_snapshot!(format!("help-{command}"), help(&[command]));
    }
}
