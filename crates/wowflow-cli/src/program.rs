//! This program as studies know it: its version, how it was called, where it looks for data.

use std::path::{Path, PathBuf};

use wowflow_data::{CacheHome, search_path};
use wowflow_study::record::Program;

/// This program; named datasets come from `data_dir`, the folders of `WOWFLOW_DATA`, then the cache folder.
pub(crate) fn program(data_dir: Option<&Path>) -> Program {
    Program {
        name: "wowflow".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect(),
        data_dir: data_dir.map(Path::to_owned),
        data_dirs: folders(None),
    }
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
