//! From a dataset's name to its samples: looking up, reading or generating, drawing samples.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use wowflow::dataset::{Label, LabeledDataset};
use wowflow::rng::{Purpose, Stream};

use crate::columns::Columns;
use crate::error::DataError;
use crate::generate::{Generator, generate};
use crate::machine::free_memory;
use crate::named::{NamedSet, svhn_file, usps_candidates};
use crate::read::source::{SourceFile, checksum};
use crate::read::{self, Convention, Parsed, Reading};
use crate::resize::Size;
use crate::spec::{DatasetSpec, Source};
use crate::split::Split;

/// What loading depends on besides the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Where named sets are looked up, first to last; see [`search_path`].
    pub data_dirs: Vec<PathBuf>,
    /// Seed of generators and of the samples drawn from a larger set.
    pub seed: u64,
}

/// A dataset and where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The samples.
    pub dataset: LabeledDataset,
    /// The files read, with their checksums; empty for a generator.
    pub sources: Vec<SourceFile>,
    /// One line for people: the name, the number of samples, the place.
    pub description: String,
    /// What the classes show, in the order of [`LabeledDataset::classes`], where the labels do not say.
    pub class_names: Option<Vec<String>>,
    /// How its coordinates are told apart.
    pub columns: Columns,
}

/// Loads the dataset of a name.
///
/// # Errors
/// A name that nothing stands behind (with the closest known one), a named set that is in no
/// folder, fewer samples than asked for, or files that cannot be read.
///
/// ```
/// use wowflow_data::{LoadOptions, load};
/// let loaded = load(&"glyphs:digits:5".parse()?, &LoadOptions::default())?;
/// assert_eq!((loaded.dataset.len(), loaded.dataset.class_count()), (50, 10));
/// assert!(load(&"glyfs".parse()?, &LoadOptions::default()).is_err());
/// # Ok::<(), wowflow_data::DataError>(())
/// ```
pub fn load(spec: &DatasetSpec, options: &LoadOptions) -> Result<Loaded, DataError> {
    load_with(spec, options, None)
}

/// [`load()`], with the size that the images of a folder are brought to where they differ in size.
pub(crate) fn load_with(
    spec: &DatasetSpec,
    options: &LoadOptions,
    resize: Option<Size>,
) -> Result<Loaded, DataError> {
    if let Some(path) = spec.literal().filter(|path| path.exists()) {
        return load_with(&DatasetSpec::of_path(path), options, resize);
    }
    let images = spec.images();
    let (resize, brought) = (images.size.or(resize), |dataset| {
        images.apply(dataset).map_err(|error| DataError::Resize { name: spec.to_string(), error })
    });
    let (parsed, class_names) = match spec.source() {
        Source::Generator(generator) => {
            let loaded = generated(*generator, spec, options.seed)?;
            return Ok(Loaded { dataset: brought(loaded.dataset)?, ..loaded });
        }
        Source::Named(set) => {
            (find_named(*set, spec.split().unwrap_or_default(), options)?, set.class_names())
        }
        Source::Path(path) => {
            if !path.exists() {
                return Err(nothing_there(path));
            }
            if !path.is_file() && !path.is_dir() {
                return piped(path, spec, options);
            }
            let (without_alpha, table) = (images.colour.is_some(), spec.table().clone());
            (read::read(path, spec.split(), &Reading { resize, without_alpha, table })?, None)
        }
    };
    let sources = parsed.files.iter().map(|path| checksum(path)).collect::<Result<Vec<_>, _>>()?;
    let all = parsed.dataset;
    let total = all.len();
    let dataset = match spec.per_class() {
        Some(count) => draw(&all, count, spec, options.seed)?,
        None => all,
    };
    let dataset = brought(dataset)?;
    let samples = match spec.per_class() {
        Some(count) => format!("{count} a class of {total} samples"),
        None if total == 1 => "1 sample".to_owned(),
        None => format!("{total} samples"),
    };
    let place = parsed.files.first().map(|path| format!(" from {}", path.display())).unwrap_or_default();
    let class_names = class_names.map(|names| {
        let name = |label: &Label| match label {
            Label::Int(index @ 0..=9) => names[*index as usize].to_owned(),
            other => other.to_string(),
        };
        dataset.classes().iter().map(name).collect()
    });
    let notes: String = parsed.notes.iter().map(|note| format!("; {note}")).collect();
    let description = format!("{}: {samples}{place}{notes}", spec.name());
    Ok(Loaded { dataset, sources, description, class_names, columns: parsed.columns })
}

