//! Labeled datasets from files, from named collections, from generators, and their download.
//!
//! A dataset has one name everywhere, a [`DatasetSpec`]; [`load`] turns it into samples.
//! The formats and what happens to numbers on the way are listed at [`DatasetSpec`] and [`load`]:
//! bytes are pixels and are scaled from 0..255 to [0, 1] in single precision, other numbers stay.

pub mod atomic;
pub mod error;
pub mod fetch;
pub mod generate;
pub mod npy;

mod bounded;
mod load;
mod named;
mod read;
mod spec;
mod write;

pub use error::DataError;
pub use load::{CacheHome, LoadOptions, Loaded, load, search_path};
pub use named::{Checksum, NamedSet, RemoteFile};
pub use read::source::SourceFile;
pub use spec::{DatasetSpec, Source, Split};
pub use write::write_npz_dataset;
