//! What must not be lost or broken: runs side by side, a full disk, signals, killed runs, odd names.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Ran, SMALL, file, flow, folder, program, run, tree};

const GEODESIC: [&str; 7] = ["geodesic", "rings:source:4", "rings:4", "--times", "2", "--threads", "1"];

/// Runs the same command several times at once.
fn together(count: usize, args: &[&str], place: &Path) -> Vec<Ran> {
    let start = |_| {
        let mut command = program();
        command.args(args).current_dir(place).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..count).map(start).collect();
    children.into_iter().map(|child| child.wait_with_output().unwrap().into()).collect()
}

#[test]
fn of_runs_into_one_folder_one_wins_and_the_others_touch_nothing() {
    for round in 0..12 {
        let folder = folder();
        // A folder that is there and empty is claimed in the same way.
        if round % 2 == 1 {
            fs::create_dir(folder.path().join("o")).unwrap();
        }
        let (won, lost): (Vec<Ran>, Vec<Ran>) =
            together(4, &[&GEODESIC[..], &["--out", "o"]].concat(), folder.path())
                .into_iter()
                .partition(|ran| ran.code == Some(0));
        assert_eq!((won.len(), lost.len()), (1, 3), "{lost:?}");
        for ran in lost {
            assert!(ran.stderr.contains("expected"), "{}", ran.stderr);
        }
        let found = tree(&folder.path().join("o"));
        for name in ["config.json", "provenance.json", "summary.json", "classes.png"] {
            assert!(found.contains(name), "{found:?}");
        }
        assert!(found.iter().all(|name| !name.ends_with(".tmp")), "{found:?}");
    }
}

