//! Results of experiments: their figures drawn, their page told.

use std::path::Path;

use anyhow::Result;
use wowflow_report::study::experiment::{figures, sample_sheet};
use wowflow_study::experiment::{ExperimentConfig, Results, SampleFile, sample_files};
use wowflow_study::record::write_bytes;

use crate::ExitStatus;
use crate::console::Console;

/// Which samples are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sheets {
    All,
    /// Those that have no picture yet.
    Missing,
}

/// Draws the samples in a run directory.
pub(crate) fn draw_samples(folder: &Path, config: &ExperimentConfig, which: Sheets) -> Result<()> {
    let wanted = |file: &&SampleFile| which == Sheets::All || !file.sheet.exists();
    for file in sample_files(folder, config).iter().filter(wanted) {
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