/// The most that is taken from a pipe.
const PIPE: u64 = 4 << 30;

/// Loads what comes out of a pipe: it can be read once only, so it is kept in a file meanwhile.
fn piped(path: &Path, spec: &DatasetSpec, options: &LoadOptions) -> Result<Loaded, DataError> {
    let on_error = |error| DataError::io(path, error);
    if is_device(path).map_err(on_error)? {
        return Err(DataError::format(path, "a file, a folder or a pipe", "a device, which has no end"));
    }
    let folder = tempfile::tempdir().map_err(on_error)?;
    let copy = folder.path().join(path.file_name().unwrap_or_default());
    let mut pipe = fs::File::open(path).map_err(on_error)?;
    let mut file = fs::File::create(&copy).map_err(on_error)?;
    // It must fit into memory later, and temporary files may lie there, too.
    let most = free_memory().map_or(PIPE, |free| PIPE.min(free / 4));
    if io::copy(&mut io::Read::take(&mut pipe, most + 1), &mut file).map_err(on_error)? > most {
        let found = "more: write it to a file and name that";
        return Err(DataError::format(path, format!("at most {} MB from a pipe", most >> 20), found));
    }
    let mut loaded = load(&spec.at(copy.clone()), options).map_err(|error| error.about(&copy, path))?;
    loaded.sources.iter_mut().for_each(|source| source.path = path.to_owned());
    loaded.description = loaded.description.replace(&*copy.to_string_lossy(), &path.to_string_lossy());
    Ok(loaded)
}

/// Whether a path is a device such as `/dev/zero`.
fn is_device(path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = fs::metadata(path)?.file_type();
        Ok(kind.is_char_device() || kind.is_block_device())
    }
    #[cfg(not(unix))]
    Ok(false)
}

fn generated(generator: Generator, spec: &DatasetSpec, seed: u64) -> Result<Loaded, DataError> {
    let count = spec.per_class().unwrap_or_else(|| generator.default_count());
    let dataset = generate(generator, count, seed)?;
    let description = format!("{}: {count} a class, generated with seed {seed}", spec.name());
    let columns = Columns::Places;
    Ok(Loaded { dataset, sources: Vec::new(), description, class_names: None, columns })
}

