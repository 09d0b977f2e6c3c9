//! Where a study's numbers come from: versions, command, data checksums.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wowflow_data::{DataProvenance, Lookup, Prepared, Size};

use super::schema::SCHEMA;

/// The program, notebook or service that runs studies, and where it keeps data.
///
/// ```
/// use wowflow_study::record::Program;
/// let here = Program { name: "my-notebook".to_owned(), ..Program::default() };
/// assert!(here.command.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How it was called, for people.
    pub command: Vec<String>,
    /// A folder of named datasets that was given for this study; stored, and looked at first.
    pub data_dir: Option<PathBuf>,
    /// Further folders of named datasets, first to last.
    pub data_dirs: Vec<PathBuf>,
}

impl Default for Program {
    /// The library itself.
    fn default() -> Self {
        Self {
            name: "wowflow".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: Vec::new(),
            data_dir: None,
            data_dirs: Vec::new(),
        }
    }
}

impl Program {
    /// Where datasets are looked up, and the size that images are brought to.
    #[must_use]
    pub fn lookup(&self, resize: Option<Size>) -> Lookup {
        Lookup { data_dirs: self.data_dir.iter().chain(&self.data_dirs).cloned().collect(), resize }
    }

    /// The same with the folder of a run that goes on, where none is given now.
    #[must_use]
    pub fn at(&self, stored: &RunProvenance) -> Self {
        let data_dir = self.data_dir.clone().or_else(|| stored.data_dir.as_ref().map(PathBuf::from));
        Self { data_dir, ..self.clone() }
    }
}

/// `provenance.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// What ran, where and how.
    #[serde(flatten)]
    pub run: RunProvenance,
    /// The datasets, in the order in which they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<DataProvenance>,
}

/// What ran, where and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProvenance {
    /// Version of the layout.
    pub schema: u32,
    /// Name of the program.
    pub program: String,
    /// Its version.
    pub version: String,
    /// The revision it was built from, with `-modified` where files differed.
    pub revision: String,
    /// How it was called.
    pub command: Vec<String>,
    /// The folder of named datasets that was given, absolute.
    #[serde(default)]
    pub data_dir: Option<String>,
    /// Processor and operating system.
    pub platform: String,
    /// Threads it worked on.
    pub threads: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// SHA-256 of the configuration as it is stored.
    pub config_sha256: String,
}

/// The revision that studies are built from.
pub(crate) const REVISION: &str = env!("WOWFLOW_REVISION");
/// Processor and operating system that they are built for.
pub(crate) const PLATFORM: &str = env!("WOWFLOW_PLATFORM");

impl RunProvenance {
    /// Of a configuration, by its checksum.
    #[must_use]
    pub fn new(program: &Program, seed: u64, config_sha256: String) -> Self {
        let absolute = |folder: &PathBuf| std::path::absolute(folder).ok();
        let data_dir = program.data_dir.as_ref().and_then(absolute);
        Self {
            schema: SCHEMA,
            program: program.name.clone(),
            version: program.version.clone(),
            revision: REVISION.to_owned(),
            command: program.command.clone(),
            data_dir: data_dir.as_deref().and_then(Path::to_str).map(str::to_owned),
            platform: PLATFORM.to_owned(),
            threads: rayon::current_num_threads(),
            seed,
            config_sha256,
        }
    }
}

impl Provenance {
    /// Of a study on datasets.
    #[must_use]
    pub fn new<'a>(run: RunProvenance, datasets: impl IntoIterator<Item = &'a Prepared>) -> Self {
        Self { run, datasets: datasets.into_iter().map(DataProvenance::from).collect() }
    }
}
