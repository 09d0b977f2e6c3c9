//! The Markdown table of a record.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::lookup::{at, joined, list, number, row, size, text, whole};
use super::numbers::{mean, ratio, time};
use super::record::{DISTANCE, STEP};
use super::transport;

/// The authors' published code, one step, lowest and highest median in ms. Not measured again by this program.
const AUTHORS: [([u64; 5], [f64; 2]); 4] = [
    ([10, 200, 10, 784, 500], [1040.0, 1220.0]),
    ([10, 500, 500, 784, 500], [2340.0, 3170.0]),
    ([10, 100, 100, 3072, 500], [1320.0, 2020.0]),
    ([3, 80, 80, 2, 500], [93.0, 167.0]),
];

/// Where [`AUTHORS`] comes from.
const AUTHORS_SOURCE: &str = "The authors' code is what C. Bonet, C. Vauthier and A. Korba published with *Flowing \
Datasets with Wasserstein over Wasserstein Gradient Flows* (ICML 2025). Its times are constants, not measured in this run: \
lowest and highest median of one step with JAX 0.10, measured once for this project on a 2-core machine without a GPU.";

/// Our times without and with drawing of directions, to which a peer's are compared.
const GIVEN: &str = "given";
const DRAWN: &str = "gaussian";

/// A step as the JAX script names it, what it is called here, and what it is compared to.
const JAX: [(&str, &str, &str); 3] = [
    ("exact_given", "JAX, exact, directions given", GIVEN),
    ("exact_drawn", "JAX, exact, directions drawn", DRAWN),
    ("percentile", "JAX, percentiles, directions drawn", DRAWN),
];

/// The whole Markdown file.
pub(super) fn render(record: &Value) -> Result<String> {
    let mut out = String::new();
    head(&mut out, record)?;
    let ours = list(record, "/ours")?;
    ensure!(ours.len() == 2, "expected two runs of our bench, found {}", ours.len());
    for first in list(&ours[0], "/rows")? {
        let wanted = size(first, &STEP)?;
        step(&mut out, record, ours, &wanted).with_context(|| format!("at size {}", joined(&wanted)))?;
    }
    transport::ragged(&mut out, ours)?;
    distances(&mut out, record, ours)?;
    transport::exact(&mut out, record, ours)?;
    transport::entropic(&mut out, record, ours)?;
    notes(&mut out, ours)?;
    transport::notes(&mut out)?;
    Ok(out)
}

fn head(out: &mut String, record: &Value) -> Result<()> {
    let known = |path: &str| record.pointer(path).and_then(Value::as_str).unwrap_or("unknown");
    let quick =
        if at(record, "/quick")? == true { " (quick: small, and no measure of anything)" } else { "" };
    let (cores, threads) = (whole(record, "/machine/cores")?, whole(record, "/threads")?);
    let commit = known("/versions/wowflow_commit");
    let changed = match record.pointer("/versions/wowflow_changed_since_commit") {
        Some(Value::Bool(true)) => ", with changes since",
        _ => "",
    };
    let load = record.pointer("/machine/load_average").and_then(Value::as_f64);
    let load = load.map_or(String::new(), |load| format!(", load {load:.1} before the start"));
    let more: String = [
        ("SciPy", "scipy"),
        ("lapx", "lapx"),
        ("ott-jax", "ott-jax"),
        ("geomloss", "geomloss"),
        ("PyTorch", "torch"),
    ]
    .iter()
    .filter_map(|(name, key)| Some(format!(", {name} {}", record["versions"].get(key)?.as_str()?)))
    .collect();
    writeln!(out, "# Steps and transport beside other libraries{quick}\n")?;
    writeln!(
        out,
        "{}; {} ({}, {}), {cores} cores, {threads} threads used{load}; f32 where not said, medians.",
        text(record, "/date")?,
        known("/machine/cpu_model"),
        known("/machine/arch"),
        known("/machine/os"),
    )?;
    writeln!(
        out,
        "wowflow {} (commit {}{changed}), {}; Python {}, numpy {}, POT {}, JAX {}{more}.",
        known("/versions/wowflow"),
        commit.get(..12).unwrap_or(commit),
        known("/versions/rustc"),
        known("/versions/python"),
        known("/versions/numpy"),
        known("/versions/pot"),
        known("/versions/jax"),
    )?;
    Ok(())
}

