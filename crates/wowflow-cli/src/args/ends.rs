//! Source and target, in place or by name.

use anyhow::{Result, bail};
use clap::Args as ClapArgs;

/// The two datasets of a command.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct EndsArgs {
    /// Dataset that moves, or the first of two.
    #[arg(value_name = "SOURCE")]
    first: Option<String>,
    /// Dataset that it moves to, or the second.
    #[arg(value_name = "TARGET")]
    second: Option<String>,
    /// SOURCE, as an option.
    #[arg(long, value_name = "DATASET")]
    source: Option<String>,
    /// TARGET, as an option.
    #[arg(long, value_name = "DATASET")]
    target: Option<String>,
}

impl EndsArgs {
    /// Source and target; none where neither is given. What stands in place is what is not named, in order.
    pub(crate) fn given(&self) -> Result<Option<[&str; 2]>> {
        let mut places = [&self.first, &self.second].into_iter().flatten();
        let source = self.source.as_ref().or_else(|| places.next());
        let target = self.target.as_ref().or_else(|| places.next());
        match (source, target, places.next()) {
            (None, None, _) => Ok(None),
            (Some(source), Some(target), None) => Ok(Some([source, target])),
            (Some(source), Some(target), Some(more)) => {
                bail!("expected one source and one target, found {source}, {target} and {more}")
            }
            (Some(only), None, _) => {
                bail!(
                    "expected a source and a target, found {only} alone: name the target after it or by --target"
                )
            }
            (None, Some(only), _) => {
                bail!(
                    "expected a source and a target, found the target {only} alone: name the source by --source"
                )
            }
        }
    }

    /// The names that are given.
    pub(crate) fn names(&mut self) -> Vec<&mut String> {
        let all = [&mut self.first, &mut self.second, &mut self.source, &mut self.target];
        all.into_iter().flatten().collect()
    }

    /// Source and target where neither is given.
    pub(crate) fn or(&mut self, source: String, target: String) {
        if self.names().is_empty() {
            (self.first, self.second) = (Some(source), Some(target));
        }
    }

    /// Refuses datasets of a run that has its own.
    #[cfg(feature = "learn")]
    pub(crate) fn none_to_resume(&self) -> Result<()> {
        match [&self.first, &self.second, &self.source, &self.target].into_iter().flatten().next() {
            None => Ok(()),
            Some(found) => {
                bail!("expected no datasets with --resume, which goes on with its own, found {found}")
            }
        }
    }

    /// Source and target, both needed.
    pub(crate) fn required(&self) -> Result<[&str; 2]> {
        match self.given()? {
            Some(ends) => Ok(ends),
            None => bail!("expected a source and a target, found neither: name them, one after the other"),
        }
    }
}
