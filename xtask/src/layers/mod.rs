//! `cargo xtask layers` and `cargo xtask lines`: what rests on what, and how large it is.

mod crates;
mod module;
mod modules;
mod names;
mod rules;
mod tokens;
mod tree;
mod violation;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::root;
use crates::Package;
use rules::{Implementations, Rules};
use tree::Tree;
use violation::Violation;

/// The rules, from the root of the repository.
const RULES: &str = "xtask/layers.toml";

/// A crate with the modules of its library and programs.
struct Read {
    package: Package,
    trees: Vec<Tree>,
}

/// Prints every import that runs upwards or in a circle, every forbidden name and every crate over its limit of lines;
/// true when there is none.
pub(crate) fn run() -> Result<bool> {
    let rules = Rules::read(&root().join(RULES))?;
    let (packages, read) = read()?;
    let (mut violations, notes) = crates::check(&packages, &rules, root())?;
    let mut needed = BTreeSet::new();
    for Read { package, trees } in &read {
        let own = rules.by_crate.get(&package.name).cloned().unwrap_or_default();
        let mut types = Vec::new();
        for Implementations { name, package } in &own.forbidden_implementations {
            let trees =
                read.iter().filter(|other| other.package.name == *package).flat_map(|other| &other.trees);
            types.extend(trees.flat_map(|tree| names::implementations(tree, name)));
        }
        // Positions among all exceptions, so that one nobody needs is seen.
        let here: Vec<usize> =
            (0..rules.exception.len()).filter(|&at| rules.exception[at].package == package.name).collect();
        let exceptions: Vec<_> = here.iter().map(|&at| rules.exception[at].clone()).collect();
        for tree in trees {
            let mut found = BTreeSet::new();
            violations.extend(modules::check(tree, &own, &exceptions, &mut found));
            violations.extend(names::check(tree, &package.name, &own.forbidden, &types));
            needed.extend(found.into_iter().map(|at| here[at]));
        }
        let lines = lines(trees);
        if let Some(limit) = own.lines.filter(|limit| lines > *limit) {
            let message = format!("`{}` has {lines} lines, at most {limit} are allowed", package.name);
            violations.push(Violation::new(&package.manifest_path, 1, message));
        }
    }
    let spare = rules.exception.iter().enumerate().filter(|(at, _)| !needed.contains(at));
    for (_, exception) in spare {
        let message = format!(
            "no import needs the exception {} -> {} in {}",
            exception.from, exception.to, exception.package
        );
        violations.push(Violation::new(&root().join(RULES), 1, message));
    }
    violations.sort();
    violations.dedup();
    for violation in &violations {
        println!("{violation}");
    }
    for note in &notes {
        println!("note: {note}");
    }
    let modules: usize = read.iter().flat_map(|read| &read.trees).map(|tree| tree.modules.len()).sum();
    println!("layers: {} crates, {modules} modules, {} violations", read.len(), violations.len());
    Ok(violations.is_empty())
}

/// Prints the lines of every crate outside tests, with its limit where it has one.
pub(crate) fn print_lines() -> Result<bool> {
    let rules = Rules::read(&root().join(RULES))?;
    let (mut total, mut within) = (0, true);
    for Read { package, trees } in &read()?.1 {
        let lines = lines(trees);
        total += lines;
        let limit = rules.by_crate.get(&package.name).and_then(|rules| rules.lines);
        within &= limit.is_none_or(|limit| lines <= limit);
        let limit = limit.map(|limit| format!("  (at most {limit})")).unwrap_or_default();
        println!("{lines:>7}  {}{limit}", package.name);
    }
    println!("{total:>7}  together");
    Ok(within)
}

/// The crates of the workspace with their sources.
fn read() -> Result<(Vec<Package>, Vec<Read>)> {
    let packages = crates::packages(root())?;
    let read = packages
        .iter()
        .map(|package| {
            let trees = package.roots().map(Tree::read).collect::<Result<_>>()?;
            Ok(Read { package: package.clone(), trees })
        })
        .collect::<Result<_>>()?;
    Ok((packages, read))
}

/// Lines outside tests; a file that two targets share counts once.
fn lines(trees: &[Tree]) -> usize {
    let files: BTreeMap<_, _> =
        trees.iter().flat_map(|tree| &tree.files).map(|file| (&file.path, file.lines)).collect();
    files.values().sum()
}
