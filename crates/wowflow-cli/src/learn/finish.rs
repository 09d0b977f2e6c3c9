//! The results of an experiment: JSON with every repetition, a Markdown page, figures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;
use wowflow_report::Picture;
use wowflow_report::rundir::SCHEMA;

use super::experiment::{Experiment, Task};
use super::figures::{Against, Published, by_row, curves};
use super::outcome::Outcome;
use super::record::Record;
use super::table::markdown;
use crate::console::Console;
use crate::run::directory::{write_bytes, write_json};
use crate::run::provenance::RunProvenance;

/// Where results go: `folder/name.json`, `folder/name.md`, `folder/name-....png`.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) name: &'a str,
}

impl Place<'_> {
    /// A file of the results, by its end.
    pub(crate) fn file(&self, end: &str) -> PathBuf {
        self.folder.join(format!("{}{end}", self.name))
    }
}

/// Writes what the repetitions so far come to, and tells it.
pub(crate) fn finish(
    place: &Place<'_>,
    experiment: &Experiment,
    provenance: &RunProvenance,
    records: &[Record],
    published: Option<&Published>,
    console: &Console,
) -> Result<()> {
    std::fs::create_dir_all(place.folder)
        .with_context(|| format!("cannot make the folder {}", place.folder.display()))?;
    let outcome = Outcome::of(experiment, records, published);
    let mut page = markdown(experiment, &outcome, &origin(experiment, records, place.name));
    if let Some(Published { source, .. }) = published {
        page += &format!("\nPublished curves: {source}\n");
    }
    let mut pictures: Vec<(&str, Option<Picture>)> = Vec::new();
    match experiment.task {
        Task::Transfer | Task::Distillation => {
            pictures.push(("-by-row.png", by_row(experiment, &outcome.cells)?));
        }
        Task::Adaptation => {
            for (end, against) in [("-steps.png", Against::Steps), ("-seconds.png", Against::Seconds)] {
                pictures.push((end, curves(experiment, records, published, against)?));
            }
        }
    }
    let mut names = Vec::new();
    for (end, picture) in &pictures {
        let Some(picture) = picture else { continue };
        write_bytes(&place.file(end), &picture.to_png()?)?;
        names.push(place.file(end).display().to_string());
    }
    write_bytes(&place.file(".md"), page.as_bytes())?;
    let result = json!({
        "schema": SCHEMA,
        "experiment": experiment,
        "provenance": provenance,
        "cells": outcome.cells,
        "differences": outcome.differences,
        "reached": outcome.reached,
        "pictures": names,
        "repetitions": records,
    });
    write_json(&place.file(".json"), &result)?;
    page.lines().for_each(|line| console.say(line));
    for name in [place.file(".md").display().to_string()].iter().chain(&names) {
        console.say(&format!("open {name}"));
    }
    console.object(&result)
}

/// What made the repetitions, how many are there, and where each of them is.
fn origin(experiment: &Experiment, records: &[Record], name: &str) -> String {
    let distinct = |of: &dyn Fn(&Record) -> String| {
        let mut found: Vec<String> = records.iter().map(of).collect();
        found.sort_unstable();
        found.dedup();
        found.join(" and ")
    };
    let revisions = distinct(&|record| record.revision.clone());
    let machines =
        distinct(&|record| record.machine.clone().unwrap_or_else(|| "a machine not named".to_owned()));
    let made = if records.is_empty() {
        String::new()
    } else {
        format!(", made by wowflow {revisions} on {machines}")
    };
    format!(
        "{} of {} repetitions{made}; each with its seed, its seconds and the checksums of its data is in {name}.json",
        records.len(),
        experiment.total()
    )
}
