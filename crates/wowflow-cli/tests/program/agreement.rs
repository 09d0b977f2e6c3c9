//! `wowflow agreement` from end to end: an experiment from a file, its tables, going on, bad files.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wowflow::stats::correlation::{Bootstrap, correlations};

use crate::support::{Ran, file, folder, json as read_json, run, tree};

/// Small sets of drawn images, by two references and two sliced methods.
const TINY: &str = r#"
title = "Tiny"
datasets = ["glyphs:digits:9", "glyphs:letters:8", "noise:28x28:10"]
resize = "7x7"
seed = 3
directions = 40
references = ["exact OTDD", "wow"]

[pairs]
count = 6
classes = [1, 1]
samples = [2, 4]
same-set = "disjoint"

[[methods]]
method = "otdd"
name = "exact OTDD"

[[methods]]
method = "wow"

[[methods]]
method = "dsw"
name = "DSW, long"
length = 0.5
directions = 20

[[methods]]
method = "mmd-sw"
kernel = "gaussian"
bandwidth = 1
"#;

fn agreement(content: &str, folder: &Path, out: &Path) -> Ran {
    let file = file(folder, "tiny.toml", content);
    run([OsStr::new("agreement"), file.as_ref(), "--json".as_ref(), "--out".as_ref(), out.as_os_str()])
}

/// Values of a method, pair after pair.
fn values(result: &Value, method: usize) -> Vec<f64> {
    let pairs = result["pairs"].as_array().unwrap();
    pairs.iter().map(|pair| pair["values"][method].as_f64().unwrap()).collect()
}

#[test]
fn an_experiment_is_drawn_compared_and_ranked() {
    let folder = folder();
    let out = folder.path().join("run");
    let ran = agreement(TINY, folder.path(), &out).ok();
    let names = "agreement.csv agreement.json agreement.md agreement.png agreement-wow.png config.json pairs.jsonl \
        provenance.json";
    assert_eq!(tree(&out), names.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>());
    let result = read_json(out.join("agreement.json"));
    assert_eq!(ran.json()["methods"], result["methods"]);
    assert_eq!(result["pairs"].as_array().unwrap().len(), 6);

    // Correlations are those of the values, and no method is ranked against itself.
    let labels = ["exact OTDD", "wow", "DSW, long", "mmd-sw"];
    let all: Vec<Vec<f64>> = (0..4).map(|method| values(&result, method)).collect();
    for (index, label) in labels.iter().enumerate() {
        let method = &result["methods"][index];
        assert_eq!(method["label"], *label);
        assert_eq!(method["growth"], ["quadratic", "quadratic", "linear", "linear"][index]);
        let against = method["against"].as_array().unwrap();
        let references: Vec<usize> = [0, 1].into_iter().filter(|reference| *reference != index).collect();
        assert_eq!(against.len(), references.len());
        for (against, reference) in against.iter().zip(references) {
            assert_eq!(against["reference"], labels[reference]);
            let bootstrap = Bootstrap { seed: 3, ..Bootstrap::default() };
            let expected = correlations(&all[reference], &all[index], &bootstrap).unwrap();
            let found = &against["correlations"];
            for (name, expected) in [
                ("spearman", expected.spearman),
                ("kendall", expected.kendall),
                ("pearson", expected.pearson),
            ] {
                assert_eq!(found[name]["value"].as_f64(), Some(expected.value), "{label} {name}");
                assert_eq!(found[name]["low"].as_f64(), Some(expected.low), "{label} {name}");
                assert_eq!(found[name]["high"].as_f64(), Some(expected.high), "{label} {name}");
            }
        }
    }

    let text = fs::read_to_string(out.join("agreement.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let head = "pair,left,right,left classes,right classes,samples a class,exact OTDD,wow,\"DSW, long\",mmd-sw,seconds of";
    assert!(lines[0].starts_with(head), "{}", lines[0]);
    assert_eq!(lines.len(), 7);
    for (row, line) in lines[1..].iter().enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells[0], row.to_string());
        assert!(["2", "3", "4"].contains(&cells[5]), "{line}");
        assert_eq!(cells[6].parse(), Ok(all[0][row]));
    }
    let text = fs::read_to_string(out.join("agreement.md")).unwrap();
    assert!(text.contains("| DSW, long | ") && text.contains("Agreement with wow ("), "{text}");
    assert!(text.contains("Best of the methods of linear cost against exact OTDD: "), "{text}");
    for picture in ["agreement.png", "agreement-wow.png"] {
        assert!(image::open(out.join(picture)).unwrap().width() > 500);
    }
    let config = read_json(out.join("config.json"));
    assert_eq!(config["methods"][2]["directions"], json!(20));
    assert_eq!(config["methods"][2]["length"], json!(0.5));
    assert_eq!(config["methods"][3]["directions"], json!(40));
    let mut provenance = read_json(out.join("provenance.json"));
    assert!(provenance.as_object_mut().unwrap().remove("sha256").is_some());
    assert_eq!(provenance["datasets"].as_array().unwrap().len(), 3);
    assert_eq!(result["provenance"], provenance);
}

