//! Whether our benches became slower: ratios that do not depend on how fast a machine is, beside the committed ones.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::peers::lookup::{joined, list, number, size, text, whole};
use crate::peers::process::{Pace, ours};
use crate::peers::record::{self, STEP, TRANSPORT};
use crate::{machine, peers, root};

/// How many times worse a ratio may be.
const TOLERANCE: f64 = 1.3;

/// Runs of our benches, of which a ratio's better one counts.
const TRIES: usize = 2;

/// Below this the shorter time of a ratio says little, and the ratio is shown but not judged.
const SHORT_MS: f64 = 1.0;

/// Two times of one run of our benches.
#[derive(Clone, Debug, PartialEq)]
struct Ratio {
    name: String,
    value: f64,
    /// The time below the line, in ms.
    over: f64,
}

/// What was typed after `bench-gate`.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    tolerance: f64,
    /// A record of another kind of machine.
    against: Option<PathBuf>,
}

impl Options {
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { tolerance: TOLERANCE, against: None };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let mut value = || words.next().with_context(|| format!("expected a value after `{word}`"));
            match word {
                "--tolerance" => {
                    let text = value()?;
                    let number =
                        text.parse().ok().filter(|&number: &f64| number >= 1.0 && number.is_finite());
                    options.tolerance = number
                        .with_context(|| format!("expected a tolerance of 1 or more, found `{text}`"))?;
                }
                "--against" => options.against = Some(PathBuf::from(value()?)),
                _ => bail!("expected --tolerance or --against after `bench-gate`, found `{word}`"),
            }
        }
        Ok(options)
    }
}

/// Measures, prints all ratios, and tells whether none is worse than allowed.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let head = machine::head();
    let kind = peers::kind(&head)?;
    let file = match &options.against {
        Some(file) => file.clone(),
        None => {
            let file = root().join(format!("results/bench-{kind}.json"));
            ensure!(
                file.exists(),
                "no record of a machine of the kind {kind}: measure it with `cargo xtask bench-peers`, or name one \
                 of another kind with --against"
            );
            file
        }
    };
    let record = record::read(&file)?;
    for line in differences(&record, &head)? {
        println!("{line}");
    }
    let committed = of_record(&record).with_context(|| format!("in {}", file.display()))?;
    let threads = usize::try_from(whole(&record, "/threads")?).context("the number of threads")?;
    let mut tries = Vec::new();
    for _ in 0..TRIES {
        tries.push(ratios(&ours(Pace::Short, Some(threads), None)?)?);
        // Only what looks worse is measured again.
        if compare(&committed, &tries, options.tolerance).failures.is_empty() {
            break;
        }
    }
    let found = compare(&committed, &tries, options.tolerance);
    print!("{}", found.table);
    for failure in &found.failures {
        println!("worse: {failure}");
    }
    println!(
        "{} ratios, {} worse than {} times {}",
        committed.len(),
        found.failures.len(),
        options.tolerance,
        file.display()
    );
    Ok(found.failures.is_empty())
}

/// What a reader should know where the record comes from another machine.
fn differences(record: &Value, head: &Value) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let (theirs, own) = (peers::kind(record).context("in the record")?, peers::kind(head)?);
    if theirs != own {
        lines.push(format!("another kind of machine: the record is of {theirs}, this is {own}"));
    }
    for (what, path) in
        [("processor", "/machine/cpu_model"), ("vector instructions", "/machine/vector_instructions")]
    {
        let of = |value: &Value| value.pointer(path).map_or("unknown".to_owned(), Value::to_string);
        if record.pointer(path) != head.pointer(path) {
            lines.push(format!("another {what}: the record is of {}, this has {}", of(record), of(head)));
        }
    }
    Ok(lines)
}

/// The means of a record's two runs.
fn of_record(record: &Value) -> Result<Vec<Ratio>> {
    let runs = list(record, "/ours")?.iter().map(ratios).collect::<Result<Vec<_>>>()?;
    let (first, others) = runs.split_first().context("expected runs of our benches, found none")?;
    let mean = |ratio: &Ratio| {
        let mut all = vec![ratio];
        for run in others {
            let same = run.iter().find(|other| other.name == ratio.name);
            all.push(same.with_context(|| format!("expected {} in every run", ratio.name))?);
        }
        let mean = |of: fn(&Ratio) -> f64| all.iter().map(|&r| of(r)).sum::<f64>() / all.len() as f64;
        Ok(Ratio { name: ratio.name.clone(), value: mean(|r| r.value), over: mean(|r| r.over) })
    };
    first.iter().map(mean).collect()
}

