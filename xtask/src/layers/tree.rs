//! The modules of a crate with the files they come from, and what a path in one of them leads to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::module::{Module, read};

/// The names of a module from the root of its crate; the root's is empty.
pub(super) type ModulePath = Vec<String>;

/// A module and the file in which it stands.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) file: PathBuf,
    pub(super) module: Module,
}

/// A file of a crate.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// Lines that do not stand in tests.
    pub(super) lines: usize,
}

/// The modules of one target of a crate.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) modules: BTreeMap<ModulePath, Placed>,
    pub(super) files: Vec<Source>,
}

/// What an import relies on.
#[derive(Debug)]
pub(super) struct Import {
    /// The module in which the import stands.
    pub(super) from: ModulePath,
    /// A module that defines or hands on what is imported.
    pub(super) to: ModulePath,
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// The path as written.
    pub(super) text: String,
}

/// Re-exports are followed no further than this: a chain that is longer goes round.
const DEPTH: usize = 16;

impl Tree {
    /// Reads a crate from its root, `lib.rs` or `main.rs`, along its `mod` declarations.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        let folder = root.parent().context("expected a root file in a folder")?;
        tree.read_file(root, folder, Vec::new())?;
        Ok(tree)
    }

    /// `folder` holds the files of the module's children.
    fn read_file(&mut self, file: &Path, folder: &Path, path: ModulePath) -> Result<()> {
        let source = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let module = read(&source).map_err(|error| anyhow::anyhow!("{}:{error}", file.display()))?;
        let tests: usize = module.tests.iter().map(|(first, last)| last + 1 - first).sum();
        let lines = source.lines().count().saturating_sub(tests);
        self.files.push(Source { path: file.to_owned(), lines });
        self.place(file, folder, path, module)
    }

    fn place(&mut self, file: &Path, folder: &Path, path: ModulePath, mut module: Module) -> Result<()> {
        for name in &module.files {
            let (own, inner) = (folder.join(format!("{name}.rs")), folder.join(name));
            let found = if own.is_file() { own } else { inner.join("mod.rs") };
            if !found.is_file() {
                bail!("{}: expected module `{name}` in {name}.rs or {name}/mod.rs", file.display());
            }
            self.read_file(&found, &inner, child(&path, name))?;
        }
        for (name, body) in std::mem::take(&mut module.inline) {
            self.place(file, &folder.join(&name), child(&path, &name), body)?;
        }
        self.modules.insert(path, Placed { file: file.to_owned(), module });
        Ok(())
    }

    /// Every import of one module from another, once for each module that it goes through.
    pub(super) fn imports(&self) -> Vec<Import> {
        let mut imports = Vec::new();
        for (from, placed) in &self.modules {
            for mention in &placed.module.mentions {
                let own = ["crate", "self", "super"].contains(&mention.names[0].as_str());
                if !own && !mention.imported {
                    continue;
                }
                let mut reached = self.resolve(from, &mention.names, DEPTH);
                reached.sort();
                reached.dedup();
                imports.extend(reached.into_iter().filter(|to| to != from).map(|to| Import {
                    from: from.clone(),
                    to,
                    file: placed.file.clone(),
                    line: mention.line,
                    text: mention.text(),
                }));
            }
        }
        imports
    }

    /// The modules that define or hand on what a path in module `at` names; none for other crates' paths.
    fn resolve(&self, at: &ModulePath, names: &[String], depth: usize) -> Vec<ModulePath> {
        let Some(first) = names.first().filter(|_| depth > 0) else { return Vec::new() };
        let (mut current, mut rest) = match first.as_str() {
            "crate" => (ModulePath::new(), &names[1..]),
            "self" => (at.clone(), &names[1..]),
            "super" => (parent(at), &names[1..]),
            _ if self.knows(at, first) => (at.clone(), names),
            _ => return Vec::new(),
        };
        while let Some((name, after)) = rest.split_first() {
            let Some(placed) = self.modules.get(&current) else { return Vec::new() };
            let deeper = child(&current, name);
            if name == "super" {
                current = parent(&current);
            } else if name == "*" {
                let mut reached: Vec<ModulePath> = placed
                    .module
                    .bindings
                    .values()
                    .flat_map(|path| self.resolve(&current, path, depth - 1))
                    .collect();
                reached.push(current);
                return reached;
            } else if self.modules.contains_key(&deeper) {
                current = deeper;
            } else {
                let mut reached = self.through(&current, name, after, depth);
                reached.push(current);
                return reached;
            }
            rest = after;
        }
        vec![current]
    }

    /// Whether a module has a child or an import of this name.
    fn knows(&self, at: &ModulePath, name: &str) -> bool {
        self.modules.contains_key(&child(at, name))
            || self.modules.get(at).is_some_and(|placed| placed.module.bindings.contains_key(name))
    }

    /// Where a name leads that a module has from elsewhere.
    fn through(&self, at: &ModulePath, name: &String, after: &[String], depth: usize) -> Vec<ModulePath> {
        let Some(placed) = self.modules.get(at) else { return Vec::new() };
        if let Some(path) = placed.module.bindings.get(name) {
            return self.resolve(at, &[path, after].concat(), depth - 1);
        }
        if placed.module.items.contains(name) {
            return Vec::new();
        }
        let globs = placed.module.globs.iter();
        globs
            .flat_map(|path| {
                let whole = [path, std::slice::from_ref(name), after].concat();
                self.resolve(at, &whole, depth - 1)
            })
            .collect()
    }
}

