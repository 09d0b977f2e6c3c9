//! Transfer, adaptation and distillation on a stranger's data: folders of pictures, names as labels, classes of any
//! sizes.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wowflow_data::{LoadOptions, load};

use crate::support::{Ran, file, folder, json, run, tree};

/// A folder of grey pictures a class; each class is a bar of its own, drawn with a little variation.
fn pictures(root: &Path, side: u32, classes: &[(&str, u32)]) -> String {
    for (at, (class, count)) in classes.iter().enumerate() {
        let folder = root.join(class);
        fs::create_dir_all(&folder).unwrap();
        for number in 0..*count {
            let row = (at as u32 + 1) * side / (classes.len() as u32 + 1);
            let picture = image::GrayImage::from_fn(side, side, |x, y| {
                let bright = if y.abs_diff(row) < 2 { 200 } else { 20 };
                image::Luma([bright + ((3 * x + 7 * y + 11 * number) % 23) as u8])
            });
            picture.save(folder.join(format!("{number}.png"))).unwrap();
        }
    }
    root.to_str().unwrap().to_owned()
}

/// Asserts an error of one line, after what was said on the way.
#[track_caller]
fn fails(ran: &Ran, words: &str) {
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    let line = ran.stderr.lines().last().unwrap();
    assert!(line.starts_with("error: ") && line.contains(words), "{words}: {line}");
}

fn into(args: &[&str], out: &Path) -> Ran {
    run(args.iter().map(OsStr::new).chain(["--out".as_ref(), out.as_os_str()]))
}

/// Records without what depends on the clock and the machine.
fn repetitions(out: &Path) -> Vec<Value> {
    let text = fs::read_to_string(out.join("repetitions.jsonl")).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let without_clock = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        for key in ["move_seconds", "train_seconds"] {
            assert!(record[key].take().as_f64().unwrap() >= 0.0, "{line}");
        }
        assert!(record["machine"].take().is_string() && record["sha256"].take().is_string(), "{line}");
        for point in record["curve"].as_array_mut().into_iter().flatten() {
            assert!(point["seconds"].take().as_f64().unwrap() >= 0.0, "{line}");
        }
        record
    };
    text.lines().map(without_clock).collect()
}

/// The notes of all repetitions of a method.
fn notes(records: &[Value], method: &str) -> String {
    let own = records.iter().filter(|record| record["method"] == method);
    own.flat_map(|record| record["notes"].as_array().unwrap()).map(|note| format!("{note}\n")).collect()
}

const SHORT: [&str; 10] =
    ["--tries", "2", "--trainings", "2", "--epochs", "2", "--steps", "5", "--network", "mlp"];

