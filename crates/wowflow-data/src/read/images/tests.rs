use image::{DynamicImage, GrayImage, ImageBuffer, Luma, RgbImage, RgbaImage};

use wowflow::dataset::Label;

use super::super::read_path;
use super::*;

fn read(folder: &tempfile::TempDir) -> Result<Parsed, DataError> {
    read_path(folder.path(), None)
}

/// With a size for images that differ in it: the samples and the notes.
fn read_at(folder: &tempfile::TempDir, width: usize, height: usize) -> (Parsed, Vec<String>) {
    let resize = Some(Size { width, height });
    let reading = Reading { resize, ..Reading::default() };
    let parsed = super::super::read(folder.path(), None, &reading).unwrap();
    let notes = parsed.notes.clone();
    (parsed, notes)
}

fn notes(folder: &tempfile::TempDir) -> Vec<String> {
    read_path(folder.path(), None).unwrap().notes
}

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
    let parsed = read(&folder).unwrap();
    let data = parsed.dataset;
    assert_eq!(data.classes(), &[Label::Int(3), Label::from("b")]);
    assert_eq!(data.image_shape(), Some(ImageShape { width: 3, height: 2, channels: 1 }));
    let row: Vec<f64> = data.row(2).iter().map(|v| (v * 255.0).round()).collect();
    assert_eq!(row, [0.0, 51.0, 102.0, 153.0, 204.0, 255.0]);
    assert_eq!(data.row(1), vec![1.0; 6]);
    assert_eq!(data.sample_names().unwrap(), ["3/only.png", "b/1.png", "b/2.png"]);
}

#[test]
fn colours_are_stored_plane_by_plane() {
    let image = RgbImage::from_raw(2, 1, vec![255, 0, 51, 0, 255, 102]).unwrap();
    let parsed = read(&folder_with(&[("a/1.png", image.into())])).unwrap();
    let row: Vec<f64> = parsed.dataset.row(0).iter().map(|v| (v * 255.0).round()).collect();
    assert_eq!(row, [255.0, 0.0, 0.0, 255.0, 51.0, 102.0]);
}

#[test]
fn every_format_and_depth_is_read() {
    let opaque = RgbaImage::from_fn(3, 2, |x, y| image::Rgba([x as u8 * 51, y as u8 * 255, 0, 255]));
    let colours = DynamicImage::from(opaque);
    let deep = ImageBuffer::<Luma<u16>, _>::from_raw(3, 2, vec![0, 13107, 26214, 39321, 52428, 65535]);
    let grey = grey([0, 51, 102, 153, 204, 255]);
    let read = |name: &str, image: DynamicImage| self::read(&folder_with(&[(name, image)])).unwrap().dataset;
    let plain = read("a/1.png", grey.clone());
    assert_eq!(read("a/1.png", deep.unwrap().into()).row(0), plain.row(0));
    let expected = read("a/1.png", colours.to_rgb8().into());
    for (name, image) in [("a/1.png", colours.clone()), ("a/1.bmp", colours.clone())] {
        assert_eq!(read(name, image).row(0), expected.row(0), "{name}");
    }
    // Lossy: within a few grey levels of what was written.
    let smooth = DynamicImage::from(GrayImage::from_fn(16, 8, |x, y| Luma([(8 * x + 10 * y) as u8])));
    for image in [smooth.clone(), smooth.to_rgb8().into()] {
        let (exact, lossy) = (read("a/1.png", image.clone()), read("a/1.jpg", image));
        assert_eq!(exact.image_shape(), lossy.image_shape());
        let close = exact.row(0).iter().zip(lossy.row(0)).all(|(a, b)| (a - b).abs() < 0.05);
        assert!(close, "{:?}\n{:?}", exact.row(0), lossy.row(0));
    }
    let folder = folder_with(&[("a/really.png", grey)]);
    fs::rename(folder.path().join("a/really.png"), folder.path().join("a/named.bmp")).unwrap();
    assert_eq!(read_path(folder.path(), None).unwrap().dataset.row(0), plain.row(0));
}

