//! The main job, small: one dataset flows into another, from the command line to the pictures.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Ci;

/// What a finished run leaves.
const FILES: [&str; 7] =
    ["config.json", "provenance.json", "metrics.jsonl", "flowed.npz", "images.png", "flow.gif", "loss.png"];

pub(super) fn check(ci: &Ci) -> Result<()> {
    let out = ci.scratch.path().join("run");
    let place = out.to_str().context("expected a temporary folder with a name in UTF-8")?;
    ci.cargo(&format!(
        "run --release --locked -p wowflow-cli -- flow --source glyphs:letters:10 --target glyphs:digits:10 \
         --steps 40 --directions 100 --out {place}"
    ))?;
    ci.say("the run directory is complete, and the flow descended");
    for name in FILES {
        let size = std::fs::metadata(out.join(name)).map_or(0, |found| found.len());
        ensure!(size > 0, "expected {name} in {place}, found nothing");
    }
    let summary: Value = serde_json::from_str(&std::fs::read_to_string(out.join("summary.json"))?)?;
    ensure!(summary["stop_reason"] == "steps_done" && summary["steps"] == 40, "expected 40 steps: {summary}");
    let number =
        |key: &str| summary[key].as_f64().with_context(|| format!("expected a number as {key}: {summary}"));
    let (before, after) = (number("value_initial")?, number("value_final")?);
    ensure!(after < 0.8 * before, "expected MMD^2 to fall below 0.8 of {before:e}, found {after:e}");
    let (far, near) = (number("wow2_initial")?, number("wow2_final")?);
    ensure!(near < far, "expected W_W2^2 to fall below {far:e}, found {near:e}");
    println!("MMD^2 {before:.4} -> {after:.4}, W_W2^2 {far:.4} -> {near:.4}");
    Ok(())
}