#[test]
fn transfer_takes_folders_of_pictures_as_they_are() {
    let folder = folder();
    let source = pictures(&folder.path().join("a"), 12, &[("cat", 5), ("dog", 1)]);
    let target = pictures(&folder.path().join("b"), 10, &[("apple", 11), ("fig", 2), ("pear", 6)]);
    let out = folder.path().join("run");
    let methods = "target-only,mmd-sw,otdd,geodesic";
    let command =
        [&["transfer", "--source", &source, "--target", &target, "--methods", methods][..], &SHORT].concat();
    let ran = into(&command, &out).ok();

    let records = repetitions(&out);
    assert_eq!(records.len(), 8);
    // A fifth of each class, rounded down, is held out: 2 apples, no fig, a pear. 9 + 2 + 5 are left.
    for record in &records {
        assert_eq!(record["tested"], 3, "{record}");
        let moved = if record["method"] == "target-only" { 0 } else { 6 };
        assert_eq!(record["trained_on"], 16 + moved, "{record}");
        assert_eq!(record["accuracies"].as_array().unwrap().len(), 2);
    }
    let seeds: Vec<&Value> = records.iter().map(|record| &record["seed"]).collect();
    assert!(seeds.iter().any(|seed| *seed != seeds[0]), "every try draws anew");
    let said = notes(&records, "geodesic");
    for words in [
        "resized from 12x12 to 10x10",
        "tested on the 3 samples that were not drawn",
        "has no samples of fig: accuracies say nothing of them",
        "cat became ",
        "dog became ",
        "(33 % elsewhere)",
        "no sample became ",
    ] {
        assert!(said.contains(words) && ran.stdout.contains(words), "{words}: {said}\n{}", ran.stdout);
    }
    assert!(!notes(&records, "target-only").contains("became"));
    // Labels that samples have of their own reach all three classes from two.
    let own = notes(&records, "otdd");
    assert!(own.contains(" became ") && !own.contains("no sample became "), "{own}");

    assert!(image::open(out.join("results-by-row.png")).is_ok());
    let page = fs::read_to_string(out.join("results.md")).unwrap();
    for words in ["target-only", "mmd-sw", "5 steps", "paired t over tries"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(
        page.contains(&format!("to {target}, tested on what is left")) && !page.contains("{row}"),
        "{page}"
    );
    let files = tree(&out);
    for end in ["-mmd-sw.npz", "-mmd-sw.png", "-geodesic.npz", "-geodesic.png"] {
        let made = files.iter().find(|name| name.starts_with("samples/") && name.ends_with(end));
        let path = out.join(made.unwrap_or_else(|| panic!("{end}: {files:?}")));
        if end.ends_with("npz") {
            let moved =
                load(&path.to_str().unwrap().parse().unwrap(), &LoadOptions::default()).unwrap().dataset;
            assert_eq!((moved.len(), moved.dim()), (6, 100), "samples have the target's labels and size");
        }
    }
    let result = json(out.join("results.json"));
    assert_eq!(result["repetitions"].as_array().unwrap().len(), 8);
    assert_eq!(json(out.join("config.json"))["tries"], 2);
    let odd: Vec<String> = tree(&out).into_iter().filter(|name| name.ends_with(".tmp")).collect();
    assert!(odd.is_empty(), "{odd:?}");

    // The same on one thread, and as one object for other programs.
    let again = folder.path().join("again");
    let ran = into(&[&command[..], &["--threads", "1", "--json"]].concat(), &again).ok();
    assert_eq!(repetitions(&again), records);
    let told = ran.json();
    assert_eq!(told["cells"].as_array().unwrap().len(), 4);
    assert_eq!(told["cells"][0]["method"], "target-only");
    // What was there is not overwritten.
    into(&command, &again).refused("again");
}

#[test]
fn a_killed_transfer_goes_on() {
    let folder = folder();
    let out = folder.path().join("run");
    let command = ["transfer", "--source", "gaussians:9", "--target", "gaussians:3", "--test", "gaussians:5"];
    into(&[&command[..], &SHORT].concat(), &out).ok();
    let whole = fs::read_to_string(out.join("repetitions.jsonl")).unwrap();
    assert_eq!(whole.lines().count(), 6);

    // What a kill in the middle of a line leaves.
    let killed = folder.path().join("killed");
    fs::create_dir(&killed).unwrap();
    fs::create_dir(killed.join("samples")).unwrap();
    for name in ["config.json", "provenance.json", "samples/gaussians-3-mmd-sw.npz"] {
        fs::copy(out.join(name), killed.join(name)).unwrap();
    }
    let lines: Vec<&str> = whole.lines().collect();
    file(&killed, "repetitions.jsonl", format!("{}\n{}\n{}", lines[0], lines[1], &lines[2][..40]));
    let killed_at = killed.to_str().unwrap();
    run(["adapt", "--resume", killed_at]).refused("expected a run of this command");
    run(["transfer", "--resume", killed_at]).ok();
    assert_eq!(repetitions(&killed), repetitions(&out));
    let kept = fs::read_to_string(killed.join("repetitions.jsonl")).unwrap();
    assert!(kept.starts_with(&format!("{}\n{}\n", lines[0], lines[1])), "finished ones are kept: {kept}");
    run(["transfer", "--resume", killed_at]).refused("finished");

    // Another configuration is not gone on with.
    let config = fs::read_to_string(out.join("config.json")).unwrap();
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::copy(out.join("provenance.json"), other.join("provenance.json")).unwrap();
    file(&other, "config.json", config.replace("\"tries\": 2", "\"tries\": 3"));
    file(&other, "repetitions.jsonl", "");
    run(["transfer", "--resume", other.to_str().unwrap()]).refused("found another in config.json");
}

#[test]
fn a_classifier_is_kept_and_looks_again() {
    let folder = folder();
    let source = pictures(&folder.path().join("a"), 10, &[("cat", 4), ("dog", 3), ("owl", 2)]);
    let target = pictures(&folder.path().join("b"), 10, &[("apple", 5), ("pear", 3)]);
    let kept = folder.path().join("kept.safetensors");
    let kept = kept.to_str().unwrap();
    let command = ["adapt", "--source", &source, "--target", &target, "--steps", "5", "--every", "2"];
    let trained = ["--training-steps", "60", "--network", "mlp", "--tries", "2", "--save-classifier", kept];
    let out = folder.path().join("run");
    into(&[&command[..], &trained].concat(), &out).ok();

    let records = repetitions(&out);
    assert_eq!(records.len(), 4);
    let curve = |record: &Value| -> Vec<(f64, f64)> {
        let number = |point: &Value, key: &str| point[key].as_f64().unwrap();
        let points = record["curve"].as_array().unwrap().iter();
        points.map(|point| (number(point, "at"), number(point, "accuracy"))).collect()
    };
    for record in &records {
        let curve = curve(record);
        let at: Vec<f64> = curve.iter().map(|(at, _)| *at).collect();
        if record["method"] == "geodesic" {
            assert_eq!((at[0], at[at.len() - 1]), (0.0, 1.0));
        } else {
            assert_eq!(at, [0.0, 2.0, 4.0, 5.0]);
        }
        assert!(curve.iter().all(|(_, share)| (0.0..=1.0).contains(share)), "{record}");
        assert_eq!(record["accuracies"], json!([curve[curve.len() - 1].1]));
        assert_eq!((&record["tested"], &record["trained_on"]), (&json!(9), &json!(8)));
    }
    assert!(notes(&records, "mmd-sw").contains("of the target's samples"));
    for name in ["results-steps.png", "results-seconds.png"] {
        assert!(image::open(out.join(name)).is_ok(), "{name}");
    }

    // The classifier of the first try, loaded, sees what it saw.
    let again = folder.path().join("again");
    into(&[&command[..], &["--tries", "1", "--classifier", kept]].concat(), &again).ok();
    let loaded = repetitions(&again);
    for method in ["mmd-sw", "geodesic"] {
        let first = |records: &[Value]| {
            curve(records.iter().find(|r| r["method"] == method && r["attempt"] == 0).unwrap())
        };
        assert_eq!(first(&loaded), first(&records), "{method}");
    }
    // It is not overwritten, and not asked about classes it does not know.
    let third = folder.path().join("third");
    into(&[&command[..], &trained].concat(), &third)
        .refused("expected a new file to write the classifier to");
    let swapped = ["adapt", "--source", &target, "--target", &source, "--steps", "5", "--classifier", kept];
    into(&swapped, &third).refused("with 3 classes");
    let others = pictures(&folder.path().join("c"), 10, &[("fig", 4), ("pear", 3)]);
    let other = ["adapt", "--source", &source, "--target", &others, "--steps", "5", "--classifier", kept];
    into(&other, &third).refused("expected a classifier of the classes fig, pear");
    // Only what is asked for is run, and what cannot be asked is refused.
    let one = ["--tries", "1", "--classifier", kept, "--methods"];
    let geodesic = ["adapt", "--source", &source, "--target", &target];
    into(&[&geodesic[..], &one, &["geodesic"]].concat(), &folder.path().join("fourth")).ok();
    assert_eq!(repetitions(&folder.path().join("fourth")).len(), 1);
    into(&[&geodesic[..], &one, &["random"]].concat(), &third)
        .refused("expected one of mmd-sw, otdd, product, geodesic for this task, found random");
    assert!(!third.exists());
}

#[test]
fn steps_are_those_of_every_method_that_flows() {
    let folder = folder();
    let out = folder.path().join("run");
    let data = ["transfer", "--source", "gaussians:5", "--target", "gaussians:3"];
    let methods = ["--methods", "mmd-sw,otdd,product,geodesic"];
    into(&[&data[..], &SHORT, &methods].concat(), &out).ok();
    for record in repetitions(&out) {
        assert_eq!(record["steps"], if record["method"] == "geodesic" { 1 } else { 5 }, "{record}");
    }
    let other = folder.path().join("other");
    let still = ["--steps", "5", "--methods", "target-only,geodesic"];
    into(&[&data[..], &still].concat(), &other).refused("expected steps with a method that flows");
    let published = ["--steps", "5", "--published-tau", "1", "--methods", "otdd"];
    into(&[&data[..], &published].concat(), &other).refused("expected published-tau with the method mmd-sw");
    assert!(!other.exists());
}

#[test]
fn what_cannot_be_transferred_is_named() {
    let folder = folder();
    let plain = file(folder.path(), "plain.csv", "1,2,a\n2,3,a\n0,1,b\n4,4,b\n");
    let wide = file(folder.path(), "wide.csv", "1,2,3,a\n2,3,4,b\n");
    let other = file(folder.path(), "other.csv", "1,2,x\n2,3,y\n");
    for (index, (args, words)) in [
        (
            vec!["--source", &wide, "--target", &plain, "--test", &plain],
            "expected datasets of the same dimension",
        ),
        (
            vec!["--source", &plain, "--target", &plain, "--test", &other],
            "its labels are x, y, the target's a, b",
        ),
        (vec!["--source", &plain, "--target", &plain], "give a test set"),
        (
            vec!["--source", &plain, "--target", &plain, "--test", &plain, "--network", "lenet5"],
            "expected images for",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let out = folder.path().join(index.to_string());
        fails(&into(&[&["transfer"][..], &args].concat(), &out), words);
    }
}

#[test]
fn few_pictures_are_distilled_and_networks_are_trained_on_them_alone() {
    let folder = folder();
    let data = pictures(&folder.path().join("a"), 16, &[("apple", 9), ("pear", 6), ("plum", 3)]);
    let command = [&["distill", &data, "--per-class", "4"], &SHORT[..]].concat();
    let out = folder.path().join("run");
    into(&command, &out).ok();
    let records = repetitions(&out);
    let methods: Vec<&str> = records.iter().map(|record| record["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["random", "matched-sw", "random", "matched-sw"]);
    for record in &records {
        // A fifth of every class is held out: 1 of 9, 1 of 6, none of 3.
        assert_eq!((&record["trained_on"], &record["tested"]), (&json!(11), &json!(2)));
        assert_eq!(record["steps"], if record["method"] == "random" { 0 } else { 5 });
        assert_eq!(record["accuracies"].as_array().unwrap().len(), 2);
    }
    assert!(notes(&records, "random").contains("fewer than 4 samples, taken whole: plum"));
    let path = out.join("samples/4-matched-sw.npz");
    let made = load(&path.to_str().unwrap().parse().unwrap(), &LoadOptions::default()).unwrap().dataset;
    let sizes: Vec<usize> = (0..3).map(|class| made.class_rows(class).len()).collect();
    let labels: Vec<String> = made.classes().iter().map(ToString::to_string).collect();
    assert_eq!((labels, sizes), (["apple", "pear", "plum"].map(str::to_owned).to_vec(), vec![4, 4, 3]));
    for name in ["samples/4-matched-sw.png", "results-by-row.png"] {
        assert!(image::open(out.join(name)).is_ok(), "{name}");
    }
    assert!(out.join("results.md").exists());

    // Through a random network too classes are compared one by one; the real samples are the same ones.
    let embedded = folder.path().join("embedded");
    let once: Vec<&str> = command.iter().map(|&word| if word == "2" { "1" } else { word }).collect();
    into(&[&once[..], &["--embed", "--augment", "upright"]].concat(), &embedded).ok();
    let through = repetitions(&embedded);
    let methods: Vec<&str> = through.iter().map(|record| record["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["random", "matched-sw"]);
    let real = |out: &Path| fs::read(out.join("samples/4-random.npz")).unwrap();
    assert_eq!(real(&out), real(&embedded));

    // One network for the whole flow is another; a trained one is known by its checksum.
    let kept = folder.path().join("net.safetensors");
    let adapt = ["adapt", "--source", &data, "--target", &data, "--network", "convnet", "--tries", "1"];
    let trained = ["--steps", "1", "--training-steps", "4", "--save-classifier", kept.to_str().unwrap()];
    into(&[&adapt[..], &trained].concat(), &folder.path().join("adapt")).ok();
    let mut made = vec![fs::read(embedded.join("samples/4-matched-sw.npz")).unwrap()];
    for (at, network) in ["fixed", kept.to_str().unwrap()].into_iter().enumerate() {
        let out = folder.path().join(format!("through-{at}"));
        let through = format!("--embed={network}");
        into(&[&once[..], &[&through, "--augment", "upright"]].concat(), &out).ok();
        made.push(fs::read(out.join("samples/4-matched-sw.npz")).unwrap());
        assert_eq!(real(&out), real(&embedded));
        let found = repetitions(&out);
        let sums = found[1]["data"].as_array().unwrap();
        let known = |sum: &Value| sum["name"] == json!(kept.to_str().unwrap());
        assert_eq!(sums.iter().filter(|sum| known(sum)).count(), at, "{sums:?}");
    }
    assert!(made[0] != made[1] && made[0] != made[2] && made[1] != made[2]);
    let wide = pictures(&folder.path().join("wide"), 20, &[("apple", 9), ("pear", 6)]);
    let through = format!("--embed={}", kept.display());
    let unfit = [&["distill", &wide, &through], &SHORT[..]].concat();
    let refused = folder.path().join("refused");
    into(&unfit, &refused).refused("expected a network of images of 20x20");
    assert!(!refused.exists());

    let other = folder.path().join("other");
    let vectors = ["distill", "gaussians:9", "--augment", "all"];
    into(&[&vectors[..], &SHORT].concat(), &other).refused("expected images to augment");
    assert!(!other.exists());
}
