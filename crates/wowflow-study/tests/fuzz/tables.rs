//! Text: tables, LIBSVM, names of datasets.

use std::path::Path;

use wowflow_data::DatasetSpec;

use crate::harness::{Files, Format, fuzz};
use crate::mutate::Mutator;
use crate::pack::{load, perhaps_compressed};

fn table(m: &mut Mutator) -> String {
    let separator = m.pick(&[",", ";", "\t", "|", " "]);
    let columns = 2 + m.below(3);
    let mut lines = Vec::new();
    if m.one_in(2) {
        let names = ["x", "height", "p0", "\"a b\"", "speed"];
        let names: Vec<&str> = (0..columns).map(|k| names[k]).chain(["label"]).collect();
        lines.push(names.join(separator));
    }
    for row in 0..4 + m.below(5) {
        let mut cells: Vec<String> =
            (0..columns).map(|_| format!("{}.{}", m.below(90), m.below(1000))).collect();
        cells.push(["ant", "bee"][row % 2].to_owned());
        lines.push(cells.join(separator));
    }
    lines.join("\n") + "\n"
}

fn draw_table(m: &mut Mutator) -> Files {
    let (text, other) = (table(m), table(m));
    let text = m.touch(text.into_bytes());
    let text = m.spliced(text, other.as_bytes());
    vec![("a.csv", perhaps_compressed(m, text))]
}

fn libsvm(m: &mut Mutator) -> String {
    let mut lines = String::new();
    for row in 0..2 + m.below(5) {
        lines += ["1", "-1", "2.0"][row % 3];
        if m.one_in(8) {
            lines += " qid:3";
        }
        let mut index = m.below(2);
        for _ in 0..1 + m.below(4) {
            index += 1 + m.below(5);
            lines += &format!(" {index}:{}.{}", m.below(9), m.below(100));
        }
        lines += if m.one_in(9) { " # note\n" } else { "\n" };
    }
    lines
}

fn draw_libsvm(m: &mut Mutator) -> Files {
    let (text, other) = (libsvm(m), libsvm(m));
    let text = m.touch(text.into_bytes());
    let text = m.spliced(text, other.as_bytes());
    vec![("a.libsvm", perhaps_compressed(m, text))]
}

fn draw_spec(m: &mut Mutator) -> Files {
    let bases = [
        "mnist",
        "fashion-mnist[test]",
        "glyphs:digits",
        "rings:source",
        "noise:32x32x3",
        "moons",
        "a.csv",
        "folder[train]",
        "./mnist",
        "table.csv[label=species,drop=id+2,sep=;]",
        "t.csv[sep=,,header=yes,decimal=comma,columns=place]",
        "C:\\data\\x.npz",
        "glyphs",
        "noise:784",
        "gaussians",
        "x[1].csv[val,label=3]",
    ];
    let mut text = m.pick(&bases).to_owned();
    if text == "glyphs" {
        text += ":letters";
    }
    if m.one_in(2) {
        text += &format!(":{}", 1 + m.below(300));
    }
    let text = m.text(&text);
    vec![("spec.txt", text.into_bytes())]
}

/// A name is refused, or it is written as it is read.
fn read_spec(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).unwrap();
    let spec: DatasetSpec = text.parse().map_err(|error: wowflow_data::DataError| error.to_string())?;
    let again: DatasetSpec =
        spec.to_string().parse().unwrap_or_else(|error| panic!("{text:?} as {spec}: {error}"));
    assert_eq!(again, spec, "{text:?}");
    Ok(())
}

#[test]
fn csv_tables() {
    fuzz(&Format { name: "table", draw: draw_table, read: load, inputs: 6000 });
}

#[test]
fn libsvm_files() {
    fuzz(&Format { name: "libsvm", draw: draw_libsvm, read: load, inputs: 4000 });
}

#[test]
fn names_of_datasets() {
    fuzz(&Format { name: "spec", draw: draw_spec, read: read_spec, inputs: 6000 });
}