/// The times of one size; ours are means of both runs.
fn step(out: &mut String, record: &Value, ours: &[Value], wanted: &[u64]) -> Result<()> {
    let runs = ours
        .iter()
        .map(|run| row(list(run, "/rows")?, &STEP, wanted))
        .collect::<Result<Vec<_>>>()
        .context("ours")?;
    let mean = |path: &str| mean(&runs, path).context("ours");
    let products = mean("/products_ms")?;
    let steps = at(runs[0], "/steps")?;
    let slicings =
        steps.as_object().with_context(|| format!("ours: expected steps by slicing, found {steps}"))?;
    ensure!(!slicings.is_empty(), "ours: expected at least one slicing in `/steps`, found none");

    writeln!(out, "\n## (C, n, m, d, L) = ({})\n", joined(wanted))?;
    writeln!(out, "| | ms | times our products | times our step | peak memory above start, MB |")?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: |")?;
    let mut line = |name: &str, ms: f64, ours: Option<f64>, memory: Option<f64>| {
        let (ours, memory) = (ours.map(|ours| ms / ours), memory);
        writeln!(
            out,
            "| {name} | {} | {:.2} | {} | {} |",
            time(ms),
            ms / products,
            ratio(ours),
            whole_or_dash(memory)
        )
    };
    line("two matrix products, ours", products, None, None)?;
    let numpy = row(list(record, "/peers/numpy/rows")?, &STEP, wanted).context("numpy")?;
    line("two matrix products, numpy", number(numpy, "/ms").context("numpy")?, None, None)?;
    for slicing in slicings.keys() {
        let name = match slicing.as_str() {
            GIVEN => "wowflow, directions given".to_owned(),
            other => format!("wowflow, {other}"),
        };
        line(&name, mean(&format!("/steps/{slicing}/ms"))?, None, None)?;
    }
    let jax = row(list(record, "/peers/jax/rows")?, &STEP, wanted).context("JAX")?;
    for (key, name, ours) in JAX {
        let found = at(jax, &format!("/steps/{key}")).context("JAX")?;
        let ours = mean(&format!("/steps/{ours}/ms"))?;
        let memory = number(found, "/peak_above_start_mb").context("JAX")?;
        line(name, number(found, "/ms").context("JAX")?, Some(ours), Some(memory))?;
    }
    if let Some((_, [low, high])) = AUTHORS.iter().find(|(size, _)| size == wanted) {
        writeln!(out, "| authors' published code, not in this run | {low} to {high} | - | - | - |")?;
    }
    Ok(())
}

fn distances(out: &mut String, record: &Value, ours: &[Value]) -> Result<()> {
    writeln!(out, "\n## Value of the sliced distance\n")?;
    writeln!(
        out,
        "| n, m, d, L | wowflow, ms | POT ({} backend), ms | POT / wowflow |",
        text(record, "/peers/pot/backend")?
    )?;
    writeln!(out, "| --- | ---: | ---: | ---: |")?;
    for pot in list(record, "/peers/pot/rows")? {
        let wanted = size(pot, &DISTANCE)?;
        let pot = number(pot, "/ms").context("POT")?;
        let runs = ours.iter().map(|run| row(list(run, "/sliced_value")?, &DISTANCE, &wanted));
        // POT is timed at one size more than ours may have.
        let (ours, share) = match runs.collect::<Result<Vec<_>>>() {
            Ok(runs) => {
                let ours = mean(&runs, "/ms").context("our sliced distance")?;
                (time(ours), ratio(Some(pot / ours)))
            }
            Err(_) => ("-".to_owned(), "-".to_owned()),
        };
        writeln!(out, "| {} | {ours} | {} | {share} |", joined(&wanted), time(pot))?;
    }
    Ok(())
}

fn notes(out: &mut String, ours: &[Value]) -> Result<()> {
    let drift = 100.0 * drift(ours)?;
    writeln!(
        out,
        "\n- Our bench ran before and after the peers; the tables have the mean of both. The two differ by at most \
{drift:.0} %.\n\
- `times our step` compares like with like: directions given with directions given, and directions drawn in the step with \
independent ones (`{DRAWN}`). `hadamard` takes the next power of two of directions.\n\
- JAX is compiled before it is timed. `exact` sorts once a class; `percentiles` follows the description of the published \
method. POT draws its directions in every call.\n\
- {AUTHORS_SOURCE}"
    )?;
    Ok(())
}

