//! The results of an experiment: JSON with every repetition, a Markdown page, and the names of figures.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::config::ExperimentConfig;
use super::outcome::Outcome;
use super::published::Published;
use super::repetition::Repetition;
use super::table::markdown;
use crate::error::{Result, StudyError};
use crate::record::{Held, RunProvenance, SCHEMA, write_bytes, write_sealed};

/// What the repetitions of an experiment come to, so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// The experiment.
    pub config: ExperimentConfig,
    /// What ran, where and how.
    pub provenance: RunProvenance,
    /// Every repetition, row by row.
    pub repetitions: Vec<Repetition>,
    /// The curves that they are shown beside.
    pub published: Option<Published>,
    /// Means, deviations and differences.
    pub outcome: Outcome,
    /// The same as a Markdown page.
    pub page: String,
    place: Destination,
    pictures: Vec<String>,
    /// Where the folder is that of one run, it stays claimed until the pictures are written.
    held: Option<Held>,
}

/// Where results go: `folder/name.json`, `folder/name.md`, `folder/name-....png`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) folder: PathBuf,
    pub(super) name: String,
}

impl Destination {
    /// A file of the results, by its end.
    pub(super) fn file(&self, end: &str) -> PathBuf {
        self.folder.join(format!("{}{end}", self.name))
    }
}

/// What is known before results are made.
pub(super) struct Parts {
    pub(super) config: ExperimentConfig,
    pub(super) provenance: RunProvenance,
    pub(super) repetitions: Vec<Repetition>,
    pub(super) published: Option<Published>,
}

impl Results {
    /// Makes results and writes them.
    pub(super) fn write(place: Destination, parts: Parts) -> Result<Self> {
        let Parts { config, provenance, repetitions, published } = parts;
        let outcome = Outcome::of(&config, &repetitions, published.as_ref());
        let mut page = markdown(&config, &outcome, &origin(&config, &repetitions, &place.name));
        if let Some(Published { source, .. }) = &published {
            page += &format!("\nPublished curves: {source}\n");
        }
        let pictures = Vec::new();
        let results =
            Self { config, provenance, repetitions, published, outcome, page, place, pictures, held: None };
        let folder = &results.place.folder;
        std::fs::create_dir_all(folder).map_err(StudyError::io("make the folder", folder))?;
        write_bytes(&results.page_file(), results.page.as_bytes())?;
        results.write_json()?;
        Ok(results)
    }

    /// Keeps other programs away while the results live.
    pub(super) fn holding(self, held: Held) -> Self {
        Self { held: Some(held), ..self }
    }

    /// Writes pictures beside the results, each by the end of its name such as `-by-row.png`, and names them in the
    /// results.
    ///
    /// # Errors
    /// A place that cannot be written.
    pub fn add_pictures<'p>(&mut self, pictures: impl IntoIterator<Item = (&'p str, Vec<u8>)>) -> Result<()> {
        for (end, bytes) in pictures {
            let path = self.place.file(end);
            write_bytes(&path, &bytes)?;
            self.pictures.push(path.display().to_string());
        }
        self.write_json()
    }

    fn write_json(&self) -> Result<()> {
        write_sealed(&self.place.file(".json"), &self.to_json())
    }

    /// The pictures that were added, as paths.
    #[must_use]
    pub fn pictures(&self) -> &[String] {
        &self.pictures
    }

    /// The Markdown page.
    #[must_use]
    pub fn page_file(&self) -> PathBuf {
        self.place.file(".md")
    }

    /// The folder of the results.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.place.folder
    }

    /// What `NAME.json` holds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "schema": SCHEMA,
            "experiment": self.config,
            "provenance": self.provenance,
            // Tables are in percent, as published ones are; what a network measured stays a share.
            "units": { "cells": "percent", "differences": "percent", "repetitions": "share" },
            "cells": self.outcome.cells,
            "differences": self.outcome.differences,
            "reached": self.outcome.reached,
            "pictures": self.pictures,
            "repetitions": self.repetitions,
        })
    }
}

/// What made the repetitions, how many are there, and where each of them is.
fn origin(config: &ExperimentConfig, repetitions: &[Repetition], name: &str) -> String {
    let distinct = |of: &dyn Fn(&Repetition) -> String| {
        let mut found: Vec<String> = repetitions.iter().map(of).collect();
        found.sort_unstable();
        found.dedup();
        found.join(" and ")
    };
    let revisions = distinct(&|repetition| repetition.revision.clone());
    let machines = distinct(&|repetition| {
        repetition.machine.clone().unwrap_or_else(|| "a machine not named".to_owned())
    });
    let made = if repetitions.is_empty() {
        String::new()
    } else {
        format!(", made by wowflow {revisions} on {machines}")
    };
    format!(
        "{} of {} repetitions{made}; each with its seed, its seconds and the checksums of its data is in {name}.json",
        repetitions.len(),
        config.total()
    )
}
