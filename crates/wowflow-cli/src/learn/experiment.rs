//! An experiment: datasets, rows, methods, tries. Read from a TOML file, or put together from the command line.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::method::MethodSpec;
use crate::args::compare::Size;
use crate::run::config::hash;

/// What is asked of the methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Task {
    /// Train on few samples of the target and the moved source, test on the target's test set.
    Transfer,
    /// How a classifier of the target sees the source on its way.
    Adaptation,
    /// Distil the target to few samples a class, train on these, test on the target's test set.
    Distillation,
}

/// An experiment with every number that determines its results. In dataset names and in the number of
/// samples a class, `{row}` stands for the row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Experiment {
    pub(crate) title: String,
    pub(crate) task: Task,
    /// What the rows are, for the head of a table.
    pub(crate) row_name: String,
    pub(crate) rows: Vec<String>,
    /// What moves; a distillation has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    pub(crate) target: String,
    /// Samples a class of a distillation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) per_class: Option<String>,
    /// Absent: what is left of the target when its samples are drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) test: Option<String>,
    /// All images are brought to this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resize: Option<String>,
    #[serde(default = "auto")]
    pub(crate) network: String,
    /// Draws of the data and of the flow.
    pub(crate) tries: u64,
    /// Classifiers trained in each try.
    #[serde(default = "one")]
    pub(crate) trainings: usize,
    /// Length of a training: epochs, or steps of the optimiser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) epochs: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) training_steps: Option<u64>,
    #[serde(default = "batch")]
    pub(crate) batch: usize,
    #[serde(default)]
    pub(crate) seed: u64,
    /// Steps between the points of an accuracy curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) every: Option<u64>,
    /// The same samples of the target in every try.
    #[serde(default)]
    pub(crate) same_target: bool,
    /// What readers should know, such as how the data differ from the published ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// Published curves for the figure: a file beside the experiment, or one that comes with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) curves: Option<String>,
    /// A trained classifier for an adaptation, in place of one trained on the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) classifier: Option<PathBuf>,
    /// Where the classifier of the first try is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) save_classifier: Option<PathBuf>,
    pub(crate) methods: Vec<MethodSpec>,
    /// What `--quick` takes in place of the above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quick: Option<Quick>,
}

/// The small version of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Quick {
    pub(crate) rows: Vec<String>,
    pub(crate) tries: u64,
    #[serde(default = "one")]
    pub(crate) trainings: usize,
    /// The methods that take part, by name; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) methods: Option<Vec<String>>,
}

fn auto() -> String {
    "auto".to_owned()
}

fn one() -> usize {
    1
}

fn batch() -> usize {
    64
}

impl Experiment {
    /// One of a single try and no methods yet, for what the command line says.
    pub(crate) fn plain(target: &str) -> Self {
        Self {
            title: String::new(),
            task: Task::Transfer,
            row_name: String::new(),
            rows: Vec::new(),
            source: None,
            target: target.to_owned(),
            per_class: None,
            test: None,
            resize: None,
            network: auto(),
            tries: 1,
            trainings: 1,
            epochs: None,
            training_steps: None,
            batch: batch(),
            seed: 0,
            every: None,
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
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("expected an experiment file, cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    /// Reads and checks the text of a file.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let experiment: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|at| 1 + text[..at.start.min(text.len())].matches('\n').count());
            let line = line.map_or(String::new(), |line| format!(" on line {line}"));
            anyhow::anyhow!("expected an experiment, found{line}: {}", error.message().replace('\n', ", "))
        })?;
        // The command line picks rows and methods by lists with commas.
        let names = experiment.rows.iter().cloned().chain(experiment.labels());
        if let Some(name) = names.into_iter().find(|name| name.contains(',')) {
            bail!("expected rows and methods without commas in their names, found {name}");
        }
        experiment.checked()
    }

