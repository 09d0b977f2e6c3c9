//! A session of a study in its folder: started once, claimed, resumed where it can go on, refused where it cannot.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wowflow_data::{DataProvenance, Prepared, Size, bring_together, sha256_hex};

use super::directory::{Claim, claim, create, remove_temporary_in};
use super::json::{check_schema, write_json};
use super::layout::RunDir;
use super::provenance::{Program, Provenance};
use super::seal::write_sealed;
use crate::error::{Place, RecordError, Result, StudyError, refuse, require};

/// The resolved configuration of a study: everything that determines its result, and nothing else.
pub trait Config: Serialize + DeserializeOwned {
    /// What it is, such as `the configuration of a flow`.
    const WHAT: &'static str;

    /// Version of the layout.
    fn schema(&self) -> u32;

    /// Refuses what was stored by hand and does not fit together.
    ///
    /// # Errors
    /// What does not fit.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Folders below that of the run; they are made when it starts.
    fn folders(_run: &RunDir) -> Vec<PathBuf> {
        Vec::new()
    }

    /// The file that is written last.
    fn result(run: &RunDir) -> PathBuf {
        run.summary()
    }
}

/// SHA-256 of a configuration as it is stored.
///
/// # Errors
/// A configuration that is no JSON.
pub fn config_sha256(config: &impl Serialize) -> Result<String> {
    Ok(sha256_hex(&serde_json::to_vec(config)?))
}

