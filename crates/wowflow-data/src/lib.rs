//! Labeled datasets from files, from named collections, from generators, and their download.
//!
//! A dataset has one name everywhere, a [`DatasetSpec`]; [`load`] turns it into samples. Files are
//! told apart by their content:
//!
//! | format | what it looks like |
//! | --- | --- |
//! | IDX | `..images..` with a `..labels..` beside it, gzip or not; a folder of the four original files |
//! | `.npz` | arrays `X` and `y` (or `x_train`, `labels`, ...), see [`write_npz_dataset`] |
//! | `.npy` | `X.npy` with `y.npy`, or `NAME_X.npy` with `NAME_y.npy`; a folder of `X.npy` and `y.npy` |
//! | CSV and its kin | tabs, commas, semicolons, bars or spaces; a header or not; see [`TableOptions`] for what is unclear |
//! | LIBSVM | text, bzip2 or not: `label index:value ...`, indices from 1, missing values 0 |
//! | CIFAR-10 | a binary or Python batch, a folder of batches, the original `.tar.gz` |
//! | MATLAB 5 | `X` and `y` as SVHN has them, label 10 standing for the digit 0 |
//! | images | a folder of folders, one a class, of PNG, JPEG, WebP, BMP or GIF files (the first frame) |
//!
//! In a folder of images, other files are left out and named in the description; a folder `train` of folders of
//! classes, with `test` beside it, are its parts. Images are of one size or brought to one
//! ([`Lookup::resize`]). Grey PNG and JPEG files have one channel, repeated in three where others have colours; WebP,
//! BMP and GIF files always have three. What is cut short, or larger than its file can justify, is refused; so are
//! transparent pixels, of which `[rgb]` and `[grey]` take the colours.
//! Pixels are taken as they are stored: a turn that EXIF data ask for is not made, and the description says so.
//! [`ImageOptions`] bring images to a size and to grey or colours.
//!
//! Bytes are pixels: they are scaled from 0..255 to [0, 1] in single precision. All other numbers
//! stay as they are: single precision stays single, everything else becomes double. Images are
//! stored as [`wowflow::dataset::ImageShape`] says, channel after channel. USPS is the one set with
//! a rule of its own: its pixels are mapped from [-1, 1] to [0, 1] and its labels 1 to 10 to the
//! digits 0 to 9, when it is asked for by name.

pub mod atomic;
pub mod error;
pub mod fetch;
pub mod generate;
pub mod npy;

mod bounded;
mod columns;
mod image_options;
mod load;
mod lookup;
mod loss;
mod machine;
mod named;
mod precision;
mod prepared;
mod provenance;
mod read;
mod resize;
mod sha256;
mod spec;
mod split;
mod table_options;
mod together;
mod write;

pub use columns::Columns;
pub use error::DataError;
pub use image_options::{Colour, ImageOptions};
pub use load::{CacheHome, LoadOptions, Loaded, load, search_path};
pub use lookup::Lookup;
pub use loss::SingleLoss;
pub use named::{Checksum, NamedSet, RemoteFile};
pub use precision::{choose_precision, single_loss};
pub use prepared::{Prepared, common_dimension, common_image_shape, finest_precision};
pub use provenance::DataProvenance;
pub use read::source::SourceFile;
pub use resize::{ResizeError, Size, resize};
pub use sha256::sha256_hex;
pub use spec::{DatasetSpec, Source};
pub use split::Split;
pub use table_options::{ColumnName, Separator, TableOptions};
pub use together::bring_together;
pub use write::write_npz_dataset;