#[test]
fn runs_side_by_side_get_names_of_their_own() {
    let folder = folder();
    for args in [&GEODESIC[..], &["info", "glyphs:digits:2"], &["pairwise", "rings:4", "rings:source:4"]] {
        together(4, args, folder.path()).into_iter().for_each(|ran| drop(ran.ok()));
    }
    let runs = tree(&folder.path().join("runs"));
    for name in ["rings-source-4-to-rings-4-geodesic", "glyphs-digits-2", "pairwise"] {
        let end = if name.starts_with("glyphs") { ".png" } else { "" };
        for number in ["", "-2", "-3", "-4"] {
            assert!(runs.contains(&format!("{name}{number}{end}")), "{runs:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let commands = [
        &["info", "rings:4", "--no-sheet"][..],
        &["info", "rings:4", "--no-sheet", "--json"],
        &["distance", "rings:4", "rings:source:4"],
        &["help"],
        &["help", "flow"],
        &["--version"],
        #[cfg(feature = "learn")]
        &["reproduce", "--list"],
    ];
    for args in commands {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran: Ran = program().args(args).stdout(full).output().unwrap().into();
        assert_eq!(ran.code, Some(1), "{args:?}");
        assert!(ran.stderr.contains("error: cannot write to standard output: "), "{}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_nothing() {
    let folder = folder();
    let out = folder.path().join("o");
    for args in [&["help"][..], &[&GEODESIC[..], &["--out", out.to_str().unwrap()]].concat()] {
        let mut child = program().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    }
    assert!(out.join("summary.json").exists());
}

/// A folder of one image a class.
fn images(place: &Path) {
    let mut picture = image::GrayImage::new(3, 3);
    for (class, value) in [("ant", 10), ("bee", 200)] {
        fs::create_dir_all(place.join(class)).unwrap();
        picture.put_pixel(1, 1, image::Luma([value]));
        picture.save(place.join(class).join("0.png")).unwrap();
    }
}

#[test]
fn nothing_is_written_unasked_into_a_dataset() {
    let folder = folder();
    let data = folder.path().join("data");
    images(&data);
    let before = tree(&data);
    let run = |args: &[&str]| -> Ran { program().args(args).current_dir(&data).output().unwrap().into() };
    for name in [".", "../data", "./"] {
        let said = run(&["info", name]).ok().stdout;
        assert!(said.contains("choose a place with --sheet"), "{said}");
    }
    let commands = [
        &["flow", "--source", ".", "--target", "noise:3x3"][..],
        &["flow", "--source", "noise:3x3", "--target", "../data"],
        &["geodesic", ".", "noise:3x3"],
        &["barycenter", "noise:3x3", "."],
        &["pairwise", ".", "noise:3x3"],
        #[cfg(feature = "learn")]
        &["adapt", "--source", ".", "--target", "noise:3x3"],
        #[cfg(feature = "learn")]
        &["transfer", "--source", "noise:3x3", "--target", "."],
        #[cfg(feature = "learn")]
        &["distill", "."],
    ];
    for args in commands {
        run(args).refused("found it inside: choose one with --out");
    }
    file(&data.join(".."), "a.toml", AGREEMENT);
    run(&["agreement", "../a.toml"]).refused("choose one with --out");
    assert_eq!(tree(&data), before);
    run(&["info", ".", "--sheet", "../sheet.png"]).ok();
    assert!(folder.path().join("sheet.png").exists());
}

#[test]
fn nothing_is_written_into_a_dataset_where_that_is_asked_for_either() {
    let folder = folder();
    let data = folder.path().join("data");
    images(&data);
    #[cfg(unix)]
    std::os::unix::fs::symlink("data", folder.path().join("link")).unwrap();
    let before = tree(&data);
    let run =
        |args: &[&str]| -> Ran { program().args(args).current_dir(folder.path()).output().unwrap().into() };
    let noise = "noise:3x3:2";
    for args in [
        &["flow", "data", noise, "--out", "data/run"][..],
        &["flow", noise, "data", "--out", "./data/new/run"],
        &["geodesic", "data", noise, "--out", "data/way"],
        &["barycenter", noise, "./data", "--out", "data/ant/mean"],
        &["pairwise", "data", noise, "--out", "data/ant/../pairs"],
        #[cfg(unix)]
        &["flow", "data", noise, "--out", "link/run"],
        #[cfg(unix)]
        &["flow", "link", noise, "--out", "data/run"],
        #[cfg(feature = "learn")]
        &["distill", "data", "--out", "data/few"],
    ] {
        run(args).refused("inside: choose another place");
    }
    run(&["info", "data", "--sheet", "data/sheet.png"]).fails("inside: choose another place");
    assert_eq!(tree(&data), before);
    // Beside it, and in a folder whose name only begins alike.
    run(&["flow", "data", noise, "--steps", "1", "--out", "data-run"]).ok();
    assert!(folder.path().join("data-run/summary.json").exists());
}

const AGREEMENT: &str = "title = \"two\"\ndatasets = [\".\", \"noise:3x3\"]\nreferences = [\"wow\"]\n\
    [pairs]\ncount = 3\nclasses = [1, 1]\nsamples = 1\nsame-set = \"never\"\n[[methods]]\nmethod = \"wow\"\n[[methods]]\nmethod = \"w2\"\n";

#[test]
fn names_without_letters_give_a_name_to_results() {
    let folder = folder();
    file(folder.path(), "日本", "x,y,label\n1,2,a\n3,4,b\n");
    let mut command = program();
    let ran: Ran = command.args(["info", "日本"]).current_dir(folder.path()).output().unwrap().into();
    assert!(ran.ok().stdout.ends_with("open runs/unnamed.png\n"));
}

#[test]
fn what_commands_a_terminal_is_escaped() {
    let folder = folder();
    let table = "x,y,label\n1,2,a/b\n3,4,..\n5,6,\"a\nb\"\n7,8,\"\x1b[2Jx\"\n9,1,\"c\u{202e}\"\n";
    let path = file(folder.path(), "e\x1b[31m\n.csv", table);
    let plain = |text: &str| text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}');
    for args in [
        &["info", &path, "--no-sheet"][..],
        &["info", &path, "--no-sheet", "--json"],
        &["distance", &path, &path],
        &["info", "no\x1b[31m\nfile"],
        &["no\x1b[31m\ncommand"],
        &["info", &path, "--no\x1b[31m\noption"],
    ] {
        let ran = run(args);
        assert!(plain(&ran.stdout) && plain(&ran.stderr), "{:?}{:?}", ran.stdout, ran.stderr);
        assert!(!ran.stderr.contains("no\nfile") && !ran.stderr.contains("\ncommand"), "{}", ran.stderr);
    }
    let said = run(["info", &path, "--no-sheet"]).ok().stdout;
    assert!(said.contains(r"  \u{1b}[2Jx") && said.contains(r"  a\nb"), "{said}");
    // What programs read is what is there.
    let labels = run(["info", &path, "--no-sheet", "--json"]).ok().json()["classes"].to_string();
    assert!(labels.contains(r"\u001b[2Jx"), "{labels}");
}

#[test]
fn long_labels_and_errors_are_cut() {
    let folder = folder();
    let long = "L".repeat(70_000);
    let path = file(folder.path(), "long.csv", format!("x,y,label\n1,2,{long}\n3,4,b\n"));
    for args in [&["info", &path, "--no-sheet"][..], &["distance", &path, &path]] {
        let said = run(args).ok().stdout;
        assert!(said.lines().all(|line| line.chars().count() < 300), "{said}");
        assert!(said.contains("LLL ... LLL"), "{said}");
    }
    for args in [&["info", &long[..9000]][..], &["info", &path, "--seed", &long], &[&long]] {
        let ran = run(args);
        assert!(ran.code == Some(1) || ran.code == Some(2));
        assert!(ran.stderr.chars().count() < 800, "{}", ran.stderr);
    }
}

/// Runs a shell script with the program in `$W`.
#[cfg(unix)]
pub(crate) fn shell(script: &str, place: &Path) -> Ran {
    let mut command = Command::new("bash");
    command.args(["-c", script]).env("W", env!("CARGO_BIN_EXE_wowflow")).current_dir(place);
    command.stdin(Stdio::null()).output().unwrap().into()
}

#[cfg(target_os = "linux")]
#[test]
fn ignored_signals_stay_ignored() {
    let folder = folder();
    for (round, signal) in ["INT", "HUP", "TERM"].into_iter().enumerate() {
        let flow = "flow --source glyphs:letters:6 --target glyphs:digits:5 --directions 64 --threads 1";
        let script = format!(
            "trap '' {signal}; $W {flow} --steps 200 --out o{round} & \
             until [ -e o{round}/metrics.jsonl ]; do sleep 0.01; done; kill -{signal} $!; wait $!"
        );
        shell(&script, folder.path()).ok();
        assert!(folder.path().join(format!("o{round}/summary.json")).exists());
    }
}

#[cfg(unix)]
#[test]
fn a_limit_of_file_sizes_is_an_error_and_leaves_nothing() {
    let folder = folder();
    let script = "ulimit -f 1; $W geodesic glyphs:letters:6 glyphs:digits:6 --times 2 --threads 1 --out o";
    shell(script, folder.path()).fails("cannot write o/");
    shell("ulimit -f 1; $W info glyphs:digits:9 --sheet s.png", folder.path()).fails("cannot write s.png");
    assert!(tree(folder.path()).is_empty(), "{:?}", tree(folder.path()));
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_threads_are_to_be_had_the_program_says_so() {
    let folder = folder();
    // Limits of processes do not hold for the superuser: memory for their stacks ends instead. Large ones leave room for
    // the threads that have started.
    let script = "ulimit -v 300000; export RAYON_NUM_THREADS=4000 RUST_MIN_STACK=50000000; \
                  $W distance rings:3 rings:source:3";
    shell(script, folder.path()).fails("error: cannot start the threads: ");
    shell(&format!("{script} --threads 1"), folder.path()).ok();
}

#[test]
fn what_a_killed_run_left_unfinished_is_taken_over() {
    let folder = folder();
    let out = folder.path().join("o");
    let command = [&GEODESIC[..], &["--out", out.to_str().unwrap()]].concat();
    // As a kill leaves it between two files.
    let leave = |names: &[&str]| {
        fs::create_dir(&out).unwrap();
        names.iter().for_each(|name| drop(file(&out, name, "{")));
    };
    leave(&[".wowflow-unfinished.tmp", ".wowflow-Ab3.tmp", "config.json", "interpolation-007.npz"]);
    run(&command).ok();
    let found = tree(&out);
    assert!(found.contains("summary.json") && !found.contains("interpolation-007.npz"), "{found:?}");
    assert!(found.iter().all(|name| !name.ends_with(".tmp")), "{found:?}");
    // What is finished stays, and so does what is not the program's.
    run(&command).refused("found ");
    fs::remove_dir_all(&out).unwrap();
    leave(&[".wowflow-unfinished.tmp", "config.json", "my notes.txt"]);
    run(&command).refused("with content: choose another folder, or remove it");
    assert_eq!(tree(&out).len(), 3);
}

#[cfg(unix)]
#[test]
fn a_geodesic_killed_at_any_time_can_be_asked_for_again() {
    use std::time::Duration;
    let folder = folder();
    let out = folder.path().join("o");
    let command = ["geodesic", "glyphs:letters:4", "glyphs:digits:4", "--times", "60", "--no-check"];
    let start = || {
        let mut started = program();
        started.args(command).args(["--threads", "1", "--out"]).arg(&out);
        started.stdout(Stdio::null()).spawn().unwrap()
    };
    for more in 0..4 {
        let mut child = start();
        while !out.exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(3 * more));
        child.kill().unwrap();
        child.wait().unwrap();
        if out.join("summary.json").exists() {
            break;
        }
    }
    let done = out.join("summary.json").exists();
    assert_eq!(start().wait().unwrap().success(), !done);
    assert!(out.join("summary.json").exists());
}

/// A change of a file of a run, and the file that the error names.
type Damage = (fn(&str) -> String, &'static str, &'static str);

#[test]
fn what_was_changed_in_a_run_is_not_gone_on_from() {
    let folder = folder();
    let whole = folder.path().join("whole");
    flow(&[&SMALL[..], &["--steps", "6", "--checkpoint-every", "4"]].concat(), &whole);
    fs::remove_file(whole.join("summary.json")).unwrap();
    let damage: [Damage; 6] = [
        (|text| text.replacen("\"steps\": 6", "\"steps\": 7", 1), "config.json", "config.json"),
        (|text| text.replacen("\"dim\": 784", "\"dim\":  784", 1), "frames/frames.json", ""),
        (|text| text.replacen("\"A\"", "\"E\"", 1), "frames/frames.json", "frames/frames.json"),
        (|text| text.replacen("\"value\":0.", "\"value\":1.", 1), "metrics.jsonl", "metrics.jsonl"),
        (|text| text.split_inclusive('\n').skip(1).collect(), "metrics.jsonl", "metrics.jsonl"),
        (|text| text.split_inclusive('\n').take(2).collect(), "metrics.jsonl", "metrics.jsonl"),
    ];
    let copy = |to: &Path| {
        for name in tree(&whole).iter().filter(|name| !name.ends_with(".png") && !name.ends_with(".gif")) {
            let (from, to) = (whole.join(name), to.join(name));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            if from.is_dir() {
                fs::create_dir_all(to).unwrap();
            } else {
                fs::copy(from, to).unwrap();
            }
        }
    };
    for (round, (change, name, named)) in damage.into_iter().enumerate() {
        let out = folder.path().join(round.to_string());
        copy(&out);
        let before = fs::read_to_string(out.join(name)).unwrap();
        assert_ne!(change(&before), before, "{name}");
        fs::write(out.join(name), change(&before)).unwrap();
        let ran = run(["flow".as_ref(), "--resume".as_ref(), out.as_os_str()]);
        match named {
            // Spaces change nothing.
            "" => drop(ran.ok()),
            named => ran.fails(named),
        }
    }
    for name in ["frames/step-00000002.npy", "frames/target.npy"] {
        let out = folder.path().join(format!("bits-{}", name.len()));
        copy(&out);
        let mut bytes = fs::read(out.join(name)).unwrap();
        let at = bytes.len() - 3;
        bytes[at] ^= 4;
        fs::write(out.join(name), bytes).unwrap();
        run(["flow".as_ref(), "--resume".as_ref(), out.as_os_str()]).fails(name);
    }
}

#[test]
fn a_configuration_changed_before_the_first_checkpoint_is_refused() {
    let folder = folder();
    let out = folder.path().join("o");
    flow(&[&SMALL[..], &["--steps", "2"]].concat(), &out);
    fs::remove_file(out.join("summary.json")).unwrap();
    fs::remove_file(out.join("checkpoints/step-00000002.npz")).unwrap();
    let config = fs::read_to_string(out.join("config.json")).unwrap();
    fs::write(out.join("config.json"), config.replacen("\"steps\": 2", "\"steps\": 3", 1)).unwrap();
    run(["flow".as_ref(), "--resume".as_ref(), out.as_os_str()]).fails("found another in config.json");
}

#[test]
fn numbers_beyond_all_bounds_are_refused() {
    let folder = folder();
    for (line, words) in [("count = 3", "found 9223372036854775807"), ("samples = 1", "error: ")] {
        let (key, _) = line.split_once(' ').unwrap();
        let text = AGREEMENT.replace(line, &format!("{key} = 9223372036854775807"));
        let path = file(folder.path(), "a.toml", text.replace("\".\"", "\"noise:2x2:3\""));
        run(["agreement", &path, "--out", folder.path().join("o").to_str().unwrap()]).fails(words);
    }
    assert!(!folder.path().join("o").exists());
}

#[cfg(feature = "learn")]
#[test]
fn tries_beyond_all_bounds_are_refused() {
    let most = u64::MAX.to_string();
    let args = ["transfer", "--source", "rings:30", "--target", "rings:source:30", "--tries", &most];
    run(args).refused("expected at most 1000000 tries, found 18446744073709551615");
}
