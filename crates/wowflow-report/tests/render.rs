//! Renders synthetic run directories and reads the pictures back.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use serde_json::Map;
use wowflow_data::npy::{NpyArray, write_npy};
use wowflow_report::study::flow::render;
use wowflow_study::record::{FramesIndex, MetricsRecord, RunDir, SCHEMA};

/// A run directory in memory; `frames[t]` and `target` are row-major.
#[derive(Clone)]
struct Run {
    index: FramesIndex,
    frames: Vec<Vec<f32>>,
    target: Vec<f32>,
    losses: Vec<f64>,
}

impl Run {
    /// `classes` classes of `samples` rows that move from `from` to `to` in `times` frames.
    fn new(
        dim: usize,
        classes: usize,
        samples: usize,
        times: usize,
        value: impl Fn(usize, usize, f32) -> f32,
    ) -> Self {
        let rows = classes * samples;
        let frame = |t: usize| -> Vec<f32> {
            let progress = if times > 1 { t as f32 / (times - 1) as f32 } else { 0.0 };
            (0..rows * dim).map(|i| value(i / dim, i % dim, progress)).collect()
        };
        let labels = |prefix: &str| (0..classes).map(|c| format!("{prefix}{c}")).collect::<Vec<_>>();
        let of_row: Vec<usize> = (0..rows).map(|row| row / samples).collect();
        Self {
            index: FramesIndex {
                schema: SCHEMA,
                dim,
                image_shape: None,
                source_rows: (0..rows).collect(),
                classes: of_row.clone(),
                labels: labels("s"),
                new_labels: Some(labels("t")),
                target_rows: (0..rows).collect(),
                target_classes: of_row,
                target_labels: labels("t"),
                units: None,
                steps: (0..times as u64).map(|t| t * 5).collect(),
            },
            frames: (0..times).map(frame).collect(),
            target: (0..rows * dim).map(|i| value(i / dim, i % dim, 1.0)).collect(),
            losses: (0..times).map(|t| 0.5f64.powi(t as i32)).collect(),
        }
    }

    fn write(&self, folder: &Path) -> RunDir {
        let run = RunDir::new(folder);
        fs::create_dir_all(run.frames()).unwrap();
        let config = format!(r#"{{"schema": {SCHEMA}, "source": "from", "target": "into", "seed": 3}}"#);
        fs::write(run.config(), config).unwrap();
        fs::write(run.frames_index(), serde_json::to_vec(&self.index).unwrap()).unwrap();
        let array =
            |rows: usize, values: &Vec<f32>| NpyArray::f32(vec![rows, self.index.dim], values.clone());
        for (step, frame) in self.index.steps.iter().zip(&self.frames) {
            write_npy(run.frame(*step), &array(self.index.classes.len(), frame)).unwrap();
        }
        write_npy(run.target(), &array(self.index.target_classes.len(), &self.target)).unwrap();
        let record = |(i, &value): (usize, &f64)| {
            let step = i as u64;
            MetricsRecord {
                step,
                value,
                value_standard_error: (step > 0).then_some(0.1 * value),
                step_size: 1.0,
                velocity_rms: 1.0,
                seconds: 0.0,
                extra: Map::new(),
            }
            .to_line()
        };
        let lines: String = self.losses.iter().enumerate().map(record).collect();
        fs::write(run.metrics(), lines).unwrap();
        run
    }

    /// Renders in a fresh folder; the pictures decoded, and the names of the files.
    fn pictures(&self) -> (Vec<String>, Image, Vec<Image>, Image) {
        let folder = tempfile::tempdir().unwrap();
        let run = self.write(folder.path());
        let paths = render(&run).unwrap();
        let names = paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        (names, Image::png(&paths[0]), Image::gif(&paths[1]), Image::png(&paths[2]))
    }
}

struct Image {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Image {
    fn png(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut data = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut data).unwrap();
        let channels = info.color_type.samples();
        let pixels = data.chunks_exact(channels).map(|p| [p[0], p[channels / 2], p[channels - 1]]).collect();
        Self { width: info.width as usize, height: info.height as usize, pixels }
    }