/// All ratios of one run of our benches.
fn ratios(ours: &Value) -> Result<Vec<Ratio>> {
    let mut all = Vec::new();
    let mut push = |name: String, ms: f64, over: f64| all.push(Ratio { name, value: ms / over, over });
    for row in list(ours, "/rows")? {
        let (at, products) = (joined(&size(row, &STEP)?), number(row, "/products_ms")?);
        let steps = row["steps"].as_object().context("expected steps by slicing")?;
        for slicing in steps.keys() {
            let ms = number(row, &format!("/steps/{slicing}/ms"))?;
            push(format!("step, {slicing} / products at ({at})"), ms, products);
        }
    }
    for row in list(ours, "/ragged")? {
        let (at, slicing) = (joined(&size(row, &STEP)?), text(row, "/slicing")?);
        let equal = number(row, "/equal_ms")?;
        for (name, path) in [("unequal sizes", "/sizes_ms"), ("weights", "/weights_ms")] {
            push(format!("step, {slicing}, {name} / equal classes at ({at})"), number(row, path)?, equal);
        }
    }
    let rows = list(ours, "/transport")?;
    for row in rows {
        let (at, scalar, ms) = (joined(&size(row, &TRANSPORT)?), text(row, "/scalar")?, number(row, "/ms")?);
        let weighted = row["weighted"] == true;
        let name = if weighted { "exact weighted" } else { "exact" };
        push(format!("{name}, {scalar} / product at ({at})"), ms, number(row, "/product_ms")?);
        let uniform = rows.iter().find(|other| {
            ["n", "m", "scalar"].iter().all(|&part| other[part] == row[part]) && other["weighted"] == false
        });
        if let (true, Some(uniform)) = (weighted, uniform) {
            push(format!("exact weighted, {scalar} / exact at ({at})"), ms, number(uniform, "/ms")?);
        }
    }
    for row in list(ours, "/entropic")? {
        let (at, scalar) = (joined(&size(row, &TRANSPORT)?), text(row, "/scalar")?);
        push(
            format!("entropic, {scalar} / product at ({at})"),
            number(row, "/ms")?,
            number(row, "/product_ms")?,
        );
    }
    Ok(all)
}

/// What [`compare`] found.
#[derive(Debug)]
struct Comparison {
    table: String,
    /// Names of what is worse or was not measured, with numbers.
    failures: Vec<String>,
}

