//! Sources with everything that looks like an import and is none.

use super::*;

fn mentions(source: &str) -> Vec<String> {
    let module = read(source).unwrap();
    let texts = module.mentions.iter().map(|mention| format!("{} {}", mention.line, mention.text()));
    texts.filter(|text| text.contains("::") || text.contains('!')).collect()
}

#[test]
fn trees_of_imports_are_taken_apart() {
    let source = r#"use crate::{
    a::B as C,
    d::{self, E},
};
pub(crate) use super::f::*;
use ::std::io;
"#;
    let expected = ["2 crate::a::B", "3 crate::d", "3 crate::d::E", "5 super::f::*", "6 std::io"];
    assert_eq!(mentions(source), expected);
    let module = read(source).unwrap();
    assert_eq!(module.bindings.keys().collect::<Vec<_>>(), ["C", "E", "d", "io"]);
    assert_eq!(module.bindings["C"], ["crate", "a", "B"]);
    assert_eq!(module.globs, [["super", "f"]]);
}

#[test]
fn paths_are_found_in_bodies_types_attributes_and_macros() {
    let source = r#"#[derive(crate::Made)]
fn f<'a>(x: &'a crate::a::X<super::b::Y>) -> impl Fn() + use<'a> {
    assert!(x != crate::c::D, "{}", std::env::args().count());
}
macro_rules! m { () => { $crate::e::f() } }
"#;
    assert_eq!(
        mentions(source),
        [
            "1 crate::Made",
            "2 crate::a::X",
            "2 super::b::Y",
            "3 assert!",
            "3 crate::c::D",
            "3 std::env::args",
            "5 macro_rules!",
            "5 crate::e::f"
        ]
    );
}

#[test]
fn comments_strings_and_documentation_mention_nothing() {
    let source = r###"//! crate::a::B
/// [`crate::a`]
fn f() {
    // use crate::a::B;
    let _ = "crate::a::B \" use super::c;";
    let _ = r##"use crate::d; "# "##; /* crate::e::F */
}
"###;
    assert_eq!(mentions(source), [""; 0]);
}

#[test]
fn what_only_tests_have_is_left_out() {
    let source = r#"#[cfg(test)]
mod tests {
    use crate::a;
}
#[cfg(test)]
mod more;
#[test]
fn t() { crate::b::c() }
#[cfg(all(test, unix))]
use crate::{d, e};
#[cfg(test)]
#[allow(dead_code)]
const fn g<A, B>() { crate::h::i() }
struct S {
    #[cfg(test)]
    x: crate::j::K,
    y: crate::l::M,
}
#[cfg(test)]
const N: usize = { crate::n::O };
#[cfg(not(test))]
use crate::p::Q;
#[cfg(any(test, unix))]
use crate::r::S;
"#;
    assert_eq!(mentions(source), ["17 crate::l::M", "22 crate::p::Q", "24 crate::r::S"]);
    let module = read(source).unwrap();
    assert!(module.files.is_empty() && module.inline.is_empty());
    assert_eq!(module.tests, [(1, 4), (5, 6), (7, 8), (9, 10), (11, 13), (15, 16), (19, 20)]);
    let whole = read("//! Tests.\n#![cfg(test)]\nuse crate::a;\n").unwrap();
    assert_eq!((whole.mentions.len(), whole.tests), (0, vec![(1, 3)]));
}

#[test]
fn definitions_and_implementations_are_known() {
    let source = r#"mod a;
pub mod b { pub(crate) fn inner() {} }
pub(crate) const fn c() {}
static mut D: u8 = 0;
impl<T: Fn() -> u8, const N: usize> Trait<T> for path::Type<'_, T> where T: Copy {}
impl Type { fn method() {} }
"#;
    let module = read(source).unwrap();
    assert_eq!(module.files, ["a"]);
    assert_eq!(module.inline[0].0, "b");
    assert!(module.inline[0].1.items.contains("inner"));
    assert!(module.items.contains("c") && module.items.contains("D") && !module.items.contains("method"));
    assert_eq!(module.implementations, [("Trait".to_owned(), "Type".to_owned())]);
}