/// Draws `count` samples of every class; fewer are the first of more, and no class depends on another.
fn draw(
    all: &LabeledDataset,
    count: usize,
    spec: &DatasetSpec,
    seed: u64,
) -> Result<LabeledDataset, DataError> {
    // A file's samples do not depend on the folder it lies in.
    let key = match spec.source() {
        Source::Path(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        Source::Named(set) => format!("{set}[{}]", spec.split().unwrap_or_default().name()),
        Source::Generator(generator) => generator.to_string(),
    };
    let mut rows = Vec::with_capacity(count.min(all.len()).saturating_mul(all.class_count()));
    for (class, label) in all.classes().iter().enumerate() {
        let known = all.class_rows(class);
        if known.len() < count {
            return Err(DataError::TooFew {
                name: spec.name(),
                class: label.to_string(),
                found: known.len(),
                expected: count,
            });
        }
        let stream = Stream::new(seed, Purpose::Subsample, fnv1a(&format!("{key}/{label}")));
        rows.extend(stream.reader().sample(known.len(), count).into_iter().map(|index| known[index]));
    }
    all.select(&rows).map_err(|error| DataError::Dataset { file: spec.name().into(), error })
}

/// The 64-bit FNV-1a hash: a fixed address for a text.
fn fnv1a(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn find_named(set: NamedSet, split: Split, options: &LoadOptions) -> Result<Parsed, DataError> {
    let names = [set.name().to_owned(), set.name().replace('-', "_")];
    let spellings = if names[0] == names[1] { &names[..1] } else { &names[..] };
    let mut partly = None;
    for folder in options.data_dirs.iter().flat_map(|dir| spellings.iter().map(|name| dir.join(name))) {
        match read_named(set, split, &folder) {
            Ok(Some(parsed)) => return Ok(parsed),
            Ok(None) => {}
            // A folder further down the search path may have all of it.
            Err(DataError::Incomplete { found, .. }) => partly = partly.or(Some(found)),
            Err(error) => return Err(error),
        }
    }
    let places: Vec<String> =
        options.data_dirs.iter().map(|dir| dir.join(&names[0]).display().to_string()).collect();
    Err(DataError::NotInPlace {
        name: format!("{set}[{}]", split.name()),
        expected: set.looked_for(split),
        places: if places.is_empty() { "any folder (none was given)".to_owned() } else { places.join(", ") },
        found: partly.unwrap_or_else(|| "none".to_owned()),
        fetch: set.name(),
    })
}

fn read_named(set: NamedSet, split: Split, folder: &Path) -> Result<Option<Parsed>, DataError> {
    let first = |names: &[&str]| names.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    match set {
        NamedSet::Mnist | NamedSet::FashionMnist | NamedSet::Kmnist => read::read_idx(folder, split),
        NamedSet::Cifar10 => read::read_cifar(folder, split),
        NamedSet::Usps => {
            let file = first(&usps_candidates(split));
            file.map(|path| read::read_libsvm(&path, Convention::Usps)).transpose()
        }
        NamedSet::Svhn => first(&[svhn_file(split)]).map(|path| read::read_mat(&path)).transpose(),
    }
}

fn nothing_there(path: &Path) -> DataError {
    let text = path.to_string_lossy();
    let plain = !text.contains(['/', '\\']) && path.extension().is_none();
    if !plain {
        return DataError::NoSuchPath { file: path.to_owned() };
    }
    let sets = NamedSet::ALL.map(NamedSet::name);
    let head = text.split([':', '[']).next().unwrap_or_default().to_lowercase();
    let generators = Generator::names().iter().map(|name| name.split(':').next().unwrap_or(name));
    let closest = sets.into_iter().chain(generators).map(|name| (distance(&head, name), name)).min();
    let closest = closest.filter(|&(distance, name)| distance <= 1 + name.len() / 4);
    DataError::UnknownName {
        name: text.clone().into_owned(),
        known: format!("{}, {}", sets.join(", "), Generator::names().join(", ")),
        hint: closest.map(|(_, name)| format!("; did you mean `{name}`?")).unwrap_or_default(),
    }
}

/// The number of letters to change, add or drop between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The values of the environment that decide where caches are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheHome {
    /// `XDG_CACHE_HOME`.
    pub xdg_cache_home: Option<OsString>,
    /// `HOME`.
    pub home: Option<OsString>,
    /// `LOCALAPPDATA`, on Windows.
    pub local_app_data: Option<OsString>,
}

impl CacheHome {
    /// The cache folder of wowflow: `~/.cache/wowflow` (or in `XDG_CACHE_HOME`),
    /// `~/Library/Caches/wowflow` on macOS, `%LOCALAPPDATA%\wowflow` on Windows.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        let absolute =
            |value: &Option<OsString>| value.as_ref().map(PathBuf::from).filter(|path| path.is_absolute());
        let base = if cfg!(windows) {
            absolute(&self.local_app_data)
        } else {
            let usual = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
            absolute(&self.xdg_cache_home).or_else(|| absolute(&self.home).map(|home| home.join(usual)))
        };
        base.map(|base| base.join("wowflow"))
    }
}

