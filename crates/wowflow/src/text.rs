//! Texts of unknown origin, as messages show them: on one line, without commands to a terminal, not too long to be read.

use std::borrow::Cow;

/// A text without characters that command a terminal, begin a line or turn the direction of others.
///
/// ```
/// assert_eq!(wowflow::text::escaped("a\x1b[2J\nb"), r"a\u{1b}[2J\nb");
/// ```
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(commands) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if commands(c) { c.escape_default().to_string() } else { c.into() };
    Cow::Owned(text.chars().map(shown).collect())
}

/// Whether a character commands a terminal, begins a line or turns the direction of others.
#[must_use]
pub fn commands(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of at most so many characters, at least 20; the middle is left out, for the end often says what to do.
///
/// ```
/// assert_eq!(wowflow::text::cut("from here on and on to there", 24), "from here on and ... ere");
/// ```
#[must_use]
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    // A character takes four bytes at most: most texts need no count.
    if text.len() <= most || text.chars().count() <= most {
        return Cow::Borrowed(text);
    }
    let (head, tail) = (most * 2 / 3, most - most * 2 / 3 - 5);
    let place = |(at, _): (usize, char)| at;
    let start = text.char_indices().nth(head).map_or(text.len(), place);
    let end = text.char_indices().rev().nth(tail - 1).map_or(0, place);
    Cow::Owned(format!("{} ... {}", &text[..start], &text[end..]))
}

/// Both: what stands in a file, in a message about it.
#[must_use]
pub fn shown(text: &str, most: usize) -> String {
    cut(&escaped(&cut(text, most)), most).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_commands_a_terminal_is_shown_escaped() {
        assert_eq!(escaped("a\x1b[2J\nb\u{9b}\u{202e}"), r"a\u{1b}[2J\nb\u{9b}\u{202e}");
        assert_eq!(escaped("日本 é"), "日本 é");
    }

    #[test]
    fn long_texts_keep_their_ends() {
        for middle in ["x", "é", "\u{1b}"] {
            let text = format!("begin{}end", middle.repeat(70_000));
            for most in [40, 80, 400] {
                let short = shown(&text, most);
                assert_eq!(short.chars().count(), most);
                assert!(short.starts_with("begin") && short.ends_with("end"), "{short}");
            }
        }
        assert_eq!(shown("plain", 20), "plain");
    }
}
