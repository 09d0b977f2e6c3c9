//! CIFAR-10: binary batches, Python batches (nothing is executed) and the archives of either.

use std::io::Read;
use std::path::{Path, PathBuf};

use wowflow::dataset::{ImageShape, Label, Points};

use super::pickle::{self, Pickle, Value};
use super::source;
use super::{Parsed, dataset};
use crate::bounded::Budget;
use crate::columns::Columns;
use crate::error::DataError;
use crate::split::Split;

const SHAPE: ImageShape = ImageShape { width: 32, height: 32, channels: 3 };
const PIXELS: usize = 32 * 32 * 3;
/// No batch is larger than this: the originals have 31 MB.
const LARGEST_BATCH: u64 = 1 << 28;
/// Folders inside the original archives.
const FOLDERS: [&str; 2] = ["cifar-10-batches-py", "cifar-10-batches-bin"];
const ARCHIVES: [&str; 2] = ["cifar-10-python.tar.gz", "cifar-10-binary.tar.gz"];

/// Labels and planar pixels of some images.
#[derive(Debug, PartialEq)]
struct Batch {
    labels: Vec<u8>,
    pixels: Vec<u8>,
}

/// Reads one part from a folder of batches or of an original archive; `None` if it holds neither.
///
/// The training part is its five batches: fewer are an error that names the missing ones.
pub(crate) fn read_named(folder: &Path, split: Split) -> Result<Option<Parsed>, DataError> {
    let places = [folder.to_owned()].into_iter().chain(FOLDERS.map(|inner| folder.join(inner)));
    let mut fewer = None;
    for place in places {
        for ending in ["", ".bin"] {
            let paths = |split| batch_names(split).map(|name| place.join(format!("{name}{ending}")));
            let (there, missing): (Vec<PathBuf>, Vec<PathBuf>) =
                paths(split).partition(|path| path.is_file());
            if missing.is_empty() {
                return read_batches(&there).map(Some);
            }
            if !there.is_empty() || paths(Split::Train).chain(paths(Split::Test)).any(|path| path.is_file()) {
                fewer.get_or_insert((place.clone(), there, missing));
            }
        }
    }
    for archive in ARCHIVES.map(|name| folder.join(name)) {
        if archive.is_file() {
            return read_archive(&archive, split).map(Some);
        }
    }
    match fewer {
        None => Ok(None),
        Some((place, there, missing)) => Err(incomplete(&place, &there, &missing)),
    }
}

fn batch_names(split: Split) -> impl Iterator<Item = String> {
    match split {
        Split::Train => (1..=5).map(|number| format!("data_batch_{number}")).collect::<Vec<_>>(),
        Split::Test => vec!["test_batch".to_owned()],
        // There is none: the names are looked for, and not found.
        Split::Val => vec!["val_batch".to_owned()],
    }
    .into_iter()
}

fn incomplete(place: &Path, there: &[PathBuf], missing: &[PathBuf]) -> DataError {
    let names = |paths: &[PathBuf]| {
        let names = paths.iter().map(|path| path.file_name().unwrap_or_default().to_string_lossy());
        names.collect::<Vec<_>>().join(", ")
    };
    let found = match there {
        [] => "none of them".to_owned(),
        [one, ..] => format!("only {} (to use one alone, name its file: {})", names(there), one.display()),
    };
    DataError::Incomplete { folder: place.to_owned(), expected: format!("also {}", names(missing)), found }
}

/// Reads one batch, binary or Python.
pub(super) fn read_batch(path: &Path) -> Result<Parsed, DataError> {
    read_batches(&[path.to_owned()])
}

fn read_batches(paths: &[PathBuf]) -> Result<Parsed, DataError> {
    let budget = &Budget::default();
    let mut batches = Vec::new();
    for path in paths {
        let bytes = source::read_whole(path, budget)?;
        batches.push(parse(&bytes, path, budget)?);
        budget.give(bytes.len() as u64);
    }
    assemble(&batches, paths[0].as_path(), paths.to_vec(), budget)
}

/// Reads one part out of an original archive without unpacking it.
pub(super) fn read_archive(path: &Path, split: Split) -> Result<Parsed, DataError> {
    let on_error = |error| DataError::io(path, error);
    let wanted: Vec<String> = batch_names(split).collect();
    let mut found: Vec<Option<Batch>> = wanted.iter().map(|_| None).collect();
    let budget = &Budget::default();
    let mut archive = tar::Archive::new(source::open(path, budget)?.reader);
    for entry in archive.entries().map_err(on_error)? {
        let entry = entry.map_err(on_error)?;
        let inner = entry.path().map_err(on_error)?.into_owned();
        let name = inner.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".bin").unwrap_or(&name);
        let Some(index) = wanted.iter().position(|wanted| wanted == name) else { continue };
        let bytes = budget.read_to_end(&mut entry.take(LARGEST_BATCH), path)?;
        found[index] = Some(parse(&bytes, &path.join(&inner), budget)?);
        budget.give(bytes.len() as u64);
    }
    let missing: Vec<PathBuf> =
        wanted.iter().zip(&found).filter(|(_, batch)| batch.is_none()).map(|(name, _)| name.into()).collect();
    if !missing.is_empty() {
        return Err(incomplete(path, &[], &missing));
    }
    let batches: Vec<Batch> = found.into_iter().flatten().collect();
    assemble(&batches, path, vec![path.to_owned()], budget)
}

