//! Keys of a TOML table, taken one by one; what is wrong with one names it, what was expected, what was found.

use toml::{Table, Value};
use wowflow::name::Named;

use crate::error::{Place, Result, refuse};

/// A table of an experiment file, with the keys that were asked for.
#[derive(Debug)]
pub(crate) struct Keys<'a> {
    table: &'a Table,
    /// Where the table stands, with a dot at its end: `pairs.`; empty for the file itself.
    place: String,
    asked: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(table: &'a Table, place: &str) -> Self {
        Self { table, place: place.to_owned(), asked: Vec::new() }
    }

    /// A key that may be absent.
    pub(crate) fn maybe<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>> {
        self.asked.push(key);
        let Some(value) = self.table.get(key) else { return Ok(None) };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => refuse!("expected {expected} as {}{key}, found {value}", self.place),
        }
    }

    /// A key that must be there.
    pub(crate) fn must<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T> {
        let found = self.maybe(key, expected, read)?;
        found.at(|| format!("expected {expected} as {}{key}, found none", self.place))
    }

    /// A choice by name.
    pub(crate) fn name<T: Named>(&mut self, key: &'static str) -> Result<Option<T>> {
        let names: Vec<&str> = T::ALL.iter().map(|choice| choice.name()).collect();
        let expected = format!("one of {}", names.join(", "));
        self.maybe(key, &expected, |value| T::from_name(value.as_str()?).ok())
    }

    /// Refuses keys that nobody asked for.
    pub(crate) fn finish(self) -> Result<()> {
        match self.table.keys().find(|key| !self.asked.contains(&key.as_str())) {
            Some(unknown) => {
                let asked: Vec<String> =
                    self.asked.iter().map(|key| format!("{}{key}", self.place)).collect();
                refuse!("expected no keys but {}, found {}{unknown}", asked.join(", "), self.place)
            }
            None => Ok(()),
        }
    }
}

/// A whole number of at least `least`.
pub(crate) fn whole(value: &Value, least: usize) -> Option<usize> {
    usize::try_from(value.as_integer()?).ok().filter(|number| *number >= least)
}

/// A number, with a point or without.
pub(crate) fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| Some(value.as_integer()? as f64))
}

/// `[low, high]` with `least <= low <= high`, or one number for both.
pub(crate) fn range(value: &Value, least: usize) -> Option<[usize; 2]> {
    if let Some(both) = whole(value, least) {
        return Some([both; 2]);
    }
    match value.as_array()?.as_slice() {
        [low, high] => Some([whole(low, least)?, whole(high, least)?]).filter(|[low, high]| low <= high),
        _ => None,
    }
}

/// A list of texts, none of them empty.
pub(crate) fn texts(value: &Value) -> Option<Vec<String>> {
    let one = |item: &Value| item.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    value.as_array()?.iter().map(one).collect::<Option<Vec<_>>>().filter(|list| !list.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_or_refused_by_name() {
        let table: Table = "a = 3\nb = [2, 5]\nc = [5, 2]\nd = 0.5\ne = ['x', '']\nf = -1".parse().unwrap();
        let mut keys = Keys::new(&table, "t.");
        assert_eq!(keys.maybe("a", "a range", |v| range(v, 1)).unwrap(), Some([3, 3]));
        assert_eq!(keys.must("b", "a range", |v| range(v, 1)).unwrap(), [2, 5]);
        assert_eq!(keys.must("a", "a number", number).unwrap(), 3.0);
        assert_eq!(keys.must("d", "a number", number).unwrap(), 0.5);
        assert_eq!(keys.maybe("z", "a number", number).unwrap(), None);
        for (key, message) in [
            ("c", "expected a range as t.c, found [5, 2]"),
            ("d", "expected a range as t.d, found 0.5"),
            ("f", "expected a range as t.f, found -1"),
            ("y", "expected a range as t.y, found none"),
        ] {
            assert_eq!(keys.must(key, "a range", |v| range(v, 1)).unwrap_err().to_string(), message);
        }
        assert!(keys.must("e", "texts", texts).is_err());
        keys.finish().unwrap();
        let mut keys = Keys::new(&table, "t.");
        keys.maybe("a", "", number).unwrap();
        assert_eq!(keys.finish().unwrap_err().to_string(), "expected no keys but t.a, found t.b");
    }
}
