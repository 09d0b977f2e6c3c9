//! Datasets as the program loads them: looked up where the user keeps them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use wowflow::dataset::LabeledDataset;
use wowflow_data::{CacheHome, DatasetSpec, LoadOptions, load, search_path};

use crate::run::provenance::FileProvenance;

/// A dataset with its name and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) dataset: LabeledDataset,
    pub(crate) description: String,
    pub(crate) files: Vec<FileProvenance>,
    pub(crate) class_names: Option<Vec<String>>,
}

/// Loads a dataset by name; named ones from `data_dir`, `WOWFLOW_DATA`, then the cache folder.
pub(crate) fn named(name: &str, data_dir: Option<&Path>, seed: u64) -> Result<Named> {
    let spec: DatasetSpec = name.parse()?;
    let loaded = load(&spec, &LoadOptions { data_dirs: folders(data_dir), seed })?;
    let files = loaded.sources.iter().map(|file| FileProvenance {
        path: file.path.display().to_string(),
        bytes: file.bytes,
        sha256: file.sha256.clone(),
    });
    Ok(Named {
        name: spec.to_string(),
        files: files.collect(),
        dataset: loaded.dataset,
        description: loaded.description,
        class_names: loaded.class_names,
    })
}

/// The folders in which named datasets are looked up, first to last.
pub(crate) fn folders(data_dir: Option<&Path>) -> Vec<PathBuf> {
    let home = CacheHome {
        xdg_cache_home: std::env::var_os("XDG_CACHE_HOME"),
        home: std::env::var_os("HOME"),
        local_app_data: std::env::var_os("LOCALAPPDATA"),
    };
    search_path(data_dir, std::env::var_os("WOWFLOW_DATA").as_ref(), &home)
}