/// The better one of all tries beside each committed ratio.
fn compare(committed: &[Ratio], tries: &[Vec<Ratio>], tolerance: f64) -> Comparison {
    let (mut table, mut failures) = (String::new(), Vec::new());
    let mut line = |name: &str, committed: &str, found: &str, note: &str| {
        writeln!(table, "{name:74} {committed:>9} {found:>9}  {note}").expect("a string");
    };
    line("", "committed", "now", "");
    for ratio in committed {
        let found = tries.iter().flatten().filter(|found| found.name == ratio.name);
        let Some(best) = found.map(|found| found.value).min_by(f64::total_cmp) else {
            failures.push(format!("{}: committed, and not measured now", ratio.name));
            continue;
        };
        let (times, judged) = (best / ratio.value, ratio.over >= SHORT_MS);
        let note = match (times > tolerance, judged) {
            (true, true) => {
                failures.push(format!("{}: {:.2}, now {best:.2}, {times:.2} times", ratio.name, ratio.value));
                format!("{times:.2} times: worse")
            }
            (_, true) => format!("{times:.2} times"),
            (_, false) => format!("{times:.2} times, of less than {SHORT_MS} ms: not judged"),
        };
        line(&ratio.name, &format!("{:.2}", ratio.value), &format!("{best:.2}"), &note);
    }
    for found in tries.first().into_iter().flatten() {
        if !committed.iter().any(|ratio| ratio.name == found.name) {
            line(&found.name, "-", &format!("{:.2}", found.value), "not in the record");
        }
    }
    Comparison { table, failures }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::peers::record::tests::{ours, record};

    fn failures(found: &[Value]) -> Vec<String> {
        let tries: Vec<_> = found.iter().map(|found| ratios(found).expect("complete")).collect();
        compare(&of_record(&record()).expect("complete"), &tries, TOLERANCE).failures
    }

    /// What a run measures when one time is another.
    fn changed(path: &str, times: f64) -> Value {
        let mut run = ours(1.0);
        let value = run.pointer_mut(path).expect("there");
        *value = json!(value.as_f64().expect("a number") * times);
        run
    }

    #[test]
    fn a_slower_machine_and_a_better_ratio_pass() {
        assert!(failures(&[ours(1.0)]).is_empty());
        assert!(failures(&[ours(7.0)]).is_empty());
        assert!(failures(&[changed("/rows/0/steps/gaussian/ms", 0.2)]).is_empty());
        assert!(failures(&[changed("/rows/0/steps/gaussian/ms", 1.29)]).is_empty());
    }

    #[test]
    fn every_ratio_that_is_worse_is_named() {
        for (path, expected) in [
            ("/rows/0/steps/gaussian/ms", vec!["step, gaussian / products at (10, 200, 10, 784, 500): 2.50"]),
            ("/ragged/0/sizes_ms", vec!["step, hadamard, unequal sizes / equal classes"]),
            ("/ragged/0/weights_ms", vec!["step, hadamard, weights / equal classes"]),
            (
                "/transport/2/ms",
                vec![
                    "exact weighted, float64 / product at (500, 500)",
                    "exact weighted, float64 / exact at (500, 500)",
                ],
            ),
            ("/transport/0/ms", vec!["exact, float32 / product at (500, 500)"]),
            ("/entropic/0/ms", vec!["entropic, float64 / product at (200, 200): 2.50, now 3.50, 1.40 times"]),
        ] {
            let found = failures(&[changed(path, 1.4)]);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{found}");
            }
        }
    }

    #[test]
    fn the_better_of_two_tries_counts() {
        let worse = changed("/ragged/0/sizes_ms", 2.0);
        assert!(failures(&[worse.clone(), ours(1.0)]).is_empty());
        assert_eq!(failures(&[worse.clone(), worse]).len(), 1);
    }

    #[test]
    fn rows_on_one_side_only() {
        let mut without = ours(1.0);
        without["entropic"] = json!([]);
        assert_eq!(
            failures(&[without.clone()]),
            ["entropic, float64 / product at (200, 200): committed, and not measured now"]
        );
        let committed = ratios(&without).expect("complete");
        let found = compare(&committed, &[ratios(&ours(1.0)).expect("complete")], TOLERANCE);
        assert!(found.failures.is_empty() && found.table.contains("not in the record"), "{found:?}");
    }

    #[test]
    fn times_too_short_are_shown_and_not_judged() {
        let mut small = record();
        for run in 0..2 {
            small["ours"][run]["rows"][0] = json!({
                "classes": 3, "source": 80, "target": 80, "dim": 2, "directions": 500,
                "products_ms": 0.2, "steps": {"given": {"ms": 1.0}},
            });
        }
        let committed = of_record(&small).expect("complete");
        let mut now = small["ours"][0].clone();
        now["rows"][0]["steps"]["given"]["ms"] = json!(3.0);
        let found = compare(&committed, &[ratios(&now).expect("complete")], TOLERANCE);
        assert!(found.failures.is_empty() && found.table.contains("not judged"), "{found:?}");
    }

    #[test]
    fn another_kind_of_machine_is_said() {
        let record = record();
        assert!(differences(&record, &record).expect("complete").is_empty());
        let other = json!({"machine": {"arch": "aarch64", "cores": 8, "cpu_model": "Other"}});
        assert_eq!(
            differences(&record, &other).expect("complete"),
            [
                "another kind of machine: the record is of x86_64-2c, this is aarch64-8c",
                "another processor: the record is of \"Some CPU\", this has \"Other\"",
            ]
        );
    }

    #[test]
    fn options_are_read_and_wrong_ones_named() {
        let found = Options::parse(&["--tolerance", "1.5", "--against", "there.json"]).expect("known");
        assert_eq!(found, Options { tolerance: 1.5, against: Some("there.json".into()) });
        for (typed, named) in [
            (vec!["--tolerance", "0.5"], "found `0.5`"),
            (vec!["--against"], "after `--against`"),
            (vec!["--quick"], "found `--quick`"),
        ] {
            let message = Options::parse(&typed).expect_err("wrong").to_string();
            assert!(message.contains(named), "{message}");
        }
    }
}