    /// The experiment, where its parts fit together.
    pub(crate) fn checked(self) -> Result<Self> {
        ensure!(!self.rows.is_empty(), "expected at least one row, found none");
        for list in [&self.rows, &self.methods.iter().map(MethodSpec::label).collect()] {
            ensure!(
                list.iter().all(|item| !item.is_empty()),
                "expected rows and methods with names, found an empty one"
            );
        }
        if let Some(twice) = self.rows.iter().enumerate().find(|(at, row)| self.rows[..*at].contains(row)) {
            bail!("expected every row once, found {} twice", twice.1);
        }
        ensure!(!self.methods.is_empty(), "expected at least one method, found none");
        ensure!(self.tries > 0 && self.trainings > 0, "expected at least one try and one training, found 0");
        ensure!(self.batch > 0, "expected batches of at least one example, found 0");
        ensure!(
            self.epochs.is_some() != self.training_steps.is_some(),
            "expected either epochs or training-steps"
        );
        let distils = self.task == Task::Distillation;
        ensure!(
            self.source.is_none() == distils && self.per_class.is_some() == distils,
            "expected a source in a transfer and an adaptation, and per-class in a distillation"
        );
        for row in &self.rows {
            if distils {
                self.per_class(row)?;
            }
            let here = self.methods_of(row);
            for (at, method) in here.iter().enumerate() {
                let label = method.label();
                ensure!(
                    here[..at].iter().all(|other| other.label() != label),
                    "expected every method once in row {row}, found {label} twice: give each a name"
                );
            }
        }
        for method in &self.methods {
            method.check(self.task).with_context(|| format!("method {}", method.label()))?;
            for row in method.rows.iter().flatten().chain(method.published.keys()) {
                ensure!(
                    self.rows.contains(row),
                    "expected rows of the experiment in method {}, found {row}",
                    method.label()
                );
            }
        }
        if let Some(quick) = &self.quick {
            for row in &quick.rows {
                ensure!(
                    self.rows.contains(row),
                    "expected rows of the experiment in quick.rows, found {row}"
                );
            }
            for name in quick.methods.iter().flatten() {
                let known = self.methods.iter().any(|method| method.label() == *name);
                ensure!(known, "expected methods of the experiment in quick.methods, found {name}");
            }
        }
        self.size()?;
        Ok(self)
    }

    /// The small version.
    pub(crate) fn quick(mut self) -> Result<Self> {
        let Some(quick) = self.quick.take() else {
            bail!("expected a [quick] table in the experiment, found none: run it without --quick")
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
        (self.tries, self.trainings) = (quick.tries, quick.trainings);
        self.notes.push("A small version: fewer rows, tries and trainings than published.".to_owned());
        self.checked()
    }

    /// A checksum of all that determines the repetitions of a method: neither titles nor what was published, nor the
    /// other rows and methods.
    pub(crate) fn fingerprint(&self, method: &MethodSpec) -> Result<String> {
        let alone = Self {
            title: String::new(),
            row_name: String::new(),
            rows: Vec::new(),
            tries: 0,
            notes: Vec::new(),
            curves: None,
            save_classifier: None,
            methods: vec![method.settings(self.task)],
            quick: None,
            ..self.clone()
        };
        match method.generation(self.task) {
            0 => hash(&alone),
            generation => hash(&(alone, generation)),
        }
    }

    /// The methods of a row, in order.
    pub(crate) fn methods_of(&self, row: &str) -> Vec<&MethodSpec> {
        let here =
            |method: &&MethodSpec| method.rows.as_ref().is_none_or(|rows| rows.iter().any(|r| r == row));
        self.methods.iter().filter(here).collect()
    }

    /// The files of trained networks that a row depends on, each once.
    pub(crate) fn networks_of(&self, row: &str) -> Vec<&Path> {
        let own = self.methods_of(row).into_iter().filter_map(MethodSpec::network_file);
        let mut files: Vec<&Path> = self.classifier.as_deref().into_iter().chain(own).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Repetitions of all rows and methods.
    pub(crate) fn total(&self) -> usize {
        let tries = usize::try_from(self.tries).unwrap_or(usize::MAX);
        self.rows.iter().map(|row| self.methods_of(row).len() * tries).sum()
    }

    /// Trainings of a whole repetition; an adaptation has none.
    pub(crate) fn trained(&self) -> usize {
        match self.task {
            Task::Adaptation => 0,
            Task::Transfer | Task::Distillation => self.trainings,
        }
    }

    /// Names of methods, each once, in order.
    pub(crate) fn labels(&self) -> Vec<String> {
        let mut labels: Vec<String> = Vec::new();
        for label in self.methods.iter().map(MethodSpec::label) {
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    /// Samples a class of a distillation in a row.
    pub(crate) fn per_class(&self, row: &str) -> Result<usize> {
        let text = self.per_class.as_deref().unwrap_or_default().replace("{row}", row);
        let number = text.parse().ok().filter(|number: &usize| *number > 0);
        number.with_context(|| format!("expected a positive number as per-class, found {text}"))
    }

    /// The size that images are brought to.
    pub(crate) fn size(&self) -> Result<Option<Size>> {
        self.resize.as_deref().map(|text| text.parse().map_err(anyhow::Error::msg)).transpose()
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
        let experiment = Experiment::parse(TEXT).unwrap();
        assert_eq!(experiment.labels(), ["target-only", "ours"]);
        assert_eq!((experiment.methods_of("1").len(), experiment.total()), (1, 6));
        assert_eq!(experiment.methods[0].published["1"], [26.0, 5.3]);
        let quick = experiment.quick().unwrap();
        assert_eq!((quick.rows.as_slice(), quick.tries, quick.methods.len()), (&["1".to_owned()][..], 1, 1));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let refused =
            |from: &str, to: &str| format!("{:#}", Experiment::parse(&TEXT.replace(from, to)).unwrap_err());
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
}
