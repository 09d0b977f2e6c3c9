//! An experiment: datasets, rows, methods, trials. Read from a TOML file, or put together from plain values.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wowflow::auto::Auto;
use wowflow_data::Size;
use wowflow_learn::Architecture;

use super::method::MethodConfig;
use super::names::Task;
use super::stored::{Template, as_optional_text, as_text};
use crate::error::{Place, Result, StudyError, refuse, require};
use crate::record::{Config, RunDir, SCHEMA, config_sha256};

/// An experiment with every number that determines its results. In names of datasets and in the number of samples a
/// class, `{row}` stands for the row.
///
/// ```
/// use wowflow_study::experiment::ExperimentConfig;
/// let config = ExperimentConfig::parse(
///     r#"
///         title = "Letters to digits"
///         task = "transfer"
///         row-name = "k"
///         rows = ["1", "5"]
///         source = "glyphs:letters:9"
///         target = "glyphs:digits:{row}"
///         tries = 2
///         epochs = 3
///         methods = [{ method = "target-only" }, { method = "geodesic" }]
///     "#,
/// )?;
/// assert_eq!((config.total(), config.labels()), (8, vec!["target-only".to_owned(), "geodesic".to_owned()]));
/// # Ok::<(), wowflow_study::StudyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExperimentConfig {
    /// What the experiment is called.
    pub title: String,
    /// What is asked of the methods.
    pub task: Task,
    /// What the rows are, for the head of a table.
    pub row_name: String,
    /// The rows.
    pub rows: Vec<String>,
    /// What moves; a distillation has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Template>,
    /// Where it goes, or what is distilled.
    pub target: Template,
    /// Samples a class of a distillation, see [`Self::per_class`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_class: Option<Template>,
    /// Absent: what is left of the target when its samples are drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Template>,
    /// All images are brought to this size; absent: to that of the target.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "as_optional_text")]
    pub resize: Option<Size>,
    /// The network that is trained; open: the one that is usual for the task and fits the samples.
    #[serde(default, with = "as_text")]
    pub network: Auto<Architecture>,
    /// Draws of the data and of the flow.
    #[serde(rename = "tries")]
    pub trials: u64,
    /// Classifiers trained in each trial.
    #[serde(rename = "trainings", default = "one")]
    pub runs_per_trial: usize,
    /// Length of a training in epochs, or see [`Self::training_steps`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// Length of a training in steps of the optimiser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_steps: Option<u64>,
    /// Examples a step of a training.
    #[serde(default = "batch")]
    pub batch: usize,
    /// Seed of everything random.
    #[serde(default)]
    pub seed: u64,
    /// Steps between the points of an accuracy curve; absent: 20.
    #[serde(rename = "every", default, skip_serializing_if = "Option::is_none")]
    pub look_every: Option<u64>,
    /// The same samples of the target in every trial.
    #[serde(default)]
    pub same_target: bool,
    /// What readers should know, such as how the data differ from the published ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Published curves for the figure: a file beside the experiment, or one that comes with this crate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curves: Option<String>,
    /// A trained classifier for an adaptation, in place of one trained on the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier: Option<PathBuf>,
    /// Where the classifier of the first trial is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_classifier: Option<PathBuf>,
    /// The methods.
    pub methods: Vec<MethodConfig>,
    /// What the small version takes in place of the above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quick: Option<Quick>,
}

/// The small version of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Quick {
    /// Its rows.
    pub rows: Vec<String>,
    /// Draws of the data and of the flow.
    #[serde(rename = "tries")]
    pub trials: u64,
    /// Classifiers trained in each trial.
    #[serde(rename = "trainings", default = "one")]
    pub runs_per_trial: usize,
    /// The methods that take part, by name; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
}

/// Examples a step of a training.
const BATCH: usize = 64;

/// All of them are listed before the first begins.
const MOST_TRIALS: u64 = 1_000_000;

fn one() -> usize {
    1
}

fn batch() -> usize {
    BATCH
}

impl Config for ExperimentConfig {
    const WHAT: &'static str = "the configuration of an experiment";