#[test]
fn pairs_of_whole_datasets_are_as_far_apart_as_distance_says() {
    let folder = folder();
    let out = folder.path().join("run");
    let whole = r#"
title = "Whole"
datasets = ["glyphs:digits:4", "clusters.csv"]
seed = 2
references = ["otdd"]
pairs = { count = 3, classes = 10, samples = 4, same-set = "never" }
methods = [{ method = "otdd" }, { method = "s-otdd", directions = 64, moments = 3 }, { method = "sw" }]
"#;
    // The other side: twenty letters of which ten classes are left.
    let letters = run(["flow", "--source", "glyphs:digits:4", "--target", "glyphs:digits:4", "--steps", "3"]
        .iter()
        .map(OsStr::new)
        .chain(["--out".as_ref(), folder.path().join("flow").as_os_str()]));
    letters.ok();
    let flowed = folder.path().join("flow/flowed.npz");
    let other = flowed.to_str().unwrap();
    agreement(&whole.replace("clusters.csv", other), folder.path(), &out).ok();
    let result = read_json(out.join("agreement.json"));
    for (index, options) in
        ["--method otdd", "--method s-otdd --directions 64 --moments 3", "--method sw"].iter().enumerate()
    {
        for (pair, value) in result["pairs"].as_array().unwrap().iter().zip(values(&result, index)) {
            let made = &pair["made"];
            let (left, right) = (made["left"].as_str().unwrap(), made["right"].as_str().unwrap());
            assert_ne!(left, right);
            let words = ["distance", left, right, "--seed", "2", "--json"].into_iter();
            let alone = run(words.chain(options.split(' '))).ok().json();
            let expected = alone["value"].as_f64().unwrap();
            // Samples stand in another order.
            assert!((value - expected).abs() <= 1e-6 * expected, "{options}: {value} {expected}");
        }
    }
    // All pairs are the same two datasets: no rank to agree on, and the result says so.
    let against = &result["methods"][2]["against"][0];
    if against["correlations"].is_null() {
        assert!(against["refused"].as_str().unwrap().contains("expected values that differ"), "{against}");
    }
}

#[test]
fn an_interrupted_experiment_goes_on_to_the_same_end() {
    let folder = folder();
    let out = folder.path().join("run");
    agreement(TINY, folder.path(), &out).ok();
    let resume = || run(["agreement".as_ref(), "--resume".as_ref(), out.as_os_str()]);
    resume().refused("expected an unfinished run, found ");
    let whole = read_json(out.join("agreement.json"));
    let lines = fs::read_to_string(out.join("pairs.jsonl")).unwrap();
    // As a kill leaves it: some pairs, a torn line, no results.
    let two: usize = lines.split_inclusive('\n').take(2).map(str::len).sum();
    fs::write(out.join("pairs.jsonl"), &lines[..two + 20]).unwrap();
    for name in ["agreement.json", "agreement.csv", "agreement.png"] {
        fs::remove_file(out.join(name)).unwrap();
    }
    let ran = resume().ok();
    assert!(ran.stdout.contains("2 of them are there"), "{}", ran.stdout);
    let again = read_json(out.join("agreement.json"));
    for method in 0..4 {
        assert_eq!(values(&whole, method), values(&again, method));
        assert_eq!(whole["methods"][method]["against"], again["methods"][method]["against"]);
    }
    assert_eq!(whole["pairs"][5]["made"], again["pairs"][5]["made"]);
    assert!(out.join("agreement.png").exists());

    // Neither another configuration nor foreign lines are taken.
    fs::remove_file(out.join("agreement.json")).unwrap();
    let first = lines.lines().next().unwrap();
    fs::write(out.join("pairs.jsonl"), format!("{first}\n{first}\n")).unwrap();
    resume().refused("expected line 2 as the run wrote it in ");
    fs::write(out.join("pairs.jsonl"), &lines).unwrap();
    let config = fs::read_to_string(out.join("config.json")).unwrap();
    fs::write(out.join("config.json"), config.replace("\"seed\": 3", "\"seed\": 4")).unwrap();
    resume().refused("expected the configuration that ");
}

