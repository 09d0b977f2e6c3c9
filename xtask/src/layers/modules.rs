//! Within a crate: no import against the declared order, no circle between modules of one folder.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::rules::{CrateRules, Exception};
use super::tree::{Import, ModulePath, Tree};
use super::violation::Violation;

/// Imports between the children of one module, by who imports and what: the first of each.
type Edges<'i> = BTreeMap<(&'i str, &'i str), &'i Import>;

/// Checks the modules of a crate; marks the exceptions that were needed.
pub(super) fn check(
    tree: &Tree,
    rules: &CrateRules,
    exceptions: &[Exception],
    needed: &mut BTreeSet<usize>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    let imports = tree.imports();
    let mut folders: BTreeMap<&[String], Edges<'_>> = BTreeMap::new();
    let mut at_root = Vec::new();
    let mut excepted: Vec<(usize, &[String], &Import)> = Vec::new();
    for import in &imports {
        let shared = import.from.iter().zip(&import.to).take_while(|(from, to)| from == to).count();
        let (Some(from), Some(to)) = (import.from.get(shared), import.to.get(shared)) else { continue };
        let folder = &import.from[..shared];
        if let Some(at) = exceptions.iter().position(|exception| covers(exception, import)) {
            excepted.push((at, folder, import));
            continue;
        }
        if folder.is_empty() {
            at_root.push(import);
        }
        folders.entry(folder).or_default().entry((from, to)).or_insert(import);
    }

    let rank = |module: &str| rules.order.iter().position(|name| name == module);
    if !rules.order.is_empty() {
        for (path, placed) in tree.modules.iter().filter(|(path, _)| path.len() == 1) {
            if rank(&path[0]).is_none() {
                let message = format!("module `{}` has no place in the order of xtask/layers.toml", path[0]);
                violations.push(Violation::new(&placed.file, 1, message));
            }
        }
    }
    let refused = |import: &Import| {
        let (from, to) = (&import.from[0], &import.to[0]);
        let what = if rank(to).is_some_and(|to| rank(from).is_some_and(|from| to > from)) {
            "stands above"
        } else if rules.apart.iter().any(|list| list.contains(from) && list.contains(to)) {
            "is apart from"
        } else {
            return None;
        };
        Some(format!("imports {}: `{to}` {what} `{from}`", import.text))
    };
    for import in at_root {
        if let Some(message) = refused(import) {
            violations.push(Violation::new(&import.file, import.line, message));
        }
    }
    for (folder, edges) in &folders {
        // In an order every circle holds an import upwards.
        if !folder.is_empty() || rules.order.is_empty() {
            violations.extend(circles(edges));
        }
    }

    // An exception is needed where its import goes upwards or would close a circle.
    for (at, folder, import) in excepted {
        let from = import.from[folder.len()].as_str();
        let closes =
            folders.get(folder).is_some_and(|edges| way(edges, &import.to[folder.len()], from).is_some());
        if closes || (folder.is_empty() && refused(import).is_some()) {
            needed.insert(at);
        }
    }
    violations
}

fn covers(exception: &Exception, import: &Import) -> bool {
    let within = |module: &ModulePath, named: &str| {
        let mut names = module.iter();
        named.split("::").all(|name| names.next().is_some_and(|own| own == name))
    };
    within(&import.from, &exception.from) && within(&import.to, &exception.to)
}

/// The shortest circle, without its imports the next one, until none is left; a line for each import.
fn circles(edges: &Edges<'_>) -> Vec<Violation> {
    let mut left = edges.clone();
    let mut violations = Vec::new();
    loop {
        let starts: BTreeSet<&str> = left.keys().map(|(from, _)| *from).collect();
        let shortest = starts.iter().filter_map(|start| way(&left, start, start)).min_by_key(Vec::len);
        let Some(circle) = shortest else { return violations };
        let text = circle.join(" -> ");
        for pair in circle.windows(2) {
            if let Some(import) = left.remove(&(pair[0], pair[1])) {
                let message = format!("imports {}, in the circle {text}", import.text);
                violations.push(Violation::new(&import.file, import.line, message));
            }
        }
    }
}