/// Keeps a folder claimed while it lives.
#[derive(Clone, Debug)]
pub(crate) struct Held(#[expect(dead_code, reason = "it is there to be dropped")] Arc<Claim>);

/// What is found is the same, whoever holds its folder.
impl PartialEq for Held {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// A study at work in its folder, which no other program writes to meanwhile.
#[derive(Debug)]
pub struct Session {
    run: RunDir,
    provenance: Provenance,
    sealed: bool,
    claim: Held,
}

impl Session {
    /// Makes the folder of a new study with its provenance, what `fill` adds, and last its configuration: a folder with
    /// a configuration can be resumed. When that fails, nothing of it stays.
    ///
    /// # Errors
    /// A folder with content, a place that cannot be written, another program at work there.
    pub fn start<C: Config>(
        out: &Path,
        config: &C,
        provenance: Provenance,
        fill: impl FnOnce(&RunDir) -> Result<()>,
    ) -> Result<Self> {
        let (run, claim) = create(out, |run| {
            for folder in C::folders(run) {
                fs::create_dir(&folder).map_err(StudyError::io("create the folder", &folder))?;
            }
            write_sealed(&run.provenance(), &provenance)?;
            fill(run)?;
            write_json(&run.config(), config)
        })?;
        Ok(Self { run, provenance, sealed: true, claim: Held(Arc::new(claim)) })
    }

    /// Goes on with a study that was interrupted or killed, under the configuration stored there.
    ///
    /// # Errors
    /// No such study, one of another schema, a configuration that is not the one it began with, another program at work
    /// there.
    pub fn resume<C: Config>(folder: &Path) -> Result<(Self, C)> {
        let (run, config, sum) = Self::read::<C>(folder)?;
        let claim = claim(&run)?;
        remove_temporary_in(run.root())?;
        let (provenance, sealed) = run.read_provenance()?;
        require!(
            provenance.run.config_sha256 == sum,
            "expected the configuration that {} began with, found another in config.json",
            folder.display()
        );
        Ok((Self { run, provenance, sealed, claim: Held(Arc::new(claim)) }, config))
    }

    /// As [`Self::resume`], of a study that must not be finished: its result names the pictures once everything is
    /// written.
    ///
    /// # Errors
    /// As [`Self::resume`]; a study whose result is there with pictures, or was changed.
    pub fn resume_unfinished<C: Config>(folder: &Path) -> Result<(Self, C)> {
        let found = Self::resume::<C>(folder)?;
        let result = C::result(&found.0.run);
        if result.exists() {
            let content: Value = found.0.run.read(&result, "the result of a run")?;
            let drawn = content["pictures"].as_array().is_some_and(|pictures| !pictures.is_empty());
            require!(!drawn, "expected an unfinished run, found {} finished", folder.display());
        }
        Ok(found)
    }

    /// Claims a folder that may be there or not, for studies that grow: their configuration may change.
    ///
    /// # Errors
    /// A place that cannot be written, another program at work there.
    pub fn grow<C: Config>(
        out: &Path,
        config: &C,
        provenance: Provenance,
        fill: impl FnOnce(&RunDir) -> Result<()>,
    ) -> Result<Self> {
        let run = RunDir::new(out);
        let claim = if run.config().exists() {
            claim(&run)?
        } else {
            let made = create(out, |run| {
                fill(run)?;
                write_json(&run.config(), config)
            });
            made?.1
        };
        remove_temporary_in(run.root())?;
        Ok(Self { run, provenance, sealed: true, claim: Held(Arc::new(claim)) })
    }

    /// Makes the folder of a study with all its content; when that fails or is interrupted, nothing of it stays.
    ///
    /// # Errors
    /// A folder with content, a place that cannot be written, what `fill` fails with.
    pub fn whole(out: &Path, fill: impl FnOnce(&RunDir) -> Result<()>) -> Result<RunDir> {
        create(out, fill).map(|(run, _)| run)
    }

    /// Reads the configuration of a study without claiming it.
    ///
    /// # Errors
    /// No such study, or one of another schema.
    pub fn open<C: Config>(folder: &Path) -> Result<(RunDir, C)> {
        let (run, config, _) = Self::read(folder)?;
        Ok((run, config))
    }

    /// The configuration of a study, with the checksum of what is stored: what is left out there and usual would not
    /// change that of the configuration.
    fn read<C: Config>(folder: &Path) -> Result<(RunDir, C, String)> {
        /// A configuration without a schema is of the one layout that its kind ever had.
        #[derive(Deserialize)]
        struct Versioned {
            schema: Option<u32>,
        }
        let run = RunDir::new(folder);
        let path = run.config();
        if !path.exists() {
            refuse!("expected a run directory with config.json, found none at {}", folder.display());
        }
        let text = fs::read_to_string(&path).map_err(StudyError::io("read", &path))?;
        let content = |error: &serde_json::Error| RecordError::content(&path, C::WHAT, error.to_string());
        let Versioned { schema } = serde_json::from_str(&text).map_err(|error| content(&error))?;
        if let Some(schema) = schema {
            check_schema(&path, schema)?;
        }
        let config: C = serde_json::from_str(&text).map_err(|error| content(&error))?;
        let stored: Value = serde_json::from_str(&text).map_err(|error| content(&error))?;
        config.check().at(|| format!("expected {} in {}", C::WHAT, path.display()))?;
        Ok((run, config, config_sha256(&stored)?))
    }

    /// What a study came to; `None` when its observer asked to stop. Any other error says that the study can go on.
    pub(crate) fn unless_interrupted<R>(&self, found: Result<R>, kept: &str) -> Result<Option<R>> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_interruption() => Ok(None),
            Err(error) => Err(StudyError::Unfinished {
                what: kept.to_owned(),
                folder: self.run.root().to_owned(),
                error: Box::new(error),
            }),
        }
    }

    /// Keeps the folder claimed for what is still to be written there, such as pictures.
    pub(crate) fn held(&self) -> Held {
        self.claim.clone()
    }

    /// Where the files are.
    #[must_use]
    pub fn run(&self) -> &RunDir {
        &self.run
    }

    /// A line on a run that keeps no checksums, as an earlier version began it.
    pub(crate) fn unsealed(&self) -> Option<&'static str> {
        let words = "begun by an earlier version, without checksums: what was changed since goes unnoticed";
        (!self.sealed).then_some(words)
    }

    /// Where the numbers come from.
    #[must_use]
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Loads the datasets of a study that goes on, and refuses others than those it began with.
    ///
    /// # Errors
    /// Data that cannot be read, or have changed.
    pub fn reload(
        &self,
        program: &Program,
        names: &[&str],
        resize: Option<Size>,
        seed: u64,
    ) -> Result<Vec<Prepared>> {
        let lookup = program.at(&self.provenance.run).lookup(resize);
        let stored = &self.provenance.datasets;
        require!(
            stored.len() == names.len(),
            "expected {} datasets in {}, found {}",
            names.len(),
            self.run.provenance().display(),
            stored.len()
        );
        let mut loaded = names.iter().map(|name| lookup.load(name, seed)).collect::<Result<Vec<_>, _>>()?;
        bring_together(&mut loaded)?;
        let one = |(loaded, (name, stored)): (Prepared, (&&str, &DataProvenance))| -> Result<Prepared> {
            let (expected, found) = (&stored.content_sha256, DataProvenance::from(&loaded).content_sha256);
            require!(
                *expected == found,
                "expected {name} with checksum {expected}, found {found}: the data has changed"
            );
            Ok(loaded)
        };
        loaded.into_iter().zip(names.iter().zip(stored)).map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::{RunProvenance, SCHEMA};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Number {
        schema: u32,
        number: u64,
    }

    impl Config for Number {
        const WHAT: &'static str = "a number";
        fn schema(&self) -> u32 {
            self.schema
        }
    }

    fn started(out: &Path) -> Session {
        let config = Number { schema: SCHEMA, number: 7 };
        let run = RunProvenance::new(&Program::default(), 0, config_sha256(&config).unwrap());
        Session::start(out, &config, Provenance::new(run, []), |_| Ok(())).unwrap()
    }

    #[test]
    fn a_session_is_started_once_and_resumed_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let first = started(&out);
        let text = Session::resume::<Number>(&out).unwrap_err().to_string();
        assert!(text.contains("found another wowflow at work there"), "{text}");
        drop(first);
        let (session, config) = Session::resume_unfinished::<Number>(&out).unwrap();
        assert_eq!(config.number, 7);
        let text = {
            let again = Number { schema: SCHEMA, number: 8 };
            let provenance = session.provenance().clone();
            Session::start(&out, &again, provenance, |_| Ok(())).unwrap_err().to_string()
        };
        assert!(text.contains("expected a new or empty folder"), "{text}");
        let finished = |pictures: &[&str]| {
            write_sealed(&RunDir::new(&out).summary(), &json!({ "pictures": pictures })).unwrap();
        };
        finished(&[]);
        drop(session);
        drop(Session::resume_unfinished::<Number>(&out).unwrap());
        finished(&["a.png"]);
        let text = Session::resume_unfinished::<Number>(&out).unwrap_err().to_string();
        assert!(text.contains("finished"), "{text}");
    }

    #[test]
    fn other_configurations_and_schemas_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        drop(started(&out));
        let config = RunDir::new(&out).config();
        for (text, words) in [
            (r#"{"schema":4,"number":8}"#, "expected the configuration that"),
            (r#"{"schema":2,"numbers":8}"#, "expected schema 4"),
            (r#"{"schema":4}"#, "missing field `number`"),
            ("{", "a number"),
        ] {
            fs::write(&config, text).unwrap();
            let found = Session::resume::<Number>(&out).unwrap_err().to_string();
            assert!(found.contains(words), "{found}");
        }
    }

    #[test]
    fn a_provenance_is_of_an_earlier_version_or_whole() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        drop(started(&out));
        let path = RunDir::new(&out).provenance();
        let text = fs::read_to_string(&path).unwrap();
        let damaged = text.replace("\"sha256\"", "\"shb256\"");
        assert_ne!(damaged, text);
        fs::write(&path, damaged).unwrap();
        let found = Session::resume::<Number>(&out).unwrap_err().to_string();
        assert!(found.contains("provenance.json, found another content"), "{found}");
        let mut earlier: Value = serde_json::from_str(&text).unwrap();
        earlier.as_object_mut().unwrap().shift_remove("sha256");
        fs::write(&path, earlier.to_string()).unwrap();
        assert!(Session::resume::<Number>(&out).unwrap().0.unsealed().is_some());
    }

    #[test]
    fn what_fails_half_way_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let half = |run: &RunDir| {
            fs::write(run.config(), "half").unwrap();
            Err(StudyError::Interrupted)
        };
        assert!(Session::whole(&out, half).unwrap_err().is_interruption());
        assert!(!out.exists());
        assert!(Session::whole(&out, |_| Ok(())).is_ok());
    }
}
