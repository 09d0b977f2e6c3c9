//! Every sample of every output can be found in the input.

use std::collections::BTreeMap;
use std::path::Path;

use wowflow_data::npy::{NpyArray, NpyData, read_npz};

use crate::support::{file, folder, json, run};

#[test]
fn moved_samples_are_found_again() {
    let folder = folder();
    // Classes alternate, so that their order is not that of the rows; one coordinate is the row itself.
    let table: String = (0..12).map(|row| format!("p{row},{row},{}\n", ["b", "a", "c"][row % 3])).collect();
    let source = file(folder.path(), "s.csv", format!("id,x,label\n{table}"));
    let other: String = (0..9).map(|row| format!("{},{}\n", 100 + row, ["u", "v", "w"][row % 3])).collect();
    let target = file(folder.path(), "t.csv", format!("x,label\n{other}"));
    let npz = |path: &Path| -> BTreeMap<String, NpyArray> { read_npz(path).unwrap().into_iter().collect() };
    let rows = |arrays: &BTreeMap<String, NpyArray>, name: &str| arrays[name].to_i64().unwrap();
    let texts = |arrays: &BTreeMap<String, NpyArray>, name: &str| match &arrays[name].data {
        NpyData::Text(values) => values.clone(),
        other => panic!("{name}: {other:?}"),
    };
    let out = folder.path().join("run");
    let whole = ["--source", &source, "--target", &target, "--steps", "0"];
    run([&["flow", "--out", out.to_str().unwrap()], &whole[..]].concat()).ok();
    let moved = npz(&out.join("flowed.npz"));
    assert_eq!(moved["X"].to_f64().unwrap(), (0..12).map(f64::from).collect::<Vec<_>>());
    assert_eq!(rows(&moved, "source_row"), (0..12).collect::<Vec<_>>());
    assert_eq!(texts(&moved, "sample_names")[10], "p10");
    assert_eq!(texts(&moved, "y_source")[..3], ["b", "a", "c"]);
    // Drawn samples know where they were.
    let out = folder.path().join("few");
    let few = format!("{source}:2");
    run(["flow", "--out", out.to_str().unwrap(), "--source", &few, "--target", &target, "--steps", "0"]).ok();
    let moved = npz(&out.join("flowed.npz"));
    let x = moved["X"].to_i64().unwrap();
    assert_eq!((x.len(), &x), (6, &rows(&moved, "source_row")));
    assert_eq!(texts(&moved, "sample_names"), x.iter().map(|x| format!("p{x}")).collect::<Vec<_>>());
    let frames = json(out.join("frames/frames.json"));
    let mut shown: Vec<i64> =
        frames["source_rows"].as_array().unwrap().iter().map(|row| row.as_i64().unwrap()).collect();
    shown.sort_unstable();
    let mut known = x.clone();
    known.sort_unstable();
    assert_eq!(shown, known);
    // Between the ends of a geodesic every sample has a row on either side, and lies between the two.
    for more in [&[][..], &["--barycentric"]] {
        let out = folder.path().join(format!("way{}", more.len()));
        let command = ["geodesic", &few, &target, "--times", "0,0.5", "--out", out.to_str().unwrap()];
        run([&command[..], more].concat()).ok();
        let half = npz(&out.join("interpolation-001.npz"));
        let (x, from) = (half["X"].to_f64().unwrap(), rows(&half, "source_row"));
        if more.is_empty() {
            let to = rows(&half, "target_row");
            for ((x, from), to) in x.iter().zip(&from).zip(&to) {
                assert!((x - 0.5 * (from + 100 + to) as f64).abs() < 1e-4, "{x} {from} {to}");
            }
            assert_eq!(texts(&half, "source_names")[0], format!("p{}", from[0]));
        } else {
            assert_eq!(texts(&half, "sample_names")[0], format!("p{}", from[0]));
        }
    }
    let out = folder.path().join("mean");
    run(["barycenter", &few, &source, "--out", out.to_str().unwrap(), "--max-iterations", "3"]).ok();
    let mean = npz(&out.join("barycenter.npz"));
    let names: Vec<String> = rows(&mean, "row_2").iter().map(|row| format!("p{row}")).collect();
    assert_eq!(texts(&mean, "names_2"), names);
}

