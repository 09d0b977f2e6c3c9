//! Data of any scale and place: the program's answers are those for data near 0 and 1.

use std::path::Path;

use crate::support::{file, folder, number, run};

/// Three classes of points in the plane, in no order, as text that keeps all digits.
fn table(folder: &Path, name: &str, seed: u64, change: impl Fn(usize, f64) -> f64) -> String {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f64 / f64::from(1 << 24)) - 0.5
    };
    let mut text = "a,b,label\n".to_owned();
    for row in 0..45 {
        let class = row % 3;
        let x = [next() + [0.0, 3.0, 0.0][class], next() + [0.0, 0.0, 3.0][class]];
        text += &format!("{:e},{:e},{}\n", change(0, x[0]), change(1, x[1]), ["u", "v", "w"][class]);
    }
    file(folder, &format!("{name}.csv"), text)
}

fn pair(folder: &Path, name: &str, change: impl Fn(usize, f64) -> f64) -> [String; 2] {
    let target = |column, x: f64| change(column, 1.4 * x + 0.7);
    [table(folder, &format!("{name}-s"), 1, &change), table(folder, &format!("{name}-t"), 2, target)]
}

/// Where the samples of a flow end.
fn ends(folder: &Path, [source, target]: &[String; 2], more: &[&str]) -> Vec<f64> {
    let out = folder.join(format!("out-{}", std::fs::read_dir(folder).unwrap().count()));
    let args =
        ["flow", source, target, "--steps", "40", "--directions", "64", "--out", out.to_str().unwrap()];
    run([&args[..], more].concat()).ok();
    let arrays = wowflow_data::npy::read_npz(out.join("flowed.npz")).unwrap();
    let (_, x) = arrays.into_iter().find(|(name, _)| name == "X").unwrap();
    x.to_f64().unwrap()
}

#[test]
fn flows_do_not_see_where_data_lie() {
    let folder = folder();
    let near = ends(folder.path(), &pair(folder.path(), "near", |_, x| x), &["--precision", "f64"]);
    // A common offset, one column far away (seconds since 1970), columns on both sides.
    let places: [(&str, [f64; 2]); 6] = [
        ("ten", [10.0, 10.0]),
        ("thousand", [1e3, 1e3]),
        ("million", [-1e6, 1e6]),
        ("hundred-million", [1e8, 1e8]),
        ("billion", [3e9, 3e9]),
        ("time", [1.7e9, 0.0]),
    ];
    for (name, offset) in places {
        let data = pair(folder.path(), name, |column, x| x + offset[column]);
        let found = ends(folder.path(), &data, &[]);
        // Rounding of the input, which 40 steps enlarge little; single precision up to an offset of 16 ranges.
        let largest = offset[0].abs().max(offset[1].abs());
        let tolerance = if largest < 16.0 { 1e-4 } else { 1e3 * f64::EPSILON * largest + 1e-9 };
        for (at, (found, near)) in found.iter().zip(&near).enumerate() {
            let moved = found - offset[at % 2];
            assert!((moved - near).abs() < tolerance, "{name}, {at}: {moved} for {near}");
        }
    }
}

#[test]
fn flows_do_not_see_the_unit_of_data() {
    let folder = folder();
    let f64 = ["--precision", "f64"];
    let one = ends(folder.path(), &pair(folder.path(), "one", |_, x| x), &f64);
    for unit in [1e-140, 1e-60, 1e-9, 1e12, 1e60, 1e140] {
        let data = pair(folder.path(), &format!("{unit:e}"), |_, x| unit * x);
        let found = ends(folder.path(), &data, &f64);
        for (found, one) in found.iter().zip(&one) {
            assert!((found / unit - one).abs() < 1e-9, "{unit:e}: {found:e} for {one}");
        }
    }
}

#[test]
fn distances_do_not_see_the_unit_of_data() {
    let folder = folder();
    let value = |data: &[String; 2], method: &str| {
        let ran = run(["distance", &data[0], &data[1], "--method", method, "--json"]).ok();
        number(&serde_json::from_str(&ran.stdout).unwrap(), "value")
    };
    let one = pair(folder.path(), "one", |_, x| x);
    for unit in [1e-150, 1e-20, 1e9, 1e140] {
        let data = pair(folder.path(), &format!("{unit:e}"), |_, x| unit * x);
        for method in ["otdd", "wow", "w2", "sw", "wow-gaussian"] {
            let (found, one) = (value(&data, method) / unit, value(&one, method));
            assert!((found - one).abs() < 1e-9 * one, "{method}, {unit:e}: {found} for {one}");
        }
    }
}

/// What becomes of a value of a column, by a name.
#[cfg(feature = "learn")]
type Change<'a> = (&'a str, &'a dyn Fn(usize, f64) -> f64);

/// Accuracies of a short experiment.
#[cfg(feature = "learn")]
fn accuracies(out: &Path, args: &[&str]) -> Vec<f64> {
    run([args, &["--out", out.to_str().unwrap()]].concat()).ok();
    let results = crate::support::json(out.join("results.json"));
    assert_eq!(results["units"]["cells"], "percent");
    results["cells"].as_array().unwrap().iter().map(|cell| number(cell, "mean")).collect()
}

#[cfg(feature = "learn")]
#[test]
fn classifiers_do_not_see_units_or_places_of_columns() {
    let folder = folder();
    let learn = |name: &str, change: &dyn Fn(usize, f64) -> f64| {
        let [source, target] = pair(folder.path(), name, change);
        let out = |command: &str| folder.path().join(format!("{name}-{command}"));
        let few = format!("{target}:5");
        let adapt = ["adapt", &source, &target, "--steps", "2", "--tries", "1", "--training-steps", "60"];
        let transfer = ["transfer", &source, &few, "--steps", "2", "--tries", "1", "--trainings", "1"];
        let distill =
            ["distill", &source, "--per-class", "3", "--steps", "2", "--tries", "1", "--trainings", "1"];
        let epochs = ["--epochs", "20"];
        [
            accuracies(&out("adapt"), &adapt),
            accuracies(&out("transfer"), &[&transfer[..], &epochs].concat()),
            accuracies(&out("distill"), &[&distill[..], &epochs].concat()),
        ]
    };
    let plain = learn("plain", &|_, x| x);
    // Classes this far apart are told apart by any network that learns.
    assert!(plain[0].iter().all(|mean| *mean > 90.0) && plain[1][0] > 90.0, "{plain:?}");
    let changes: [Change<'_>; 5] = [
        ("offset", &|_, x| x + 1e6),
        ("time", &|column, x| if column == 0 { x + 1.7e9 } else { x }),
        ("apart", &|column, x| if column == 0 { 1e4 * x } else { 1e-4 * x }),
        ("large", &|_, x| 1e9 * x),
        ("small", &|_, x| 1e-9 * x - 1e-7),
    ];
    for (name, change) in changes {
        let found = learn(name, change);
        // Flows see columns in their units, classifiers do not: `target-only` and `random` come first in their tables.
        let both = |all: &[Vec<f64>; 3]| match name {
            "apart" => vec![all[1][0], all[2][0]],
            _ => all.iter().flatten().copied().collect(),
        };
        for (found, plain) in both(&found).iter().zip(both(&plain)) {
            assert!((found - plain).abs() < 15.0, "{name}: {found} for {plain}");
        }
    }
}