    fn schema(&self) -> u32 {
        SCHEMA
    }

    fn check(&self) -> Result<()> {
        self.check_parts()
    }

    fn result(run: &RunDir) -> PathBuf {
        run.file("results.json")
    }
}

impl ExperimentConfig {
    /// One of a single trial with neither rows nor methods yet, to be filled in.
    #[must_use]
    pub fn plain(task: Task, target: Template) -> Self {
        Self {
            title: String::new(),
            task,
            row_name: String::new(),
            rows: Vec::new(),
            source: None,
            target,
            per_class: None,
            test: None,
            resize: None,
            network: Auto::Auto,
            trials: 1,
            runs_per_trial: 1,
            epochs: None,
            training_steps: None,
            batch: BATCH,
            seed: 0,
            look_every: None,
            same_target: false,
            notes: Vec::new(),
            curves: None,
            classifier: None,
            save_classifier: None,
            methods: Vec::new(),
            quick: None,
        }
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// A file that cannot be read, or is no experiment.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(StudyError::io("read the experiment", path))?;
        Self::parse(&text).at(|| path.display().to_string())
    }

    /// Reads and checks the text of a file.
    ///
    /// # Errors
    /// A text that is no experiment, or one whose parts do not fit together.
    pub fn parse(text: &str) -> Result<Self> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|at| 1 + text[..at.start.min(text.len())].matches('\n').count());
            let line = line.map_or(String::new(), |line| format!(" on line {line}"));
            let found = error.message().replace('\n', ", ");
            StudyError::Refused(format!("expected an experiment, found{line}: {found}"))
        })?;
        // Rows and methods are picked by lists with commas.
        let names = config.rows.iter().cloned().chain(config.labels());
        if let Some(name) = names.into_iter().find(|name| name.contains(',')) {
            refuse!("expected rows and methods without commas in their names, found {name}");
        }
        config.check_parts()?;
        Ok(config)
    }

    /// Refuses parts that do not fit together.
    fn check_parts(&self) -> Result<()> {
        require!(!self.rows.is_empty(), "expected at least one row, found none");
        require!(!self.methods.is_empty(), "expected at least one method, found none");
        let named = |list: &[String]| list.iter().all(|item| !item.is_empty());
        require!(
            named(&self.rows) && named(&self.labels()),
            "expected rows and methods with names, found an empty one"
        );
        if let Some(twice) = self.rows.iter().enumerate().find(|(at, row)| self.rows[..*at].contains(row)) {
            refuse!("expected every row once, found {} twice", twice.1);
        }
        require!(
            self.trials > 0 && self.runs_per_trial > 0,
            "expected at least one try and one training, found 0"
        );
        require!(self.trials <= MOST_TRIALS, "expected at most {MOST_TRIALS} tries, found {}", self.trials);
        require!(self.batch > 0, "expected batches of at least one example, found 0");
        require!(
            self.epochs.is_some() != self.training_steps.is_some(),
            "expected either epochs or training-steps"
        );
        let distils = self.task == Task::Distillation;
        require!(
            self.source.is_none() == distils && self.per_class.is_some() == distils,
            "expected a source in a transfer and an adaptation, and per-class in a distillation"
        );
        for row in &self.rows {
            if distils {
                self.per_class(row)?;
            }
            self.check_row(row)?;
        }
        for method in &self.methods {
            method.check(self.task).at(|| format!("method {}", method.label()))?;
            for row in method.rows.iter().flatten().chain(method.published.keys()) {
                let label = method.label();
                self.check_known(row, || format!("rows of the experiment in method {label}"))?;
            }
        }
        self.check_quick()
    }

    /// Refuses methods of one name in a row.
    fn check_row(&self, row: &str) -> Result<()> {
        let here = self.methods_of(row);
        for (at, method) in here.iter().enumerate() {
            let label = method.label();
            require!(
                here[..at].iter().all(|other| other.label() != label),
                "expected every method once in row {row}, found {label} twice: give each a name"
            );
        }
        Ok(())
    }

    /// Refuses a small version of what is not there.
    fn check_quick(&self) -> Result<()> {
        let Some(quick) = &self.quick else { return Ok(()) };
        for row in &quick.rows {
            self.check_known(row, || "rows of the experiment in quick.rows".to_owned())?;
        }
        for name in quick.methods.iter().flatten() {
            let known = self.methods.iter().any(|method| method.label() == *name);
            require!(known, "expected methods of the experiment in quick.methods, found {name}");
        }
        Ok(())
    }

    fn check_known(&self, row: &String, expected: impl FnOnce() -> String) -> Result<()> {
        require!(self.rows.contains(row), "expected {}, found {row}", expected());
        Ok(())
    }

    /// The small version.
    ///
    /// # Errors
    /// An experiment without one.
    pub fn quick(mut self) -> Result<Self> {
        let Some(quick) = self.quick.take() else {
            refuse!("expected a [quick] table in the experiment, found none: run the whole of it")
        };
        self.title = format!("{} (quick version)", self.title);
        let kept = |row: &String| quick.rows.contains(row);
        self.rows.retain(kept);
        if let Some(names) = &quick.methods {
            self.methods.retain(|method| names.contains(&method.label()));
        }
        for method in &mut self.methods {
            method.published.retain(|row, _| kept(row));
            if let Some(rows) = &mut method.rows {
                rows.retain(kept);
            }
        }
        self.methods.retain(|method| method.rows.as_ref().is_none_or(|rows| !rows.is_empty()));
        (self.trials, self.runs_per_trial) = (quick.trials, quick.runs_per_trial);
        self.notes.push("A small version: fewer rows, tries and trainings than published.".to_owned());
        self.check_parts()?;
        Ok(self)
    }

    /// A checksum of all that determines the repetitions of a method: neither titles nor what was published, nor the
    /// other rows and methods.
    ///
    /// # Errors
    /// A configuration that is no JSON.
    pub fn fingerprint(&self, method: &MethodConfig) -> Result<String> {
        let alone = Self {
            title: String::new(),
            row_name: String::new(),
            rows: Vec::new(),
            trials: 0,
            notes: Vec::new(),
            curves: None,
            save_classifier: None,
            methods: vec![method.settings(self.task)],
            quick: None,
            ..self.clone()
        };
        match method.generation(self.task) {
            0 => config_sha256(&alone),
            generation => config_sha256(&(alone, generation)),
        }
    }

    /// The methods of a row, in order.
    #[must_use]
    pub fn methods_of(&self, row: &str) -> Vec<&MethodConfig> {
        let here =
            |method: &&MethodConfig| method.rows.as_ref().is_none_or(|rows| rows.iter().any(|r| r == row));
        self.methods.iter().filter(here).collect()
    }

    /// The datasets that all rows are about, by name.
    #[must_use]
    pub fn dataset_names(&self) -> Vec<String> {
        let templates = [self.source.as_ref(), Some(&self.target), self.test.as_ref()];
        let in_rows =
            |template: &Template| self.rows.iter().map(|row| template.in_row(row)).collect::<Vec<_>>();
        templates.into_iter().flatten().flat_map(in_rows).collect()
    }

    /// The files of trained networks that a row depends on, each once.
    pub(super) fn networks_of(&self, row: &str) -> Vec<&Path> {
        let own = self.methods_of(row).into_iter().filter_map(MethodConfig::network_file);
        let mut files: Vec<&Path> = self.classifier.as_deref().into_iter().chain(own).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Repetitions of all rows and methods.
    #[must_use]
    pub fn total(&self) -> usize {
        let trials = usize::try_from(self.trials).unwrap_or(usize::MAX);
        self.rows
            .iter()
            .fold(0, |sum: usize, row| sum.saturating_add(self.methods_of(row).len().saturating_mul(trials)))
    }

    /// Trainings of a whole repetition; an adaptation has none.
    #[must_use]
    pub fn runs_per_repetition(&self) -> usize {
        match self.task {
            Task::Adaptation => 0,
            Task::Transfer | Task::Distillation => self.runs_per_trial,
        }
    }

    /// Names of methods, each once, in order.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
        for label in self.methods.iter().map(MethodConfig::label) {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    /// Samples a class of a distillation in a row.
    ///
    /// # Errors
    /// A text that is no positive number, or none at all.
    pub fn per_class(&self, row: &str) -> Result<usize> {
        let text = self.per_class.as_ref().map_or(String::new(), |text| text.in_row(row));
        let number = text.parse().ok().filter(|number: &usize| *number > 0);
        number.at(|| format!("expected a positive number as per-class, found {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        title = "A" 
        task = "transfer"
        row-name = "k"
        rows = ["1", "5"]
        source = "glyphs:letters:9"
        target = "glyphs:digits:{row}"
        tries = 2
        epochs = 3
        [[methods]]
        method = "target-only"
        published = { 1 = [26.0, 5.3] }
        [[methods]]
        method = "mmd-sw"
        name = "ours"
        rows = ["5"]
        [quick]
        rows = ["1"]
        tries = 1
    "#;

    #[test]
    fn a_file_is_read_and_made_small() {
        let config = ExperimentConfig::parse(TEXT).unwrap();
        assert_eq!(config.labels(), ["target-only", "ours"]);
        assert_eq!((config.methods_of("1").len(), config.total()), (1, 6));
        assert_eq!(config.methods[0].published["1"], [26.0, 5.3]);
        let quick = config.quick().unwrap();
        assert_eq!((quick.rows.as_slice(), quick.trials, quick.methods.len()), (&["1".to_owned()][..], 1, 1));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let refused =
            |from: &str, to: &str| ExperimentConfig::parse(&TEXT.replace(from, to)).unwrap_err().to_string();
        let unknown = refused("epochs", "epoch");
        let start = "expected an experiment, found on line 9: unknown field `epoch`, expected one of `title`";
        assert!(unknown.starts_with(start) && !unknown.contains('\n'), "{unknown}");
        let wrong = refused("epochs = 3", "epochs = 'many'");
        assert!(wrong.contains("on line 9") && wrong.contains("many"), "{wrong}");
        assert!(refused("title", "title title").contains("on line 2"));
        assert!(refused("\"1\", \"5\"", "\"1,5\"").contains("without commas in their names, found 1,5"));
        assert!(refused("\"ours\"", "\"a,b\"").contains("found a,b"));
        assert!(refused("rows = [\"5\"]", "rows = [\"7\"]").contains("found 7"));
        assert!(refused("1 = [26.0", "3 = [26.0").contains("found 3"));
        assert!(refused("tries = 2", "tries = 0").contains("at least one try"));
        assert!(refused("\"1\", \"5\"", "\"1\", \"1\"").contains("found 1 twice"));
        assert!(refused("name = \"ours\"", "tau = -1").contains("tau"));
        assert!(refused("name = \"ours\"", "preset = \"published\"").contains("tau"));
    }

    #[test]
    fn what_determines_repetitions_is_stored_as_it_always_was() {
        let text = TEXT.replace("epochs = 3", "epochs = 3\nresize = \"8x9\"\nnetwork = \"lenet5\"");
        let config = ExperimentConfig::parse(&text).unwrap();
        let stored = serde_json::to_string(&config).unwrap();
        let start = r#"{"title":"A","task":"transfer","row-name":"k","rows":["1","5"],"source":"glyphs:letters:9","target":"glyphs:digits:{row}","resize":"8x9","network":"lenet5","tries":2,"trainings":1,"epochs":3,"batch":64,"seed":0,"same-target":false,"methods":[{"method":"target-only","#;
        assert!(stored.starts_with(start), "{stored}");
        assert_eq!(serde_json::from_str::<ExperimentConfig>(&stored).unwrap(), config);
        let open = ExperimentConfig::parse(TEXT).unwrap();
        assert!(serde_json::to_string(&open).unwrap().contains(r#""network":"auto","#));
        let wrong = ExperimentConfig::parse(&text.replace("lenet5", "lenet6")).unwrap_err().to_string();
        assert!(wrong.contains("lenet5, cnn, convnet, mlp as network, found `lenet6`"), "{wrong}");
    }
}
