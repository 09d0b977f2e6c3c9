//! A folder of folders of images: one folder a class, its name the label.
//!
//! Files beside the folders of classes and files in them that are no images are left out, and said to be; hidden
//! files, and what file managers leave behind, are counted. Where some images have colours, grey ones are
//! repeated in all three channels. Images of several sizes are brought to one where a size is asked for. A folder
//! that holds a folder `train` of such folders has parts.

use std::fs;
use std::path::{Path, PathBuf};

use wowflow::dataset::{ImageShape, Points};

use super::decode::{FORMATS, decode, format_of};
use super::{Parsed, Reading, dataset, labels, refused};
use crate::bounded::Budget;
use crate::columns::Columns;
use crate::error::DataError;
use crate::resize::{Size, planes_resized};
use crate::split::Split;

/// Left behind by file managers and archives.
const IGNORED: [&str; 3] = ["thumbs.db", "desktop.ini", "__macosx"];

/// Reads all images of a folder, or of a part of it: the training part unless another is named.
pub(super) fn read_folder(
    folder: &Path,
    split: Option<Split>,
    reading: &Reading,
) -> Result<Parsed, DataError> {
    let folder = &part(folder, split)?;
    let (visible, mut hidden) = listed(folder)?;
    let (classes, beside): (Vec<_>, Vec<_>) = visible.into_iter().partition(|path| path.is_dir());
    if classes.is_empty() {
        let expected = "X.npy and y.npy, IDX or CIFAR-10 files, or folders of images, one a class";
        let found =
            if beside.is_empty() { "nothing".to_owned() } else { files(&beside) + &remedy(folder, &beside) };
        return Err(DataError::format(folder, expected, found));
    }
    if let ([images], Some(table)) = (&classes[..], beside.iter().find(|path| is_table(path))) {
        // One class would be read, whatever the table says.
        let found = format!("one folder, `{}`, beside {}: {SORT}", name_of(images), name_of(table));
        return Err(DataError::format(folder, "folders of images, one a class", found));
    }
    let mut notes = Vec::new();
    if !beside.is_empty() {
        notes.push(format!("without {} beside the classes", files(&beside)));
    }
    let budget = &Budget::default();
    let (mut images, mut others) = (Images::new(budget), Vec::new());
    let (mut turned, mut transparent) = (0, 0);
    let (mut labels_of, mut names) = (Vec::new(), Vec::new());
    for (number, class) in classes.iter().enumerate() {
        let label = labels::of_text(&name_of(class));
        if let Some(same) = classes[..number].iter().find(|same| labels::of_text(&name_of(same)) == label) {
            let found = format!("`{}` and `{}`, both read as {label}", name_of(same), name_of(class));
            return Err(DataError::format(folder, "one folder a label", found));
        }
        let before = labels_of.len();
        let (inside, more) = listed(class)?;
        hidden += more;
        for path in inside {
            if path.is_dir() {
                let expected = format!("images of a class, in {FORMATS}");
                let remedy = "name the folder of the classes, or its part as FOLDER[test]";
                return Err(DataError::format(&path, expected, format!("a folder: {remedy}")));
            }
            let format = if path.is_file() { format_of(&path)? } else { None };
            let Some(format) = format else {
                others.push(path);
                continue;
            };
            let image = decode(&path, format, reading.without_alpha, budget)?;
            turned += usize::from(image.turned);
            transparent += usize::from(image.transparent);
            images.push(&path, image.shape, image.pixels, reading.resize)?;
            labels_of.push(label.clone());
            names.push(format!("{}/{}", name_of(class), name_of(&path)));
        }
        if labels_of.len() == before {
            let found = if others.is_empty() { "none" } else { "only other files" };
            return Err(DataError::format(class, format!("images of a class, in {FORMATS}"), found));
        }
    }
    if !others.is_empty() {
        notes.push(format!("without {} among the images", files(&others)));
    }
    notes.extend(match hidden {
        0 => None,
        1 => Some("without 1 hidden file".to_owned()),
        more => Some(format!("without {more} hidden files")),
    });
    if turned > 0 {
        notes.push(format!("{turned} with a turn in EXIF, read as stored"));
    }
    if transparent > 0 {
        notes.push(format!("{transparent} transparent, read without alpha"));
    }
    let (shape, values) = images.finish(&mut notes, folder)?;
    let dataset = dataset(folder, Points::F32(values), shape.len(), labels_of, Some(shape), budget)?;
    let dataset = dataset.with_sample_names(names).map_err(|error| refused(folder, error))?;
    Ok(Parsed { dataset, files: vec![folder.to_owned()], notes, columns: Columns::Places })
}

/// What to do where labels stand in a table.
const SORT: &str = "sort images into a folder a class, as in Python: for r in pandas.read_csv(TABLE).itertuples(): \
                    os.makedirs(f'sorted/{r.label}', exist_ok=True); shutil.copy(f'{FOLDER}/{r.file}', f'sorted/{r.label}')";

fn is_table(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    ["csv", "tsv", "json", "jsonl", "xlsx", "parquet", "mat"].contains(&&*ending)
}

/// What to do with a folder of files.
fn remedy(folder: &Path, files: &[PathBuf]) -> String {
    let is_image = |path: &PathBuf| path.is_file() && format_of(path).ok().flatten().is_some();
    match files.iter().find(|path| is_table(path)) {
        _ if files.iter().take(50).any(is_image) => format!(": {SORT}"),
        Some(table) => format!(": name a file of them, such as {}", folder.join(name_of(table)).display()),
        None => String::new(),
    }
}

