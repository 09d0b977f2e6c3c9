//! What the project is built from: sources, checksums, licences and system libraries of its dependencies.
//!
//! `deny.toml` says what is allowed. What needs no database of advisories is checked here, from what cargo knows, so that
//! it is checked on every machine; `cargo deny` checks the same and the advisories where it is installed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use toml::Table;

use crate::root;

/// Names of native libraries that crates say they link, none of which is one of the system's: rayon's guards against two
/// versions of itself, ring brings its own code, wasm-bindgen's is for browsers.
const OWN: [&str; 3] = ["rayon-core", "ring_core", "wasm_bindgen"];

/// Says what is wrong, and which crates have several versions.
pub(crate) fn run() -> Result<bool> {
    let read = |name: &str| -> Result<Table> {
        let text = fs::read_to_string(root().join(name)).with_context(|| format!("cannot read {name}"))?;
        text.parse().with_context(|| format!("in {name}"))
    };
    let mut cargo = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--locked", "--all-features", "--format-version", "1"]).current_dir(root());
    let output = cargo.output().context("cannot run cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "expected `cargo metadata` to succeed, found {}", said.trim());
    let metadata = serde_json::from_slice(&output.stdout).context("in what `cargo metadata` printed")?;
    let found = check(&metadata, &read("Cargo.lock")?, &read("deny.toml")?)?;
    found.faults.iter().for_each(|fault| println!("{fault}"));
    let several: Vec<String> =
        found.several.iter().map(|(name, versions)| format!("{name} {}", versions.join(", "))).collect();
    println!(
        "supply: {} crates of others, {} faults; in several versions: {}",
        found.foreign,
        found.faults.len(),
        if several.is_empty() { "none".to_owned() } else { several.join("; ") }
    );
    Ok(found.faults.is_empty())
}

/// What a look at the dependencies comes to.
#[derive(Debug, Default, PartialEq)]
struct Found {
    /// Packages that are not of the workspace.
    foreign: usize,
    /// A line for everything that is not allowed.
    faults: Vec<String>,
    /// Crates in several versions, which cost build time and are no fault.
    several: BTreeMap<String, Vec<String>>,
}

fn check(metadata: &Value, lock: &Table, deny: &Table) -> Result<Found> {
    let texts = |section: &str, key: &str| -> Result<BTreeSet<&str>> {
        let list = deny.get(section).and_then(|section| section.get(key)?.as_array());
        let list = list.with_context(|| format!("deny.toml: expected a list {section}.{key}"))?;
        Ok(list.iter().filter_map(toml::Value::as_str).collect())
    };
    let (licences, registries) = (texts("licenses", "allow")?, texts("sources", "allow-registry")?);
    let locked = lock.get("package").and_then(toml::Value::as_array);
    let locked = locked.context("Cargo.lock: expected packages")?;
    let sums: BTreeSet<(&str, &str)> = locked
        .iter()
        .filter(|package| package.get("checksum").is_some())
        .filter_map(|package| Some((package.get("name")?.as_str()?, package.get("version")?.as_str()?)))
        .collect();
    let packages = metadata["packages"].as_array().context("expected packages of `cargo metadata`")?;
    let mut found = Found::default();
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages {
        let text = |key: &str| package[key].as_str();
        let (name, version) = (text("name").unwrap_or_default(), text("version").unwrap_or_default());
        let mut fault = |what: String| found.faults.push(format!("{name} {version}: {what}"));
        for need in package["dependencies"].as_array().into_iter().flatten() {
            if text("source").is_none() && need["req"] == "*" && need["path"].is_null() {
                fault(format!("expected a version of {}, found any", need["name"]));
            }
        }
        let Some(source) = text("source") else { continue };
        found.foreign += 1;
        versions.entry(name.to_owned()).or_default().push(version.to_owned());
        match source.strip_prefix("registry+") {
            Some(registry) if registries.contains(registry) => {
                if !sums.contains(&(name, version)) {
                    fault("expected a checksum in Cargo.lock, found none".to_owned());
                }
            }
            _ => fault(format!("expected a registry that deny.toml allows, found {source}")),
        }
        match text("license") {
            None => fault("expected a licence, found none".to_owned()),
            Some(licence) => match Licence::allows(licence, &licences) {
                Some(true) => {}
                Some(false) => fault(format!("expected licences that deny.toml allows, found {licence}")),
                None => fault(format!("expected an SPDX expression, found {licence}")),
            },
        }
        if let Some(library) = text("links")
            && !OWN.iter().any(|own| library.starts_with(own))
        {
            fault(format!("expected no system library, found that it links {library}"));
        }
    }
    found.several = versions.into_iter().filter(|(_, versions)| versions.len() > 1).collect();
    Ok(found)
}

/// An SPDX expression, word by word. `/` is the `OR` of older crates.
struct Licence<'a> {
    words: std::iter::Peekable<std::vec::IntoIter<&'a str>>,
    allowed: &'a BTreeSet<&'a str>,
}

