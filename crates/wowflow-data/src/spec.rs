//! How a dataset is named, the same way everywhere: `mnist[train]:200`, `glyphs:digits`, `data/x.npz`.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::DataError;
use crate::generate::Generator;
use crate::image_options::ImageOptions;
use crate::named::NamedSet;
use crate::split::Split;
use crate::table_options::TableOptions;

/// Where a dataset comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is generated.
    Generator(Generator),
    /// A published set, looked up by name.
    Named(NamedSet),
    /// A file or folder.
    Path(PathBuf),
}

/// A dataset as one names it: a source, perhaps a part, perhaps a number of samples a class.
///
/// - `mnist`, `fashion-mnist[test]`, `cifar10[train]:200`: a published set; the training part
///   unless the test part is named; `:N` takes `N` samples of every class, drawn with the seed,
///   the first ones of any larger `N`;
/// - `rings`, `rings:80`, `glyphs:digits:100`, `noise:32x32x3`: a generator, its variant, samples
///   a class;
/// - `path/to/file.npz`, `path/to/folder[test]:10`: everything else is a path. A path that could be
///   read as a name is written with a folder before it: `./mnist`. A file or folder whose whole name has
///   brackets and colons is that file;
/// - `table.csv[label=species,drop=id+2]:50`: what the content of a table leaves open ([`TableOptions`]);
/// - `photos[grey]`, `mnist[test,rgb]:20`, `photos[size=28x28]`: what images are brought to ([`ImageOptions`]).
///
/// [`fmt::Display`] writes what [`FromStr`] reads.
///
/// ```
/// use wowflow_data::{DatasetSpec, NamedSet, Source, Split};
/// let spec: DatasetSpec = "mnist[test]:200".parse()?;
/// assert_eq!(spec.source(), &Source::Named(NamedSet::Mnist));
/// assert_eq!((spec.split(), spec.per_class()), (Some(Split::Test), Some(200)));
/// assert_eq!(spec.to_string(), "mnist[test]:200");
/// assert!("mnist:0".parse::<DatasetSpec>().is_err());
/// # Ok::<(), wowflow_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSpec {
    source: Source,
    split: Option<Split>,
    per_class: Option<NonZeroUsize>,
    table: TableOptions,
    images: ImageOptions,
}

impl DatasetSpec {
    /// Where the dataset comes from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The part that was named, if any.
    #[must_use]
    pub fn split(&self) -> Option<Split> {
        self.split
    }

    /// Samples a class that were asked for, if any.
    #[must_use]
    pub fn per_class(&self) -> Option<usize> {
        self.per_class.map(NonZeroUsize::get)
    }

    /// What is said of a table.
    #[must_use]
    pub fn table(&self) -> &TableOptions {
        &self.table
    }

    /// What its images are brought to.
    #[must_use]
    pub fn images(&self) -> ImageOptions {
        self.images
    }

    /// The same with images brought to what is said here, where the name does not say it.
    ///
    /// ```
    /// use wowflow_data::{Colour, DatasetSpec, ImageOptions};
    /// let grey = ImageOptions { colour: Some(Colour::Grey), size: "8x8".parse().ok() };
    /// let spec: DatasetSpec = "cifar10[test]:20".parse()?;
    /// assert_eq!(spec.with_images(grey).to_string(), "cifar10[test,grey,size=8x8]:20");
    /// # Ok::<(), wowflow_data::DataError>(())
    /// ```
    #[must_use]
    pub fn with_images(self, images: ImageOptions) -> Self {
        let spec = match self.literal().filter(|path| path.exists()) {
            Some(path) if !images.is_empty() => Self::of_path(path),
            _ => self,
        };
        Self { images: spec.images.or(images), ..spec }
    }

    /// The same, a path alone: a file may have brackets and colons in its name.
    pub(crate) fn literal(&self) -> Option<PathBuf> {
        match self.source {
            Source::Path(_)
                if *self != Self { source: self.source.clone(), ..Self::of_path(PathBuf::new()) } =>
            {
                Some(self.to_string().into())
            }
            _ => None,
        }
    }

    /// The same of another path.
    pub(crate) fn at(&self, path: PathBuf) -> Self {
        Self { source: Source::Path(path), ..self.clone() }
    }

    /// A path and nothing else.
    pub(crate) fn of_path(path: PathBuf) -> Self {
        let (table, images) = (TableOptions::default(), ImageOptions::default());
        Self { source: Source::Path(path), split: None, per_class: None, table, images }
    }

