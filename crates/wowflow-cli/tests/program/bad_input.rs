//! Bad input: one clear line that says what was expected and found, an exit code, and no traces.

use std::path::Path;

use crate::support::{file, folder, run, tree};

/// An IDX file: its type, extents and bytes.
fn idx(kind: u8, extents: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut content = vec![0, 0, kind, extents.len() as u8];
    content.extend(extents.iter().flat_map(|extent| extent.to_be_bytes()));
    content.extend(bytes);
    content
}

fn prepare(folder: &Path) {
    file(folder, "cut-images-idx3-ubyte", idx(8, &[3, 2, 2], &[0; 5]));
    file(folder, "cut-labels-idx1-ubyte", idx(8, &[3], &[0; 3]));
    file(folder, "odd-images-idx3-ubyte", b"not an IDX file at all");
    file(folder, "odd-labels-idx1-ubyte", idx(8, &[3], &[0; 3]));
    file(folder, "few-images-idx3-ubyte", idx(8, &[3, 2, 2], &[0; 12]));
    file(folder, "few-labels-idx1-ubyte", idx(8, &[2], &[0; 2]));
    file(folder, "nan.csv", "x,y,label\n1,2,a\n3,NaN,b\n");
    file(folder, "five.csv", "1,2,3,4,5,a\n2,3,4,5,6,a\n");
    file(folder, "plain.csv", "1,2,a\n2,3,a\n0,1,b\n4,4,b\n");
}

