//! The JSON file: everything that was measured, with where, when and with which versions.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use super::lookup;
use super::process::Peer;

/// The version of the file's layout.
const SCHEMA: u64 = 2;

/// What names a size of the step.
pub(crate) const STEP: [&str; 5] = ["classes", "source", "target", "dim", "directions"];

/// What names a size of the sliced distance.
pub(crate) const DISTANCE: [&str; 4] = ["n", "m", "dim", "directions"];

/// What names a size of exact and entropic transport.
pub(crate) const TRANSPORT: [&str; 2] = ["n", "m"];

/// The sizes that our bench measured; the peers get the same.
#[derive(Debug, PartialEq)]
pub(super) struct Sizes {
    pub(super) steps: Vec<Vec<u64>>,
    pub(super) distances: Vec<Vec<u64>>,
    pub(super) exact: Vec<Vec<u64>>,
    pub(super) entropic: Vec<Vec<u64>>,
}

impl Sizes {
    pub(super) fn of(ours: &Value) -> Result<Self> {
        let sizes = |path: &str, parts: &[&str]| -> Result<Vec<Vec<u64>>> {
            let rows = lookup::list(ours, path)?;
            ensure!(!rows.is_empty(), "expected at least one row in `{path}`, found none");
            let mut found: Vec<Vec<u64>> = rows
                .iter()
                .map(|row| lookup::size(row, parts).with_context(|| format!("in `{path}`")))
                .collect::<Result<_>>()?;
            // Transport has several rows of a size.
            found.dedup();
            Ok(found)
        };
        Ok(Self {
            steps: sizes("/rows", &STEP)?,
            distances: sizes("/sliced_value", &DISTANCE)?,
            exact: sizes("/transport", &TRANSPORT)?,
            entropic: sizes("/entropic", &TRANSPORT)?,
        })
    }

    pub(super) fn of_peer(&self, peer: Peer) -> &[Vec<u64>] {
        match peer {
            Peer::Numpy | Peer::Jax => &self.steps,
            Peer::Pot => &self.distances,
            Peer::Exact => &self.exact,
            Peer::Entropic => &self.entropic,
        }
    }
}

/// One object of all that is known: `head`, then what was measured. Versions that the peers state join those of `head`.
pub(super) fn merge(head: Value, quick: bool, ours: &[Value; 2], peers: Vec<(Peer, Value)>) -> Result<Value> {
    let [first, second] = ours;
    let (before, after) = (Sizes::of(first)?, Sizes::of(second)?);
    ensure!(
        before == after,
        "expected the same sizes in both runs of our bench, found {before:?} and {after:?}"
    );
    let threads = lookup::whole(first, "/threads")?;
    let mut record = head;
    let mut measured = Map::new();
    for (peer, found) in peers {
        let name = peer.name();
        let used = lookup::whole(&found, "/threads").with_context(|| format!("in what {name} printed"))?;
        ensure!(used == threads, "{name}: expected {threads} threads, found {used}");
        let stated = lookup::at(&found, "/versions").with_context(|| format!("in what {name} printed"))?;
        for (package, version) in stated.as_object().into_iter().flatten() {
            record["versions"][package] = version.clone();
        }
        measured.insert(name.to_owned(), found);
    }
    record["schema"] = SCHEMA.into();
    record["quick"] = quick.into();
    record["threads"] = threads.into();
    record["ours"] = Value::from(ours.to_vec());
    record["peers"] = measured.into();
    Ok(record)
}

