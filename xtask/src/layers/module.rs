//! One module as its tokens tell it: what it defines, imports and mentions outside of tests.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Delimiter;

use super::tokens::{Group, Token, lex};

/// A path as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mention {
    /// Its names; the last ends in `!` where a macro is called, and is `*` where everything is imported.
    pub(super) names: Vec<String>,
    pub(super) line: usize,
    /// Whether it stands in a `use`.
    pub(super) imported: bool,
}

impl Mention {
    /// The path as written.
    pub(super) fn text(&self) -> String {
        self.names.join("::")
    }
}

/// What a module has, without what only its tests have.
#[derive(Clone, Debug, Default)]
pub(super) struct Module {
    /// Modules that lie in files of their own.
    pub(super) files: Vec<String>,
    /// Modules written out between braces.
    pub(super) inline: Vec<(String, Module)>,
    /// Names defined here.
    pub(super) items: BTreeSet<String>,
    /// Names brought in by `use`, with where they come from.
    pub(super) bindings: BTreeMap<String, Vec<String>>,
    /// Modules of which everything is brought in.
    pub(super) globs: Vec<Vec<String>>,
    /// Every path.
    pub(super) mentions: Vec<Mention>,
    /// Traits with the types that implement them here.
    pub(super) implementations: Vec<(String, String)>,
    /// Lines of tests: first and last.
    pub(super) tests: Vec<(usize, usize)>,
}

/// Words that open an item which ends in a semicolon.
const ENDS_IN_SEMICOLON: [&str; 4] = ["use", "const", "static", "type"];
/// Words that may open any other item.
const OPENS_ITEM: [&str; 10] =
    ["fn", "mod", "struct", "enum", "union", "trait", "impl", "macro_rules", "extern", "unsafe"];
/// Words whose next word is a name that is defined.
const DEFINES: [&str; 9] =
    ["fn", "struct", "enum", "union", "trait", "const", "static", "type", "macro_rules"];

/// Reads the source of a file; an error opens with the line.
pub(super) fn read(source: &str) -> Result<Module, String> {
    let mut module = Module::default();
    let tokens = lex(source)?;
    let lines = source.lines().count();
    if tokens.windows(3).any(|at| at[1].is_mark('!') && at[2].group(Delimiter::Bracket).is_some_and(is_test))
    {
        module.tests.push((1, lines));
        return Ok(module);
    }
    module.walk(&tokens, Place::Module);
    Ok(module)
}

/// Where tokens stand: names are defined in modules only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Module,
    Inside,
}

impl Module {
    fn walk(&mut self, tokens: &[Token], place: Place) {
        let mut at = 0;
        while at < tokens.len() {
            at += match &tokens[at] {
                Token::Mark('#') if attribute(tokens, at).is_some_and(is_test) => {
                    let after = end_of_item(tokens, at);
                    self.tests.push((line_of(tokens, at), last_line(&tokens[at..after])));
                    after - at
                }
                // A lifetime's name is no path.
                Token::Mark('\'') => 2,
                Token::Group(group) => {
                    self.walk(&group.tokens, Place::Inside);
                    1
                }
                Token::Word(word, line) => match word.as_str() {
                    "use" if !tokens.get(at + 1).is_some_and(|next| next.is_mark('<')) => {
                        self.import(&tokens[at + 1..], *line, place) + 1
                    }
                    "mod" if place == Place::Module => self.submodule(tokens, at),
                    _ => self.path(tokens, at, place),
                },
                Token::Separator => match tokens.get(at + 1) {
                    Some(Token::Word(..)) => self.path(tokens, at + 1, place) + 1,
                    _ => 1,
                },
                Token::Mark(_) | Token::Literal => 1,
            };
        }
    }

    /// `mod name;` or `mod name { ... }`; returns the number of tokens read.
    fn submodule(&mut self, tokens: &[Token], at: usize) -> usize {
        let Some(Token::Word(name, _)) = tokens.get(at + 1) else { return 1 };
        match tokens.get(at + 2) {
            Some(Token::Mark(';')) => self.files.push(name.clone()),
            Some(Token::Group(body)) => {
                let mut inner = Self::default();
                inner.walk(&body.tokens, Place::Module);
                self.tests.append(&mut inner.tests);
                self.inline.push((name.clone(), inner));
            }
            _ => return 1,
        }
        3
    }

    /// A path outside `use`; returns the number of tokens read.
    fn path(&mut self, tokens: &[Token], at: usize, place: Place) -> usize {
        let Token::Word(first, line) = &tokens[at] else { return 1 };
        if place == Place::Module {
            if first == "impl" {
                self.implementations.extend(implementation(&tokens[at + 1..]));
            }
            if DEFINES.contains(&first.as_str()) {
                let name = tokens[at + 1..].iter().find_map(|token| match token {
                    Token::Word(name, _) if name != "mut" => Some(name),
                    _ => None,
                });
                self.items.extend(name.cloned());
            }
        }
        let (mut names, mut next) = (vec![first.clone()], at + 1);
        while let [Token::Separator, Token::Word(name, _), ..] = &tokens[next..] {
            names.push(name.clone());
            next += 2;
        }
        let called = tokens.get(next).is_some_and(|token| token.is_mark('!'))
            && !tokens.get(next + 1).is_some_and(|token| token.is_mark('='));
        if let (true, Some(last)) = (called, names.last_mut()) {
            last.push('!');
        }
        self.mentions.push(Mention { names, line: *line, imported: false });
        next - at
    }

