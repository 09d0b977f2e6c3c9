//! The parts of the table on classes of unequal sizes, exact and entropic transport, and whether all solvers agree.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::lookup::{joined, list, number, size, text};
use super::numbers::{mean, ratio, time};
use super::record::{STEP, TRANSPORT};

/// The largest relative difference between values of exact transport.
const EXACT: f64 = 1e-9;

/// The same for the costs of entropic plans, whose marginals are off by the tolerance.
const ENTROPIC: f64 = 1e-5;

/// Ours in this precision has the same points as the others.
const SAME: &str = "float64";

pub(super) fn ragged(out: &mut String, ours: &[Value]) -> Result<()> {
    writeln!(out, "\n## Classes of unequal sizes, and weights\n")?;
    writeln!(out, "| (C, n, m, d, L) | slicing | samples | ms | times equal classes |")?;
    writeln!(out, "| --- | --- | --- | ---: | ---: |")?;
    for first in list(&ours[0], "/ragged")? {
        let (wanted, slicing) = (size(first, &STEP)?, text(first, "/slicing")?);
        let same = |row: &Value| {
            size(row, &STEP).is_ok_and(|found| found == wanted) && row["slicing"] == first["slicing"]
        };
        let runs = runs(ours, "/ragged", same)
            .with_context(|| format!("our {slicing} step of unequal classes at {}", joined(&wanted)))?;
        let equal = mean(&runs, "/equal_ms")?;
        for (name, path) in [
            ("equal classes", "/equal_ms"),
            ("classes of unequal sizes", "/sizes_ms"),
            ("weights", "/weights_ms"),
        ] {
            let ms = mean(&runs, path)?;
            let wanted = joined(&wanted);
            writeln!(out, "| {wanted} | {slicing} | {name} | {} | {:.2} |", time(ms), ms / equal)?;
        }
    }
    Ok(())
}

pub(super) fn exact(out: &mut String, record: &Value, ours: &[Value]) -> Result<()> {
    let of = if ours[0]["images"] == true { "images" } else { "noise" };
    writeln!(out, "\n## Exact transport\n")?;
    writeln!(out, "Squared Euclidean costs of {of}, d = 784, computed in the time that is measured.\n")?;
    writeln!(out, "| n, m | weights | solver | ms | times ours in f64 | relative difference of the value |")?;
    writeln!(out, "| --- | --- | --- | ---: | ---: | ---: |")?;
    for first in list(&ours[0], "/transport")?.iter().filter(|row| row["scalar"] == SAME) {
        let wanted = size(first, &TRANSPORT)?;
        let alike = |row: &Value| {
            size(row, &TRANSPORT).is_ok_and(|found| found == wanted) && row["weighted"] == first["weighted"]
        };
        let weights = if first["weighted"] == true { "unequal" } else { "equal" };
        let problem = format!("{} | {weights}", joined(&wanted));
        let (value, mut own) = (number(first, "/value")?, 0.0);
        for (name, scalar) in [("wowflow, f64", SAME), ("wowflow, f32", "float32")] {
            let found = runs(ours, "/transport", |row| alike(row) && row["scalar"] == scalar);
            // Either precision alone is measured on request.
            let Ok(found) = found else { continue };
            let ms = mean(&found, "/ms")?;
            if scalar == SAME {
                own = ms;
            }
            writeln!(out, "| {problem} | {name} | {} | {} | - |", time(ms), ratio(Some(ms / own)))?;
        }
        for peer in list(record, "/peers/exact/rows")?.iter().filter(|row| alike(row)) {
            let (solver, ms) = (solver(text(peer, "/solver")?), number(peer, "/ms")?);
            let apart = (number(peer, "/value")? - value).abs() / value.abs();
            ensure!(
                apart <= EXACT,
                "exact transport of {}, {weights} weights: expected {solver}'s value within {EXACT:.0e} of ours, \
                 found {} and {value}",
                joined(&wanted),
                peer["value"],
            );
            writeln!(
                out,
                "| {problem} | {solver} | {} | {} | {apart:.0e} |",
                time(ms),
                ratio(Some(ms / own))
            )?;
        }
    }
    Ok(())
}

pub(super) fn entropic(out: &mut String, record: &Value, ours: &[Value]) -> Result<()> {
    let first = list(&ours[0], "/entropic")?
        .iter()
        .find(|row| row["scalar"] == SAME)
        .with_context(|| format!("expected our entropic transport in {SAME}, found none"))?;
    let wanted = size(first, &TRANSPORT)?;
    let (tolerance, cost) = (number(first, "/tolerance")?, number(first, "/linear_cost")?);
    writeln!(out, "\n## Entropic transport\n")?;
    writeln!(
        out,
        "{} samples to {}, equal weights, at {:.0} % of the mean cost; asked for marginals off by {tolerance:.0e} in \
         total.\n",
        wanted[0],
        wanted[1],
        100.0 * number(first, "/share")?
    )?;
    writeln!(
        out,
        "| solver | ms | times ours in f64 | marginals off by | relative difference of the cost |"
    )?;
    writeln!(out, "| --- | ---: | ---: | ---: | ---: |")?;
    let mut own = 0.0;
    for (name, scalar) in [("wowflow, f64", SAME), ("wowflow, f32", "float32")] {
        let found = runs(ours, "/entropic", |row| row["scalar"] == scalar);
        let Ok(found) = found else { continue };
        let ms = mean(&found, "/ms")?;
        if scalar == SAME {
            own = ms;
        }
        let off = number(found[0], "/marginal_error")?;
        writeln!(out, "| {name} | {} | {} | {off:.0e} | - |", time(ms), ratio(Some(ms / own)))?;
    }
    for peer in list(record, "/peers/entropic/rows")? {
        if size(peer, &TRANSPORT)? != wanted {
            continue;
        }
        let name = solver(text(peer, "/solver")?);
        if let Some(Value::String(missing)) = peer.get("missing") {
            writeln!(out, "| {name} | not installed ({missing}) | - | - | - |")?;
            continue;
        }
        let (ms, off) = (number(peer, "/ms")?, number(peer, "/marginal_error")?);
        let apart = (number(peer, "/linear_cost")? - cost).abs() / cost.abs();
        // One that ends by a schedule may be less accurate: the table says so.
        ensure!(
            apart <= ENTROPIC || off > tolerance,
            "entropic transport: expected the cost of {name}'s plan within {ENTROPIC:.0e} of ours, found {} and {cost}",
            peer["linear_cost"]
        );
        writeln!(out, "| {name} | {} | {} | {off:.0e} | {apart:.0e} |", time(ms), ratio(Some(ms / own)))?;
    }
    Ok(())
}

