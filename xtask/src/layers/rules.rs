//! `xtask/layers.toml`: which crate and which module may rest on which.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Rules {
    /// Crates, each resting on those before it alone.
    pub(super) crates: Vec<String>,
    /// Folders and names of crates that may rest on all of them.
    pub(super) free: Vec<String>,
    /// More rules, by crate.
    #[serde(rename = "crate")]
    pub(super) by_crate: BTreeMap<String, CrateRules>,
    /// What is allowed all the same.
    #[serde(default)]
    pub(super) exception: Vec<Exception>,
}

/// The rules of one crate.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CrateRules {
    /// Modules of the crate's root, each resting on those before it alone; without an order only circles are refused.
    #[serde(default)]
    pub(super) order: Vec<String>,
    /// Modules of the crate's root none of which imports another of the same list.
    #[serde(default)]
    pub(super) apart: Vec<Vec<String>>,
    /// Names that do not occur outside tests: a word, a path or a macro with its `!`.
    #[serde(default)]
    pub(super) forbidden: Vec<String>,
    /// Traits of which no type that implements them in a crate is taken from there.
    #[serde(default)]
    pub(super) forbidden_implementations: Vec<Implementations>,
    /// The most lines outside tests.
    pub(super) lines: Option<usize>,
}

/// The types that implement a trait in a crate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Implementations {
    #[serde(rename = "trait")]
    pub(super) name: String,
    #[serde(rename = "in")]
    pub(super) package: String,
}

/// An import that the rules would refuse.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exception {
    #[serde(rename = "crate")]
    pub(super) package: String,
    /// The module that imports, or one that it lies in.
    pub(super) from: String,
    /// The module that is imported, or one that it lies in.
    pub(super) to: String,
    pub(super) reason: String,
}

impl Rules {
    /// Reads and checks the file.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let rules: Self = toml::from_str(text)?;
        for exception in &rules.exception {
            ensure!(
                !exception.reason.trim().is_empty(),
                "expected a reason for the exception {} -> {} in {}",
                exception.from,
                exception.to,
                exception.package
            );
        }
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_the_repository_are_rules() {
        let rules = Rules::read(&crate::root().join("xtask/layers.toml")).unwrap();
        for name in rules.by_crate.keys() {
            assert!(rules.crates.contains(name), "{name}");
        }
        for own in rules.by_crate.values() {
            assert!(own.apart.iter().flatten().all(|name| own.order.contains(name)), "{:?}", own.apart);
        }
    }

    #[test]
    fn keys_that_are_not_known_and_exceptions_without_a_reason_are_refused() {
        let start = "crates = []\nfree = []\n";
        assert!(Rules::parse(&format!("{start}[crate.a]\nlayers = []\n")).is_err());
        let exception = "[[exception]]\ncrate = \"a\"\nfrom = \"b\"\nto = \"c\"\nreason = \" \"\n";
        let error = Rules::parse(&format!("{start}[crate.a]\n{exception}")).unwrap_err().to_string();
        assert!(error.contains("expected a reason"), "{error}");
    }
}
