//! `wowflow info`: counts, shapes, classes, a contact sheet.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use wowflow::dataset::{ImageShape, LabeledDataset, Precision, Spread};
use wowflow_data::{SourceFile, atomic};
use wowflow_report::{ImageRow, Picture, ScatterFlow, ScatterPanel, contact_sheet};
use wowflow_study::record::free_name;

use super::{RUNS, around, on_threads};
use crate::ExitStatus;
use crate::args::InfoArgs;
use crate::console::{Console, short};
use crate::program::program;

/// Samples a class on the contact sheet, and most classes on it.
const SHEET_COLUMNS: usize = 10;
const SHEET_ROWS: usize = 20;

#[derive(Debug, Serialize)]
struct Info {
    name: String,
    description: String,
    samples: usize,
    dim: usize,
    image_shape: Option<[usize; 3]>,
    precision: Precision,
    weighted: bool,
    minimum: f64,
    maximum: f64,
    mean: f64,
    classes: Vec<ClassInfo>,
    files: Vec<SourceFile>,
    sheet: Option<String>,
}

#[derive(Debug, Serialize)]
struct ClassInfo {
    label: String,
    name: Option<String>,
    samples: usize,
}

pub(crate) fn run(args: &InfoArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(None, || show(args, console))
}

fn show(args: &InfoArgs, console: &Console) -> Result<ExitStatus> {
    let loaded = program(args.data.data_dir.as_deref()).lookup(None).load(&args.dataset, args.seed)?;
    let data = &loaded.dataset;
    let picture = if args.no_sheet { None } else { picture(&loaded.name, data)? };
    let sheet = match (&args.sheet, picture) {
        (None, None) => None,
        (None, Some(_)) if around(Path::new(RUNS), &[&args.dataset]).is_some() => {
            console.say(&format!(
                "no contact sheet: {RUNS}/ lies in the folder of the dataset {}; choose a place with --sheet",
                args.dataset
            ));
            None
        }
        (Some(chosen), Some(_)) if around(Path::new(chosen), &[&args.dataset]).is_some() => bail!(
            "expected --sheet outside the dataset {}, found {} inside: choose another place",
            args.dataset,
            chosen.display()
        ),
        (Some(_), None) => bail!(
            "expected images or points in the plane for a contact sheet, found points of dimension {} in {}",
            data.dim(),
            loaded.name
        ),
        (chosen, Some(picture)) => {
            let png = picture.to_png()?;
            Some(match chosen {
                Some(path) => write_at(path, &png)?,
                None => write_in_runs(&loaded.name, &png)?,
            })
        }
    };
    let Spread { minimum, maximum, mean } = data.points().spread().context("expected samples, found none")?;
    let name_of = |class: usize| loaded.class_names.as_ref().map(|names| names[class].clone());
    let info = Info {
        name: loaded.name.clone(),
        description: loaded.description.clone(),
        samples: data.len(),
        dim: data.dim(),
        image_shape: data.image_shape().map(|s| [s.channels, s.height, s.width]),
        precision: data.points().precision(),
        weighted: data.sample_weights().is_some() || data.class_weights().is_some(),
        minimum,
        maximum,
        mean,
        classes: (0..data.class_count())
            .map(|class| ClassInfo {
                label: data.classes()[class].to_string(),
                name: name_of(class).filter(|name| *name != data.classes()[class].to_string()),
                samples: data.class_rows(class).len(),
            })
            .collect(),
        files: loaded.files.clone(),
        sheet: sheet.map(|path| path.display().to_string()),
    };
    lines(&info).iter().for_each(|line| console.say(line));
    console.object(&info)?;
    Ok(ExitStatus::Done)
}

fn write_at(path: &Path, png: &[u8]) -> Result<PathBuf> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        bail!("expected a folder for {} at {}, found none", path.display(), folder.display());
    }
    let written = atomic::create(path, |file| file.write_all(png));
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path.to_owned())
}

/// Under a name that no other program takes.
fn write_in_runs(name: &str, png: &[u8]) -> Result<PathBuf> {
    fs::create_dir_all(RUNS).with_context(|| format!("cannot create the folder {RUNS}"))?;
    loop {
        let path = free_name(Path::new(RUNS), name, ".png");
        match atomic::create(&path, |file| file.write_all(png)) {
            Ok(()) => return Ok(path),
            // Another program was faster: the next name.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot write {}", path.display()));
            }
        }
    }
}

/// What is in the dataset, line by line.
fn lines(info: &Info) -> Vec<String> {
    let shape = info
        .image_shape
        .map_or(String::new(), |[c, h, w]| format!(", images of {w}x{h}x{c} (width, height, channels)"));
    let weighted = if info.weighted { ", weighted" } else { "" };
    let mut lines = vec![
        info.description.clone(),
        format!("{} samples of dimension {} ({}){shape}", info.samples, info.dim, info.precision),
        format!("values {:.4} to {:.4}, mean {:.4}{weighted}", info.minimum, info.maximum, info.mean),
        format!("{} classes:", info.classes.len()),
    ];
    let labels: Vec<String> = info.classes.iter().map(|class| short(&class.label)).collect();
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    for (class, label) in info.classes.iter().zip(labels) {
        let name = class.name.as_ref().map_or(String::new(), |name| format!("  {name}"));
        lines.push(format!("  {label:width$}  {:>8} samples{name}", class.samples));
    }
    lines.extend(info.sheet.iter().map(|sheet| format!("open {sheet}")));
    lines
}

/// A contact sheet of images, a scatter of points in the plane, nothing for other data.
fn picture(name: &str, data: &LabeledDataset) -> Result<Option<Picture>> {
    match data.image_shape() {
        Some(shape) => sheet(name, data, shape).map(Some),
        None if data.dim() == 2 => scatter(name, data).map(Some),
        None => Ok(None),
    }
}

fn scatter(name: &str, data: &LabeledDataset) -> Result<Picture> {
    let points = (0..data.len()).map(|row| data.row(row)).map(|x| [x[0] as f32, x[1] as f32]).collect();
    let panel = ScatterPanel { frames: vec![points], ..ScatterPanel::default() };
    let figure = ScatterFlow {
        title: name.to_owned(),
        classes: data.class_of().to_vec(),
        labels: data.classes().iter().map(ToString::to_string).collect(),
        steps: vec![0],
        panels: vec![panel],
        ..ScatterFlow::default()
    };
    Ok(figure.trajectories()?)
}

fn sheet(name: &str, data: &LabeledDataset, shape: ImageShape) -> Result<Picture> {
    let classes = data.class_count().min(SHEET_ROWS);
    let dim = data.dim();
    let pixels: Vec<Vec<Vec<f32>>> = (0..classes)
        .map(|class| {
            let rows = data.class_rows(class).iter().take(SHEET_COLUMNS);
            rows.map(|&row| data.points().to_vec(row * dim..(row + 1) * dim)).collect()
        })
        .collect();
    let rows = pixels.iter().enumerate().map(|(class, images)| ImageRow {
        label: data.classes()[class].to_string(),
        images: images.iter().map(Vec::as_slice).collect(),
        examples: Vec::new(),
    });
    let title = match data.class_count() {
        count if count > classes => format!("{name}: {classes} of {count} classes"),
        _ => name.to_owned(),
    };
    let values = pixels.iter().flatten().flatten().copied();
    let (low, high) = values.fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)));
    // Pixels are shown as they are; other data, such as noise, over the range they fill.
    let limits = if low >= 0.0 && high <= 1.0 || low >= high { (0.0, 1.0) } else { (low, high) };
    Ok(contact_sheet(&title, shape, limits, rows.collect())?)
}