/// The shortest way along at least one import.
fn way<'e>(edges: &Edges<'e>, start: &'e str, end: &str) -> Option<Vec<&'e str>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(current) = queue.pop_front() {
        for (_, next) in edges.keys().filter(|(from, _)| *from == current) {
            if *next == end {
                let mut way = vec![*next, current];
                while way[way.len() - 1] != start {
                    way.push(before[way[way.len() - 1]]);
                }
                way.reverse();
                return Some(way);
            }
            if *next != start && !before.contains_key(next) {
                before.insert(next, current);
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::planted;
    use super::*;

    fn found(files: &[(&str, &str)], rules: &str, exceptions: &[(&str, &str)]) -> (Vec<String>, usize) {
        let (_folder, tree) = planted(files);
        let rules: CrateRules = toml::from_str(rules).unwrap();
        let exceptions: Vec<Exception> = exceptions
            .iter()
            .map(|(from, to)| Exception {
                package: "planted".into(),
                from: (*from).into(),
                to: (*to).into(),
                reason: "planted".into(),
            })
            .collect();
        let mut needed = BTreeSet::new();
        let mut violations = check(&tree, &rules, &exceptions, &mut needed);
        violations.sort();
        let line = |violation: &Violation| {
            let name = violation.file.file_name().unwrap().to_str().unwrap();
            format!("{name}:{}: {}", violation.line, violation.message)
        };
        (violations.iter().map(line).collect(), needed.len())
    }

    const ORDER: &str = r#"
        order = ["low", "right", "left", "high"]
        apart = [["left", "right"]]
    "#;

    #[test]
    fn imports_that_run_upwards_are_found_with_their_place() {
        let files = [
            ("lib.rs", "mod low;\nmod left;\nmod right;\nmod high;\n"),
            (
                "low.rs",
                r#"// use crate::high::H;
const T: &str = "use crate::high::H;";

use crate::high::H;
use super::high;
"#,
            ),
            ("left.rs", "use crate::low::L;\nfn f() {\n    super::right::g()\n}\n"),
            ("right.rs", "#[cfg(test)]\nmod tests {\n    use crate::high::H;\n}\n"),
            ("high.rs", "use crate::{low::L, left::M, right};\n"),
        ];
        let (lines, _) = found(&files, ORDER, &[]);
        assert_eq!(
            lines,
            [
                "left.rs:3: imports super::right::g: `right` is apart from `left`",
                "low.rs:4: imports crate::high::H: `high` stands above `low`",
                "low.rs:5: imports super::high: `high` stands above `low`",
            ]
        );
    }

    #[test]
    fn a_module_without_a_place_is_named() {
        let (lines, _) =
            found(&[("lib.rs", "mod low;\nmod new;\n"), ("low.rs", ""), ("new.rs", "")], ORDER, &[]);
        assert_eq!(lines, ["new.rs:1: module `new` has no place in the order of xtask/layers.toml"]);
    }

    #[test]
    fn circles_are_found_at_every_level_and_through_re_exports() {
        let files = [
            ("lib.rs", "mod a;\n"),
            ("a/mod.rs", "mod b;\nmod c;\nmod d;\nmod e;\npub use d::D;\npub fn own() {}\n"),
            ("a/b.rs", "use super::c::C;\n"),
            ("a/c.rs", "\nfn f(d: super::D) {}\n"),
            ("a/d/mod.rs", "mod f;\npub struct D;\n"),
            ("a/d/f.rs", "use crate::a::b::B;\n"),
            ("a/e.rs", "use super::{own, b::B};\n"),
        ];
        let (lines, _) = found(&files, "", &[]);
        assert_eq!(
            lines,
            [
                "b.rs:1: imports super::c::C, in the circle b -> c -> d -> b",
                "c.rs:2: imports super::D, in the circle b -> c -> d -> b",
                "f.rs:1: imports crate::a::b::B, in the circle b -> c -> d -> b",
            ]
        );
        assert_eq!(found(&files, "", &[("a::c", "a::d")]), (vec![], 1));
        // The import of `b` by `e` needs no exception.
        assert_eq!(found(&files, "", &[("a::c", "a::d"), ("a::e", "a::b")]).1, 1);
    }

    #[test]
    fn parents_and_children_are_no_circle() {
        let files = [
            ("main.rs", "mod a;\nmod b;\nuse a::f;\n"),
            ("a/mod.rs", "mod inner;\npub use inner::g;\npub fn f() { inner::g() }\n"),
            ("a/inner.rs", "use super::f;\nuse crate::top;\npub fn g() {}\n"),
            ("b.rs", "use crate::a::g;\n"),
        ];
        assert_eq!(found(&files, "", &[]), (vec![], 0));
    }
}