#[test]
fn what_does_not_fit_is_named() {
    let error = |folder: &tempfile::TempDir| {
        let text = read(folder).unwrap_err().to_string();
        text.replace(&format!("{}/", folder.path().display()), "")
    };
    let other = DynamicImage::from(GrayImage::new(2, 2));
    let sizes = folder_with(&[("a/1.png", grey([0; 6])), ("b/1.png", other)]);
    assert_eq!(
        error(&sizes),
        "b/1.png: expected images of 3x2 as in a/1.png, found one of 2x2: `--resize 3x2` brings all to one size"
    );
    let clear = folder_with(&[("a/1.png", RgbaImage::new(3, 2).into())]);
    assert_eq!(
        error(&clear),
        "a/1.png: expected grey or red-green-blue pixels, found transparent ones: lay the image on a background, or \
         leave alpha out by `--rgb` or `--grey`"
    );
    let nested = folder_with(&[("a/b/1.png", grey([0; 6]))]);
    assert_eq!(
        error(&nested),
        "a/b: expected images of a class, in PNG, JPEG, WebP, BMP or GIF, found a folder: name the folder of the \
         classes, or its part as FOLDER[test]"
    );
    let empty = folder_with(&[("a/1.png", grey([0; 6]))]);
    fs::create_dir(empty.path().join("b")).unwrap();
    assert_eq!(error(&empty), "b: expected images of a class, in PNG, JPEG, WebP, BMP or GIF, found none");
    fs::write(empty.path().join("b/1.txt"), "x").unwrap();
    assert!(error(&empty).ends_with("found only other files"));
    fs::write(empty.path().join("b/1.png"), b"\x89PNG\r\n\x1a\nbroken").unwrap();
    assert!(error(&empty).starts_with("b/1.png: expected a readable image, found "));
    fs::write(empty.path().join("b/1.png"), "").unwrap();
    assert!(error(&empty).ends_with("found none of PNG, JPEG, WebP, BMP or GIF by its first bytes"));
    fs::write(empty.path().join("b/1.png"), b"RIFF\x10\0\0\0WEBPVP8 ").unwrap();
    assert!(error(&empty).ends_with("expected a readable image, found a WebP cut short"));
    fs::write(empty.path().join("b/1.png"), b"II*\0").unwrap();
    assert_eq!(
        error(&empty),
        "b/1.png: TIFF cannot be read; convert it to one of PNG, JPEG, WebP, BMP or GIF, as in Python by \
         PIL.Image.open(FILE).convert('RGB').save('FILE.png')"
    );
    let none = tempfile::tempdir().unwrap();
    assert!(read(&none).unwrap_err().to_string().ends_with("one a class, found nothing"));
    fs::write(none.path().join("a.png"), "x").unwrap();
    assert!(read(&none).unwrap_err().to_string().ends_with("one a class, found 1 file (a.png)"));
}

#[test]
fn other_files_are_left_out_and_named() {
    let folder = folder_with(&[("a/1.png", grey([0; 6])), ("b/1.png", grey([9; 6]))]);
    assert!(notes(&folder).is_empty());
    for name in ["README.md", "labels.csv", "BMW.txt", "z.zip", ".hidden", "Thumbs.db", "a/.DS_Store"] {
        fs::write(folder.path().join(name), "BM and more than ten bytes").unwrap();
    }
    fs::create_dir(folder.path().join("__MACOSX")).unwrap();
    for name in ["a/notes.txt", "b/meta.json"] {
        fs::write(folder.path().join(name), "BM and more than ten bytes").unwrap();
    }
    let parsed = read(&folder).unwrap().dataset;
    assert_eq!((parsed.len(), parsed.class_count()), (2, 2));
    let expected = [
        "without 4 files (BMW.txt, README.md, labels.csv, ...) beside the classes",
        "without 2 files (notes.txt, meta.json) among the images",
        "without 4 hidden files",
    ];
    assert_eq!(notes(&folder), expected);
}

