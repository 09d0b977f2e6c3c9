//! Which column has the labels, where nobody names it.

use std::collections::HashMap;
use std::path::Path;

use super::names;
use super::refusal::{called, shown, unclear};
use super::survey::Column;
use crate::error::DataError;

const CHOICES: &str = "[label=COLUMN]";
/// Samples from which on a label that never comes again is none.
const MANY: usize = 10;

/// The columns among which the labels stand.
pub(super) struct Candidates<'a> {
    pub(super) columns: &'a [Column],
    pub(super) rows: usize,
    pub(super) names: Option<&'a [String]>,
    /// Columns that may have them.
    pub(super) free: Vec<usize>,
    pub(super) file: &'a Path,
    /// Columns whose names have a number behind the same word.
    pub(super) stems: HashMap<String, usize>,
}

/// How many names have a number behind each word.
pub(super) fn stems(names: Option<&[String]>) -> HashMap<String, usize> {
    let mut stems = HashMap::new();
    for stem in names.unwrap_or_default().iter().filter_map(|name| names::stem(name)) {
        *stems.entry(stem).or_insert(0) += 1;
    }
    stems
}

impl Candidates<'_> {
    /// The column of labels: by its name, by its words, or by its whole numbers.
    ///
    /// # Errors
    /// Several columns that may have them, and none.
    pub(super) fn label(&self) -> Result<usize, DataError> {
        for named in [names::is_label, names::is_of_label] {
            if let Some(label) = self.by_name(named)? {
                return Ok(label);
            }
        }
        let words = self.such(|k| self.columns[k].is_text());
        // Words most of which differ name the samples.
        let again: Vec<usize> = words
            .iter()
            .copied()
            .filter(|&k| self.rows <= 3 || self.columns[k].comes_again(self.rows, MANY))
            .collect();
        let y = self.such(|k| names::is_weak_label(self.name(k))).first().copied();
        let beside = |letter: &str| self.free.iter().any(|&k| names::plain(self.name(k)) == letter);
        if let Some(y) = y
            && (!beside("x") || !beside("z") && words.is_empty() && self.columns[y].is_whole())
        {
            return Ok(y);
        }
        match (&words[..], &again[..]) {
            ([], _) => self.of_numbers(),
            (_, &[one]) => self.of_words(one),
            (&[one], []) => self.of_words(one),
            _ => Err(self.unclear(format!("text in columns {}", self.list(&words)))),
        }
    }

    fn name(&self, column: usize) -> &str {
        self.names.map_or("", |names| names[column].as_str())
    }

    fn such(&self, is: impl Fn(usize) -> bool) -> Vec<usize> {
        self.free.iter().copied().filter(|&k| is(k)).collect()
    }

    fn list(&self, some: &[usize]) -> String {
        some.iter().map(|&k| called(self.names, k)).collect::<Vec<_>>().join(" and ")
    }

    fn unclear(&self, found: String) -> DataError {
        unclear(self.file, "one column of labels", found, CHOICES)
    }

    fn grade(&self, column: usize) -> u8 {
        self.columns[column].looks_like_labels(self.rows)
    }

    fn by_name(&self, named: fn(&str) -> bool) -> Result<Option<usize>, DataError> {
        match self.such(|k| named(self.name(k)))[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            // The words say more than their codes.
            ref several => {
                let words: Vec<usize> =
                    several.iter().copied().filter(|&k| self.columns[k].is_text()).collect();
                match words[..] {
                    [one] => Ok(Some(one)),
                    _ => Err(self.unclear(format!("columns {}", self.list(several)))),
                }
            }
        }
    }

    /// The one column of words, unless another is as good.
    fn of_words(&self, words: usize) -> Result<usize, DataError> {
        if names::may_be_label(self.name(words))
            || self.names.is_none() && !self.columns[words].is_unique(self.rows)
        {
            return Ok(words);
        }
        // Beside fractions, one column of numbers that run like labels.
        let others = self.such(|k| k != words && !self.is_numbered(k));
        let like: Vec<usize> = others.iter().copied().filter(|&k| self.grade(k) == 3).collect();
        let fractions = others.iter().any(|&k| self.grade(k) == 0);
        let other = match like[..] {
            [one] if fractions || self.columns[words].is_unique(self.rows) => Some(one),
            _ => None,
        };
        let column = called(self.names, words);
        match other {
            Some(other) => {
                let [what, other] = [self.columns[words].word(), &called(self.names, other)];
                Err(self.unclear(format!(
                    "text such as `{}` in column {column} and numbers in column {other}",
                    shown(what)
                )))
            }
            None if self.rows >= MANY && self.columns[words].is_unique(self.rows) => {
                let found = format!("text in column {column} that never comes again");
                Err(unclear(self.file, "labels of several samples each", found, CHOICES))
            }
            None => Ok(words),
        }
    }

    /// Whether programs number the names of columns and this is one of them.
    fn is_numbered(&self, column: usize) -> bool {
        names::stem(self.name(column))
            .is_some_and(|stem| self.stems.get(&stem).is_some_and(|count| *count > 1))
    }

    fn of_numbers(&self) -> Result<usize, DataError> {
        let (Some(&first), Some(&last)) = (self.free.first(), self.free.last()) else {
            return Err(DataError::format(
                self.file,
                "a label and at least one coordinate a line",
                "neither",
            ));
        };
        if let [one] = self.such(|k| names::may_be_label(self.name(k)) && self.grade(k) > 0)[..] {
            return Ok(one);
        }
        let numbered = |k: usize| self.names.is_none() || self.is_numbered(k);
        let named = self.such(|k| !numbered(k));
        if named.is_empty() {
            return self.at_an_end(first, last);
        }
        let of = |grade: u8| named.iter().copied().filter(|&k| self.grade(k) == grade).collect::<Vec<_>>();
        let is_end = |k: usize| k == first || k == last;
        match (&of(3)[..], &of(2)[..], &of(1)[..]) {
            (&[one], [], _) | (&[], &[one], []) => Ok(one),
            (&[one], _, _) | (&[], &[one], _) if is_end(one) => Ok(one),
            (&[], &[], &[one]) if one == last || named.len() == 1 => Ok(one),
            // Cells that are no numbers here and there are named where they stand.
            (&[], &[], _) if !self.columns[last].is_numeric() => Ok(last),
            (&[], &[], &[]) => Err(self.fractions()),
            (three, two, one) => {
                let several = [three, two, one].into_iter().find(|some| !some.is_empty()).unwrap_or_default();
                let more = if several.len() > 4 { " and more" } else { "" };
                let listed = self.list(&several[..several.len().min(4)]);
                Err(self.unclear(format!(
                    "whole numbers in column {listed}{more}, which may be labels or coordinates"
                )))
            }
        }
    }

    fn fractions(&self) -> DataError {
        unclear(
            self.file,
            "labels: whole numbers or text",
            "fractions at either end of a line".to_owned(),
            CHOICES,
        )
    }

    /// Of columns without names that say anything: labels stand first or last.
    fn at_an_end(&self, first: usize, last: usize) -> Result<usize, DataError> {
        let columns = self.columns;
        let coordinates = |label: usize| self.such(move |k| k != label);
        let pixels = || {
            let others = coordinates(first);
            others.iter().all(|&k| columns[k].is_pixels())
                && others.iter().any(|&k| columns[k].high() > columns[first].high())
        };
        let own_stem = names::stem(self.name(last)).is_some_and(|stem| !names::is_generic(&stem));
        match (self.grade(first), self.grade(last)) {
            _ if first == last => Ok(last),
            (_, _) if own_stem => {
                let found = format!("{} to {}", called(self.names, first), called(self.names, last));
                Err(unclear(self.file, "a column of labels", found, CHOICES))
            }
            (0, 0) if !columns[last].is_numeric() => Ok(last),
            (0, 0) => Err(self.fractions()),
            // A table of whole numbers with the same one, or with ever other ones, at either end.
            (1, 1) if self.free.len() > 2 && self.free.iter().all(|&k| columns[k].is_whole()) => {
                let found = "whole numbers that do not look like labels at either end of a line";
                Err(unclear(self.file, "a column of labels", found.to_owned(), CHOICES))
            }
            (a, b) if b >= 1 && a <= 1 => Ok(last),
            (a, b) if b <= 1 && a >= 2 => Ok(first),
            (3, 2) if pixels() => Ok(first),
            (2, 3) => Ok(last),
            // Far fewer values: classes beside counts.
            (2.., 2..) if 4 * columns[last].values() <= columns[first].values() => Ok(last),
            (2.., 2..) if 4 * columns[first].values() <= columns[last].values() => Ok(first),
            _ => Err(self.unclear(format!("columns {} that both may be", self.list(&[first, last])))),
        }
    }
}
