//! `wowflow pairwise` from end to end: the matrix, its pictures, and going on after a kill or Ctrl-C.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Ran, file, folder, json as read_json, program, run, tree};

const FOUR: [&str; 4] = ["glyphs:digits:6", "glyphs:digits:4", "glyphs:letters:5", "noise:28x28:3"];

/// Slow enough to be stopped in, for 21 pairs.
const SLOW: &str = "glyphs:digits:30 glyphs:digits:31 glyphs:letters:32 glyphs:letters:33 glyphs:digits:34 \
    noise:28x28:40 glyphs:letters:36 --method s-otdd --directions 3000";

fn pairwise(datasets: &[&str], more: &str, out: &Path) -> Ran {
    let words = ["pairwise"].into_iter().chain(datasets.iter().copied()).chain(more.split_whitespace());
    run(words.map(OsStr::new).chain(["--out".as_ref(), out.as_os_str()]))
}

fn resume(out: &Path) -> Ran {
    run(["pairwise".as_ref(), "--resume".as_ref(), out.as_os_str()])
}

#[test]
fn the_matrix_holds_the_distances_and_the_pictures_open() {
    let folder = folder();
    for method in ["wow", "otdd", "sw"] {
        let out = folder.path().join(method);
        let ran = pairwise(&FOUR, &format!("--json --method {method}"), &out).ok();
        let names = "config.json distances.csv distances.json heatmap.png map.png pairs.jsonl provenance.json \
            summary.json";
        assert_eq!(tree(&out), names.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>());
        let table = read_json(out.join("distances.json"));
        assert_eq!(table["names"], json!(FOUR));
        let values: Vec<Vec<f64>> = serde_json::from_value(table["values"].clone()).unwrap();
        for (i, left) in FOUR.iter().enumerate() {
            assert_eq!(values[i][i], 0.0);
            for (j, right) in FOUR.iter().enumerate().skip(i + 1) {
                assert_eq!(values[i][j], values[j][i]);
                let alone = run(["distance", left, right, "--json", "--method", method]).ok().json();
                assert_eq!(alone["value"].as_f64(), Some(values[i][j]), "{left} {right}");
                assert_eq!(alone["power"], table["powers"][i][j]);
                assert_eq!(alone["certainty"], table["certainty"][i][j]);
                assert!(table["seconds"][i][j].as_f64() > Some(0.0));
            }
        }
        let text = fs::read_to_string(out.join("distances.csv")).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next().unwrap(), format!("dataset,{}", FOUR.join(",")));
        for (row, (line, name)) in lines.zip(FOUR).enumerate() {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells[0], name);
            let found: Vec<f64> = cells[1..].iter().map(|cell| cell.parse().unwrap()).collect();
            assert_eq!(found, values[row]);
        }
        for picture in ["heatmap.png", "map.png"] {
            assert!(image::open(out.join(picture)).unwrap().width() > 300);
        }
        let summary = read_json(out.join("summary.json"));
        assert_eq!((summary["pairs"].as_u64(), summary["datasets"].as_u64()), (Some(6), Some(4)));
        assert_eq!(ran.json()["distances"]["values"], table["values"]);
        // Two draws of the same digits are nearest.
        assert_eq!(summary["nearest"], json!([FOUR[0], FOUR[1]]), "{method}");
        let provenance = read_json(out.join("provenance.json"));
        assert_eq!(provenance["datasets"].as_array().unwrap().len(), 4);
        assert_eq!(read_json(out.join("config.json"))["datasets"], json!(FOUR));
        assert_eq!(fs::read_to_string(out.join("pairs.jsonl")).unwrap().lines().count(), 6);
        resume(&out).refused("expected an unfinished run, found ");
        pairwise(&FOUR, "", &out).refused("with content: choose another folder, or remove it");
    }
}

#[test]
fn names_with_commas_are_quoted_and_two_datasets_are_enough() {
    let folder = folder();
    let odd = file(folder.path(), "a,\"b\".csv", "1,2,x\n2,3,x\n5,5,y\n");
    let out = folder.path().join("run");
    pairwise(&[&odd, "rings:5"], "", &out).ok();
    let text = fs::read_to_string(out.join("distances.csv")).unwrap();
    let quoted = format!("\"{}\"", odd.replace('"', "\"\""));
    assert_eq!(text.lines().next().unwrap(), format!("dataset,{quoted},rings:5"));
    assert!(text.lines().nth(1).unwrap().starts_with(&format!("{quoted},0,")));
}

#[test]
fn what_makes_no_matrix_is_refused_and_leaves_no_trace() {
    let folder = folder();
    let out = folder.path().join("run");
    for (datasets, more, message) in [
        (&["rings:5"][..], "", "expected two or more datasets, found 1"),
        (&["rings:5", "moons:5", "rings:5"], "", "expected every dataset once, found rings:5 twice"),
        (&["rings:5", "moons:5", "noise:3:5"], "", "found 2 (rings:5) and 3 (noise:3:5)"),
        (
            &["rings:5", "moons:5"],
            "--method mmd-sw --kernel imq",
            "expected a bandwidth, one kernel for all pairs",
        ),
        (&["rings:5", "moons:5"], "--moments 5", "expected moments with the method s-otdd only"),
        (&["rings:5", "moons:20000", "rings:20000"], "--method hipm", "take fewer samples a class"),
    ] {
        pairwise(datasets, more, &out).refused(message);
        assert!(!out.exists(), "{message}");
    }
    assert_eq!(run(["pairwise"]).code, Some(2));
    for option in ["--method wow", "--seed 1", "--out x", "--sample 3", "--grey"] {
        let ran = run(["pairwise", "--resume", "somewhere"].into_iter().chain(option.split(' ')));
        assert_eq!(ran.code, Some(2), "{option}");
        assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
    }
    assert_eq!(run(["pairwise", "rings:5", "--resume", "somewhere"]).code, Some(2));
}

