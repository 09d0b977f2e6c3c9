//! A folder of folders of images: one folder a class, its name the label.
//!
//! BMP files know no grey: their images have three channels.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageReader};
use wowflow::dataset::{ImageShape, Label, Points};

use super::{Parsed, dataset};
use crate::error::DataError;

const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "bmp"];
/// Left behind by file managers.
const IGNORED: [&str; 2] = ["thumbs.db", "desktop.ini"];

/// Reads all images; every one must have the size and channels of the first.
pub(super) fn read_folder(folder: &Path) -> Result<Parsed, DataError> {
    let classes = entries(folder)?;
    let mut first: Option<(ImageShape, PathBuf)> = None;
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    if let Some(stray) = classes.iter().find(|path| !path.is_dir()) {
        let expected = "X.npy and y.npy, IDX or CIFAR-10 files, or only folders of images, one a class";
        return Err(DataError::format(folder, expected, format!("`{}`", name_of(stray))));
    }
    for class in &classes {
        let label = Label::parse(&name_of(class));
        for path in entries(class)? {
            let (shape, pixels) = decode(&path)?;
            let (expected, model) = first.get_or_insert_with(|| (shape, path.clone()));
            if shape != *expected {
                let expected = format!("{expected} as in {}", model.display());
                return Err(DataError::format(&path, expected, format!("{shape}")));
            }
            values.extend(pixels);
            labels.push(label.clone());
        }
    }
    let Some((shape, _)) = first else {
        return Err(DataError::format(folder, "a folder of PNG, JPEG or BMP images a class", "no images"));
    };
    let dataset = dataset(folder, Points::F32(values), shape.len(), labels, Some(shape))?;
    Ok(Parsed { dataset, files: vec![folder.to_owned()] })
}

/// All files that count as part of a folder, sorted by path.
pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

/// What a folder holds but for hidden files, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let on_error = |error| DataError::io(folder, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(on_error)? {
        let path = entry.map_err(on_error)?.path();
        let name = name_of(&path);
        if !name.starts_with('.') && !IGNORED.contains(&name.to_lowercase().as_str()) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Pixels in [0, 1], one plane a channel.
fn decode(path: &Path) -> Result<(ImageShape, Vec<f32>), DataError> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if path.is_dir() || !ENDINGS.contains(&ending.as_str()) {
        let found = if path.is_dir() { "a folder" } else { "another file" };
        return Err(DataError::format(path, "a PNG, JPEG or BMP image", found));
    }
    let bytes = fs::read(path).map_err(|error| DataError::io(path, error))?;
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.map_err(|error| DataError::io(path, error))?;
    let unreadable = |error: image::ImageError| {
        DataError::format(path, "a readable image", error.to_string().replace('\n', " "))
    };
    let image = reader.decode().map_err(unreadable)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    if image.color().has_alpha() && !is_opaque(&image) {
        return Err(DataError::format(path, "grey or red-green-blue pixels", "transparent ones"));
    }
    if image.color().has_color() {
        let pixels = image.to_rgb32f();
        let plane =
            |channel: usize| pixels.as_raw().iter().skip(channel).step_by(3).copied().collect::<Vec<f32>>();
        Ok((ImageShape { width, height, channels: 3 }, (0..3).flat_map(plane).collect()))
    } else {
        let pixels = image.to_luma32f().into_raw();
        Ok((ImageShape { width, height, channels: 1 }, pixels))
    }
}

fn is_opaque(image: &DynamicImage) -> bool {
    image.to_rgba16().pixels().all(|pixel| pixel.0[3] == u16::MAX)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, RgbImage, RgbaImage};

    use super::*;

    fn folder_with(save: &[(&str, DynamicImage)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, image) in save {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            image.save(path).unwrap();
        }
        folder
    }

    fn grey(values: [u8; 6]) -> DynamicImage {
        GrayImage::from_raw(3, 2, values.to_vec()).unwrap().into()
    }

    #[test]
    fn folders_are_classes() {
        let images = [
            ("b/2.png", grey([0, 51, 102, 153, 204, 255])),
            ("b/1.png", grey([255; 6])),
            ("3/only.png", grey([0; 6])),
        ];
        let folder = folder_with(&images);
        fs::write(folder.path().join("b/.hidden"), "x").unwrap();
        fs::write(folder.path().join("Thumbs.db"), "x").unwrap();
        let parsed = super::super::read_path(folder.path(), None).unwrap();
        let data = parsed.dataset;
        assert_eq!(data.classes(), &[Label::Int(3), Label::from("b")]);
        assert_eq!(data.image_shape(), Some(ImageShape { width: 3, height: 2, channels: 1 }));
        let row: Vec<f64> = data.row(2).iter().map(|v| (v * 255.0).round()).collect();
        assert_eq!(row, [0.0, 51.0, 102.0, 153.0, 204.0, 255.0]);
        assert_eq!(data.row(1), vec![1.0; 6]);
    }

    #[test]
    fn colours_are_stored_plane_by_plane() {
        let image = RgbImage::from_raw(2, 1, vec![255, 0, 51, 0, 255, 102]).unwrap();
        let parsed = read_folder(folder_with(&[("a/1.bmp", image.into())]).path()).unwrap();
        let row: Vec<f64> = parsed.dataset.row(0).iter().map(|v| (v * 255.0).round()).collect();
        assert_eq!(row, [255.0, 0.0, 0.0, 255.0, 51.0, 102.0]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |folder: &tempfile::TempDir| {
            let prefix = format!("{}/", folder.path().display());
            read_folder(folder.path()).unwrap_err().to_string().replace(&prefix, "")
        };
        let other = DynamicImage::from(GrayImage::new(2, 2));
        let sizes = folder_with(&[("a/1.png", grey([0; 6])), ("b/1.png", other)]);
        assert_eq!(error(&sizes), "b/1.png: expected 3x2x1 as in a/1.png, found 2x2x1");
        let colour = DynamicImage::from(RgbImage::new(3, 2));
        let channels = folder_with(&[("a/1.png", grey([0; 6])), ("a/2.png", colour)]);
        assert_eq!(error(&channels), "a/2.png: expected 3x2x1 as in a/1.png, found 3x2x3");
        let clear = folder_with(&[("a/1.png", RgbaImage::new(3, 2).into())]);
        assert_eq!(error(&clear), "a/1.png: expected grey or red-green-blue pixels, found transparent ones");
        let stray = folder_with(&[("a/1.png", grey([0; 6]))]);
        fs::write(stray.path().join("a/notes.txt"), "x").unwrap();
        assert_eq!(error(&stray), "a/notes.txt: expected a PNG, JPEG or BMP image, found another file");
        fs::write(stray.path().join("a/notes.txt"), "x").unwrap();
        let broken = folder_with(&[]);
        fs::create_dir(broken.path().join("a")).unwrap();
        assert!(error(&broken).contains("no images"));
        fs::write(broken.path().join("a/1.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
        assert!(error(&broken).starts_with("a/1.png: expected a readable image, found "));
    }
}