#[test]
fn grey_images_join_those_in_colour() {
    let colour = RgbImage::from_raw(3, 2, (0..18).map(|k| 10 * k).collect()).unwrap();
    let folder = folder_with(&[
        ("a/1.png", grey([0, 51, 102, 153, 204, 255])),
        ("a/2.png", colour.clone().into()),
        ("b/1.png", grey([255; 6])),
    ]);
    let data = read(&folder).unwrap().dataset;
    assert_eq!(data.image_shape(), Some(ImageShape { width: 3, height: 2, channels: 3 }));
    let row: Vec<f64> = data.row(0).iter().map(|v| (v * 255.0).round()).collect();
    assert_eq!(row, [0.0, 51.0, 102.0, 153.0, 204.0, 255.0].repeat(3));
    let alone = read(&folder_with(&[("a/2.png", colour.into())])).unwrap().dataset;
    assert_eq!(data.row(1), alone.row(0));
    assert_eq!(data.row(2), vec![1.0; 18]);
    assert_eq!(notes(&folder), ["2 of 3 images grey, repeated in 3 channels"]);
}

#[test]
fn images_of_several_sizes_are_brought_to_one() {
    let ramp = |width, height| GrayImage::from_fn(width, height, |x, y| Luma([(9 * x + 20 * y) as u8]));
    let (small, large) = (ramp(5, 4), ramp(8, 7));
    let one = |image: &GrayImage| read(&folder_with(&[("a/1.png", image.clone().into())])).unwrap().dataset;
    for (width, height) in [(5, 4), (8, 7), (6, 3), (1, 1), (16, 16)] {
        // The second, the third and the fourth differ from the first; one has colours.
        let folder = folder_with(&[
            ("a/1.png", small.clone().into()),
            ("a/2.png", large.clone().into()),
            ("b/1.png", DynamicImage::from(large.clone()).to_rgb8().into()),
            ("b/2.png", small.clone().into()),
        ]);
        let (parsed, notes) = read_at(&folder, width, height);
        let data = parsed.dataset;
        assert_eq!(data.image_shape(), Some(ImageShape { width, height, channels: 3 }));
        for (row, image) in [&small, &large, &large, &small].into_iter().enumerate() {
            let alone = crate::resize(&one(image), width, height).unwrap().row(0);
            assert_eq!(data.row(row), alone.repeat(3), "{row} at {width}x{height}");
        }
        let size = format!("of several sizes, brought to {width}x{height}");
        assert_eq!(notes, [&size, "3 of 4 images grey, repeated in 3 channels"]);
    }
    // Of one size: left to those who resize all that is loaded.
    let (parsed, notes) = read_at(&folder_with(&[("a/1.png", small.into())]), 2, 2);
    assert_eq!(parsed.dataset.dim(), 20);
    assert!(notes.is_empty());
}

#[test]
fn a_folder_may_have_parts() {
    let folder = folder_with(&[
        ("train/a/1.png", grey([0; 6])),
        ("train/b/1.png", grey([51; 6])),
        ("test/a/1.png", grey([102; 6])),
        ("val/a/1.png", grey([153; 6])),
    ]);
    fs::write(folder.path().join("README.md"), "x").unwrap();
    let part = |split| read_path(folder.path(), split).map(|parsed| (parsed.dataset.row(0)[0], parsed.files));
    let at = |name: &str| vec![folder.path().join(name)];
    assert_eq!(part(None).unwrap(), (0.0, at("train")));
    assert_eq!(part(Some(Split::Train)).unwrap(), (0.0, at("train")));
    let (value, files) = part(Some(Split::Test)).unwrap();
    assert_eq!(((value * 255.0).round(), files), (102.0, at("test")));
    fs::rename(folder.path().join("test"), folder.path().join("Test")).unwrap();
    assert_eq!(part(Some(Split::Test)).unwrap().1, at("Test"));
    fs::remove_dir_all(folder.path().join("Test")).unwrap();
    let error = part(Some(Split::Test)).unwrap_err().to_string();
    assert!(error.ends_with(": expected a folder `test`, the part, found train, val"), "{error}");
    // A class of trains.
    let vehicles = folder_with(&[("car/1.png", grey([0; 6])), ("train/1.png", grey([0; 6]))]);
    assert_eq!(read(&vehicles).unwrap().dataset.class_count(), 2);
}