fn child(path: &ModulePath, name: &str) -> ModulePath {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

fn parent(path: &ModulePath) -> ModulePath {
    path[..path.len().saturating_sub(1)].to_vec()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A crate of these files in a folder that goes away with the value.
    pub(in crate::layers) fn planted(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        for (name, source) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, source).unwrap();
        }
        let tree = Tree::read(&folder.path().join(files[0].0)).unwrap();
        (folder, tree)
    }

    fn edges(tree: &Tree) -> Vec<String> {
        let line = |import: &Import| {
            format!("{} -> {} ({})", import.from.join("::"), import.to.join("::"), import.text)
        };
        tree.imports().iter().map(line).collect()
    }

    #[test]
    fn modules_lie_in_files_folders_and_braces() {
        let (_folder, tree) = planted(&[
            ("lib.rs", "mod a;\nmod b;\nmod c { mod d; }\n#[cfg(test)] mod gone;\n"),
            ("a.rs", "mod e;\n// one\n#[cfg(test)]\nmod tests {\n}\n"),
            ("a/e.rs", ""),
            ("b/mod.rs", "mod f;"),
            ("b/f.rs", ""),
            ("c/d.rs", ""),
        ]);
        let paths: Vec<String> = tree.modules.keys().map(|path| path.join("::")).collect();
        assert_eq!(paths, ["", "a", "a::e", "b", "b::f", "c", "c::d"]);
        let lines = tree.files.iter().find(|file| file.path.ends_with("a.rs")).unwrap().lines;
        assert_eq!(lines, 2);
    }

    #[test]
    fn a_module_without_a_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lib.rs");
        fs::write(&root, "mod a;").unwrap();
        assert!(Tree::read(&root).unwrap_err().to_string().contains("expected module `a`"));
    }

    #[test]
    fn imports_are_followed_through_what_hands_them_on() {
        let (_folder, tree) = planted(&[
            ("lib.rs", "mod a;\nmod b;\npub use b::B;\n"),
            (
                "a.rs",
                r#"use crate::b::{C, inner::D};
use std::fmt;
use serde::Serialize;
fn f() -> crate::B { super::b::g() }
"#,
            ),
            ("b/mod.rs", "mod inner;\nmod other;\npub use inner::C;\npub struct B;\n"),
            ("b/inner.rs", "pub struct C;\nuse super::E;\n"),
            ("b/other.rs", "use super::*;\n"),
        ]);
        assert_eq!(
            edges(&tree),
            [
                " -> b (b::B)",
                "a -> b (crate::b::C)",
                "a -> b::inner (crate::b::C)",
                "a -> b::inner (crate::b::inner::D)",
                "a ->  (crate::B)",
                "a -> b (crate::B)",
                "a -> b (super::b::g)",
                "b -> b::inner (inner::C)",
                "b::inner -> b (super::E)",
                "b::other -> b (super::*)",
                "b::other -> b::inner (super::*)",
            ]
        );
    }

    #[test]
    fn everything_handed_on_is_followed_and_rounds_end() {
        let (_folder, tree) = planted(&[
            ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
            ("a.rs", "use crate::b::X;\nuse crate::b::round;\n"),
            ("b.rs", "pub use crate::c::*;\npub use super::c::round;\n"),
            ("c.rs", "pub struct X;\npub use crate::b::round;\n"),
        ]);
        let edges = edges(&tree);
        assert!(edges.contains(&"a -> c (crate::b::X)".to_owned()), "{edges:?}");
        assert!(edges.contains(&"a -> c (crate::b::round)".to_owned()), "{edges:?}");
    }
}