/// Starts the slow run and returns when some pairs are finished.
fn started(out: &Path) -> Child {
    let mut command = program();
    command.arg("pairwise").args(SLOW.split_whitespace()).arg("--out").arg(out);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let since = Instant::now();
    let finished = || fs::read_to_string(out.join("pairs.jsonl")).map_or(0, |text| text.lines().count());
    while finished() < 3 {
        assert_eq!(child.try_wait().unwrap(), None, "the program ended too soon");
        assert!(since.elapsed() < Duration::from_secs(60), "the program does not get there");
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

/// Goes on with a stopped run, and compares all but the clock with one that was not stopped.
fn assert_goes_on(out: &Path) {
    let before = fs::read_to_string(out.join("pairs.jsonl")).unwrap();
    assert!(before.lines().count() < 21 && !out.join("summary.json").exists());
    let said = resume(out).ok().stdout;
    assert!(said.contains(" of them are there"), "{said}");
    let whole = out.with_extension("whole");
    run(["pairwise"]
        .into_iter()
        .chain(SLOW.split_whitespace())
        .map(OsStr::new)
        .chain(["--out".as_ref(), whole.as_os_str()]))
    .ok();
    assert_eq!(tree(out), tree(&whole));
    for name in ["distances.csv", "heatmap.png", "map.png", "config.json"] {
        assert!(fs::read(out.join(name)).unwrap() == fs::read(whole.join(name)).unwrap(), "{name} differs");
    }
    let table = |out: &Path| -> Value {
        let mut table = read_json(out.join("distances.json"));
        table["seconds"].take();
        table
    };
    assert_eq!(table(out), table(&whole));
    // Finished pairs were kept, not computed again.
    let after = fs::read_to_string(out.join("pairs.jsonl")).unwrap();
    assert!(after.starts_with(&before[..=before.rfind('\n').unwrap()]));
}

#[test]
fn a_killed_run_goes_on_to_the_same_bits() {
    let folder = folder();
    let out = folder.path().join("run");
    let mut child = started(&out);
    child.kill().unwrap();
    child.wait().unwrap();
    // As a kill in the middle of a line leaves it, and in the middle of writing a file.
    let path = out.join("pairs.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let whole = &text[..=text.trim_end().rfind('\n').unwrap()];
    fs::write(&path, &text[..whole.len() + 20]).unwrap();
    file(&out, ".wowflow-a1B2c3.tmp", "half");
    assert_goes_on(&out);
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_finished_pairs() {
    let folder = folder();
    let out = folder.path().join("run");
    let child = started(&out);
    // Meanwhile nobody else works there.
    resume(&out).refused("found another wowflow at work there");
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let since = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(since.elapsed() < Duration::from_secs(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    let words = format!(
        "interrupted; finished pairs are kept; go on with: wowflow pairwise --resume {}",
        out.display()
    );
    assert_eq!(said.lines().last(), Some(words.as_str()));
    assert_goes_on(&out);
}

#[test]
fn changed_data_or_configuration_is_noticed() {
    let folder = folder();
    let csv = "1,2,a\n2,3,a\n0,1,b\n4,4,b\n";
    let points = file(folder.path(), "points.csv", csv);
    let out = folder.path().join("run");
    pairwise(&[&points, "rings:5", "moons:4"], "", &out).ok();
    fs::remove_file(out.join("summary.json")).unwrap();
    let pairs = fs::read_to_string(out.join("pairs.jsonl")).unwrap();

    file(folder.path(), "points.csv", csv.replace("4,4", "4,5"));
    resume(&out).refused("the data has changed");
    file(folder.path(), "points.csv", csv);
    let config = fs::read_to_string(out.join("config.json")).unwrap();
    fs::write(out.join("config.json"), config.replace("\"seed\": 0", "\"seed\": 1")).unwrap();
    resume(&out).refused("found another in config.json");
    fs::write(out.join("config.json"), config).unwrap();
    fs::write(out.join("pairs.jsonl"), pairs.replace("\"right\":2", "\"right\":3")).unwrap();
    resume(&out).refused("expected line 2 as the run wrote it in ");
    fs::write(out.join("pairs.jsonl"), pairs).unwrap();
    resume(&out).ok();

    let flow = folder.path().join("flow");
    run([
        "flow",
        "--source",
        "rings:3",
        "--target",
        "rings:4",
        "--steps",
        "1",
        "--out",
        flow.to_str().unwrap(),
    ])
    .ok();
    resume(&flow).refused("expected the configuration of a comparison in ");
    run(["flow".as_ref(), "--resume".as_ref(), out.as_os_str()])
        .refused("expected the configuration of a flow in ");
    resume(&folder.path().join("missing"))
        .refused("expected a run directory with config.json, found none at");
}