/// The largest relative difference between both runs, over all times in the tables but the sliced distance.
fn drift(ours: &[Value]) -> Result<f64> {
    let mut largest = 0.0f64;
    for first in list(&ours[0], "/rows")? {
        let second = row(list(&ours[1], "/rows")?, &STEP, &size(first, &STEP)?)?;
        let slicings = at(first, "/steps")?.as_object().into_iter().flat_map(|steps| steps.keys());
        let paths = slicings.map(|slicing| format!("/steps/{slicing}/ms"));
        for path in paths.chain(["/products_ms".to_owned()]) {
            let (a, b) = (number(first, &path)?, number(second, &path)?);
            largest = largest.max((a - b).abs() / a.min(b));
        }
    }
    // Both runs have these rows in one order.
    for (rows, paths) in [
        ("/ragged", &["/equal_ms", "/sizes_ms", "/weights_ms"][..]),
        ("/transport", &["/ms"]),
        ("/entropic", &["/ms"]),
    ] {
        for (first, second) in list(&ours[0], rows)?.iter().zip(list(&ours[1], rows)?) {
            for path in paths {
                let (a, b) = (number(first, path)?, number(second, path)?);
                largest = largest.max((a - b).abs() / a.min(b));
            }
        }
    }
    Ok(largest)
}

fn whole_or_dash(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.0}"))
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    #[test]
    fn a_table_has_all_times_and_ratios() {
        let table = render(&record()).expect("complete");
        for line in [
            "2026-01-02T03:04:05Z; Some CPU (x86_64, linux), 2 cores, 2 threads used; f32 where not said, medians.",
            "wowflow 0.1.0 (commit 0123456789ab), rustc 1.89.0; Python 3.12.1, numpy 2.0, POT 0.9, JAX 0.10, lapx 0.9.",
            "## (C, n, m, d, L) = (10, 200, 10, 784, 500)",
            "| two matrix products, ours | 21.0 | 1.00 | - | - |",
            "| two matrix products, numpy | 19.0 | 0.90 | - | - |",
            "| wowflow, directions given | 42.0 | 2.00 | - | - |",
            "| wowflow, gaussian | 52.5 | 2.50 | - | - |",
            "| JAX, exact, directions given | 200 | 9.52 | 4.8 | 123 |",
            "| JAX, exact, directions drawn | 210 | 10.00 | 4.0 | 123 |",
            "| JAX, percentiles, directions drawn | 420 | 20.00 | 8.0 | 123 |",
            "| authors' published code, not in this run | 1040 to 1220 | - | - | - |",
            "| 30, 20, 10, 5 | 4.20 | 12.0 | 2.9 |",
            "| 500, 500, 784, 500 | - | 250 | - |",
        ] {
            assert!(table.lines().any(|found| found == line), "expected `{line}` in\n{table}");
        }
        assert!(table.contains("differ by at most 10 %"), "{table}");
        let mut other = record();
        other["ours"][1]["transport"][0]["ms"] = 18.0.into();
        other["machine"]["load_average"] = 1.25.into();
        assert!(render(&other).expect("complete").contains("2 threads used, load 1.2 before the start; f32"));
        assert!(render(&other).expect("complete").contains("differ by at most 100 %"));
    }

    #[test]
    fn sizes_without_a_published_figure_have_none() {
        let mut record = record();
        for list in ["/ours/0/rows", "/ours/1/rows", "/peers/numpy/rows", "/peers/jax/rows"] {
            record.pointer_mut(list).expect("there")[0]["classes"] = 3.into();
        }
        assert!(!render(&record).expect("complete").contains("published code, not"));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (list, field, expected) in [
            ("/ours/1/rows/0", "products_ms", "ours: expected a field `/products_ms`, found none"),
            ("/ours/0/rows/0/steps", "gaussian", "ours: expected a field `/steps/gaussian/ms`, found none"),
            (
                "/peers/jax/rows/0/steps",
                "percentile",
                "JAX: expected a field `/steps/percentile`, found none",
            ),
            ("/peers/numpy/rows/0", "dim", "numpy: expected a row with classes, source"),
            ("/peers/pot", "backend", "expected a field `/peers/pot/backend`, found none"),
        ] {
            let mut record = record();
            let object = record.pointer_mut(list).and_then(Value::as_object_mut).expect("there");
            object.remove(field);
            let message = format!("{:#}", render(&record).expect_err("incomplete"));
            assert!(message.contains(expected), "{message}");
        }
    }
}
