//! Reference values: reads a manifest, computes what is implemented, compares every output.

mod case;
mod entropic;
mod flow;
mod sliced;
mod transport;

use std::path::Path;

use anyhow::{Context, Result, bail};

use case::{Case, Computed, Manifest};

/// Runs all cases of a folder; true when none failed.
pub(crate) fn run(dir: &Path) -> Result<bool> {
    let manifest = Manifest::read(dir)?;
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for case in &manifest.cases {
        match check(case, dir) {
            Ok(true) => passed += 1,
            Ok(false) => skipped += 1,
            Err(error) => {
                failed += 1;
                println!("{}: {error:#}", case.id);
            }
        }
    }
    println!("golden: {passed} passed, {failed} failed, {skipped} skipped");
    if passed + failed == 0 {
        bail!("expected cases of implemented groups in {}, found none", dir.display());
    }
    Ok(failed == 0)
}

/// Checks one case; false when its group is not implemented yet.
fn check(case: &Case, dir: &Path) -> Result<bool> {
    let compute: fn(&Case) -> Result<Computed> = match case.group.as_str() {
        "w1d" => sliced::w1d,
        "sw" => sliced::sw,
        "mmdsw" => sliced::mmdsw,
        "flow" => flow::flow,
        "ot" => transport::ot,
        "wow" => transport::wow,
        "labels" => transport::labels,
        "sinkhorn" => entropic::sinkhorn,
        "bures" => entropic::bures,
        "expbw" => entropic::expbw,
        "otdd" => entropic::otdd,
        _ => return Ok(false),
    };
    let case = case.load(dir)?;
    let mut computed = compute(&case)?;
    for name in case.outputs.keys() {
        let expected = case.array(name)?;
        let found =
            computed.remove(name.as_str()).with_context(|| format!("output `{name}` is not computed"))?;
        case.compare(name, &found, &expected)?;
    }
    Ok(true)
}