/// An archive, as numpy writes it, of three classes in no order; `X` is the row.
fn archive(path: &Path, count: i64) {
    let array = |shape: Vec<usize>, data| NpyArray { shape, data };
    let rows: Vec<i64> = (0..count).collect();
    let n = rows.len();
    let texts = |text: fn(i64) -> String| NpyData::Text(rows.iter().map(|&row| text(row)).collect());
    let arrays = [
        ("X", array(vec![n, 1], NpyData::F64(rows.iter().map(|&row| row as f64).collect()))),
        ("y", array(vec![n], NpyData::I64(rows.iter().map(|row| (row * 7) % 3).collect()))),
        ("ids", array(vec![n], texts(|row| format!("cell-{row}")))),
    ];
    wowflow_data::npy::write_npz(path, &arrays.each_ref().map(|(name, array)| (*name, array))).unwrap();
}

fn read(path: &Path) -> BTreeMap<String, NpyArray> {
    read_npz(path).unwrap().into_iter().collect()
}

fn names_of(arrays: &BTreeMap<String, NpyArray>) -> Vec<String> {
    match &arrays["sample_names"].data {
        NpyData::Text(names) => names.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rows_of_archives_are_found_again() {
    let folder = folder();
    let (source, out) = (folder.path().join("s.npz"), folder.path().join("run"));
    archive(&source, 15);
    let args = ["flow", source.to_str().unwrap(), source.to_str().unwrap(), "--steps", "0"];
    run([&args[..], &["--out", out.to_str().unwrap()]].concat()).ok();
    let moved = read(&out.join("flowed.npz"));
    let rows: Vec<i64> = (0..15).collect();
    assert_eq!(moved["source_row"].to_i64().unwrap(), rows);
    assert_eq!(moved["X"].to_i64().unwrap(), rows);
    assert_eq!(names_of(&moved), rows.iter().map(|row| format!("cell-{row}")).collect::<Vec<_>>());
}

#[test]
fn images_of_a_folder_are_found_again_by_their_paths() {
    let folder = folder();
    let data = folder.path().join("data");
    for (at, class) in ["b", "a", "b", "a", "b"].iter().enumerate() {
        std::fs::create_dir_all(data.join(class)).unwrap();
        let picture = image::GrayImage::from_pixel(2, 2, image::Luma([40 * at as u8]));
        picture.save(data.join(class).join(format!("{at}.png"))).unwrap();
    }
    let out = folder.path().join("run");
    let place = data.to_str().unwrap();
    run(["flow", place, place, "--steps", "0", "--out", out.to_str().unwrap()]).ok();
    let moved = read(&out.join("flowed.npz"));
    let values = moved["X"].to_f64().unwrap();
    for (name, pixels) in names_of(&moved).iter().zip(values.chunks(4)) {
        let at: f64 = name.rsplit('/').next().unwrap().trim_end_matches(".png").parse().unwrap();
        assert!(pixels.iter().all(|pixel| (pixel - 40.0 * at / 255.0).abs() < 1e-6), "{name}: {pixels:?}");
    }
}

#[cfg(feature = "learn")]
#[test]
fn samples_of_experiments_are_found_again() {
    let folder = folder();
    let (source, target) = (folder.path().join("s.npz"), folder.path().join("t.npz"));
    archive(&source, 30);
    archive(&target, 45);
    let few = format!("{}:3", target.to_str().unwrap());
    let short = ["--steps", "1", "--tries", "1", "--trainings", "1", "--epochs", "2"];
    let transfer = ["transfer", source.to_str().unwrap(), &few];
    let distill = ["distill", source.to_str().unwrap(), "--per-class", "2"];
    for (name, args) in [("transfer", &transfer[..]), ("distill", &distill[..])] {
        let out = folder.path().join(name);
        run([args, &short, &["--out", out.to_str().unwrap()]].concat()).ok();
        let mut seen = 0;
        for sample in std::fs::read_dir(out.join("samples")).unwrap() {
            let made = read(&sample.unwrap().path());
            let rows = made["source_row"].to_i64().unwrap();
            let named: Vec<String> = rows.iter().map(|row| format!("cell-{row}")).collect();
            assert_eq!(names_of(&made), named, "{name}");
            assert!(rows.iter().all(|row| (0..30).contains(row)), "{rows:?}");
            seen += 1;
        }
        assert!(seen >= 2, "{name}: {seen}");
    }
    // Images that are chosen and not moved are those of their rows.
    let chosen =
        std::fs::read_dir(folder.path().join("distill/samples")).unwrap().map(|at| at.unwrap().path());
    let random = chosen.into_iter().find(|path| path.to_string_lossy().contains("random")).unwrap();
    let random = read(&random);
    assert_eq!(random["X"].to_i64().unwrap(), random["source_row"].to_i64().unwrap());
}
