//! Names that a crate does not mention outside its tests.

use super::tree::Tree;
use super::violation::Violation;

/// Checks every path of a crate against forbidden names and types.
pub(super) fn check(tree: &Tree, package: &str, forbidden: &[String], types: &[String]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for placed in tree.modules.values() {
        for mention in &placed.module.mentions {
            let name = forbidden.iter().find(|name| mentions(&mention.names, name));
            if let Some(name) = name.or_else(|| types.iter().find(|name| takes(&mention.names, name))) {
                let message = format!("mentions {}: `{package}` does without `{name}`", mention.text());
                violations.push(Violation::new(&placed.file, mention.line, message));
            }
        }
    }
    violations
}

/// A path opens with a forbidden path; a single name is forbidden anywhere in it.
fn mentions(path: &[String], forbidden: &str) -> bool {
    let names: Vec<&str> = forbidden.split("::").collect();
    match names[..] {
        [name] => path.iter().any(|found| found == name),
        _ => path.len() >= names.len() && path.iter().zip(names).all(|(found, name)| found == name),
    }
}

/// A path takes a type from a module. (A variant of an enum may have the same name, and whoever uses a type has taken
/// it from a module somewhere.)
fn takes(path: &[String], name: &str) -> bool {
    path.windows(2).any(|pair| pair[0].starts_with(|first: char| first.is_lowercase()) && pair[1] == name)
}

/// The types of a crate that implement a trait.
pub(super) fn implementations(tree: &Tree, name: &str) -> Vec<String> {
    let all = tree.modules.values().flat_map(|placed| &placed.module.implementations);
    all.filter(|(implemented, _)| implemented == name).map(|(_, own)| own.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::planted;
    use super::*;

    #[test]
    fn forbidden_names_are_found_however_they_are_written() {
        let (_folder, tree) = planted(&[(
            "lib.rs",
            "use std::{env, fmt};\nuse clap::Parser;\nfn f(println: u8) -> bool {\n    println!(\"std::env\");\n    \
             println != 3 && x.is_terminal() && std::env::args().count() == env!(\"clap\").len()\n}\n\
             // clap, std::env\n#[cfg(test)]\nmod tests {\n    use std::env;\n}\n",
        )]);
        let forbidden = ["std::env", "clap", "println!", "is_terminal"].map(str::to_owned);
        let lines: Vec<String> = check(&tree, "c", &forbidden, &[])
            .iter()
            .map(|found| format!("{}: {}", found.line, found.message))
            .collect();
        assert_eq!(
            lines,
            [
                "1: mentions std::env: `c` does without `std::env`",
                "2: mentions clap::Parser: `c` does without `clap`",
                "4: mentions println!: `c` does without `println!`",
                "5: mentions is_terminal: `c` does without `is_terminal`",
                "5: mentions std::env::args: `c` does without `std::env`",
            ]
        );
    }

    #[test]
    fn types_are_told_from_variants_of_their_name() {
        let (_folder, tree) = planted(&[(
            "lib.rs",
            "use wowflow::functional::{self, Mmd};\nenum Name { Mmd }\nfn f(_: functional::Mmd) { Name::Mmd }\n",
        )]);
        let lines: Vec<usize> =
            check(&tree, "c", &[], &["Mmd".into()]).iter().map(|found| found.line).collect();
        assert_eq!(lines, [1, 3]);
    }

    #[test]
    fn types_that_implement_a_trait() {
        let (_folder, tree) = planted(&[("lib.rs", "impl<T> a::F<T> for B<T> {}\nimpl G for C {}\n")]);
        assert_eq!(implementations(&tree, "F"), ["B"]);
    }
}
