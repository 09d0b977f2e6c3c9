//! The results of an experiment: JSON with every repetition, a Markdown page, figures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;
use wowflow_report::Picture;
use wowflow_report::rundir::SCHEMA;

use super::experiment::{Experiment, Task};
use super::figures::{Against, Published, by_row, curves};
use super::outcome::{cells, versus};
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
    fn file(&self, end: &str) -> PathBuf {
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
    let (cells, versus) = (cells(experiment, records), versus(experiment, records));
    let machine = format!(
        "wowflow {} ({}) on {}, {} threads; every repetition with its seed and the checksums of its data is in {}.json",
        provenance.version, provenance.revision, provenance.platform, provenance.threads, place.name
    );
    let page = markdown(experiment, &cells, &versus, &machine);
    let mut pictures: Vec<(&str, Option<Picture>)> = Vec::new();
    match experiment.task {
        Task::Transfer | Task::Distillation => pictures.push(("-by-row.png", by_row(experiment, &cells)?)),
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
        "cells": cells,
        "differences": versus,
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