    /// The tree of a `use` up to its semicolon; returns the number of tokens read.
    fn import(&mut self, tokens: &[Token], line: usize, place: Place) -> usize {
        let end = tokens.iter().position(|token| token.is_mark(';')).unwrap_or(tokens.len());
        self.tree(&tokens[..end], &[], line, place);
        end
    }

    fn tree(&mut self, tokens: &[Token], prefix: &[String], mut line: usize, place: Place) {
        let (mut names, mut alias) = (prefix.to_vec(), None);
        let mut rest = tokens.iter();
        while let Some(token) = rest.next() {
            match token {
                Token::Word(word, _) if word == "as" => {
                    if let Some(Token::Word(name, _)) = rest.next() {
                        alias = Some(name.clone());
                    }
                }
                Token::Word(word, own) => {
                    line = *own;
                    // `{self}` is the module itself.
                    if word != "self" || names.is_empty() {
                        names.push(word.clone());
                    }
                }
                Token::Mark('*') => {
                    if place == Place::Module {
                        self.globs.push(names.clone());
                    }
                    names.push("*".to_owned());
                    return self.mentions.push(Mention { names, line, imported: true });
                }
                Token::Group(group) => {
                    for part in group.tokens.split(|token| token.is_mark(',')) {
                        if !part.is_empty() {
                            self.tree(part, &names, line, place);
                        }
                    }
                    return;
                }
                Token::Separator | Token::Mark(_) | Token::Literal => {}
            }
        }
        if place == Place::Module {
            let name = alias.or_else(|| names.last().cloned()).unwrap_or_default();
            self.bindings.insert(name, names.clone());
        }
        self.mentions.push(Mention { names, line, imported: true });
    }
}

/// The brackets of an attribute that opens at `#`.
fn attribute(tokens: &[Token], at: usize) -> Option<&Group> {
    tokens.get(at + 1)?.group(Delimiter::Bracket)
}

/// Whether an attribute is `test` or a `cfg` that holds in tests alone.
fn is_test(attribute: &Group) -> bool {
    match &attribute.tokens[..] {
        [Token::Word(name, _)] => name == "test",
        [Token::Word(name, _), Token::Group(condition)] => name == "cfg" && needs_test(&condition.tokens),
        _ => false,
    }
}

/// Whether `test` stands in a condition, not below `not` or `any`.
fn needs_test(condition: &[Token]) -> bool {
    match condition {
        [Token::Word(name, _)] => name == "test",
        [Token::Word(name, _), Token::Group(inner)] if name == "all" => {
            inner.tokens.split(|token| token.is_mark(',')).any(needs_test)
        }
        _ => false,
    }
}

/// The position after the item, field, arm or statement whose attributes open at `at`.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|token| token.is_mark('#')) && attribute(tokens, at).is_some() {
        at += 2;
    }
    let (mut item, mut semicolon) = (false, false);
    while at < tokens.len() {
        match &tokens[at] {
            Token::Mark(';') => return at + 1,
            Token::Mark(',') if !item && !semicolon => return at + 1,
            Token::Group(group) if group.delimiter == Delimiter::Brace && !semicolon => return at + 1,
            Token::Word(word, _) => {
                // `const fn` is a function.
                semicolon =
                    (semicolon && word != "fn") || ENDS_IN_SEMICOLON.contains(&word.as_str()) && !item;
                item = item || OPENS_ITEM.contains(&word.as_str());
            }
            _ => {}
        }
        at += 1;
    }
    at
}

/// The trait and the type of `impl<...> a::Trait<...> for b::Type<...>`.
fn implementation(tokens: &[Token]) -> Option<(String, String)> {
    let (mut depth, mut arrow) = (0i32, false);
    let (mut last, mut found_trait) = (None, None);
    for token in tokens {
        match token {
            Token::Mark('<') => depth += 1,
            Token::Mark('>') if !arrow => depth -= 1,
            Token::Word(word, _) if depth == 0 => match word.as_str() {
                "for" => found_trait = last.take(),
                "where" => break,
                _ => last = Some(word.clone()),
            },
            Token::Group(group) if group.delimiter == Delimiter::Brace => break,
            _ => {}
        }
        arrow = token.is_mark('-');
    }
    Some((found_trait?, last?))
}

fn line_of(tokens: &[Token], at: usize) -> usize {
    tokens[at..]
        .iter()
        .find_map(|token| match token {
            Token::Word(_, line) => Some(*line),
            Token::Group(group) => {
                Some(if group.tokens.is_empty() { group.last_line } else { line_of(&group.tokens, 0) })
            }
            _ => None,
        })
        .unwrap_or(0)
}

fn last_line(tokens: &[Token]) -> usize {
    let last = tokens.iter().rev().find_map(|token| match token {
        Token::Word(_, line) => Some(*line),
        Token::Group(group) => Some(group.last_line),
        _ => None,
    });
    last.unwrap_or(0)
}

#[cfg(test)]
mod tests;
