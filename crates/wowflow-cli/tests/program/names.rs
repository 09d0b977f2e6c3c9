//! Datasets where people have them: at any path, behind a pipe, under labels in either spelling of Unicode.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{file, folder, run};

const TABLE: &str = "x,y,label\n1,2,a\n3,4,b\n5,6,b\n";

fn info(name: &str) -> Value {
    run(["info", name, "--no-sheet", "--json"]).ok().json()
}

fn labels(info: &Value) -> Vec<String> {
    let classes = info["classes"].as_array().unwrap();
    classes.iter().map(|class| class["label"].as_str().unwrap().to_owned()).collect()
}

/// A folder of images of two pixels, one a class.
fn images(root: &Path, name: &str, classes: &[&str]) -> String {
    for (k, class) in classes.iter().enumerate() {
        let folder = root.join(name).join(class);
        fs::create_dir_all(&folder).unwrap();
        for (number, grey) in [[10 * k as u8, 200], [7, 9 + 20 * k as u8], [90, 3]].iter().enumerate() {
            let image = image::GrayImage::from_raw(2, 1, grey.to_vec()).unwrap();
            image.save(folder.join(format!("{number}.png"))).unwrap();
        }
    }
    root.join(name).to_str().unwrap().to_owned()
}

#[test]
fn paths_may_have_what_names_of_datasets_have() {
    let folder = folder();
    for name in ["run-10:30.csv", "a[1].csv", "b[train].csv", "c:5", "d[label=x].csv", "e:[f]:3.csv", "mnist"]
    {
        let path = file(folder.path(), name, TABLE);
        assert_eq!(info(&path)["samples"], 3, "{name}");
    }
    for name in ["run-10:30", "x[test]", "y:2"] {
        let path = images(folder.path(), name, &["a", "b"]);
        assert_eq!(labels(&info(&path)), ["a", "b"], "{name}");
    }
    // A path that is there is meant before a number behind it.
    let few = file(folder.path(), "few.csv", TABLE);
    assert_eq!(info(&format!("{few}:1"))["samples"], 2);
    file(folder.path(), "few.csv:1", "x,label\n1,a\n");
    assert_eq!(info(&format!("{few}:1"))["samples"], 1);
}

#[cfg(unix)]
#[test]
fn pipes_are_read_as_files_are() {
    let folder = folder();
    let file_of = |name: &str, content: &[u8]| file(folder.path(), name, content);
    let mut packed = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(TABLE.as_bytes(), flate2::Compression::fast());
    std::io::Read::read_to_end(&mut encoder, &mut packed).unwrap();
    let libsvm = "1 1:0.5 2:1\n2 1:1\n2 2:3\n";
    for (name, content) in [
        ("t.csv", TABLE.as_bytes()),
        ("t.tsv", TABLE.replace(',', "\t").as_bytes()),
        ("t.txt", TABLE.replace(',', " ").as_bytes()),
        ("t.csv.gz", &packed),
        ("t.svm", libsvm.as_bytes()),
    ] {
        let path = file_of(name, content);
        let expected = info(&path);
        let mut shell = std::process::Command::new("bash");
        let line = r#"exec "$0" info <(cat "$1") --no-sheet --json"#;
        let output = shell.args(["-c", line]).arg(env!("CARGO_BIN_EXE_wowflow")).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let found: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{name}: {said}"));
        for key in ["samples", "dim", "minimum", "maximum", "mean"] {
            assert_eq!(found[key], expected[key], "{name}");
        }
        assert_eq!(labels(&found), labels(&expected), "{name}");
    }
}

#[test]
fn one_label_in_two_spellings_is_one() {
    let folder = folder();
    let (composed, decomposed) = (["caf\u{e9}", "na\u{ef}ve"], ["cafe\u{301}", "nai\u{308}ve"]);
    let pair = [images(folder.path(), "nfc", &composed), images(folder.path(), "nfd", &decomposed)];
    assert_eq!(labels(&info(&pair[0])), composed);
    assert_eq!(labels(&info(&pair[1])), composed);
    let table = |name: &str, labels: [&str; 2]| {
        file(folder.path(), name, format!("x,label\n1,{}\n2,{}\n3,{}\n", labels[0], labels[1], labels[1]))
    };
    for path in [table("nfc.csv", composed), table("nfd.csv", decomposed)] {
        assert_eq!(labels(&info(&path)), composed);
    }
    #[cfg(feature = "learn")]
    {
        let ends = [&pair[0], &format!("{}:2", pair[0])];
        let few = ["--tries", "1", "--trainings", "1", "--epochs", "1", "--methods", "target-only"];
        let out = folder.path().join("run");
        let test = ["transfer", ends[0], ends[1], "--test", &pair[1], "--out", out.to_str().unwrap()];
        run([&test[..], &few].concat()).ok();
    }
}
