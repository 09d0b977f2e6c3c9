//! Sources as trees of tokens: comments are gone, strings are told apart, every token knows its line.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A token, as far as imports are concerned.
#[derive(Clone, Debug)]
pub(super) enum Token {
    /// A name or a keyword, without `r#`.
    Word(String, usize),
    /// `::`.
    Separator,
    /// Any other punctuation, lifetimes' quotes included.
    Mark(char),
    /// A number or a string.
    Literal,
    /// What stands between brackets.
    Group(Group),
}

/// What stands between brackets.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) delimiter: Delimiter,
    pub(super) tokens: Vec<Token>,
    /// Line of the closing bracket.
    pub(super) last_line: usize,
}

impl Token {
    /// Whether it is this punctuation.
    pub(super) fn is_mark(&self, mark: char) -> bool {
        matches!(self, Self::Mark(found) if *found == mark)
    }

    /// The group, where the token is one with these brackets.
    pub(super) fn group(&self, delimiter: Delimiter) -> Option<&Group> {
        match self {
            Self::Group(group) if group.delimiter == delimiter => Some(group),
            _ => None,
        }
    }
}

/// The tokens of a source; an error says at which line it is not Rust.
pub(super) fn lex(source: &str) -> Result<Vec<Token>, String> {
    let stream: TokenStream = source
        .parse()
        .map_err(|error: proc_macro2::LexError| format!("{}: {error}", error.span().start().line))?;
    Ok(simplify(stream))
}

fn simplify(stream: TokenStream) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        tokens.push(match tree {
            TokenTree::Ident(name) => {
                let name = name.to_string();
                Token::Word(name.strip_prefix("r#").unwrap_or(&name).to_owned(), line)
            }
            TokenTree::Punct(mark) => {
                let doubled = mark.as_char() == ':'
                    && mark.spacing() == Spacing::Joint
                    && trees
                        .next_if(|next| matches!(next, TokenTree::Punct(mark) if mark.as_char() == ':'))
                        .is_some();
                if doubled { Token::Separator } else { Token::Mark(mark.as_char()) }
            }
            TokenTree::Literal(_) => Token::Literal,
            TokenTree::Group(group) => Token::Group(Group {
                delimiter: group.delimiter(),
                last_line: group.span_close().start().line,
                tokens: simplify(group.stream()),
            }),
        });
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_no_words() {
        let source =
            "// one\n/* two /* three */ */\n\"four \\\" five\" r#\"six \"seven\"\"# b'8' eight::r#type\n";
        let tokens = lex(source).unwrap();
        let words: Vec<String> = tokens
            .iter()
            .filter_map(|token| match token {
                Token::Word(word, line) => Some(format!("{line} {word}")),
                _ => None,
            })
            .collect();
        assert_eq!(words, ["3 eight", "3 type"]);
        assert!(matches!(tokens[tokens.len() - 2], Token::Separator));
    }

    #[test]
    fn what_is_not_rust_is_an_error_with_its_line() {
        assert!(lex("fn f() {\n\n").unwrap_err().starts_with(|c: char| c.is_ascii_digit()));
    }
}
