//! How few steps are needed: schemes and step sizes side by side, by the program itself.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use wowflow_report::{AxisScale, LineChart, Picture, Series};
use wowflow_study::record::RunDir;

use crate::{machine, root};

/// A flow to be run by every contender: title, source, target, the published step and momentum, and a fixed
/// step chosen by hand.
struct Problem {
    title: &'static str,
    source: &'static str,
    target: &'static str,
    published: [&'static str; 2],
    by_hand: &'static str,
}

const PROBLEMS: [Problem; 4] = [
    Problem {
        title: "Three clouds to three rings, 80 a class",
        source: "rings:source:80",
        target: "rings:80",
        published: ["0.1", "0"],
        by_hand: "eta:0.2",
    },
    Problem {
        title: "Drawn letters to drawn digits, 100 a class",
        source: "glyphs:letters:100",
        target: "glyphs:digits:100",
        published: ["1", "0.9"],
        by_hand: "eta:0.16",
    },
    Problem {
        title: "MNIST to Fashion-MNIST, 200 a class",
        source: "mnist[train]:200",
        target: "fashion-mnist[train]:200",
        published: ["1", "0.9"],
        by_hand: "eta:0.16",
    },
    Problem {
        title: "Fashion-MNIST to MNIST, 200 a class",
        source: "fashion-mnist[train]:200",
        target: "mnist[train]:200",
        published: ["1", "0.9"],
        by_hand: "eta:0.16",
    },
];

/// Names of the contenders, the defaults first.
const CONTENDERS: [&str; 7] = [
    "adaptive (default)",
    "adaptive, f64",
    "adaptive, Nesterov",
    "fixed step by hand, cosine",
    "Adam",
    "L-BFGS, directions drawn once",
    "published setting",
];

fn options(contender: &str, problem: &Problem) -> Vec<&'static str> {
    let [tau, momentum] = problem.published;
    match contender {
        "adaptive, f64" => vec!["--precision", "f64"],
        "adaptive, Nesterov" => vec!["--scheme", "nesterov"],
        "fixed step by hand, cosine" => vec!["--step-size", problem.by_hand],
        "Adam" => vec!["--scheme", "adam"],
        "L-BFGS, directions drawn once" => vec!["--scheme", "lbfgs"],
        "published setting" => {
            let step = ["--step-size", tau, "--momentum", momentum, "--schedule", "constant"];
            [&step[..], &["--slicing", "gaussian", "--directions", "500"]].concat()
        }
        _ => Vec::new(),
    }
}

/// A curve: steps, seconds, `W_{W2}^2`.
type Curve = Vec<[f64; 3]>;

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let (mut quick, mut force, mut out) = (false, false, PathBuf::from("results"));
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word {
            "--quick" => quick = true,
            "--force" => force = true,
            "--out" => out = words.next().context("expected a folder after `--out`")?.into(),
            _ => bail!("expected --quick, --out or --force after `few-steps`, found `{word}`"),
        }
    }
    std::fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let end = if quick { "-quick" } else { "" };
    let files = ["json", "md", "png"].map(|kind| out.join(format!("few-steps{end}.{kind}")));
    for file in &files {
        ensure!(force || !file.exists(), "{} exists: expected --force, or another --out", file.display());
    }
    let program = build()?;
    let (steps, every) = if quick { ("20", "5") } else { ("300", "10") };
    let (mut charts, mut records, mut table) = (Vec::new(), Vec::new(), String::new());
    for problem in &PROBLEMS {
        let mut curves: Vec<(&str, Curve)> = Vec::new();
        for contender in CONTENDERS {
            let scratch = tempfile::tempdir()?;
            let folder = scratch.path().join("run");
            let mut command = Command::new(&program);
            command.current_dir(root()).args([
                "flow",
                "--source",
                problem.source,
                "--target",
                problem.target,
            ]);
            command.args(["--steps", steps, "--distance-every", every]).args(options(contender, problem));
            let ended = command.arg("--out").arg(&folder).output()?;
            let error = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
            if !ended.status.success() && error.contains("not found") {
                println!("skipped: {} ({error})", problem.title);
                break;
            }
            // A flow that diverged has a curve all the same.
            let curve = curve(&folder).with_context(|| format!("{}, {contender}: {error}", problem.title))?;
            let last = curve.last().map_or(f64::NAN, |at| at[2]);
            println!("{}, {contender}: {last:.4e}", problem.title);
            records.push(json!({
                "problem": problem.title,
                "contender": contender,
                "options": options(contender, problem),
                "columns": ["step", "seconds", "wow2"],
                "curve": curve,
                "error": if ended.status.success() { Value::Null } else { error.into() },
            }));
            curves.push((contender, curve));
        }
        if curves.is_empty() {
            continue;
        }
        charts.push(chart(problem.title, "steps", 0, &curves)?);
        charts.push(chart(problem.title, "seconds", 1, &curves)?);
        tabulate(&mut table, problem.title, &curves)?;
    }
    let record = json!({ "head": machine::head(), "quick": quick, "runs": records });
    save(&files[0], (serde_json::to_string_pretty(&record)? + "\n").as_bytes())?;
    save(&files[1], table.as_bytes())?;
    save(&files[2], &Picture::tiled(&charts, 2).to_png()?)?;
    println!("{table}\n{}", files[2].display());
    Ok(())
}

