//! Image files beside what Pillow reads from them (`images/make.py`), whole and cut short.

use std::fs;
use std::path::Path;

use wowflow_data::npy::{NpyArray, NpyData, read_npz_from};
use wowflow_data::{DataError, LoadOptions, load};

fn bytes(array: &NpyArray) -> &[u8] {
    match &array.data {
        NpyData::U8(bytes) => bytes,
        _ => panic!("{}", array.data.type_name()),
    }
}

/// Name, file, and the pixels as `height x width x channels`.
fn cases() -> Vec<(String, Vec<u8>, NpyArray)> {
    let fixture = &include_bytes!("images/images.npz")[..];
    let arrays = read_npz_from(std::io::Cursor::new(fixture), Path::new("images.npz")).unwrap();
    let pairs = arrays.chunks_exact(2).map(|pair| {
        let [(name, file), (expected, pixels)] = pair else { unreachable!() };
        assert_eq!(expected, &format!("{name}="));
        (name.clone(), bytes(file).to_vec(), pixels.clone())
    });
    pairs.collect()
}

/// The pixels of one image in 0..=255, and width, height and channels.
fn read(name: &str, file: &[u8]) -> Result<([usize; 3], Vec<f64>), DataError> {
    let folder = tempfile::tempdir().unwrap();
    let ending = &name[..name.find(' ').unwrap()];
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::write(folder.path().join("a").join(format!("1.{ending}")), file).unwrap();
    let data = load(&folder.path().to_str().unwrap().parse()?, &LoadOptions::default())?.dataset;
    let shape = data.image_shape().unwrap();
    let row = data.row(0).into_iter().map(|value| 255.0 * value).collect();
    Ok(([shape.width, shape.height, shape.channels], row))
}

#[test]
fn pixels_are_those_of_pillow() {
    let cases = cases();
    assert!(cases.len() > 150, "{}", cases.len());
    let mut wrong = Vec::new();
    for (name, file, pixels) in &cases {
        let (shape, row) = match read(name, file) {
            Ok(read) => read,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let [height, width, channels] = pixels.shape[..] else { panic!("{name}") };
        if shape != [width, height, channels] {
            wrong.push(format!("{name}: {shape:?} for {:?}", pixels.shape));
            continue;
        }
        // 5 and 6 bits are cut to bytes there, not here; transforms of JPEG are rounded in two ways.
        let slack = match name {
            name if name.contains("16 bits") || name.contains("masks 5") => 1.0,
            name if name.starts_with("jpeg") => 4.0,
            _ => 1e-4,
        };
        let planes = (0..channels).flat_map(|channel| bytes(pixels).iter().skip(channel).step_by(channels));
        let far = planes.zip(&row).map(|(&a, b)| (f64::from(a) - b).abs()).fold(0.0, f64::max);
        if far > slack {
            wrong.push(format!("{name}: {far} from Pillow"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn what_is_cut_short_is_refused() {
    let mut read_anyway = Vec::new();
    for (name, file, _) in cases() {
        // Up to where the last pixel may end: the end of a GIF's or PNG's data, padding of a BMP's last row or run.
        let end = match &name {
            name if name.starts_with("jpeg and more") => file.len() - 9 * 7,
            name if name.starts_with("gif of two") => file.len() / 3,
            name if name.starts_with("png") => file.len() - 20,
            name if name.starts_with("bmp runs") => file.len() - 6,
            name if name.starts_with("bmp 1 bit") => file.len() - 4,
            name if name.starts_with("bmp") => file.len() - 3,
            name if name.starts_with("gif") => file.len() - 4,
            _ => file.len(),
        };
        let cuts = [end - 1, end * 95 / 100, end * 7 / 10, end / 2, end / 3, end / 10, 20, 3];
        for cut in cuts.into_iter().filter(|&cut| cut < end) {
            if read(&name, &file[..cut]).is_ok() {
                read_anyway.push(format!("{name}: {cut} of {}", file.len()));
            }
        }
    }
    assert!(read_anyway.is_empty(), "{}:\n{}", read_anyway.len(), read_anyway.join("\n"));
}