#[test]
fn two_folders_never_become_one_class() {
    for names in [["1", "01"], ["2", "2.0"], ["+3", "3"], ["a", " a"], ["4", "4e0"]] {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::create_dir(folder.path().join(name)).unwrap();
            grey([0; 6]).save(folder.path().join(name).join("1.png")).unwrap();
        }
        // Two labels or none.
        match read(&folder) {
            Ok(parsed) => assert_eq!(parsed.dataset.class_count(), 2, "{names:?}"),
            Err(error) => assert!(error.to_string().contains("one folder a label"), "{error}"),
        }
    }
}

#[test]
fn the_size_in_a_header_allocates_nothing() {
    let bmp = |width: u32, height: u32, bits: u32, compression: u32| {
        let words = [40, width, height, 1 | bits << 16, compression, 0, 0, 0, 0, 0];
        let header = words.into_iter().flat_map(u32::to_le_bytes);
        [b"BM".to_vec(), vec![0; 8], vec![54, 0, 0, 0], header.collect(), vec![0; 100]].concat()
    };
    let png = |width: u32, height: u32, kind: [u8; 2]| {
        let body = [&width.to_be_bytes()[..], &height.to_be_bytes(), &kind, &[0; 3]].concat();
        let chunk = [b"IHDR".to_vec(), body].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&chunk);
        let sum = sum.sum().to_be_bytes();
        [b"\x89PNG\r\n\x1a\n\0\0\0\r".to_vec(), chunk, sum.to_vec()].concat()
    };
    let jpeg = |width: u16, height: u16, components: u8| {
        let ([w1, w2], [h1, h2]) = (width.to_be_bytes(), height.to_be_bytes());
        let frame = [0xff, 0xc0, 0, 8 + 3 * components, 8, h1, h2, w1, w2, components];
        let each = (1..=components).flat_map(|k| [k, 0x11, 0]);
        let scan = [0xff, 0xda, 0, 6 + 2 * components, components];
        let chosen = (1..=components).flat_map(|k| [k, 0]);
        let parts: [Vec<u8>; 2] =
            [frame.into_iter().chain(each).collect(), scan.into_iter().chain(chosen).collect()];
        [vec![0xff, 0xd8], parts.concat(), vec![0, 63, 0, 0, 0xff, 0xd9]].concat()
    };
    let gif = |width: u16, height: u16| {
        let screen = [width.to_le_bytes(), height.to_le_bytes()].concat();
        [b"GIF89a".to_vec(), screen, vec![0, 0, 0, b',', 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 0, b';']].concat()
    };
    let claims = [
        ("a/1.png", png(60_000, 60_000, [16, 6])),
        ("a/1.png", png(u32::MAX >> 1, u32::MAX >> 1, [8, 0])),
        ("a/1.png", png(70_000_000, 1, [8, 0])),
        ("a/1.jpg", jpeg(u16::MAX, u16::MAX, 3)),
        ("a/1.jpg", jpeg(9_000, 9_000, 1)),
        ("a/1.bmp", bmp(16_000, 16_000, 32, 0)),
        ("a/1.bmp", bmp(i32::MAX as u32, i32::MAX as u32, 1, 0)),
        ("a/1.bmp", bmp(9_000, 9_000, 8, 1)),
        ("a/1.gif", gif(u16::MAX, u16::MAX)),
    ];
    for (name, bytes) in claims {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join(name), &bytes).unwrap();
        let error = read(&folder).unwrap_err().to_string();
        assert!(error.contains(" by its header, more than 2"), "{name}: {error}");
        assert!(error.contains(&format!("{} bytes of files", bytes.len())), "{name}: {error}");
    }
}