/// The folder of classes that is meant.
fn part(folder: &Path, split: Option<Split>) -> Result<PathBuf, DataError> {
    let folders = |folder: &Path| -> Result<Vec<PathBuf>, DataError> {
        Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
    };
    let parts = folders(folder)?;
    let named = |split: Split| {
        let is =
            |path: &&PathBuf| split.spellings().iter().any(|name| name_of(path).eq_ignore_ascii_case(name));
        parts.iter().find(is)
    };
    match (split, named(split.unwrap_or_default())) {
        (Some(_), Some(part)) => Ok(part.clone()),
        (Some(split), None) => {
            let names: Vec<String> = parts.iter().map(|part| name_of(part)).take(5).collect();
            let found = if names.is_empty() { "no folder".to_owned() } else { names.join(", ") };
            Err(DataError::format(folder, format!("a folder `{}`, the part", split.name()), found))
        }
        // A class may be called `train`, too: then it holds images.
        (None, Some(part)) if !folders(part)?.is_empty() => Ok(part.clone()),
        (None, _) => Ok(folder.to_owned()),
    }
}

/// Images one after the other, each with its channels.
struct Images<'a> {
    values: Vec<f32>,
    channels: Vec<usize>,
    /// The size of all so far, and the first of them.
    size: Option<(Size, PathBuf)>,
    /// Whether they had several sizes.
    resized: bool,
    budget: &'a Budget,
}

impl<'a> Images<'a> {
    fn new(budget: &'a Budget) -> Self {
        Self { values: Vec::new(), channels: Vec::new(), size: None, resized: false, budget }
    }

    fn push(
        &mut self,
        path: &Path,
        shape: ImageShape,
        mut pixels: Vec<f32>,
        to: Option<Size>,
    ) -> Result<(), DataError> {
        let own = Size { width: shape.width, height: shape.height };
        let (size, first) = self.size.get_or_insert_with(|| (own, path.to_owned()));
        if own != *size && !self.resized {
            let Some(to) = to else {
                let expected = format!("images of {size} as in {}", first.display());
                let found = format!("one of {own}: `--resize {size}` brings all to one size");
                return Err(DataError::format(path, expected, found));
            };
            let before = self.values.capacity();
            self.budget.take_of::<f32>(before / (size.width * size.height) * to.width * to.height, path)?;
            self.values = planes_resized(&self.values, *size, to);
            self.budget.give((before * size_of::<f32>()) as u64);
            (*size, self.resized) = (to, true);
        }
        if own != *size {
            let count = size.width.saturating_mul(size.height).saturating_mul(shape.channels);
            self.budget.take_of::<f32>(count, path)?;
            self.budget.give((pixels.len() * size_of::<f32>()) as u64);
            pixels = planes_resized(&pixels, own, *size);
        }
        let room = self.values.capacity() - self.values.len();
        if room < pixels.len() {
            let more = pixels.len().max(self.values.len() / 4);
            self.budget.take_of::<f32>(more - room, path)?;
            self.values.reserve_exact(more);
        }
        self.values.extend(&pixels);
        self.budget.give((pixels.len() * size_of::<f32>()) as u64);
        self.channels.push(shape.channels);
        Ok(())
    }

    /// All images with the channels that the richest of them has.
    fn finish(self, notes: &mut Vec<String>, folder: &Path) -> Result<(ImageShape, Vec<f32>), DataError> {
        let (width, height) = self.size.map_or((0, 0), |(size, _)| (size.width, size.height));
        if self.resized {
            notes.push(format!("of several sizes, brought to {width}x{height}"));
        }
        let channels = self.channels.iter().copied().max().unwrap_or(1);
        let shape = ImageShape { width, height, channels };
        let grey = self.channels.iter().filter(|&&own| own < channels).count();
        if grey == 0 {
            return Ok((shape, self.values));
        }
        let count = self.channels.len();
        notes.push(format!("{grey} of {count} images grey, repeated in {channels} channels"));
        self.budget.take_of::<f32>(count.saturating_mul(shape.len()), folder)?;
        let mut values = Vec::with_capacity(count * shape.len());
        let mut rest = &self.values[..];
        for own in self.channels {
            let (image, after) = rest.split_at(own * width * height);
            (0..channels / own).for_each(|_| values.extend_from_slice(image));
            rest = after;
        }
        self.budget.give((self.values.capacity() * size_of::<f32>()) as u64);
        Ok((shape, values))
    }
}

/// `3 files (a.txt, b.txt, c.csv)`, the first three named.
fn files(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().take(3).map(|path| name_of(path)).collect();
    let more = if paths.len() > names.len() { ", ..." } else { "" };
    let noun = if paths.len() == 1 { "file" } else { "files" };
    format!("{} {noun} ({}{more})", paths.len(), names.join(", "))
}

/// All files that count as part of a folder, sorted by path.
pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else if path.is_file() {
            // Neither pipes nor sockets: they have no end.
            files.push(path);
        }
    }
    Ok(files)
}

/// What a folder holds but for hidden files, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(listed(folder)?.0)
}

/// What a folder holds, sorted by name, and how many hidden files beside.
fn listed(folder: &Path) -> Result<(Vec<PathBuf>, usize), DataError> {
    let on_error = |error| DataError::io(folder, error);
    let (mut paths, mut hidden) = (Vec::new(), 0);
    for entry in fs::read_dir(folder).map_err(on_error)? {
        let path = entry.map_err(on_error)?.path();
        let name = name_of(&path);
        if name.starts_with('.') || IGNORED.contains(&name.to_lowercase().as_str()) {
            hidden += 1;
        } else {
            paths.push(path);
        }
    }
    paths.sort();
    Ok((paths, hidden))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