#[test]
fn bad_files_are_refused_by_key_and_leave_no_trace() {
    let folder = folder();
    let out = folder.path().join("run");
    for (from, to, message) in [
        ("title = \"Tiny\"", "title = 5", "expected a text as title, found 5"),
        ("title = \"Tiny\"", "", "expected a text as title, found none"),
        ("seed = 3", "seed = -1", "expected a whole number of at least 0 as seed, found -1"),
        ("seed = 3", "sede = 3", "found sede"),
        ("seed = 3", "seed = = 3", "expected TOML, found on line 5: "),
        ("resize = \"7x7\"", "resize = \"7\"", "expected a size such as \"16x16\" as resize, found \"7\""),
        ("resize = \"7x7\"", "precision = \"f16\"", "expected one of f32, f64 as precision, found \"f16\""),
        (
            "glyphs:letters:8\"",
            "glyphs:digits:9\"",
            "expected every one of datasets once, found glyphs:digits:9 twice",
        ),
        ("\"glyphs:letters:8\"", "7", "expected a list of names of datasets as datasets, found ["),
        ("glyphs:letters:8", "no-such-set", "no-such-set"),
        ("count = 6", "count = 2", "expected a whole number from 3 to 1000000 as pairs.count, found 2"),
        ("count = 6", "cuont = 6", "as pairs.count, found none"),
        ("classes = [1, 1]", "classes = [3, 1]", "as pairs.classes, found [3, 1]"),
        (
            "classes = [1, 1]",
            "classes = 30",
            "expected at most 10 as pairs.classes, as glyphs:digits:9 has, found 30",
        ),
        (
            "samples = [2, 4]",
            "samples = 5",
            "expected 5 samples of every class as pairs.samples on each of two sides",
        ),
        (
            "\"disjoint\"",
            "\"both\"",
            "expected one of disjoint, overlapping, never as pairs.same-set, found \"both\"",
        ),
        (
            "same-set = \"disjoint\"",
            "",
            "expected one of disjoint, overlapping, never as pairs.same-set, found none",
        ),
        ("method = \"dsw\"", "method = \"swd\"", "as methods[2].method, found \"swd\""),
        ("method = \"dsw\"", "", "expected the name of a distance as methods[2].method, found none"),
        ("length = 0.5", "length = -1", "DSW, long"),
        ("length = 0.5", "lenght = 1", "found methods[2].lenght"),
        ("length = 0.5", "moments = 3", "expected moments with the method s-otdd only, found it with dsw"),
        (
            "kernel = \"gaussian\"",
            "kernel = \"pooled\"",
            "riesz, gaussian, laplace, imq as methods[3].kernel, found \"pooled\"",
        ),
        ("directions = 20", "directions = 0", "from 1 to 100000 as methods[2].directions, found 0"),
        (
            "bandwidth = 1",
            "bandwidth = \"auto\"",
            "expected a positive number as methods[3].bandwidth, found \"auto\"",
        ),
        ("bandwidth = 1", "", "expected a bandwidth of mmd-sw, one kernel for all pairs, found none"),
        ("name = \"exact OTDD\"", "name = \"WOW\"", "found wow twice: give one a name"),
        ("\"exact OTDD\", \"wow\"]", "\"otdd\"]", "in references, found otdd"),
        (
            "\"exact OTDD\", \"wow\"]",
            "\"wow\", \"wow\"]",
            "expected every one of references once, found wow twice",
        ),
    ] {
        assert!(TINY.contains(from), "{from}");
        agreement(&TINY.replacen(from, to, 1), folder.path(), &out).refused(message);
        assert!(!out.exists(), "{message}");
    }
    let one = TINY.replace(", \"glyphs:letters:8\", \"noise:28x28:10\"", "").replace("disjoint", "never");
    agreement(&one, folder.path(), &out)
        .refused("expected two or more datasets with pairs.same-set = \"never\"");
    run(["agreement", "nowhere.toml"]).refused("cannot read nowhere.toml");
    assert_eq!(run(["agreement"]).code, Some(2));
    assert_eq!(run(["agreement", "a.toml", "--resume", "b"]).code, Some(2));
}