    /// Whether a place, there or not, lies in the folder that the dataset is read from: a file written there would be
    /// taken for a part of it.
    ///
    /// ```
    /// # use wowflow_data::DatasetSpec;
    /// let here: DatasetSpec = ".".parse()?;
    /// assert!(here.holds("runs/first".as_ref()) && !here.holds("/".as_ref()));
    /// # Ok::<(), wowflow_data::DataError>(())
    /// ```
    #[must_use]
    pub fn holds(&self, place: &Path) -> bool {
        let Source::Path(folder) = &self.source else { return false };
        let (Ok(folder), Ok(place)) = (folder.canonicalize(), std::path::absolute(place)) else {
            return false;
        };
        let there = place.ancestors().find_map(|part| part.canonicalize().ok());
        folder.is_dir() && there.is_some_and(|there| there.starts_with(&folder))
    }

    /// The name without the number of samples.
    pub(crate) fn name(&self) -> String {
        Self { per_class: None, ..self.clone() }.to_string()
    }
}

impl FromStr for DatasetSpec {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(invalid(
                text,
                "a dataset such as mnist[train]:200, glyphs:digits or a path",
                "nothing",
            ));
        }
        let (body, per_class) = match text.rsplit_once(':') {
            Some((body, digits)) if is_digits(digits) => (body, Some(count(text, digits)?)),
            _ => (text, None),
        };
        let plain = Inner::default;
        let (name, Inner { split, table, images }) =
            match body.strip_suffix(']').and_then(|body| body.rsplit_once('[')) {
                Some((name, inner)) if !name.is_empty() => match bracket(text, inner)? {
                    Some(inner) => (name, inner),
                    None => (body, plain()),
                },
                _ => (body, plain()),
            };
        if !images.is_empty() && split.is_none() && table.is_empty() {
            let count = text[body.len()..].to_owned();
            if let Some(spec) = generated(&format!("{name}{count}"))? {
                return Ok(Self { images, ..spec });
            }
        }
        if let Some(spec) = generated(text)? {
            return Ok(spec);
        }
        if let Some(set) = NamedSet::parse(name) {
            if !table.is_empty() || split == Some(Split::Val) {
                let found = &body[name.len()..];
                return Err(invalid(
                    text,
                    format!("{name}, {name}[train] or {name}[test], then perhaps :N"),
                    found,
                ));
            }
            return Ok(Self { source: Source::Named(set), split, per_class, table, images });
        }
        // What begins as a known name and goes on wrongly is a slip, not a path.
        if let Some((head, rest)) = name.find(['[', ':']).map(|at| name.split_at(at))
            && NamedSet::parse(head).is_some()
        {
            return Err(invalid(
                text,
                format!("{head}, {head}[train] or {head}[test], then perhaps :N"),
                rest,
            ));
        }
        Ok(Self { source: Source::Path(name.into()), split, per_class, table, images })
    }
}

/// What stands in brackets.
#[derive(Default)]
struct Inner {
    split: Option<Split>,
    table: TableOptions,
    images: ImageOptions,
}