#[test]
fn one_budget_counts_all_images() {
    // Runs that end at once: 6 million values in 100 bytes, a dozen times.
    let words = [40u32, 1400, 1400, 1 | 8 << 16, 1, 0, 0, 0, 1, 0];
    let header: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    let bytes =
        [b"BM".to_vec(), vec![0; 8], vec![58, 0, 0, 0], header, vec![0; 4], vec![0, 1], vec![0; 40]].concat();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    for number in 10..22 {
        fs::write(folder.path().join(format!("a/{number}.bmp")), &bytes).unwrap();
    }
    let error = read(&folder).unwrap_err().to_string();
    assert!(
        error.contains("1400x1400x3 by its header, more than 27") && error.contains("bytes of files"),
        "{error}"
    );
    // Brought to a small size, they are small. The first is of another size.
    image::GrayImage::new(2, 2).save(folder.path().join("a/1.png")).unwrap();
    assert_eq!(read_at(&folder, 3, 3).0.dataset.len(), 13);
}

#[test]
fn hidden_files_and_turns_are_counted() {
    let folder = folder_with(&[("a/1.png", grey([0; 6])), ("b/1.png", grey([51; 6]))]);
    for name in ["._a", ".DS_Store", "a/._1.png", "a/Thumbs.db", "desktop.ini"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    fs::create_dir_all(folder.path().join("__MACOSX/a")).unwrap();
    fs::write(folder.path().join("__MACOSX/a/1.png"), "x").unwrap();
    assert_eq!(notes(&folder), ["without 6 hidden files"]);
    let jpeg = |orientation: u8, little: bool| {
        let mut bytes = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new(&mut bytes);
        GrayImage::new(3, 2).write_with_encoder(encoder).unwrap();
        let tiff: &[u8] = if little {
            &[
                b'I',
                b'I',
                42,
                0,
                8,
                0,
                0,
                0,
                1,
                0,
                0x12,
                1,
                3,
                0,
                1,
                0,
                0,
                0,
                orientation,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
            ]
        } else {
            &[
                b'M',
                b'M',
                0,
                42,
                0,
                0,
                0,
                8,
                0,
                1,
                1,
                0x12,
                0,
                3,
                0,
                0,
                0,
                1,
                0,
                orientation,
                0,
                0,
                0,
                0,
                0,
                0,
            ]
        };
        let segment = [b"\xff\xe1\0\x22Exif\0\0", tiff].concat();
        bytes.splice(2..2, segment);
        bytes
    };
    for (orientation, little, turned) in
        [(1, true, false), (6, true, true), (3, false, true), (1, false, false)]
    {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/1.jpg"), jpeg(orientation, little)).unwrap();
        let expected: &[&str] = if turned { &["1 with a turn in EXIF, read as stored"] } else { &[] };
        assert_eq!(notes(&folder), expected, "{orientation} {little}");
    }
}

#[test]
fn labels_in_a_table_are_not_one_class() {
    let error = |folder: &tempfile::TempDir| read(folder).unwrap_err().to_string();
    let one = folder_with(&[("images/1.png", grey([0; 6])), ("images/2.png", grey([51; 6]))]);
    assert_eq!(read(&one).unwrap().dataset.class_count(), 1);
    fs::write(one.path().join("labels.csv"), "file,label\n1.png,a\n").unwrap();
    assert!(
        error(&one)
            .contains("found one folder, `images`, beside labels.csv: sort images into a folder a class")
    );
    let two = folder_with(&[("a/1.png", grey([0; 6])), ("b/2.png", grey([51; 6]))]);
    fs::write(two.path().join("labels.csv"), "file,label\n").unwrap();
    assert_eq!(notes(&two), ["without 1 file (labels.csv) beside the classes"]);
    let flat = folder_with(&[("cat.1.png", grey([0; 6])), ("dog.1.png", grey([51; 6]))]);
    assert!(error(&flat).contains("2 files (cat.1.png, dog.1.png): sort images into a folder a class"));
    let tables = tempfile::tempdir().unwrap();
    for name in ["train.csv", "test.csv"] {
        fs::write(tables.path().join(name), "label,x\na,1\n").unwrap();
    }
    assert!(error(&tables).ends_with(&format!("such as {}", tables.path().join("test.csv").display())));
    let parts = folder_with(&[("Training/a/1.png", grey([0; 6])), ("testing/a/1.png", grey([51; 6]))]);
    assert_eq!(read(&parts).unwrap().dataset.row(0)[0], 0.0);
    assert!(read_path(parts.path(), Some(Split::Test)).unwrap().dataset.row(0)[0] > 0.1);
}

#[test]
fn a_palette_that_ends_within_a_colour_is_refused() {
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(content);
        let length = (content.len() as u32).to_be_bytes();
        [&length[..], kind, content, &sum.sum().to_be_bytes()].concat()
    };
    let rows = flate2::read::ZlibEncoder::new(&[0u8, 0][..], flate2::Compression::fast());
    let rows: Vec<u8> = std::io::Read::bytes(rows).map(Result::unwrap).collect();
    let file = |palette: &[u8]| {
        let head = chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0]);
        let parts = [head, chunk(b"PLTE", palette), chunk(b"IDAT", &rows), chunk(b"IEND", &[])];
        [b"\x89PNG\r\n\x1a\n".to_vec(), parts.concat()].concat()
    };
    let read = |palette: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/1.png"), file(palette)).unwrap();
        read(&folder).map(|parsed| parsed.dataset.row(0)).map_err(|error| error.to_string())
    };
    assert_eq!(read(&[255, 0, 255]).unwrap(), [1.0, 0.0, 1.0]);
    for length in [2, 4, 771] {
        let error = read(&vec![7; length]).unwrap_err();
        assert!(error.contains("a/1.png: expected a readable image, found "), "{error}");
    }
}

