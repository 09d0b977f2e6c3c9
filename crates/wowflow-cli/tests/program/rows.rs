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
