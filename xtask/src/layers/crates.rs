//! Between crates: no dependency upwards, read from `cargo metadata`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::rules::Rules;
use super::violation::Violation;

/// A crate of the workspace.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest_path: PathBuf,
    #[serde(default)]
    pub(super) dependencies: Vec<Dependency>,
    #[serde(default)]
    pub(super) targets: Vec<Target>,
}

/// What a crate depends on.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// `None` for what the crate is built from; `dev`, `build`.
    pub(super) kind: Option<String>,
    /// The folder, for crates that lie in one.
    pub(super) path: Option<PathBuf>,
}

/// A library, a program, a test.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Target {
    pub(super) kind: Vec<String>,
    pub(super) src_path: PathBuf,
}

impl Package {
    /// The roots of what the crate is: libraries and programs, not tests, benches, examples or build scripts.
    pub(super) fn roots(&self) -> impl Iterator<Item = &Path> {
        let counts = |kind: &String| ["lib", "rlib", "cdylib", "bin"].contains(&kind.as_str());
        self.targets
            .iter()
            .filter(move |target| target.kind.iter().any(counts))
            .map(|target| target.src_path.as_path())
    }

    /// The folder of its manifest.
    pub(super) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }
}

/// The crates of the workspace.
pub(super) fn packages(root: &Path) -> Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cannot run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    Ok(metadata.packages)
}

/// Checks the dependencies; also says which run upwards in tests alone.
pub(super) fn check(
    packages: &[Package],
    rules: &Rules,
    root: &Path,
) -> Result<(Vec<Violation>, Vec<String>)> {
    let (mut violations, mut notes) = (Vec::new(), Vec::new());
    let rank = |name: &str| rules.crates.iter().position(|known| known == name);
    let free = |package: &Package| {
        let folder = package.folder().strip_prefix(root).unwrap_or(package.folder());
        rules.free.iter().any(|name| *name == package.name || Path::new(name) == folder)
    };
    for package in packages {
        let Some(own) = rank(&package.name) else {
            if !free(package) {
                let message = format!("crate `{}` has no place in xtask/layers.toml", package.name);
                violations.push(Violation::new(&package.manifest_path, 1, message));
            }
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let on = &dependency.name;
            if rank(on).is_some_and(|rank| rank < own) {
                continue;
            }
            if dependency.kind.as_deref() == Some("dev") {
                notes.push(format!("the tests of `{}` use `{on}`, which stands above it", package.name));
                continue;
            }
            let text = std::fs::read_to_string(&package.manifest_path)
                .with_context(|| format!("cannot read {}", package.manifest_path.display()))?;
            let message = format!("depends on `{on}`, which stands above `{}`", package.name);
            violations.push(Violation::new(&package.manifest_path, line_of(&text, on), message));
        }
    }
    Ok((violations, notes))
}

/// The line of a manifest that names a dependency.
fn line_of(manifest: &str, name: &str) -> usize {
    let names = |line: &str| {
        let key = line.trim_start().split(['=', '.', ' ']).next().unwrap_or_default();
        key.trim_matches('"') == name
    };
    manifest.lines().position(names).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_upwards_are_found_and_those_of_tests_noted() {
        let folder = tempfile::tempdir().unwrap();
        let rules = Rules::parse("crates = [\"low\", \"high\"]\nfree = [\"tools\", \"face\"]\n[crate.low]\n")
            .unwrap();
        let package = |name: &str, folder_name: &str, on: &[(&str, Option<&str>)]| {
            let manifest_path = folder.path().join(folder_name).join("Cargo.toml");
            std::fs::create_dir_all(manifest_path.parent().unwrap()).unwrap();
            std::fs::write(&manifest_path, "[dependencies]\nserde = \"1\"\nhigh.workspace = true\n").unwrap();
            let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
                name: (*name).into(),
                kind: kind.map(str::to_owned),
                path: (*name != "serde").then(PathBuf::new),
            };
            let dependencies = on.iter().map(dependency).collect();
            Package { name: name.into(), manifest_path, dependencies, targets: Vec::new() }
        };
        let packages = [
            package("low", "low", &[("serde", None), ("high", None)]),
            package("high", "high", &[("low", None), ("high", Some("dev"))]),
            package("tools", "tools", &[("high", None)]),
            package("other-name", "face", &[("high", None)]),
            package("unknown", "unknown", &[]),
        ];
        let (violations, notes) = check(&packages, &rules, folder.path()).unwrap();
        let lines: Vec<String> =
            violations.iter().map(|found| format!("{}: {}", found.line, found.message)).collect();
        assert_eq!(
            lines,
            [
                "3: depends on `high`, which stands above `low`",
                "1: crate `unknown` has no place in xtask/layers.toml"
            ]
        );
        assert_eq!(notes, ["the tests of `high` use `high`, which stands above it"]);
    }
}