fn assemble(
    batches: &[Batch],
    file: &Path,
    files: Vec<PathBuf>,
    budget: &Budget,
) -> Result<Parsed, DataError> {
    let count = batches.iter().map(|batch| batch.labels.len()).sum();
    budget.take_of::<[f32; PIXELS]>(count, file)?;
    let mut values = Vec::with_capacity(count * PIXELS);
    let mut labels = Vec::with_capacity(count);
    for batch in batches {
        values.extend(batch.pixels.iter().map(|&byte| f32::from(byte) / 255.0));
        labels.extend(batch.labels.iter().map(|&label| Label::Int(label.into())));
    }
    let dataset = dataset(file, Points::F32(values), PIXELS, labels, Some(SHAPE), budget)?;
    Ok(Parsed { dataset, files, notes: Vec::new(), columns: Columns::Places })
}

fn parse(bytes: &[u8], file: &Path, budget: &Budget) -> Result<Batch, DataError> {
    // The pixels stand in it once.
    budget.take(bytes.len() as u64, file)?;
    let batch = if bytes.len().is_multiple_of(PIXELS + 1) && !bytes.is_empty() && bytes[0] < 10 {
        binary(bytes)
    } else if bytes.first() == Some(&0x80) {
        python(&pickle::parse(bytes, file, budget)?, file)?
    } else {
        let expected = format!("a Python batch or a multiple of {} bytes", PIXELS + 1);
        return Err(DataError::format(file, expected, format!("{} bytes", bytes.len())));
    };
    match batch.labels.iter().position(|&label| label > 9) {
        None => Ok(batch),
        Some(row) => {
            let found = format!("{} at row {}", batch.labels[row], row + 1);
            Err(DataError::format(file, "a label from 0 to 9", found))
        }
    }
}

fn binary(bytes: &[u8]) -> Batch {
    let records = bytes.chunks_exact(PIXELS + 1);
    Batch {
        labels: records.clone().map(|record| record[0]).collect(),
        pixels: records.flat_map(|record| record[1..].iter().copied()).collect(),
    }
}

fn python(pickle: &Pickle, file: &Path) -> Result<Batch, DataError> {
    let bad = |expected: &str| DataError::format(file, expected, "another pickle");
    let labels = match pickle.entry(pickle.top(), "labels") {
        Some(Value::List(items)) => items.iter().map(|&id| match pickle.get(id) {
            Value::Int(label) => u8::try_from(*label).ok(),
            _ => None,
        }),
        _ => return Err(bad("a dictionary with a list `labels`")),
    };
    let labels: Option<Vec<u8>> = labels.collect();
    let labels = labels.ok_or_else(|| bad("`labels` that are numbers from 0 to 9"))?;
    let data = pickle.entry(pickle.top(), "data").and_then(|value| byte_rows(pickle, value));
    let data = data.ok_or_else(|| bad("an n x 3072 array `data` of bytes, row-major"))?;
    if data.len() != labels.len() * PIXELS {
        let expected = format!("{} labels, one for each image", data.len() / PIXELS);
        return Err(DataError::format(file, expected, format!("{}", labels.len())));
    }
    Ok(Batch { labels, pixels: data.to_vec() })
}

