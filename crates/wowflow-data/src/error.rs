//! Everything that can go wrong between a name or a file and a validated dataset.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use wowflow::dataset::DatasetError;
use wowflow::text::shown;

use crate::generate::GenerateError;

/// Where in a file a bad value stands, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a text file.
    Line(u64),
    /// A row of an array: one sample.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// Why data could not be read, found, written or fetched; every message is one line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// Single precision for data that lose in it what is seen.
    #[error(
        "expected data that single precision holds, found {loss}: leave the precision open, or choose f64 (--precision f64)"
    )]
    Precision {
        /// What is lost.
        loss: crate::loss::SingleLoss,
    },
    /// The operating system or a decompressor refused.
    #[error("{}: {}", place(file), found_in(error))]
    Io {
        /// The file concerned.
        file: PathBuf,
        /// What was reported.
        error: io::Error,
    },
    /// The content is not what the format prescribes.
    #[error("{}: expected {}, found {}", place(file), prescribed(expected), found_in(found))]
    Format {
        /// The file concerned.
        file: PathBuf,
        /// What the format prescribes.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The content ends too early.
    #[error("{}: expected {expected} bytes, found {found}: the file is cut short", place(file))]
    Truncated {
        /// The file concerned.
        file: PathBuf,
        /// Bytes the header promises.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// Content of a kind that is known and not read.
    #[error("{}: {} cannot be read; {instead}", place(file), found_in(found))]
    Unsupported {
        /// The file concerned.
        file: PathBuf,
        /// The kind of content.
        found: String,
        /// What to use in its place.
        instead: String,
    },
    /// A coordinate that is not a finite number.
    #[error(
        "{}: expected a finite number at {place}, column {}, found {}",
        self::place(file),
        found_in(column),
        found_in(found)
    )]
    NotFinite {
        /// The file concerned.
        file: PathBuf,
        /// Line or row.
        place: Place,
        /// Column, by name where it has one, else counted from 1.
        column: String,
        /// What stands there.
        found: String,
    },
    /// The samples and labels do not form a dataset.
    #[error("{}: {}", place(file), found_in(error))]
    Dataset {
        /// The file concerned.
        file: PathBuf,
        /// The reason.
        error: DatasetError,
    },
    /// A generator refused.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// A dataset's name that cannot be understood.
    #[error(
        "dataset `{}`: expected {}, found `{}`",
        shown(text, 120),
        prescribed(expected),
        shown(found, 120)
    )]
    Spec {
        /// The name as written.
        text: String,
        /// What can stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A name that is neither known nor a path.
    #[error("unknown dataset `{}`: expected a file, a folder or one of {known}{hint}", found_in(name))]
    UnknownName {
        /// The name as written.
        name: String,
        /// The names that are known.
        known: String,
        /// The closest of them as a question, or nothing.
        hint: String,
    },
    /// A path with nothing behind it.
    #[error("{}: no such file or folder", place(file))]
    NoSuchPath {
        /// The path.
        file: PathBuf,
    },
    /// A folder that holds other files of a set than those asked for.
    #[error("{}: expected {}, found {}", place(folder), prescribed(expected), found_in(found))]
    Incomplete {
        /// The folder.
        folder: PathBuf,
        /// The files asked for.
        expected: String,
        /// Those there are.
        found: String,
    },
    /// A named set that is in no folder of the search path.
    #[error("{name}: expected {expected} in {places}; found {found}; `wowflow fetch {fetch}` downloads it")]
    NotInPlace {
        /// The set and its part.
        name: String,
        /// The files looked for.
        expected: String,
        /// The folders looked into.
        places: String,
        /// The files of the set that were found.
        found: String,
        /// The name to fetch.
        fetch: &'static str,
    },
    /// More samples were asked for than there are.
    #[error(
        "{}: expected at least {expected} samples in class {}, found {found}",
        found_in(name),
        found_in(class)
    )]
    TooFew {
        /// The dataset.
        name: String,
        /// The class.
        class: String,
        /// Samples it has.
        found: usize,
        /// Samples asked for.
        expected: usize,
    },
    /// A file whose content is not the published one.
    #[error("{}: expected {expected}, found {found}; the file was {kept}", file.display())]
    Checksum {
        /// The file.
        file: PathBuf,
        /// The published checksum.
        expected: String,
        /// That of the file.
        found: String,
        /// What happened to it: "kept as it is" or "thrown away".
        kept: &'static str,
    },
    /// A download that failed from every address.
    #[error("{}: {}", found_in(url), found_in(found))]
    Download {
        /// The last address tried.
        url: String,
        /// What the server or the network said.
        found: String,
    },
    /// Datasets that are to be used together, but there are none.
    #[error("expected at least one dataset, found none")]
    NoDatasets,
    /// Datasets of different dimensions.
    #[error(
        "expected datasets of the same dimension, found {} ({}) and {} ({}): {remedy} all in a shared space first",
        dims[0], names[0], dims[1], names[1]
    )]
    Dimensions {
        /// The dimensions.
        dims: [usize; 2],
        /// The datasets.
        names: [String; 2],
        /// What can be done.
        remedy: &'static str,
    },
    /// Tables with columns of other names.
    #[error(
        "expected the same columns in {} and {}, found {} in the one and {} in the other: rename them, or say [columns=place] after a name to take them as they stand",
        names[0], names[1], only[0], only[1]
    )]
    Columns {
        /// The datasets.
        names: [String; 2],
        /// Columns that only one has.
        only: [String; 2],
    },
    /// Datasets of images of different shapes.
    #[error(
        "expected images of the same shape, found {} ({}) and {} ({}): --resize 28x28, for one, brings all to one size",
        shapes[0], names[0], shapes[1], names[1]
    )]
    ImageShapes {
        /// The shapes.
        shapes: [wowflow::dataset::ImageShape; 2],
        /// The datasets.
        names: [String; 2],
    },
    /// Datasets of grey images and of images in colour.
    #[error(
        "expected images with the same channels, found {} ({}) and {} ({}), where 1 is grey and 3 are colours: \
         --grey or --rgb brings all to the same, [grey] or [rgb] after a name those of one",
        channels[0], names[0], channels[1], names[1]
    )]
    Channels {
        /// The channels.
        channels: [usize; 2],
        /// The datasets.
        names: [String; 2],
    },
    /// Samples that are not finite in the precision that was chosen.
    #[error("{name}: {error}")]
    Measure {
        /// The dataset.
        name: String,
        /// Why.
        error: wowflow::measure::MeasureError,
    },
    /// Images that cannot be brought to a size.
    #[error("{name}: {error}")]
    Resize {
        /// The dataset.
        name: String,
        /// Why.
        error: crate::resize::ResizeError,
    },
    /// A download was stopped on request; what was received is kept and resumed next time.
    #[error("stopped while downloading {}; the next fetch resumes it", file.display())]
    Cancelled {
        /// The file.
        file: PathBuf,
    },
}

/// A path in a message; the name of an entry in an archive may be anything.
fn place(file: &Path) -> String {
    shown(&file.to_string_lossy(), 240)
}

/// What a message says is wanted.
fn prescribed(text: &str) -> String {
    shown(text, 240)
}

/// What a message says was found, in a file or by another library.
fn found_in(found: &(impl fmt::Display + ?Sized)) -> String {
    shown(&found.to_string(), 200)
}

impl DataError {
    /// The same about the file that another is a copy of.
    pub(crate) fn about(mut self, copy: &Path, original: &Path) -> Self {
        if let Self::Io { file, .. }
        | Self::Format { file, .. }
        | Self::Truncated { file, .. }
        | Self::Unsupported { file, .. }
        | Self::NotFinite { file, .. }
        | Self::Dataset { file, .. } = &mut self
            && file == copy
        {
            *file = original.to_owned();
        }
        self
    }

    pub(crate) fn io(file: &Path, error: io::Error) -> Self {
        Self::Io { file: file.to_owned(), error }
    }

    pub(crate) fn format(file: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Format { file: file.to_owned(), expected: expected.into(), found: found.into() }
    }
}