/// Reads what stands in brackets; `None` for anything else, such as a number in a file's name.
fn bracket(text: &str, inner: &str) -> Result<Option<Inner>, DataError> {
    let mut found = Inner::default();
    // A comma may itself be the separator.
    let inner = inner.replace("sep=,", "sep=comma");
    for part in inner.split(',') {
        if found.images.set(part).map_err(|expected| invalid(text, expected, part))? {
            continue;
        }
        if let Some((key, value)) = part.split_once('=') {
            let set = found.table.set(key.trim(), value.trim());
            set.map_err(|expected| invalid(text, format!("in brackets {expected}"), part))?;
        } else if let Some(named) =
            Split::ALL.into_iter().find(|split| split.spellings().contains(&part.trim()))
        {
            found.split = Some(named);
        } else {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

/// Reads `text` as a generator with its variant and number of samples; `None` if it names none.
fn generated(text: &str) -> Result<Option<DatasetSpec>, DataError> {
    let mut parts = text.splitn(3, ':');
    let name = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let of = |variant| Generator::parse(name, variant);
    let (generator, digits) = match (of(None), &rest[..]) {
        (Ok(None), _) => return Ok(None),
        (bare, []) => (bare, None),
        (bare, &[first]) => match (of(Some(first)), bare) {
            // A variant may be a number (`noise:784`); a number that is none counts samples.
            (Err(_), Ok(bare)) if is_digits(first) => (Ok(bare), Some(first)),
            (variant, _) => (variant, None),
        },
        (_, &[first, digits, ..]) => (of(Some(first)), Some(digits)),
    };
    let Some(generator) = generator? else { return Ok(None) };
    let per_class = digits.map(|digits| count(text, digits)).transpose()?;
    let source = Source::Generator(generator);
    Ok(Some(DatasetSpec { source, per_class, ..DatasetSpec::of_path(PathBuf::new()) }))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn count(text: &str, digits: &str) -> Result<NonZeroUsize, DataError> {
    let number = digits.parse().ok().filter(|_| is_digits(digits));
    number.ok_or_else(|| invalid(text, "at least 1 sample a class after the last colon", digits))
}

fn invalid(text: &str, expected: impl Into<String>, found: &str) -> DataError {
    DataError::Spec { text: text.to_owned(), expected: expected.into(), found: found.to_owned() }
}

impl fmt::Display for DatasetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Generator(generator) => write!(f, "{generator}")?,
            Source::Named(set) => write!(f, "{set}")?,
            Source::Path(path) => write!(f, "{}", path.display())?,
        }
        let table = (!self.table.is_empty()).then(|| self.table.to_string());
        let images = (!self.images.is_empty()).then(|| self.images.to_string());
        let inner: Vec<String> =
            self.split.map(|split| split.name().to_owned()).into_iter().chain(table).chain(images).collect();
        if !inner.is_empty() {
            write!(f, "[{}]", inner.join(","))?;
        }
        match self.per_class {
            Some(count) => write!(f, ":{count}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Alphabet, NoiseShape};

    fn parse(text: &str) -> Result<DatasetSpec, String> {
        text.parse().map_err(|error: DataError| error.to_string())
    }

    #[test]
    fn names_round_trip() {
        for text in [
            "mnist",
            "mnist[train]:200",
            "mnist[test]",
            "fashion-mnist:10",
            "kmnist",
            "usps",
            "cifar10",
            "svhn",
            "rings",
            "rings:80",
            "rings:source:5",
            "gaussians:50",
            "moons",
            "noise:784",
            "noise:784:100",
            "noise:32x32x3:7",
            "glyphs:letters",
            "glyphs:digits:100",
            "path/to/file.npz",
            "path/to/file.npz:20",
            "path/to/folder",
            "folder[test]:3",
            "./mnist",
            "C:\\data\\x.npz",
            "a b.csv",
            "data[1].csv",
            "data[1].csv[grey]",
            "photos[grey,size=28x28]",
            "mnist[test,rgb]:20",
            "glyphs:digits[rgb]:7",
            "noise:8x8[size=4x4]",
            "x.csv[label=a,rgb]",
            "glyph:digits",
        ] {
            let spec = parse(text).unwrap();
            assert_eq!(spec.to_string(), text);
            assert_eq!(parse(&spec.to_string()).unwrap(), spec);
        }
        assert_eq!(parse(" fashion_mnist ").unwrap().to_string(), "fashion-mnist");
        assert_eq!(parse("noise").unwrap(), parse("noise:28x28").unwrap());
    }

    #[test]
    fn parts_are_understood() {
        let spec = parse("data/x.npz[test]:20").unwrap();
        assert_eq!(spec.source(), &Source::Path("data/x.npz".into()));
        assert_eq!((spec.split(), spec.per_class()), (Some(Split::Test), Some(20)));
        let spec = parse("noise:100").unwrap();
        assert_eq!(spec.source(), &Source::Generator(Generator::Noise(NoiseShape::Flat(100))));
        assert_eq!(spec.per_class(), None);
        let spec = parse("glyphs:digits:7").unwrap();
        assert_eq!(spec.source(), &Source::Generator(Generator::Glyphs(Alphabet::Digits)));
        assert_eq!(spec.per_class(), Some(7));
    }

    #[test]
    fn slips_are_named() {
        let count = "expected at least 1 sample a class after the last colon";
        for (text, expected) in [
            ("mnist:0", format!("dataset `mnist:0`: {count}, found `0`")),
            ("rings:0", format!("dataset `rings:0`: {count}, found `0`")),
            ("x.npz:0", format!("dataset `x.npz:0`: {count}, found `0`")),
            ("glyphs:digits:-3", format!("dataset `glyphs:digits:-3`: {count}, found `-3`")),
            (
                "mnist[valid]:3",
                "dataset `mnist[valid]:3`: expected mnist, mnist[train] or mnist[test], then perhaps :N, found \
                 `[valid]`"
                    .to_owned(),
            ),
            ("glyphs", "expected `digits` or `letters` after the generator `glyphs`, found nothing".to_owned()),
            ("rings:square", "expected nothing or `source` after the generator `rings`, found `square`".to_owned()),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected);
        }
        assert!(parse("  ").unwrap_err().contains("expected a dataset such as"));
        assert!(parse("mnist:99999999999999999999999").is_err());
        assert!(parse("mnist:ten").unwrap_err().contains("found `:ten`"));
    }
}