/// The bytes of a NumPy array of type `u1` and shape n x 3072, as its pickled state holds them.
fn byte_rows<'a>(pickle: &'a Pickle, value: &Value) -> Option<&'a [u8]> {
    let Value::Object { of, state: Some(state), .. } = value else { return None };
    let (Value::Name(name), Value::Tuple(state)) = (pickle.get(*of), pickle.get(*state)) else { return None };
    let [_, shape, dtype, fortran, data] = state[..] else { return None };
    let Value::Tuple(shape) = pickle.get(shape) else { return None };
    let extents: Vec<&Value> = shape.iter().map(|&id| pickle.get(id)).collect();
    let [Value::Int(count), Value::Int(width)] = extents[..] else { return None };
    let Value::Object { of: dtype, arguments, .. } = pickle.get(dtype) else { return None };
    let Value::Tuple(arguments) = pickle.get(*arguments) else { return None };
    let element = pickle.get(*arguments.first()?);
    let Value::Bytes(data) = pickle.get(data) else { return None };
    let fits = usize::try_from(*count).ok()?.checked_mul(PIXELS)? == data.len() && *width == PIXELS as i64;
    let is_bytes = matches!(element, Value::Bytes(name) if name == b"u1");
    let is_array = name.ends_with("_reconstruct") && pickle.get(*dtype) == &Value::Name("numpy dtype");
    let row_major = pickle.get(fortran) == &Value::Bool(false);
    (fits && is_bytes && is_array && row_major).then_some(data)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A batch as Python 2 wrote it, of `labels.len()` images whose red planes hold 255.
    pub(in crate::read) fn python_batch(labels: &[u8]) -> Vec<u8> {
        let mut data = Vec::new();
        for _ in labels {
            data.extend([255; 1024]);
            data.extend([0; 2048]);
        }
        let mut out = b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(".to_vec();
        labels.iter().for_each(|&label| out.extend([b'K', label]));
        out.extend(
            b"eU\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85",
        );
        out.extend(b"U\x01b\x87Rq\x07(K\x01K");
        out.push(labels.len() as u8);
        out.extend(b"M\x00\x0c\x86cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87Rq\x09");
        out.extend(b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
        out.extend(b"tbu.");
        out
    }

    pub(in crate::read) fn binary_batch(labels: &[u8]) -> Vec<u8> {
        let image = |&label: &u8| [vec![label], vec![255; 1024], vec![0; 2048]].concat();
        labels.iter().flat_map(image).collect()
    }

    #[test]
    fn both_kinds_of_batches_agree() {
        let file = Path::new("batch");
        let budget = &Budget::default();
        let batch = parse(&python_batch(&[6, 9, 0]), file, budget).unwrap();
        assert_eq!(batch, parse(&binary_batch(&[6, 9, 0]), file, budget).unwrap());
        assert_eq!(batch.labels, [6, 9, 0]);
        assert_eq!(&batch.pixels[1022..1026], [255, 255, 0, 0]);
    }

    #[test]
    fn bad_batches_are_named() {
        let error = |bytes: &[u8]| parse(bytes, Path::new("b"), &Budget::default()).unwrap_err().to_string();
        assert_eq!(
            error(&[1, 2, 3]),
            "b: expected a Python batch or a multiple of 3073 bytes, found 3 bytes"
        );
        assert_eq!(error(&binary_batch(&[1, 10])), "b: expected a label from 0 to 9, found 10 at row 2");
        let mut short = python_batch(&[1, 2]);
        short.truncate(4000);
        assert!(error(&short).ends_with("the file is cut short"));
        let other = b"\x80\x02}(U\x06labels](K\x01eu.";
        assert_eq!(
            error(other),
            "b: expected an n x 3072 array `data` of bytes, row-major, found another pickle"
        );
    }

    #[test]
    fn folders_and_archives() {
        let folder = tempfile::tempdir().unwrap();
        let part = |split| read_named(folder.path(), split);
        assert!(part(Split::Train).unwrap().is_none());
        std::fs::write(folder.path().join("data_batch_1"), python_batch(&[3])).unwrap();
        let error = part(Split::Train).unwrap_err().to_string();
        assert!(error.contains("also data_batch_2, data_batch_3, data_batch_4, data_batch_5"), "{error}");
        assert!(error.contains("only data_batch_1 (to use one alone, name its file: "), "{error}");
        assert!(part(Split::Test).unwrap_err().to_string().contains("also test_batch, found none of them"));
        let alone = super::super::read_path(&folder.path().join("data_batch_1"), None).unwrap();
        assert_eq!(alone.dataset.len(), 1);

        let encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        let mut builder = tar::Builder::new(encoder);
        for number in (1..=5).rev() {
            let bytes = python_batch(&[number]);
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            let name = format!("cifar-10-batches-py/data_batch_{number}");
            builder.append_data(&mut header, name, &bytes[..]).unwrap();
        }
        let bytes = builder.into_inner().unwrap().finish().unwrap();
        let archive = folder.path().join("cifar-10-python.tar.gz");
        std::fs::write(&archive, bytes).unwrap();
        for parsed in [part(Split::Train).unwrap().unwrap(), super::super::read_path(&archive, None).unwrap()]
        {
            let labels: Vec<_> = (0..5).map(|row| parsed.dataset.label(row).clone()).collect();
            assert_eq!(labels, (1..=5).map(Label::Int).collect::<Vec<_>>());
            assert_eq!(parsed.dataset.image_shape(), Some(SHAPE));
        }
        assert!(read_archive(&archive, Split::Test).unwrap_err().to_string().contains("test_batch"));
    }
}