/// The first row of each run for which `wanted` holds.
fn runs<'v>(ours: &'v [Value], path: &str, wanted: impl Fn(&Value) -> bool) -> Result<Vec<&'v Value>> {
    let found = ours.iter().map(|run| {
        let rows = list(run, path)?;
        rows.iter().find(|row| wanted(row)).context("expected the same row in both runs, found none")
    });
    found.collect()
}

/// A solver as people know it.
fn solver(name: &str) -> &str {
    match name {
        "pot" => "POT `emd2`",
        "scipy" => "SciPy `linear_sum_assignment`",
        "lapx" => "lapx `lapjv`",
        "pot_log" => "POT `sinkhorn_log`",
        "pot_kernel" => "POT `sinkhorn`",
        "ott_log" => "ott-jax, in logarithms",
        "ott_kernel" => "ott-jax, kernel",
        "geomloss" => "geomloss, tensorized",
        other => other,
    }
}

/// What the tables above say in short.
pub(super) fn notes(out: &mut String) -> Result<()> {
    writeln!(
        out,
        "- Exact and entropic transport: all solve the same points, which our bench saved, in f64; SciPy and lapx equal \
weights only, on costs by POT, whose matrix product is faster than SciPy's `cdist`. The solvers agree within {EXACT:.0e} \
(exact) and, where their marginals are within the tolerance, {ENTROPIC:.0e} (entropic, `<P, C>`), or there is no table.\n\
- POT, ott-jax and geomloss are asked for total errors of marginals; POT's Euclidean norm is scaled to it. They look at \
it every 10 iterations. geomloss has a schedule instead: the fastest of some that reaches the accuracy, else the slowest.\n\
- Steps of unequal classes: medians of at most 7 rounds; the sizes differ by up to a tenth, weights lie between 0.5 and \
1.5."
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::record::tests::record;
    use super::super::table::render;

    #[test]
    fn tables_have_all_solvers_with_ratios() {
        let table = render(&record()).expect("complete");
        for line in [
            "| 10, 200, 200, 784, 500 | hadamard | equal classes | 31.5 | 1.00 |",
            "| 10, 200, 200, 784, 500 | hadamard | classes of unequal sizes | 37.8 | 1.20 |",
            "| 10, 200, 200, 784, 500 | hadamard | weights | 63.0 | 2.00 |",
            "| 500, 500 | equal | wowflow, f64 | 10.5 | 1.0 | - |",
            "| 500, 500 | equal | wowflow, f32 | 9.45 | 0.9 | - |",
            "| 500, 500 | equal | POT `emd2` | 84.0 | 8.0 | 1e-12 |",
            "| 500, 500 | equal | lapx `lapjv` | 84.0 | 8.0 | 1e-12 |",
            "| 500, 500 | unequal | POT `emd2` | 84.0 | 5.0 | 1e-12 |",
            "| wowflow, f64 | 5.25 | 1.0 | 1e-9 | - |",
            "| POT `sinkhorn_log` | 63.0 | 12.0 | 2e-7 | 1e-6 |",
            "| geomloss, tensorized | not installed (torch) | - | - | - |",
        ] {
            assert!(table.lines().any(|found| found == line), "expected `{line}` in\n{table}");
        }
    }

    #[test]
    fn values_that_differ_are_named() {
        let mut other = record();
        other["peers"]["exact"]["rows"][2]["value"] = json!(90.000001);
        let message = format!("{:#}", render(&other).expect_err("differs"));
        assert!(
            message.contains("exact transport of 500, 500, equal weights") && message.contains("SciPy"),
            "{message}"
        );
        let mut other = record();
        other["peers"]["entropic"]["rows"][0]["linear_cost"] = json!(101.0);
        let message = format!("{:#}", render(&other).expect_err("differs"));
        assert!(message.contains("`sinkhorn_log`'s plan within 1e-5"), "{message}");
        // Less accurate by its own account: shown.
        other["peers"]["entropic"]["rows"][0]["marginal_error"] = json!(1e-3);
        assert!(
            render(&other).expect("complete").contains("| POT `sinkhorn_log` | 63.0 | 12.0 | 1e-3 | 1e-2 |")
        );
    }

    #[test]
    fn a_row_that_is_in_one_run_only_is_an_error() {
        let mut other = record();
        other["ours"][1]["ragged"] = json!([]);
        let message = format!("{:#}", render(&other).expect_err("missing"));
        assert!(message.contains("our hadamard step of unequal classes at 10, 200, 200"), "{message}");
    }
}
