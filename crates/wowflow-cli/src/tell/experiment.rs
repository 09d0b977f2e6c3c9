//! Results of experiments: their figures drawn, their page told.

use std::path::Path;

use anyhow::Result;
use wowflow_report::study::experiment::{figures, sample_sheet};
use wowflow_study::experiment::{ExperimentConfig, Results, sample_files};
use wowflow_study::record::write_bytes;

use crate::ExitStatus;
use crate::console::Console;

/// Draws the samples in a run directory that have no picture yet.
pub(crate) fn draw_samples(folder: &Path, config: &ExperimentConfig) -> Result<()> {
    for file in sample_files(folder, config).iter().filter(|file| !file.sheet.exists()) {
        if let Some(sheet) = sample_sheet(file)? {
            write_bytes(&file.sheet, &sheet.to_png()?)?;
        }
    }
    Ok(())
}

/// Draws the figures of results, and tells these.
pub(crate) fn results(results: &mut Results, console: &Console) -> Result<ExitStatus> {
    let mut pictures = Vec::new();
    for (end, picture) in figures(results)? {
        pictures.push((end, picture.to_png()?));
    }
    results.add_pictures(pictures)?;
    results.page.lines().for_each(|line| console.say(line));
    console.say(&format!("open {}", results.page_file().display()));
    results.pictures().iter().for_each(|name| console.say(&format!("open {name}")));
    console.object(&results.to_json())?;
    Ok(ExitStatus::Done)
}