impl<'a> Licence<'a> {
    /// Whether what is allowed suffices; `None` for what is no expression.
    fn allows(text: &'a str, allowed: &'a BTreeSet<&'a str>) -> Option<bool> {
        let mut words = Vec::new();
        for word in text.split_whitespace() {
            let mut rest = word;
            while let Some(at) = rest.find(['(', ')', '/']) {
                words.extend([&rest[..at], &rest[at..=at]].into_iter().filter(|word| !word.is_empty()));
                rest = &rest[at + 1..];
            }
            words.extend((!rest.is_empty()).then_some(rest));
        }
        let mut licence = Self { words: words.into_iter().peekable(), allowed };
        let result = licence.any()?;
        licence.words.next().is_none().then_some(result)
    }

    fn any(&mut self) -> Option<bool> {
        let mut result = self.all()?;
        while self.words.next_if(|word| ["OR", "/"].contains(word)).is_some() {
            result |= self.all()?;
        }
        Some(result)
    }

    fn all(&mut self) -> Option<bool> {
        let mut result = self.one()?;
        while self.words.next_if_eq(&"AND").is_some() {
            result &= self.one()?;
        }
        Some(result)
    }

    fn one(&mut self) -> Option<bool> {
        match self.words.next()? {
            "(" => {
                let inner = self.any()?;
                self.words.next_if_eq(&")").map(|_| inner)
            }
            "AND" | "OR" | "WITH" | ")" | "/" => None,
            name => match self.words.next_if_eq(&"WITH") {
                None => Some(self.allowed.contains(name)),
                Some(_) => {
                    let exception = self.words.next()?;
                    Some(self.allowed.contains(format!("{name} WITH {exception}").as_str()))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

    /// A workspace of one crate that needs `ant`, as changed.
    fn looked(change: impl FnOnce(&mut Value, &mut String)) -> Vec<String> {
        let mut metadata = json!({"packages": [
            {"name": "ours", "version": "0.1.0", "source": null, "license": null, "links": null,
             "dependencies": [{"name": "ant", "req": "^1", "path": null}, {"name": "bee", "req": "*", "path": "bee"}]},
            {"name": "ant", "version": "1.0.0", "source": INDEX, "license": "MIT", "links": null, "dependencies": []},
        ]});
        let mut lock = "[[package]]\nname = \"ant\"\nversion = \"1.0.0\"\nchecksum = \"00\"\n".to_owned();
        change(&mut metadata, &mut lock);
        let deny = format!(
            "[licenses]\nallow = [\"MIT\", \"ISC\"]\n[sources]\nallow-registry = [\"{}\"]\n",
            INDEX.strip_prefix("registry+").unwrap()
        );
        check(&metadata, &lock.parse().unwrap(), &deny.parse().unwrap()).unwrap().faults
    }

    #[test]
    fn what_is_not_allowed_is_named() {
        assert_eq!(looked(|_, _| ()), [] as [&str; 0]);
        type Planted = (fn(&mut Value, &mut String), &'static str);
        let planted: [Planted; 9] = [
            (
                |all, _| all["packages"][1]["source"] = "git+https://example.org/ant#0".into(),
                "ant 1.0.0: expected a registry that deny.toml allows, found git+https://example.org/ant#0",
            ),
            (
                |all, _| all["packages"][1]["source"] = "registry+https://example.org/index".into(),
                "ant 1.0.0: expected a registry that deny.toml allows, found registry+https://example.org/index",
            ),
            (
                |_, lock| *lock = lock.replace("checksum = \"00\"\n", ""),
                "ant 1.0.0: expected a checksum in Cargo.lock, found none",
            ),
            (
                |_, lock| *lock = lock.replace("1.0.0", "1.0.1"),
                "ant 1.0.0: expected a checksum in Cargo.lock, found none",
            ),
            (
                |all, _| all["packages"][1]["license"] = "GPL-3.0".into(),
                "ant 1.0.0: expected licences that deny.toml allows, found GPL-3.0",
            ),
            (
                |all, _| all["packages"][1]["license"] = Value::Null,
                "ant 1.0.0: expected a licence, found none",
            ),
            (
                |all, _| all["packages"][1]["license"] = "MIT OR".into(),
                "ant 1.0.0: expected an SPDX expression, found MIT OR",
            ),
            (
                |all, _| all["packages"][1]["links"] = "openblas".into(),
                "ant 1.0.0: expected no system library, found that it links openblas",
            ),
            (
                |all, _| all["packages"][0]["dependencies"][0]["req"] = "*".into(),
                "ours 0.1.0: expected a version of \"ant\", found any",
            ),
        ];
        for (plant, expected) in planted {
            assert_eq!(looked(plant), [expected]);
        }
    }

    #[test]
    fn several_versions_are_told_and_no_fault() {
        let package = |version: &str| json!({"name": "ant", "version": version, "source": INDEX, "license": "MIT", "links": null});
        let lock = ["1.0.0", "2.0.0"].map(|version| {
            format!("[[package]]\nname = \"ant\"\nversion = \"{version}\"\nchecksum = \"00\"\n")
        });
        let deny = "licenses.allow = [\"MIT\"]\nsources.allow-registry = \
                    [\"https://github.com/rust-lang/crates.io-index\"]";
        let metadata = json!({"packages": [package("1.0.0"), package("2.0.0")]});
        let found = check(&metadata, &lock.concat().parse().unwrap(), &deny.parse().unwrap()).unwrap();
        assert_eq!((found.foreign, found.faults.len()), (2, 0));
        assert_eq!(found.several["ant"], ["1.0.0", "2.0.0"]);
    }

    #[test]
    fn licences_are_read_as_they_are_written() {
        let allowed: BTreeSet<&str> = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].into();
        for (text, expected) in [
            ("MIT", Some(true)),
            ("MIT/GPL-3.0", Some(true)),
            ("GPL-3.0 OR MIT", Some(true)),
            ("GPL-3.0 AND MIT", Some(false)),
            ("MIT AND ISC", Some(true)),
            ("(GPL-3.0 OR MIT) AND ISC", Some(true)),
            ("GPL-3.0 OR MIT AND BSD-2-Clause", Some(false)),
            ("((MIT))", Some(true)),
            ("Apache-2.0 WITH LLVM-exception", Some(true)),
            ("Apache-2.0", Some(false)),
            ("MIT WITH LLVM-exception", Some(false)),
            ("mit", Some(false)),
            ("MIT ISC", None),
            ("(MIT", None),
            ("OR MIT", None),
            ("", None),
        ] {
            assert_eq!(Licence::allows(text, &allowed), expected, "{text}");
        }
    }
}