/// The program, built as users build it.
fn build() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).current_dir(root()).args(["build", "--release", "--locked"]).status()?;
    ensure!(built.success(), "expected the program to build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release").join(format!("wowflow{}", std::env::consts::EXE_SUFFIX)))
}

fn curve(folder: &Path) -> Result<Curve> {
    let metrics = RunDir::new(folder).read_metrics()?;
    let point = |record: &wowflow_study::record::MetricsRecord| {
        Some([record.step as f64, record.seconds, record.extra.get("wow2")?.as_f64()?])
    };
    Ok(metrics.iter().filter_map(point).collect())
}

fn chart(title: &str, x: &str, column: usize, curves: &[(&str, Curve)]) -> Result<Picture> {
    let series = curves.iter().map(|(name, curve)| Series {
        name: (*name).to_owned(),
        points: curve.iter().map(|at| (at[column], at[2])).collect(),
        ..Series::default()
    });
    let chart = LineChart {
        title: format!("{title}: exact W² against {x}"),
        x_label: x.into(),
        y_label: "W_{W2}²".into(),
        x_scale: AxisScale::Linear,
        y_scale: AxisScale::Log,
        series: series.collect(),
    };
    Ok(chart.draw()?)
}

/// Steps and seconds until shares of the first distance are left.
fn tabulate(table: &mut String, title: &str, curves: &[(&str, Curve)]) -> Result<()> {
    let shares = [0.5, 0.2, 0.1];
    let heads: Vec<String> =
        shares.iter().map(|share| format!("steps, seconds to {} %", 100.0 * share)).collect();
    writeln!(table, "| {title} | W² at the end | seconds | {} |", heads.join(" | "))?;
    writeln!(table, "| --- | --- | --- |{}", " --- |".repeat(shares.len()))?;
    for (name, curve) in curves {
        let (Some(first), Some(last)) = (curve.first(), curve.last()) else { continue };
        let reached = |share: &f64| match curve.iter().find(|at| at[2] <= share * first[2]) {
            Some(at) => format!("{}, {:.1}", at[0], at[1]),
            None => "not".to_owned(),
        };
        let reached: Vec<String> = shares.iter().map(reached).collect();
        writeln!(table, "| {name} | {:.3e} | {:.1} | {} |", last[2], last[1], reached.join(" | "))?;
    }
    writeln!(table)?;
    Ok(())
}

fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    wowflow_data::atomic::write(path, |file| file.write_all(bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_when_a_share_was_reached() {
        let curves = [("one", vec![[0.0, 0.0, 8.0], [10.0, 1.5, 3.0], [20.0, 3.0, 1.0]])];
        let mut table = String::new();
        tabulate(&mut table, "title", &curves).unwrap();
        assert!(table.contains("| one | 1.000e0 | 3.0 | 10, 1.5 | 20, 3.0 | not |"), "{table}");
    }
}