/// The folders in which named sets are looked up: `--data-dir`, then `WOWFLOW_DATA` (perhaps
/// several, separated as in `PATH`), then the cache folder.
///
/// The library reads no environment: the program passes the values in.
#[must_use]
pub fn search_path(
    data_dir: Option<&Path>,
    wowflow_data: Option<&OsString>,
    cache: &CacheHome,
) -> Vec<PathBuf> {
    let variable =
        wowflow_data.into_iter().flat_map(|value| std::env::split_paths(value).collect::<Vec<_>>());
    let folders = data_dir.map(Path::to_owned).into_iter().chain(variable).chain(cache.folder());
    folders.filter(|folder| !folder.as_os_str().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_load(text: &str, options: &LoadOptions) -> Result<Loaded, String> {
        text.parse().and_then(|spec| load(&spec, options)).map_err(|error| error.to_string())
    }

    /// A folder with `mnist` of ten one-pixel training images, `n + 1` of class `n` for 0 <= n < 4.
    fn small_mnist(folder: &str) -> (tempfile::TempDir, LoadOptions) {
        let top = tempfile::tempdir().unwrap();
        let place = top.path().join(folder);
        fs::create_dir_all(&place).unwrap();
        let labels: Vec<u8> = (0..4u8).flat_map(|class| vec![class; usize::from(class) + 1]).collect();
        let images =
            [&[0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 1][..], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]
                .concat();
        fs::write(place.join("train-images-idx3-ubyte"), images).unwrap();
        let labels = [&[0, 0, 8, 1, 0, 0, 0, 10][..], &labels].concat();
        fs::write(place.join("train-labels-idx1-ubyte"), labels).unwrap();
        let options = LoadOptions { data_dirs: vec![top.path().to_owned()], seed: 3 };
        (top, options)
    }

    #[test]
    fn named_sets_are_found_under_either_spelling() {
        for folder in ["fashion-mnist", "fashion_mnist"] {
            let (_top, options) = small_mnist(folder);
            let loaded = try_load("fashion-mnist", &options).unwrap();
            assert_eq!(loaded.dataset.len(), 10);
            assert_eq!(loaded.sources.len(), 2);
            assert_eq!(loaded.class_names.unwrap(), ["T-shirt/top", "trouser", "pullover", "dress"]);
        }
    }

    #[test]
    fn samples_are_nested_seeded_and_counted() {
        let (_top, options) = small_mnist("mnist");
        let error = try_load("mnist[train]:2", &options).unwrap_err();
        assert_eq!(error, "mnist[train]: expected at least 2 samples in class 0, found 1");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.csv");
        let text: String = (0..100).map(|row| format!("{row},{}\n", row % 2)).collect();
        fs::write(&path, text).unwrap();
        let draw = |count: usize, seed| {
            let spec = format!("{}:{count}", path.display());
            let data = try_load(&spec, &LoadOptions { seed, ..LoadOptions::default() }).unwrap().dataset;
            let rows =
                |class: usize| data.class_rows(class).iter().map(|&row| data.row(row)[0] as i64).collect();
            let both: [Vec<i64>; 2] = [rows(0), rows(1)];
            both
        };
        let (few, many) = (draw(5, 7), draw(20, 7));
        assert_eq!([few[0].len(), few[1].len()], [5, 5]);
        assert_eq!((&few[0][..], &few[1][..]), (&many[0][..5], &many[1][..5]));
        assert!(many[0].iter().all(|row| row % 2 == 0) && many[1].iter().all(|row| row % 2 == 1));
        let mut unique = many[0].clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), 20);
        assert_ne!(draw(5, 8), few);
        let halves = |rows: &[i64]| rows.iter().map(|row| row / 2).collect::<Vec<_>>();
        assert_ne!(halves(&few[0]), halves(&few[1]), "classes are drawn independently");
    }

    #[test]
    fn what_is_not_there_is_explained() {
        let (top, options) = small_mnist("mnist");
        let at = |name: &str| top.path().join(name).display().to_string();
        let error = try_load("mnist[test]", &options).unwrap_err();
        let expected = format!(
            "mnist[test]: expected t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, .gz or not, in {}; found only \
             train-images-idx3-ubyte; `wowflow fetch mnist` downloads it",
            at("mnist")
        );
        assert_eq!(error, expected);
        let error = try_load("svhn", &LoadOptions::default()).unwrap_err();
        let expected = "svhn[train]: expected train_32x32.mat in any folder (none was given); found none; `wowflow \
                        fetch svhn` downloads it";
        assert_eq!(error, expected);
        for (text, hint) in [
            ("fashon-mnist[train]:200", "; did you mean `fashion-mnist`?"),
            ("glyph:digits", "; did you mean `glyphs`?"),
            ("MNIST", "; did you mean `mnist`?"),
            ("imagenet", "glyphs:letters"),
        ] {
            let error = try_load(text, &options).unwrap_err();
            assert!(error.starts_with("unknown dataset `") && error.ends_with(hint), "{error}");
        }
        assert_eq!(try_load("no/such.npz:3", &options).unwrap_err(), "no/such.npz: no such file or folder");
    }

    #[test]
    fn a_later_folder_may_be_the_complete_one() {
        let (complete, _) = small_mnist("mnist");
        let partial = tempfile::tempdir().unwrap();
        fs::create_dir(partial.path().join("mnist")).unwrap();
        fs::write(partial.path().join("mnist/t10k-images-idx3-ubyte"), "").unwrap();
        let data_dirs = vec![partial.path().to_owned(), complete.path().to_owned()];
        let loaded = try_load("mnist", &LoadOptions { data_dirs, seed: 0 }).unwrap();
        assert!(loaded.sources[0].path.starts_with(complete.path()));
    }

    #[test]
    fn usps_and_svhn_have_their_own_files() {
        let top = tempfile::tempdir().unwrap();
        let options = LoadOptions { data_dirs: vec![top.path().to_owned()], seed: 0 };
        fs::create_dir(top.path().join("usps")).unwrap();
        fs::write(top.path().join("usps/usps.t"), "10 1:-1 256:1\n").unwrap();
        let loaded = try_load("usps[test]", &options).unwrap();
        assert_eq!(loaded.dataset.label(0).to_string(), "9");
        assert_eq!(
            loaded.description,
            format!("usps[test]: 1 sample from {}", top.path().join("usps/usps.t").display())
        );
        assert!(try_load("usps", &options).unwrap_err().contains("usps_h5_train.libsvm.bz2 or "));
        fs::create_dir(top.path().join("svhn")).unwrap();
        fs::write(top.path().join("svhn/test_32x32.mat"), "MATLAB 5.0").unwrap();
        assert!(try_load("svhn[test]", &options).unwrap_err().contains("little-endian MATLAB 5 file"));
    }

    #[test]
    fn folders_are_searched_in_order() {
        let root = if cfg!(windows) { "C:\\" } else { "/" };
        let at = |name: &str| PathBuf::from(root).join(name);
        let cache = CacheHome {
            xdg_cache_home: Some(at("xdg").into()),
            home: Some(at("home").into()),
            local_app_data: Some(at("xdg").into()),
        };
        let variable = std::env::join_paths([at("a"), at("b")]).unwrap();
        let found = search_path(Some(Path::new("given")), Some(&variable), &cache);
        assert_eq!(found, [PathBuf::from("given"), at("a"), at("b"), at("xdg").join("wowflow")]);
        assert!(search_path(None, Some(&OsString::new()), &CacheHome::default()).is_empty());
        let relative = CacheHome { xdg_cache_home: Some("here".into()), ..CacheHome::default() };
        assert_eq!(relative.folder(), None);
    }

    #[test]
    fn distances_count_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!((distance("", "abc"), distance("abc", "abc")), (3, 0));
    }
}