#[test]
fn webp_is_read_and_alpha_is_left_out_where_channels_are_named() {
    let colours = RgbImage::from_fn(3, 2, |x, y| image::Rgb([10 * x as u8, 20 * y as u8, 5]));
    let png = folder_with(&[("a/1.png", colours.clone().into())]);
    let folder = folder_with(&[("a/1.webp", colours.clone().into())]);
    assert_eq!(read(&folder).unwrap().dataset.points(), read(&png).unwrap().dataset.points());
    let whole = fs::read(folder.path().join("a/1.webp")).unwrap();
    for cut in [13, 20, whole.len() / 2, whole.len() - 2] {
        fs::write(folder.path().join("a/1.webp"), &whole[..cut]).unwrap();
        assert!(read(&folder).unwrap_err().to_string().ends_with("found a WebP cut short"), "{cut}");
    }
    let mut clear: RgbaImage = DynamicImage::from(colours).into_rgba8();
    clear.put_pixel(1, 1, image::Rgba([10, 20, 5, 3]));
    for name in ["a/1.png", "a/1.webp"] {
        let folder = folder_with(&[(name, clear.clone().into()), ("b/1.png", grey([255; 6]))]);
        assert!(read(&folder).unwrap_err().to_string().contains("`--rgb`"));
        let reading = Reading { without_alpha: true, ..Reading::default() };
        let parsed = super::super::read(folder.path(), None, &reading).unwrap();
        let without = read(&png).unwrap().dataset.row(0);
        assert_eq!(
            (parsed.dataset.row(0), parsed.notes[0].as_str()),
            (without, "1 transparent, read without alpha")
        );
    }
}