/// A record of this version, or what to do about an older one.
pub(crate) fn read(file: &Path) -> Result<Value> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let record: Value =
        serde_json::from_slice(&bytes).with_context(|| format!("{} is not JSON", file.display()))?;
    let found = lookup::whole(&record, "/schema").with_context(|| format!("in {}", file.display()))?;
    ensure!(
        found == SCHEMA,
        "{}: expected a record of schema {SCHEMA}, found {found}: measure again with `cargo xtask bench-peers --force`",
        file.display()
    );
    Ok(record)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// What a small run measures; `slow` scales our times.
    pub(crate) fn ours(slow: f64) -> Value {
        let exact = |scalar: &str, weighted: bool, ms: f64| {
            json!({
                "n": 500, "m": 500, "scalar": scalar, "weighted": weighted, "ms": ms * slow,
                "product_ms": 2.0 * slow, "value": 90.0,
            })
        };
        json!({
            "threads": 2,
            "rows": [{
                "classes": 10, "source": 200, "target": 10, "dim": 784, "directions": 500,
                "products_ms": 20.0 * slow,
                "steps": {"given": {"ms": 40.0 * slow}, "gaussian": {"ms": 50.0 * slow}},
            }],
            "sliced_value": [{"n": 30, "m": 20, "dim": 10, "directions": 5, "ms": 4.0 * slow}],
            "ragged": [{
                "classes": 10, "source": 200, "target": 200, "dim": 784, "directions": 500, "slicing": "hadamard",
                "equal_ms": 30.0 * slow, "sizes_ms": 36.0 * slow, "weights_ms": 60.0 * slow,
            }],
            "transport": [exact("float32", false, 9.0), exact("float64", false, 10.0), exact("float64", true, 16.0)],
            "entropic": [{
                "n": 200, "m": 200, "scalar": "float64", "ms": 5.0 * slow, "product_ms": 2.0 * slow,
                "epsilon": 5.0, "share": 0.05, "tolerance": 1e-6, "marginal_error": 1e-9, "linear_cost": 100.0,
            }],
        })
    }

    fn peers() -> Vec<(Peer, Value)> {
        let size = json!({"classes": 10, "source": 200, "target": 10, "dim": 784, "directions": 500});
        let row = |more: Value| {
            let mut row = size.clone();
            for (name, value) in more.as_object().expect("an object") {
                row[name] = value.clone();
            }
            row
        };
        let step = |ms: f64| json!({"ms": ms, "times_ms": [ms], "peak_above_start_mb": 123.4});
        let steps =
            json!({"exact_given": step(200.0), "exact_drawn": step(210.0), "percentile": step(420.0)});
        let pot = json!([
            {"n": 30, "m": 20, "dim": 10, "directions": 5, "ms": 12.0},
            {"n": 500, "m": 500, "dim": 784, "directions": 500, "ms": 250.0},
        ]);
        let numpy = json!({"python": "3.12.1", "numpy": "2.0"});
        let exact = |solver: &str, weighted: bool| {
            let value = 90.0 * (1.0 + 1e-12);
            json!({"n": 500, "m": 500, "solver": solver, "weighted": weighted, "ms": 84.0, "value": value})
        };
        let exact = [exact("pot", false), exact("pot", true), exact("scipy", false), exact("lapx", false)];
        let entropic = json!([
            {"n": 200, "m": 200, "solver": "pot_log", "ms": 63.0, "marginal_error": 2e-7, "linear_cost": 100.0001},
            {"n": 200, "m": 200, "solver": "geomloss", "missing": "torch"},
        ]);
        [
            (Peer::Exact, json!({"threads": 2, "versions": {"lapx": "0.9"}, "rows": exact})),
            (Peer::Entropic, json!({"threads": 2, "versions": {}, "rows": entropic})),
            (Peer::Numpy, json!({"threads": 2, "versions": numpy, "rows": [row(json!({"ms": 19.0}))]})),
            (Peer::Pot, json!({"threads": 2, "versions": {"pot": "0.9"}, "backend": "numpy", "rows": pot})),
            (
                Peer::Jax,
                json!({"threads": 2, "versions": {"jax": "0.10"}, "rows": [row(json!({"steps": steps}))]}),
            ),
        ]
        .into()
    }

    /// A record as `merge` makes it.
    pub(crate) fn record() -> Value {
        let head = json!({
            "date": "2026-01-02T03:04:05Z",
            "machine": {"arch": "x86_64", "os": "linux", "cpu_model": "Some CPU", "cores": 2},
            "versions": {"wowflow": "0.1.0", "wowflow_commit": "0123456789abcdef", "rustc": "rustc 1.89.0"},
        });
        merge(head, false, &[ours(1.0), ours(1.1)], peers()).expect("complete")
    }

    #[test]
    fn everything_measured_is_kept_and_versions_are_gathered() {
        let record = record();
        assert_eq!(record["ours"], json!([ours(1.0), ours(1.1)]));
        for (peer, found) in peers() {
            assert_eq!(record["peers"][peer.name()], found);
        }
        assert_eq!(record["versions"]["numpy"], "2.0");
        assert_eq!(record["versions"]["wowflow"], "0.1.0");
        assert_eq!((&record["threads"], &record["schema"]), (&json!(2), &json!(2)));
    }

    #[test]
    fn an_older_record_is_refused() {
        let file = std::env::temp_dir().join(format!("wowflow-xtask-schema-{}.json", std::process::id()));
        let mut old = record();
        std::fs::write(&file, old.to_string()).expect("written");
        assert_eq!(read(&file).expect("this version"), old);
        old["schema"] = json!(1);
        std::fs::write(&file, old.to_string()).expect("written");
        let message = read(&file).expect_err("old").to_string();
        assert!(message.contains("expected a record of schema 2, found 1: measure again"), "{message}");
        std::fs::remove_file(file).expect("removed");
    }

    #[test]
    fn sizes_are_read_from_our_bench() {
        let sizes = Sizes::of(&ours(1.0)).expect("complete");
        assert_eq!(sizes.steps, [[10, 200, 10, 784, 500]]);
        assert_eq!(sizes.distances, [[30, 20, 10, 5]]);
        assert_eq!((sizes.exact, sizes.entropic), (vec![vec![500, 500]], vec![vec![200, 200]]));
    }

    #[test]
    fn what_is_missing_or_different_is_named() {
        let message = |ours: Value| format!("{:#}", Sizes::of(&ours).expect_err("incomplete"));
        let mut without = ours(1.0);
        without["rows"][0].as_object_mut().expect("an object").remove("dim");
        assert_eq!(message(without), "in `/rows`: expected a field `/dim`, found none");
        let mut empty = ours(1.0);
        empty["sliced_value"] = json!([]);
        assert!(message(empty).contains("at least one row in `/sliced_value`"));

        let mut other = peers();
        other[3].1["threads"] = json!(1);
        let error =
            merge(json!({"versions": {}}), false, &[ours(1.0), ours(1.0)], other).expect_err("threads");
        assert_eq!(error.to_string(), "pot: expected 2 threads, found 1");
        let mut second = ours(1.0);
        second["rows"][0]["dim"] = json!(5);
        let error = merge(json!({"versions": {}}), false, &[ours(1.0), second], peers()).expect_err("sizes");
        assert!(error.to_string().contains("the same sizes in both runs"), "{error}");
    }
}
