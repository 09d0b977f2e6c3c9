//! `wowflow distance`: how far apart two datasets are, with what certifies it.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wowflow_data::atomic;
use wowflow_report::study;
use wowflow_study::distance::compare_pair;

use super::on_threads;
use crate::ExitStatus;
use crate::args::compare::DistanceArgs;
use crate::console::Console;
use crate::interrupt;
use crate::program::program;
use crate::tell;
use crate::watch::Watch;

pub(crate) fn run(args: &DistanceArgs, console: &Console) -> Result<ExitStatus> {
    on_threads(args.common.threads, || {
        args.figure.iter().chain(&args.plan).try_for_each(|path| refuse_place(path))?;
        let request = args.method.request();
        let method = request.method.name;
        for (given, option) in [(args.figure.is_some(), "figure"), (args.plan.is_some(), "plan")] {
            if given && !method.has_classes() {
                bail!(
                    "expected --{option} with a method that compares classes, found it with --method {method}"
                );
            }
        }
        let watch = Watch::new(console).cheaper_by("--sample N, or a sliced --method such as mmd-sw,");
        interrupt::end_at_once_with("interrupted; nothing was written".into());
        let program = program(args.common.data.data_dir.as_deref());
        let compared = compare_pair(args.ends.required()?, &request, &program, &watch)?;
        if let Some(path) = &args.figure {
            let png = study::distance::classes(&compared)?.to_png()?;
            let written = atomic::create(path, |file| file.write_all(&png));
            written.with_context(|| format!("cannot write {}", path.display()))?;
        }
        if let Some(path) = &args.plan {
            compared.write_plan(path)?;
        }
        tell::distance::pair(&compared, args.figure.as_deref(), args.plan.as_deref(), console)?;
        Ok(ExitStatus::Done)
    })
}

/// Fails where no new file can be written, before anything is computed.
fn refuse_place(path: &Path) -> Result<()> {
    if path.exists() {
        bail!("cannot write {}: file exists", path.display());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        bail!("expected a folder for {} at {}, found none", path.display(), folder.display());
    }
    Ok(())
}