/// What is typed, the exit code and the message; `DIR` stands for the folder of the files.
const CASES: &[(&str, i32, &str)] = &[
    ("flow DIR/missing.npz rings --out DIR/run", 1, "error: DIR/missing.npz: no such file or folder"),
    (
        "flow rings --out DIR/run",
        1,
        "error: expected a source and a target, found rings alone: name the target after it or by --target",
    ),
    (
        "flow --target rings --out DIR/run",
        1,
        "error: expected a source and a target, found the target rings alone: name the source by --source",
    ),
    (
        "flow rings moons --source rings --out DIR/run",
        1,
        "error: expected one source and one target, found rings, rings and moons",
    ),
    ("distance", 1, "error: expected a source and a target, found neither: name them, one after the other"),
    (
        "flow DIR/cut-images-idx3-ubyte rings --out DIR/run",
        1,
        "error: DIR/cut-images-idx3-ubyte: expected 28 bytes, found 21: the file is cut short",
    ),
    (
        "flow DIR/odd-images-idx3-ubyte rings --out DIR/run",
        1,
        "error: DIR/odd-images-idx3-ubyte: expected the IDX magic number 0x00000803 (images), found 0x6e6f7420",
    ),
    (
        "flow DIR/few-images-idx3-ubyte rings --out DIR/run",
        1,
        "error: DIR/few-labels-idx1-ubyte: expected 3 labels, one for each image in few-images-idx3-ubyte, found 2",
    ),
    (
        "flow --source DIR/nan.csv --target rings --out DIR/run",
        1,
        "error: DIR/nan.csv: expected a finite number at line 3, column `y`, found `NaN`: leave out such lines (pandas: dropna), or fill them in",
    ),
    (
        "flow --source rings:5 --target DIR/five.csv --out DIR/run",
        1,
        "error: expected datasets of the same dimension, found 2 (rings:5) and 5 (DIR/five.csv): embed all in a shared space first",
    ),
    (
        "flow mnits rings --out DIR/run",
        1,
        "error: unknown dataset `mnits`: expected a file, a folder or one of mnist, fashion-mnist, kmnist, usps, cifar10, svhn, rings, rings:source, gaussians, moons, noise, noise:WIDTHxHEIGHT, noise:WIDTHxHEIGHTx3, noise:DIMENSION, glyphs:digits, glyphs:letters; did you mean `mnist`?",
    ),
    (
        "flow mnist rings --data-dir DIR --out DIR/run",
        1,
        "error: mnist[train]: expected train-images-idx3-ubyte and train-labels-idx1-ubyte, .gz or not, in DIR/mnist; found none; `wowflow fetch mnist` downloads it",
    ),
    (
        "flow rings:0 rings --out DIR/run",
        1,
        "error: dataset `rings:0`: expected at least 1 sample a class after the last colon, found `0`",
    ),
    (
        "flow --source DIR/plain.csv:3 --target rings:3 --out DIR/run",
        1,
        "error: DIR/plain.csv: expected at least 3 samples in class a, found 2",
    ),
    (
        "flow --source rings:3 --target rings:4 --out DIR/plain.csv/run",
        1,
        "error: expected a folder to create DIR/plain.csv/run in, found the file DIR/plain.csv",
    ),
    (
        "flow --source rings:3 --target rings:4 --out DIR/plain.csv",
        1,
        "error: expected a folder to create, found the file DIR/plain.csv",
    ),
    (
        "flow --source rings:3 --target rings:4 --out DIR/plain.csv/",
        1,
        "error: expected a folder to create, found the file DIR/plain.csv",
    ),
    (
        "flow --momentum 1.0 --source rings:3 --target rings:4 --out DIR/run",
        1,
        "error: expected momentum at least 0 and below 1, found 1",
    ),
    (
        "flow --source rings:3 --target rings:4 --kernel gaussian --exponent 1 --out DIR/run",
        1,
        "error: expected exponent with the riesz kernel only, found it with the gaussian kernel",
    ),
    (
        "flow --json --source DIR/nan.csv --target rings --out DIR/run",
        1,
        "error: DIR/nan.csv: expected a finite number at line 3, column `y`, found `NaN`: leave out such lines (pandas: dropna), or fill them in",
    ),
    (
        "flow --step-size -1 --out DIR/run",
        2,
        "error: invalid value '-1' for '--step-size <SIZE>': expected auto, adaptive:X, eta:X or a positive number, found `-1`",
    ),
    (
        "flow --step-size fast --out DIR/run",
        2,
        "error: invalid value 'fast' for '--step-size <SIZE>': expected auto, adaptive:X, eta:X or a positive number, found `fast`",
    ),
    (
        "flow --bandwidth 0 --out DIR/run",
        2,
        "error: invalid value '0' for '--bandwidth <H>': expected auto or a positive number, found `0`",
    ),
    (
        "flow --directions 0 --out DIR/run",
        2,
        "error: invalid value '0' for '--directions <L>': expected a whole number from 1 to 100000, found `0`",
    ),
    (
        "flow --directions 99999999999999 --out DIR/run",
        2,
        "error: invalid value '99999999999999' for '--directions <L>': expected a whole number from 1 to 100000, found `99999999999999`",
    ),
    (
        "flow --steps many --out DIR/run",
        2,
        "error: invalid value 'many' for '--steps <N>': expected a whole number of at least 0, found `many`",
    ),
    (
        "flow --momentum high --out DIR/run",
        2,
        "error: invalid value 'high' for '--momentum <M>': expected a number, found `high`",
    ),
    (
        "flow --threads 0 --out DIR/run",
        2,
        "error: invalid value '0' for '--threads <N>': 0 is not in 1..=65535",
    ),
    (
        "flow --kernel cosine --out DIR/run",
        2,
        "error: invalid value 'cosine' for '--kernel <KERNEL>' [possible values: riesz, gaussian, laplace, imq]",
    ),
    (
        "rings --samples 0 --out DIR/run",
        2,
        "error: invalid value '0' for '--samples <N>': expected a whole number of at least 1, found `0`",
    ),
    (
        "rings --out DIR/plain.csv/run",
        1,
        "error: expected a folder to create DIR/plain.csv/run in, found the file DIR/plain.csv",
    ),
    ("distance DIR/missing.npz rings:3", 1, "error: DIR/missing.npz: no such file or folder"),
    (
        "distance DIR/nan.csv rings:3 --figure DIR/figure.png",
        1,
        "error: DIR/nan.csv: expected a finite number at line 3, column `y`, found `NaN`: leave out such lines (pandas: dropna), or fill them in",
    ),
    (
        "distance rings:3 rings:4 --figure DIR/no/folder/figure.png",
        1,
        "error: expected a folder for DIR/no/folder/figure.png at DIR/no/folder, found none",
    ),
    ("distance rings:3 rings:4 --figure DIR/plain.csv", 1, "error: cannot write DIR/plain.csv: file exists"),
    (
        "distance rings:3 rings:4 --resize 3",
        2,
        "error: invalid value '3' for '--resize <WIDTHxHEIGHT>': expected WIDTHxHEIGHT with sides from 1 to 4096, found `3`",
    ),
    (
        "pairwise rings:3 rings:4 --out DIR/plain.csv/run",
        1,
        "error: expected a folder to create DIR/plain.csv/run in, found the file DIR/plain.csv",
    ),
    ("info DIR/missing", 1, "error: DIR/missing: no such file or folder"),
    (
        "info DIR/nan.csv",
        1,
        "error: DIR/nan.csv: expected a finite number at line 3, column `y`, found `NaN`: leave out such lines (pandas: dropna), or fill them in",
    ),
    ("info rings:4 --sheet DIR/plain.csv", 1, "error: cannot write DIR/plain.csv: file exists"),
    (
        "info DIR/five.csv --sheet DIR/sheet.png",
        1,
        "error: expected images or points in the plane for a contact sheet, found points of dimension 5 in DIR/five.csv",
    ),
    (
        "info rings:4 --sheet DIR/no/folder/sheet.png",
        1,
        "error: expected a folder for DIR/no/folder/sheet.png at DIR/no/folder, found none",
    ),
    (
        "fetch mnits --data-dir DIR",
        1,
        "error: expected one of mnist, fashion-mnist, kmnist, usps, cifar10, svhn, found `mnits`",
    ),
    ("flow --resume DIR", 1, "error: expected a run directory with config.json, found none at DIR"),
];

#[test]
fn every_bad_input_has_its_line_and_leaves_no_trace() {
    let folder = folder();
    prepare(folder.path());
    let dir = folder.path().to_str().unwrap();
    let before = tree(folder.path());
    let mut wrong = Vec::new();
    for (typed, code, message) in CASES {
        let ran = run(typed.split(' ').map(|word| word.replace("DIR", dir)));
        let found = ran.stderr.replace(dir, "DIR");
        let line = match code {
            // The parser of the command line adds possible values and where to find help.
            2 => found
                .split("\n\n")
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            _ => found.strip_suffix('\n').unwrap_or_default().to_owned(),
        };
        if (ran.code, line.as_str(), ran.stdout.as_str()) != (Some(*code), *message, "") {
            wrong.push(format!("    ({typed:?}, {:?}, {line:?}),\n{}", ran.code, ran.stdout));
        }
        assert_eq!(tree(folder.path()), before, "{typed}");
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.concat());
}

/// Nothing can be created there, whoever asks.
#[cfg(target_os = "linux")]
#[test]
fn a_place_that_takes_no_folders_is_named() {
    for command in [&["flow", "--source", "rings:3", "--target", "rings:4"][..], &["rings", "--steps", "1"]] {
        run([command, &["--out", "/proc/run"]].concat()).refused(
            "expected a place to create the folder /proc/run, found none: No such file or directory",
        );
    }
}