    fn gif(path: &Path) -> Vec<Self> {
        let bytes = fs::read(path).unwrap();
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut reader = options.read_info(bytes.as_slice()).unwrap();
        let (width, height) = (usize::from(reader.width()), usize::from(reader.height()));
        let mut pixels = vec![[0u8; 3]; width * height];
        let mut frames = Vec::new();
        while let Some(frame) = reader.read_next_frame().unwrap() {
            for (i, pixel) in frame.buffer.chunks_exact(4).enumerate().filter(|(_, pixel)| pixel[3] > 0) {
                let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
                let at = (usize::from(frame.top) + y) * width + usize::from(frame.left) + x;
                pixels[at].copy_from_slice(&pixel[..3]);
            }
            frames.push(Self { width, height, pixels: pixels.clone() });
        }
        frames
    }

    /// Share of pixels of exactly this colour.
    fn share(&self, color: [u8; 3]) -> f64 {
        self.pixels.iter().filter(|&&pixel| pixel == color).count() as f64 / self.pixels.len() as f64
    }
}

fn image_run(classes: usize, samples: usize, times: usize) -> Run {
    // Images whose upper half fades from black to white and whose lower half stays at 0.2.
    let mut run = Run::new(16, classes, samples, times, |_, i, t| if i < 8 { t } else { 0.2 });
    run.index.image_shape = Some([1, 4, 4]);
    run
}

#[test]
fn images_are_shown_over_time_with_their_targets() {
    let (names, grid, animation, loss) = image_run(3, 2, 21).pictures();
    assert_eq!(names, ["images.png", "flow.gif", "loss.png"]);
    assert_eq!((loss.width, loss.height), (900, 550));
    // Eight columns of six images of 56 x 56 pixels and two columns of targets.
    let images = (8 * 6 + 2 * 3) as f64;
    let cell = (56 * 56) as f64 / (grid.width * grid.height) as f64;
    let lower = grid.share([51; 3]) / (cell / 2.0);
    assert!((lower - images).abs() < 0.5, "{lower} lower halves");
    // Black upper halves in the first column alone; text is never wholly black.
    let upper = grid.share([0; 3]) / (cell / 2.0);
    assert!((upper - 6.0).abs() < 0.5, "{upper} black halves");

    assert_eq!(animation.len(), 21);
    let black = |frame: &Image| frame.share([0; 3]);
    assert!(black(&animation[0]) > 0.1 && black(&animation[20]) < 0.01);
    assert!(animation.iter().all(|frame| frame.width == animation[0].width));
}

#[test]
fn many_classes_many_frames_and_odd_sizes_are_rendered() {
    let (_, few, animation, _) = image_run(10, 2, 70).pictures();
    assert_eq!(animation.len(), 48);
    let (_, many, ..) = image_run(30, 1, 3).pictures();
    // Twenty rows of one sample each against ten classes of two.
    assert!(many.height < few.height + 20 * 12 && many.height > 20 * 56);
    for (classes, samples, times) in [(1, 1, 1), (1, 3, 2), (2, 1, 1)] {
        let (names, grid, animation, _) = image_run(classes, samples, times).pictures();
        assert_eq!((names[0].as_str(), animation.len()), ("images.png", times));
        assert!(grid.width > 56 * times);
    }
    let mut unlabeled = image_run(2, 1, 2);
    unlabeled.index.new_labels = None;
    let (_, narrow, ..) = unlabeled.pictures();
    let (_, wide, ..) = image_run(2, 1, 2).pictures();
    assert!(narrow.width < wide.width, "targets without a match are not shown");
}

#[test]
fn colour_images_and_values_beyond_the_unit_interval_are_rendered() {
    let mut colour = Run::new(3 * 16, 2, 2, 3, |_, i, t| if i < 16 { t } else { 0.0 });
    colour.index.image_shape = Some([3, 4, 4]);
    let (_, grid, animation, _) = colour.pictures();
    assert!(grid.share([255, 0, 0]) > 0.05 && animation[2].share([255, 0, 0]) > 0.05);
    let mut signed = Run::new(16, 2, 2, 3, |_, i, t| if i < 8 { 2.0 * t - 1.0 } else { 0.0 });
    signed.index.image_shape = Some([1, 4, 4]);
    let (_, grid, ..) = signed.pictures();
    assert!(grid.share([128; 3]) > 0.2, "zero is the middle of -1 to 1");
}

#[test]
fn points_of_any_dimension_are_drawn_in_the_plane() {
    for dim in [1, 2, 3, 40] {
        let run = Run::new(dim, 3, 5, 4, |row, i, t| ((row * 7 + i * 3) % 11) as f32 + t * (row % 3) as f32);
        let (names, still, animation, _) = run.pictures();
        assert_eq!(names, ["trajectories.png", "flow.gif", "loss.png"]);
        assert_eq!(animation.len(), 4);
        assert_eq!((still.width, still.height), (animation[0].width, animation[0].height));
        for blue in [&still, &animation[3]].map(|image| {
            let near = |p: &&[u8; 3]| p[0] < 40 && p[1].abs_diff(114) < 30 && p[2] > 150;
            image.pixels.iter().filter(near).count()
        }) {
            assert!(blue > 20, "dimension {dim}: {blue} pixels of the first class");
        }
    }
}

#[test]
fn points_without_spread_single_points_and_constant_losses_are_drawn() {
    for dim in [1, 2, 5] {
        let mut still = Run::new(dim, 2, 3, 3, |_, _, _| 0.25);
        still.losses = vec![0.0; 3];
        still.pictures();
        let mut single = Run::new(dim, 1, 1, 1, |_, _, _| -3.0);
        single.losses = vec![1.0];
        single.pictures();
    }
}

#[test]
fn frames_that_are_not_finite_end_the_pictures() {
    let mut run = image_run(2, 2, 6);
    run.frames[4][3] = f32::NAN;
    let (_, _, animation, _) = run.pictures();
    assert_eq!(animation.len(), 4);
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    type Damage = fn(&RunDir);
    fn write_rows(path: &Path, array: &NpyArray) {
        write_npy(path, array).unwrap();
    }
    let cases: [(Damage, &str, &str); 9] = [
        (|r| fs::remove_file(r.config()).unwrap(), "config.json", "found no such file"),
        (|r| fs::write(r.config(), r#"{"schema": 1}"#).unwrap(), "config.json", "missing field `source`"),
        (|r| fs::remove_file(r.metrics()).unwrap(), "metrics.jsonl", "found no such file"),
        (|r| fs::write(r.metrics(), "").unwrap(), "metrics.jsonl", "expected at least one finite value"),
        (|r| fs::remove_file(r.frames_index()).unwrap(), "frames.json", "found no such file"),
        (|r| fs::remove_file(r.frame(5)).unwrap(), "step-00000005.npy", "found no such file"),
        (
            |r| write_rows(&r.frame(5), &NpyArray::f32(vec![4, 4], vec![0.0; 16])),
            "step-00000005.npy",
            "expected a float32 array of shape [4, 16]",
        ),
        (
            |r| write_rows(&r.target(), &NpyArray::f64(vec![4, 16], vec![0.0; 64])),
            "target.npy",
            "found float64 of shape [4, 16]",
        ),
        (
            |r| write_rows(&r.frame(0), &NpyArray::f32(vec![4, 16], vec![f32::INFINITY; 64])),
            "step-00000000.npy",
            "expected finite numbers",
        ),
    ];
    for (damage, file, message) in cases {
        let folder = tempfile::tempdir().unwrap();
        let run = image_run(2, 2, 3).write(folder.path());
        damage(&run);
        let text = render(&run).unwrap_err().to_string();
        assert!(text.contains(file) && text.contains(message) && !text.contains('\n'), "{text}");
        assert!(!run.images_picture().exists() && !run.loss_picture().exists(), "half a report: {file}");
    }
    let folder = tempfile::tempdir().unwrap();
    let run = image_run(1, 1, 2).write(folder.path());
    fs::write(run.frame(5), b"\x93NUMPY").unwrap();
    assert!(render(&run).unwrap_err().to_string().contains("step-00000005.npy"));
}

#[test]
fn rendering_again_gives_the_same_files_and_leaves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let run = image_run(2, 2, 3).write(folder.path());
    let first: Vec<Vec<u8>> = render(&run).unwrap().iter().map(|path| fs::read(path).unwrap()).collect();
    let second: Vec<Vec<u8>> = render(&run).unwrap().iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(first, second);
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["config.json", "flow.gif", "frames", "images.png", "loss.png", "metrics.jsonl"]);
}
