//! `wowflow fetch`: the original files of a named dataset, resumable and checksummed.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use wowflow_data::NamedSet;
use wowflow_data::fetch::{FetchOptions, Progress as Event, fetch};

use crate::ExitStatus;
use crate::args::FetchArgs;
use crate::console::Console;
use crate::interrupt;
use crate::program::folders;
use crate::progress::Progress;

#[derive(Debug, Serialize)]
struct Fetched {
    name: String,
    files: Vec<String>,
    downloaded: usize,
}

pub(crate) fn run(args: &FetchArgs, console: &Console) -> Result<ExitStatus> {
    let Some(set) = NamedSet::parse(&args.name) else {
        let known: Vec<&str> = NamedSet::ALL.iter().map(|set| set.name()).collect();
        bail!("expected one of {}, found `{}`", known.join(", "), args.name);
    };
    let folder = folders(args.data_dir.as_deref())
        .into_iter()
        .next()
        .context("expected --data-dir, WOWFLOW_DATA or a home folder to put the files in, found none")?;
    interrupt::listen();
    let proxy = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|value| !value.is_empty() && args.mirror.is_none());
    let options = FetchOptions {
        base_url: args.mirror.clone(),
        proxy,
        cancel: Some(interrupt::flag()),
        ..FetchOptions::default()
    };
    let bar = Progress::bytes(console);
    let mut downloaded = 0;
    let name_of =
        |path: &std::path::Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let result = fetch(set, &folder, &options, &mut |event| match event {
        Event::Receiving { file, received, total } => bar.file(&name_of(file), received, total),
        Event::Present { file } => console.say(&format!("{} is there and right", file.display())),
        Event::Retrying { url, reason, .. } => console.say(&format!("{url}: {reason}; trying again")),
        Event::Done { file } => {
            downloaded += 1;
            console.say(&format!("{} downloaded and verified", file.display()));
        }
        _ => {}
    });
    bar.clear();
    if interrupt::requested() && result.is_err() {
        console
            .say(&format!("interrupted; what was received is kept, go on with: wowflow fetch {}", args.name));
        return Ok(ExitStatus::Interrupted);
    }
    let files = result?.iter().map(|path| path.display().to_string()).collect();
    console.object(&Fetched { name: set.name().to_owned(), files, downloaded })?;
    Ok(ExitStatus::Done)
}
