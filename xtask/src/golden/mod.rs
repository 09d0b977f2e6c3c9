//! Reference values: reads a manifest, computes what is implemented, compares every output.

mod case;
mod entropic;
mod flow;
mod sliced;
mod transport;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use case::{Case, Computed, Manifest};

/// Groups of reference values that nothing here computes yet, with the reason.
const SKIPPED: [(&str, &str); 22] = [
    ("functionals", "potentials and interactions are not built"),
    ("functionals2", "functionals of measures over measures other than MMDs are not built"),
    ("exact_flows", "their functionals and directions are not built"),
    ("weights", "weights of classes do not move yet"),
    ("sample_weights", "weights of samples do not move yet"),
    ("coreset", "the choice of subsets is not built"),
    ("sinkhorn_kernel", "the kernel is not built"),
    ("linear_maps", "linear maps of datasets are not built"),
    ("values", "values of samples are not built"),
    ("sphere", "manifolds are not built"),
    ("lorentz", "manifolds are not built"),
    ("poincare", "manifolds are not built"),
    ("spd_affine", "manifolds are not built"),
    ("spd_logeuclid", "manifolds are not built"),
    ("slices_sphere", "slices of manifolds are not built"),
    ("slices_lorentz", "slices of manifolds are not built"),
    ("slices_poincare", "slices of manifolds are not built"),
    ("slices_spd", "slices of manifolds are not built"),
    ("circle", "transport on the circle is not built"),
    ("ssw", "sliced distances on the sphere are not built"),
    ("sliced_manifold", "sliced distances on manifolds are not built"),
    ("wow_manifold", "transport on manifolds is not built"),
];

/// What computes the outputs of a case.
type Compute = fn(&Case) -> Result<Computed>;

/// Runs all cases of a folder; true when none failed.
pub(crate) fn run(dir: &Path) -> Result<bool> {
    let manifest = Manifest::read(dir)?;
    let (mut passed, mut failed) = (0, 0);
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &manifest.cases {
        if let Some((group, _)) = SKIPPED.iter().find(|(group, _)| *group == case.group) {
            *skipped.entry(group).or_default() += 1;
            continue;
        }
        match check(case, dir) {
            Ok(()) => passed += 1,
            Err(error) => {
                failed += 1;
                println!("{}: {error:#}", case.id);
            }
        }
    }
    for (group, reason) in SKIPPED {
        if let Some(count) = skipped.get(group) {
            println!("skipped: {count} of {group} ({reason})");
        }
    }
    println!("golden: {passed} passed, {failed} failed, {} skipped", skipped.values().sum::<usize>());
    if passed + failed == 0 {
        bail!("expected cases of implemented groups in {}, found none", dir.display());
    }
    Ok(failed == 0)
}

/// What computes a group; none for groups that are not known.
fn computed_by(group: &str) -> Option<Compute> {
    Some(match group {
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
        _ => return None,
    })
}

/// Checks one case.
fn check(case: &Case, dir: &Path) -> Result<()> {
    let group = &case.group;
    let compute = computed_by(group).with_context(|| {
        format!(
            "expected a group that is computed or skipped, found `{group}`: mend its name, or add it here"
        )
    })?;
    let case = case.load(dir)?;
    let mut computed = compute(&case)?;
    for name in case.outputs.keys() {
        let expected = case.array(name)?;
        let found =
            computed.remove(name.as_str()).with_context(|| format!("output `{name}` is not computed"))?;
        case.compare(name, &found, &expected)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(group: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let case = serde_json::json!({
            "id": "case", "group": group, "file": "case.npz", "inputs": {}, "outputs": {},
            "tolerance": { "rel": 0.0, "abs": 0.0 }, "note": "",
        });
        let manifest = serde_json::json!({ "cases": [case] });
        std::fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
        folder
    }

    #[test]
    fn a_group_that_is_not_known_fails() {
        assert!(!run(manifest("mmdws").path()).unwrap());
    }

    #[test]
    fn a_folder_of_skipped_groups_alone_is_an_error() {
        assert!(run(manifest("sphere").path()).unwrap_err().to_string().contains("found none"));
    }

    #[test]
    fn a_group_is_computed_or_skipped_not_both() {
        for (at, (group, reason)) in SKIPPED.iter().enumerate() {
            assert!(computed_by(group).is_none() && !reason.is_empty(), "{group}");
            assert!(SKIPPED[..at].iter().all(|(other, _)| other != group), "{group}");
        }
    }

    #[test]
    fn the_groups_of_the_repository_are_known() {
        let manifest = Manifest::read(&crate::root().join("tests/golden")).unwrap();
        for case in &manifest.cases {
            let group = case.group.as_str();
            assert!(
                computed_by(group).is_some() || SKIPPED.iter().any(|(skipped, _)| *skipped == group),
                "{group}"
            );
        }
    }
}
