//! A run that was stopped and goes on equals one that was not, bit for bit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::support::{SMALL, assert_same_run, file, flow, folder, metrics, program, resealed, run, tree};

/// Steps enough to be interrupted in, few enough to be quick.
const STEPS: &str = "600";
const PATIENCE: Duration = Duration::from_secs(60);

/// The run that nobody interrupted, made once.
fn uninterrupted() -> &'static Path {
    static RUN: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, out) = RUN.get_or_init(|| {
        let folder = folder();
        let out = folder.path().join("run");
        flow(&[&SMALL[..], &["--steps", STEPS]].concat(), &out);
        (folder, out)
    });
    out
}

/// Starts the same run and returns once `ready` holds of its folder.
fn started(out: &Path, more: &[&str], ready: impl Fn(&Path) -> bool) -> Child {
    let mut command = program();
    command.args(SMALL).args(["--steps", STEPS, "--out"]).arg(out).args(more);
    wait_for(command, || ready(out))
}

/// Starts a program and returns once `ready` holds.
fn wait_for(mut command: Command, ready: impl Fn() -> bool) -> Child {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let since = Instant::now();
    while !ready() {
        assert_eq!(child.try_wait().unwrap(), None, "the program ended too soon");
        assert!(since.elapsed() < PATIENCE, "the program does not get there");
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

fn has_checkpoint(out: &Path) -> bool {
    checkpoints(out).iter().any(|name| name.ends_with(".npz"))
}

fn checkpoints(out: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(out.join("checkpoints")) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn resume(out: &Path) {
    run(["flow".as_ref(), "--resume".as_ref(), out.as_os_str()]).ok();
    assert_same_run(uninterrupted(), out);
    let odd = tree(out).into_iter().filter(|name| name.ends_with(".tmp")).collect::<Vec<_>>();
    assert!(odd.is_empty(), "{odd:?}");
    assert_eq!(checkpoints(out), [format!("step-{STEPS:0>8}.npz")]);
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_writes_a_checkpoint_from_which_the_run_goes_on() {
    for name in ["INT", "TERM"] {
        let folder = folder();
        let out = folder.path().join("run");
        let child = started(&out, &["--checkpoint-every", "100000"], moving);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(130), "{said}");
        let line = said.lines().last().unwrap();
        let words = format!("; go on with: wowflow flow --resume {}", out.display());
        assert!(line.starts_with("interrupted at step ") && line.ends_with(&words), "{line}");
        assert!(!out.join("summary.json").exists() && !out.join("flowed.npz").exists());
        // The checkpoint is of the last state recorded.
        let last = metrics(&out).len() - 1;
        assert!(last < 600, "{last}");
        assert_eq!(checkpoints(&out), [format!("step-{last:08}.npz")]);
        resume(&out);
    }
}

/// Whether the flow is under way: some states are kept.
fn moving(out: &Path) -> bool {
    fs::read_dir(out.join("frames")).is_ok_and(|entries| entries.count() > 5)
}

#[cfg(unix)]
#[test]
fn ctrl_c_after_the_last_step_ends_at_once_and_loses_nothing() {
    let folder = folder();
    let (out, whole) = (folder.path().join("run"), folder.path().join("whole"));
    // Classes so large that comparing them exactly takes a while.
    let args =
        ["flow", "--source", "glyphs:letters:150", "--target", "glyphs:digits:150", "--directions", "20"];
    let args = [&args[..], &["--steps", "1"]].concat();
    let mut command = program();
    command.args(&args).arg("--out").arg(&out);
    let child = wait_for(command, || out.join("checkpoints/step-00000001.npz").exists());
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let words =
        format!("interrupted after the last step; go on with: wowflow flow --resume {}", out.display());
    // It may have been asked to stop just before.
    assert!(said.lines().any(|line| line == words), "{said}");
    run(["flow".as_ref(), "--resume".as_ref(), out.as_os_str()]).ok();
    flow(&args, &whole);
    assert_same_run(&whole, &out);
}

#[test]
fn a_killed_run_goes_on_from_its_last_checkpoint() {
    let folder = folder();
    let out = folder.path().join("run");
    kill(started(&out, &["--checkpoint-every", "40"], has_checkpoint));
    assert!(!out.join("summary.json").exists());
    // As a kill in the middle of a line leaves it, and in the middle of writing a file.
    let path = out.join("metrics.jsonl");
    let mut text = fs::read(&path).unwrap();
    text.truncate(text.len() - 20);
    fs::write(&path, text).unwrap();
    for place in [".", "frames", "checkpoints"] {
        file(&out.join(place), ".wowflow-a1B2c3.tmp", "half");
    }
    resume(&out);
}

#[test]
fn a_run_killed_before_its_first_checkpoint_starts_again() {
    let folder = folder();
    let out = folder.path().join("run");
    kill(started(&out, &["--checkpoint-every", "100000"], moving));
    assert!(checkpoints(&out).is_empty());
    resume(&out);
}

#[test]
fn a_run_killed_while_it_was_finishing_is_finished() {
    let folder = folder();
    let out = folder.path().join("run");
    kill(started(&out, &[], |out| out.join("checkpoints/step-00000600.npz").exists()));
    resume(&out);
    // As if it had been killed between the summary and the pictures.
    let path = out.join("summary.json");
    resealed(&path, |summary| summary["pictures"] = serde_json::json!([]));
    fs::remove_file(out.join("loss.png")).unwrap();
    resume(&out);
}

#[test]
fn a_run_at_work_is_not_resumed_by_another_program() {
    if cfg!(windows) {
        return crate::support::skipping("folders cannot be claimed here");
    }
    let folder = folder();
    let out = folder.path().join("run");
    let child = started(&out, &[], moving);
    let second = run(["flow".as_ref(), "--resume".as_ref(), out.as_os_str()]);
    kill(child);
    second.refused("found another wowflow at work there");
    resume(&out);
}

#[test]
fn a_resumed_run_must_be_unfinished_and_a_run() {
    let folder = folder();
    let out = folder.path().join("run");
    flow(&[&SMALL[..], &["--steps", "1"]].concat(), &out);
    let before = tree(&out);
    let resume = |path: &Path| run(["flow".as_ref(), "--resume".as_ref(), path.as_os_str()]);
    resume(&out).refused("expected an unfinished run, found ");
    assert_eq!(tree(&out), before);

    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    resume(&empty).refused("expected a run directory with config.json, found none at ");
    resume(&folder.path().join("missing")).refused("expected a run directory with config.json");
    assert!(tree(&empty).is_empty());

    let rings = folder.path().join("rings");
    run(["rings", "--steps", "1", "--samples", "3", "--out", rings.to_str().unwrap()]).ok();
    resume(&rings).refused("expected the configuration of a flow in ");
}

#[test]
fn a_resumed_run_takes_its_options_from_the_folder() {
    for option in [["--steps", "5"], ["--kernel", "gaussian"], ["--seed", "1"], ["--out", "x"]] {
        let ran = run([&["flow", "--resume", "somewhere"], &option[..]].concat());
        assert_eq!(ran.code, Some(2), "{option:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn changed_data_or_configuration_is_noticed() {
    let folder = folder();
    let csv = |shift: f64| {
        let line =
            |i: i32| format!("{},{},{}\n", f64::from(i) / 2.0 + shift, i * i, if i < 20 { "a" } else { "b" });
        (0..40).map(line).collect::<String>()
    };
    let source = file(folder.path(), "source.csv", csv(0.0));
    let target = file(folder.path(), "target.csv", csv(5.0));
    let out = folder.path().join("run");
    let args = ["flow", "--source", &source, "--target", &target, "--steps", "40", "--checkpoint-every", "7"];
    flow(&args, &out);
    fs::remove_file(out.join("summary.json")).unwrap();
    let resume = || run(["flow", "--json", "--resume", out.to_str().unwrap()]);

    let changed = csv(0.0).replacen("a\n", "b\n", 1);
    file(folder.path(), "source.csv", changed);
    resume().refused("the data has changed");
    file(folder.path(), "source.csv", csv(0.0));

    let config = fs::read_to_string(out.join("config.json")).unwrap();
    fs::write(out.join("config.json"), config.replace("\"seed\": 0", "\"seed\": 1")).unwrap();
    resume().refused("expected the configuration that ");
    fs::write(out.join("config.json"), config.replace("\"directions\": 100", "\"directions\": 0")).unwrap();
    resume().refused("found");
    fs::write(out.join("config.json"), config).unwrap();
    resume().ok();
}

/// What was measured on the data is stored, and read back to the last bit.
#[test]
fn measured_step_sizes_survive_the_way_through_the_configuration() {
    let folder = folder();
    for seed in 0..8 {
        let out = folder.path().join(seed.to_string());
        let seed = seed.to_string();
        let args = ["flow", "--source", "rings:source:5", "--target", "rings:7", "--steps", "30"];
        flow(&[&args[..], &["--seed", &seed, "--kernel", "gaussian"]].concat(), &out);
        let (expected, bytes) = (metrics(&out), fs::read(out.join("flowed.npz")).unwrap());
        fs::remove_file(out.join("summary.json")).unwrap();
        fs::remove_file(out.join("flowed.npz")).unwrap();
        fs::remove_file(out.join("checkpoints/step-00000030.npz")).unwrap();
        run(["flow".as_ref(), "--resume".as_ref(), out.as_os_str()]).ok();
        assert_eq!(metrics(&out), expected);
        assert_eq!(fs::read(out.join("flowed.npz")).unwrap(), bytes);
    }
}

/// Every scheme's memory, the stopping rule's and the batches' go through a checkpoint.
#[cfg(unix)]
#[test]
fn every_scheme_goes_on_from_a_checkpoint_to_the_same_bits() {
    for options in [
        "--scheme nesterov --settle-every 70",
        "--scheme adam --target-batch 3",
        "--scheme lbfgs --kernel gaussian --step-size 0.001",
    ] {
        let folder = folder();
        let (out, whole) = (folder.path().join("run"), folder.path().join("whole"));
        let options: Vec<&str> = options.split(' ').chain(["--steps", "400"]).collect();
        let args = [&SMALL[..], &options].concat();
        let mut command = program();
        command.args(&args).arg("--out").arg(&out);
        let child = wait_for(command, || moving(&out));
        signal(&child, "INT");
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130), "{options:?} was not interrupted");
        run(["flow".as_ref(), "--resume".as_ref(), out.as_os_str()]).ok();
        // The option --checkpoint-every is left alone: both write the same configuration.
        flow(&args, &whole);
        assert_same_run(&whole, &out);
    }
}
