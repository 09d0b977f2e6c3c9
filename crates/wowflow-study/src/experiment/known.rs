//! The experiments that come with this crate, and those in files.

use std::path::Path;

use super::config::ExperimentConfig;
use super::published::Published;
use crate::error::{Place, Result, StudyError, require};

/// Names and texts of the experiments.
const KNOWN: [(&str, &str); 9] = [
    ("transfer-mnist-fmnist", include_str!("../../experiments/transfer-mnist-fmnist.toml")),
    ("transfer-mnist-fmnist-draws", include_str!("../../experiments/transfer-mnist-fmnist-draws.toml")),
    ("transfer-mnist-usps", include_str!("../../experiments/transfer-mnist-usps.toml")),
    ("transfer-mnist-kmnist", include_str!("../../experiments/transfer-mnist-kmnist.toml")),
    ("distillation-mnist", include_str!("../../experiments/distillation-mnist.toml")),
    ("distillation-fmnist", include_str!("../../experiments/distillation-fmnist.toml")),
    ("distillation-mnist-lenet5", include_str!("../../experiments/distillation-mnist-lenet5.toml")),
    ("distillation-fmnist-lenet5", include_str!("../../experiments/distillation-fmnist-lenet5.toml")),
    ("adaptation", include_str!("../../experiments/adaptation.toml")),
];

/// Names and texts of published curves.
const CURVES: [(&str, &str); 1] =
    [("adaptation-published.json", include_str!("../../experiments/adaptation-published.json"))];

/// An experiment under the name that its results have.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedExperiment {
    /// The name, with `-quick` at the end of a small version's.
    pub name: String,
    /// The experiment.
    pub config: ExperimentConfig,
    /// The published curves that it names.
    pub published: Option<Published>,
}

/// Which version of an experiment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// As published.
    #[default]
    Whole,
    /// A small one that takes minutes.
    Quick,
}

/// The experiments that come with this crate, in the order in which they are shown.
///
/// ```
/// let names: Vec<&str> = wowflow_study::experiment::known()?.iter().map(|(name, _)| *name).collect();
/// assert!(names.contains(&"adaptation"));
/// # Ok::<(), wowflow_study::StudyError>(())
/// ```
///
/// # Errors
/// None but those of a file that was changed and is no experiment any more.
pub fn known() -> Result<Vec<(&'static str, ExperimentConfig)>> {
    let parse = |(name, text)| Ok((name, ExperimentConfig::parse(text).at(|| String::from(name))?));
    KNOWN.into_iter().map(parse).collect()
}

impl NamedExperiment {
    /// An experiment that comes with this crate, or one from a TOML file.
    ///
    /// # Errors
    /// A name that is neither, a file that is no experiment, published curves that cannot be read, a small version
    /// where there is none.
    pub fn open(asked: &str, version: Version) -> Result<Self> {
        let path = Path::new(asked);
        let (name, config, folder) = match KNOWN.iter().find(|(name, _)| *name == asked) {
            Some((name, text)) => ((*name).to_owned(), ExperimentConfig::parse(text)?, None),
            None => {
                let names: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
                require!(
                    path.is_file(),
                    "expected one of {} or an experiment file, found {asked}",
                    names.join(", ")
                );
                let stem = path.file_stem().map_or("experiment".into(), |stem| stem.to_string_lossy());
                (stem.into_owned(), ExperimentConfig::read(path)?, path.parent())
            }
        };
        let (name, config) = match version {
            Version::Quick => (format!("{name}-quick"), config.quick()?),
            Version::Whole => (name, ExperimentConfig { quick: None, ..config }),
        };
        Ok(Self { name, published: curves(&config, folder)?, config })
    }
}

/// The published curves that an experiment names: beside its file, or with this crate.
fn curves(config: &ExperimentConfig, folder: Option<&Path>) -> Result<Option<Published>> {
    let Some(name) = &config.curves else { return Ok(None) };
    let text = match (folder, CURVES.iter().find(|(known, _)| known == name)) {
        (None, Some((_, text))) => (*text).to_owned(),
        (folder, _) => {
            let path = folder.unwrap_or(Path::new(".")).join(name);
            std::fs::read_to_string(&path).map_err(StudyError::io("read the published curves", &path))?
        }
    };
    Published::parse(&text).at(|| name.clone()).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_crate_is_whole() {
        for (name, config) in known().unwrap() {
            let found = NamedExperiment::open(name, Version::Whole).unwrap();
            assert_eq!((found.name.as_str(), found.published.is_some()), (name, config.curves.is_some()));
            assert_eq!(found.config, ExperimentConfig { quick: None, ..config.clone() });
            let quick = NamedExperiment::open(name, Version::Quick);
            assert_eq!(quick.is_ok(), config.quick.is_some(), "{name}");
            if let Ok(quick) = quick {
                assert!(quick.config.total() < config.total() && quick.name == format!("{name}-quick"));
            }
        }
    }
}
