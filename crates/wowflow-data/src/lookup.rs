//! Where datasets are looked up, and how they are drawn and brought to one size on the way.

use std::path::PathBuf;

use crate::error::DataError;
use crate::load::{LoadOptions, load_with};
use crate::prepared::Prepared;
use crate::resize::{Size, resize};
use crate::spec::DatasetSpec;

/// What loading a dataset by name depends on besides the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Folders of named sets, first to last; see [`crate::search_path`].
    pub data_dirs: Vec<PathBuf>,
    /// The size that images are brought to; `None` leaves them.
    pub resize: Option<Size>,
}

impl Lookup {
    /// Loads a dataset by name, with the seed of generators and of samples drawn.
    ///
    /// ```
    /// use wowflow_data::Lookup;
    /// let digits = Lookup::default().load("glyphs:digits:5", 0)?;
    /// assert_eq!((digits.name.as_str(), digits.dataset.len()), ("glyphs:digits:5", 50));
    /// # Ok::<(), wowflow_data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// As [`crate::load()`]; samples that are no images where a size is asked for.
    pub fn load(&self, name: &str, seed: u64) -> Result<Prepared, DataError> {
        let prepared = self.load_as_it_is(name, seed)?;
        match self.resize {
            Some(size) => prepared.resized(size),
            None => Ok(prepared),
        }
    }

    /// Loads a dataset with images at their own size; those of a folder that differ in size are brought to
    /// [`Lookup::resize`].
    ///
    /// # Errors
    /// As [`crate::load()`].
    pub fn load_as_it_is(&self, name: &str, seed: u64) -> Result<Prepared, DataError> {
        let spec: DatasetSpec = name.parse()?;
        let options = LoadOptions { data_dirs: self.data_dirs.clone(), seed };
        let loaded = load_with(&spec, &options, self.resize)?;
        Ok(Prepared {
            name: spec.to_string(),
            files: loaded.sources,
            dataset: loaded.dataset,
            description: loaded.description,
            class_names: loaded.class_names,
            columns: loaded.columns,
        })
    }
}

impl Prepared {
    /// The same with images of a size.
    ///
    /// # Errors
    /// Samples that are no images.
    pub fn resized(mut self, size: Size) -> Result<Self, DataError> {
        let resized = resize(&self.dataset, size.width, size.height);
        self.dataset = resized.map_err(|error| DataError::Resize { name: self.name.clone(), error })?;
        Ok(self)
    }
}
